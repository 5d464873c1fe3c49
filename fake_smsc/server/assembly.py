"""Builds the gateway and centre of a scenario under its contract.

The simulation shares the settings made by `provision` of centre and gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from fake_smsc.core.centre import Centre
from fake_smsc.core.notification_queue import NotificationQueue
from fake_smsc.core.presets import PRESETS
from fake_smsc.core.provision import centre_settings, delivery_settings
from fake_smsc.core.timer_queue import TimerQueue
from fake_smsc.scenario import Scenario
from fake_smsc.ucp_gateway import Gateway
from fake_smsc.ucp_gateway.gateway import FastPathOf
from fake_smsc.ucp_gateway.provision import gateway_settings
from simbench.contract import Contract
from simbench.ledger import AnyLedger
from simbench.numbering.plan import NumberingPlan, plan_of
from simbench.numbering.subscribers import BaseProfile, SubscriberBase


def assemble(
    scenario: Scenario, contract: Contract, ledger: AnyLedger, place: Path | None = None, *, fast: bool = True
) -> Gateway:
    """Return the gateway, with its centre, of a scenario. The subscriber file is relative to the folder `place`.

    `fast`: whether the compiled path can be loaded later; without it, the core serves, and starts sooner.
    """
    failures = PRESETS[scenario.subscribers.preset].failures
    delivery = delivery_settings(scenario.seed, contract, scenario.delivery, failures)
    settings = centre_settings(scenario.codes, contract, delivery, scenario.delivery, scenario.server.speed)
    queue_of, fast_path_of = _shared() if fast else (NotificationQueue, None)
    centre = Centre(settings, _base(scenario, plan_of(contract), place), ledger, queue_of)
    centre.delivery.events = ledger.events.append
    return Gateway(centre, gateway_settings(scenario.codes, contract, scenario.strictness), fast_path_of)


def _shared() -> tuple[Callable[[TimerQueue, tuple[int, ...]], NotificationQueue], FastPathOf]:
    """Queue and path that share the arrays of compiled code."""
    from fake_smsc.fast.book import Book  # noqa: PLC0415 - arrays take a fifth of the start of a small server
    from fake_smsc.fast.path import PlainPath  # noqa: PLC0415 - as above
    from fake_smsc.fast.windows import SharedQueue  # noqa: PLC0415 - as above

    book = Book()
    return partial(SharedQueue, book=book), partial(PlainPath, book)


def _base(scenario: Scenario, plan: NumberingPlan, place: Path | None) -> SubscriberBase:
    config = scenario.subscribers
    profile = BaseProfile(**{name: getattr(config, name) for name in BaseProfile.__struct_fields__})
    preset = PRESETS[config.preset]
    law = preset.law() if preset.absence_per_day else None
    if preset.unknown_share and not profile.share_unknown:
        profile = replace(profile, share_unknown=preset.unknown_share)
    listing = None
    if config.file:
        from simbench.numbering.listing import Listing  # noqa: PLC0415 - its arrays, too

        listing = Listing.read((place or Path()) / config.file, plan)
    return SubscriberBase(plan, scenario.seed, profile, listing, law)
