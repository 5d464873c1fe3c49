"""The plain submits of one read, by the run: read by one pattern, admitted together, answered in one piece.

It exists for speed alone. A run is submits on end that differ in TRN, recipient and text only, each of the form that
`submission.COMMON` admits, sound to the last octet; whatever else the read brought goes to the gateway frame by frame,
in its order, and so does a submit of a run that the centre does not simply accept. A test holds the two ways against
one another, octet by octet and row by row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import groupby, repeat
from typing import Final, cast
from zlib import adler32

import msgspec

from simbench.centre.batch import Batch, Taken
from simbench.gateway.carrier import ENDS, Carrier
from simbench.gateway.line import Line
from simbench.gateway.submission import COMMON_FIELDS, DEFAULT_NOTIFICATION, Submission
from simbench.gateway.times import minute, shortened_text, stamp
from simbench.ucp.fields import At
from simbench.ucp.frame import ASCII_AT_ONCE, ETX, encode

WORTH_OCTETS: Final = 600  # some four submits: less is not worth the preparation
EMPTY: Final = 24  # characters of a result that LEN counts beside its middle and the recipient

# A whole frame up to its ETX: a submit in groups, or in the last group anything. Looser than COMMON_FIELDS where that
# costs time; the rest of it is looked at once a run (`_asked`) or in columns.
_LOOSE: Final = {At.ADC: "([0-9]{1,16})/(", At.VP: "[0-9]{0,10}", At.MT: "3", At.MSG: "([0-9A-F]{0,318})"}
_SHAPE: Final = "".join(
    _LOOSE.get(at, COMMON_FIELDS.get(at, "")) + ("" if at == At.ADC else "/)" if at == At.MT else "/")
    for at in range(At.RES5 + 1)
)
_TOKENS: Final = re.compile("\x02([0-9]{2})/([0-9]{5})/O/51/" + _SHAPE + "([0-9A-F]{2})\x03|([^\x03]*)\x03")
_ASKED: Final = re.compile("".join(f"({COMMON_FIELDS.get(at, '')})/" for at in range(At.OADC, At.MT + 1)))
_LENGTHS: Final = [f"{max(size - 1, 0):05d}" for size in range(ASCII_AT_ONCE + 1)]  # LEN, by octets without ETX
# What the octets of a frame without ETX sum to, modulo 256, when this is its checksum.
_SUMS: Final = {f"{total:02X}": (total + sum(b"\x02%02X" % total)) & 0xFF for total in range(256)}
_ZEROS: Final = repeat(0)
_BARE: Final = {encode(trn, "R", "53", "A///")[:-1]: f"{trn:02d}" for trn in range(100)}  # their TRN by their octets


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What the submits of a run have in common."""

    oadc: str
    notify: int
    expires_at: int


class Columns(msgspec.Struct, frozen=True, gc=False):
    """The whole frames of a read, in columns; of one that is no plain submit all but its octets are empty."""

    pieces: list[bytes]  # without ETX
    trns: tuple[str, ...]
    lengths: tuple[str, ...]
    recipients: tuple[str, ...]
    shared: tuple[str, ...]  # OAdC to MT as they stand
    texts: tuple[str, ...]
    checks: tuple[str, ...]

    def are_sound(self, run: slice) -> bool:
        """Whether LEN and checksum of plain submits are right, and their texts whole octets."""
        pieces = self.pieces[run]
        return (
            tuple(map(_LENGTHS.__getitem__, map(len, pieces))) == self.lengths[run]
            and [total & 0xFF for total in map(adler32, pieces, _ZEROS)] == [*map(_SUMS.get, self.checks[run])]
            and not any(size & 1 for size in map(len, self.texts[run]))
        )

    def octets(self, run: slice) -> bytes:
        """The frames as they came."""
        return ETX.join([*self.pieces[run], b""])


