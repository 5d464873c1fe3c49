"""Makes the commands of `simbench judge`, each with the options for its kind of record."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import cloup

from simbench.api.record_kinds import CAPTURE, LOG, RUN, TABLE
from simbench.cli.judge.options import (
    CAPTURED,
    FORECAST,
    MAPPING,
    METADATA,
    OTHER_RECORDS,
    OUTPUT,
    PERIOD,
    REPORT,
    SOURCE,
    ZONE,
    Options,
)  # fmt: skip
from simbench.cli.options import RULES
from simbench.cli.pages import JUDGED, Page, command, option_group

FILES: Final = (
    "With -o: report.html, data.json, findings.json, incidents.csv; with --pdf report.pdf, with --decisions what the "
    "last two were before, with --probes dispute.csv, with --forecast forecast.json"
)
_INPUT: Final = option_group("Input", ZONE, MAPPING)
_GROUPS: Final = {
    RUN: (PERIOD, _INPUT, OTHER_RECORDS, METADATA, FORECAST, RULES, REPORT),
    TABLE: (PERIOD, _INPUT, OTHER_RECORDS, FORECAST, RULES, REPORT),
    LOG: (PERIOD, _INPUT, OTHER_RECORDS, FORECAST, RULES, REPORT),
    CAPTURE: (option_group("Input", ZONE), METADATA, CAPTURED, RULES, OUTPUT),
    "": (PERIOD, _INPUT, OTHER_RECORDS, METADATA, CAPTURED, FORECAST, RULES, REPORT),
}


def judging(
    name: str, kind: str, *, see: tuple[str, ...], metavar: str = "FILE", files: str = f"{FILES}."
) -> Callable[[Callable[[], None]], Page]:
    """Decorate a function without a body: it becomes a command that judges records of a kind ("": of any)."""

    def make(described: Callable[[], None]) -> Page:
        @wraps(described)
        def judge(source: Path, **given: Any) -> int:
            from simbench.base.event_loop import sparing_collector
            from simbench.cli.judge.judgement import judge_command

            with sparing_collector():  # for a long record garbage collection would take a third of the time
                options = Options(**{name: given.pop(name) for name in Options.__struct_fields__ if name in given})
                return judge_command(source, given, options, kind)

        body: Any = judge
        for group in reversed(_GROUPS[kind]):
            body = group(body)
        body = cloup.argument("source", metavar=metavar, type=SOURCE)(body)
        return command(name, exits=JUDGED, files=files, see=see)(body)

    return make
