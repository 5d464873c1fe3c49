"""Small tables of every kind, as octets, and readers to feed them to."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from simbench.billing.counts import read_counts
from simbench.billing.received import read_received
from simbench.contract import load_contract
from simbench.sla.imports.campaigns import read_metadata
from simbench.sla.imports.kannel_log import read_kannel_log
from simbench.sla.imports.numbers import read_numbers
from simbench.sla.imports.outages import read_outages
from simbench.sla.imports.probed import read_probes
from simbench.sla.imports.traffic import read_traffic
from simbench.tables.columns import Columns
from tests.paris import PLAN

CONTRACT = load_contract()
PARIS = ZoneInfo("Europe/Paris")

OUTAGES = """start;end;scope;planned;share;cause
2025-03-01 10:00:00;2025-03-01 12:00:00;total;FAUX;;"a ""cut""
of two lines"
2025-04-01 10:00:00;2025-04-01 12:00:00;partial;non;0,5;
"""
REQUESTS = "at,code,recipient,text\n2025-03-01T11:00:00.2+01:00,36010.0,+33 6 39 98 00 12,Bonjour\n"
TRAFFIC = "code,recipient,submitted_at,answered_at,result\n36010,06.39.98.00.12,1740819600,1740819601.5,Accepted\n"
PROBES = "at\tok\n2025-03-01 10:30:00\tnon\n2025-03-01 10:31:00\toui\n"
NUMBERS = "msisdn\n+33 6 39 98 00 12\n0639980013\n"
COUNTS = "month;code;delivered;accepted\n2016-10;36010;410\u00a0000;415 000\n"
BILL = "clause,code,quantity,unit_price,amount\nOPS-TAR-02,36010,1,150,150.00\nHT,,,,150\n"
KANNEL = """2025-03-03 00:00:00 [14] [6] INFO: EMI2[36010]: connecting to Primary SMSC
2025-03-03 02:00:00 [14] [6] INFO: EMI2[36010]: Main connection closed by SMSC
{"log":"2025-03-03 02:00:01 [14] [6] ERROR: EMI2[36010]: Couldn't connect\\n","time":"2025-03-03T01:00:01Z"}
Mar  3 09:00:00 gw1 bearerbox[14]: INFO: EMI2[36010]: connecting to Primary SMSC
2025-03-03 10:00:00 Sent SMS [SMSC:36010] [to:+33639980012] [flags:-1:0:-1:0:31] [msg:9:two
lines] [udh:0:]
"""

Reader = Callable[[Path], Any]
READERS: dict[str, tuple[str, Reader]] = {
    "outages": (OUTAGES, lambda path: read_outages(path, CONTRACT, Columns(), PARIS)),
    "traffic": (TRAFFIC, lambda path: read_traffic(path, CONTRACT, Columns(), PARIS)),
    "probes": (PROBES, lambda path: read_probes(path, Columns(), PARIS)),
    "requests": (REQUESTS, lambda path: read_metadata(None, path, PLAN, PARIS)),
    "numbers": (NUMBERS, lambda path: read_numbers(path, PLAN)),
    "counts": (COUNTS, lambda path: read_counts(path, CONTRACT.calendar)),
    "bill": (BILL, lambda path: read_received(path, CONTRACT)),
    "kannel": (KANNEL, lambda path: read_kannel_log(path, CONTRACT, PARIS)),
}


def workbook(*rows: tuple[Any, ...]) -> bytes:
    """An XLSX workbook of one sheet."""
    book, octets = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(octets)
    return octets.getvalue()


def parquet(**columns: Any) -> bytes:
    """A Parquet file."""
    octets = io.BytesIO()
    pq.write_table(pa.table(columns), octets)
    return octets.getvalue()


WORKBOOK = workbook(
    ("start", "end", "scope", "planned"), (datetime(2025, 3, 1, 10), datetime(2025, 3, 1, 12), "total", "non")
)
PARQUET = parquet(
    start=[datetime(2025, 3, 1, 9, tzinfo=UTC)], end=[datetime(2025, 3, 1, 11, tzinfo=UTC)], scope=["total"],
    planned=[False],
)  # fmt: skip
