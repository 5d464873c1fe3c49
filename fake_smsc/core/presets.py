"""Presets of a subscriber base: absences, unknown numbers and delivery failures. Figures: `presets.toml`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from fake_smsc.core.delivery import Failure
from simbench.base.units import DAY_US, MINUTE_US
from simbench.kernels.chance import lognormal_table
from simbench.kernels.presence import LONGEST_US, SLOT_US
from simbench.numbering.subscribers import AbsenceDistribution


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One preset: absences per subscriber and day, the share of afternoon absences that last until the morning,
    and the length distribution of the others."""

    absence_per_day: float
    until_morning_share: float
    median_min: float
    sigma: float
    unknown_share: float
    failures: tuple[Failure, ...] = ()

    def law(self, waves: tuple[tuple[int, int], ...] = ()) -> AbsenceDistribution:
        """Return the absence distribution. `waves`: instants of portings and their shares in millionths."""
        begins = round(self.absence_per_day * SLOT_US / DAY_US * (1 << 16))
        lengths = lognormal_table(round(self.median_min * MINUTE_US), self.sigma)
        chances = begins, round(self.until_morning_share * (1 << 8))
        return AbsenceDistribution(chances, tuple(min(length, LONGEST_US) for length in lengths), waves)


PRESETS = msgspec.toml.decode(Path(__file__).with_name("presets.toml").read_bytes(), type=dict[str, Preset])
