"""Converts contract and codes to the gateway's settings."""

from __future__ import annotations

from collections.abc import Sequence

from fake_smsc.scenario import CodeConfig
from fake_smsc.strictness import Strictness
from fake_smsc.ucp_gateway.line import GatewaySettings
from simbench.base.units import SECOND_US
from simbench.contract import Contract


def gateway_settings(codes: Sequence[CodeConfig], contract: Contract, strictness: Strictness) -> GatewaySettings:
    """Return windows, timers and strictness for these codes under this contract."""
    session = contract.terms.session
    return GatewaySettings(
        windows={config.account or config.code: config.window or session.window.value for config in codes},
        window_max=session.window_max.value,
        login_timer_us=session.login_timer_s.value * SECOND_US,
        login_failures_close=session.login_failures_close.value,
        idle_close_us=session.idle_close_s.value * SECOND_US,
        notification_timer_us=session.notice_retry_s.value[0] * SECOND_US,
        calendar=contract.calendar,
        strictness=strictness,
    )
