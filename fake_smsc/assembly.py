"""From scenario and contract to a gateway with its centre. Starts nothing.

Every figure the centre works with passes through here, out of the contract.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from msgspec.structs import replace

from simbench.centre.core import Centre, CentreSettings
from simbench.centre.delivery import DeliverySettings
from simbench.centre.records import Account, Limit
from simbench.centre.routing import Routing
from simbench.contract import Contract
from simbench.gateway import Gateway, GatewaySettings
from simbench.kernels.chance import lognormal_table
from simbench.ledger import AnyLedger
from simbench.numbering.subscribers import BaseProfile, SubscriberBase
from simbench.scenario import CodeConfig, Meter, Scenario

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US


def assemble(scenario: Scenario, contract: Contract, ledger: AnyLedger, place: Path | None = None) -> Gateway:
    """The gateway and centre of a scenario. `place` is the folder its subscriber file is relative to."""
    centre = Centre(_centre_settings(scenario, contract), _base(scenario, place), ledger)
    return Gateway(centre, _gateway_settings(scenario, contract))


def limit_of(config: CodeConfig, contract: Contract, speed: float) -> Limit:
    """The meter of a code. The jitter a client may show grows with the platform's speed (DESIGN: tau x speed)."""
    terms = contract.terms.throughput
    return Limit(
        config.rate_per_s or terms.default_per_s.value,
        config.limit,
        config.nack_ec,
        int(terms.jitter_ms.value * 1000 * speed),
        terms.max_hold_s.value * SECOND_US,
        meter=config.meter or cast(Meter, contract.reading("AMB-05")),
        mean_window_s=terms.mean_window_s.value,
    )


def account_of(config: CodeConfig, contract: Contract) -> Account:
    """The account that sends from a code; by default its login is the code itself."""
    return Account(
        config.account or config.code,
        config.password,
        (config.code,),
        config.state,
        config.sessions or contract.terms.session.sessions_per_code.value,
        config.oadc_option,
        config.auth_code,
        config.priority,
        config.list_max,
    )


def _centre_settings(scenario: Scenario, contract: Contract) -> CentreSettings:
    terms = contract.terms
    median_us = (scenario.delivery.latency_median_ms or terms.delivery.latency_median_ms.value) * 1000
    return CentreSettings(
        accounts=_accounts(scenario, contract),
        limits={config.code: limit_of(config, contract, scenario.server.speed) for config in scenario.codes},
        routing=Routing(terms.numbering.m2m_prefix.value, scenario.delivery.refuse_elsewhere),
        delivery=DeliverySettings(
            scenario.seed,
            tuple(lognormal_table(median_us, terms.delivery.latency_sigma.value)),
            tuple(minutes * MINUTE_US for minutes in terms.delivery.absent_retry_min.value),
        ),
        validity_default_us=terms.delivery.validity_default_h.value * HOUR_US,
        validity_max_us=terms.delivery.validity_max_h.value * HOUR_US,
        scts_ahead_max_s=terms.delivery.scts_ahead_max_s.value,
        notice_retry_us=tuple(seconds * SECOND_US for seconds in terms.session.notice_retry_s.value),
    )


def _accounts(scenario: Scenario, contract: Contract) -> tuple[Account, ...]:
    """One account a name: codes that name the same account share it."""
    accounts: dict[str, Account] = {}
    for config in scenario.codes:
        account = account_of(config, contract)
        known = accounts.get(account.name)
        if known is not None:
            account = replace(
                known, codes=(*known.codes, config.code), oadc_option=known.oadc_option or account.oadc_option
            )
        accounts[account.name] = account
    return tuple(accounts.values())


def _base(scenario: Scenario, place: Path | None) -> SubscriberBase:
    config = scenario.subscribers
    profile = BaseProfile(**{name: getattr(config, name) for name in BaseProfile.__struct_fields__})
    if config.file:
        return SubscriberBase.read((place or Path()) / config.file, scenario.seed, profile)
    return SubscriberBase(scenario.seed, profile)


def _gateway_settings(scenario: Scenario, contract: Contract) -> GatewaySettings:
    session = contract.terms.session
    return GatewaySettings(
        windows={config.account or config.code: config.window or session.window.value for config in scenario.codes},
        window_max=session.window_max.value,
        login_timer_us=session.login_timer_s.value * SECOND_US,
        login_failures_close=session.login_failures_close.value,
        idle_close_us=session.idle_close_s.value * SECOND_US,
        notice_timer_us=session.notice_retry_s.value[0] * SECOND_US,
        strictness=scenario.strictness,
    )
