"""Stores the indexed messages in leaves of columns; full leaves are files.

A leaf in a file uses neither memory nor a descriptor while nobody searches.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simbench.base.errors import SimbenchError
from simbench.base.outputs import claim, grow, replacing
from simbench.numbering.plan import classify, spellings
from simbench.service.index.index_frames import Ints, buffers

OUTCOMES: Final = ("pending", "accepted", "refused", "buffered", "delivered", "undelivered", "deleted")
STATUS: Final = np.dtype([("outcome", "u1"), ("ec", "u1"), ("scts", "u4")])  # scts: seconds since the epoch, 0: none
Statuses = npt.NDArray[Any]
SCHEMA: Final = pa.schema(
    [("at", pa.int64()), ("session", pa.int32()), ("code", pa.string()), ("recipient", pa.string()),
     ("folded", pa.string()), ("frame", pa.binary())]
)  # fmt: skip
YOUNG: Final = 4_096  # new messages join the youngest leaf up to this size
FULL: Final = 65_536  # messages of a leaf stored in a file
WINDOW: Final = 200_000  # octets searched without a break
FEW: Final = 200  # messages searched one by one


class Query(msgspec.Struct, frozen=True):
    """A search; "" matches anything. `text` may occur anywhere in the message, in either case.

    `below` excludes messages with this number or higher, i.e. those that came since an earlier search.
    """

    recipient: str = ""
    code: str = ""
    text: str = ""
    outcome: str = ""
    limit: int = 50
    offset: int = 0
    below: int = 1 << 62


class Leaf:
    """Consecutive messages, the first with number `first`; in memory, or in files named `path`."""

    def __init__(self, first: int, rows: pa.RecordBatch, statuses: Statuses) -> None:
        self.first, self.count = first, rows.num_rows
        self._rows: pa.RecordBatch | None = rows
        self._statuses: Statuses | None = statuses
        self._path = Path()

    def store(self, path: Path) -> None:
        """Move the leaf to files."""
        with replacing(path) as part, pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
            writer.write_batch(self._rows)
        assert self._statuses is not None
        grow(path.with_suffix(".statuses"))
        self._statuses.tofile(path.with_suffix(".statuses"))
        self._path, self._rows, self._statuses = path, None, None

    @contextmanager
    def opened(self) -> Iterator[tuple[pa.RecordBatch, Statuses]]:
        """Yield its columns and its statuses; changes to the statuses are stored."""
        if self._rows is not None and self._statuses is not None:
            yield self._rows, self._statuses
            return
        with pa.memory_map(str(self._path)) as source:
            yield pa.ipc.open_file(source).get_batch(0), self.statuses()

    def statuses(self) -> Statuses:
        """Return the outcomes of its messages."""
        if self._statuses is not None:
            return self._statuses
        return np.memmap(self._path.with_suffix(".statuses"), STATUS, "r+")


class Shelf:
    """Every leaf, the oldest first. One thread may add while others search."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._leaves: tuple[Leaf, ...] = ()  # replaced as a whole
        self.count = 0

    def add(self, rows: pa.RecordBatch) -> None:
        """Add messages, with numbers following the last."""
        statuses = np.zeros(rows.num_rows, STATUS)
        leaves = [*self._leaves, Leaf(self.count, rows, statuses)]
        if len(leaves) > 1 and leaves[-2].count + rows.num_rows <= YOUNG:
            leaves[-2:] = [_joined(leaves[-2:])]
        young = next((n for n, leaf in enumerate(leaves) if leaf.count < FULL), len(leaves))
        if sum(leaf.count for leaf in leaves[young:]) >= FULL:
            leaves[young:] = [_joined(leaves[young:])]
            if self._folder is not None:
                with suppress(OSError, SimbenchError):  # a full disk: the leaf stays in memory
                    self._folder.mkdir(exist_ok=True)
                    claim(self._folder)
                    leaves[-1].store(self._folder / f"{leaves[-1].first:012}.arrow")
        self._leaves = tuple(leaves)
        self.count += rows.num_rows

    def note(self, numbers: Ints, **values: Ints | int) -> None:
        """Record the outcomes of messages."""
        if not len(numbers):
            return
        places = np.searchsorted([leaf.first for leaf in self._leaves], numbers, "right") - 1
        for place in np.unique(places).tolist():
            chosen, leaf = places == place, self._leaves[place]
            statuses = leaf.statuses()
            for name, value in values.items():
                statuses[name][numbers[chosen] - leaf.first] = value if isinstance(value, int) else value[chosen]

    def search(self, query: Query) -> list[tuple[bytes, dict[str, Any], Statuses]]:
        """Return frame; number, instant and session; and status of the matching messages, the latest first."""
        found: list[tuple[bytes, dict[str, Any], Statuses]] = []
        skipped = 0
        for leaf in reversed(self._leaves):
            with leaf.opened() as (rows, statuses):
                numbers = matching(query, rows.slice(0, max(0, query.below - leaf.first)), statuses)[::-1]
                left = query.offset - skipped
                skipped += min(left, len(numbers))
                shown = numbers[left : left + query.limit - len(found)].tolist()
                found += [_shown(rows, statuses, number, leaf.first) for number in shown]
            if len(found) >= query.limit:
                break
        return found

    def one(self, number: int) -> tuple[bytes, dict[str, Any], Statuses]:
        """Return one message by its number."""
        leaf = self._leaves[bisect_right(self._leaves, number, key=lambda each: each.first) - 1]
        with leaf.opened() as (rows, statuses):
            return _shown(rows, statuses, number - leaf.first, leaf.first)

    def frames(self, session: int, at: int) -> list[bytes]:
        """Return the submissions that one read ended."""
        for leaf in reversed(self._leaves):
            with leaf.opened() as (rows, _):
                column = rows.column("at").to_numpy()
                here = np.flatnonzero((column == at) & (rows.column("session").to_numpy() == session))
                if len(here):
                    return [rows.column("frame")[number].as_py() for number in here.tolist()]
        return []


