"""Captures that show one connection twice, before and after an address translation, and repeated handshakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.api.audit import Audited, AuditInputs, audit_capture, audit_run
from simbench.capture.layers import Segment
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import open_run
from simbench.ucp.operations import build
from tests.capture.scenes import LOGIN, MS, SUBMITS, WELCOME, Line, ip_packet, pcap, write
from tests.rules.traffic import in_order

CODES = '[[codes]]\ncode = "36010"\nrate_per_s = 10\n'
AT_TIER, TRN = "rate.backlog-at-tier", "submits.trn-discipline"
CLIENT, TRANSLATED = bytes([192, 0, 2, 10]), bytes([203, 0, 113, 7])
Sent = list[tuple[int, Segment]]


def at_tier(client: bytes = CLIENT, isn: int = 1_000, first: int = 0) -> Sent:
    """Thirty submits at ten a second over one connection."""
    server = bytes([198, 51, 100, 1])
    ports = (40_000).to_bytes(2, "big"), (5_000).to_bytes(2, "big")
    line = Line(client + server + ports[0] + ports[1], server + client + ports[1] + ports[0], isn).open()
    line.send("in", LOGIN)
    line.send("out", WELCOME)
    for number in range(30):
        line.send("in", build("51", "O", number, AdC=f"33639981{first + number:03d}", OAdC="36010", MT="3", Msg="41"))
        line.send("out", build("51", "R", number, SM=f"33639981{first + number:03d}:020326100000"))
        line.at += 80 * MS
    return line.close().sent


def later(sent: Sent, by_us: int = 50) -> Sent:
    """The same segments after an address translation, a moment later."""
    return [(at + by_us, (one[0].replace(CLIENT, TRANSLATED), *one[1:])) for at, one in sent]


def audited(folder: Path, sent: Sent, output: Path | None = None) -> Audited:
    (folder / "codes.toml").write_text(CODES, "utf-8")
    packets = [(at, ip_packet(segment)) for at, segment in sorted(sent, key=lambda one: one[0])]
    inputs = AuditInputs(folder / "codes.toml", output=output)
    return audit_capture(write(folder, pcap(packets)), inputs, load_contract())


def judged(folder: Path, sent: Sent) -> dict[str, Finding]:
    return in_order(audited(folder, sent).findings)


@pytest.mark.parametrize("by_us", [50, 5_000])
def test_a_connection_before_and_after_an_address_translation_counts_once(tmp_path: Path, by_us: int) -> None:
    sent = at_tier()
    folder = tmp_path / "kept"
    found = audited(tmp_path, [*sent, *later(sent, by_us)], folder)
    assert in_order(found.findings)[AT_TIER].outcome == "pass"
    assert "1 connection captured twice" in found.notes[0].reason
    assert in_order(audit_run(open_run(folder / "ledger"), load_contract()).findings)[AT_TIER].outcome == "pass"


def test_two_clients_with_the_same_octets_are_two(tmp_path: Path) -> None:
    """Their sequence numbers differ, so that the code is used at twice its rate."""
    assert judged(tmp_path, [*at_tier(), *at_tier(TRANSLATED, isn=900_000)])[AT_TIER].outcome == "fail"
    assert judged(tmp_path, [*at_tier(), *at_tier(TRANSLATED, first=100)])[AT_TIER].outcome == "fail"


def test_a_repeated_handshake_begins_no_connection(tmp_path: Path) -> None:
    sent = at_tier()
    again = [(at + 300 * MS, segment) for at, segment in sent[:9:3]]
    found = judged(tmp_path, [*sent, *again])
    assert (found[AT_TIER].outcome, found["sessions.login-first"].summary[:12]) == ("pass", "1 connection")


def test_numbers_used_again_after_results_that_were_not_captured_blame_nobody(tmp_path: Path) -> None:
    line = Line().open()
    for octets, answer in ((LOGIN, WELCOME), *((SUBMITS[0], build("51", "R", 1)) for _ in range(2))):
        line.send("in", octets)
        line.send("out", answer)
    sent = line.close().sent
    assert judged(tmp_path, sent)[TRN].summary.startswith("2 operations, 0 with a number in use")
    found = judged(tmp_path, [each for each in sent if each[1][0] == sent[0][1][0]])[TRN]
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
