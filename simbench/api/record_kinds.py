"""The kinds of records that can be judged, and the options for each kind; other options are rejected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from simbench.base.errors import BadInput

CAPTURE, RUN, LOG, TABLE, MESSAGES = "a capture", "run", "kannel log", "outages", "traffic"

_SERVICE: Final = frozenset({RUN, LOG, TABLE, MESSAGES})  # kinds with a service level
# Option and field: the kinds of source that can use it.
_USED_BY: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("--campaigns", "campaigns"): frozenset({CAPTURE, RUN}),
    ("--requests", "requests"): frozenset({CAPTURE, RUN}),
    ("--keys", "keys"): frozenset({CAPTURE}),
    ("--port", "port"): frozenset({CAPTURE}),
    ("--from", "start"): _SERVICE,
    ("--to", "end"): _SERVICE,
    ("--map", "mapping"): _SERVICE,
    ("--forecast", "forecast_until"): _SERVICE,
    **{
        (f"--{field.replace('_', '-')}", field): _SERVICE
        for field in ("history_from", "decisions", "probes", "traffic", "laws", "as_of")
    },
}
_NAMES: Final = {
    CAPTURE: "a capture", RUN: "a run", LOG: "a log of Kannel", TABLE: "a table of outages",
    MESSAGES: "a table of messages",
}  # fmt: skip


def check_kind(source: str, found: str, kind: str) -> None:
    """Raise BadInput if a source is of another kind than the command's ("": any)."""
    if kind and found != kind:
        raise BadInput(source, f"is {_NAMES[found]}", f"{_NAMES[kind]}; simbench judge FILE judges any of them")


def refuse_unusable(options: Any, kind: str) -> None:
    """Raise BadInput for the first given option that a source of this kind cannot use."""
    for (option, field), kinds in _USED_BY.items():
        if getattr(options, field) is not None and kind not in kinds:
            raise BadInput(option, f"{_NAMES[kind]} cannot use it", f"it with {_list(_NAMES[one] for one in kinds)}")
    given = {"--laws": options.laws, "--as-of": options.as_of, "--back-test": options.back_test or None}
    for option, value in given.items():
        if value is not None and options.forecast_until is None:
            raise BadInput(option, "is used by a forecast only", "--forecast as well")


def _list(names: Iterable[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} or {last}" if first else last
