from __future__ import annotations

import pytest

from fake_smsc.scenario import CodeConfig, DeliveryConfig
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.frame import encode
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import logged_in
from tests.harness import START, Peer, gateway_of, submit


def test_an_accepted_submit_is_answered_with_recipient_and_stamp_then_notified() -> None:
    peer = logged_in()
    (result,) = peer.submit(7)
    assert (result.kind, result.ot, result.trn) == ("R", "51", "07")
    assert decode(result)["SM"] == "33710000001:020326100000"
    (notice,) = peer.wait(MINUTE_US)
    fields = decode(notice)
    assert (fields["AdC"], fields["OAdC"], fields["SCTS"]) == ("36010", "33710000001", "020326100000")
    assert (fields["Dst"], fields["Rsn"]) == ("0", "000")
    assert peer.acknowledge(notice) == []
    assert peer.wait(HOUR_US) == []


def test_two_messages_to_one_recipient_within_a_second_get_different_stamps() -> None:
    peer = logged_in()
    stamps = {decode(peer.submit(trn)[0])["SM"] for trn in range(1, 6)}
    assert len(stamps) == 5


def test_stamps_are_at_most_as_far_ahead_of_the_clock_as_the_contract_allows() -> None:
    peer = logged_in(CodeConfig(code="36010", limit="monitor"))
    results = [peer.submit(trn % 100)[0] for trn in range(70)]
    assert [r.data[0] for r in results] == ["A"] * 61 + ["N"] * 9
    assert decode(results[-1])["EC"] == "04"


@pytest.mark.parametrize(("nt", "outcomes"), [("1", ["0"]), ("2", []), ("3", ["0"]), ("0", ["0"]), ("7", ["0"])])
def test_only_requested_notifications_are_sent(nt: str, outcomes: list[str]) -> None:
    peer = logged_in()
    peer.submit(1, NT=nt)
    assert [decode(n)["Dst"] for n in peer.wait(MINUTE_US)] == outcomes


def test_no_notification_without_a_request() -> None:
    peer = logged_in()
    peer.submit(1, NRq="", NT="")
    assert peer.wait(HOUR_US) == []


@pytest.mark.parametrize(
    ("recipient", "code", "met"),
    [
        ("0639", "36010", "06"),
        ("33199001234", "36010", "06"),
        ("262692999901", "36010", "06"),
        ("447700900123", "36010", "06"),
        ("337000000900001", "36010", "06"),
        ("33720000001", "36010", "2/101"),
        ("33710900001", "36010", "2/101"),
        ("33710900009", "36010", "2/101"),
        ("33710900004", "36010", "0/000"),
        ("33639980012", "36010", "0/000"),
        ("0639980012", "36010", "0/000"),
        ("0033639980012", "36010", "0/000"),
    ],
)
def test_each_kind_of_recipient_has_the_outcome_in_the_offer(recipient: str, code: str, met: str) -> None:
    peer = logged_in()
    base = peer.gateway.centre
    base.subscriber(Subscriber("33710900001", "ported-out", "bouygues", True, False), START)
    base.subscriber(Subscriber("33710900009", "unknown", "", True, False), START)
    base.subscriber(Subscriber("33710900004", "orange", "orange", True, True), START)
    (result,) = peer.submit(1, AdC=recipient, OAdC=code)
    if result.data[0] == "N":
        assert decode(result)["EC"] == met
        return
    (notice,) = peer.wait(MINUTE_US)
    fields = decode(notice)
    assert f"{fields['Dst']}/{fields['Rsn']}" == met
    assert fields["OAdC"] == recipient


def test_a_machine_is_reached_from_a_functional_code() -> None:
    gateway, _ = gateway_of()
    peer = Peer(gateway)
    peer.login("38001")
    (result,) = peer.submit(1, AdC="337000000900001", OAdC="38001")
    assert result.data[0] == "A"
    assert decode(peer.wait(MINUTE_US)[0])["Dst"] == "0"


def test_recipients_of_other_operators_are_refused_at_once_if_the_switch_is_set() -> None:
    peer = logged_in(delivery=DeliveryConfig(refuse_elsewhere=True))
    assert decode(peer.submit(1, AdC="33720000001")[0])["EC"] == "06"


def test_an_absent_subscriber_is_tried_until_the_validity_ends() -> None:
    peer = logged_in()
    peer.gateway.centre.subscriber(Subscriber("33710000001", "orange", "orange", False, False), START)
    peer.submit(1, NT="7", VP="0203261200")
    (notice,) = peer.wait(MINUTE_US)
    peer.acknowledge(notice)
    buffered, final = decode(notice), decode(peer.wait(2 * HOUR_US)[0])
    assert (buffered["Dst"], buffered["Rsn"]) == ("1", "107")
    assert (final["Dst"], final["Rsn"], final["DSCTS"]) == ("2", "107", "020326120000")


