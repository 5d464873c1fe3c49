from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.client import messages as m
from simbench.client.core import Core
from simbench.client.faults import FAULTS, faulty
from simbench.rules.rule import load
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer
from tests.client.peer import CODE, CONFIG, Smsc, Wire, message, mobile, notification, recipient, result
from tests.paris import instant

WIDE = replace(CONFIG, window=100)
Make = Callable[[m.LinkConfig], Core]


def many(count: int) -> list[m.Outgoing]:
    return [message(number) for number in range(count)]


def crowded(times: list[int], rate: int) -> bool:
    return any(late - early < SECOND_US for early, late in zip(times, times[rate:], strict=False))


def started(make: Make, config: m.LinkConfig = CONFIG, **how: object) -> Wire:
    return Wire(make(config), **how).run(0.1)  # type: ignore[arg-type]  # by name


def exceeds_its_tier(make: Make) -> bool:
    return crowded(started(make, WIDE).submit(*many(150)).run(5).times("51"), 10)


def bursts(make: Make) -> bool:
    times = started(make, WIDE).submit(*many(150)).run(5).times("51")
    return times.count(times[0]) == 12


def bursts_after_return(make: Make) -> bool:
    wire = started(make, WIDE).submit(*many(30)).run(1)
    before = crowded(wire.times("51"), 10)
    return not before and crowded(wire.cut().run(5).times("51"), 10)


def is_silent(make: Make) -> bool:
    return not started(make).run(200).times("31")


def submits_before_login(make: Make) -> bool:
    wire = Wire(make(CONFIG), latency_us=2 * SECOND_US).submit(message(1)).run(1)
    return bool(wire.times("51"))


def writes(error: str) -> Callable[[Make], bool]:
    return lambda make: error in started(make).submit(*many(30)).run(10).errors()


def miscounts_its_fields(make: Make) -> bool:
    wire = started(make).submit(*many(30)).run(10)
    return any(len(frame.data) != 33 for frame in wire.frames("51"))


