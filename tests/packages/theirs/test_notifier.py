"""Tests of the client against the fake SMSC of simbench."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from notifier import Notifier, Refused

from fake_smsc import FakeSmsc


def connected(smsc: FakeSmsc, code: str = "36010") -> Notifier:
    account = smsc.accounts[code]
    return Notifier(smsc.host, smsc.port, account.login, account.password, code)


@pytest.mark.simbench(codes={"36010": 10})
def test_a_note_arrives(fake_smsc: FakeSmsc) -> None:
    with connected(fake_smsc) as client:
        assert len(client.send("0639980001", "Your order is ready")) == 12
        fake_smsc.wait_for("message")
    (message,) = fake_smsc.messages("0639980001")
    assert (message.text, message.ack, message.code) == ("Your order is ready", "A", "36010")


@pytest.mark.simbench(codes={"36010": 10}, faults={"nack": {"ec": "06"}})
def test_a_refusal_is_reported_with_its_code(fake_smsc: FakeSmsc) -> None:
    with connected(fake_smsc) as client, pytest.raises(Refused) as refused:
        client.send("0639980001", "Your order is ready")
    assert refused.value.code == "06"


@pytest.mark.simbench(codes={"36010": 10})
def test_nothing_the_client_writes_is_beside_the_protocol(fake_smsc: FakeSmsc) -> None:
    with connected(fake_smsc) as client:
        for number in range(5):
            client.send(f"06399800{number:02}", "Your order is ready")
        findings = fake_smsc.judge()
    assert findings["sessions.violations"].outcome == "pass"
    assert findings["submits.violations"].outcome == "pass"


def test_two_codes_on_two_platforms(fake_smsc_factory: Callable[..., FakeSmsc]) -> None:
    one, two = fake_smsc_factory({"36010": 10}), fake_smsc_factory({"36020": 20})
    with connected(one) as first, connected(two, "36020") as second:
        first.send("0639980001", "one")
        second.send("0639980001", "two")
    assert [message.text for smsc in (one, two) for message in smsc.messages()] == ["one", "two"]
