"""Trace: a ledger as the rules read it, with frames and rows of its wire, its events, and requests to the client.

It shares the frame parser with the SMSC, but keeps its own account of sessions and results.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping
from functools import cached_property
from heapq import heappop, heappush
from typing import Final, NamedTuple

import numpy as np

from simbench.base.units import NEVER
from simbench.ledger.capture_events import ConnectionAttempted
from simbench.ledger.events import At, LimitSet, MaintenanceBegan, OutageBegan, Restored, events_in
from simbench.ledger.pieces import Extent, extent_of, pieces_of
from simbench.ledger.reader import Run
from simbench.ledger.stimuli import Reported, Request, Stimulus, Unrequested, stimuli_in
from simbench.trace.lazy import Spelt
from simbench.trace.messages import messages_of_mo, messages_of_submits
from simbench.trace.rows import (
    Alerts,
    Attempt,
    Attempts,
    Frames,
    FrameSeen,
    Late,
    Lateness,
    Messages,
    Mos,
    Notifications,
    Sessions,
    Submit,
    Submits,
)
from simbench.trace.timing_error import ended_at, of_a_capture, stretches
from simbench.trace.view import Bools, Ints
from simbench.trace.wire import WAYS, WIRE, Wire
from simbench.trace.wire_views import (
    Numbered,
    frames_of,
    notifications_of,
    numbers_of,
    recipients_of,
    submits_of,
)

_AT_ONCE: Final = 1 << 20
LATE = ("started", "ended", "size_us", "place")


class Limit(NamedTuple):
    """The rate limit of a code (operations a second) from an instant on, and what its meter does above it."""

    since: int
    rate: int
    mode: str


class Outage(NamedTuple):
    """An outage from `start` to `end`; `scope` is "total", a code or a session, `mode` the kind of outage."""

    start: int
    end: int
    scope: str
    mode: str


class Trace:
    """All that rules on the client read from a run: its wire, events, stimuli, and the bench's timing error."""

    def __init__(self, run: Run, tokens: Mapping[int, str] | None = None, ended: int = 0) -> None:
        """`tokens`: tokens of submits whose texts contain none, by number in order of arrival.

        `ended`: the end of observation (us), if it is later than the last row.
        """
        self.run, self._tokens, self._ended = run, tokens or {}, ended

    def with_tokens(self, tokens: Mapping[int, str]) -> Trace:
        """Return the trace with tokens found elsewhere; the wire is not read again."""
        twin = Trace(self.run, tokens, self._ended)
        vars(twin)["_wire"] = self._wire
        return twin

    # Records other than the wire -------------------------------------------------------------------------------

    @cached_property
    def events(self) -> list[At]:
        """Events of the bench and of a capture, in order."""
        return events_in(self.run.events)

    @cached_property
    def stimuli(self) -> list[Stimulus]:
        """Requests to the client and its reports, in order."""
        return stimuli_in(self.run.stimuli)

    @cached_property
    def requests(self) -> list[Request]:
        """Requests to send a message, in order."""
        return [one for one in self.stimuli if isinstance(one, Request)]

    @cached_property
    def unrequested(self) -> list[Unrequested]:
        """Messages on the wire without a known request, if requests were given with the record."""
        return [one for one in self.stimuli if isinstance(one, Unrequested)]

    @cached_property
    def reports(self) -> list[Reported]:
        """The client's reports, in order."""
        return [one for one in self.stimuli if isinstance(one, Reported)]

    @cached_property
    def timing_error(self) -> list[Late]:
        """Intervals in which the bench itself was late."""
        table = self.run.timing_error
        return [Late(*row) for row in zip(*(table[name].to_pylist() for name in LATE), strict=True)]

    @cached_property
    def limits(self) -> dict[str, list[Limit]]:
        """The limits of each short code, oldest first."""
        limits: dict[str, list[Limit]] = {}
        for at, event in self.events:
            if isinstance(event, LimitSet):
                limits.setdefault(event.code, []).append(Limit(at, event.rate_per_s, event.mode))
        return limits

    @cached_property
    def outages(self) -> list[Outage]:
        """Outages by start; an outage that has not ended ends at the last instant of the run."""
        open_since: dict[str, tuple[int, str]] = {}
        found = []
        for at, event in self.events:
            match event:
                case OutageBegan() | MaintenanceBegan():
                    open_since[event.subject] = (at, event.mode)
                case Restored() if event.subject in open_since:
                    start, mode = open_since.pop(event.subject)
                    found.append(Outage(start, at, event.subject, mode))
        last = self.span[1]
        found += [Outage(start, last, scope, mode) for scope, (start, mode) in open_since.items()]
        return sorted(found)

    @cached_property
    def span(self) -> tuple[int, int]:
        """First and last instant of the run, including its end by the clock; (0, 0) for an empty run."""
        filled = [table for table in (self.run.events, self.run.stimuli) if table.num_rows]
        instants = [table["at"][place].as_py() for table in filled for place in (0, -1)]
        if self._extent.rows:
            instants += [self._extent.first, self._extent.last]
        if not instants:
            return 0, 0
        first, last = min(instants), max(instants)
        return first, max(last, self._ended, ended_at(self.run.info, first, self.events))

    def largest_timing_error(self, start: int, end: int) -> int:
        """Return the largest timing error (us) in an interval."""
        since, largest = self._late
        first, beyond = bisect_right(since, start) - 1, bisect_right(since, end)
        level = (beyond - first).bit_length() - 1
        return max(largest[level][first], largest[level][beyond - (1 << level)])

    def largest_timing_errors(self, starts: Ints, ends: Ints) -> Ints:
        """Return the largest timing error (us) in each of many intervals."""
        since, levels = (np.array(self._late[0], np.int64), [np.array(each, np.int64) for each in self._late[1]])
        found = np.zeros(len(starts), np.int64)
        for at in range(0, len(starts), _AT_ONCE):
            first = np.searchsorted(since, starts[at : at + _AT_ONCE], "right") - 1
            beyond = np.searchsorted(since, ends[at : at + _AT_ONCE], "right")
            width = np.frexp(beyond - first)[1] - 1
            piece = found[at : at + _AT_ONCE]
            for level in np.unique(width).tolist():
                chosen = np.flatnonzero(width == level)
                left, right = levels[level][first[chosen]], levels[level][beyond[chosen] - (1 << level)]
                piece[chosen] = np.maximum(left, right)
        return found

    @cached_property
    def _late(self) -> tuple[list[int], list[list[int]]]:
        """Instants, and the largest timing error from each to the next; level n has the maximum of 2^n of them."""
        late = deque(sorted((row.started, row.ended, row.size_us) for row in self._stretches.rows()))
        since, largest, open_ = [-NEVER], [0], list[tuple[int, int]]()  # a heap of -size and end
        for at in sorted({at for started, ended, _ in tuple(late) for at in (started, ended + 1)}):
            while late and late[0][0] == at:
                _, ended, size_us = late.popleft()
                heappush(open_, (-size_us, ended))
            while open_ and open_[0][1] < at:
                heappop(open_)
            since.append(at)
            largest.append(-open_[0][0] if open_ else 0)
        levels = [largest]
        while len(levels[-1]) > 1 << (len(levels) - 1):
            width = 1 << (len(levels) - 1)
            levels.append([max(pair) for pair in zip(levels[-1], levels[-1][width:], strict=False)])
        return since, levels

    @cached_property
    def _stretches(self) -> Lateness:
        return stretches(self.timing_error, of_a_capture(self.events, self.span))

    @property
    def has_wire(self) -> bool:
        """Whether the run has a record of connections."""
        return self._extent.rows > 0

    # The wire --------------------------------------------------------------------------------------------------

    @cached_property
    def submits(self) -> Submits:
        """Operations 51 in order of arrival, each with its result."""
        return submits_of(self._wire, self._code, self._tokens)

    @cached_property
    def messages(self) -> Messages:
        """Messages as their recipients read them, each of one or more submits."""
        return messages_of_submits(self.submits.rows())

    @cached_property
    def notifications(self) -> Notifications:
        """Notifications (53), each with the client's result."""
        return notifications_of(self._wire)

    @cached_property
    def mo(self) -> Mos:
        """Mobile-originated messages (52), each with the client's result."""
        return Mos(self._wire.mo)

    @cached_property
    def replies(self) -> Messages:
        """Mobile-originated messages, each of one or more 52s."""
        return messages_of_mo(self.mo.rows())

    @cached_property
    def alerts(self) -> Alerts:
        """Operations 31 of the client, each with its result."""
        return Alerts(self._wire.alerts)

    @cached_property
    def frames(self) -> Frames:
        """Every frame, and octets outside frames.

        A long record is read a second time for this, and takes much memory.
        """
        return frames_of(self._wire if self._wire.whole else self._read(whole=True))

    @cached_property
    def other_frames(self) -> Frames:
        """Frames with a problem, frames other than plain submits, notifications or their results, and perhaps more."""
        return frames_of(self._wire)

    def frames_seen(self, direction: str) -> int:
        """Return the number of frames, and of pieces outside frames, in a direction."""
        return int(self._wire.heard[WAYS.index(direction)])

    def silence(self, session: int) -> tuple[int, int, int]:
        """Return the longest time (us) between frames of the client on a session, its start, and the last (or -1)."""
        return self._wire.silence(session)

    def numbers(self) -> Numbered:
        """Return the client's operations except logins, in order."""
        return numbers_of(self._wire)

    def operations_at(self, orders: Iterable[int]) -> list[FrameSeen | Submit]:
        """Return the client's operations with these numbers among all frames."""
        found: list[FrameSeen | Submit] = []
        for order in orders:
            for store, view in ((self._wire.frames, self.other_frames), (self._wire.submits, self.submits)):
                place = int(np.searchsorted(store.column("order"), order))
                if place < store.count and store.column("order")[place] == order:
                    found.append(view.rows()[place])
                    break
        return found

    @cached_property
    def sessions(self) -> Sessions:
        """Connections in order of opening."""
        return Sessions(line.session for line in self._wire.lines.values())

    @cached_property
    def attempts(self) -> Attempts:
        """Connection attempts in order."""
        rows = [Attempt(row.opened_at, row.peer, "session") for row in self.sessions.rows() if row.opened_at >= 0]
        for at, event in self.events:
            if isinstance(event, ConnectionAttempted):
                rows.append(Attempt(at, event.client, event.outcome))
        return Attempts(sorted(rows, key=lambda row: (row.at, row.peer, row.outcome)))

    def code_of(self, account: str) -> str:
        """Return the first short code of an account, "" if no event names one."""
        return next((code for code, owner in self._owners.items() if owner == account), "")

    @cached_property
    def words(self) -> Ints:
        """A hash of the text of each submit; 0 if a text has several encodings. Collisions have probability 2^-62."""
        found: Ints = self._wire.submits.column("word")
        return found

    @cached_property
    def recipients(self) -> Spelt:
        """Recipients of the submits, for rules that compare millions of them."""
        return recipients_of(self._wire)

    @cached_property
    def common(self) -> Bools:
        """Which submits fill only the usual fields: addresses, notification, validity and text."""
        return self._wire.submits.flags("common")

    @cached_property
    def lower_case(self) -> Bools:
        """Which of `other_frames` may contain lower-case letters a to f: all that do, and perhaps others."""
        return self._wire.frames.flags("lower")

    def _code(self, oadc: str, account: str) -> str:
        return oadc if oadc in self.limits else self.code_of(account) or oadc

    @cached_property
    def _owners(self) -> dict[str, str]:
        limits = (event for _, event in self.events if isinstance(event, LimitSet))
        return {event.code: event.account for event in limits if event.account}

    @cached_property
    def _wire(self) -> Wire:
        return self._read()

    def _read(self, *, whole: bool = False) -> Wire:
        wire = Wire(rows=self._extent.rows, whole=whole)
        wire.read(pieces_of(self.run, "wire", WIRE), self.span[1])
        return wire

    @cached_property
    def _extent(self) -> Extent:
        return extent_of(self.run, "wire")
