"""The judge's own reading of the wire: frames to views, results to what they answer, captures, outages, grain."""

from __future__ import annotations

import pytest

from simbench.ucp.alphabet import encode_oadc
from simbench.ucp.frame import encode, encode_fields
from simbench.ucp.notifications import notification_body
from tests.rules.scene import (
    CODE,
    RECIPIENT,
    STAMP,
    Scene,
    accepted,
    alert,
    fields,
    login,
    mo,
    notice,
    submit,
    trace_of,
    us,
)

# Fields that hold something else ---------------------------------------------------------------------------------


def test_numbers_beyond_sixty_four_bits_are_no_numbers() -> None:
    trace = trace_of(
        [
            ("in", encode_fields(1, "O", "51", fields(ADC=RECIPIENT, OADC=CODE, NRQ="1", NT="9" * 30, MT="3"))),
            ("out", encode_fields(2, "O", "53", fields(ADC=CODE, OADC=RECIPIENT, DST="9" * 30, RSN="9" * 30, MT="3"))),
        ]
    )
    assert trace.submits.notify.tolist() == [0]
    assert (trace.notifications.outcome.tolist(), trace.notifications.reason.tolist()) == ([-1], [0])


@pytest.mark.parametrize(
    ("outcome", "reason", "read"), [("", "", (-1, 0)), ("X", "1x", (-1, 0)), ("2", "107", (2, 107))]
)
def test_an_outcome_that_is_no_digit_is_none(outcome: str, reason: str, read: tuple[int, int]) -> None:
    frame = encode_fields(1, "O", "53", fields(ADC=CODE, OADC=RECIPIENT, DST=outcome, RSN=reason, MT="3"))
    notices = trace_of([("out", frame)]).notifications
    assert (notices.outcome[0], notices.reason[0]) == read


def test_an_empty_result_is_a_result_of_no_sign() -> None:
    submits = trace_of([("in", submit(1)), ("out", encode("01", "R", "51", ""))]).submits
    assert (submits.ack[0], submits.ec[0]) == ("", "")
    assert submits.result_at[0] > submits.at[0]


@pytest.mark.parametrize(
    ("oadc", "otoa", "read"),
    [
        (encode_oadc("MARQUE"), "5039", ("MARQUE", True)),
        ("MARQUE", "5039", ("MARQUE", True)),
        ("0E5", "5039", ("0E5", True)),
        ("", "5039", ("", True)),
        (CODE, "", (CODE, False)),
    ],
)
def test_a_name_that_is_no_hexadecimal_stands_as_it_is(oadc: str, otoa: str, read: tuple[str, bool]) -> None:
    submits = trace_of([("in", submit(1, OAdC=oadc, OTOA=otoa))]).submits
    assert (submits.oadc[0], bool(submits.alphanumeric[0])) == read


# Results and what they answer ------------------------------------------------------------------------------------


def test_results_find_their_operation_by_number_and_type_in_any_order() -> None:
    """A result 31 under the number of a 51 is not what that number is about."""
    submits = trace_of(
        [
            ("in", b"".join(submit(number, f"#0000{number}") for number in (1, 2, 3, 4))),
            ("out", encode("03", "R", "51", "N/06/x/")),
            (
                "out",
                encode("02", "R", "31", "A/0000/") + encode("04", "R", "31", "A/0000/"),
            ),
            ("out", encode("01", "R", "51", f"A/0304261000/{RECIPIENT}:{STAMP}/") + accepted(4)),
        ]
    ).submits
    assert submits.token.tolist() == ["#00001", "#00002", "#00003", "#00004"]
    assert submits.ack.tolist() == ["A", "", "N", "A"]
    assert submits.ec.tolist() == ["", "", "06", ""]
    assert submits.scts.tolist() == [STAMP, "", "", STAMP]
    assert submits.mvp.tolist() == ["0304261000", "", "", ""]
    assert submits.result_at.tolist() == [us(1.03), -1, us(1.01), us(1.03)]


