"""Frames of public clients and libraries, on the tolerant platform."""

from __future__ import annotations

import pytest

from fake_smsc.scenario import CodeConfig
from fake_smsc.strictness import Strictness
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ucp.frame import encode
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import hexed, logged_in, operation
from tests.fake_smsc.ucp_gateway.test_provisioning import session
from tests.harness import Peer, gateway_of, submit

TOLERANT = Strictness("tolerant")
UCS2 = "00C70061002000760061003F"


def tolerated() -> Peer:
    return logged_in(strictness=TOLERANT)


# Client, and the fields of the submit it is known for.
SUBMITS = [
    ("kannel: 8-bit data with a class and no coding scheme", {"MT": "4", "NB": "0032", "Msg": "DEADBEEF", "MCLs": "1"}),
    ("kannel: all notifications", {"NRq": "1", "NT": "7"}),
    ("kannel: recipient in international form", {"AdC": "0033639980012"}),
    ("kannel: numeric originator of 22 digits", {"OAdC": "0000000000000000036010"}),
    ("go-gsm: bits given beside text", {"NB": "0056"}),
    ("go-gsm: TDMA urgency and acknowledgement", {"XSer": "060101070101"}),
    ("go-gsm: alphanumeric length in octets", {"OAdC": "08F4F29C0E", "OTOA": "5039"}),
    ("velti: alphanumeric padded with a carriage return", {"OAdC": "0E49B7F93D6D4E1B", "OTOA": "5039"}),
    ("pypi ucp: no OTOA beside an alphanumeric originator", {"OAdC": "07F4F29C0E"}),
    ("pypi ucp: little-endian UCS-2 with a mark", {"MT": "4", "NB": "48", "Msg": "FFFE41004200", "XSer": "020108"}),
    ("pypi ucp: bits not padded", {"MT": "4", "NB": "96", "Msg": UCS2, "XSer": "020108"}),
    ("net::ucp: data with coding scheme 15", {"MT": "4", "NB": "0016", "Msg": "4142", "XSer": "020115"}),
    ("net::ucp: parts of 134 characters", {"Msg": "41" * 134, "MMS": "1", "XSer": "01060500032A0201"}),
    ("ruby_ucp: coding scheme 01 beside plain text", {"XSer": "020101"}),
    ("ruby_ucp: packed septets as transparent data", {"MT": "4", "NB": "120", "Msg": "41" * 15, "XSer": "020100"}),
    ("k2: five digits of protocol identifier", {"RPID": "00065"}),
    ("velti: an odd number of digits of extra services", {"XSer": "02010"}),
    ("some: no bits beside transparent data", {"MT": "4", "Msg": UCS2, "XSer": "020108"}),
    ("some: lower-case hexadecimal", {"Msg": "c3c4"}),
    ("some: surplus values in fields of other operations", {"SCTS": "020326100000", "HPLMN": "33639980000"}),
]


@pytest.mark.parametrize(("client", "fields"), SUBMITS, ids=[client for client, _ in SUBMITS])
def test_a_submit_of_a_real_client_has_no_syntax_error(client: str, fields: dict[str, str]) -> None:
    (result,) = tolerated().submit(1, **fields)
    # 04 is the originator, which the account does not own; every form the platform objects to has another code.
    assert decode(result).get("EC", "A") in {"A", "04"}, client
    assert ("EC" in decode(result)) == ("OAdC" in fields)


def test_kannel_uses_one_number_for_login_keepalive_and_submit() -> None:
    peer = tolerated()
    assert peer.send(operation("31", 0, AdC="36010", PID="0539"))[0].data == ["A", "0000"]
    assert peer.submit(0)[0].data[0] == "A"


def test_kannel_answers_a_text_with_an_empty_result() -> None:
    peer = tolerated()
    peer.gateway.originate("33639980012", "36010", "Bonjour", peer.now)
    (text,) = peer.wait(0)
    peer.acknowledge(text, "A///")
    assert peer.wait(2 * MINUTE_US - SECOND_US) == []


def test_ruby_ucp_counts_its_transactions_in_hexadecimal() -> None:
    peer = tolerated()
    body = submit(1)[15:-3].decode()
    for trn in ("09", "0A", "0B", "1F"):
        peer.gateway.received(1, encode(trn, "O", "51", body), peer.now)
        assert [octets[1:3] for _, octets in peer.gateway.output()] == [trn.encode()]


def test_smsj_always_uses_one_number() -> None:
    peer = tolerated()
    for n in range(13):
        peer.submit(1, AdC=f"337100000{n:02d}")
    peer.wait(5 * SECOND_US)
    results = [frame for frame in peer.received if frame.ot == "51"]
    assert [(frame.trn, frame.data[0]) for frame in results] == [("01", "A")] * 13


def test_go_gsm_keeps_alive_under_a_number_that_a_submit_holds() -> None:
    peer = tolerated()
    for trn in range(10):
        peer.submit(trn, AdC=f"3371000000{trn}")
    assert peer.submit(33) == []
    assert peer.send(operation("31", 33, AdC="go_client", PID="0539"))[0].ot == "31"
    assert [frame.trn for frame in peer.wait(2 * SECOND_US) if frame.ot == "51"] == ["33"]


def test_go_gsm_logs_in_under_a_name_of_letters() -> None:
    peer = Peer(gateway_of(CodeConfig(code="36010", account="go_client"), strictness=TOLERANT)[0])
    assert peer.login("go_client").data[0] == "A"


def test_net_ucp_sends_line_feeds_between_its_frames() -> None:
    peer = tolerated()
    results = peer.send(b"\n".join(submit(trn, AdC=f"3371000000{trn}") for trn in range(3)) + b"\r\n")
    assert [frame.data[0] for frame in results] == ["A"] * 3


def test_net_ucp_sends_a_list_operation_with_thirteen_fields() -> None:
    body = f"36010/6/5/1///0100/33639980012/1/1/{'39'}///"
    for strictness, ec in ((TOLERANT, "A"), (Strictness(), "02")):
        peer = Peer(gateway_of(strictness=strictness)[0])
        assert session(peer, "4") == "A"
        (result,) = peer.send(encode(1, "O", "61", body))
        assert decode(result).get("EC", "A") == ec


def test_emi_ucp_forgets_the_slash_after_its_error_code() -> None:
    peer = tolerated()
    peer.gateway.originate("33639980012", "36010", "Bonjour", peer.now)
    (text,) = peer.wait(0)
    assert peer.send(encode(text.trn, "R", "52", "N/02")) == []
    assert not peer.gateway.lines[1].session.own.outstanding
    assert [frame.ot for frame in peer.wait(MINUTE_US)] == ["52"]


def test_a_client_that_sends_more_than_its_window_is_served() -> None:
    peer = tolerated()
    for trn in range(40):
        peer.submit(trn, AdC=f"337100000{trn:02d}")
    peer.wait(10 * SECOND_US)
    assert sum(frame.ot == "51" for frame in peer.received) == 40


def test_a_client_that_pings_by_an_alert_of_its_address_is_answered() -> None:
    peer = tolerated()
    assert peer.send(operation("31", 1, AdC="1920000021005000", PID="0539"))[0].data[0] == "A"


def test_a_text_packed_in_the_wrong_case_reaches_its_subscriber() -> None:
    peer = tolerated()
    peer.submit(1, Msg=hexed("Jkl").lower())
    assert [decode(notice)["Dst"] for notice in peer.wait(MINUTE_US // 2)] == ["0"]
