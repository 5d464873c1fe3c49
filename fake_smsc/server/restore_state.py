"""A server put back to where an earlier run of it ended. Reads no ledger: `fake_smsc.server.saved_state` did.

What the meters and open sessions held is gone, as it is on a real platform; what was accepted or owed is not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from fake_smsc.core.records import Limit
from fake_smsc.scenario import FaultConfig
from fake_smsc.server.outage import Outage
from simbench.base.units import SECOND_US
from simbench.numbering.subscribers import Subscriber

if TYPE_CHECKING:
    from fake_smsc.server.saved_state import Event, Past
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
    detail = json.dumps({"mode": "cut", "why": STOPPED})
    story.append((past.ended, "outage", "total", now, detail))
    story.append((now, "restored", "total", None, detail))
    told = {"messages": len(past.messages), "notices": len(past.notices), "killed": past.killed}
    story.append((now, "resumed", "", None, json.dumps(told)))
    for event in past.story:
        _world(server, event, now)
    centre.restore(past.messages, past.notices, now)
    _faults(server, past, planned, now)


def _world(server: SmscServer, event: Event, now: int) -> None:
    """Subscribers, limits and accounts as the story last left them."""
    centre, detail = server.gateway.centre, event.detail
    if event.kind == "subscriber":
        centre.base.put(msgspec.convert({"msisdn": event.subject, **detail}, Subscriber))
    elif event.kind == "limit" and event.subject in centre.limiters:
        present = centre.limiters[event.subject].limit
        fields = {name: value for name, value in detail.items() if name in Limit.__struct_fields__}
        limit = msgspec.structs.replace(present, **fields)
        if limit != present:
            centre.retune(event.subject, limit, now)
    elif event.kind == "account" and event.subject in centre.accounts:
        account = centre.accounts[event.subject]
        centre.account_state(msgspec.structs.replace(account, state=detail["state"]), now)


def _faults(server: SmscServer, past: Past, planned: tuple[FaultConfig, ...], now: int) -> None:
    """Faults that held go on for what was left of them; those yet to begin begin when they would have."""
    held: list[Event] = []
    begun: list[str] = []
    for event in past.story:
        what = event.detail.get("what") if event.kind == "fault" else None
        if what == "begins":
            held.append(event)
            begun.append(event.subject)
        elif what == "ends":
            found = next((other for other in held if other.subject == event.subject), None)
            if found is not None:
                held.remove(found)
    for event in held:
        left_s = (event.until - now) / SECOND_US if event.until else 0.0
        if event.until and left_s <= 0:
            continue
        fields = {name: value for name, value in event.detail.items() if name in FaultConfig.__struct_fields__}
        server.faults.plan(FaultConfig(name=event.subject, for_s=left_s, **fields))
    for fault in planned:
        if fault.name in begun:
            begun.remove(fault.name)
        else:
            left_s = max(0.0, fault.from_s - (now - past.began) / SECOND_US)
            server.faults.plan(msgspec.structs.replace(fault, from_s=left_s))


def outage_held(past: Past) -> tuple[Outage, int | None] | None:
    """The outage that held when the run ended, and its announced end."""
    held: Event | None = None
    for event in past.story:
        if event.detail.get("why") == STOPPED:
            continue
        if event.kind in {"outage", "maintenance"}:
            held = event
        elif event.kind == "restored":
            held = None
    if held is None:
        return None
    return Outage(held.detail["mode"], held.subject, held.kind == "maintenance"), held.until