def overfills_its_window(make: Make) -> bool:
    config = replace(CONFIG, rate_per_s=100)
    return started(make, config, latency_us=SECOND_US // 2).submit(*many(100)).run(2).most_outstanding > config.window


def reuses_a_trn(make: Make) -> bool:
    wire = started(make, replace(CONFIG, rate_per_s=100), latency_us=SECOND_US // 2).submit(*many(50)).run(1.2)
    trns = [frame.trn for frame in wire.frames("51")]
    return len(set(trns)) < len(trns)


def sends_twice_what_was_accepted(make: Make) -> bool:
    wire = started(make).submit(*many(5)).run(2).cut().run(10)
    return len(wire.frames("51")) > 5


def forgets(make: Make) -> bool:
    wire = started(make, reply=lambda asked: None if asked.ot == "51" else Smsc()(asked))
    wire.submit(*many(5)).run(2)
    wire.reply = Smsc()
    return len(wire.cut().run(10).events(m.Accepted)) < 5


def dials(make: Make) -> int:
    return len(started(make).cut(up=False).run(20).dials)


def acknowledged(make: Make) -> list[str]:
    return [frame.trn for frame in started(make).say(notification(recipient(1), "1" * 12, trn="41")).frames("53", "R")]


def insists(make: Make) -> bool:
    friendly = Smsc()
    wire = started(make, reply=lambda asked: result(asked, "N/06//") if asked.ot == "51" else friendly(asked))
    return len(wire.submit(message(1)).run(60).frames("51")) > 1


def alters_its_sender(make: Make) -> bool:
    return started(make).submit(message(1)).run(1).frames("51")[0].data[At.OADC] != CODE


def markets_after_a_stop(make: Make) -> bool:
    wire = started(make).say(mobile(recipient(1), "STOP")).submit(message(1, traffic_class="marketing", brand="b"))
    return bool(wire.run(1).frames("51"))


def markets_at_night(make: Make) -> bool:
    wire = started(make, start=instant(2026, 6, 15, 23)).submit(message(1, traffic_class="marketing", brand="b"))
    return bool(wire.run(1).frames("51"))


def serves_the_unserved(make: Make) -> bool:
    wire = started(make, replace(CONFIG, served_only=lambda *_: "sfr")).submit(message(1))
    return bool(wire.run(1).frames("51"))


def sends_from_anywhere(make: Make) -> bool:
    wire = started(make).submit(replace(message(1), oadc="36999"))
    return bool(wire.run(1).frames("51"))


MISBEHAVIOUR: dict[str, Callable[[Make], bool]] = {
    "no-pacing": exceeds_its_tier,
    "fast-1-percent": exceeds_its_tier,
    "burst": bursts,
    "bursts-after-return": bursts_after_return,
    "no-keepalive": is_silent,
    "submit-before-login": submits_before_login,
    "bad-checksum": writes("checksum"),
    "bad-length": writes("length"),
    "missing-field": miscounts_its_fields,
    "extra-field": miscounts_its_fields,
    "hex-trn": writes("header"),
    "lower-case": writes("lower-case-checksum"),
    "line-ends": writes("line-ends"),
    "ignores-window": overfills_its_window,
    "reuses-trn": reuses_a_trn,
    "resend-known-received": sends_twice_what_was_accepted,
    "forgets-on-reconnect": forgets,
    "reconnect-storm": lambda make: dials(make) > 100,
    "never-reconnects": lambda make: dials(make) == 1,
    "no-ack-53": lambda make: acknowledged(make) == [],
    "wrong-trn-ack": lambda make: acknowledged(make) == ["42"],
    "retries-final-nack": insists,
    "alters-oadc": alters_its_sender,
    "ignores-stop": markets_after_a_stop,
    "ignores-quiet-hours": markets_at_night,
    "sends-to-anyone": serves_the_unserved,
    "sends-any-oadc": sends_from_anywhere,
}


def test_every_fault_is_shown_here_or_by_the_exercise_it_is_planted_in() -> None:
    planted = {fault for rule in load("client").values() for fault in rule.catches}
    assert set(FAULTS) <= set(MISBEHAVIOUR) | planted


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_a_fault_shows_and_the_correct_core_is_free_of_it(name: str) -> None:
    misbehaves = MISBEHAVIOUR[name]
    assert misbehaves(faulty([name]))
    assert not misbehaves(Core)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_described_in_one_sentence(name: str) -> None:
    sentence = FAULTS[name].__doc__ or ""
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", FAULTS)
def test_apart_from_its_fault_a_core_still_works(name: str) -> None:
    wire = started(faulty([name])).submit(*many(5)).run(5)
    assert len(wire.events(m.Accepted)) == 5


def test_one_percent_too_fast_is_one_percent() -> None:
    wire = started(faulty(["fast-1-percent"]), replace(WIDE, rate_per_s=100)).submit(*many(11_000)).run(100)
    assert len(wire.times("51")) == pytest.approx(10_100, abs=2)


def test_bursts_keep_the_mean_rate() -> None:
    wire = started(faulty(["burst"]), WIDE).submit(*many(700)).run(60)
    assert len(wire.times("51")) == pytest.approx(600, abs=12)


def test_faults_combine() -> None:
    wire = started(faulty(["alters-oadc", "bad-checksum", "no-keepalive"])).submit(*many(30)).run(10)
    assert {frame.data[At.OADC] for frame in wire.frames("51")} == {CODE + "1"}
    assert "checksum" in wire.errors()
    assert not wire.times("31")


def test_a_wrong_length_has_the_checksum_of_what_is_written() -> None:
    octets = next(
        item.octets
        for _, item in started(faulty(["bad-length"])).submit(*many(30)).run(10).written
        if not isinstance(item, Frame)
    )
    length = b"%05d" % (int(octets[4:9]) - 1)
    summed = (sum(octets[1:-3]) - octets[8] + length[4]) % 256 if octets[8] != 0x30 else None
    if summed is not None:
        [item] = Framer().feed(octets[:4] + length + octets[9:-3] + b"%02X\x03" % summed)
        assert isinstance(item, Frame)


def test_an_unknown_fault_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="'no-such-fault' is not a fault"):
        faulty(["bad-checksum", "no-such-fault"])
