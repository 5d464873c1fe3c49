"""Accounting as access servers really leave it: one call of ten minutes, recorded in many ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP

from simbench.base.errors import SimbenchError
from simbench.cli.main import cli
from simbench.dialup.calls import CAUSES, UNKNOWN_CAUSE, SetAside, cause_of
from simbench.dialup.radius.dates import event_of
from simbench.dialup.radius.detail import records
from simbench.dialup.radius.record import Heard, record_of
from simbench.dialup.sources import Reading, read_calls
from tests.capture.scenes import pcap
from tests.dialup.radius.test_captured import LINK, NAS, SERVER, packet, request
from tests.dialup.scene import OFFER

BEGINS = 968_590_800  # 2000-09-10 13:00:00 UTC
STATED = {"Acct-Session-Id": '"0000A1"', "User-Name": '"dupont"', "NAS-IP-Address": NAS, "NAS-Port": "7"}


def block(status: str, second: int, more: Mapping[str, str] | None = None, stamp: str = "Timestamp") -> str:
    """One record of a detail file."""
    given = {"Acct-Status-Type": status, **STATED, **(more or {}), stamp: str(BEGINS + second)}
    return "\n".join(["Sun Sep 10 13:00:00 2000", *(f"\t{name} = {value}" for name, value in given.items()), "", ""])


def call(more: Mapping[str, str] | None = None, stamp: str = "Timestamp") -> str:
    """Start and Stop of ten minutes, both with more attributes."""
    return block("Start", 0, more, stamp) + block("Stop", 600, {"Acct-Session-Time": "600", **(more or {})}, stamp)


def replayed(path: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["dialup", "replay", str(path), "--month", "2000-09", *options, "--json"])


def reported(tmp_path: Path, text: str | bytes, *options: str) -> tuple[int, dict[str, Any]]:
    path = tmp_path / "detail"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    done = replayed(path, *options)
    return done.exit_code, json.loads(done.stdout)


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    """Outcome of each clause about records, by its number."""
    return {one["clause"][-2:]: one["outcome"] for one in found["findings"] if one["clause"].startswith("NRV-CDR")}


@pytest.mark.parametrize(
    "more",
    [
        *({"Acct-Terminate-Cause": cause} for cause in ("Port-Preempted", "Lost-Power", "100001", "0", "Boredom")),
        {"Acct-Input-Octets": "-1"}, {"Acct-Output-Octets": "6442450944"}, {"Acct-Input-Gigawords": "many"},
        {"NAS-Port": '"eth0/1"'}, {"NAS-Port": "4294967295"}, {"NAS-Port-Type": "ISDN "}, {"Framed-Pool": ""},
        {"Connect-Info": '""'}, {"Tunnel-Type:0": "L2TP"}, {"Cisco-AVPair": '"a=\\"b\\""'},
        {"Attr-26.10055.1": "0x01020304"}, {"Class": "0x"}, {"Acct-Terminate-Cause": ""}, {"Acct-Delay-Time": ""},
    ],
    ids=str,
)  # fmt: skip
def test_an_attribute_that_bills_nothing_costs_no_record(more: dict[str, str], tmp_path: Path) -> None:
    status, found = reported(tmp_path, call(more))
    assert (status, found["calls"], found["aside_total"], found["settled"][0]["minutes"]) == (0, 1, 0, 10)


@pytest.mark.parametrize(
    "text",
    [
        call().replace("\t", "        "),
        call(stamp="Donestamp"),
        call().replace("\n", "\r\n"),
        call()[:-1],
        call({"Filter-Id": '"acc\udce8s"'}).encode("utf-8", "surrogateescape"),
        call().replace("dupont", "dup\udcf4nt").encode("utf-8", "surrogateescape"),
        call().replace("\n\n", "\n\t\n"),
    ],
    ids=["spaces", "read before", "crlf", "no last empty line", "Latin-1", "Latin-1 user", "a tab alone"],
)
def test_files_that_editors_and_readers_touched_are_read(text: str | bytes, tmp_path: Path) -> None:
    status, found = reported(tmp_path, text)
    assert (status, found["calls"], found["aside_total"], found["settled"][0]["minutes"]) == (0, 1, 0, 10)


def test_session_names_begin_again_after_a_boot(tmp_path: Path) -> None:
    boot = "Sun Sep 10 14:00:00 2000\n\tAcct-Status-Type = Accounting-On\n"
    boot += f"\tNAS-IP-Address = {NAS}\n\tTimestamp = {BEGINS + 3600}\n\n"
    again = block("Start", 7200) + block("Stop", 7500, {"Acct-Session-Time": "300"})
    for between in (boot, ""):  # a name that comes again with a Start of its own is another call in any case
        status, found = reported(tmp_path, call() + between + again)
        assert (status, found["calls"], found["aside_total"], found["settled"][0]["minutes"]) == (0, 2, 0, 15)


def test_a_repeated_stop_is_a_retransmission_unless_its_contents_differ(tmp_path: Path) -> None:
    stop = {"Acct-Session-Time": "600"}
    for delay in ({}, {"Acct-Delay-Time": "1800"}):
        status, found = reported(tmp_path, call() + block("Stop", 2_400, {**stop, **delay}))
        assert (status, found["calls"], found["aside_counts"]) == (0, 1, {"retransmission": 1})
    status, found = reported(tmp_path, call() + block("Stop", 600, {**stop, "Acct-Output-Octets": "9"}))
    assert (status, found["calls"], found["aside_counts"]) == (1, 1, {"duplicate": 1})


def test_records_of_no_call_are_passed_over_and_counted(tmp_path: Path) -> None:
    more = block("Failed", 700) + block("Tunnel-Start", 701) + block("15", 702)
    status, found = reported(tmp_path, call() + more)
    assert (status, found["rows"], found["calls"], found["aside_total"]) == (0, 5, 1, 0)
    assert found["passed_over"] == {"Failed": 2, "Tunnel-Start": 1}
    assert "2 Failed, 1 Tunnel-Start" in CliRunner().invoke(cli, ["dialup", "replay", str(tmp_path / "detail")]).output


def test_a_delay_that_is_no_delay_blames_nobody(tmp_path: Path) -> None:
    for delay in ("4294967295", "-1", "soon"):
        status, found = reported(tmp_path, call({"Acct-Delay-Time": delay}))
        assert (status, found["calls"], found["aside_counts"]) == (3, 0, {"undated": 2})
        assert delay in found["aside"][0]["text"]
        assert set(outcomes(found).values()) == {"inconclusive"}


def test_a_call_in_progress_at_the_end_blames_nobody(tmp_path: Path) -> None:
    status, found = reported(tmp_path, call() + block("Start", 700, {"Acct-Session-Id": '"0000A2"'}))
    assert (status, found["calls"], found["aside_counts"]) == (3, 1, {"open": 1})
    assert outcomes(found) == {"01": "inconclusive", "02": "inconclusive", "03": "pass", "04": "pass"}


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("Aug 20 2000 15:00:00 CEST", 13), ("Aug 20 2000 17:00:00 MSD", 13), ("Aug 20 2000 18:00:00 +05", 13),
        ("Aug 20 2000 18:30:00 +0530", 13), ("Aug 20 2000 09:00:00 -04:00", 13), ("Aug 20 2000 09:00:00 EDT", 13),
        ("août 20 2000 15:00:00 CEST", 13),
        ("déc. 20 2000 13:00:00 UTC", None), ("2000-08-20T13:00:00Z", 13), ("2000-08-20T15:00:00.5+02:00", 13),
        ("966776400", 13), ("Aug 20 2000 21:00:00 CST", None), ("Aug 20 2000 15:00:00", None),
        ("2000-08-20T13:00:00", None), ("Aug 20 2000 25:00:00 UTC", None), ("Aug 20 2000 13:00:00 +99", None),
        ("99999999999", None), ("", None), ("0000-00-00", None), ("Smarch 20 2000 13:00:00 UTC", None),
    ],
)  # fmt: skip
def test_events_are_dated_in_every_common_form_or_not_at_all(written: str, hour: int | None) -> None:
    august = 966_729_600  # 2000-08-20 00:00 UTC
    december = 977_270_400  # 2000-12-20 00:00 UTC
    expected = -1 if hour is None else (august + hour * 3600) * 1_000_000
    if written.startswith("déc"):
        expected = (december + 13 * 3600) * 1_000_000
    assert event_of(written) == expected


@given(st.text(max_size=40))
def test_any_text_is_an_event_or_none(text: str) -> None:
    assert event_of(text) >= -1


def test_the_clock_of_events_never_falls_back_in_silence(tmp_path: Path) -> None:
    status, found = reported(tmp_path, call({"Event-Timestamp": '"Sep 10 2000 21:00:00 CST"'}), "--clock", "event")
    assert (status, found["calls"], found["aside_counts"]) == (3, 0, {"undated": 2})
    status, found = reported(tmp_path, call(), "--clock", "event")
    assert (status, found["calls"], found["aside_counts"]) == (3, 0, {"undated": 2})
    status, found = reported(tmp_path, call({"Event-Timestamp": '"Sep 10 2000 21:00:00 CST"'}))
    assert (status, found["calls"], found["aside_total"]) == (0, 1, 0)


@pytest.mark.parametrize("name", CAUSES[1:])
def test_every_cause_has_its_name_and_its_number(name: str) -> None:
    assert cause_of(name) == cause_of(str(CAUSES.index(name))) == cause_of(name.upper()) == CAUSES.index(name)


def test_a_cause_of_no_registry_is_unknown() -> None:
    named = {"Acct-Status-Type": "Stop", "NAS-Identifier": "pop", "Acct-Session-Id": "1", "Acct-Terminate-Cause": "99"}
    assert record_of(named.items()).cause == UNKNOWN_CAUSE


def test_ports_are_an_option_and_a_capture_without_accounting_passes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.pcap"
    path.write_bytes(pcap([(BEGINS * 1_000_000, packet(request(), port=1646))], 1))
    nothing = replayed(path)
    assert nothing.exit_code == 1
    assert "port 1646: name it with --port" in str(nothing.exception)
    assert json.loads(replayed(path, "--port", "1646").stdout)["calls"] == 1
    assert json.loads(replayed(path, "--port", "1813", "--port", "1646").stdout)["rows"] == 1


VLAN, SERVICE, OLD_SERVICE, MPLS, PPPOE, IPV4 = (
    b"\x81\x00",
    b"\x88\xa8",
    b"\x91\x00",
    b"\x88\x47",
    b"\x88\x64",
    b"\x08\x00",
)


@pytest.mark.parametrize(
    "link",
    [
        IPV4,
        VLAN + b"\x00\x05" + IPV4,
        SERVICE + b"\x00\x05" + VLAN + b"\x00\x06" + IPV4,
        OLD_SERVICE + b"\x00\x05" + VLAN + b"\x00\x06" + IPV4,
        MPLS + b"\x00\x01\x01\x40",
        PPPOE + b"\x11\x00\x00\x01\x00\x00\x00\x21",
    ],
    ids=["plain", "VLAN", "QinQ", "QinQ of 9100", "MPLS", "PPPoE"],
)
def test_accounting_behind_what_networks_put_in_front_is_read(link: bytes, tmp_path: Path) -> None:
    ip: Any = IP(src=NAS, dst=SERVER) / UDP(sport=40_000, dport=1813) / request()
    octets = bytes(ip)
    if link.startswith(PPPOE):
        link = link[:6] + (len(octets) + 2).to_bytes(2, "big") + link[8:]
    path = tmp_path / "tagged.pcap"
    path.write_bytes(pcap([(BEGINS * 1_000_000, bytes(LINK)[:12] + link + octets)], 1))
    assert json.loads(replayed(path).stdout)["calls"] == 1


def test_a_file_that_was_cut_off_blames_nobody(tmp_path: Path) -> None:
    status, found = reported(tmp_path, call() + block("Stop", 700, {"Acct-Session-Time": "60"})[:-40])
    assert (status, found["calls"], found["aside_counts"]) == (3, 1, {"truncated": 1})
    assert set(outcomes(found).values()) == {"inconclusive"}
    path = tmp_path / "cut.pcap"
    whole = pcap([(BEGINS * 1_000_000 + n, packet(request(identifier=n))) for n in range(2)], 1)
    path.write_bytes(whole[:-5])
    done = replayed(path)
    assert (done.exit_code, json.loads(done.stdout)["aside_counts"]) == (3, {"truncated": 1})


WHOLE = call({"Event-Timestamp": '"Sep 10 2000 15:00:00 CEST"', "User-Name": '"d\\351"', "Class": "0xdead"}).encode()
CAPTURE = pcap([(BEGINS * 1_000_000 + n, packet(request(identifier=n))) for n in range(3)], 1)


@given(st.integers(0, len(WHOLE)), st.binary(max_size=4))
def test_a_detail_file_cut_at_any_octet_gives_records_and_reasons(at: int, noise: bytes) -> None:
    for octets in (WHOLE[:at] + noise, WHOLE[at:] + noise, WHOLE[:at] + noise + WHOLE[at:]):
        for found in records(octets.splitlines(keepends=True)):
            assert isinstance(found, Heard | SetAside)


@given(at=st.integers(0, len(CAPTURE)), noise=st.binary(max_size=4), clock=st.sampled_from(["reception", "event"]))
def test_a_capture_cut_at_any_octet_is_read_or_refused_in_one_line(
    at: int, noise: bytes, clock: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut"
    for octets in (CAPTURE[:at] + noise, WHOLE[:at] + noise):
        path.write_bytes(octets)
        try:
            found = read_calls(path, OFFER, Reading("2000-09", clock))
        except SimbenchError:
            continue
        assert len(found.calls) + found.aside.total <= found.rows
