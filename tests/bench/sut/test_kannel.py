from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput, MissingTool
from simbench.bench.sut import child_process, kannel
from simbench.bench.sut.kannel import Kannel, understand
from simbench.bench.sut.kannel_config import Ports, configuration, result_timer_s
from simbench.bench.sut.protocol import AccountGiven, Report, Target
from simbench.ledger.stimuli import ReportKind
from tests.bench.sut.listener import Listener

PORTS = Ports(admin=20001, smsbox=20002, sendsms=20003, callback=20004)


def target(*given: AccountGiven, **more: object) -> Target:
    return Target("127.0.0.1", 3024, given, 10, Path("/tmp/simbench"), **more)  # type: ignore[arg-type]  # noqa: S108 - never written


def account(code: str = "36010", rate: int = 10, password: str = "secret") -> AccountGiven:
    return AccountGiven(code, f"acc{code}", password, rate)


def groups(text: str) -> list[dict[str, str]]:
    blocks = [[line.partition(" = ") for line in block.split("\n")] for block in text.strip().split("\n\n")]
    return [{key: value.strip('"') for key, _, value in block} for block in blocks]


def links(text: str) -> list[dict[str, str]]:
    return [group for group in groups(text) if group["group"] == "smsc"]


def test_each_account_has_a_link_that_takes_only_its_own_messages() -> None:
    made = links(configuration(target(account("36010", 10), account("36150", 150)), PORTS, "pw"))
    assert [link["smsc-id"] for link in made] == [link["allowed-smsc-id"] for link in made] == ["36010", "36150"]
    assert [link["throughput"] for link in made] == ["10", "150"]
    assert [link["smsc-username"] for link in made] == ["acc36010", "acc36150"]
    assert [link["my-number"] for link in made] == ["36010", "36150"]


@pytest.mark.parametrize(
    ("timer_s", "keepalive_s", "wait_ack"),
    [
        (60, 50, 30),  # 60 less 51 would be below what Kannel takes
        (120, 50, 69),  # it wakes 51 s after a keepalive at the latest
        (120, 10, 90),  # and looks for overdue results every 30 s at the most
    ],
)
def test_wait_ack_leaves_kannel_time_to_look(timer_s: int, keepalive_s: int, wait_ack: int) -> None:
    given = target(account(), result_timer_s=timer_s, keepalive_s=keepalive_s)
    (link,) = links(configuration(given, PORTS, "pw"))
    assert link["wait-ack"] == str(wait_ack)
    assert result_timer_s(given) == max(timer_s, 81)


def test_an_account_without_a_rate_is_not_throttled() -> None:
    (link,) = links(configuration(target(account(rate=0)), PORTS, "pw"))
    assert "throughput" not in link


def test_how_kannel_returns_after_an_outage_is_its_own_default() -> None:
    """Behaviour caused by the bench's settings is not a finding about the client."""
    (link,) = links(configuration(target(account()), PORTS, "pw"))
    assert not {"reconnect-delay", "wait-ack-expire"} & set(link)
    assert "sms-resend" not in configuration(target(account()), PORTS, "pw")


def test_every_port_kannel_opens_is_bound_to_loopback_and_closed_to_others() -> None:
    made = {group["group"]: group for group in groups(configuration(target(account()), PORTS, "pw"))}
    assert made["core"]["admin-interface"] == made["core"]["smsbox-interface"] == "127.0.0.1"
    assert made["smsbox"]["sendsms-interface"] == made["smsbox"]["bearerbox-host"] == "127.0.0.1"
    for group, who in (("core", "admin"), ("core", "box"), ("sendsms-user", "user")):
        assert made[group][f"{who}-allow-ip"] == "127.0.0.1"
        assert made[group][f"{who}-deny-ip"] == "*.*.*.*"


def test_quotes_in_a_password_stay_inside_their_value() -> None:
    odd = 'a"b\\c'
    text = configuration(target(account(password=odd)), PORTS, "pw")
    assert 'smsc-password = "a\\"b\\\\c"\n' in text


@given(st.text())
def test_a_password_is_one_line_of_the_configuration_or_refused(password: str) -> None:
    plain = configuration(target(account()), PORTS, "pw")
    if password.isascii() and password.isprintable():
        text = configuration(target(account(password=password)), PORTS, "pw")
        assert len(text.splitlines()) == len(plain.splitlines())
    else:
        with pytest.raises(BadInput, match="smsc-password"):
            configuration(target(account(password=password)), PORTS, "pw")


@pytest.mark.parametrize(
    ("number", "answer", "kind", "detail"),
    [
        (8, "ACK/", "accepted", ""),
        (16, "NACK/04-Operation not allowed", "refused", "04"),
        (16, "NACK/Retries Exceeded", "refused", "NACK/Retries Exceeded"),
        (1, "Message for 33639980001 has been delivered", "delivered", "Message for 33639980001 has been delivered"),
        (2, "could not be delivered", "undelivered", "could not be delivered"),
        (4, "has been buffered", "buffered", "has been buffered"),
    ],
)
def test_kannels_types_become_ours_with_the_token(number: int, answer: str, kind: ReportKind, detail: str) -> None:
    report = understand("/dlr", f"type={number}&answer={quote(answer)}&token={b'#00001'.hex()}")
    assert report == Report(kind, "#00001", detail)


@given(st.text(st.characters(codec="utf-8")))
def test_a_text_from_a_subscriber_comes_through_in_either_coding(text: str) -> None:
    for coding, codec in ((0, "utf-8"), (2, "utf-16-be")):
        octets = "".join(f"%{octet:02X}" for octet in text.encode(codec))
        report = understand("/mo", f"from=33639980001&to=36010&coding={coding}&text={octets}")
        assert report == Report("mo", detail=text, code="36010", subscriber="33639980001")


@given(st.sampled_from(["/mo", "/dlr", "/"]), st.text() | st.from_regex(r"(type|answer|mark|text|to)=[%\w&=]*"))
def test_a_call_that_means_nothing_is_reported_as_an_error(path: str, query: str) -> None:
    report = understand(path, query)
    assert report.kind in {"mo", "error", *kannel.KINDS.values()}
    if path == "/":
        assert report.kind == "error"


def test_a_missing_kannel_is_reported_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(child_process, "ADMIN_FOLDERS", "")
    assert not kannel.installed()
    with pytest.raises(MissingTool, match="bearerbox is not installed; install the package kannel"):
        asyncio.run(Kannel().start(target(account()), Listener()))


def test_kannel_claims_no_compliance_of_its_own() -> None:
    claims = Kannel().capabilities
    assert claims.result_timer_s == result_timer_s(target(account()))
    assert claims.limits_rate is claims.reports_outcomes is True
    assert (
        claims.keeps_stop_list is claims.keeps_quiet_hours is claims.qualifies_recipients is claims.keeps_oadc is False
    )
