from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.client import messages as m
from simbench.client.core import Core
from simbench.ucp.content import message_text, read
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, encode
from tests.client.peer import (
    CODE,
    CONFIG,
    MONDAY_10H,
    PASSWORD,
    Smsc,
    Wire,
    logged_in,
    message,
    mobile,
    notification,
    operation_5x,
    recipient,
    result,
)
from tests.paris import parse_minute
from tests.steps import steps_of


def mute(asked: Frame) -> bytes | None:
    return None if asked.ot == "51" else Smsc()(asked)


def refusing(ec: str) -> object:
    return lambda asked: result(asked, f"N/{ec}//") if asked.ot == "51" else Smsc()(asked)


def test_it_logs_in_with_its_short_number_and_an_encoded_password() -> None:
    login = Wire(Core(replace(CONFIG, password=PASSWORD + "_@"))).run(0.1).frames("60")[0]
    assert login.trn == "00"
    assert login.data == [CODE, "6", "5", "1", "7333637265741100", "", "0100", "", "", "", "", ""]


def test_nothing_but_the_login_leaves_before_its_result() -> None:
    wire = Wire(Core(CONFIG), latency_us=3 * SECOND_US).submit(message(1)).run(2.9)
    assert [item.ot for _, item in wire.written] == ["60"]
    wire.run(1)
    assert [item.ot for _, item in wire.written] == ["60", "31", "51"]


def test_an_alert_follows_the_login_and_every_keepalive_interval_of_silence() -> None:
    wire = logged_in().run(175)
    assert [at - MONDAY_10H for at in wire.times("31")] == [0, 50 * SECOND_US, 100 * SECOND_US, 150 * SECOND_US]
    assert wire.frames("31")[0].data == [CODE, "0539"]


def test_traffic_is_no_silence() -> None:
    wire = logged_in()
    for number in range(10):
        wire.submit(message(number)).run(30)
    assert len(wire.times("31")) == 1


def test_a_submit_asks_for_its_final_notification_and_limits_its_validity() -> None:
    data = logged_in().submit(replace(message(7), validity_s=3 * 3600)).run(1).frames("51")[0].data
    assert (data[At.ADC], data[At.OADC], data[At.NRQ], data[At.NT]) == (recipient(7), CODE, "1", "3")
    assert parse_minute(data[At.VP]) == MONDAY_10H + 3 * HOUR_US
    assert len(data) == 33


def test_a_text_crosses_the_wire_unchanged() -> None:
    wire = logged_in().submit(replace(message(1), text="Réduction de 20 % à 5 €"), replace(message(2), text="Noël ç"))
    assert [message_text(frame) for frame in wire.run(1).frames("51")] == ["Réduction de 20 % à 5 €", "Noël ç"]


def test_a_long_text_travels_as_parts_of_one_reference_and_is_accepted_once_complete() -> None:
    wire = logged_in().submit(replace(message(1), text="abc " * 100), replace(message(2), text="def " * 100)).run(2)
    places = [read(frame.data).concatenation for frame in wire.frames("51")]
    assert [(place.ref, place.total, place.sequence) for place in places if place] == [
        *((1, 3, 1), (1, 3, 2), (1, 3, 3)),
        *((2, 3, 1), (2, 3, 2), (2, 3, 3)),
    ]
    assert [event.complete for event in wire.events(m.Accepted)] == [False, False, True] * 2


@pytest.mark.parametrize("window", [1, 2, 10, 100])
def test_the_window_is_filled_and_never_exceeded(window: int) -> None:
    config = replace(CONFIG, rate_per_s=1_000, window=window)
    wire = logged_in(config, latency_us=300_000).run(1)
    wire.submit(*(message(number) for number in range(500))).run(5)
    assert wire.most_outstanding == window


def test_a_result_makes_its_message_accepted_under_its_time_stamp() -> None:
    wire = logged_in().submit(message(1)).run(1)
    assert wire.events(m.Accepted) == [m.Accepted("m1", 1, "150626100001", MONDAY_10H + 1_000, True)]


def test_results_may_come_in_any_order() -> None:
    asked: list[Frame] = []
    wire = logged_in(replace(CONFIG, rate_per_s=100))
    wire.reply = asked.append  # answers nothing yet
    wire.submit(message(1), message(2), message(3)).run(0.1)
    for number in (2, 0, 1):
        wire.say(result(asked[number], f"A//{asked[number].data[0]}:15062610000{number}/"))
    assert [event.token for event in wire.events(m.Accepted)] == ["m3", "m1", "m2"]


