"""Frames that are nearly right: examples and random ones, each changed in a few places."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from simbench.ucp.fields import LAYOUTS, Field
from simbench.ucp.frame import encode_fields
from tests.harness import submit
from tests.ucp.vectors import VECTORS

WORKED: Final = [vector.octets for vector in VECTORS]
SPECIAL: Final = (
    "", "0", "1", "9", "-1", "00", "0000", "9" * 19, "9" * 400, "A", "a", "G", "F" * 281, "A" * 3000, "5039", "0500",
    "050003FF0201", "01060500034203", "020108", "²", "\x7f", " ", "+33", "33639980012", "36010", "3", "4", "2",
    "320299252559", "010100000000", "0101000000", "99:999999999999", ":", "N", "A/", "00000",
)  # fmt: skip
OCTETS: Final = (b"", b"\x02", b"\x03", b"/", b"\x02\x03", b"\x00", b"\xff", b"\r\n", b"//", b"O", b"R", b"51", b"60")
_ALL: Final = [layout for layouts in LAYOUTS.values() for layout in layouts]
SUBMITS_SHARE: Final = 0.4
_MORE: Final = {  # what a drawn submit asks for now and then
    "NRq": ("", "0", "1"), "NT": ("1", "7", "8"), "VP": ("0303261000", "0103261000", "9999999999"),
    "DD": ("1",), "DDT": ("0203261100",), "MT": ("2", "4"), "MCLs": ("0", "3"), "NB": ("0008", "9999"),
    "XSer": ("0106050003420201", "020108", "0105050003FF0201", "0C0341424D"), "OTOA": ("5039", "1139"), "MMS": ("1",),
    "OAdC": ("10412614190438AB4D", "36020", "0"), "PR": ("1",), "LRq": ("1",), "RPID": ("0127", "0065"),
}  # fmt: skip
_FORMS: Final[dict[str, str]] = {"hex": "0123456789ABCDEF", "message": "0123456789ABCDEF", "digits": "0123456789"}

Mutation = Callable[[bytes, Random], bytes]


def drawn(dice: Random) -> bytes:
    """A frame of any layout, with fields empty or filled, mostly with valid values."""
    if dice.random() < SUBMITS_SHARE:
        more = {name: dice.choice(values) for name, values in _MORE.items() if dice.random() < 0.2}
        msg = dice.randbytes(dice.randrange(160)).hex().upper()
        return submit(dice.randrange(100), AdC=f"3371000{dice.randrange(10_000):04d}", Msg=msg, **more)
    layout = dice.choice(_ALL)
    values: list[str] = []
    for field in layout.fields:
        filled = field.presence == "M" or dice.random() < 0.3
        values.append(_value(field, dice) if filled and field.presence not in "-X" else "")
    if layout.counted:
        count, items = layout.counted
        size = dice.randrange(4)
        values[count] = str(size)
        values[items : items + 1] = ["33639980012"] * size
    if layout.kind == "R":
        values[0] = layout.sign
    return encode_fields(dice.randrange(100), layout.kind, layout.ot, values)


def _value(field: Field, dice: Random) -> str:
    if field.values:
        return dice.choice(sorted(field.values))
    if field.name in {"AdC", "OAdC"} and dice.random() < 0.8:
        return dice.choice(("36010", "33639980012", "33710000001"))
    if field.form in {"date10", "date12"}:
        return "020326103000"[: int(field.form[4:])]
    longest = min(field.longest or 40, 40)
    size = dice.randint(min(field.shortest, longest), longest)
    return "".join(dice.choices(_FORMS.get(field.form, "0123456789"), k=size & ~1 or 2))


def mutated(dice: Random) -> bytes:
    """An example or random frame, changed up to four times, usually with LEN and checksum repaired."""
    octets = dice.choice(WORKED) if dice.random() < 0.5 else drawn(dice)
    for _ in range(dice.choice((0, 1, 1, 1, 1, 2, 2, 4))):
        octets = dice.choice(MUTATIONS)(octets, dice)
    return repaired(octets) if dice.random() < 0.75 else octets


def repaired(octets: bytes) -> bytes:
    """The same frame with the right LEN and checksum, if it has a header."""
    body = octets.strip(b"\x02\x03")
    head, _, rest = body.partition(b"/")
    if rest[5:6] != b"/" or b"/" not in rest[6:]:
        return octets
    data = rest[6:].rpartition(b"/")[0] + b"/"
    summed = head + b"/%05d/" % ((len(head) + 7 + len(data) + 2) % 100_000) + data
    return b"\x02" + summed + b"%02X\x03" % (sum(summed) % 256)


# Mutations -------------------------------------------------------------------------------------------------------


def flip(octets: bytes, dice: Random) -> bytes:
    """Flip one bit of one octet."""
    if not octets:
        return octets
    at = dice.randrange(len(octets))
    return octets[:at] + bytes([octets[at] ^ 1 << dice.randrange(8)]) + octets[at + 1 :]


def cut(octets: bytes, dice: Random) -> bytes:
    """Cut off the end."""
    return octets[: dice.randrange(len(octets) + 1)]


def splice(octets: bytes, dice: Random) -> bytes:
    """Continue as another frame."""
    other = dice.choice(WORKED)
    return octets[: dice.randrange(len(octets) + 1)] + other[dice.randrange(len(other)) :]


def insert(octets: bytes, dice: Random) -> bytes:
    """Insert octets."""
    at = dice.randrange(len(octets) + 1)
    return octets[:at] + dice.choice(OCTETS) + octets[at:]


def repeat(octets: bytes, dice: Random) -> bytes:
    """Repeat a piece several times."""
    at = dice.randrange(len(octets) + 1)
    return octets[:at] + octets[at : at + dice.randrange(1, 40)] * dice.randrange(2, 40) + octets[at:]


def _of_fields(change: Callable[[list[bytes], int, Random], None]) -> Mutation:
    def mutation(octets: bytes, dice: Random) -> bytes:
        fields = octets.split(b"/")
        change(fields, dice.randrange(len(fields)), dice)
        return b"/".join(fields)

    return mutation


def _double(fields: list[bytes], at: int, dice: Random) -> None:
    fields[at:at] = [fields[at]] * dice.randrange(1, 4)


def _remove(fields: list[bytes], at: int, _: Random) -> None:
    del fields[at]


def _replace(fields: list[bytes], at: int, dice: Random) -> None:
    fields[at] = dice.choice(SPECIAL).encode("utf-8")


def _swap(fields: list[bytes], at: int, dice: Random) -> None:
    other = dice.randrange(len(fields))
    fields[at], fields[other] = fields[other], fields[at]


def _lengthen(fields: list[bytes], _: int, dice: Random) -> None:
    if len(fields) > 1:
        fields[1] = dice.choice((b"00000", b"99999", b"00016", b"%05d" % dice.randrange(100_000), b"9" * 30, b"-0001"))


def _retype(fields: list[bytes], _: int, dice: Random) -> None:
    if len(fields) > 3:
        fields[3] = b"%02d" % dice.randrange(100)


replace, retype = _of_fields(_replace), _of_fields(_retype)
MUTATIONS: Final[tuple[Mutation, ...]] = (
    flip, cut, splice, insert, repeat, replace, replace, retype, _of_fields(_double), _of_fields(_remove),
    _of_fields(_swap), _of_fields(_lengthen),
)  # fmt: skip
