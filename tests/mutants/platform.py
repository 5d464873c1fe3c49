"""Planted faults of the platform: each changes a running SMSC so that one rule on it must fail."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from fake_smsc.live import LiveSmsc


def wrong_routing(smsc: LiveSmsc) -> None:
    """Machines are served from no code at all, and other operators' subscribers count as absent ones."""
    centre = smsc.server.gateway.centre
    centre.settings = replace(centre.settings, routing=replace(centre.settings.routing, m2m_prefix="none"))


def slow_platform(smsc: LiveSmsc) -> None:
    """Every code's meter works at nine tenths of the rate the story tells."""
    centre = smsc.server.gateway.centre
    for code, limiter in list(centre.limiters.items()):
        centre.retune(code, replace(limiter.limit, rate_per_s=limiter.limit.rate_per_s * 9 // 10), smsc.clock.now())


PLATFORM_FAULTS: dict[str, Callable[[LiveSmsc], None]] = {
    "wrong-routing": wrong_routing,
    "slow-platform": slow_platform,
}
