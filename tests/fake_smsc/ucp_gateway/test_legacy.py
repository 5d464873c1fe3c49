from __future__ import annotations

import pytest

from fake_smsc.scenario import CodeConfig
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.ucp.content import message_text
from simbench.ucp.frame import Frame
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import (
    NOW_STAMP,
    hexed,
    keep,
    logged_in,
    minutes_ahead,
    operation,
    put,
    rows,
    stamps_ahead,
)
from tests.harness import Peer

TO = "33639980012"
THREE = ["33639980012", "33639980077", "33639980099"]
TEXT = hexed("Bonjour")


def one(peer: Peer, ot: str, **fields: str | list[str]) -> Frame:
    texts: dict[str, str | list[str]] = {"AMsg": TEXT} if ot == "30" else {"MT": "3", "Msg": TEXT}
    (result,) = peer.send(operation(ot, 5, **{**texts, **fields}))
    assert (result.ot, result.trn) == (ot, "05")
    return result


@pytest.mark.parametrize("ot", ["01", "03", "30"])
def test_an_accepted_call_input_names_the_message(ot: str) -> None:
    peer = logged_in()
    result = one(peer, ot, **{"RAd" if ot == "03" else "AdC": TO}, **({"NPL": "0"} if ot == "03" else {}))
    assert decode(result)["SM"] == f"{TO}:{NOW_STAMP}"
    assert len(result.data) == (3 if ot == "30" else 2)
    assert keep(peer, 5 * MINUTE_US) == []
    assert len(rows(peer, "delivered")) == 1


@pytest.mark.parametrize(
    ("fields", "ec"),
    [
        ({"AdC": "0639"}, "06"),
        ({"AdC": "ABC"}, "06"),
        ({"AdC": ""}, "02"),
        ({"AdC": TO, "OAdC": "36999"}, "04"),
        ({"AdC": TO, "MT": "4"}, "23"),
        ({"AdC": TO, "Msg": "41" * 161}, "24"),
        ({"AdC": TO, "Msg": "4"}, "02"),
        ({"AdC": TO, "MT": "2", "Msg": "0123456789"}, "A"),
        ({"AdC": TO, "OAdC": "36010", "AC": "whatever"}, "A"),
    ],
)
def test_a_call_input_is_accepted_or_refused_with_its_error_code(fields: dict[str, str], ec: str) -> None:
    assert decode(one(logged_in(), "01", **fields)).get("EC", "A") == ec


def test_a_call_input_before_the_login_is_refused() -> None:
    peer = logged_in()
    stranger = Peer(peer.gateway, 2)
    assert decode(one(stranger, "01", AdC=TO))["EC"] == "04"


def test_several_recipients_get_a_stamp_each_and_a_refused_one_none() -> None:
    result = one(logged_in(), "02", RAds=[THREE[0], "0639", f"{THREE[2]},4711"])
    assert decode(result)["SM"] == f"{THREE[0]}:{NOW_STAMP},0639,{THREE[2]}:{NOW_STAMP}"


def test_when_every_recipient_is_refused_so_is_the_operation() -> None:
    assert decode(one(logged_in(), "02", RAds=["0639", "33199001234"]))["EC"] == "06"


def test_too_many_recipients_are_refused_with_a_text() -> None:
    values = decode(one(logged_in(), "02", RAds=[f"336399800{n:02d}" for n in range(21)]))
    assert (values["EC"], values["SM"]) == ("04", "too many addresses")


def test_recipients_beyond_the_rate_hold_the_result_back() -> None:
    peer = logged_in()
    for trn in range(8):
        peer.submit(trn, AdC=f"3371000000{trn}")
    assert peer.send(operation("02", 50, RAds=THREE, MT="3", Msg=TEXT)) == []
    assert peer.wait(SECOND_US - 1) == []
    result = next(frame for frame in peer.wait(1) if frame.kind == "R")
    assert decode(result)["SM"] == ",".join(f"{to}:{NOW_STAMP[:-2]}{'00' if to != THREE[2] else '01'}" for to in THREE)


@pytest.mark.parametrize(("mode", "met"), [("nack", "A"), ("discard", "A"), ("close", "")])
def test_recipients_beyond_the_rate_are_treated_by_the_meter(mode: str, met: str) -> None:
    peer = logged_in(CodeConfig(code="36010", limit=mode))  # type: ignore[arg-type]
    for trn in range(8):
        peer.submit(trn, AdC=f"3371000000{trn}")
    results = peer.send(operation("02", 50, RAds=THREE, MT="3", Msg=TEXT))
    assert [frame.data[0] for frame in results] == ([met] if met else [])
    assert bool(peer.why_closed()) == (mode == "close")
    if met:
        assert decode(results[0])["SM"].endswith(f",{THREE[2]}")
        again = peer.send(operation("02", 51, RAds=THREE, MT="3", Msg=TEXT))
        assert [decode(frame)["EC"] for frame in again] == (["04"] if mode == "nack" else [])


def test_supplementary_services_defer() -> None:
    peer = logged_in()
    result = one(peer, "03", RAd=TO, NPL="0", DD="1", DDT=minutes_ahead(HOUR_US))
    assert result.data[0] == "A"
    keep(peer, 59 * MINUTE_US)
    assert not rows(peer, "delivered")
    keep(peer, 5 * MINUTE_US)
    assert len(rows(peer, "delivered")) == 1


