"""`simbench judge capture`."""

from __future__ import annotations

from simbench.api.record_kinds import CAPTURE
from simbench.cli.judge.judging import judging


@judging(
    "capture",
    CAPTURE,
    see=("simbench judge", "simbench decode", "docs/guides/audit.md"),
    files="With -o: findings.json, incidents.csv, and the capture's ledger.",
)
def capture() -> None:
    """Judge a client by a capture of its traffic (pcap, pcapng), by the rules of `simbench conform`.

    A purpose is unsupported without the information its rule needs (see the options).

    \b
    Examples:
      simbench judge capture traffic.pcapng
      simbench judge capture traffic.pcapng --campaigns campaigns.toml --requests log.csv --keys keys.toml
    """