def test_not_allowed_now_is_tried_again_ever_later_until_validity_ends() -> None:
    wire = logged_in(reply=refusing("04")).submit(replace(message(1), validity_s=100)).run(300)
    waits = [late - early for early, late in zip(wire.times("51"), wire.times("51")[1:], strict=False)]
    assert waits == [seconds * SECOND_US for seconds in (1, 2, 5, 10, 30, 30)]
    assert [event.final for event in wire.events(m.Refused)] == [False] * 6 + [True]


@pytest.mark.parametrize("ec", ["02", "03", "05", "06", "07", "22", "23", "24"])
def test_a_refusal_for_good_is_final(ec: str) -> None:
    wire = logged_in(reply=refusing(ec)).submit(message(1)).run(600)
    assert wire.events(m.Refused) == [m.Refused("m1", 1, ec, True)]
    assert len(wire.frames("51")) == 1


def test_the_parts_after_a_refused_one_do_not_leave() -> None:
    wire = logged_in(replace(CONFIG, window=1), reply=refusing("24")).submit(replace(message(1), text="a" * 500))
    assert len(wire.run(60).frames("51")) == 1


def test_without_a_result_in_time_it_reconnects_and_sends_again() -> None:
    wire = logged_in(replace(CONFIG, result_timer_s=30.0), reply=mute).submit(message(1), message(2)).run(29)
    assert len(wire.dials) == 1
    wire.reply = Smsc()
    wire.run(5)
    assert [event.reason for event in wire.events(m.Close)] == ["no result in time"]
    assert [event.token for event in wire.events(m.Doubtful)] == ["m1", "m2"]
    assert [event.token for event in wire.events(m.Accepted)] == ["m1", "m2"]
    assert len(wire.frames("51")) == 4


def test_a_connection_that_never_comes_about_is_given_up() -> None:
    core = Core(CONFIG)
    core.advance(MONDAY_10H)
    assert core.next_deadline() == MONDAY_10H + MINUTE_US
    core.advance(MONDAY_10H + MINUTE_US)
    assert isinstance(core.events()[-1], m.Close)
    assert core.next_deadline() < MONDAY_10H + 62 * SECOND_US


def test_what_a_lost_connection_took_goes_first_and_in_order() -> None:
    wire = logged_in(replace(CONFIG, rate_per_s=2), reply=mute)
    wire.submit(*(message(number) for number in range(6))).run(1.6)
    assert len(wire.frames("51")) == 4
    wire.written.clear()
    wire.reply = Smsc()
    wire.cut().run(10)
    assert [frame.data[At.ADC] for frame in wire.frames("51")] == [recipient(number) for number in range(6)]


def test_what_is_known_received_is_never_sent_again() -> None:
    wire = logged_in(replace(CONFIG, rate_per_s=100, reconnect_first_s=0.1), latency_us=30_000)
    wire.submit(*(message(number) for number in range(200)))
    known: set[str] = set()
    for _ in range(12):
        wire.written.clear()
        wire.run(0.4)
        assert not known & {frame.data[At.ADC] for frame in wire.frames("51")}
        known |= {recipient(int(event.token[1:])) for event in wire.events(m.Accepted)}
        wire.cut()
    wire.run(5)
    assert len(wire.events(m.Accepted)) == 200


def test_reconnection_backs_off_by_doubling_up_to_the_maximum_with_jitter() -> None:
    wire = logged_in().cut(up=False).run(400)
    waits = [(late - early) / SECOND_US for early, late in zip(wire.dials, wire.dials[1:], strict=False)]
    for wait, longest in zip(waits, [1, 2, 4, 8, 16, *[30] * 20], strict=False):
        assert longest * 0.75 <= wait <= longest + 0.01
    assert len(set(waits)) == len(waits)


def test_jitter_is_a_function_of_seed_and_attempt() -> None:
    def waits(seed: int) -> list[int]:
        return logged_in(replace(CONFIG, seed=seed)).cut(up=False).run(60).dials

    assert waits(1) == waits(1)
    assert waits(1) != waits(2)


def test_a_successful_login_ends_the_backing_off() -> None:
    wire = logged_in().cut(up=False).run(60)
    wire.up = True
    wire.run(30).cut().run(2)
    assert wire.dials[-1] - (wire.now - 2 * SECOND_US) <= SECOND_US


