"""Calls as columns: the common form of all sources of calls and of everything calculated from them.

A source (a generator, call records, `detail` files, a capture) yields valid calls as `Calls` and every other row as
`SetAside`; no row is dropped silently. Columns have one entry per call, in the order of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.text import is_number

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

CAUSES: Final = (
    "", "User-Request", "Lost-Carrier", "Lost-Service", "Idle-Timeout", "Session-Timeout", "Admin-Reset",
    "Admin-Reboot", "Port-Error", "NAS-Error", "NAS-Request", "NAS-Reboot", "Port-Unneeded", "Port-Preempted",
    "Port-Suspended", "Service-Unavailable", "Callback", "User-Error", "Host-Request", "Supplicant-Restart",
    "Reauthentication-Failure", "Port-Reinit", "Port-Disabled", "Lost-Power",
)  # fmt: skip
"""Names of Acct-Terminate-Cause by number, as FreeRADIUS prints them (RFC 2866 section 5.10, RFC 3580 section 2.1, and
23 of IANA's registry); 0: the source does not say."""

UNKNOWN_CAUSE: Final = 255  # a cause that is in no registry
_CAUSE_NUMBERS: Final = {
    **{name.casefold(): number for number, name in enumerate(CAUSES)},
    "preempted": 13,
    "suspended": 14,
    "port-reinitialized": 21,
    "port-administratively-disabled": 22,
}


def cause_of(text: str) -> int:
    """Return the number of a cause given by name, in any case, or by number; UNKNOWN_CAUSE if it is in no registry."""
    word = text.strip().casefold()
    if is_number(word, len(str(UNKNOWN_CAUSE))):
        return int(word) if 0 < int(word) < len(CAUSES) else UNKNOWN_CAUSE
    return _CAUSE_NUMBERS.get(word, UNKNOWN_CAUSE)


def cause_name(cause: int) -> str:
    """Return the name of a cause by number, "" if the source does not give it."""
    return CAUSES[cause] if 0 <= cause < len(CAUSES) else "unknown"


REASONS: Final = {
    "unreadable": "a field that is not what it should be",
    "encoding": "octets that are not UTF-8",
    "columns": "more or fewer fields than the header",
    "no-start": "no start of the call",
    "missing-stop": "neither an end nor a duration",
    "open": "still in progress when the source ends",
    "undated": "no instant by the clock chosen",
    "ambiguous": "times in the repeated hour, for which two durations are possible",
    "ends-before-start": "ends before it starts",
    "negative": "a negative duration",
    "huge": "longer than a call can last",
    "contradiction": "end, start and duration that do not agree",
    "outside-month": "not within the month",
    "duplicate": "a session accounted before",
    "retransmission": "a record sent again, as its Acct-Delay-Time or its equal contents say",
    "overlap": "on a port that another call holds",
    "truncated": "a record that is cut off",
    "wrong-secret": "an authenticator that its secret does not explain",
}
"""The reasons for setting a row aside; sources use no others."""

SENT_AGAIN: Final = "retransmission"  # required by RFC 2866 section 4.1: it bills nothing and is nobody's fault
NO_FAULT: Final = frozenset({"open", "undated", "ambiguous", "truncated"})
"""Reasons in the limits of the source or of its reader: rows without a party to blame."""


class SetAside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row that is not billed: its position in the source (line of a text, row of a table, from 1) and the reason.

    `reason` is a key of REASONS; `text` is an excerpt of the row. `duration_us` is the duration claimed by the row, if
    known, so that the time not billed can be summed.
    """

    line: int
    reason: str
    text: str = ""
    duration_us: int = 0


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call as a row: start (us, UTC), duration (us), port of a network access server, user, session, cause.

    `port` is -1 if the source does not give it; `cause` is a number of CAUSES; `line` counts from 1 in the source.
    """

    start_us: int
    duration_us: int
    nas: str = ""
    port: int = -1
    user: str = ""
    session: str = ""
    cause: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Valid calls as columns of equal length.

    `nas` and `user` are indices in `nas_names` and `user_names` (-1: not given); without `user_names` the number itself
    names the subscriber. `session` contains texts (a pyarrow string array) or is None: the line then names the session.
    """

    start_us: I64
    duration_us: I64
    nas: I32
    port: I32
    user: I32
    cause: U8
    line: I64
    nas_names: tuple[str, ...] = ()
    user_names: tuple[str, ...] = ()
    session: Any = field(default=None)

    def __post_init__(self) -> None:
        """Check that the columns have equal lengths."""
        lengths = {len(getattr(self, name)) for name in COLUMNS}
        lengths |= {len(self.session)} if self.session is not None else set()
        if len(lengths) > 1:
            raise ValueError(f"columns of unequal lengths {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.start_us)

    @property
    def end_us(self) -> I64:
        """The first instant after each call."""
        return self.start_us + self.duration_us

    def nas_of(self, place: int) -> str:
        """Return the name of the access server of a call, "" if not given."""
        code = int(self.nas[place])
        return self.nas_names[code] if 0 <= code < len(self.nas_names) else ""

    def user_of(self, place: int) -> str:
        """Return the name of the user of a call; a generated subscriber is named by number."""
        code = int(self.user[place])
        if code < 0:
            return ""
        return self.user_names[code] if self.user_names else f"u{code:07d}@isp.example"

    def session_of(self, place: int) -> str:
        """Return the session identifier of a call, as in Acct-Session-Id."""
        return f"{int(self.line[place]):08X}" if self.session is None else str(self.session[place].as_py())

    def row(self, place: int) -> Call:
        """Return one call, with its names."""
        return Call(
            start_us=int(self.start_us[place]),
            duration_us=int(self.duration_us[place]),
            nas=self.nas_of(place),
            port=int(self.port[place]),
            user=self.user_of(place),
            session=self.session_of(place),
            cause=int(self.cause[place]),
            line=int(self.line[place]),
        )

    def rows(self) -> Iterator[Call]:
        """Yield all calls one by one: for thousands, not for millions."""
        return (self.row(place) for place in range(len(self)))

    def take(self, which: NDArray[np.bool_] | I64) -> Calls:
        """Return the calls at these indices, or those selected by a mask."""
        places = np.flatnonzero(which) if which.dtype == np.bool_ else which
        session = self.session.take(places) if self.session is not None else None
        columns = {name: getattr(self, name)[places] for name in COLUMNS}
        return Calls(**columns, nas_names=self.nas_names, user_names=self.user_names, session=session)


COLUMNS: Final = ("start_us", "duration_us", "nas", "port", "user", "cause", "line")


def calls_of(rows: Iterable[Call]) -> Calls:
    """Convert rows to columns, names in order of appearance."""
    import pyarrow as pa  # noqa: PLC0415 - generated calls have no session texts

    kept = list(rows)
    nas, nas_names = _coded([row.nas for row in kept])
    user, user_names = _coded([row.user for row in kept])
    return Calls(
        start_us=np.array([row.start_us for row in kept], dtype=np.int64),
        duration_us=np.array([row.duration_us for row in kept], dtype=np.int64),
        nas=nas,
        port=np.array([row.port for row in kept], dtype=np.int32),
        user=user,
        cause=np.array([row.cause for row in kept], dtype=np.uint8),
        line=np.array([row.line for row in kept], dtype=np.int64),
        nas_names=nas_names,
        user_names=user_names,
        session=pa.array([row.session for row in kept], type=pa.string()),
    )


def joined(one: Calls, other: Calls) -> Calls:
    """Concatenate two sets of calls with the same names; sets with session texts cannot be joined."""
    assert one.session is None is other.session
    assert (one.nas_names, one.user_names) == (other.nas_names, other.user_names)
    columns = {name: np.concatenate((getattr(one, name), getattr(other, name))) for name in COLUMNS}
    return Calls(**columns, nas_names=one.nas_names, user_names=one.user_names)


def generated(start_us: I64, duration_us: I64, user: I32, nas: I32, nas_names: tuple[str, ...]) -> Calls:
    """Return generated calls, numbered from 1, without ports and causes."""
    count = len(start_us)
    return Calls(
        start_us=start_us,
        duration_us=duration_us,
        nas=nas,
        port=np.full(count, -1, dtype=np.int32),
        user=user,
        cause=np.zeros(count, dtype=np.uint8),
        line=np.arange(1, count + 1, dtype=np.int64),
        nas_names=nas_names,
    )


def _coded(words: list[str]) -> tuple[I32, tuple[str, ...]]:
    places: dict[str, int] = {}
    codes = [places.setdefault(word, len(places)) if word else -1 for word in words]
    return np.array(codes, dtype=np.int32), tuple(places)
