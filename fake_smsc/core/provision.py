"""Converts contract and scenario to the centre's settings, with every figure that the centre uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec.structs import replace

from fake_smsc.core.centre import CentreSettings
from fake_smsc.core.delivery import DeliverySettings, Failure
from fake_smsc.core.records import Account, Limit
from fake_smsc.core.routing import Routing
from fake_smsc.scenario import CodeConfig, DeliveryConfig, Meter
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.contract import Contract
from simbench.kernels.chance import lognormal_table


def limit_of(config: CodeConfig, contract: Contract, speed: float = 1.0) -> Limit:
    """Return the limit of a code. The allowed jitter is the contract's, times the platform's speed."""
    terms = contract.terms.throughput
    return Limit(
        config.rate_per_s or terms.default_per_s.value,
        config.limit,
        config.nack_ec,
        int(terms.jitter_ms.value * 1000 * speed),
        terms.max_hold_s.value * SECOND_US,
        meter=config.meter or cast(Meter, contract.reading("rate-meter")),
        mean_window_s=terms.mean_window_s.value,
    )


def has_sender_names(config: CodeConfig, contract: Contract) -> bool:
    """Tell whether a code may send under names: by its option, or by the contract for all."""
    names = contract.terms.numbering.sender_names.value
    return names == "always" or (names == "option" and config.oadc_option)


def account_of(config: CodeConfig, contract: Contract) -> Account:
    """Return the account that sends from a code; by default its login is the code itself."""
    return Account(
        config.account or config.code,
        config.password,
        (config.code,),
        config.state,
        config.sessions or contract.terms.session.sessions_per_code.value,
        has_sender_names(config, contract),
        config.auth_code,
        config.priority,
        config.list_max,
    )


def centre_settings(
    codes: Sequence[CodeConfig], contract: Contract, delivery: DeliverySettings, config: DeliveryConfig, speed: float
) -> CentreSettings:
    """Return the centre's settings for these codes under this contract."""
    terms = contract.terms
    return CentreSettings(
        accounts=_accounts(codes, contract),
        limits={code.code: limit_of(code, contract, speed) for code in codes},
        routing=Routing(terms.numbering.prefixes("machines"), config.refuse_elsewhere),
        delivery=delivery,
        validity_default_us=terms.delivery.validity_default_h.value * HOUR_US,
        validity_max_us=terms.delivery.validity_max_h.value * HOUR_US,
        scts_ahead_max_s=terms.delivery.scts_ahead_max_s.value,
        notification_retry_us=tuple(seconds * SECOND_US for seconds in terms.session.notice_retry_s.value),
    )


def delivery_settings(
    seed: int, contract: Contract, config: DeliveryConfig, failures: tuple[Failure, ...] = ()
) -> DeliverySettings:
    """Return the delivery settings; without `failures` every attempt on an attached subscriber succeeds."""
    terms = contract.terms.delivery
    median_us = (config.latency_median_ms or terms.latency_median_ms.value) * 1000
    first, longest = terms.memory_full_first_min.value * MINUTE_US, terms.memory_full_max_h.value * HOUR_US
    doubling = [first]
    while doubling[-1] < longest:
        doubling.append(min(2 * doubling[-1], longest))
    return DeliverySettings(
        seed,
        tuple(lognormal_table(median_us, terms.latency_sigma.value)),
        tuple(minutes * MINUTE_US for minutes in terms.absent_retry_min.value),
        tuple(minutes * MINUTE_US for minutes in terms.network_retry_min.value),
        tuple(doubling),
        failures,
    )


def _accounts(codes: Sequence[CodeConfig], contract: Contract) -> tuple[Account, ...]:
    """Return one account per name: codes that name the same account share it."""
    accounts: dict[str, Account] = {}
    for config in codes:
        account = account_of(config, contract)
        known = accounts.get(account.name)
        if known is not None:
            account = replace(
                known, codes=(*known.codes, config.code), oadc_option=known.oadc_option or account.oadc_option
            )
        accounts[account.name] = account
    return tuple(accounts.values())
