from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_smsc.scenario import read_scenario
from fake_smsc.strictness import PROFILES, Strictness
from fake_smsc.ucp_gateway.submission import COMMON
from simbench.base.errors import ScenarioError
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ucp.alphabet import is_seven_bit
from simbench.ucp.checks import check
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer, encode
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import logged_in, operation
from tests.harness import START, Peer, gateway_of, login, submit
from tests.ucp.vectors import BROKEN, Vector, name_of
from tools.reference.strictness import MEANINGS


def with_(**switches: str) -> Peer:
    return logged_in(strictness=Strictness(**switches))  # type: ignore[arg-type]


def met(frames: list[Frame]) -> str:
    """The answer: an error code, "A", or "" for none. 04: the originator of the vectors is not the account's."""
    codes = [str(decode(frame).get("EC", frame.data[1] if frame.data[0] == "N" else "A")) for frame in frames]
    assert len(codes) < 2
    return "A" if codes == ["04"] else "".join(codes)


@pytest.mark.parametrize("vector", BROKEN, ids=name_of)
@pytest.mark.parametrize("profile", ["strict", "tolerant"])
def test_a_broken_vector_gets_the_answer_of_its_profile(profile: str, vector: Vector) -> None:
    peer = with_(profile=profile)
    assert met(peer.send(vector.octets)) == (vector.answer if profile == "strict" else vector.tolerant)
    assert peer.submit(7)[0].data[0] == "A"


def test_every_switch_has_a_meaning_and_a_value_in_every_profile() -> None:
    switches = set(Strictness.__struct_fields__) - {"profile"}
    assert set(MEANINGS) == switches
    for name, profile in PROFILES.items():
        assert profile.profile == name
        assert "profile" not in {getattr(profile, switch) for switch in switches}


def test_a_single_switch_takes_precedence_over_its_profile() -> None:
    settled = Strictness("tolerant", odd_hex="refuse").settled()
    assert (settled.odd_hex, settled.bits) == ("refuse", "infer")
    assert settled.settled() == settled


