from __future__ import annotations

import pytest

from fake_smsc.scenario import CodeConfig
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import hexed, logged_in, operation
from tests.harness import Peer, gateway_of, login


def session(peer: Peer, styp: str, password: str = "secret", new: str = "", account: str = "36010") -> str:
    fields = {"OAdC": account, "OTON": "6", "ONPI": "5", "STYP": styp, "PWD": hexed(password), "VERS": "0100"}
    (result,) = peer.send(operation("60", 0, **fields, **({"NPWD": hexed(new)} if new else {})))
    return str(decode(result).get("EC", "A"))


def edit(peer: Peer, styp: str, address: str = "33639980012", account: str = "36010") -> str:
    fields = {"OAdC": account, "OTON": "6", "ONPI": "5", "STYP": styp, "VERS": "0100"}
    (result,) = peer.send(operation("61", 1, **fields, LAdC=address, LTON="1", LNPI="1"))
    assert result.ot == "61"
    return str(decode(result).get("EC", "A"))


def provisioned(*codes: CodeConfig) -> Peer:
    peer = Peer(gateway_of(*codes)[0])
    assert session(peer, "4") == "A"
    return peer


@pytest.mark.parametrize(("add", "remove", "verify"), [("1", "2", "3"), ("4", "5", "6")])
def test_addresses_are_added_verified_and_removed(add: str, remove: str, verify: str) -> None:
    peer = provisioned()
    steps = [verify, remove, add, add, verify, remove, verify]
    assert [edit(peer, step) for step in steps] == ["34", "34", "A", "33", "A", "A", "34"]


def test_the_two_lists_and_those_of_other_accounts_are_independent() -> None:
    peer = provisioned()
    assert [edit(peer, step) for step in ("1", "6")] == ["A", "34"]
    other = Peer(peer.gateway, 2)
    assert session(other, "4", account="38001") == "A"
    assert edit(other, "3", account="38001") == "34"
    assert edit(other, "3", account="36010") == "07"


def test_a_full_list_accepts_no_more_addresses() -> None:
    peer = provisioned(CodeConfig(code="36010", list_max=2))
    assert [edit(peer, "1", f"3363998001{n}") for n in range(3)] == ["A", "A", "35"]


def test_a_list_remains_after_its_session() -> None:
    peer = provisioned()
    edit(peer, "1")
    peer.gateway.closed(1, peer.now)
    again = Peer(peer.gateway, 2)
    assert session(again, "4") == "A"
    assert edit(again, "3") == "A"


def test_lists_are_edited_in_a_provisioning_session_only() -> None:
    peer = Peer(gateway_of()[0])
    assert edit(peer, "1") == "04"
    peer.login()
    assert edit(peer, "1") == "04"


@pytest.mark.parametrize("fields", [{"STYP": "7"}, {"LAdC": ""}, {"VERS": "0200"}, {"PWD": "41"}])
def test_a_wrong_list_operation_is_a_syntax_error(fields: dict[str, str]) -> None:
    values = {"OAdC": "36010", "STYP": "1", "VERS": "0100", "LAdC": "33639980012", **fields}
    (result,) = provisioned().send(operation("61", 1, **values))
    assert decode(result)["EC"] == "02"


def test_a_provisioning_session_neither_submits_nor_gets_messages() -> None:
    peer = provisioned()
    assert decode(peer.submit(1)[0])["EC"] == "04"
    peer.gateway.originate("33639980012", "36010", "Bonjour", peer.now)
    assert peer.wait(SECOND_US) == []
    peer.wait(MINUTE_US)
    assert not peer.why_closed()
    assert peer.send(operation("31", 2, AdC="36010", PID="0539"))[0].data == ["A", "0000"]


def test_a_provisioning_session_does_not_count_among_the_sessions() -> None:
    peer = provisioned(CodeConfig(code="36010", sessions=1))
    assert Peer(peer.gateway, 2).login().data[0] == "A"


def test_a_session_that_becomes_a_provisioning_session_frees_its_place() -> None:
    peer = logged_in(CodeConfig(code="36010", sessions=1))
    assert session(peer, "4") == "A"
    assert Peer(peer.gateway, 2).login().data[0] == "A"


@pytest.mark.parametrize(("password", "account"), [("wrong", "36010"), ("secret", "99999")])
def test_a_wrong_provisioning_login_is_refused(password: str, account: str) -> None:
    assert session(Peer(gateway_of()[0]), "4", password, account=account) == "07"


def test_a_changed_password_opens_the_next_session() -> None:
    peer = logged_in(CodeConfig(code="36010", sessions=3))
    assert session(peer, "3", "secret", "n3wpass") == "A"
    assert peer.submit(1)[0].data[0] == "A"
    assert Peer(peer.gateway, 2).login(password="secret").data[0] == "N"
    assert Peer(peer.gateway, 3).login(password="n3wpass").data[0] == "A"


def test_the_provisioning_password_is_changed_separately() -> None:
    peer = provisioned()
    assert session(peer, "6", "secret", "n3wpass") == "A"
    other = Peer(peer.gateway, 2)
    assert [session(other, "4", password) for password in ("secret", "n3wpass")] == ["07", "A"]
    assert Peer(peer.gateway, 3).login().data[0] == "A"


@pytest.mark.parametrize(
    ("present", "new", "ec"),
    [("wrong", "n3wpass", "07"), ("secret", "abc", "19"), ("secret", "secret", "19"), ("secret", "", "02")],
)
@pytest.mark.parametrize("styp", ["3", "6"])
def test_a_new_password_is_refused_with_its_reason(styp: str, present: str, new: str, ec: str) -> None:
    assert session(Peer(gateway_of()[0]), styp, present, new) == ec


def test_changing_a_password_opens_no_session() -> None:
    peer = Peer(gateway_of()[0])
    assert session(peer, "3", "secret", "n3wpass") == "A"
    assert decode(peer.submit(1)[0])["EC"] == "04"


def test_guessing_a_password_by_changing_it_closes_the_connection() -> None:
    peer = Peer(gateway_of()[0])
    for _ in range(3):
        assert not peer.why_closed()
        session(peer, "3", "wrong", "n3wpass")
    assert peer.why_closed() == "too many failed logins"


def test_a_login_refused_in_an_open_session_ends_it() -> None:
    peer = logged_in(CodeConfig(code="36010", sessions=1))
    assert peer.send(login("36010", "wrong"))[0].data[0] == "N"
    assert decode(peer.submit(1)[0])["EC"] == "04"
    assert Peer(peer.gateway, 2).login().data[0] == "A"
