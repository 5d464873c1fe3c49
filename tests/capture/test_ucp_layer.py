from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import TCP
from scapy.packet import Packet, Padding, Raw, bind_bottom_up, bind_layers, fuzz, split_layers
from scapy.sessions import TCPSession

from simbench.ucp.frame import Frame, Framer
from tests.capture.scenes import LOGIN, RESULTS, SUBMITS, WELCOME, Line, ip_packet, pcap, write
from tests.capture.ucp_layer import UCP
from tests.ucp.vectors import VALID, Vector, name_of


def frames_in(packet: Packet) -> list[UCP]:
    return [layer for layer in packet.iterpayloads() if isinstance(layer, UCP)]


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_a_frame_is_dissected_and_built_again(vector: Vector) -> None:
    packet = UCP(vector.octets)
    assert (f"{packet.trn:02d}", packet.kind, packet.ot) == (
        vector.fields["TRN"], vector.fields["O/R"], vector.fields["OT"],
    )  # fmt: skip
    assert bytes(UCP(trn=packet.trn, kind=packet.kind, ot=packet.ot, data=packet.data)) == vector.octets
    packet.clear_cache()
    assert bytes(packet) == vector.octets


def test_length_and_checksum_are_computed_unless_they_are_given() -> None:
    assert bytes(UCP(trn=3, ot="31", data=["36010", "0539"])) == b"\x0203/00027/O/31/36010/0539/F4\x03"
    assert bytes(UCP(trn="0A", len=1, ot="31", chk="zz")) == b"\x020A/00001/O/31/zz\x03"


def test_a_field_changed_after_dissection_is_built_with_the_old_checksum_until_that_is_deleted() -> None:
    packet = UCP(LOGIN)
    packet.trn = 9
    assert bytes(packet)[-3:] == LOGIN[-3:]
    del packet.chk
    assert isinstance(Framer().feed(bytes(packet))[0], Frame)


def test_show_names_the_fields() -> None:
    shown = UCP(LOGIN).show(dump=True)
    assert shown is not None
    assert "OAdC='36010' OTON='6'" in shown
    several = UCP(kind="O", ot="02", data=["2", "33639980001", "33639980002", "36010", "", "2", "1"]).show(dump=True)
    assert "RAd='33639980001' RAd='33639980002' OAdC='36010'" in str(several)
    assert "['1']" in str(UCP(ot="99", data=["1"]).show(dump=True))


def test_fuzzed_frames_are_sound_and_differ() -> None:
    random.seed(1)
    made = {bytes(fuzz(UCP())) for _ in range(100)}
    assert len(made) > 90
    assert all(isinstance(item, Frame) for octets in made for item in Framer(99_999).feed(octets))
    assert {octets[10:11] for octets in made} == {b"O", b"R"}


def test_what_was_given_is_not_fuzzed() -> None:
    packet = fuzz(UCP(ot="31", data=["36010", "0539"]))
    assert all(bytes(packet)[11:].startswith(b"/31/36010/0539/") for _ in range(20))


def test_frames_that_follow_are_payload_and_the_beginning_of_one_is_padding() -> None:
    packet = UCP(LOGIN + SUBMITS[0] + WELCOME[:9])
    assert [frame.ot for frame in frames_in(packet)] == ["60", "51"]
    assert packet[Padding].load == WELCOME[:9]


@given(st.binary(max_size=60) | st.sampled_from([LOGIN[1:], b"\r\n" + LOGIN, LOGIN + b"\r\n", LOGIN + b"\x02\x03"]))
def test_no_octets_are_beyond_it(octets: bytes) -> None:
    packet: Any = UCP(octets)
    assert bytes(packet) == octets or not octets
    packet.show(dump=True)


def test_what_is_no_frame_is_raw() -> None:
    assert isinstance(UCP(b"GET / HTTP/1.1\r\n"), Raw)


@pytest.fixture
def _bound() -> Any:
    bind_bottom_up(TCP, UCP, sport=5000)
    bind_layers(TCP, UCP, dport=5000)
    yield
    split_layers(TCP, UCP, sport=5000)
    split_layers(TCP, UCP, dport=5000)


@pytest.mark.usefixtures("_bound")
def test_scapy_takes_segments_of_the_port_for_ucp_and_puts_frames_together(tmp_path: Path) -> None:
    from scapy.sendrecv import sniff

    line = Line().open()
    stream = LOGIN + b"".join(SUBMITS)
    for start in range(0, len(stream), 37):
        line.send("in", stream[start : start + 37])
    line.send("out", WELCOME + RESULTS[0])
    path = write(tmp_path, pcap([(at, ip_packet(segment)) for at, segment in line.sent]))
    frames = [
        frame for packet in sniff(offline=str(path), session=TCPSession, quiet=True) for frame in frames_in(packet)
    ]
    assert [frame.ot for frame in frames] == ["60"] + ["51"] * 8 + ["60", "51"]
    assert frames[1].data[0] == "33639980001"


def test_the_layer_loads_without_a_warning_and_only_when_asked_for() -> None:
    program = "import simbench.capture.reader, sys; assert 'scapy' not in sys.modules; import tests.capture.ucp_layer"
    ended = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