def test_a_refused_login_closes_and_backs_off() -> None:
    wire = Wire(Core(CONFIG), reply=lambda asked: result(asked, "N/07//")).submit(message(1)).run(20)
    assert {event.reason for event in wire.events(m.Close)} == {"login refused, 07"}
    assert 4 <= len(wire.dials) <= 6
    assert not wire.frames("51")


def test_a_notification_finds_its_message_by_recipient_and_time_stamp() -> None:
    wire = logged_in().submit(message(1), message(2)).run(1)
    first, second = (event.scts for event in wire.events(m.Accepted))
    wire.say(notification(recipient(2), second, "2", "101", trn="41"))
    wire.say(notification("0033" + recipient(1)[2:], first, trn="42"))
    assert wire.events(m.Undelivered) == [m.Undelivered("m2", "101")]
    assert wire.events(m.Delivered) == [m.Delivered("m1", "000")]
    assert [frame.trn for frame in wire.frames("53", "R")] == ["41", "42"]
    assert wire.frames("53", "R")[0].data == ["A", "", f"{recipient(2)}:{second}"]


def test_a_repeated_notification_is_answered_and_not_reported_again() -> None:
    wire = logged_in().submit(message(1)).run(1)
    for _ in range(3):
        wire.say(notification(recipient(1), "150626100001"))
    assert len(wire.events(m.Delivered)) == 1
    assert wire.core.receipts.duplicates == 2
    assert len(wire.frames("53", "R")) == 3


def test_an_unknown_notification_is_answered_and_counted() -> None:
    wire = logged_in().say(notification(recipient(1), "150626100001"))
    assert wire.core.receipts.unknown == 1
    assert wire.frames("53", "R")[0].data[0] == "A"


def test_a_notification_that_overtakes_its_result_is_not_lost() -> None:
    wire = logged_in().say(notification(recipient(1), "150626100001")).submit(message(1)).run(1)
    assert wire.events(m.Delivered) == [m.Delivered("m1", "000")]
    assert wire.core.receipts.unknown == 0


def test_a_buffered_message_may_still_be_delivered() -> None:
    wire = logged_in().submit(message(1)).run(1)
    wire.say(notification(recipient(1), "150626100001", "1", "107")).say(notification(recipient(1), "150626100001"))
    assert wire.events(m.Buffered) == [m.Buffered("m1", "107")]
    assert wire.events(m.Delivered) == [m.Delivered("m1", "000")]


def test_a_long_message_is_delivered_with_its_last_part() -> None:
    wire = logged_in().submit(replace(message(1), text="a" * 300)).run(1)
    first, second = (event.scts for event in wire.events(m.Accepted))
    wire.say(notification(recipient(1), second))
    assert not wire.events(m.Delivered)
    wire.say(notification(recipient(1), first))
    assert wire.events(m.Delivered) == [m.Delivered("m1", "000")]


def test_a_mobile_originated_message_is_reported_and_answered() -> None:
    wire = logged_in().say(mobile(recipient(3), "Bonjour", trn="07"))
    assert wire.events(m.MoReceived) == [m.MoReceived(recipient(3), CODE, "Bonjour", "150626100000")]
    assert (wire.frames("52", "R")[0].trn, wire.frames("52", "R")[0].data) == ("07", ["A", "", f"{CODE}:150626100000"])


def test_the_old_form_of_delivery_is_understood() -> None:
    wire = logged_in().say(encode("05", "O", "01", f"{CODE}/{recipient(3)}//3/53544F50/"))
    assert wire.events(m.MoReceived)[0].text == "STOP"
    assert wire.frames("01", "R")[0].data == ["A", ""]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (encode("31", "O", "31", f"{CODE}/0539/"), "31/00023/R/31/A/0000/"),
        (operation_5x("57", "32", adc=CODE, mt="3"), "32/00020/R/57/A///"),
        (operation_5x("58", "33", adc=CODE, mt="3"), "33/00020/R/58/A///"),
        (encode("34", "O", "99", "1/"), "34/00022/R/99/N/03//"),
        (encode("35", "O", "51", "1/" * 33), "35/00022/R/51/N/03//"),
        (encode("36", "O", "53", "1/" * 32), "36/00022/R/53/N/02//"),
        (notification(recipient(1), "150626100001", "7", trn="38"), "38/00022/R/53/N/02//"),
        (notification(recipient(1), "", trn="39"), "39/00022/R/53/N/02//"),
        (encode("37", "O", "52", "1/" * 33)[:-3] + b"00\x03", "37/00022/R/52/N/01//"),
    ],
)
def test_every_operation_of_the_smsc_is_answered_at_once(asked: bytes, answer: str) -> None:
    wire = logged_in()
    wire.written.clear()
    wire.say(asked)
    [(at, item)] = wire.written
    assert at == wire.now
    assert item.octets[1:-3].decode() == answer


