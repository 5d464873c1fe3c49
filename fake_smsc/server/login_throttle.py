"""Throttles password guessing: too many failures block logins for a minute, by address block and account."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

MINUTE_S: Final = 60.0
REMEMBERED: Final = 10_000  # keys; beyond this the one with the oldest last failure is dropped
BLOCK_4: Final = 24  # bits of an address that one owner of many addresses shares
BLOCK_6: Final = 48


class LoginThrottle:
    """At most `most_per_min` failures in any minute from one block of addresses, and as many for one account.

    0: no limit. A block that has logged in to an account is not refused because of others' failures at that account.
    `clock`: seconds of real time.
    """

    def __init__(self, most_per_min: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_per_min, self._clock = most_per_min, clock
        self._failed: dict[tuple[str, str], deque[float]] = {}  # the latest failures, oldest first
        self._known: dict[tuple[str, str], None] = {}  # blocks and accounts that logged in

    def failed(self, address: str, account: str = "") -> None:
        """Count a failure; `account` "" is one that does not exist."""
        if not self.most_per_min:
            return
        for key in _keys(address, account):
            failures = self._failed.pop(key, None) or deque(maxlen=self.most_per_min)
            failures.append(self._clock())
            _remember(self._failed, key, failures)

    def succeeded(self, address: str, account: str) -> None:
        """Record a block from which an account logs in."""
        if self.most_per_min:
            _remember(self._known, (block_of(address), account), None)

    def refuses(self, address: str, account: str = "") -> bool:
        """Tell whether a login from this address, to this account, is refused at present."""
        if not self.most_per_min:
            return False
        if (block_of(address), account) in self._known:
            account = ""
        return any(self._is_full(key) for key in _keys(address, account))

    def _is_full(self, key: tuple[str, str]) -> bool:
        failures = self._failed.get(key)
        if failures is None or len(failures) < self.most_per_min:
            return False
        return self._clock() - failures[0] <= MINUTE_S


def _remember(table: dict[tuple[str, str], Any], key: tuple[str, str], value: object) -> None:
    table.pop(key, None)
    table[key] = value  # the most recent goes last
    if len(table) > REMEMBERED:
        del table[next(iter(table))]


def _keys(address: str, account: str) -> list[tuple[str, str]]:
    block = ("block", block_of(address))
    return [block, ("account", account)] if account else [block]


@lru_cache(maxsize=4096)
def block_of(address: str) -> str:
    """Return the block of an address, /24 or /48; any other text is returned unchanged."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return str(ip_network((found, BLOCK_4 if found.version == 4 else BLOCK_6), strict=False))
