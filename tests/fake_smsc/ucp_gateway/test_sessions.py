from __future__ import annotations

import gc

import pytest

from fake_smsc.scenario import CodeConfig
from fake_smsc.ucp_gateway.line import Line
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ucp.frame import encode
from simbench.ucp.operations import build, decode
from tests.harness import START, Peer, gateway_of, login, submit


def test_a_login_with_the_right_password_opens_the_session() -> None:
    gateway, _ = gateway_of()
    assert Peer(gateway).login().data == ["A", ""]


@pytest.mark.parametrize(
    ("account", "password", "ec"), [("36010", "wrong", "07"), ("99999", "secret", "07"), ("", "x", "02")]
)
def test_a_wrong_login_is_refused(account: str, password: str, ec: str) -> None:
    gateway, _ = gateway_of()
    assert decode(Peer(gateway).login(account, password))["EC"] == ec


@pytest.mark.parametrize(("state", "ec"), [("suspended", "04"), ("closed", "07")])
def test_an_account_that_is_not_active_cannot_log_in(state: str, ec: str) -> None:
    gateway, _ = gateway_of(CodeConfig(code="36010", state=state))  # type: ignore[arg-type]
    assert decode(Peer(gateway).login())["EC"] == ec


def test_three_failed_logins_close_the_connection() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    for _ in range(3):
        assert not peer.why_closed()
        peer.login(password="wrong")
    assert peer.why_closed() == "too many failed logins"


def test_the_number_of_sessions_per_account_is_limited() -> None:
    gateway, _ = gateway_of(CodeConfig(code="36010", sessions=2))
    assert [Peer(gateway, n).login().data[0] for n in (1, 2, 3)] == ["A", "A", "N"]


def test_before_the_login_submits_and_alerts_are_not_allowed() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    assert decode(peer.submit(1)[0])["EC"] == "04"
    assert decode(peer.send(build("31", "O", "02", AdC="36010", PID="0539"))[0])["EC"] == "04"
    assert peer.login().data[0] == "A"


def test_a_keepalive_is_answered() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    (result,) = peer.send(build("31", "O", "02", AdC="36010", PID="0539"))
    assert result.data == ["A", "0000"]


def test_a_connection_without_login_is_closed_when_its_time_is_up() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.wait(30 * SECOND_US - 1)
    assert not peer.why_closed()
    peer.wait(1)
    assert peer.why_closed() == "no login in time"


def test_an_idle_session_is_closed_and_a_keepalive_keeps_it() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    for _ in range(5):
        peer.wait(MINUTE_US)
        peer.send(build("31", "O", "02", AdC="36010", PID="0539"))
        assert not peer.why_closed()
    peer.wait(2 * MINUTE_US + SECOND_US)
    assert peer.why_closed() == "idle"


def test_unanswered_notifications_of_a_broken_session_follow_the_next_login_in_order_of_stamps() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    for trn in range(1, 6):
        peer.submit(trn, AdC=f"3371000000{trn}")
        peer.now += 2 * SECOND_US
    peer.wait(30 * SECOND_US)
    assert sum(frame.ot == "53" for frame in peer.received) == 5
    gateway.closed(1, peer.now)
    again = Peer(gateway, 2, peer.now + SECOND_US)
    result, *notices = again.send(login())
    assert result.ot == "60"
    stamps = [decode(notice)["SCTS"] for notice in notices]
    assert len(stamps) == 5
    assert stamps == sorted(stamps)


def test_a_notification_refused_or_not_answered_is_sent_again_later() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    gateway.originate("33639980012", "36010", "STOP", peer.now)
    (first,) = peer.wait(0)
    peer.acknowledge(first, "N/02//")
    assert peer.wait(59 * SECOND_US) == []
    (second,) = peer.wait(SECOND_US)
    assert decode(second)["SCTS"] == decode(first)["SCTS"]
    peer.send(build("31", "O", "02", AdC="36010", PID="0539"))
    assert peer.wait(MINUTE_US) == []  # its result timer
    peer.send(build("31", "O", "02", AdC="36010", PID="0539"))
    assert peer.wait(2 * MINUTE_US - SECOND_US) == []
    (third,) = peer.wait(SECOND_US)
    assert peer.acknowledge(third) == []
    peer.send(build("31", "O", "02", AdC="36010", PID="0539"))
    assert peer.wait(110 * SECOND_US) == []


def test_notifications_wait_for_room_in_the_window() -> None:
    gateway, _ = gateway_of(CodeConfig(code="36010", window=2))
    peer = Peer(gateway)
    peer.login()
    for number in range(5):
        gateway.originate(f"3363998001{number}", "36010", "Bonjour", peer.now)
    first, second = peer.wait(0)
    assert len(peer.acknowledge(first)) == 1
    assert len(peer.acknowledge(second)) == 1


def test_a_long_text_of_a_subscriber_comes_in_parts() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    gateway.originate("33639980012", "36010", "a" * 200, peer.now)
    parts = peer.wait(0)
    assert [len(decode(part)["Msg"]) // 2 for part in parts] == [153, 47]


def test_the_two_spaces_of_transaction_numbers_are_independent() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    gateway.originate("33639980012", "36010", "Bonjour", peer.now)
    (notice,) = peer.wait(0)
    (result,) = peer.submit(int(notice.trn))
    assert result.data[0] == "A"
    assert peer.acknowledge(notice) == []


def test_a_result_that_answers_nothing_is_counted_and_ignored() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login()
    assert peer.send(encode(42, "R", "53", "A///")) == []
    assert gateway.protocol_violations["unexpected-result"] == 1


def test_a_held_submit_of_a_lost_session_is_not_accepted() -> None:
    gateway, ledger = gateway_of()
    peer = Peer(gateway)
    peer.login()
    for trn in range(11):
        peer.submit(trn, AdC=f"337100000{trn:02d}")
    gateway.closed(1, peer.now)
    gateway.advance(START + MINUTE_US)
    assert sum(row[1] == "accepted" for row in ledger.centre) == 10


def test_a_submit_in_a_dead_octet_stream_never_reaches_another_session() -> None:
    gateway, _ = gateway_of()
    one, two = Peer(gateway, 1), Peer(gateway, 2)
    one.login()
    two.login()
    one.send(submit(1)[:-10])
    assert two.submit(1)[0].data[0] == "A"
    assert one.received[1:] == []


def test_nothing_is_kept_of_an_ended_connection_though_its_timers_still_run() -> None:
    gateway, _ = gateway_of()
    address = "192.0.2.77"
    for number in range(1, 51):
        gateway.opened(number, START, address)
        if number % 2:
            gateway.received(number, login(), START)
        gateway.closed(number, START)
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Line) and each.peer == address]