@pytest.mark.parametrize(
    ("line", "named"), [('odd_hex = "refus"', "odd_hex"), ('profile = "lax"', "profile"), ('hexes = "pad"', "hexes")]
)
def test_a_scenario_with_an_unknown_switch_is_refused_by_name(tmp_path: Path, line: str, named: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(f'[strictness]\n{line}\n[[codes]]\ncode = "36010"\n')
    with pytest.raises(ScenarioError, match=named):
        read_scenario(path)


def test_a_scenario_names_its_profile_and_switches(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('[strictness]\nprofile = "tolerant"\nbits = "refuse"\n[[codes]]\ncode = "36010"\n')
    peer = logged_in(strictness=read_scenario(path).strictness)
    assert peer.submit(1, Msg="414")[0].data[0] == "A"
    assert decode(peer.submit(2, MT="4", Msg="4142", MCLs="1")[0])["EC"] == "02"


# Frames --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("switch", "answers"), [("silent", []), ("nack02", ["02"])])
def test_a_header_error_is_silent_or_answered(switch: str, answers: list[str]) -> None:
    peer = with_(header_errors=switch)
    frame = submit(1)
    assert [decode(result)["EC"] for result in peer.send(frame[:4] + b"  " + frame[6:])] == answers
    assert peer.send(frame.replace(b"/O/51/", b"/O/5X/")) == []  # no result has such an OT
    assert peer.send(b"\x02a\x03") == []
    assert peer.gateway.protocol_violations["header"] == 3


def with_raw(peer: Peer, octets: bytes) -> list[Frame]:
    """Return the answer, parsed by hand because its OT may not be a number."""
    peer.gateway.received(peer.number, octets, peer.now)
    raw = b"".join(octets for _, octets in peer.gateway.output())
    frames = []
    for piece in filter(None, raw.split(b"\x03")):
        trn, _, kind, ot, *data = piece[1:].decode().split("/")
        frames.append(Frame(trn, kind, ot, data[:-1], piece))
    return frames


@pytest.mark.parametrize(("switch", "answers"), [("silent", []), ("nack02", ["02"])])
def test_a_wrong_length_is_silent_or_answered(switch: str, answers: list[str]) -> None:
    peer = with_(wrong_length=switch)
    frame = submit(1)
    wrong = frame[:4] + b"%05d" % (len(frame) + 7) + frame[9:]
    assert [decode(result)["EC"] for result in peer.send(wrong)] == answers
    assert peer.gateway.protocol_violations["length"] == 1


def test_a_hexadecimal_transaction_number_is_echoed_or_no_header() -> None:
    frame = encode("0A", "O", "51", submit(1)[15:-3].decode() + "")
    assert with_raw(with_(hex_trn="header-error"), frame) == []
    peer = with_(hex_trn="echo")
    (result,) = with_raw(peer, frame)
    assert (result.trn, result.data[0]) == ("0A", "A")
    assert peer.gateway.protocol_violations["hex-trn"] == 1


def test_a_held_submit_with_a_hexadecimal_number_is_answered_under_it() -> None:
    peer = with_(hex_trn="echo")
    for trn in range(10):
        peer.submit(trn, AdC=f"3371000000{trn}")
    assert with_raw(peer, encode("0A", "O", "51", submit(1)[15:-3].decode())) == []
    peer.gateway.advance(peer.now + SECOND_US)
    assert b"\x020A/" in b"".join(octets for _, octets in peer.gateway.output())


def short_checksum(counted: int) -> bytes:
    """Return a submit with a one-digit checksum, and a LEN that counts so many digits of it."""
    for n in range(0x10000):
        body = submit(1, Msg=f"{n:04X}" * 4)[1:-3]
        body = body[:3] + b"%05d" % (len(body) + counted) + body[8:]
        if sum(body) & 0xF0 == 0:
            return b"\x02" + body + b"%X\x03" % (sum(body) & 0xFF)
    raise AssertionError("no such text")


@pytest.mark.parametrize("counted", [1, 2])
def test_a_checksum_of_one_digit_is_mended_or_broken(counted: int) -> None:
    frame = short_checksum(counted)
    refusing = with_(ragged_end="refuse")
    assert met(refusing.send(frame)) == ("01" if counted == 1 else "")
    peer = with_(ragged_end="mend")
    assert met(peer.send(frame)) == "A"
    assert peer.gateway.protocol_violations["short-checksum"] == 1


def test_a_refusal_without_its_last_slash_is_repaired_or_dropped() -> None:
    whole = encode("00", "R", "53", "N/02")
    assert whole.endswith(b"N/02" + whole[-3:])
    for switch, odd in (("mend", "missing-slash"), ("refuse", "checksum")):
        peer = with_(ragged_end=switch)
        peer.submit(1)
        peer.wait(MINUTE_US // 2)
        peer.send(whole)
        assert peer.gateway.protocol_violations[odd] == 1


@pytest.mark.parametrize(("switch", "count"), [("count", 1), ("ignore", 0)])
def test_line_ends_between_frames_are_harmless(switch: str, count: int) -> None:
    peer = with_(line_ends=switch)
    assert met(peer.send(b"\r\n" + submit(1))) == "A"
    assert peer.gateway.protocol_violations["line-ends"] == count


def test_lower_case_is_read_or_refused() -> None:
    lower = submit(1, Msg="4a4b")
    sums = next(frame for n in range(99) if (frame := submit(1, AdC=f"337100000{n:02d}"))[-3:-1].isalpha())
    sums = sums[:-3] + sums[-3:].lower()
    for switch, answers in (("tolerate", ("A", "A")), ("refuse", ("02", "01"))):
        peer = with_(lower_case=switch)
        assert (met(peer.send(lower)), met(peer.send(sums))) == answers
        assert (
            peer.gateway.protocol_violations["lower-case-hex"]
            == peer.gateway.protocol_violations["lower-case-checksum"]
            == 1
        )


# Fields --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "forgiving", "fields", "ec"),
    [
        ("extra_fields", "ignore", {"SCTS": "020326100000"}, "02"),
        ("odd_hex", "pad", {"Msg": "414"}, "02"),
        ("odd_hex", "pad", {"XSer": "02010"}, "02"),
        ("bits", "infer", {"MT": "4", "Msg": "4142", "MCLs": "1"}, "02"),
        ("bits", "infer", {"MT": "4", "Msg": "4142", "MCLs": "1", "NB": "0099"}, "02"),
        ("odd_services", "ignore", {"XSer": "02020000"}, "02"),
        ("untyped_originator", "alphanumeric", {"OAdC": "07F4F29C0E"}, "02"),
    ],
)
def test_a_field_error_is_refused_or_tolerated(switch: str, forgiving: str, fields: dict[str, str], ec: str) -> None:
    refusing = with_(**{switch: "refuse"})
    assert decode(refusing.submit(1, **fields)[0])["EC"] == ec
    assert met(with_(**{switch: forgiving}).submit(1, **fields)) == "A"
    assert sum(refusing.gateway.protocol_violations.values()) == 1


@pytest.mark.parametrize("switch", ["odd_hex", "untyped_originator"])
def test_errors_that_cannot_be_repaired_are_refused_by_every_profile(switch: str) -> None:
    value = {"odd_hex": "pad", "untyped_originator": "alphanumeric"}[switch]
    peer = with_(**{switch: value})
    assert decode(peer.submit(1, Msg="4XY")[0])["EC"] == "02"
    assert decode(peer.submit(2, OAdC="XYZ")[0])["EC"] == "02"


@given(st.lists(st.text("0123456789ABCDEFabcdefX ", max_size=9), min_size=1, max_size=36))
@settings(max_examples=150)
def test_a_tolerant_platform_answers_any_field_contents_once(values: list[str]) -> None:
    peer = with_(profile="tolerant")
    for ot in ("01", "02", "03", "30", "31", "51", "54", "55", "56", "60", "61"):
        results = [f for f in peer.send(encode(1, "O", ot, "".join(v + "/" for v in values))) if f.kind == "R"]
        assert len(results) == 1 or peer.why_closed()


@given(st.binary(max_size=300))
@settings(max_examples=150)
def test_the_platform_continues_after_any_octets(octets: bytes) -> None:
    peer = with_(profile="tolerant")
    with_raw(peer, octets + b"\x03")
    assert met(peer.submit(1)) == "A"


@given(st.from_regex(COMMON, fullmatch=True))
@settings(max_examples=200)
def test_the_common_form_of_a_submit_has_no_violation_of_the_field_table(data: bytes) -> None:
    (frame,) = Framer().feed(encode(1, "O", "51", data.decode()))
    assert isinstance(frame, Frame)
    assert [error.problem for error in check(frame)] == ["not-gsm"] * (not is_seven_bit(frame.data[At.MSG]))
    assert not any(frame.data[at] for at in (At.AC, At.DD, At.LRQ, At.MMS, At.NADC, At.PR, At.RPID, At.RPI, At.XSER))


@pytest.mark.parametrize("profile", ["strict", "tolerant"])
def test_octets_above_7f_in_a_text_are_counted_and_accepted(profile: str) -> None:
    peer = with_(profile=profile)
    assert [met(peer.submit(trn, Msg=text)) for trn, text in enumerate(["44E96AE0", "80", "7F41"])] == ["A", "A", "A"]
    assert peer.gateway.protocol_violations["not-gsm"] == 2


# Sessions and windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("switch", "answers", "closed"), [
    ("nack04", ["04"], ""), ("silent", [], ""), ("close", [], "operation before login"),
])  # fmt: skip
@pytest.mark.parametrize("ot", ["51", "31", "55", "01"])
def test_an_operation_before_the_login(switch: str, answers: list[str], closed: str, ot: str) -> None:
    peer = Peer(gateway_of(strictness=Strictness(before_login=switch))[0])  # type: ignore[arg-type]
    fields: Any = {"AdC": "36010", "PID": "0539"} if ot == "31" else {"AdC": "33710000001"}
    if ot != "31":
        fields |= {"OAdC": "36010"} | ({} if ot == "55" else {"MT": "3", "Msg": "41"})
    assert [decode(result)["EC"] for result in peer.send(operation(ot, 1, **fields))] == answers
    assert peer.why_closed() == closed


