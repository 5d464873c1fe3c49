"""Builds the gateway and centre of a scenario under its contract.

The simulation shares the settings made by `provision` of centre and gateway.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from fake_smsc.core.centre import Centre
from fake_smsc.core.presets import PRESETS
from fake_smsc.core.provision import centre_settings, delivery_settings
from fake_smsc.fast.book import Book
from fake_smsc.fast.path import PlainPath
from fake_smsc.fast.windows import SharedQueue
from fake_smsc.scenario import Scenario
from fake_smsc.ucp_gateway import Gateway
from fake_smsc.ucp_gateway.provision import gateway_settings
from simbench.contract import Contract
from simbench.ledger import AnyLedger
from simbench.numbering.listing import Listing
from simbench.numbering.plan import NumberingPlan, plan_of
from simbench.numbering.subscribers import BaseProfile, SubscriberBase


def assemble(scenario: Scenario, contract: Contract, ledger: AnyLedger, place: Path | None = None) -> Gateway:
    """Return the gateway, with its centre, of a scenario. The subscriber file is relative to the folder `place`."""
    failures = PRESETS[scenario.subscribers.preset].failures
    delivery = delivery_settings(scenario.seed, contract, scenario.delivery, failures)
    settings = centre_settings(scenario.codes, contract, delivery, scenario.delivery, scenario.server.speed)
    book = Book()
    centre = Centre(settings, _base(scenario, plan_of(contract), place), ledger, partial(SharedQueue, book=book))
    centre.delivery.events = ledger.events.append
    gateway = gateway_settings(scenario.codes, contract, scenario.strictness)
    return Gateway(centre, gateway, partial(PlainPath, book))


def _base(scenario: Scenario, plan: NumberingPlan, place: Path | None) -> SubscriberBase:
    config = scenario.subscribers
    profile = BaseProfile(**{name: getattr(config, name) for name in BaseProfile.__struct_fields__})
    preset = PRESETS[config.preset]
    law = preset.law() if preset.absence_per_day else None
    if preset.unknown_share and not profile.share_unknown:
        profile = replace(profile, share_unknown=preset.unknown_share)
    listing = Listing.read((place or Path()) / config.file, plan) if config.file else None
    return SubscriberBase(plan, scenario.seed, profile, listing, law)
