"""How much of a table of a running ledger one request may take: rows, and octets, as a row may be long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from simbench.ledger import AnyLedger

if TYPE_CHECKING:
    import pyarrow as pa

PIECE_ROWS: Final = (100, 20_000)  # read at once, so that few long rows or many short ones are
PIECE_OCTETS: Final = 2_000_000


def next_piece(rows: int, octets: int, piece_octets: int = PIECE_OCTETS) -> int:
    """Return the number of rows of the next piece, after so many rows with so many octets; the fewest after none."""
    return min(max(piece_octets * rows // max(octets, 1), PIECE_ROWS[0]), PIECE_ROWS[1])


def latest(ledger: AnyLedger, table: str, column: str, rows: int, octets: int) -> int:
    """Return the first of the latest rows of which there are at most `rows`, with at most `octets` in a column."""
    first = ledger.written[table]
    floor, left, piece = max(0, first - rows), octets, PIECE_ROWS[0]
    while first > floor:
        piece = min(piece, first - floor)
        found = ledger.tail(table, first - piece, [column], piece)
        left -= found.nbytes
        if left < 0:
            break
        first, piece = first - piece, next_piece(piece, found.nbytes)
    return first


def following(ledger: AnyLedger, table: str, first: int, names: Sequence[str], most: tuple[int, int]) -> pa.Table:
    """Return rows from `first` on, at most so many, and no more once they have so many octets."""
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

    rows, octets = most
    pieces, piece = [ledger.tail(table, first, names, PIECE_ROWS[0])], PIECE_ROWS[0]
    while pieces[-1].num_rows == piece and (rows := rows - piece) > 0 and (octets := octets - pieces[-1].nbytes) > 0:
        first, piece = first + piece, min(next_piece(piece, pieces[-1].nbytes), rows)
        pieces.append(ledger.tail(table, first, names, piece))
    return pa.concat_tables(pieces)
