from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.capture.esp import Tunnels, esp_of
from simbench.capture.links import LINKS
from simbench.capture.tunnelled import read_tunnelled
from simbench.ledger import MemoryLedger
from simbench.ledger.capture_events import ClockDoubted, TunnelsSeen
from tests.capture.reading import read_capture
from tests.capture.scenes import Line, octets_of, recorded
from tests.capture.tunnels import CBC, GCM, Tunnel, capture, keys

WRONG = ("AES-CBC", "00" * 16, "SHA2-256-128", "00" * 32)
SENT = Line().open().talk().close().sent
TEXTS = [place for place, (_, segment) in enumerate(SENT) if segment[4]]


def read(path: Path, keys_file: Path | None = None) -> tuple[MemoryLedger, TunnelsSeen]:
    ledger = MemoryLedger()
    read_tunnelled(path, ledger, None, Tunnels(keys_file))
    (seen,) = [event for event in recorded(ledger.events) if isinstance(event, TunnelsSeen)]
    return ledger, seen


def test_a_capture_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.pcap", tmp_path):
        with pytest.raises(BadInput, match=path.name):
            read(path)


@pytest.mark.parametrize("suite", [CBC, GCM])
@pytest.mark.parametrize("udp", [False, True])
@pytest.mark.parametrize("transport", [False, True])
def test_a_tunnel_opened_gives_the_rows_of_the_same_traffic_in_clear(
    tmp_path: Path, suite: tuple[str, str, str, str], udp: bool, transport: bool
) -> None:
    plain = MemoryLedger()
    read_capture(capture(tmp_path, SENT, None), plain.wire, plain.events)
    tunnel = Tunnel(suite, udp=udp, transport=transport)
    ledger, seen = read(capture(tmp_path, SENT, tunnel), keys(tmp_path, suite))
    assert ledger.wire == plain.wire
    assert (seen.packets, seen.opened, seen.clear) == (len(SENT), len(SENT), {"in": 0, "out": 0})


def test_a_tunnel_without_keys_stays_closed_and_is_counted(tmp_path: Path) -> None:
    ledger, seen = read(capture(tmp_path, SENT, Tunnel()))
    assert not ledger.wire
    assert sum(seen.unknown.values()) == seen.packets == len(SENT)


@pytest.mark.parametrize("count", [len(SENT), 3])
def test_a_wrong_key_is_reported_in_one_line(tmp_path: Path, count: int) -> None:
    path = capture(tmp_path, SENT[:count], Tunnel())
    with pytest.raises(BadInput, match=r"keys\.toml: SPI 0xc0ffee0\d: decrypts none of \d+ packets"):
        read(path, keys(tmp_path, WRONG))


@pytest.mark.parametrize("place", [TEXTS[4], TEXTS[5]])
def test_a_segment_outside_the_tunnel_is_found_and_read_once(tmp_path: Path, place: int) -> None:
    ledger, seen = read(capture(tmp_path, SENT, Tunnel(), clear=[place]), keys(tmp_path))
    direction = "in" if place % 2 else "out"
    assert seen.clear == {"in": int(direction == "in"), "out": int(direction == "out")}
    assert [one.frame for one in seen.frames] == [SENT[place][1][4].hex().upper()]
    whole = b"".join(segment[4] for _, segment in SENT if segment[0] == SENT[place][1][0])
    assert octets_of(ledger.wire, 1, direction) == whole


def test_a_capture_at_the_tunnels_own_end_shows_a_segment_twice_and_it_is_read_once(tmp_path: Path) -> None:
    plain, tunnel = MemoryLedger(), Tunnel()
    path = capture(tmp_path, SENT, None)
    read_capture(path, plain.wire, plain.events)
    doubled = [one for each in SENT for one in (each, each)]
    ledger, seen = read(capture(tmp_path, doubled, tunnel, clear=range(1, len(doubled), 2)), keys(tmp_path))
    assert ledger.wire == plain.wire
    assert seen.clear["in"] == seen.clear["out"] == len(TEXTS) // 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sa: is missing"),
        ("sa = []", "has no association"),
        ('[[sa]]\nspi = "zz"\nencryption = "NULL"', "spi: is 'zz'"),
        ('[[sa]]\nspi = "1"\nencryption = "AES-CCB"', "perhaps `AES-CCM`"),
        ('[[sa]]\nspi = "1"\nencryption = "AES-CBC"\nkey = "xy"', "key: is not hexadecimal"),
        ('[[sa]]\nspi = "1"\nencryption = "NULL"\nintegrety = ""', "unknown key"),
    ],
)
def test_a_keys_file_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        Tunnels(path)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.sampled_from(sorted(LINKS)), st.binary(max_size=120))
def test_no_octets_break_the_search_for_esp(link: int, octets: bytes) -> None:
    found = esp_of(link, octets)
    assert found is None or octets.endswith(found[1]) or found[1] in octets


@settings(max_examples=40)
@given(st.binary(min_size=9, max_size=90))
def test_no_octets_of_a_known_association_break_the_opening(octets: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        tunnels = Tunnels(keys(Path(folder), ("AES-CBC", "0f" * 16, "NULL", "")))
    esp = 0xC0FFEE01.to_bytes(4, "big") + octets
    header = bytes([0x45, 0]) + (20 + len(esp)).to_bytes(2, "big") + bytes(5) + b"\x32" + bytes(10)
    assert tunnels.inner(101, header + esp) is not None


def test_a_clock_set_back_is_known_by_the_numbers_of_esp_where_nothing_else_can_be_seen(tmp_path: Path) -> None:
    plain = MemoryLedger()
    read_capture(capture(tmp_path, SENT, None), plain.wire, plain.events)
    back = [(at - 3_600_000_000 * (n > 12), segment) for n, (at, segment) in enumerate(SENT)]
    ledger, _ = read(capture(tmp_path, back, Tunnel()), keys(tmp_path))
    assert [row[1:] for row in ledger.wire] == [row[1:] for row in plain.wire]
    assert [event.defect for event in recorded(ledger.events) if isinstance(event, ClockDoubted)] == ["step"]
