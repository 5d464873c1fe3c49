"""A complete fake SMSC: core, UCP gateway, asyncio server, wire faults and a compiled fast path. PYTEST_DONT_REWRITE

`FakeSmsc` is its public class; modules are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbench.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from fake_smsc.built_scenario import Scenario
    from fake_smsc.face import AsyncSmsc, FakeSmsc

__all__ = ["AsyncSmsc", "FakeSmsc", "Scenario"]


if not TYPE_CHECKING:  # checkers know the names above, and no others
    __getattr__, __dir__ = lazy_names(
        __name__, {"fake_smsc.face": ("AsyncSmsc", "FakeSmsc"), "fake_smsc.built_scenario": ("Scenario",)}
    )
