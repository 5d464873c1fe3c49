"""`judge`: any record of a platform or a client against a contract."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, overload

from simbench.api.contracts import contract_for
from simbench.api.judgements import Judgement
from simbench.api.judging import Inputs, judge_record
from simbench.api.runs import Run
from simbench.base.errors import BadInput
from simbench.base.progress import Progress, reported
from simbench.base.python_words import in_python_words, path_in
from simbench.contract import Contract
from simbench.ledger import Run as Recorded
from simbench.planning.executors import Where, check_executor, spread
from simbench.sla.judged import Judged
from simbench.tables.frames import ArrowStream, Frame, is_table

Record = Run | Recorded | Path | str | ArrowStream
"""A run; the folder of one; a capture, a log of Kannel or a table as a file; a table in memory: a DataFrame of pandas
or polars, or anything that exports Arrow."""
Table = Path | str | ArrowStream
Records = TypeVar("Records", bound=Record)
Time = str | date
EXPECTED = "a run, a file or folder, or a DataFrame"


@overload
def judge(
    record: Record, *, contract: Contract | Path | str | None = ..., start: Time | None = ...,
    end: Time | None = ..., history_from: Time | None = ..., tz: str | None = ..., mapping: Path | str | None = ...,
    decisions: Path | str | None = ..., probes: Table | None = ..., traffic: Table | None = ...,
    campaigns: Path | str | None = ..., requests: Path | str | None = ..., keys: Path | str | None = ...,
    port: int | None = ..., forecast_until: Time | None = ..., as_of: Time | None = ...,
    laws: Path | str | None = ..., back_test: bool = ..., replications: int = ..., seed: int = ...,
    executor: Where = ..., progress: Progress | bool = ...,
) -> Judgement: ...  # fmt: skip


@overload
def judge(
    record: list[Records] | tuple[Records, ...], *,
    contract: Contract | Path | str | None = ..., start: Time | None = ...,
    end: Time | None = ..., history_from: Time | None = ..., tz: str | None = ..., mapping: Path | str | None = ...,
    decisions: Path | str | None = ..., probes: Table | None = ..., traffic: Table | None = ...,
    campaigns: Path | str | None = ..., requests: Path | str | None = ..., keys: Path | str | None = ...,
    port: int | None = ..., forecast_until: Time | None = ..., as_of: Time | None = ...,
    laws: Path | str | None = ..., back_test: bool = ..., replications: int = ..., seed: int = ...,
    executor: Where = ..., progress: Progress | bool = ...,
) -> list[Judgement]: ...  # fmt: skip


@in_python_words
def judge(  # noqa: PLR0913 - additional data
    record: Record | list[Records] | tuple[Records, ...],
    *,
    contract: Contract | Path | str | None = None,
    start: Time | None = None,
    end: Time | None = None,
    history_from: Time | None = None,
    tz: str | None = None,
    mapping: Path | str | None = None,
    decisions: Path | str | None = None,
    probes: Table | None = None,
    traffic: Table | None = None,
    campaigns: Path | str | None = None,
    requests: Path | str | None = None,
    keys: Path | str | None = None,
    port: int | None = None,
    forecast_until: Time | None = None,
    as_of: Time | None = None,
    laws: Path | str | None = None,
    back_test: bool = False,
    replications: int = 10_000,
    seed: int = 1,
    executor: Where = None,
    progress: Progress | bool = False,
) -> Judgement | list[Judgement]:
    """Judge a record against a contract, as `simbench judge` does, and return a finding for each purpose.

    A record is a run or its folder; a capture; a log of Kannel; a table of outages (start, end, scope, planned,
    announced_at, …) or of messages (code, submitted_at, answered_at, result, …), as a file or as a DataFrame. A list of
    records gives a list of findings, computed by `executor` (see `simulate`).

    `contract`: an object, name or file; by default that of the run, otherwise the built-in one. `start`, `end`: the
    judged period, as ISO 8601 or datetimes; a table of outages needs both. `tz`: zone of times that name none.
    `history_from`: the instant from which every incident is known. `mapping`: the meaning of a table's columns (TOML).
    `decisions`: reclassified incidents (TOML). `probes`, `traffic`: tables of the client's probes and of messages.
    `campaigns`, `requests`, `keys`, `port`: additional data on a capture. `forecast_until`: also estimate the
    probability of a breach until then, in so many `replications`, from the data known `as_of` an instant; `back_test`
    compares past forecasts with the outcomes; `laws` replaces the fitted distributions.

    Raises BadInput with place, value and expectation for a record that cannot be read, and for an argument that a
    record of its kind cannot use.

    >>> outages = {"start": ["2025-03-04T10:00Z"], "end": ["2025-03-04T19:00Z"], "scope": ["total"], "planned": ["no"]}
    >>> found = judge(Frame.of(outages, "tickets"), start="2025-01-01T00:00Z", end="2026-01-01T00:00Z")
    >>> found["sla.restoration"].outcome
    'fail'
    """
    given: dict[str, Any] = {
        "start": _time(start, "start"), "end": _time(end, "end"), "history_from": _time(history_from, "history_from"),
        "tz": tz,
        "mapping": path_in(mapping), "decisions": path_in(decisions), "probes": _table(probes, "probes"),
        "traffic": _table(traffic, "traffic"), "campaigns": path_in(campaigns), "requests": path_in(requests),
        "keys": path_in(keys), "port": port,
        "forecast_until": _time(forecast_until, "forecast_until"), "as_of": _time(as_of, "as_of"),
        "laws": path_in(laws), "back_test": back_test, "replications": replications, "seed": seed,
    }  # fmt: skip
    check_executor(executor)
    with reported(progress) as show:
        return _judge(record, contract, given, executor, show)


def _judge(
    record: Record | list[Records] | tuple[Records, ...],
    contract: Contract | Path | str | None,
    given: dict[str, Any],
    executor: Where,
    show: Progress,
) -> Judgement | list[Judgement]:
    """Judge one record in this process, several where `executor` says."""
    many = isinstance(record, list | tuple)
    records: list[Any] = list(record) if isinstance(record, list | tuple) else [record]
    if not records:
        raise BadInput("record", "is an empty list", f"{EXPECTED}, or a list of one or more")
    inputs = [
        Inputs(source=source, contract=contract_for(source, contract), called=name_of(one), **given)
        for one in records
        for source in [source_of(one, portable=many)]
    ]
    if not many:
        return findings_of(inputs[0], judge_record(inputs[0], progress=show))
    if all(isinstance(one.source, Path | Frame) for one in inputs):
        found = spread(judge_one, inputs, executor, show)
    else:
        found = spread(judge_one, inputs, 1, show)  # a run in memory does not travel
    for one, judged in zip(records, found, strict=True):
        judged.record = one
    return found


def judge_one(inputs: Inputs) -> Judgement:
    """Return the findings of one record; the judgement itself remains in this process."""
    return findings_of(inputs, judge_record(inputs), kept=False)


def findings_of(inputs: Inputs, judged: Judged, *, kept: bool = True) -> Judgement:
    """Convert a judgement to findings."""
    return Judgement(
        judged.findings, facts=judged.facts, notes=judged.notes, before=judged.before, dispute=judged.dispute,
        forecast=judged.forecast, back_test=judged.back_test, origin=(inputs, judged if kept else None),
    )  # fmt: skip


def source_of(record: Record, *, portable: bool = False) -> Path | Recorded | Frame:
    """Return a record as a path, a run, or a frame; `portable` if another process reads it.

    Raises BadInput for anything else.
    """
    if isinstance(record, Run):
        return record.folder if portable and record.folder is not None else record.ledger
    if isinstance(record, Recorded):
        return record
    if isinstance(record, Path | str):
        return Path(record)
    if is_table(record):
        return Frame.of(record, record.name if isinstance(record, Frame) else "the DataFrame")
    raise BadInput("record", f"is a {type(record).__name__}", EXPECTED)


def name_of(record: Record) -> str:
    """Return the name of a run; "" for records named by their path."""
    return record.name if isinstance(record, Run) else ""


def _table(given: Table | None, name: str) -> Path | Frame | None:
    if given is None or isinstance(given, Path):
        return given
    return Path(given) if isinstance(given, str) else Frame.of(given, name)


def _time(given: Time | None, name: str) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, date):
        raise BadInput(name, f"is {given!r:.60}", "a date, a datetime, or a text such as 2026-03-02T10:00:00+01:00")
    return given.isoformat() if isinstance(given, datetime) else f"{given.isoformat()}T00:00"
