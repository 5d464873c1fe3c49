"""`simbench judge` on captures as its user calls it."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import pytest

from simbench.base.units import HOUR_US
from simbench.bench.report.findings_file import read_findings
from simbench.ucp.operations import build
from tests.capture.scenes import LOGIN, WELCOME, Line, ip_packet, pcap
from tests.capture.test_files import block, interface, section
from tests.capture.test_order import MIDDLE, SLOW, Sent, stamped
from tests.capture.tunnels import Tunnel, capture, keys
from tests.cli.child import Ended
from tests.rules.traffic import captured

SENT = Line().open().talk().close().sent
WRONG = ("AES-CBC", "00" * 16, "SHA2-256-128", "00" * 32)


def test_a_capture_is_judged_and_its_ledger_kept_and_judged_again_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = captured("session", tmp_path)
    first = Ended(capsys, "judge", path, "-o", tmp_path / "out", "--json")
    assert first.status == 0, first.out
    assert read_findings(tmp_path / "out" / "findings.json")
    again = Ended(capsys, "judge", tmp_path / "out" / "ledger", "--json")
    assert json.loads(again.out)["findings"] == json.loads(first.out)["findings"]
    report = Ended(capsys, "report", tmp_path / "out" / "ledger")
    assert report.status == 2
    assert "is the ledger of a capture, which is too short for a service level" in report.err
    table = Ended(capsys, "judge", path)
    assert "[[codes]] of --campaigns" in " ".join(table.out.split())


@pytest.mark.parametrize("clear", [(), (7,)])
def test_a_clear_frame_beside_a_tunnel_is_exit_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], clear: tuple[int, ...]
) -> None:
    path = capture(tmp_path, SENT, Tunnel(), clear=clear)
    ended = Ended(capsys, "judge", path, "--keys", keys(tmp_path), "--json")
    failed = [one["purpose"] for one in json.loads(ended.out)["findings"] if one["outcome"] == "fail"]
    assert failed == (["sessions.clear-from-client"] if clear else [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--keys", "wrong.toml"), "decrypts none of"),
        (("--keys", "none.toml"), "no such file"),
        (("--campaigns", "none.toml"), "no such file"),
        (("--requests", "none.csv"), "No such file"),
        ((), "ESP packets not decrypted"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], expected: str
) -> None:
    keys(tmp_path, WRONG, "wrong.toml")
    path = capture(tmp_path, SENT, Tunnel())
    given = [str(tmp_path / word) if "." in word else word for word in options]
    ended = Ended(capsys, "judge", path, *given)
    assert (ended.status, ended.err.count("\n")) == (2, 1), ended.err
    assert expected in ended.err


# What a capture's own faults leave of a verdict ----------------------------------------------------------------

OUTAGE = '[[outages]]\nfrom = "2026-03-02T10:00:00.200+01:00"\nto = "2026-03-02T10:00:00.300+01:00"\n'
CODES = '[[codes]]\ncode = "36010"\nrate_per_s = 10\n'


def saved(folder: Path, octets: bytes, name: str = "x.pcapng") -> Path:
    path = folder / name
    path.write_bytes(octets)
    return path


def findings(capsys: pytest.CaptureFixture[str], path: Path, *options: str | Path) -> tuple[Ended, dict[str, str]]:
    ended = Ended(capsys, "judge", path, "--json", *options)
    return ended, {one["purpose"]: one["outcome"] for one in json.loads(ended.out)["findings"]}


def burst(count: int) -> Sent:
    """A login, and that many submits ten milliseconds apart."""
    line = Line().open()
    line.send("in", LOGIN)
    line.send("out", WELCOME)
    for n in range(count):
        line.send("in", build("51", "O", n % 100, AdC=f"3363998{n:04d}", OAdC="36010", MT="3", Msg="41"))
        line.send("out", build("51", "R", n % 100, SM=f"3363998{n:04d}:020326100000"))
    return line.sent


def test_a_burst_is_reported_by_its_times_and_by_nothing_where_there_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "codes.toml").write_text(CODES)
    sent, codes = burst(40), tmp_path / "codes.toml"
    stamped = saved(tmp_path, pcap([(at, ip_packet(segment)) for at, segment in sent]))
    _, found = findings(capsys, stamped, "--campaigns", codes)
    assert found["rate.backlog-at-tier"] == "fail"
    packets = [ip_packet(segment) for _, segment in sent]
    simple = b"".join(block(3, struct.pack("<I", len(each)) + each + bytes(-len(each) % 4)) for each in packets)
    ended, found = findings(
        capsys, saved(tmp_path, section() + interface(101) + simple, "y.pcapng"), "--campaigns", codes
    )
    assert found["rate.backlog-at-tier"] == "inconclusive"
    assert found["sessions.keepalive"] == "inconclusive"
    assert found["sessions.login-first"] == "pass"
    facts = json.loads(ended.out)["run"]
    assert (facts["from"], facts["to"], facts["clock"]) == ("unknown", "unknown", "no packet carries a time")
    assert "1970" not in ended.out
    coarse = pcap([(at // 1_000_000 * 1_000_000, ip_packet(segment)) for at, segment in sent])
    _, found = findings(capsys, saved(tmp_path, coarse, "z.pcap"), "--campaigns", codes)
    assert found["rate.backlog-at-tier"] == "inconclusive"


@pytest.mark.parametrize(("silent_us", "jump_us", "outcome"), [(0, HOUR_US, "inconclusive"), (HOUR_US, 0, "weak")])
def test_an_hour_that_only_the_clock_of_the_capture_shows_is_no_silence_of_the_client(
    silent_us: int, jump_us: int, outcome: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, stamped(SLOW, 1_000, MIDDLE, silent_us, jump_us))
    ended, found = findings(capsys, path)
    assert found["sessions.keepalive"] == outcome
    assert ("steps forward" in ended.out) == (outcome == "inconclusive")
    if jump_us:
        assert not {"fail", "weak"} & set(found.values())


def test_a_clock_set_back_blames_nobody_and_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent = Line().open().talk().close().sent
    back = [(at - 3_600_000_000 * (n > 12), ip_packet(segment)) for n, (at, segment) in enumerate(sent)]
    ended, found = findings(capsys, saved(tmp_path, pcap(back)))
    assert not {"fail", "weak"} & set(found.values())
    assert "the clock steps back by at least" in ended.err
    assert "steps back" in json.loads(ended.out)["run"]["clock"]


def test_what_a_capture_without_ucp_holds_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = Line().open()
    line.send("in", struct.pack(">IIII", 26, 9, 0, 1) + b"user\0secre")
    line.close("out")
    path = saved(tmp_path, pcap([(at, ip_packet(segment)) for at, segment in line.sent]))
    ended = Ended(capsys, "judge", path)
    assert ended.status == 2
    assert "connections of SMPP (bind_transceiver)" in ended.err
    ended, found = findings(capsys, path, "--port", "5000")
    assert found["sessions.violations"] == "fail"
    assert "foreign-protocol: SMPP (bind_transceiver)" in ended.out


def test_a_packed_capture_is_judged_like_the_plain_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = pcap([(at, ip_packet(segment)) for at, segment in Line().open().talk().close().sent])
    plain = findings(capsys, saved(tmp_path, octets))[1]
    assert findings(capsys, saved(tmp_path, gzip.compress(octets), "x.pcap.gz"))[1] == plain


@pytest.mark.parametrize("header", ["03240102", "03250101"])
def test_a_text_in_a_national_table_is_the_text_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str
) -> None:
    octets, text = ("1B0961", "ça") if header == "03240102" else ("0C0B", "ğĞ")
    line = Line().open()
    line.send("in", LOGIN)
    line.send("out", WELCOME)
    line.send("in", build("51", "O", 1, AdC="33639980012", OAdC="36010", MT="3", Msg=octets, XSer=f"0104{header}"))
    line.send("out", build("51", "R", 1, SM="33639980012:020326100000"))
    line.at += 120_000_000  # requests of the last minute may be sent after the capture
    path = saved(tmp_path, pcap([(at, ip_packet(segment)) for at, segment in line.close().sent]))
    (tmp_path / "codes.toml").write_text(CODES + OUTAGE)
    options = ("--campaigns", tmp_path / "codes.toml", "--requests", tmp_path / "requests.csv")
    for logged, outcome in ((text, "pass"), ("another text", "fail")):
        row = f"2026-03-02T10:00:00+01:00,36010,33639980012,{logged}"
        (tmp_path / "requests.csv").write_text(f"at,code,recipient,text\n{row}\n")
        assert findings(capsys, path, *options)[1]["outage.nothing-lost"] == outcome


def test_data_that_is_no_text_may_be_any_message_its_recipient_was_to_get(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line().open()
    line.send("in", LOGIN)
    line.send("out", WELCOME)
    data = {"MT": "4", "Msg": "06050400", "NB": "0032", "XSer": "0201F5"}
    for trn, fields in ((1, data), (2, {"MT": "3", "Msg": "41"})):
        line.send("in", build("51", "O", trn, AdC="33639980012", OAdC="36010", **fields))
        line.send("out", build("51", "R", trn, SM="33639980012:020326100000"))
    line.at += 120_000_000
    path = saved(tmp_path, pcap([(at, ip_packet(segment)) for at, segment in line.close().sent]))
    (tmp_path / "codes.toml").write_text(CODES + OUTAGE)
    options = ("--campaigns", tmp_path / "codes.toml", "--requests", tmp_path / "requests.csv")
    for texts, outcome in ((("A", "a picture"), "pass"), (("A", "a picture", "a third one"), "fail")):
        rows = [f"2026-03-02T10:00:00+01:00,36010,33639980012,{text}\n" for text in texts]
        (tmp_path / "requests.csv").write_text("at,code,recipient,text\n" + "".join(rows))
        assert findings(capsys, path, *options)[1]["outage.nothing-lost"] == outcome
