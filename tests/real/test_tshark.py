"""Wireshark's dissector, in the form of tshark, as the oracle of our own: every field of every frame, compared."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simbench.capture.pcap import PORT, write_pcapng
from simbench.ledger import MemoryLedger
from simbench.ucp import alphabet, xser
from simbench.ucp.fields import LAYOUTS, Field, Layout
from simbench.ucp.forms import moment
from simbench.ucp.frame import Frame, Framer, WireError
from simbench.ucp.operations import build, decode
from simbench.ucp.xser import Tlv
from tests.capture.scenes import START
from tests.real.conftest import require
from tests.ucp.vectors import VALID, VECTORS

pytestmark = pytest.mark.real

# Known differences of tshark. A test fails if one of them is not needed.
EXCUSES: Final = {
    "op-03-layout": "it reads operation 03 as ERMES has it, with LRP after RP, which EMI has not",
    "op-31-extra-slash": "it takes the empty field of the document's own example for the system message",
    "ascii-code": "it shows MMS, PR, LTON and LNPI as the code of their character",
    "quoted": "it shows other single characters in quotes",
    "no-leading-zeros": "it shows numbers without their leading zeros",
    "date": "it shows dates as text, and takes their zone for UTC",
    "text-to-first-at": "it shows text up to the first @, whose code is zero",
    "text-as-ascii": "it shows the GSM alphabet as if it were ASCII",
    "unnamed-message": "it gives digits and transparent data no name of their own, and shows nothing of them",
}
NAMES: Final = {  # ours: tshark's, where they differ
    ("60", "STYP"): "STYP0",
    ("61", "STYP"): "STYP1",
    ("30", "NAd"): "NAdC",
    ("02", "RAds"): "AdC",
    ("03", "RAd"): "AdC",
    ("01", "AC"): "OAC",
    ("02", "AC"): "OAC",
    ("03", "AC"): "OAC",
}
ASCII_CODES: Final = {"MMS", "PR", "LTON", "LNPI"}
HEADER: Final = ("TRN", "LEN", "O_R", "OT")


class Shown(NamedTuple):
    """One field as tshark has it: its name, the octets it stands for, and what is shown of them."""

    name: str
    octets: str
    shown: str


class Dissected(NamedTuple):
    header: dict[str, str]
    fields: list[Shown]
    notes: list[str]


# tshark ------------------------------------------------------------------------------------------------------------


def capture_of(folder: Path, chunks: list[bytes]) -> Path:
    """A capture in which each chunk is a packet of its own: operations from the client, results from the SMSC."""
    ledger = MemoryLedger()
    ledger.wire.append((START, 1, "open", b""))
    for at, octets in enumerate(chunks, start=START + 1):
        ledger.wire.append((at, 1, "out" if octets[10:11] == b"R" else "in", octets))
    path = folder / "traffic.pcapng"
    write_pcapng(ledger.snapshot(), path)
    return path


def tshark(path: Path, *arguments: str) -> str:
    command = [require("tshark", package="tshark"), "-n", "-r", str(path), "-d", f"tcp.port=={PORT},ucp", *arguments]
    ended = subprocess.run(command, capture_output=True, timeout=300, check=True)
    return ended.stdout.decode("utf-8", "replace")  # it prints octets above 7F as they are


def dissect(folder: Path, frames: list[bytes]) -> list[Dissected]:
    """Return tshark's reading of these frames, one by one."""
    root = ET.fromstring(tshark(capture_of(folder, frames), "-Y", "ucp", "-T", "pdml"))  # noqa: S314 - as above
    protocols = [protocol for packet in root for protocol in packet.findall("proto[@name='ucp']")]
    assert len(protocols) == len(frames)
    return [_dissected(protocol, octets) for protocol, octets in zip(protocols, frames, strict=True)]


def _dissected(protocol: ET.Element, octets: bytes) -> Dissected:
    begin, header, fields, notes = int(protocol.get("pos", "0")), {}, [], []
    for field in protocol.iter("field"):
        name, at, size = field.get("name", ""), int(field.get("pos", "0")) - begin, int(field.get("size", "0"))
        text = octets[at : at + size].decode("latin-1")
        short = name.rpartition(".")[2]
        if name.startswith("ucp.hdr."):
            header[short] = text
        elif name.startswith(("ucp.parm.", "ucp.xser.")) or name == "ucp.message":
            fields.append(Shown(short, text, field.get("show", "")))
        elif name.startswith("_ws."):
            notes.append(field.get("showname", name))
    return Dissected(header, fields, notes)


