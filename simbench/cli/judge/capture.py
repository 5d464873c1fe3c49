"""`simbench judge capture`."""

from __future__ import annotations

import sys

import cloup

from simbench.cli.judge.kinds import CAPTURE
from simbench.cli.judge.options import CAPTURED, METADATA, OUTPUT, RULES, SOURCE, ZONE, Options
from simbench.cli.pages import JUDGED, command, option_group


@command(
    exits=JUDGED,
    files="With -o: findings.json, incidents.csv, and the capture's ledger.",
    see=("simbench judge", "simbench decode", "docs/guides/audit.md"),
)
@cloup.argument("source", metavar="FILE", type=SOURCE)
@option_group("Input", ZONE)
@METADATA
@CAPTURED
@RULES
@OUTPUT
def capture(**options: object) -> None:
    """Judge a client by a capture of its traffic (pcap, pcapng), by the rules of `simbench conform`.

    A purpose is unsupported without the information its rule needs (see the options).

    \b
    Examples:
      simbench judge capture traffic.pcapng
      simbench judge capture traffic.pcapng --campaigns campaigns.toml --requests log.csv --keys keys.toml
    """
    from simbench.cli.judge.judgement import judge_record

    sys.exit(judge_record(Options(**options), CAPTURE))  # type: ignore[arg-type]  # click gives what the options say