def test_a_result_on_another_connection_answers_nothing() -> None:
    scene = Scene().opened(0, 1).opened(0, 2).submit(1, 5, answer=None, session=1).result(2, 5, session=2)
    assert scene.trace().submits.ack.tolist() == [""]


def test_both_ends_number_their_own_operations() -> None:
    trace = trace_of(
        [
            ("in", submit(1)),
            ("out", notice(1)),
            ("out", accepted(1)),
            ("in", encode("01", "R", "53", "A///")),
        ]
    )
    assert trace.submits.ack.tolist() == trace.notifications.ack.tolist() == ["A"]
    assert set(trace.frames.problem.tolist()) == {""}


def test_notices_and_mo_are_paired_by_number_and_type() -> None:
    trace = trace_of(
        [
            ("out", notice(1) + mo(2)),
            ("in", encode("02", "R", "52", "A///")),
            ("in", encode("01", "R", "53", "N/02//")),
        ]
    )
    assert (trace.mo.ack.tolist(), trace.mo.text.tolist()) == (["A"], ["STOP"])
    assert (trace.notifications.ack.tolist(), trace.notifications.outcome.tolist()) == (["N"], [0])
    assert (trace.notifications.recipient[0], trace.notifications.scts[0]) == (RECIPIENT, STAMP)


def test_an_answer_of_the_wrong_type_or_number_is_a_problem() -> None:
    trace = trace_of(
        [("out", notice(1)), ("in", encode("01", "R", "52", "A///")), ("in", encode("02", "R", "53", "A///"))]
    )
    assert trace.notifications.result_at.tolist() == [-1]
    assert trace.frames.problem.tolist() == ["", *["answers nothing that was asked"] * 2]


@pytest.mark.parametrize("again", [submit(1, "#00002"), alert(1), login(trn=1)])
def test_a_number_used_again_while_it_is_open_is_a_problem(again: bytes) -> None:
    assert trace_of([("in", submit(1, "#00001")), ("in", again)]).frames.problem.tolist() == ["", "TRN in use"]


def test_a_number_used_again_once_it_was_answered_is_none() -> None:
    answered = accepted(1)
    trace = trace_of([("in", submit(1)), ("out", answered), ("in", submit(1)), ("out", answered)])
    assert set(trace.frames.problem.tolist()) == {""}
    assert trace.submits.ack.tolist() == ["A", "A"]


def test_the_one_result_of_a_number_used_twice_belongs_to_the_first() -> None:
    """The SMSC discards an operation with a number in use."""
    submits = trace_of(
        [
            ("in", submit(1, "#00001")),
            ("in", submit(1, "#00002")),
            ("out", accepted(1)),
        ]
    ).submits
    assert list(zip(submits.token.tolist(), submits.ack.tolist(), strict=True)) == [("#00001", "A"), ("#00002", "")]


# Sessions, captures, events --------------------------------------------------------------------------------------


def test_a_session_holds_its_beginning_and_its_end() -> None:
    (row,) = Scene().login(1).submit(2, 1).closed(3).trace().sessions.rows()
    assert (row.opened_at, row.login_at, row.closed_at) == (us(1), us(1.001), us(3))
    assert (row.account, row.login_ack, row.first, row.early_at) == (CODE, "A", "60", -1)
    assert (row.peer, row.closed_by, row.reason) == ("192.0.2.7:40000", "peer", "closed")


def test_what_comes_before_the_login_is_accepted_is_early() -> None:
    scene = Scene().opened(1).wire(1.001, "in", login() + submit(1)).wire(1.5, "out", encode("00", "R", "60", "A//"))
    (row,) = scene.trace().sessions.rows()
    assert row.early_at == us(1.001)


