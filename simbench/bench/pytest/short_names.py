"""The fixtures under short names, registered if the ini file enables them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simbench.bench.pytest.fixtures import Client, Clock, Smsc
    from simbench.trace.trace import Trace


@pytest.fixture
def smsc(simbench_smsc: Smsc) -> Smsc:
    """See simbench_smsc."""
    return simbench_smsc


@pytest.fixture
def sut(simbench_sut: Client) -> Client:
    """See simbench_sut."""
    return simbench_sut


@pytest.fixture
def ledger(simbench_ledger: Callable[[], Trace]) -> Callable[[], Trace]:
    """See simbench_ledger."""
    return simbench_ledger


@pytest.fixture
def clock(simbench_clock: Clock) -> Clock:
    """See simbench_clock."""
    return simbench_clock
