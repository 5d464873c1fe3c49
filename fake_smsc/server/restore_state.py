"""A server put back to where an earlier run of it ended. Reads no ledger: `fake_smsc.server.saved_state` did.

What the meters and open sessions held is gone, as it is on a real platform; what was accepted or owed is not.
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
    MaintenanceBegan,
    OutageBegan,
    Restored,
    Resumed,
    SubscriberSet,
    row_of,
)
from simbench.numbering.subscribers import Subscriber

if TYPE_CHECKING:
    from fake_smsc.server.saved_state import Past
    from fake_smsc.server.server import SmscServer

STOPPED = "server stopped"


def put_back(server: SmscServer, past: Past, planned: tuple[FaultConfig, ...]) -> None:
    """Everything but the clock, which the server was made with, and outages, which need a listener."""
    now = server.clock.now()
    centre, wire, story = server.gateway.centre, server.ledger.wire, server.ledger.story
    why = "server: killed" if past.killed else "server: stopped"
    for number in past.lines:
        wire.append((past.ended, number, "close", why.encode()))
    server.count = past.connections
    # To a client the time in between was an outage like any other.
    story.append(row_of(past.ended, OutageBegan("total", now, "cut", STOPPED)))
    story.append(row_of(now, Restored("total", "cut", STOPPED)))
    story.append(row_of(now, Resumed(len(past.messages), len(past.notices), past.killed)))
    for _, event in past.events:
        _world(server, event, now)
    centre.restore(past.messages, past.notices, now)
    _faults(server, past, planned, now)


def _world(server: SmscServer, event: Event, now: int) -> None:
    """Subscribers, limits and accounts as the events last left them."""
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
        case AccountSet() if event.account in centre.accounts and event.state is not msgspec.UNSET:
            account = centre.accounts[event.account]
            centre.account_state(msgspec.structs.replace(account, state=event.state), now)


def _faults(server: SmscServer, past: Past, planned: tuple[FaultConfig, ...], now: int) -> None:
    """Faults that held go on for what was left of them; those yet to begin begin when they would have."""
    held: list[FaultActed] = []
    begun: list[str] = []
    for _, event in past.events:
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
            left_s = max(0.0, fault.from_s - (now - past.began) / SECOND_US)
            server.faults.plan(msgspec.structs.replace(fault, from_s=left_s))


def outage_held(past: Past) -> tuple[Outage, int | None] | None:
    """The outage that held when the run ended, and its announced end."""
    held: OutageBegan | MaintenanceBegan | None = None
    for _, event in past.events:
        match event:
            case OutageBegan() | MaintenanceBegan() if event.why != STOPPED:
                held = event
            case Restored() if event.why != STOPPED:
                held = None
    if held is None:
        return None
    return Outage(cast(Mode, held.mode), held.subject, isinstance(held, MaintenanceBegan)), held.until
