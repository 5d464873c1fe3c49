from __future__ import annotations

import pytest
from msgspec.structs import replace

from simbench.base.units import SECOND_US
from simbench.client import messages as m
from simbench.client.compliance import StopList, is_stop
from simbench.client.core import Core
from simbench.ucp.alphabet import decode_oadc
from simbench.ucp.fields import At
from tests.client.peer import CODE, CONFIG, MONDAY_10H, Smsc, Wire, logged_in, message, mobile, recipient
from tests.paris import PLAN, instant

MARKETING = {"traffic_class": "marketing", "brand": "Chaussures Dupont"}


@pytest.mark.parametrize(
    "text",
    [
        *("STOP", "stop", "Stop", " STOP ", "STOP.", "STOP!", "«STOP»", "Stop. Merci", "STOP 36010", "STOP36010"),
        *("stop au 36010", "stop\n", "STOP SMS", "stopsms", "StopPub", "S T O P", "s.t.o.p.", "...stop svp", "stóp"),
        *("STOP, je ne veux plus de messages", "＂STOP＂"),
    ],
)
def test_an_opt_out_is_recognised_however_it_is_written(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text", ["", "OUI", "non-stop", "Stopper", "Oui, 36010", "ne pas STOP", "st op", "ST0P", "S", "tops", "CONTACT"]
)
def test_other_texts_are_no_opt_out(text: str) -> None:
    assert not is_stop(text)


def test_marketing_to_one_who_opted_out_is_withheld_and_other_traffic_passes() -> None:
    wire = logged_in().say(mobile(recipient(1), "Stop. Merci"))
    wire.submit(message(1, **MARKETING), replace(message(1), token="code"), message(2, **MARKETING)).run(1)
    assert wire.events(m.Withheld) == [m.Withheld("m1", "recipient opted out")]
    assert [frame.data[At.ADC] for frame in wire.frames("51")] == [recipient(1), recipient(2)]


def test_an_opt_out_stops_what_is_already_queued_and_what_is_doubtful() -> None:
    wire = logged_in(reply=lambda asked: None if asked.ot == "51" else Smsc()(asked))
    wire.submit(*(message(number, **MARKETING) for number in range(3))).run(0.15)
    assert len(wire.frames("51")) == 2
    wire.say(mobile(recipient(0), "STOP")).say(mobile(recipient(2), "STOP")).run(200)
    assert [event.token for event in wire.events(m.Withheld)] == ["m2", "m0"]
    assert [frame.data[At.ADC] for frame in wire.frames("51")].count(recipient(0)) == 1


def test_the_prefix_a_number_is_written_with_does_not_matter() -> None:
    wire = logged_in().say(mobile("0639980001", "STOP")).submit(message(1, **MARKETING)).run(1)
    assert len(wire.events(m.Withheld)) == 1


def test_a_brand_is_stopped_on_all_its_codes() -> None:
    stops = StopList(PLAN)
    here, there = Core(CONFIG, stops), Core(replace(CONFIG, code="36020", account="36020"), stops)
    one, other = Wire(here).run(0.1), Wire(there).run(0.1)
    one.submit(message(9, **MARKETING)).run(1).say(mobile(recipient(1), "STOP"))
    other.submit(message(1, **MARKETING), replace(message(1, **MARKETING), token="rival", brand="Pulls Durand")).run(1)
    assert [event.token for event in other.events(m.Withheld)] == ["m1"]
    assert one.events(m.Stopped) == [m.Stopped(recipient(1), (CODE, "Chaussures Dupont"))]


def test_an_opt_out_kept_by_nine_digits_still_counts() -> None:
    stops = StopList(PLAN, [(CODE, recipient(1)[-9:])])
    assert stops.blocks(CODE, "", recipient(1))
    assert not stops.blocks(CODE, "", recipient(2))


def test_the_same_last_nine_digits_in_two_countries_are_two_subscribers() -> None:
    stops = StopList(PLAN)
    stops.stop(CODE, "33639980012")
    assert not stops.blocks(CODE, "", "44639980012")


NIGHT = {  # asked at, leaves at
    "in the evening": ((2026, 6, 15, 22, 0, 0), (2026, 6, 16, 8)),
    "in the guarded last second": ((2026, 6, 15, 21, 59, 59), (2026, 6, 16, 8)),
    "before the morning": ((2026, 6, 16, 7, 59, 59), (2026, 6, 16, 8)),
    "on a Saturday night": ((2026, 6, 20, 23), (2026, 6, 22, 8)),
    "on a Sunday": ((2026, 6, 21, 12), (2026, 6, 22, 8)),
    "on a holiday": ((2026, 7, 14, 12), (2026, 7, 15, 8)),
    "across the change to summer time": ((2026, 3, 28, 22, 30), (2026, 3, 30, 8)),
    "across the change to winter time": ((2026, 10, 24, 22, 30), (2026, 10, 26, 8)),
    "over Christmas, which falls before a weekend": ((2026, 12, 24, 22, 30), (2026, 12, 26, 8)),
}


@pytest.mark.parametrize("case", NIGHT)
def test_marketing_waits_for_the_next_opening(case: str) -> None:
    asked, leaves = (instant(*moment) for moment in NIGHT[case])
    wire = Wire(Core(CONFIG), start=asked).submit(message(1, **MARKETING), message(2)).run(0.5)
    assert [frame.data[At.ADC] for frame in wire.frames("51")] == [recipient(2)]
    wire.run((leaves - wire.now) / SECOND_US + 1)
    assert wire.times("51")[1:] == [leaves]


