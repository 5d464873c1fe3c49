"""The client's own probes from a table: the instant of each and whether it was answered.

`at` is the time of the probe. `ok` is true if the probe was answered; "A" and "N", "lost" and "timeout" are accepted as
well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Final

import msgspec

from simbench.ledger.stimuli import Probe, StimulusRow, stimulus_row
from simbench.tables.cells import NO, YES, truth_of
from simbench.tables.columns import Columns
from simbench.tables.frames import Frame
from simbench.tables.instants import moment_of
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Row, collect, filled

KINDS: Final[Mapping[str, Kind]] = {"at": "instant", "ok": "truth"}
COLUMNS = tuple(KINDS)
OK, NOT_OK = YES | {"a"}, NO | {"lost", "timeout"}  # A and N are UCP's letters


class Probed(msgspec.Struct, frozen=True):
    """Probes by time: instants (us) and whether each was answered."""

    probes: tuple[tuple[int, bool], ...] = ()
    notes: tuple[RejectedRow, ...] = ()
    rows: int = 0

    def stimuli(self) -> list[StimulusRow]:
        """Rows for the table `stimuli`."""
        rest = {ok: stimulus_row(Probe(0, ok))[1:] for ok in (True, False)}
        return [(at, *rest[ok]) for at, ok in self.probes]


def read_probes(path: Path | Frame, mapping: Columns, zone: tzinfo | None = None) -> Probed:
    """Read a table with columns `at` and `ok`; rejected rows and BadInput as in `read_outages`.

    In the hour that the clocks repeat, a probe that would go back in time belongs to the second hour.
    """
    last = 0

    def probe(row: Row) -> tuple[int, bool]:
        nonlocal last
        filled(row, *COLUMNS)
        answered = truth_of(row.cells["ok"], "ok", OK, NOT_OK)
        moment = moment_of(row.cells["at"], zone, "at", mapping.time)
        last = moment.second if moment.first < last <= moment.second else moment.first
        return last, answered

    read = collect(read_table(path, KINDS, mapping, COLUMNS), probe)
    return Probed(tuple(sorted(one for _, one in read.items)), read.notes, read.rows)