def test_a_subscriber_who_returns_gets_waiting_messages_at_once() -> None:
    peer = logged_in()
    away = Subscriber("33710000001", "orange", "orange", False, False)
    peer.gateway.centre.subscriber(away, START)
    peer.submit(1)
    assert peer.wait(MINUTE_US) == []
    peer.gateway.centre.subscriber(Subscriber("33710000001", "orange", "orange", True, False), peer.now)
    (notice,) = peer.wait(0)
    assert decode(notice)["Dst"] == "0"
    assert peer.acknowledge(notice) == []
    assert peer.wait(72 * HOUR_US) == []


def test_a_validity_beyond_the_maximum_is_shortened_and_reported() -> None:
    peer = logged_in()
    (result,) = peer.submit(1, VP="0903261000")
    assert decode(result)["MVP"] == "0503261000"


@pytest.mark.parametrize(("vp", "ec"), [("0203260900", "22"), ("3213261299", "22")])
def test_a_validity_that_is_over_or_impossible_is_refused(vp: str, ec: str) -> None:
    peer = logged_in()
    assert decode(peer.submit(1, VP=vp)[0])["EC"] == ec


def test_an_originator_not_in_service_is_refused() -> None:
    peer = logged_in()
    assert decode(peer.submit(1, OAdC="36999")[0])["EC"] == "04"
    assert decode(peer.submit(2, OAdC="38001")[0])["EC"] == "04"


def test_an_alphanumeric_originator_needs_the_option() -> None:
    name = {"OAdC": "0B4F69D0792C02", "OTOA": "5039"}
    assert decode(logged_in().submit(1, **name)[0])["EC"] == "04"
    assert logged_in(CodeConfig(code="36010", oadc_option=True)).submit(1, **name)[0].data[0] == "A"


def test_delay_holds_the_result_until_the_operation_conforms() -> None:
    peer = logged_in()
    for trn in range(10):
        assert len(peer.submit(trn, AdC=f"3371000000{trn}")) == 1
    assert peer.submit(10, AdC="33710000010") == []
    assert peer.wait(SECOND_US - 1) == []
    (result,) = peer.wait(1)
    assert (result.trn, result.data[0]) == ("10", "A")


def test_an_operation_beyond_the_window_is_discarded_and_one_place_frees_with_each_result() -> None:
    peer = logged_in(CodeConfig(code="36010", window=2))
    peer.send(b"".join(submit(trn, AdC=f"337100000{trn:02d}") for trn in range(10)))
    assert peer.submit(10) + peer.submit(11) == []
    assert peer.submit(12) == []
    assert peer.gateway.protocol_violations["over-window"] == 1
    assert sorted(frame.trn for frame in peer.wait(2 * SECOND_US) if frame.ot == "51") == ["10", "11"]
    assert len(peer.submit(12)) == 1


def test_a_transaction_number_in_use_is_discarded() -> None:
    peer = logged_in()
    for trn in range(10):
        peer.submit(trn, AdC=f"3371000000{trn}")
    peer.submit(50)
    assert peer.submit(50) == []
    assert peer.gateway.protocol_violations["trn-in-use"] == 1


@pytest.mark.parametrize(("mode", "ec"), [("nack", "04"), ("discard", ""), ("close", "")])
def test_an_operation_beyond_the_rate_is_treated_as_configured(mode: str, ec: str) -> None:
    peer = logged_in(CodeConfig(code="36010", limit=mode))  # type: ignore[arg-type]
    for trn in range(10):
        assert peer.submit(trn, AdC=f"3371000000{trn}")[0].data[0] == "A"
    refused = peer.submit(10)
    assert [decode(frame)["EC"] for frame in refused] == ([ec] if ec else [])
    assert bool(peer.why_closed()) == (mode == "close")
    peer.now += SECOND_US
    if mode != "close":
        assert peer.submit(11)[0].data[0] == "A"


def test_in_mode_monitor_no_operation_is_held_or_refused() -> None:
    peer = logged_in(CodeConfig(code="36010", limit="monitor"))
    assert all(len(peer.submit(trn, AdC=f"337100000{trn:02d}")) == 1 for trn in range(60))


def test_octets_that_are_not_a_frame_get_no_answer_and_the_session_continues() -> None:
    peer = logged_in()
    for junk in (b"\x00\xff\x80GET / HTTP/1.1\r\n\r\n", b"\x02\x03", b"\x02" * 50, b"\x03" * 50, b"\x02xx/00\x03"):
        assert peer.send(junk) == []
    assert len(peer.submit(1)) == 1


def test_a_frame_arriving_octet_by_octet_is_answered_once_it_is_complete() -> None:
    peer = logged_in()
    frame = submit(1)
    assert [len(peer.send(frame[at : at + 1])) for at in range(len(frame))] == [0] * (len(frame) - 1) + [1]


def test_an_unknown_operation_is_not_supported() -> None:
    peer = logged_in()
    (result,) = peer.send(encode(5, "O", "99", "1/2/"))
    assert (result.ot, decode(result).get("EC", result.data[1])) == ("99", "03")