@pytest.mark.parametrize("moment", [(2026, 6, 15, 8), (2026, 6, 15, 21, 59, 58), (2026, 6, 20, 21), (2026, 12, 26, 9)])
def test_marketing_leaves_at_once_within_its_hours(moment: tuple[int, ...]) -> None:
    wire = Wire(Core(CONFIG), start=instant(*moment)).submit(message(1, **MARKETING)).run(0.1)
    assert len(wire.frames("51")) == 1


def test_a_campaign_stops_at_ten_and_goes_on_at_eight_at_its_pace() -> None:
    evening = instant(2026, 6, 15, 21, 59, 50)
    wire = Wire(Core(CONFIG), start=evening)
    wire.submit(*(message(number, **MARKETING) for number in range(200))).run(11 * 3600)
    times = wire.times("51")
    closing, opening = instant(2026, 6, 15, 22) - SECOND_US, instant(2026, 6, 16, 8)
    assert len(times) == 200
    assert [at for at in times if closing <= at < opening] == []
    assert sum(at < closing for at in times) == 90
    assert all(late - early >= SECOND_US for early, late in zip(times, times[10:], strict=False))


@pytest.mark.parametrize("oadc", ["36011", "360100", "PROMO", "33639980000", "36010 "])
def test_another_sender_than_the_short_code_is_withheld(oadc: str) -> None:
    wire = logged_in().submit(message(1, oadc=oadc)).run(1)
    assert wire.events(m.Withheld) == [m.Withheld("m1", "sender is not the short code")]
    assert not wire.frames("51")


@pytest.mark.parametrize("oadc", [None, "", CODE])
def test_the_short_code_itself_is_no_other_sender(oadc: str | None) -> None:
    [frame] = logged_in().submit(message(1, oadc=oadc)).run(1).frames("51")
    assert (frame.data[At.OADC], frame.data[At.OTOA]) == (CODE, "")


@pytest.mark.parametrize("oadc", ["PROMO24", "A", "Chaussures1"])
def test_with_the_option_a_name_may_be_the_sender(oadc: str) -> None:
    [frame] = logged_in(replace(CONFIG, oadc_option=True)).submit(message(1, oadc=oadc)).run(1).frames("51")
    assert (decode_oadc(frame.data[At.OADC]), frame.data[At.OTOA]) == (oadc, "5039")


@pytest.mark.parametrize("oadc", ["36011", "Chaussures12", "PRO MO", "PROMO!", "É", "1" * 5])
def test_even_with_the_option_only_a_plain_name_may_be_the_sender(oadc: str) -> None:
    wire = logged_in(replace(CONFIG, oadc_option=True)).submit(message(1, oadc=oadc)).run(1)
    assert len(wire.events(m.Withheld)) == 1


@pytest.mark.parametrize("to", ["", "06 39 98 00 01", "+33639980001", "36/39", "alpha", "3" * 17, "٣" * 11])
def test_an_address_that_is_not_digits_is_withheld(to: str) -> None:
    wire = logged_in().submit(replace(message(1), recipient=to)).run(1)
    assert wire.events(m.Withheld) == [m.Withheld("m1", "malformed recipient")]
    assert wire.now > MONDAY_10H


def refused_to(to: str, **ported: str) -> str:
    config = replace(CONFIG, served_only=lambda msisdn, _: ported.get(msisdn))
    wire = logged_in(config).submit(replace(message(1), recipient=to)).run(1)
    assert len(wire.frames("51")) + len(wire.events(m.Withheld)) == 1
    return "".join(event.reason for event in wire.events(m.Withheld))


@pytest.mark.parametrize("to", ["33639980001", "0639980001", "0033639980001", "0715000000"])
def test_a_metropolitan_subscriber_of_orange_is_served(to: str) -> None:
    assert refused_to(to) == ""


def test_portability_decides_over_the_holder_of_the_range() -> None:
    assert refused_to("0639980001", **{"33639980001": "sfr"}) == "recipient is served by sfr"
    assert refused_to("0639986001") == "recipient is served by sfr"
    assert refused_to("0639986001", **{"33639986001": "orange"}) == ""


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("0199000001", "recipient is fixed"),
        ("0692999901", "recipient is overseas"),
        ("00262692999901", "recipient is overseas"),
        ("00447700900001", "recipient is foreign"),
        ("063998", "recipient is malformed"),
        ("0729000000", "recipient is served by nobody"),
    ],
)
def test_whoever_is_no_metropolitan_subscriber_of_orange_is_not_served(to: str, reason: str) -> None:
    assert refused_to(to) == reason


def test_a_recipient_ported_in_the_night_is_not_served_in_the_morning() -> None:
    midnight = instant(2026, 6, 16)
    config = replace(CONFIG, served_only=lambda _, at: "free" if at >= midnight else None)
    wire = Wire(Core(config), start=instant(2026, 6, 15, 23)).submit(message(1, **MARKETING)).run(12 * 3600)
    assert wire.events(m.Withheld) == [m.Withheld("m1", "recipient is served by free")]
    assert not wire.frames("51")
