"""Planted faults of the platform: each changes a running SMSC so that one rule on it must fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from fake_smsc.core.records import Notification
from fake_smsc.server.live import LiveSmsc


def wrong_routing(smsc: LiveSmsc) -> None:
    """Machines are served from no code at all, and other operators' subscribers count as absent ones."""
    centre = smsc.server.gateway.centre
    centre.settings = replace(centre.settings, routing=replace(centre.settings.routing, machines=("none",)))


def slow_platform(smsc: LiveSmsc) -> None:
    """Every code's meter works at nine tenths of the rate in the events."""
    centre = smsc.server.gateway.centre
    for code, limiter in list(centre.limiters.items()):
        centre.retune(code, replace(limiter.limit, rate_per_s=limiter.limit.rate_per_s * 9 // 10), smsc.clock.now())


def accepts_any_password(smsc: LiveSmsc) -> None:
    """Whoever knows an account's name gets in."""
    registry = smsc.server.gateway.centre.account_registry
    checked = registry.login

    def login(session: int, name: str, password: str, now: int) -> Any:
        account = registry.accounts.get(name)
        return checked(session, name, account.password if account else password, now)

    registry.login = login  # type: ignore[method-assign]  # this one registry


def ignores_suspension(smsc: LiveSmsc) -> None:
    """An account does not change, for any decision about it."""
    smsc.server.gateway.centre.account_state = lambda *_: None  # type: ignore[method-assign]  # this one centre


def drops_mo(smsc: LiveSmsc) -> None:
    """Every third message of a user is lost inside."""
    queue = smsc.server.gateway.centre.notification_queue
    post, seen = queue.post, [0]

    def lossy(notification: Notification, now: int) -> None:
        seen[0] += notification.kind == "mo"
        if notification.kind != "mo" or seen[0] % 3:
            post(notification, now)

    queue.post = lossy  # type: ignore[method-assign]  # this one queue


def accepts_any_originator(smsc: LiveSmsc) -> None:
    """Originators that are not in service are taken for the account's own code."""
    centre = smsc.server.gateway.centre
    centre._code_of = lambda submit, account: account.codes[0]  # type: ignore[method-assign]  # noqa: ARG005 - this one


PLATFORM_FAULTS: dict[str, Callable[[LiveSmsc], None]] = {
    "wrong-routing": wrong_routing,
    "slow-platform": slow_platform,
    "accepts-any-password": accepts_any_password,
    "ignores-suspension": ignores_suspension,
    "drops-mo": drops_mo,
    "accepts-any-originator": accepts_any_originator,
}
# What a client must do wrong for a platform's fault to show.
REVEALED_BY: dict[str, tuple[str, ...]] = {"accepts-any-originator": ("sends-any-oadc",)}
