"""Settings under which all tests of the service run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from fake_smsc.server import login_throttle
from simbench.service import search_kernels


@pytest.fixture(scope="session", autouse=True)
def _no_kernels_beside_tests() -> Iterator[None]:
    """No search loads kernels in a thread, which would go on beside later tests; tests of kernels load them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search_kernels.KERNELS, "ready", lambda *_: False)
        yield


@pytest.fixture(autouse=True)
def _no_minute_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong tokens of a test count until its end, however long it takes."""
    monkeypatch.setattr(login_throttle, "MINUTE_S", math.inf)
