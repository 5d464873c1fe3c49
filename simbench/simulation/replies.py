"""Replies of subscribers: whether and when each recipient replies, with the same draws in both engines."""

from __future__ import annotations

from simbench.base.units import MINUTE_US
from simbench.kernels.chance import draw_with, entity_of, key_of, lognormal_table, quantile
from simbench.simulation.plan import World

SIGMA = 1.2
ANSWERS, AFTER = entity_of("reply"), entity_of("reply", "after")
QUANTILES = 1024


class ReplyLaw:
    """The distribution of one code: `bound` in 2^32 recipients reply, after a time drawn from `table_us`."""

    def __init__(self, world: World, code: str) -> None:
        config = next((each for each in world.scenario.replies if each.code == code), None)
        seed = world.scenario.seed
        self.bound = round(config.share * (1 << 32)) if config else 0
        self.table_us = lognormal_table(round(config.median_min * MINUTE_US), SIGMA, QUANTILES) if config else (0,)
        self.answers_key, self.after_key = key_of(seed, ANSWERS), key_of(seed, AFTER)

    def answered_at(self, entity: int, delivered_at: int) -> int:
        """Return when the subscriber replies, 0 for no reply."""
        if draw_with(self.answers_key, entity) >> 32 >= self.bound:
            return 0
        return delivered_at + quantile(self.table_us, draw_with(self.after_key, entity))