def test_it_answers_before_it_is_logged_in() -> None:
    wire = Wire(Core(CONFIG), reply=lambda _: None).run(1)
    wire.say(mobile(recipient(3), "Bonjour"))
    assert len(wire.frames("52", "R")) == 1


def test_a_broken_header_is_counted_and_not_answered() -> None:
    wire = logged_in()
    wire.written.clear()
    wire.say(b"\x02nonsense\x03")
    assert wire.core.counts["header"] == 1
    assert not wire.written


def test_a_result_nobody_waits_for_is_counted() -> None:
    wire = logged_in().say(encode("77", "R", "51", "A///")).say(encode("77", "R", "51", "X/"))
    assert (wire.core.counts["stray result"], wire.core.counts["illegible result"]) == (1, 1)


def test_a_clock_that_goes_back_is_clamped_and_counted() -> None:
    wire = logged_in()
    wire.core.submit(message(1), MONDAY_10H - SECOND_US)
    assert wire.core.events()[-1] == m.Sent("m1", 1, MONDAY_10H)
    assert wire.core.counts["clock went back"] == 1


def test_a_text_that_no_message_can_hold_is_withheld() -> None:
    wire = logged_in().submit(replace(message(1), text="x" * 50_000), replace(message(2), text="\ud800"))
    assert [event.reason for event in wire.events(m.Withheld)] == ["text cannot be sent"] * 2
    assert len(wire.events(m.Queued)) == 2


def test_a_core_that_drains_sends_nothing_more_and_does_not_reconnect() -> None:
    wire = logged_in()
    wire.core.draining = True
    wire.submit(message(1)).run(1).cut().run(100)
    assert not wire.frames("51")
    assert len(wire.dials) == 1


def test_the_work_grows_with_the_number_of_messages() -> None:
    def sent(count: int) -> None:
        wire = logged_in(replace(CONFIG, rate_per_s=1_000)).submit(*(message(number) for number in range(count))).run(2)
        assert len(wire.events(m.Accepted)) == count

    sent(1)  # whatever is loaded once is loaded
    few, many = steps_of(lambda: sent(100)), steps_of(lambda: sent(800))
    assert many < 9 * few


PIECES = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda trn, kind, ot, fields: encode(trn, kind, f"{ot:02d}", "".join(field + "/" for field in fields)),
        st.integers(0, 99),
        st.sampled_from("OR"),
        st.sampled_from([1, 2, 30, 31, 51, 52, 53, 57, 58, 60, 61, 99]),
        st.lists(st.text("AN0123456789:FX\x1b", max_size=14), max_size=36),
    ),
    st.builds(
        lambda ot, values: operation_5x(ot, "00", **values),
        st.sampled_from(["52", "53"]),
        st.dictionaries(
            st.sampled_from(["adc", "oadc", "scts", "dst", "rsn", "mt", "nb", "msg", "xser"]),
            st.text("0123456789ABCDEFSTOP:", max_size=14),
        ),
    ),
)


@given(st.lists(st.tuples(PIECES, st.integers(0, 70 * SECOND_US)), max_size=12))
def test_whatever_the_server_writes_nothing_is_raised_and_what_is_written_is_sound(
    pieces: list[tuple[bytes, int]],
) -> None:
    wire = Wire(Core(CONFIG), reply=lambda asked: Smsc()(asked) if asked.ot == "60" else None).run(0.1)
    wire.submit(message(1), message(2), replace(message(3), text="a" * 400))
    for octets, pause in pieces:
        wire.say(octets).run(pause / SECOND_US)
    assert not wire.errors()


@given(st.binary(max_size=400), st.lists(st.integers(1, 400), max_size=5))
def test_how_the_stream_is_cut_changes_nothing(noise: bytes, cuts: list[int]) -> None:
    stream = mobile(recipient(1), "Bonjour") + noise + b"\x03" + notification(recipient(2), "150626100001")
    whole, cut = logged_in(), logged_in()
    whole.say(stream)
    borders = sorted({0, len(stream), *(place % len(stream) for place in cuts)})
    for start, end in pairwise(borders):
        cut.say(stream[start:end])
    assert [item for _, item in cut.written] == [item for _, item in whole.written]
    assert cut.happened == whole.happened
