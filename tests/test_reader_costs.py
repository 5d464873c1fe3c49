"""Reading twice as much takes twice the work and memory, counted in calls and octets; or it is refused."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from simbench.base.errors import BadInput
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.sources import Reading, read_calls
from simbench.ledger import Ledger, RunInfo, open_run
from simbench.ledger.events import events_in
from simbench.roaming.billing import COLUMNS, NOTICES, RECORDS, SUBSCRIBERS, read_billing
from simbench.tables.delimited import SPARE
from tests.capture.scenes import Line, ip_packet, pcap
from tests.ledger.samples import BASE, wire
from tests.readers import Reader, readers
from tests.tables.samples import READERS

FEW, MANY = 500, 1_000  # rows
MOST_GROWTH = 2.3  # of twice as many; tables of Python grow in steps
MULTIPLE = 20  # octets in memory for each octet of a file, as SECURITY.md says
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
OFFER = load_netrevenu()


class Long(NamedTuple):
    """Makes a file of any number of rows, and what reads it."""

    made: Callable[[int], str | bytes]
    read: Callable[[Path], Any]


def at(number: int, step_s: int = 3_600) -> str:
    return (BEGAN + timedelta(seconds=step_s * number)).isoformat()


def table(head: str, row: Callable[[int], str]) -> Callable[[int], str]:
    return lambda rows: f"{head}\n" + "".join(f"{row(number)}\n" for number in range(rows))


def kannel(rows: int) -> str:
    words = ("Main connection closed by SMSC", "connecting to Primary SMSC")
    stamps = (at(number, 60)[:19].replace("T", " ") for number in range(rows))
    return "".join(f"{stamp} [14] [6] INFO: EMI2[36010]: {words[n % 2]}\n" for n, stamp in enumerate(stamps))


def detail(records: int) -> str:
    return "".join(
        f'Sun Nov 22 05:43:35 2026\n\tAcct-Status-Type = Stop\n\tAcct-Session-Id = "{number:08X}"\n'
        f'\tUser-Name = "u{number}"\n\tNAS-IP-Address = 192.0.2.10\n\tAcct-Session-Time = 60\n'
        f"\tTimestamp = {1_795_326_215 + 60 * number}\n\n"
        for number in range(records)
    )


def capture(rows: int) -> bytes:
    line = Line().open()
    for _ in range(rows // 4):
        line = line.talk()
    return pcap((instant, ip_packet(segment)) for instant, segment in line.close().sent)


OF_TABLES = {
    "outages": table(
        "ticket,start,end,scope,planned,cause",
        lambda n: f"T{n},{at(2 * n)},{at(2 * n + 1)},{('total', 'partial')[n % 2]},no,cause {n}",
    ),
    "outages at once": table(
        "ticket,start,end,scope,planned,cause", lambda n: f"T{n},{at(n)},{at(10 * MANY)},total,no,cause {n}"
    ),
    "traffic": table(
        "code,recipient,submitted_at,answered_at,result",
        lambda n: f"36010,063998{n:04},{at(n, 1)},{at(n + 1, 1)},accepted",
    ),
    "requests": table("at,code,recipient,text", lambda n: f"{at(n, 1)},36010,063998{n:04},Bonjour {n}"),
    "probes": table("at,ok", lambda n: f"{at(n, 60)},{('non', 'oui')[n % 2]}"),
    "numbers": table("msisdn", lambda n: f"063998{n:04}"),
    "counts": table("month,code,delivered", lambda n: f"{2016 + n // 12 % 60}-{n % 12 + 1:02},{36010 + n // 720},1"),
    "bill": table("clause,code,quantity,unit_price,amount", lambda n: f"OPS-TAR-02,{36010 + n},1,150,150.00"),
    "kannel": kannel,
}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Long]:
    known = readers(tmp_path_factory.mktemp("samples"))
    calls = table(
        "start,duration_s,nas,port,user", lambda n: f"2000-09-{n % 28 + 1:02}T00:00:00,60,nas{n % 5},{n},u{n}"
    )
    found = {name: Long(made, READERS[name.split()[0]][1]) for name, made in OF_TABLES.items()}
    return found | {
        "detail": Long(detail, lambda path: read_calls(path, OFFER, Reading())),
        "calls": Long(calls, lambda path: read_calls(path, OFFER, Reading(months="2000-09"))),
        "journal": Long(lambda rows: journal(known["journal"], rows), known["journal"].read),
        "capture": Long(capture, known["capture"].read),
        "subscribers": Long(
            table("msisdn,operator,state", lambda n: f"063998{n:04},orange,off"), known["numbers"].read
        ),
    }


NAMES = [*OF_TABLES, "detail", "calls", "journal", "capture", "subscribers"]


def journal(sample: Reader, rows: int) -> bytes:
    head, body, *_, end = sample.octets.splitlines()
    last = msgspec.json.encode({**msgspec.json.decode(end), "records": rows})
    return b"\n".join([head, *[body] * rows, last, b""])


def written(long: Long, rows: int, folder: Path) -> Path:
    made = long.made(rows)
    path = folder / f"{rows}"
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    return path


def work(read: Callable[[Path], Any], path: Path) -> int:
    """How many calls and returns of functions reading takes."""
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        read(path)
    finally:
        sys.setprofile(None)
    return count


def memory(read: Callable[[Path], Any], path: Path) -> int:
    """The most octets that Python's objects take while reading."""
    tracemalloc.start()
    try:
        read(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", NAMES)
def test_twice_the_rows_take_twice_the_work_and_memory(name: str, long: dict[str, Long], tmp_path: Path) -> None:
    few, many = (written(long[name], rows, tmp_path) for rows in (FEW, MANY))
    read = long[name].read
    read(many)  # what is loaded and kept at the first use is no work of reading
    assert work(read, many) < MOST_GROWTH * work(read, few)
    assert memory(read, many) < MULTIPLE * many.stat().st_size


def test_a_ledger_of_twice_the_rows_takes_twice_the_work(tmp_path: Path) -> None:
    for rows in (FEW, MANY):
        with Ledger.create(tmp_path / f"{rows}", RunInfo(run="long")) as ledger:
            for number in range(rows):
                ledger.wire.append(wire(BASE + number))
                ledger.events.append((BASE + number, "fault", str(number), None, "{}"))

    def read(folder: Path) -> None:
        run = open_run(folder)
        assert len(list(events_in(run.events))) == run.wire.num_rows

    read(tmp_path / f"{FEW}")
    assert work(read, tmp_path / f"{MANY}") < MOST_GROWTH * work(read, tmp_path / f"{FEW}")


def test_the_tables_of_a_billing_system_take_twice_the_work(tmp_path: Path) -> None:
    rows = {
        SUBSCRIBERS: lambda n: f"S{n},20,0.2,,no,no",
        RECORDS: lambda n: f"S{n},2018-03-05,data,home,1,0,0,EUR",
        NOTICES: lambda n: f"S{n},2018-03-05,envelope,1",
    }
    for size in (FEW, MANY):
        (tmp_path / f"{size}").mkdir()
        for name, row in rows.items():
            (tmp_path / f"{size}" / name).write_text(table(",".join(COLUMNS[name]), row)(size))

    def read(folder: Path) -> None:
        assert not read_billing(folder, date(2017, 6, 15), date(2032, 1, 1)).aside

    read(tmp_path / f"{FEW}")
    assert work(read, tmp_path / f"{MANY}") < MOST_GROWTH * work(read, tmp_path / f"{FEW}")


@pytest.mark.parametrize("name", ["outages", "traffic", "requests", "probes", "numbers", "kannel", "detail"])
def test_a_long_file_whose_rows_are_mostly_none_is_refused(
    name: str, long: dict[str, Long], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers of other kinds end at the first such row, or keep the first rows of each reason only."""
    monkeypatch.setattr("simbench.tables.rows.MOST_REJECTED", FEW)
    path = written(long[name], 2, tmp_path)
    with path.open("a") as file:
        file.write("x\n" * (FEW - 1))
    long[name].read(path)
    with path.open("a") as file:
        file.write("x\n" * 3)
    with pytest.raises(BadInput, match=f"more than {FEW} of its rows cannot be used, the first: line "):
        long[name].read(path)


@pytest.mark.parametrize("line", ['b",c,"', 'b",c,"\n', '"', '"",""",', '""",x', 'a,"'])
def test_quotes_that_do_not_end_are_no_work_without_end(line: str, tmp_path: Path) -> None:
    """Each line begins a record that goes on to the end of the file: read again from each, it would be their square."""
    read, counts = READERS["numbers"][1], []
    for rows in (10 * FEW, 20 * FEW):
        path = tmp_path / "t.csv"
        path.write_text("msisdn,a,b\n0639980012,,\n" + f"{line}\n" * rows)
        try:
            counts.append(work(read, path))
        except BadInput as refused:
            assert "too many quotes do not end" in str(refused)  # noqa: PT017
            assert memory(lambda each: suppressed(read, each), path) < 10 * SPARE
            return
    assert counts[1] < MOST_GROWTH * counts[0]


def suppressed(read: Callable[[Path], Any], path: Path) -> None:
    with pytest.raises(BadInput):
        read(path)