@pytest.mark.parametrize(("switch", "answer", "closed"), [
    ("re-authenticate", "A", ""), ("refuse", "04", ""), ("close", "", "second login"),
])  # fmt: skip
def test_a_second_login(switch: str, answer: str, closed: str) -> None:
    peer = with_(second_login=switch)
    assert [decode(f).get("EC", "A") for f in peer.send(login(trn=1))] == ([answer] if answer else [])
    assert peer.why_closed() == closed
    assert [frame.data[0] for frame in peer.submit(1)] == ([] if closed else ["A"])
    assert peer.gateway.protocol_violations["second-login"] == 1


@pytest.mark.parametrize(("switch", "answers"), [("discard", []), ("nack04", ["04"]), ("serve", [])])
def test_an_operation_beyond_the_window(switch: str, answers: list[str]) -> None:
    peer = with_(over_window=switch)
    for trn in range(20):
        peer.submit(trn, AdC=f"337100000{trn:02d}")
    assert [decode(result)["EC"] for result in peer.submit(20)] == answers
    late = {frame.trn for frame in peer.wait(5 * SECOND_US) if frame.ot == "51"}
    assert ("20" in late) == (switch == "serve")
    assert peer.gateway.protocol_violations["over-window"] == 1


@pytest.mark.parametrize(("switch", "results"), [("discard", 1), ("serve", 3)])
def test_a_transaction_number_still_open(switch: str, results: int) -> None:
    peer = with_(trn_reuse=switch)
    for trn in range(10):
        peer.submit(trn, AdC=f"3371000000{trn}")
    for n in range(3):
        assert peer.submit(50, AdC=f"3371000010{n}") == []
    late = [frame for frame in peer.wait(5 * SECOND_US) if frame.ot == "51"]
    assert [(frame.trn, frame.data[0]) for frame in late] == [("50", "A")] * results
    assert peer.gateway.protocol_violations["trn-in-use"] == 2