# Comparison --------------------------------------------------------------------------------------------------------


class Comparison:
    """Our reading of frames against tshark's; `used` are the excuses that were needed."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def check(self, octets: bytes, theirs: Dissected) -> None:
        (frame,) = Framer(99_999).feed(octets)
        assert isinstance(frame, Frame)
        length = octets[4:9].decode()
        assert theirs.header == {"TRN": frame.trn, "LEN": length, "O_R": frame.kind, "OT": frame.ot}
        values = {name: value for name, value in decode(frame).items() if name not in {"TRN", "O/R", "OT"}}
        if frame.kind == "O" and frame.ot == "03" and len(frame.data) == 15:
            self.used.add("op-03-layout")
            return
        assert theirs.notes == []
        if (frame.kind, frame.ot, len(frame.data)) == ("R", "31", 3) and "ACK" in values:
            self.used.add("op-31-extra-slash")
            values.pop("SM", None)
        ours = [pair for name, value in values.items() for pair in self._expected(frame.ot, name, value, values)]
        # An empty field is sometimes there, without octets, and sometimes not.
        found = [field for field in theirs.fields if field.octets]
        assert [(field.name, field.octets) for field in found] == ours, octets
        for field in found:
            self._shown(field)

    def _expected(self, ot: str, name: str, value: Any, values: dict[str, Any]) -> list[tuple[str, str]]:
        if isinstance(value, list):
            return [(NAMES[ot, name], item) for item in value]
        if name in {"ACK", "NACK"}:
            return [("ACK", value)]
        if name == "Msg" and values.get("MT") != "3":
            self.used.add("unnamed-message")
            return [("message", value)]
        if name == "Msg":
            return [("AMsg", value)]
        if name == "XSer":
            services = xser.parse(value)
            assert isinstance(services, list)
            parts = [("service", "{:02X}"), ("length", "{:02X}"), ("data", "{}")]
            pairs = [
                (part, form.format(number))
                for tlv in services
                for (part, form), number in zip(parts, (tlv.type, len(tlv.value), tlv.value.hex().upper()), strict=True)
            ]
            return [("XSer", value), *(pair for pair in pairs if pair[1])]
        return [(NAMES.get((ot, name), name), value)]

    def _shown(self, field: Shown) -> None:
        """Compare the displayed value of a field with its octets, by its form and with known exceptions."""
        name, octets, shown = field
        if name in ASCII_CODES:
            self._excuse("ascii-code", shown == str(ord(octets)), field)
        elif name in {"AMsg", "PWD", "NPWD"}:
            self._text(field)
        elif name in {"message", "XSer"}:
            assert shown == "", field
        elif name == "service":
            assert int(shown, 16) == int(octets, 16), field
        elif shown == octets:
            pass
        elif shown.endswith("UTC"):
            stamp = datetime.strptime(shown.partition(".")[0], "%b %d, %Y %H:%M:%S")
            self._excuse("date", moment(octets) == stamp.timetuple()[:6], field)
        elif shown.startswith("'"):
            self._excuse("quoted", shown == f"'{octets}'", field)
        else:
            base = 16 if name == "length" else 10
            self._excuse("no-leading-zeros", int(shown) == int(octets, base), field)

    def _text(self, field: Shown) -> None:
        septets = bytes.fromhex(field.octets)
        before, at, _ = septets.partition(b"\x00")
        if at:
            self.used.add("text-to-first-at")
        if all(32 <= code < 127 and alphabet.decode(bytes([code])) == chr(code) for code in before):
            assert field.shown == alphabet.decode(before), field
        else:
            self.used.add("text-as-ascii")

    def _excuse(self, name: str, right: bool, field: Shown) -> None:
        assert right, field
        self.used.add(name)


def compare(folder: Path, frames: list[bytes]) -> set[str]:
    comparison = Comparison()
    for octets, theirs in zip(frames, dissect(folder, frames), strict=True):
        comparison.check(octets, theirs)
    return comparison.used


# Frames ------------------------------------------------------------------------------------------------------------

DIGITS = "0123456789"
HEX = st.binary(min_size=1, max_size=20).map(lambda octets: octets.hex().upper())
VISIBLE = st.text([chr(code) for code in range(32, 127) if chr(code) != "/"], min_size=1, max_size=30)
DATES = st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31))
TEXTS = st.binary(min_size=1, max_size=160).map(lambda octets: bytes(code & 0x7F for code in octets).hex().upper())
ASCII_TEXTS = st.text("abcXYZ 0123,.-", min_size=1, max_size=160).map(lambda text: text.encode().hex().upper())
SERVICES = st.lists(
    st.builds(Tlv, st.integers(1, 0x13), st.binary(min_size=1, max_size=12)), min_size=1, max_size=4
).map(xser.build)
TIED = {"NPL", "RAds", "GAs", "MT", "Msg"}  # drawn together
MESSAGES = {"2": st.text(DIGITS, min_size=1, max_size=160), "3": ASCII_TEXTS | TEXTS, "4": HEX}


def value_of(field: Field) -> st.SearchStrategy[str]:
    if field.values:
        return st.sampled_from(sorted(field.values))
    if field.name == "XSer":
        return SERVICES
    if field.form in {"date10", "date12"}:
        seconds = "%S" if field.form == "date12" else ""
        return DATES.map(lambda date: date.strftime("%d%m%y%H%M" + seconds))
    if field.form == "hex":
        return ASCII_TEXTS.map(lambda text: text[: field.longest or None]) | HEX
    if field.form in {"digits", "originator"}:
        return st.text(DIGITS, min_size=max(field.shortest, 1), max_size=min(field.longest, 4) or 4)
    return VISIBLE.map(lambda text: text[: field.longest or None])


@st.composite
def frames(draw: st.DrawFn, layout: Layout) -> bytes:
    """A frame of this layout with values for any of its fields, each of its form."""
    values: dict[str, Any] = {}
    plain = [field for field in layout.fields if field.presence not in "-X" and field.name not in TIED]
    for field in plain:
        if field.presence == "M" or draw(st.booleans()):
            values[field.name] = draw(value_of(field))
    names = layout.by_name
    if "MT" in names:
        values["MT"] = draw(st.sampled_from(sorted(names["MT"].values)))
        if names["Msg"].presence != "-" and draw(st.booleans()):
            values["Msg"] = draw(MESSAGES[values["MT"]])
    if "RAds" in names:
        values["RAds"] = draw(st.lists(st.text(DIGITS, min_size=1, max_size=16), min_size=1, max_size=20))
    if "GAs" in names:
        values["NPL"] = "0"
    return build(layout.ot, layout.kind, draw(st.integers(0, 99)), layout.variant, **values)


ALL: Final = [layout for layouts in LAYOUTS.values() for layout in layouts]


def drawn(count: int) -> list[bytes]:
    """That many frames, of every layout in turn."""
    found: list[bytes] = []

    @settings(max_examples=-(-count // len(ALL)), database=None, phases=[Phase.generate])
    @given(st.tuples(*map(frames, ALL)))
    def collect(several: tuple[bytes, ...]) -> None:
        found.extend(several)

    collect()
    return found


def test_every_field_of_every_valid_vector_is_as_in_tshark(tmp_path: Path) -> None:
    used = compare(tmp_path, [vector.octets for vector in VALID])
    assert {"op-03-layout", "op-31-extra-slash", "text-to-first-at", "unnamed-message"} <= used


def test_every_field_of_frames_of_all_operations_and_results_is_as_in_tshark(tmp_path: Path) -> None:
    made = drawn(600)
    assert len(made) >= 600
    # With the vectors beside them, so that no excuse depends on what was drawn to be used.
    assert compare(tmp_path, made + [vector.octets for vector in VALID]) == EXCUSES.keys()


def test_tshark_finds_no_fault_in_frames_we_build_and_finds_a_wrong_checksum(tmp_path: Path) -> None:
    sound = drawn(100)
    wrong = [vector.octets for vector in VECTORS if vector.name == "neg_bad_checksum"]
    lines = tshark(capture_of(tmp_path, sound + wrong), "-Y", "ucp", "-T", "fields", "-e", "_ws.col.Info").splitlines()
    assert len(lines) == len(sound) + 1
    assert [line for line in lines[:-1] if "checksum" in line.lower()] == []
    assert "checksum invalid" in lines[-1].lower()


def test_tshark_loses_its_place_where_a_length_is_wrong_and_we_do_not(tmp_path: Path) -> None:
    (wrong,) = [vector.octets for vector in VECTORS if vector.name == "neg_len_plus1"]
    whole = VALID[0].octets
    stream = wrong + whole + whole
    ours = Framer().feed(stream)
    assert [type(item) for item in ours] == [WireError, Frame, Frame]
    operations = tshark(capture_of(tmp_path, [stream]), "-T", "fields", "-e", "ucp.hdr.OT").strip()
    assert operations.split(",") != ["51", "60", "60"]
