"""The reference client in a world: its core exchanges octets with the UCP gateway, on SimPy's clock.

The connection has no latency: octets arrive at the instant at which they are written, and a connection attempt during
an outage fails at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, cast

import simpy

from fake_smsc.core.centre import Centre
from fake_smsc.strictness import Strictness
from fake_smsc.ucp_gateway import Gateway
from fake_smsc.ucp_gateway.provision import gateway_settings
from simbench.base.errors import ScenarioError
from simbench.client.core import Core
from simbench.client.messages import Buffered, Close, Connect, LinkConfig, Notified, Outgoing, Sent, knowledge_of
from simbench.ledger import AnyLedger
from simbench.simulation.demand import Source, spans
from simbench.simulation.event_driven import Sink, finish, keep_house
from simbench.simulation.ground_truth import event_rows
from simbench.simulation.minutes import MinuteRows
from simbench.simulation.plan import STREAM_SHIFT, World
from simbench.simulation.timeline import Alarm, Rank, Timeline

A_SPAN = 50_000


class _End:
    """One code's core, its connection (0: none), and the number of incidents that cut it off at present."""

    def __init__(self, core: Core, alarm: Alarm) -> None:
        self.core, self.alarm = core, alarm
        self.line = self.cuts = 0


class ReferenceDrive:
    """One run of a world whose clients are all the reference client."""

    def __init__(
        self, world: World, ledger: AnyLedger, progress: Callable[[float], None] = lambda _: None, *, by_minute: bool
    ) -> None:
        others = [code for code in world.codes if world.client(code).kind != "reference"]
        if others:
            raise ScenarioError(
                "clients", f"{others[0]} has another kind of client", "the reference client for every code"
            )
        if world.scenario.replies or world.scenario.tiers:
            raise ScenarioError(
                "clients", "changes of tier or replies with the reference client", "a world without either"
            )
        self.world, self.ledger, self.timeline = world, ledger, Timeline(world.start)
        self.minutes = MinuteRows() if by_minute else None
        sink = Sink(self.minutes if self.minutes is not None else ledger.centre)
        self.gateway = Gateway(
            Centre(world.settings, world.base(), cast(AnyLedger, sink)),
            gateway_settings(world.scenario.codes, world.contract, Strictness()),
        )
        self._ends = {code: _End(self._core(code), self._alarm(code)) for code in world.codes}
        self._lines: dict[int, str] = {}
        self._progress = progress
        self._made = 0
        self._deadline = Alarm(self.timeline, Rank.CENTRE, self._advance)

    def run(self) -> None:
        """Run the world and write its ledger."""
        self.ledger.events.extend(event_rows(self.world))
        for start, end in self.world.downs:
            self._enter(end, lambda now: self.gateway.go("up", now))
            self._enter(max(start, self.world.start), lambda now: self.gateway.go("down", now))
        for code, end_ in self._ends.items():
            for one in self.world.incidents:
                if self.world.strikes(one, code):
                    self._enter(max(one.start, self.world.start), lambda now, code=code: self._cut(code, now))
                    self._enter(one.end or self.world.end, lambda _, end=end_: setattr(end, "cuts", end.cuts - 1))
            self.timeline.process(self._submitting(code))
            end_.alarm.set(self.world.start)
        keep_house(self.world, self.ledger, self.timeline, self._progress)
        self.timeline.run(self.world.end)
        finish(self.world, self.ledger, self.minutes, self._progress)

    def _core(self, code: str) -> Core:
        config, limit = self.world.config(code), self.world.tiers(code)[0][1]
        window = config.window or self.world.contract.terms.session.window.value
        account = config.account or code
        reconnect_s = self.world.client(code).reconnect_s
        # The messages of a world have no real texts, so the duties on content are off.
        return Core(
            LinkConfig(
                account,
                config.password,
                code,
                limit.rate_per_s,
                window,
                reconnect_first_s=reconnect_s,
                ethics=False,
                knows=knowledge_of(self.world.contract),
            )
        )

    def _alarm(self, code: str) -> Alarm:
        return Alarm(self.timeline, Rank.CLIENT, lambda now: self._turn({code}, now))

    def _enter(self, at: int, action: Any) -> None:
        def act(now: int) -> None:
            action(now)
            self._turn(set(), now)

        if self.world.start <= at < self.world.end:
            self.timeline.at(at, Rank.WORLD, act)

    def _submitting(self, code: str) -> Generator[simpy.Event, Any, None]:
        """A SimPy process that submits one message after another to the client."""
        env, core, source = self.timeline.env, self._ends[code].core, Source(self.world, code)
        streams = {stream.number: stream.source for stream in self.world.streams}
        for start, end in spans(self.world, A_SPAN, source.volume()):
            whole = [row for queue in source.between(start, end) for row in zip(
                queue.at.tolist(), queue.entity.tolist(), queue.recipient.tolist(), strict=True)]  # fmt: skip
            for at, entity, recipient in sorted(whole):
                yield env.timeout(at - env.now)
                if self.minutes is not None:
                    self.minutes.count(code, at, "offered")
                origin = streams[entity >> STREAM_SHIFT]
                traffic = "marketing" if origin.hours == "legal" else "transactional"
                validity_s = round(origin.validity_min * 60) or None
                core.submit(
                    Outgoing(
                        str(entity), code, str(recipient), f"{origin.name} {entity:x}", traffic, validity_s=validity_s
                    ),
                    at,
                )
                self._turn({code}, at)

    def _cut(self, code: str, now: int) -> None:
        end = self._ends[code]
        end.cuts += 1
        self._hang_up(end, now)
        end.alarm.set(max(now, end.core.next_deadline()))

    def _hang_up(self, end: _End, now: int) -> None:
        if end.line:
            self.gateway.closed(end.line, now)
            del self._lines[end.line]
            end.line = 0
            end.core.lost(now)

    def _advance(self, now: int) -> None:
        self.gateway.advance(now)
        self._turn(set(), now)

    def _turn(self, codes: set[str], now: int) -> None:
        """Exchange octets between cores and gateway until neither has more to send at this instant."""
        codes |= self._receive(now)
        while codes:
            for code in sorted(codes):
                self._send(code, now)
            codes = self._receive(now)
        deadline = self.gateway.next_deadline()
        if deadline < self.world.end:
            self._deadline.set(max(now, deadline))

    def _send(self, code: str, now: int) -> None:
        end = self._ends[code]
        end.core.advance(now)
        while events := end.core.events():
            for event in events:
                if isinstance(event, Connect):
                    self._connect(code, end, now)
                elif isinstance(event, Close):
                    self._hang_up(end, now)
                elif self.minutes is not None and isinstance(event, Sent | Notified | Buffered):
                    self.minutes.count(code, now, "submitted" if isinstance(event, Sent) else "notifications")
        octets = end.core.octets_to_send()
        if octets and end.line:
            self.gateway.received(end.line, octets, now)
            end.core.written(now)
        due = end.core.next_deadline()
        if due < self.world.end:
            end.alarm.set(max(due, now + (due <= now)))

    def _connect(self, code: str, end: _End, now: int) -> None:
        if end.cuts:
            end.core.lost(now)
            return
        self._made += 1
        end.line = self._made
        self._lines[end.line] = code
        self.gateway.opened(end.line, now)
        end.core.connected(now)

    def _receive(self, now: int) -> set[str]:
        """Pass the gateway's octets to the cores, close connections it ends, and return the codes affected."""
        received_by = set()
        for number, octets in self.gateway.output():
            code = self._lines.get(number)
            if code is not None:
                self._ends[code].core.received(octets, now)
                received_by.add(code)
        for number in self.gateway.closings:
            code = self._lines.get(number)
            if code is not None:
                self._hang_up(self._ends[code], now)
                received_by.add(code)
        self.gateway.closings = {}
        return received_by
