"""The outcomes of accepted messages: decisions of the centre identify a message by recipient and time stamp."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.service.message_rows import Ints

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio: spreads recipients over all keys


class OnTheWay:
    """Accepted messages without a final outcome, 16 octets each."""

    def __init__(self, times: UcpTimes) -> None:
        self._times = times
        self._keys, self._numbers = np.zeros(0, np.uint64), np.zeros(0, np.int64)
        self._news: list[tuple[npt.NDArray[np.uint64], Ints]] = []
        self._early = (np.zeros(0, np.uint64), np.zeros(0, np.int64))

    def add(self, recipients: Ints, stamps: Ints, numbers: Ints) -> Ints:
        """Add messages by recipient and time stamp (DDMMYYHHmmss as a number); return its seconds, 0 for none."""
        spelt, which = np.unique(stamps, return_inverse=True)
        meant = [self._times.seconds_of(f"{stamp:012}") if stamp >= 0 else () for stamp in spelt.tolist()]
        seconds = np.array([(each or (0,))[0] for each in meant], np.int64)[which]
        self._news.append((_mixed(recipients, seconds), numbers))
        for place, (_, *others) in enumerate(each or (0,) for each in meant):
            for other in others:  # in the hour repeated in autumn, the stamp may mean either second
                same = which == place
                self._news.append((_mixed(recipients[same], np.full(int(same.sum()), other)), numbers[same]))
        return seconds

    def settle(self, recipients: Ints, seconds: Ints, statuses: Ints) -> tuple[Ints, Ints]:
        """Return the numbers of messages and the outcome of each; any outcome but 0 is final.

        Outcomes that match no message are tried once more, because the result may be written a moment later.
        """
        wanted = np.concatenate([self._early[0], _mixed(recipients, seconds)])
        statuses = np.concatenate([self._early[1], statuses])
        self._merge()
        places = np.searchsorted(self._keys, wanted)
        places[places == len(self._keys)] = 0
        known = self._keys[places] == wanted if len(self._keys) else np.zeros(len(wanted), np.bool_)
        fresh = ~known & (np.arange(len(wanted)) >= len(self._early[0]))
        self._early = (wanted[fresh], statuses[fresh])
        numbers = self._numbers[places[known]]
        kept = np.ones(len(self._keys), np.bool_)
        kept[places[known & (statuses > 0)]] = False
        self._keys, self._numbers = self._keys[kept], self._numbers[kept]
        return numbers, statuses[known]

    def _merge(self) -> None:
        if not self._news:
            return
        keys = np.concatenate([self._keys, *(each for each, _ in self._news)])
        numbers = np.concatenate([self._numbers, *(each for _, each in self._news)])
        self._news.clear()
        order = np.argsort(keys, kind="stable")
        self._keys, self._numbers = keys[order], numbers[order]


def _mixed(recipients: Ints, seconds: Ints) -> npt.NDArray[np.uint64]:
    return recipients.astype(np.uint64) * _MIX + seconds.astype(np.uint64)


def numbers(column: pa.ChunkedArray) -> Ints:
    """Return digits as integers; -1 for anything else."""
    plain = pc.and_(pc.utf8_is_digit(column), pc.less_equal(pc.binary_length(column), 18))
    found: Ints = pc.if_else(plain, column, "-1").cast(pa.int64()).to_numpy()
    return found
