"""Captures that show one connection twice, before and after an address translation, and repeated handshakes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from simbench.api.audit import Audited, AuditInputs, audit_capture, audit_run
from simbench.capture.layers import ACK, RST, SYN, Segment
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import open_run
from simbench.ledger.capture_events import ConnectionCaptured
from simbench.ledger.events import At
from simbench.rules.repeated import repeated
from simbench.ucp.operations import build
from tests.capture.scenes import LOGIN, MS, SUBMITS, WELCOME, Line, ip_packet, pcap, write
from tests.rules.traffic import in_order
from tests.steps import steps_of

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


def refused(isn: int, client: bytes = CLIENT) -> Sent:
    """Twelve attempts in a minute that the server refuses, a minute after a session."""
    server, service, found = bytes([198, 51, 100, 1]), (5_000).to_bytes(2, "big"), list[tuple[int, Segment]]()
    for number in range(12):
        port = (41_000 + number).to_bytes(2, "big")
        at = at_tier()[-1][0] + 60_000 * MS + number * 4_000 * MS
        found.append((at, (client + server + port + service, isn + number, 0, SYN, b"", 0)))
        found.append((at + 20, (server + client + service + port, 0, isn + number + 1, RST | ACK, b"", 0)))
    return found


def test_a_failed_attempt_before_and_after_an_address_translation_counts_once(tmp_path: Path) -> None:
    for again, outcome, measured in ((later(refused(5_000)), "pass", 12), (refused(77_000, TRANSLATED), "weak", 24)):
        found = judged(tmp_path, [*at_tier(), *refused(5_000), *again])["sessions.reconnect-pace"]
        assert (found.outcome, found.measured) == (outcome, measured)


def test_numbers_used_again_after_results_that_were_not_captured_blame_nobody(tmp_path: Path) -> None:
    line = Line().open()
    for octets, answer in ((LOGIN, WELCOME), *((SUBMITS[0], build("51", "R", 1)) for _ in range(2))):
        line.send("in", octets)
        line.send("out", answer)
    sent = line.close().sent
    assert judged(tmp_path, sent)[TRN].summary.startswith("2 operations, 0 with a number in use")
    found = judged(tmp_path, [each for each in sent if each[1][0] == sent[0][1][0]])[TRN]
    assert (found.outcome, found.blame) == ("inconclusive", "bench")


def test_the_work_grows_with_the_number_of_connections_that_are_alike() -> None:
    """As of a tool that numbers its octets alike in each connection."""

    ends = "192.0.2.10:1", "198.51.100.1:2"

    def alike(connections: int) -> list[At]:
        return [
            At(number, ConnectionCaptured(number, *ends, ("in", "out"), False, 0, 0, 0, 0, 0, "7"))
            for number in range(connections)
        ]

    few, many = (steps_of(partial(repeated, alike(each))) for each in (50, 400))
    assert many < 8.5 * few
