"""The client's own probes out of a table: an instant and whether it was answered. Judges nothing."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

import msgspec

from simbench.contract.typed import shown
from simbench.errors import BadInput
from simbench.imports.tables import Aside, Columns, read_rows, refused
from simbench.imports.times import NoZone, instant_of
from simbench.verdict.probes import ANSWERED, LOST

COLUMNS = ("at", "ok")
YES, NO = ("true", "yes", "1", "ok", "a", "oui"), ("false", "no", "0", "lost", "n", "non", "timeout")


class Probed(msgspec.Struct, frozen=True):
    """Probes by time: instants (us) and whether each was answered."""

    probes: tuple[tuple[int, bool], ...] = ()
    aside: tuple[Aside, ...] = ()
    rows: int = 0

    def asked(self) -> list[tuple[object, ...]]:
        """Rows for the table `asked`."""
        return [(at, ANSWERED if ok else LOST, "", "", "", "", "", "", True, "{}") for at, ok in self.probes]


def read_probes(path: Path, mapping: Columns, zone: tzinfo | None = None) -> Probed:
    """Read a CSV or Parquet file with columns `at` and `ok`; rows set aside and BadInput as `read_outages`."""
    found: list[tuple[int, bool]] = []
    aside: list[Aside] = []
    rows = 0
    for row in read_rows(path, mapping, COLUMNS):
        rows += 1
        try:
            if isinstance(row, Aside):
                aside.append(row)
                continue
            word = str(row.cells.get("ok", "")).lower()
            if word not in {*YES, *NO}:
                raise BadInput("ok", f"is {shown(word)}", "true or false")
            at = instant_of(row.cells.get("at", ""), zone, "at", mapping.time)
            found.append((at, word in YES))
        except NoZone as problem:
            raise BadInput(f"{path}: line {row.line}", problem.problem, problem.expected) from None
        except BadInput as problem:
            aside.append(Aside(row.line, str(problem)))
    if aside and not found:
        raise refused(aside, path)
    return Probed(tuple(sorted(found)), tuple(aside), rows)