def _shown(rows: pa.RecordBatch, statuses: Statuses, number: int, first: int) -> tuple[bytes, dict[str, Any], Statuses]:
    named = {name: rows.column(name)[number].as_py() for name in ("at", "session")} | {"number": first + number}
    return rows.column("frame")[number].as_py(), named, statuses[number].copy()


def _joined(leaves: list[Leaf]) -> Leaf:
    opened = [(leaf._rows, leaf._statuses) for leaf in leaves]  # only leaves in memory are joined
    rows = pa.Table.from_batches([each for each, _ in opened]).combine_chunks().to_batches()[0]
    return Leaf(leaves[0].first, rows, np.concatenate([statuses for _, statuses in opened if statuses is not None]))


def folded(text: str) -> str:
    """Return a text for comparison, in Arrow's lower case, which ignores a letter's position in a word."""
    found: str = pc.utf8_lower(pa.scalar(text)).as_py()
    return found


def matching(query: Query, rows: pa.RecordBatch, statuses: Statuses) -> Ints:
    """Return the positions of matching rows, ascending; cheap columns are compared first."""
    mask = np.ones(rows.num_rows, np.bool_)
    if query.outcome:
        mask &= statuses["outcome"][: rows.num_rows] == OUTCOMES.index(query.outcome)
    if query.code:
        mask &= pc.equal(rows.column("code"), query.code).to_numpy(zero_copy_only=False)
    if query.recipient:
        wanted = [query.recipient, *spellings(classify(query.recipient))]
        mask &= pc.is_in(rows.column("recipient"), pa.array(wanted)).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(mask)
    return _having(folded(query.text), rows.column("folded"), places) if query.text and len(places) else places


def _having(wanted: str, column: pa.StringArray, places: Ints) -> Ints:
    """Return the positions whose text contains it."""
    if len(places) <= FEW:
        return np.array([place for place in places.tolist() if wanted in column[place].as_py()], np.int64)
    data, offsets = buffers(column)
    looked_for = wanted.encode()
    hits = _hits(data.tobytes(), looked_for)  # tens of times faster than comparing text by text
    begins = np.array(hits, np.int64)
    which = np.searchsorted(offsets, begins, "right") - 1
    has = np.zeros(len(column), np.bool_)
    has[which[begins + len(looked_for) <= offsets[which + 1]]] = True  # not across the border of two texts
    return places[has[places]]


def _hits(whole: bytes, wanted: bytes) -> list[int]:
    """Return every position of `wanted`, searching in windows between which the loop can take the interpreter."""
    hits: list[int] = []
    for begin in range(0, len(whole), WINDOW):
        end = begin + WINDOW + len(wanted) - 1
        at = whole.find(wanted, begin, end)
        while at >= 0:
            hits.append(at)
            at = whole.find(wanted, at + 1, end)
    return hits
