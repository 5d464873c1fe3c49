"""A complete fake SMSC: core, UCP gateway, asyncio server, wire faults and a compiled fast path. PYTEST_DONT_REWRITE

`FakeSmsc` is its public face; nothing is imported before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fake_smsc.built_scenario import Scenario
    from fake_smsc.face import AsyncSmsc, FakeSmsc

__all__ = ["AsyncSmsc", "FakeSmsc", "Scenario"]


if not TYPE_CHECKING:  # checkers know the names above, and no others

    def __getattr__(name: str) -> object:
        if name in {"AsyncSmsc", "FakeSmsc"}:
            from fake_smsc import face  # noqa: PLC0415 - importing the package alone loads nothing

            return getattr(face, name)
        if name == "Scenario":
            from fake_smsc.built_scenario import Scenario  # noqa: PLC0415 - as above

            return Scenario
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
