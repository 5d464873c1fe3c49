"""External material for readers of the guides: captures, logs, tables. `python -m tests.docs.material NAME FILE`."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet

from simbench.capture.layers import Segment
from simbench.ledger import open_run
from tests.capture.scenes import Line, ip_packet, pcap
from tests.capture.tunnels import CBC, GCM, Tunnel


def tunnel(path: Path) -> None:
    """A short connection through ESP by the keys of docs/guides/audit.md: AES-CBC from the client, AES-GCM back."""
    ways = Tunnel(CBC), Tunnel(GCM)

    def wrapped(segment: Segment) -> bytes:
        packet = ip_packet(segment)
        return ways[int.from_bytes(packet[22:24], "big") != 5_000].wrap(packet)

    path.write_bytes(pcap((at, wrapped(segment)) for at, segment in Line().open().talk().close().sent))


def requests(path: Path) -> None:
    """Return the requests to the client of reports/mine, as in its own log."""
    stimuli = open_run(Path("reports/mine/runs/session/ledger")).table("stimuli")
    with path.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(("at", "code", "recipient", "text"))
        for row in (row for row in stimuli.to_pylist() if row["kind"] == "send"):
            at = datetime.fromtimestamp(row["at"] / 1e6, UTC).isoformat()
            lines.writerow((at, row["code"], row["recipient"], row["text"]))


def outages(path: Path) -> None:
    """outages.csv as Parquet."""
    options = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(("start", "end", "announced_at"), "string"))
    pyarrow.parquet.write_table(pyarrow.csv.read_csv("outages.csv", convert_options=options), path)


if __name__ == "__main__":
    {"tunnel": tunnel, "requests": requests, "outages": outages}[sys.argv[1]](Path(sys.argv[2]))