class PlainRuns:
    """The runs of all lines of a gateway; `single` serves octets of a line frame by frame."""

    def __init__(self, submission: Submission, carrier: Carrier, single: Callable[[Line, bytes, int], None]) -> None:
        self._carrier = carrier
        self._single, self._out = single, submission.out
        self._admit = submission.centre.batches.submit

    def received(self, line: Line, octets: bytes, now: int) -> None:
        """Serve all that a read completes."""
        pieces = (line.framer.release() + octets).split(ETX)
        rest = pieces.pop()
        if pieces:
            tokens = _TOKENS.findall(ETX.join([*pieces, b""]).decode("latin-1"))
            columns = Columns(pieces, *list(zip(*tokens, strict=True))[:-1])
            for start, end in _runs(columns.shared):
                serve = self._run if columns.shared[start] else self._acknowledgements
                reached = serve(line, columns, start, end, now)
                if reached < end:
                    self._single(line, columns.octets(slice(reached, end)), now)
        if rest:
            self._single(line, rest, now)

    def _run(self, line: Line, columns: Columns, start: int, end: int, now: int) -> int:
        """Serve a run as far as it goes that way; where it no longer does."""
        asked, session = _asked(columns.shared[start]), line.session
        if asked is None or not columns.are_sound(slice(start, end)):
            return start
        tried = -1
        while start < end and session.state == "open" and not session.peer.outstanding:
            batch = Batch(
                line.number, line.account, asked.oadc, asked.notify, asked.expires_at,
                list(columns.recipients[start:end]), list(columns.texts[start:end]),
            )  # fmt: skip
            taken = self._admit(batch, now)
            if not taken.stamps and tried == start:  # neither the last one nor this one was simply accepted
                return start
            if taken.stamps:
                done = start + len(taken.stamps)
                self._out.write(line, _results(columns.trns[start:done], batch.recipients, taken))
                start = done
            if start < end:
                self._single(line, columns.octets(slice(start, start + 1)), now)
                tried = start = start + 1
        return start

    def _acknowledgements(self, line: Line, columns: Columns, start: int, end: int, now: int) -> int:
        """Serve a run that is nothing but bare acknowledgements of notifications; where it no longer does."""
        trns = [*map(_BARE.get, columns.pieces[start:end])]
        if None in trns or not self._carrier.takes_bare:
            return start
        self._carrier.acknowledged(line, cast(list[str], trns), now)
        return end


def _runs(shared: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where runs of the same begin and end."""
    start = 0
    if shared.count(shared[0]) == len(shared):
        yield 0, len(shared)
        return
    for _, run in groupby(shared):
        end = start + sum(1 for _ in run)
        yield start, end
        start = end


@lru_cache(maxsize=4096)
def _asked(shared: str) -> Asked | None:
    """What a run has in common, None when it is of no common form after all."""
    found = _ASKED.fullmatch(shared)
    if found is None:
        return None
    oadc, asks, kinds, validity = (found[at - At.OADC + 1] for at in (At.OADC, At.NRQ, At.NT, At.VP))
    notify = int(kinds or "0") or DEFAULT_NOTIFICATION if asks == "1" else 0
    return Asked(oadc, notify, minute(validity) if validity else 0)


def _results(trns: tuple[str, ...], recipients: list[str], taken: Taken) -> bytes:
    """The positive results of a run: each as `times.result_with_mvp` has it, with its stamp."""
    middle = f"/R/51/A/{shortened_text(taken.shortened_to)}/"
    heads = [f"/{size + len(middle) + EMPTY:05d}{middle}" for size in range(17)]  # by the recipient's length
    bodies = [
        f"\x02{trn}{heads[len(recipient)]}{recipient}:{text}/"
        for trn, recipient, text in zip(trns, recipients, map(stamp, taken.stamps), strict=False)
    ]
    totals = map(adler32, map(str.encode, bodies), _ZEROS)
    return "".join([body + ENDS[total - 2 & 0xFF] for body, total in zip(bodies, totals, strict=True)]).encode()
