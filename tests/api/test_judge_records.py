"""`judge` of every kind of record finds what `simbench judge` finds of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import polars as pl
import pytest

import simbench
from simbench.base.errors import BadInput
from simbench.sla.granted_rate import NO_BACKLOG
from tests.cli.child import Ended
from tests.cli.test_judge import table
from tests.cli.test_judge_kinds import LOG, a_capture

GIVEN = Path(__file__).parents[1] / "docs" / "given"
PERIOD: Any = {"start": "2025-01-01T00:00+01:00", "end": "2026-01-01T00:00+01:00"}
Record = tuple[Any, dict[str, Any], Path]
"""A record as `judge` takes it, the arguments, and the file or folder for the command."""


def as_json(found: simbench.Findings) -> Any:
    return json.loads(msgspec.json.encode(list(found)))


def a_run(folder: Path) -> Record:
    run = simbench.simulate("year/03_six_hour_outage", folder=folder / "run")
    return run, {}, folder / "run"


def a_folder(folder: Path) -> Record:
    _, _, kept = a_run(folder)
    return str(kept), {}, kept


def a_saved_run(folder: Path) -> Record:
    run, _, _ = a_run(folder)
    kept = run.save(folder / "saved")
    return simbench.open_run(kept), {}, kept


def capture(folder: Path) -> Record:
    path = a_capture(folder)
    return path, {}, path


def log(_: Path) -> Record:
    return LOG, {"tz": "Europe/Paris"}, LOG


def outages(folder: Path) -> Record:
    path = table(folder / "o.csv", 1, 3)
    return path, PERIOD, path


def frame_of_outages(folder: Path) -> Record:
    path = table(folder / "o.csv", 1, 3)
    return pd.read_csv(path, dtype=str), PERIOD, path


def polars_of_outages(folder: Path) -> Record:
    path = table(folder / "o.csv", 1, 3)
    return pl.read_csv(path, infer_schema=False), PERIOD, path


RECORDS: tuple[Callable[[Path], Record], ...] = (
    a_run, a_folder, a_saved_run, capture, log, outages, frame_of_outages, polars_of_outages,
)  # fmt: skip


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.__name__)
def test_each_kind_gives_the_findings_of_the_command(
    record: Callable[[Path], Record], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, arguments, path = record(tmp_path)
    found = simbench.judge(given, **arguments)
    options = {"start": "--from", "end": "--to", "tz": "--tz"}
    output = Ended(
        capsys, "judge", path, "--json", *(text for key, of in arguments.items() for text in (options[key], of))
    )
    assert output.status == {"pass": 0, "fail": 1, "inconclusive": 3}[found.outcome]
    assert json.loads(output.out)["findings"] == as_json(found)
    assert len(found) >= 5


def test_traffic_is_judged_alone_and_beside_outages_as_a_file_or_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages, tickets = GIVEN / "messages.csv", table(tmp_path / "o.csv", 1, 3)
    tz: Any = {"tz": "Europe/Paris"}
    beside = simbench.judge(tickets, **PERIOD, traffic=pd.read_csv(messages, dtype=str), **tz)
    options = ("--from", PERIOD["start"], "--to", PERIOD["end"], *("--tz", "Europe/Paris"))
    output = Ended(capsys, "judge", tickets, "--traffic", messages, *options, "--json")
    assert json.loads(output.out)["findings"] == as_json(beside)
    by_file = simbench.judge(messages, **tz)
    assert json.loads(Ended(capsys, "judge", messages, "--json").out)["findings"] == as_json(by_file)
    for form in (pd.read_csv(messages, dtype=str), pl.read_csv(messages, infer_schema=False)):
        assert list(simbench.judge(form, **tz)) == list(by_file)
    assert by_file["sla.rate-with-backlog"].summary == NO_BACKLOG


def test_many_records_give_a_list_in_their_order_each_naming_its_own(tmp_path: Path) -> None:
    first, second = table(tmp_path / "a.csv", 1, 3), table(tmp_path / "b.csv", 1, 9)
    found = simbench.judge([first, second], **PERIOD, executor=1)
    assert [one.record for one in found] == [first, second]
    assert [list(one) for one in found] == [list(simbench.judge(one, **PERIOD)) for one in (first, second)]
    assert found[0]["sla.restoration"].measured != found[1]["sla.restoration"].measured


@pytest.mark.parametrize(
    ("record", "arguments", "problem"),
    [
        (3, {}, "record: is a int; expected a run, a file or folder, or a DataFrame"),
        ("nowhere", {}, "nowhere: No such file or directory; expected a file or the folder of a run"),
        (a_capture, {"forecast_until": "2027-01-01"}, "forecast_until: a capture cannot use it"),
        (log, {"keys": "k.toml", "tz": "Europe/Paris"}, "keys: a log of Kannel cannot use it"),
        (log, {}, f'{LOG}: line 1: its times say no time zone; expected the option tz, as in tz="Europe/Paris"'),
        (pd.DataFrame({"x": [1]}), {}, "the DataFrame: "),
    ],
)
def test_what_cannot_be_judged_is_refused_in_the_words_of_python(
    record: Any, arguments: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    given = record(tmp_path) if callable(record) else record
    with pytest.raises(BadInput) as seen:
        simbench.judge(given[0] if isinstance(given, tuple) else given, **arguments)
    assert str(seen.value).startswith(problem)
    assert "--" not in str(seen.value)
    assert "\n" not in str(seen.value)


def test_the_forecast_as_a_table_has_the_figures_of_the_forecast() -> None:
    period: Any = {"start": "2024-01-01T00:00+01:00", "end": "2026-01-01T00:00+01:00"}
    days = ("2024-02-01", "2024-06-03", "2024-11-20", "2025-03-04", "2025-08-30")
    outages = simbench.Frame.of(
        {
            "start": [f"{day}T10:00Z" for day in days],
            "end": [f"{day}T{11 + number}:00Z" for number, day in enumerate(days)],
            "scope": ["total"] * len(days),
            "planned": ["no"] * len(days),
        }
    )
    found = simbench.judge(outages, **period, forecast_until="2026-04-01T00:00Z", replications=50)
    assert simbench.judge(outages, **period).chances is None
    chances, made = found.chances, found.forecast
    assert chances is not None
    assert made is not None
    assert [round(at.timestamp() * 1e6) for at in chances["by"]] == [one.at for one in made.dates]
    assert chances["availability"] == [one.availability.share for one in made.dates]
    bands = list(zip(chances["restoration_low"], chances["restoration_high"], strict=True))
    assert bands == [one.restoration.band or (None, None) for one in made.dates]