def test_a_capture_that_begins_in_mid_session_blames_nobody_for_what_it_missed() -> None:
    trace = trace_of(
        [
            ("in", submit(1)[30:]),
            ("out", notice(9)[12:] + notice(10)),
            ("in", encode("08", "R", "53", "A///") + encode("10", "R", "53", "A///") + submit(2, "#00002")),
            ("out", accepted(1) + accepted(2)),
        ],
        opened=False,
    )
    assert set(trace.frames.problem.tolist()) == {""}
    assert (trace.submits.token.tolist(), trace.submits.ack.tolist()) == (["#00002"], ["A"])
    assert trace.notifications.ack.tolist() == ["A"]
    (row,) = trace.sessions.rows()
    assert (row.opened_at, row.first, row.early_at, row.account) == (-1, "", -1, "")


def test_a_capture_that_begins_in_mid_session_still_sees_what_is_wrong_later() -> None:
    trace = trace_of([("in", b"30/AB\x03" + submit(1)), ("in", b"noise" + submit(2))], opened=False)
    assert trace.frames.problem.tolist() == ["", "garbage", ""]


def test_the_first_octets_of_a_connection_seen_from_its_opening_count() -> None:
    assert trace_of([("in", b"noise" + login())]).frames.problem.tolist() == ["garbage", ""]


def test_outages_have_an_end_or_last_as_long_as_the_run() -> None:
    scene = Scene().outage(10, 20).event(15, "outage", CODE, mode="silent").event(40, "end", "events")
    assert scene.trace().outages == [
        (us(10), us(20), "total", "accept-close"),
        (us(15), us(40), CODE, "silent"),
    ]


def test_an_end_without_an_outage_is_no_outage() -> None:
    assert Scene().event(20, "restored", "total", mode="cut").trace().outages == []


def test_grain_counts_where_it_overlaps() -> None:
    trace = Scene().late(10, 10.02, 20).late(10.01, 10.04, 30).late(50, 50.1, 100).trace()
    assert trace.largest_timing_error(us(0), us(9.99)) == 0
    assert trace.largest_timing_error(us(9), us(10)) == 20_000
    assert trace.largest_timing_error(us(10.015), us(10.016)) == 30_000
    assert trace.largest_timing_error(us(0), us(60)) == 100_000
    assert Scene().trace().largest_timing_error(us(0), us(60)) == 0


def test_two_late_turns_in_a_row_count_together_and_no_more_than_two() -> None:
    trace = Scene().late(10, 10.08, 80).late(10.085, 10.185, 100).late(10.19, 10.2, 10).late(10.5, 10.6, 100).trace()
    assert trace.largest_timing_error(us(10), us(10.3)) == 185_000
    assert trace.largest_timing_error(us(10.195), us(10.3)) == 115_000
    assert trace.largest_timing_error(us(10.5), us(10.6)) == 100_000


def test_limits_are_kept_over_time_and_an_empty_run_has_no_span() -> None:
    trace = Scene().event(5, "limit", CODE, rate_per_s=20, mode="delay", account=CODE).trace()
    assert trace.limits == {CODE: [(us(0), 10, "monitor"), (us(5), 20, "delay")]}
    assert trace.span == (us(0), us(5))
    empty = Scene()
    empty.ledger.events.clear()
    assert empty.trace().span == (0, 0)


def test_a_submit_from_another_originator_is_of_the_code_of_its_account() -> None:
    submits = Scene().login(1).submit(2, 1, OAdC="36999").trace().submits
    assert (submits.oadc[0], submits.code[0], submits.account[0]) == ("36999", CODE, CODE)


def test_notifications_name_both_addresses_as_the_message_did() -> None:
    frame = encode(1, "O", "53", notification_body(CODE, RECIPIENT, STAMP, 2, 107, STAMP))
    (row,) = trace_of([("out", frame)]).notifications.rows()
    assert (row.code, row.recipient, row.scts, row.outcome, row.reason) == (CODE, RECIPIENT, STAMP, 2, 107)