@pytest.mark.parametrize(("switch", "data"), [("two-fields", ["A", "0000"]), ("extra-slash", ["A", "", "0000"])])
def test_the_two_forms_of_an_answer_to_an_alert(switch: str, data: list[str]) -> None:
    assert with_(alert_ack=switch).send(operation("31", 1, AdC="36010", PID="0539"))[0].data == data


@pytest.mark.parametrize(("switch", "repeated"), [("optional", 0), ("required", 1)])
@pytest.mark.parametrize("ot", ["52", "53"])
def test_a_result_without_sm_acknowledges_or_not(switch: str, repeated: int, ot: str) -> None:
    peer = with_(notice_sm=switch)
    if ot == "52":
        peer.gateway.originate("33639980012", "36010", "Bonjour", peer.now)
    else:
        peer.submit(1)
    (notice,) = [frame for frame in peer.wait(MINUTE_US // 2) if frame.ot == ot]
    peer.acknowledge(notice)
    again = [frame for frame in peer.wait(MINUTE_US) if frame.ot == ot]
    assert len(again) == peer.gateway.protocol_violations["result-without-sm"] == repeated
    for frame in again:
        peer.acknowledge(frame, "A//36010:020326100000/")
    assert peer.wait(2 * MINUTE_US) == []


def test_each_violation_is_counted_and_reported_with_its_instant_and_line() -> None:
    peer = with_()
    peer.now += SECOND_US
    peer.submit(1, Msg="414")
    peer.send(b"junk\x03")
    events = list(peer.gateway.violation_events)
    assert events == [(peer.now, 1, "odd-hex", ""), (peer.now, 1, "garbage", "")]
    assert peer.gateway.protocol_violations == {"odd-hex": 1, "garbage": 1}


def test_a_struct_of_switches_refuses_unknown_switches() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"odd_hex": "maybe"}, Strictness)


def test_another_protocol_is_reported_once_and_endless_octets_when_the_connection_ends() -> None:
    gateway, _ = gateway_of()
    gateway.opened(7, START)
    gateway.received(7, b"GET / HTTP/1.1\r\n", START + 1)
    gateway.received(7, b"Host: x\r\n\r\n", START + 2)
    gateway.closed(7, START + 3)
    gateway.opened(8, START)
    gateway.received(8, b"\x0200/00016/O/", START + 4)
    gateway.closed(8, START + 5)
    assert list(gateway.violation_events) == [
        (START + 1, 7, "foreign-protocol", "an HTTP request"), (START + 5, 8, "unended", ""),
    ]  # fmt: skip


def test_a_server_that_infers_bits_stops_if_no_number_of_bits_fits() -> None:
    """UCS-2 of three octets: 24 bits are not a multiple of sixteen, for any NB."""
    peer = with_(bits="infer")
    answer = peer.submit(1, MT="4", NB="0016", Msg="410042", XSer="020108")[0]
    assert decode(answer)["EC"] == "02"
