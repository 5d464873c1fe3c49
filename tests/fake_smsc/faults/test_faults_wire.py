"""Each wire fault has the effect that its sentence describes, and the effect does not occur without it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import pytest

from fake_smsc.faults import FAULTS
from fake_smsc.scenario import CodeConfig, FaultConfig, Scenario
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.virtual_loop import MemoryNetwork
from simbench.ledger import MemoryLedger
from simbench.ucp.codes import ERROR_CODES
from simbench.ucp.fields import At
from simbench.ucp.frame import ETX, Frame, Framer, WireError, encode
from tests import harness
from tests.fake_smsc.live import SOON, contract
from tests.fake_smsc.server.test_patience import KEEPALIVE
from tests.fake_smsc.virtual import in_virtual_time, virtual_clock
from tests.paris import MONDAY

BURST = 10  # submits in one write, as many as the window holds
SINGLES = {11: 2.0, 12: 2.3}  # TRN to the second it leaves
SUBMITS = BURST + len(SINGLES)
ENDS_S = 20.0
Chosen = tuple[FaultConfig, ...]


class Probe(asyncio.Protocol):
    """A peer in memory that answers operations and records every read with its second, and the disconnection."""

    def __init__(self) -> None:
        self.reads: list[tuple[float, bytes]] = []
        self.items: list[tuple[float, Frame | WireError]] = []
        self.left: dict[str, float] = {}
        self.lost: list[Exception | None] = []
        self.framer = Framer()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self.reads.append((now, data))
        for item in self.framer.feed(data):
            self.items.append((now, item))
            if isinstance(item, Frame) and item.kind == "O":
                self.transport.write(encode(item.trn, "R", item.ot, "A///"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)

    def submit(self, *trns: int) -> None:
        """Submit messages to new recipients, in one write."""
        now = asyncio.get_running_loop().time()
        self.left |= {f"{trn:02d}": now for trn in trns}
        self.transport.write(b"".join(harness.submit(trn, AdC=f"33710000{trn:03d}") for trn in trns))


class Seen:
    """The observations of one run."""

    def __init__(self, probe: Probe, smsc: LiveSmsc) -> None:
        self.probe, self.reads, self.lost = probe, probe.reads, probe.lost
        ledger = cast(MemoryLedger, smsc.ledger)
        self.events: list[tuple[Any, ...]] = list(ledger.events)
        self.wire: list[tuple[Any, ...]] = list(ledger.wire)
        self.stored = [row for row in ledger.centre if row[1] == "accepted"]
        self.unacknowledged = smsc.control.unacknowledged()
        self.sessions = smsc.control.sessions()
        self.frames = [item for _, item in probe.items if isinstance(item, Frame)]
        self.errors = Counter(item.name for _, item in probe.items if isinstance(item, WireError))

    def of(self, kind: str, ot: str) -> list[Frame]:
        return [frame for frame in self.frames if (frame.kind, frame.ot) == (kind, ot)]

    @property
    def results(self) -> list[Frame]:
        return self.of("R", "51")

    @property
    def notices(self) -> list[Frame]:
        return self.of("O", "53")

    def at(self, kind: str, ot: str) -> dict[str, float]:
        """TRN to the second of its last frame."""
        return {
            item.trn: at
            for at, item in self.probe.items
            if isinstance(item, Frame) and (item.kind, item.ot) == (kind, ot)
        }

    def late(self) -> list[float]:
        """Return the time each submit waited for its result (s)."""
        return [at - self.probe.left[trn] for trn, at in self.at("R", "51").items()]


async def _session(smsc: LiveSmsc, network: MemoryNetwork) -> Probe:
    probe = Probe()
    await network.connect(lambda: probe, "", smsc.server.port)
    probe.transport.write(harness.login())
    await asyncio.sleep(0.1)
    probe.transport.write(KEEPALIVE)
    await asyncio.sleep(0.9)
    probe.submit(*range(1, BURST + 1))
    for trn, second in SINGLES.items():
        await asyncio.sleep(second - asyncio.get_running_loop().time())
        probe.submit(trn)
    await asyncio.sleep(ENDS_S - asyncio.get_running_loop().time())
    return probe


@cache
def seen(*faults: FaultConfig, seed: int = 1) -> Seen:
    """One session of twenty seconds with these faults: a login, an alert, a burst of submits, two single ones."""

    async def run() -> Seen:
        network, clock = MemoryNetwork(), virtual_clock()
        scenario = Scenario(codes=(CodeConfig(code="36010"),), delivery=SOON, faults=faults, seed=seed)
        async with LiveSmsc(scenario, contract(), MemoryLedger(), clock=clock, network=network) as smsc:
            return Seen(await _session(smsc, network), smsc)

    return in_virtual_time(run())


def trns(frames: list[Frame]) -> list[str]:
    return [frame.trn for frame in frames]


def all_contain(frames: list[Frame], data: list[str]) -> bool:
    return len(frames) == SUBMITS and all(frame.data == data for frame in frames)


def before(s: Seen, first: Callable[[Frame], bool], then: Callable[[Frame], bool]) -> bool:
    """Return whether the first frame of one kind came before the first of another."""
    places = [next((place for place, f in enumerate(s.frames) if sort(f)), -1) for sort in (first, then)]
    return 0 <= places[0] < places[1]


def early(s: Seen) -> bool:
    """Return whether every notification is directly before the result it belongs to."""
    order = [(f.kind, f.data[2] if f.kind == "R" else f"{f.data[At.OADC]}:{f.data[At.SCTS]}") for f in s.frames[2:]]
    pairs = list(zip(order[::2], order[1::2], strict=True))
    return len(pairs) == SUBMITS and all((a, b) == (("O", a[1]), ("R", a[1])) for a, b in pairs)


def stamps_a_year_late(s: Seen) -> bool:
    given = sorted(frame.data[2].rpartition(":")[2] for frame in s.results)
    reported = sorted(frame.data[At.SCTS] for frame in s.notices)
    return len(reported) == SUBMITS and [f"{t[:4]}{int(t[4:6]) - 1:02d}{t[6:]}" for t in reported] == given


def slow(s: Seen) -> bool:
    """Return whether the results of the burst arrived at 200 octets/s."""
    octets = sum(len(frame.octets) for frame in s.results[:BURST])
    return max(s.late()[:BURST]) >= octets / 200 - 0.1


def by_octet(s: Seen) -> bool:
    single = b"".join(octets for _, octets in s.reads if len(octets) == 1)
    return len(s.results) == SUBMITS and all(frame.octets in single for frame in s.results)


# A fault's parameters, and what is seen with it and not without it.
SHOWS: dict[str, tuple[dict[str, Any], Callable[[Seen], bool]]] = {
    "late-result": ({"delay_s": 3}, lambda s: len(s.late()) == SUBMITS and min(s.late()) >= 3),
    "no-result": ({}, lambda s: not s.results and len(s.stored) == SUBMITS),
    "double-result": ({"delay_s": 1}, lambda s: set(Counter(trns(s.results)).values()) == {2} and max(s.late()) >= 1),
    "reordered-results": ({}, lambda s: len(s.results) == SUBMITS and trns(s.results)[:4] == ["02", "01", "04", "03"]),
    "wrong-trn": ({}, lambda s: trns(s.results) == [f"{trn + 50}" for trn in range(1, SUBMITS + 1)]),
    "wrong-ot": ({}, lambda s: not s.results and len(s.of("R", "52")) == SUBMITS),
    "nack": ({"ec": "05"}, lambda s: all_contain(s.results, ["N", "05", ""]) and not s.stored),
    "nack-without-ec": ({}, lambda s: all_contain(s.results, ["N", "", ""]) and not s.stored),
    "nack-though-stored": ({}, lambda s: all_contain(s.results, ["N", "04", ""]) and len(s.stored) == SUBMITS),
    "ack-though-lost": ({}, lambda s: all(f.data[2].startswith("33710000") for f in s.results) and not s.stored),
    "result-without-stamp": ({}, lambda s: all_contain(s.results, ["A", "", ""]) and len(s.stored) == SUBMITS),
    "short-result": ({}, lambda s: {len(frame.data) for frame in s.results} == {2}),
    "stray-result": ({}, lambda s: len(s.results) == 2 * SUBMITS and {"51", "62"} <= set(trns(s.results))),
    "early-notification": ({}, early),
    "late-notification": ({"delay_s": 3}, lambda s: min(s.at("O", "53").values()) >= 4 and len(s.notices) == SUBMITS),
    "double-notification": ({}, lambda s: trns(s.notices)[::2] == trns(s.notices)[1::2] and len(s.notices) > SUBMITS),
    "lost-notification": ({}, lambda s: not s.notices and not s.unacknowledged),
    "wrong-stamp": ({}, stamps_a_year_late),
    "reordered-notifications": ({}, lambda s: sorted(trns(s.notices)) != trns(s.notices) and not s.unacknowledged),
    "short-notification": ({}, lambda s: {len(frame.data) for frame in s.notices} == {32}),
    "mo-flood": ({"per_s": 20}, lambda s: 380 <= len(s.of("O", "52")) <= 400),
    "mo-at-full-window": ({}, lambda s: before(s, lambda f: f.ot == "52", lambda f: f.ot == "51")),
    "unknown-operation": ({}, lambda s: len(s.of("O", "59")) >= SUBMITS),
    "alert-to-client": ({}, lambda s: len(s.of("O", "31")) >= SUBMITS),
    "bad-checksum": ({"ot": "51"}, lambda s: s.errors == {"checksum": SUBMITS}),
    "wrong-length": ({"ot": "51"}, lambda s: s.errors == {"length": SUBMITS}),
    "high-octet": ({"ot": "51"}, lambda s: s.errors == {"not-ascii": SUBMITS}),
    "cut-frame": ({"ot": "51"}, lambda s: s.errors == {"truncated": SUBMITS} and not s.results),
    "endless-frame": ({"ot": "51"}, lambda s: s.errors["too-long"] == SUBMITS == len(s.results)),
    "garbage": ({"ot": "51"}, lambda s: s.errors == {"garbage": SUBMITS} and len(s.results) == SUBMITS),
    "line-ends": ({"ot": "51"}, lambda s: s.errors == {"line-ends": SUBMITS} and len(s.results) == SUBMITS),
    "small-segments": ({"ot": "51"}, by_octet),
    "merged-segments": ({}, lambda s: max(octets.count(ETX) for _, octets in s.reads) >= 2 * BURST),
    "slow-write": ({"ot": "51"}, slow),
    "login-refused": ({"ec": "07"}, lambda s: s.of("R", "60")[0].data[:2] == ["N", "07"]),
    "login-unanswered": ({}, lambda s: not s.of("R", "60") and not s.stored),
    "alert-unanswered": ({}, lambda s: not s.of("R", "31") and len(s.of("R", "60")) == 1),
    "half-open": ({"after": 3}, lambda s: (len(s.frames), s.lost, s.sessions) == (3, [], [])),
    "reset": ({"after": 3}, lambda s: len(s.frames) == 3 and isinstance(s.lost[0], ConnectionResetError)),
    "hang-up": ({"after": 3}, lambda s: (len(s.frames), s.lost, s.probe.framer.pending) == (3, [None], b"")),
    "cut-off": ({"after": 3}, lambda s: (len(s.frames), s.lost, s.probe.framer.pending[:3]) == (3, [None], b"\x0202")),
    "slow-read": ({"octets_per_s": 100}, lambda s: max(s.late()) > 5),
    "accept-close": ({}, lambda s: s.lost == [None] and not s.frames),
    "accept-reset": ({}, lambda s: bool(s.lost) and isinstance(s.lost[0], ConnectionResetError) and not s.frames),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_the_effect_in_its_sentence(name: str) -> None:
    parameters, shows = SHOWS[name]
    assert shows(seen(FaultConfig(name, **parameters)))


@pytest.mark.parametrize("name", FAULTS)
def test_without_the_fault_its_effect_does_not_occur(name: str) -> None:
    assert not SHOWS[name][1](seen())
    assert not SHOWS[name][1](seen(FaultConfig(name, share=0.0)))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_recorded_before_it_takes_effect(name: str) -> None:
    ran = seen(FaultConfig(name, **SHOWS[name][0]))
    began, *applied = [row for row in ran.events if row[1:3] == ("fault", name)]
    assert '"what":"begins"' in began[4]
    assert began[0] <= ran.wire[0][0]
    assert applied
    assert all('"line":' in row[4] for row in applied)
    assert not [row for row in seen(FaultConfig(name, share=0.0)).events if '"line"' in row[4]]


@pytest.mark.parametrize("ec", ERROR_CODES)
def test_a_submit_is_refused_with_each_error_code(ec: str) -> None:
    assert all_contain(seen(FaultConfig("nack", ec=ec)).results, ["N", ec, ""])


def test_of_two_faults_the_second_acts_on_the_output_of_the_first() -> None:
    ran = seen(FaultConfig("double-result", delay_s=2), FaultConfig("bad-checksum", ot="51"))
    assert ran.errors == {"checksum": 2 * SUBMITS}
    late = [at for at, item in ran.probe.items if isinstance(item, WireError)]
    assert max(late) - min(late) > 2
    turned = seen(FaultConfig("bad-checksum", ot="51"), FaultConfig("double-result", delay_s=2))
    assert turned.errors == {"checksum": SUBMITS}  # what is not a valid frame any more is no result to be doubled


def test_slowly_written_octets_are_not_mixed_with_later_ones() -> None:
    ran = seen(FaultConfig("slow-write", ot="51", octets_per_s=400), FaultConfig("unknown-operation"))
    assert not ran.errors
    assert len(ran.results) == len(ran.notices) == SUBMITS


@pytest.mark.parametrize("name", ["late-result", "garbage", "reset", "mo-flood", "login-refused", "small-segments"])
def test_the_same_seed_gives_the_same_octets(name: str) -> None:
    fault = FaultConfig(name, share=0.4)
    first = seen(fault, seed=5).reads
    seen.cache_clear()
    assert seen(fault, seed=5).reads == first


def test_another_seed_affects_other_frames() -> None:
    hit = {tuple(trns(seen(FaultConfig("no-result", share=0.5), seed=seed).results)) for seed in range(4)}
    assert len(hit) > 2
    assert all(0 < len(results) < SUBMITS for results in hit)


def test_two_faults_of_one_name_draw_independently() -> None:
    one = FaultConfig("no-result", share=0.5)
    assert len(seen(one, one).results) < len(seen(one).results)


def test_a_fault_lasts_from_its_beginning_to_its_end() -> None:
    ran = seen(FaultConfig("no-result", from_s=1.5, for_s=0.6))
    assert trns(ran.results) == [f"{trn:02d}" for trn in range(1, SUBMITS + 1) if trn != 11]
    (began, until), (ended, _) = [
        (row[0], row[3]) for row in ran.events if '"line"' not in row[4] and row[1] == "fault"
    ]
    assert (until - began, ended - began) == (600_000, pytest.approx(600_000, abs=2_000))
    assert (began - MONDAY) / 1e6 == pytest.approx(1.5, abs=0.002)
