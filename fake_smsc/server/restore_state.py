"""Restores a server to the state in which an earlier run ended, as read by `fake_smsc.server.saved_state`.

As on a real platform, accepted messages and pending notifications are kept; meter contents and open sessions are lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from fake_smsc.scenario import FaultConfig, LimitMode, Meter, Mode
from fake_smsc.server.outage import Outage
from simbench.base.units import SECOND_US
from simbench.ledger.events import (
    AccountSet,
    Event,
    FaultActed,
    LimitSet,
    ListEdited,
    MaintenanceBegan,
    OutageBegan,
    PasswordSet,
    Restored,
    Resumed,
    SubscriberSet,
    row_of,
)
from simbench.numbering.subscribers import Subscriber

if TYPE_CHECKING:
    from fake_smsc.server.saved_state import SavedState
    from fake_smsc.server.server import SmscServer

STOPPED = "server stopped"


def put_back(server: SmscServer, saved_state: SavedState, planned: tuple[FaultConfig, ...]) -> None:
    """Restore everything but the clock, set when the server was created, and outages, which need a listener."""
    now = server.clock.now()
    centre, wire, events = server.gateway.centre, server.ledger.wire, server.ledger.events
    why = "server: killed" if saved_state.killed else "server: stopped"
    for number in saved_state.lines:
        wire.append((saved_state.ended, number, "close", why.encode()))
    server.count = saved_state.connections
    # Clients experienced the time in between as an outage.
    events.append(row_of(saved_state.ended, OutageBegan("total", now, "cut", STOPPED)))
    events.append(row_of(now, Restored("total", "cut", STOPPED)))
    events.append(row_of(now, Resumed(len(saved_state.messages), len(saved_state.notifications), saved_state.killed)))
    for _, event in saved_state.events:
        _world(server, event, now)
    centre.restore(saved_state.messages, saved_state.notifications, now)
    _faults(server, saved_state, planned, now)


def _world(server: SmscServer, event: Event, now: int) -> None:
    """Restore subscribers, limits and accounts as of the last events."""
    centre = server.gateway.centre
    match event:
        case SubscriberSet():
            centre.base.put(msgspec.convert(event, Subscriber, from_attributes=True))
        case LimitSet() if event.code in centre.limiters:
            present = centre.limiters[event.code].limit
            limit = msgspec.structs.replace(present, rate_per_s=event.rate_per_s, mode=cast(LimitMode, event.mode))
            if event.meter:
                limit = msgspec.structs.replace(limit, meter=cast(Meter, event.meter))
            if limit != present:
                centre.retune(event.code, limit, now)
        case PasswordSet() if event.account in centre.accounts:
            centre.account_registry.set_password(event.account, event.password, event.purpose)
        case ListEdited() if event.account in centre.accounts:
            centre.account_registry.edit_list(event.account, event.which, event.address, event.action)
        case AccountSet() if event.account in centre.accounts and event.state is not msgspec.UNSET:
            account = centre.accounts[event.account]
            centre.account_state(msgspec.structs.replace(account, state=event.state), now)


def _faults(server: SmscServer, saved_state: SavedState, planned: tuple[FaultConfig, ...], now: int) -> None:
    """Resume active faults for their remaining time; planned ones start when they would have."""
    held: list[FaultActed] = []
    begun: list[str] = []
    for _, event in saved_state.events:
        if not isinstance(event, FaultActed):
            continue
        if event.what == "begins":
            held.append(event)
            begun.append(event.name)
        elif event.what == "ends":
            found = next((other for other in held if other.name == event.name), None)
            if found is not None:
                held.remove(found)
    for event in held:
        left_s = (event.until - now) / SECOND_US if event.until else 0.0
        if event.until and left_s <= 0:
            continue
        said = {name: getattr(event, name, None) for name in FaultConfig.__struct_fields__}
        fields = {name: value for name, value in said.items() if value is not None}
        server.faults.plan(FaultConfig(**{**fields, "for_s": left_s}))
    for fault in planned:
        if fault.name in begun:
            begun.remove(fault.name)
        else:
            left_s = max(0.0, fault.from_s - (now - saved_state.began) / SECOND_US)
            server.faults.plan(msgspec.structs.replace(fault, from_s=left_s))


def outage_held(saved_state: SavedState) -> tuple[Outage, int | None] | None:
    """Return the outage that was active when the run ended, and its announced end (us)."""
    held: OutageBegan | MaintenanceBegan | None = None
    for _, event in saved_state.events:
        match event:
            case OutageBegan() | MaintenanceBegan() if event.why != STOPPED:
                held = event
            case Restored() if event.why != STOPPED:
                held = None
    if held is None:
        return None
    return Outage(cast(Mode, held.mode), held.subject, isinstance(held, MaintenanceBegan)), held.until
