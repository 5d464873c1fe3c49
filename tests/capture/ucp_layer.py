"""UCP as a layer of scapy, an independent reader and writer of frames: build, dissect, `show()`, `fuzz()`, reassembly.

Octets outside frames become scapy's `Raw`. Layout: EMI-UCP 4.0 section 2; the names of the fields come from the field
table.
"""

from __future__ import annotations

import re
from typing import Any, Final

from scapy.config import conf
from scapy.fields import Field
from scapy.packet import Packet
from scapy.volatile import RandChoice, RandField, RandNum, RandString

from simbench.ucp.codes import OPERATIONS
from simbench.ucp.fields import layout_of
from simbench.ucp.frame import ETX, STX, checksum

_FRAME: Final = re.compile(rb"\x02([^/\x02\x03]*)/([^/\x02\x03]*)/([^/\x02\x03]*)/([^/\x02\x03]*)/([^\x02\x03]*)\x03")
_CHECK_AT_END: Final = 2  # digits


def _octets(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")


class _Cell(Field[Any, Any]):
    """One header field and the slash after it: a number with `digits` digits, or any text; None is computed."""

    __slots__ = ("_digits",)

    def __init__(self, name: str, default: Any, digits: int = 0) -> None:
        super().__init__(name, default, "H")
        self._digits = digits

    def addfield(self, _pkt: Packet | None, s: bytes, val: Any) -> bytes:
        if self._digits and not isinstance(val, str | bytes):
            val = f"{int(val or 0):0{self._digits}d}"
        return s + _octets(val) + b"/"

    def randval(self) -> Any:
        return {"trn": RandNum(0, 99), "kind": RandChoice("O", "R"), "ot": RandChoice(*OPERATIONS)}.get(self.name)


class _Data(Field[Any, Any]):
    """The data fields, a list of texts; shown by name if the operation and the number of fields have a layout."""

    islist = 1

    def addfield(self, _pkt: Packet | None, s: bytes, val: Any) -> bytes:
        return s + b"".join(_octets(each) + b"/" for each in val)

    def do_copy(self, x: Any) -> Any:
        return list(x) if isinstance(x, list) else x

    def i2repr(self, pkt: Packet | None, x: Any) -> str:
        values = list(x) if isinstance(x, list | tuple) else []
        layout = layout_of(str(pkt.kind), str(pkt.ot), values) if pkt else None
        if layout is None or layout.count(values) != len(values):
            return repr(x)
        names = [field.name for field in layout.fields]
        if layout.counted:
            at = layout.counted[1]
            names[at : at + 1] = [names[at].rstrip("s")] * layout.list_length(values)
        return " ".join(f"{name}={value!r}" for name, value in zip(names, values, strict=True) if value)

    def randval(self) -> Any:
        return _RandData()


class _RandData(RandField[list[str]]):
    """Any number of fields of digits or letters."""

    def _fix(self) -> list[str]:
        return [RandString(RandNum(0, 20), "0123456789ABCDEF")._fix() for _ in range(RandNum(0, 40)._fix())]


class _Check(_Cell):
    """The checksum, which is not followed by a slash."""

    def addfield(self, _pkt: Packet | None, s: bytes, val: Any) -> bytes:
        return s + (b"" if val is None else _octets(val))


class UCP(Packet):
    """One frame. `trn`, `kind` ("O" or "R"), `ot` and the texts of `data`; `len` and `chk` are computed unless given.

    Texts are written unchanged, so that faulty frames can be built too. Further frames in the same octets are its
    payload; an unfinished frame is `Padding`, as `TCPSession` expects.
    """

    name = "UCP"
    fields_desc = [  # noqa: RUF012 - scapy expects a list here
        _Cell("trn", 0, digits=2),
        _Cell("len", None, digits=5),
        _Cell("kind", "O"),
        _Cell("ot", "31", digits=2),
        _Data("data", ()),
        _Check("chk", None),
    ]

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Add the length, the checksum and both ends."""
        if self.len is None:
            at = pkt.index(b"/") + 1
            length = len(pkt) + (_CHECK_AT_END if self.chk is None else 0)
            pkt = pkt[:at] + b"%05d" % length + pkt[at + 5 :]
        if self.chk is None:
            pkt += b"%02X" % checksum(pkt)
        return STX + pkt + ETX + pay

    def do_dissect(self, s: bytes) -> bytes:
        """Take one frame and return what follows it."""
        found = _FRAME.match(s)
        if found is None:  # only when dissection is requested by name
            raise ValueError("no UCP frame")
        trn, length, kind, ot, rest = (each.decode("latin-1") for each in found.groups())
        *data, check = rest.split("/")
        self.fields.update(trn=_number(trn, 2), len=_number(length, 5), kind=kind, ot=ot, data=data, chk=check)
        self.raw_packet_cache = found[0]
        self.raw_packet_cache_fields = {"data": list(data)}
        self.explicit = 1
        return s[found.end() :]

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        """Whole frames are payload; an unfinished one waits for the rest."""
        return (s, None) if ETX in s else (b"", s)

    def guess_payload_class(self, _payload: bytes) -> type[Packet]:
        """Another frame."""
        return UCP

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_: Any, **__: Any) -> type[Packet]:
        """Return `Raw` for octets that do not begin with a frame."""
        raw: type[Packet] = conf.raw_layer
        return cls if not _pkt or _FRAME.match(_pkt) else raw

    @classmethod
    def tcp_reassemble(cls, data: bytes, _metadata: dict[str, Any], _session: dict[str, Any]) -> Packet | None:
        """Return the frames sent by one direction so far; None until one has ended."""
        return cls(data) if ETX in data else None


def _number(text: str, digits: int) -> int | str:
    """Return a number written with that many digits, else the text itself."""
    return int(text) if len(text) == digits and text.isascii() and text.isdigit() else text