@pytest.mark.parametrize(
    ("fields", "ec"),
    [
        ({"RP": "1"}, "10"),
        ({"PR": "1"}, "12"),
        ({"LPR": "1"}, "12"),
        ({"UR": "1"}, "14"),
        ({"RC": "1"}, "16"),
        ({"GAs": ["123"]}, "09"),
        ({"DD": "1"}, "02"),
        ({"DD": "1", "DDT": minutes_ahead(-HOUR_US)}, "22"),
        ({"DD": "1", "DDT": minutes_ahead(100 * HOUR_US)}, "22"),
    ],
)
def test_a_supplementary_service_that_is_not_offered_has_its_own_code(
    fields: dict[str, str | list[str]], ec: str
) -> None:
    assert decode(one(logged_in(), "03", **{"RAd": TO, "GAs": [], **fields}))["EC"] == ec


def test_a_transfer_may_request_a_notification_in_the_session() -> None:
    peer = logged_in()
    one(peer, "30", AdC=TO, NRq="1")
    (notice,) = keep(peer, 5 * MINUTE_US)
    assert (notice.ot, decode(notice)["OAdC"], decode(notice)["Dst"]) == ("53", TO, "0")


def test_a_transfer_may_name_the_address_that_is_notified() -> None:
    peer = logged_in(CodeConfig(code="36010"), CodeConfig(code="38001"), CodeConfig(code="38002", account="36010"))
    other = Peer(peer.gateway, 2)
    other.login("38001")
    one(peer, "30", AdC=TO, NRq="1", NAd="38002", NPID="0539")
    (notice,) = peer.wait(MINUTE_US)
    assert notice.ot == "53"
    one(peer, "30", AdC=TO, NRq="1", NAd="38001", NPID="0539")
    assert [decode(frame).get("EC") for frame in peer.received if frame.ot == "30"][-1] == "04", "another account's"
    assert other.wait(MINUTE_US) == []


@pytest.mark.parametrize(
    ("fields", "ec"),
    [
        ({"NRq": "1", "NAd": "38001"}, "02"),
        ({"NRq": "1", "NPID": "0539"}, "02"),
        ({"NRq": "1", "NAd": "38001", "NPID": "0999"}, "02"),
        ({"VP": minutes_ahead(-HOUR_US)}, "22"),
        ({"DD": "1", "DDT": minutes_ahead(2 * HOUR_US), "VP": minutes_ahead(HOUR_US)}, "22"),
    ],
)
def test_an_invalid_transfer_is_refused_with_its_error_code(fields: dict[str, str], ec: str) -> None:
    assert decode(one(logged_in(), "30", AdC=TO, **fields))["EC"] == ec


def test_a_transfer_reports_the_validity_it_received() -> None:
    values = decode(one(logged_in(), "30", AdC=TO, VP=minutes_ahead(100 * HOUR_US)))
    assert values["MVP"] == minutes_ahead(72 * HOUR_US)


def test_the_validity_of_a_transfer_is_kept() -> None:
    peer = logged_in()
    put(peer, attached=False, msisdn=TO)
    one(peer, "30", AdC=TO, NRq="1", VP=minutes_ahead(HOUR_US))
    (notice,) = keep(peer, 2 * HOUR_US)
    assert (decode(notice)["Dst"], decode(notice)["DSCTS"]) == ("2", stamps_ahead(HOUR_US))


def test_a_notification_that_is_not_supported_comes_as_call_input() -> None:
    peer = logged_in()
    one(peer, "30", AdC=TO, NRq="1")
    (notice,) = peer.wait(MINUTE_US)
    (fallback,) = peer.acknowledge(notice, "N/03//")
    assert (fallback.ot, decode(fallback)["AdC"], decode(fallback)["OAdC"]) == ("01", "36010", TO)
    text = bytes.fromhex(decode(fallback)["Msg"]).decode()
    assert text.startswith(f"Message for {TO}, with identification 260302100000 has been delivered")
    assert peer.acknowledge(fallback, "A//") == []
    assert keep(peer, HOUR_US) == []


def test_a_text_of_a_subscriber_that_is_not_supported_comes_as_call_input() -> None:
    peer = logged_in()
    peer.gateway.originate(TO, "36010", "STOP", peer.now)
    (notice,) = peer.wait(0)
    (fallback,) = peer.acknowledge(notice, "N/03//")
    assert decode(fallback) == {"TRN": "01", "O/R": "O", "OT": "01", "AdC": "36010", "OAdC": TO, "MT": "3",
                                "Msg": hexed("STOP")}  # fmt: skip
    (again,) = peer.acknowledge(fallback, "N/04//") or peer.wait(MINUTE_US)
    assert again.ot == "01"


def test_notifications_that_call_input_cannot_carry_are_sent_unchanged() -> None:
    peer = logged_in()
    peer.gateway.originate(TO, "36010", "ça va ?", peer.now)
    (notice,) = peer.wait(0)
    assert peer.acknowledge(notice, "N/03//") == []
    (again,) = peer.wait(MINUTE_US)
    assert (again.ot, message_text(again)) == ("52", "ça va ?")
