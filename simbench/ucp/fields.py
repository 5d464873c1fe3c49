"""The table of UCP fields: position, length and form of each field of each operation and result.

Source: EMI-UCP 4.0, at the section each layout names.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

Form = Literal["digits", "hex", "chars", "date10", "date12", "text", "message", "originator", "list"]
Presence = Literal["M", "O", "C", "-", "X"]  # mandatory, optional, conditional, must be empty, refused with its own EC


class Field(msgspec.Struct, frozen=True):
    """One field of a layout: its form, its length in characters (`longest` 0: no known limit), and its error code.

    `values` are the only ones allowed if it is not empty. A "message" is digits or hexadecimal depending on MT, with
    its length limited in septets and octets; an "originator" is hexadecimal if OTOA says alphanumeric.
    """

    name: str
    presence: Presence
    form: Form
    longest: int
    values: frozenset[str] = frozenset()
    ec: str = "02"
    shortest: int = 0


class Layout(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The fields of one operation or result, in wire order.

    `counted` is (index of the number, index of the list): the list takes that many fields, possibly none. `variant` is
    "" for the layout to send; the others occur in practice and are only accepted.
    """

    kind: str
    ot: str
    sign: str
    section: str
    fields: tuple[Field, ...]
    counted: tuple[int, int] | None = None
    variant: str = ""

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by name, in order."""
        return {field.name: field for field in self.fields}

    @cached_property
    def mandatory(self) -> tuple[str, ...]:
        """Names of the fields that may not be empty."""
        return tuple(field.name for field in self.fields if field.presence == "M")

    def list_length(self, data: list[str]) -> int:
        """Return how many fields the list of this layout takes in `data`; 0 without a list or a readable number."""
        if self.counted is None or len(data) <= self.counted[0]:
            return 0
        number = data[self.counted[0]]
        return int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0

    def count(self, data: list[str]) -> int:
        """Return how many fields a frame of this layout has, given the number in `data`."""
        return len(self.fields) + (self.list_length(data) - 1 if self.counted else 0)


BEFORE_DATA: Final = 4  # fields of a frame before its data: TRN, LEN, O/R and OT


class At:
    """Indices into `Frame.data` of a 5x operation (EMI-UCP 4.0 section 5.1), for time-critical code."""

    ADC = 0
    OADC = 1
    AC = 2
    NRQ = 3
    NADC = 4
    NT = 5
    NPID = 6
    LRQ = 7
    LRAD = 8
    LPID = 9
    DD = 10
    DDT = 11
    VP = 12
    RPID = 13
    SCTS = 14
    DST = 15
    RSN = 16
    DSCTS = 17
    MT = 18
    NB = 19
    MSG = 20
    MMS = 21
    PR = 22
    DCS = 23
    MCLS = 24
    RPI = 25
    CPG = 26
    RPLY = 27
    OTOA = 28
    HPLMN = 29
    XSER = 30
    RES4 = 31
    RES5 = 32


def _among(values: str) -> frozenset[str]:
    return frozenset(values.split())


_PIDS: Final = _among("0100 0122 0131 0138 0139 0339 0439 0539")
_DIGIT: Final = _among("0 1")
OPERATIONS_5X: Final = ("51", "52", "53", "54", "55", "56", "57", "58")

# Section 5.1; presence in the order of OPERATIONS_5X (sections 5.3 to 5.10). Where a published example contradicts the
# matrix (57), the field is optional here. NB is optional wherever text is: clients fill it with MT=3, where it has no
# meaning. AC has its own minimum length by section 5.3.
_FIELDS_5X: Final = (
    ("MMMMMMMM", Field("AdC", "-", "digits", 16, ec="06")),
    ("MMMMMMO-", Field("OAdC", "-", "originator", 22)),
    ("O--OOOO-", Field("AC", "-", "digits", 16, shortest=4)),
    ("O--O----", Field("NRq", "-", "digits", 1, _DIGIT)),
    ("O--O----", Field("NAdC", "-", "digits", 16)),
    ("O--O----", Field("NT", "-", "digits", 1, _among("0 1 2 3 4 5 6 7"))),
    ("O--O----", Field("NPID", "-", "digits", 4, _PIDS)),
    ("O--O----", Field("LRq", "-", "digits", 1, _DIGIT)),
    ("C--C----", Field("LRAd", "-", "digits", 16)),
    ("C--C----", Field("LPID", "-", "digits", 4, _PIDS)),
    ("O-------", Field("DD", "-", "digits", 1, _DIGIT)),
    ("C--O----", Field("DDT", "-", "date10", 10, ec="22")),
    ("O--O----", Field("VP", "-", "date10", 10, ec="22")),
    ("OO-O----", Field("RPID", "-", "digits", 5)),
    ("-MMM----", Field("SCTS", "-", "date12", 12)),
    ("--M-----", Field("Dst", "-", "digits", 1, _among("0 1 2"))),
    ("--M-----", Field("Rsn", "-", "digits", 3)),
    ("--M-----", Field("DSCTS", "-", "date12", 12)),
    ("MMMO-MMM", Field("MT", "-", "digits", 1, _among("2 3 4"), ec="23")),
    ("COOC-OOO", Field("NB", "-", "digits", 4)),
    ("OOOO-OOO", Field("Msg", "-", "message", 0)),
    ("OOO---OO", Field("MMS", "-", "digits", 1, _DIGIT)),
    ("O-------", Field("PR", "-", "chars", 1)),
    ("-O------", Field("DCs", "-", "digits", 1, _DIGIT)),
    ("CO-C----", Field("MCLs", "-", "digits", 1, _among("0 1 2 3"))),
    ("OO-O----", Field("RPI", "-", "digits", 1, _among("1 2"))),
    ("--------", Field("CPg", "-", "chars", 1)),
    ("--------", Field("RPLy", "-", "chars", 1)),
    ("O-------", Field("OTOA", "-", "digits", 4)),
    ("-OOOOOOO", Field("HPLMN", "-", "digits", 16)),
    ("OO-O----", Field("XSer", "-", "hex", 400)),
    ("--------", Field("RES4", "-", "text", 0)),
    ("--------", Field("RES5", "-", "text", 0)),
)
_MT_OF: Final = {"53": "3", "56": "3", "57": "3", "58": "3"}  # other operations: 2, 3 and 4


def _layout_5x(column: int) -> Layout:
    ot = OPERATIONS_5X[column]
    fields = []
    for presences, field in _FIELDS_5X:
        values = frozenset(_MT_OF[ot]) if field.name == "MT" and ot in _MT_OF else field.values
        fields.append(replace(field, presence=presences[column], values=values))
    return Layout("O", ot, "", f"5.{3 + column}", tuple(fields))


_RECIPIENT: Final = Field("AdC", "M", "digits", 16, ec="06")
_ORIGINATOR: Final = Field("OAdC", "O", "digits", 16)
_AC: Final = Field("AC", "O", "chars", 16)
_MT: Final = Field("MT", "M", "digits", 1, _among("2 3"), ec="23")
_MSG: Final = Field("Msg", "O", "message", 0)
_NPL: Final = Field("NPL", "M", "digits", 3)
_DD: Final = Field("DD", "O", "digits", 1, _DIGIT)
_DDT: Final = Field("DDT", "C", "date10", 10, ec="22")
_VERS: Final = Field("VERS", "M", "digits", 4, _among("0100"))
_OTON: Final = Field("OTON", "O", "digits", 1, _among("1 2 6"))
_ONPI: Final = Field("ONPI", "O", "digits", 1, _among("1 3 5"))
_ACCOUNT: Final = Field("OAdC", "M", "chars", 16)  # letters occur in practice

# Section 4.4: services an EMI system refuses, each with its own EC. ERMES has LRP after RP.
_REFUSED: Final = {"RP": "10", "LRP": "11", "PR": "12", "LPR": "12", "UR": "14", "LUR": "14", "RC": "16", "LRC": "16"}


def _op_03(variant: str) -> Layout:
    refused = [name for name in _REFUSED if variant or name != "LRP"]
    head = (Field("RAd", "M", "digits", 16, ec="06"), _ORIGINATOR, _AC, _NPL, Field("GAs", "X", "list", 16, ec="09"))
    services = tuple(Field(name, "X", "chars", 16, ec=_REFUSED[name]) for name in refused)
    return Layout("O", "03", "", "4.4", (*head, *services, _DD, _DDT, _MT, _MSG), (3, 4), variant)


_OP_02: Final = (_NPL, Field("RAds", "M", "list", 33, ec="06"), _ORIGINATOR, _AC, _MT, _MSG)
_OP_30: Final = (
    _RECIPIENT,
    _ORIGINATOR,
    _AC,
    Field("NRq", "O", "digits", 1, _DIGIT),
    Field("NAd", "C", "digits", 16),
    Field("NPID", "C", "digits", 4, _PIDS),
    _DD,
    _DDT,
    Field("VP", "O", "date10", 10, ec="22"),
    Field("AMsg", "O", "hex", 0),
)
_OP_31: Final = (Field("AdC", "M", "chars", 16, ec="06"), Field("PID", "M", "digits", 4, _PIDS | {"0639"}))
_OP_60: Final = (
    _ACCOUNT,
    _OTON,
    _ONPI,
    Field("STYP", "M", "digits", 1, _among("1 3 4 6")),
    Field("PWD", "M", "hex", 32),
    Field("NPWD", "C", "hex", 32),
    _VERS,
    Field("LAdC", "-", "digits", 16),
    Field("LTON", "-", "digits", 1),
    Field("LNPI", "-", "digits", 1),
    Field("OPID", "O", "digits", 2, _among("00 39")),
    Field("RES1", "-", "text", 0),
)
_OP_61: Final = (
    _ACCOUNT,
    _OTON,
    _ONPI,
    Field("STYP", "M", "digits", 1, _among("1 2 3 4 5 6")),
    Field("PWD", "-", "hex", 32),
    Field("NPWD", "-", "hex", 32),
    _VERS,
    Field("LAdC", "M", "digits", 16),
    Field("LTON", "O", "digits", 1, _among("1 2")),
    Field("LNPI", "O", "digits", 1, _among("1 3 5")),
    Field("RES1", "-", "text", 0),
    Field("RES2", "-", "text", 0),
)

OPERATIONS: Final[tuple[Layout, ...]] = (
    Layout("O", "01", "", "4.2", (_RECIPIENT, _ORIGINATOR, _AC, _MT, _MSG)),
    Layout("O", "02", "", "4.3", _OP_02, (0, 1)),
    _op_03(""),
    _op_03("ermes"),
    Layout("O", "30", "", "4.5", _OP_30),
    Layout("O", "31", "", "4.6", _OP_31),
    *(_layout_5x(column) for column in range(len(OPERATIONS_5X))),
    Layout("O", "60", "", "6.3", _OP_60),
    Layout("O", "61", "", "6.4", _OP_61),
)
WITH_MVP: Final = frozenset({"30", *OPERATIONS_5X})  # operations whose positive result has a modified validity period

_ACK: Final = Field("ACK", "M", "chars", 1, _among("A"))
_MVP: Final = Field("MVP", "O", "date10", 10)
_EC: Final = Field("EC", "M", "digits", 2, shortest=2)
_SM: Final = Field("SM", "O", "text", 0)
_NOTHING: Final = Field("(empty)", "-", "text", 0)


def _results(operation: Layout) -> tuple[Layout, ...]:
    ot, section = operation.ot, operation.section
    positive = (_ACK, _MVP, _SM) if ot in WITH_MVP else (_ACK, _SM)
    refusal = (Field("NACK", "M", "chars", 1, _among("N")), _EC, _SM)
    layouts = (
        Layout("R", ot, "A", f"{section}.1", positive),
        Layout("R", ot, "N", f"{section}.2", refusal),
    )
    # The example of section 4.6.1 has one empty field more than its table; both forms occur.
    extra = Layout("R", ot, "A", "4.6.1", (_ACK, _NOTHING, _SM), variant="extra-slash")
    return (*layouts, extra) if ot == "31" else layouts


def _index() -> dict[tuple[str, str, str], tuple[Layout, ...]]:
    index: dict[tuple[str, str, str], tuple[Layout, ...]] = {}
    for operation in OPERATIONS:
        own = () if operation.variant else _results(operation)
        for layout in (operation, *own):
            key = (layout.kind, layout.ot, layout.sign)
            index[key] = (*index.get(key, ()), layout)
    return index


# By (O/R, OT, sign: "" for an operation, else "A" or "N"); first the layout to send, then accepted variants.
LAYOUTS: Final[dict[tuple[str, str, str], tuple[Layout, ...]]] = _index()


def layout_of(kind: str, ot: str, data: list[str]) -> Layout | None:
    """Return the layout with the number of fields of `data`, else the standard one; None for an unknown OT."""
    sign = data[0] if kind == "R" and data else ""
    layouts = LAYOUTS.get((kind, ot, sign), ())
    if len(layouts) == 1:
        return layouts[0]
    for layout in layouts:
        if layout.count(data) == len(data):
            return layout
    return layouts[0] if layouts else None
