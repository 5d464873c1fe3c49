"""Decodes and builds operations and results by field name; `simbench.ucp.checks` reports their errors.

Sources: EMI-UCP 4.0 sections 4 to 6.
"""

from __future__ import annotations

from typing import Any, Final

from simbench.ucp.fields import LAYOUTS, Layout, layout_of
from simbench.ucp.frame import Frame, encode_fields

_RESULT_WITH_MVP: Final = 3  # fields: ACK, MVP and SM, or NACK, EC and SM
Values = dict[str, Any]  # text by field name; a list of texts for RAds and GAs


def decode(frame: Frame) -> Values:
    """Return TRN, O/R, OT and the non-empty fields, by name; the lists RAds and GAs as lists.

    The layout is the one with the frame's number of fields, else the standard one as far as it goes. An unknown
    operation with the field count of the 5x series, and any unknown result, are decoded with those layouts; fields of
    other unknown operations are named by number. Never raises; `checks.check` reports errors.
    """
    layout = layout_of(frame.kind, frame.ot, frame.data) or _likely_layout(frame)
    values: Values = {"TRN": frame.trn, "O/R": frame.kind, "OT": frame.ot}
    if layout is None:
        return values | {str(at): cell for at, cell in enumerate(frame.data, start=1) if cell}
    return values | present(layout, frame.data)


def _likely_layout(frame: Frame) -> Layout | None:
    """Return the most likely layout of an unknown operation."""
    data = frame.data
    if frame.kind == "R":
        layouts = LAYOUTS.get(("R", "51" if len(data) == _RESULT_WITH_MVP else "31", data[0] if data else ""), ())
        return layouts[0] if layouts else None
    layout = LAYOUTS["O", "51", ""][0]
    return layout if len(data) == len(layout.fields) else None


def present(layout: Layout, data: list[str]) -> Values:
    """The non-empty fields of a layout, by name."""
    cells: list[Any] = data
    if layout.counted:
        at, size = layout.counted[1], layout.list_length(data)
        cells = [*data[:at], data[at : at + size], *data[at + size :]]
    return {field.name: cell for field, cell in zip(layout.fields, cells, strict=False) if cell}


def build(ot: str, kind: str, trn: int | str, variant: str = "", **fields: str | list[str]) -> bytes:
    """Return the frame of an operation or result from its fields by name; fields not given are empty.

    The sign of a result follows from its fields (NACK or EC: negative), as does the number before a list. Values are
    not checked, so that faulty frames can be built too. Raises ValueError for an OT or variant without a layout, an
    unknown field name, a value with a slash or a control character, and like `encode`.
    """
    sign = "" if kind == "O" else "N" if fields.keys() & {"NACK", "EC"} else "A"
    layout = next((found for found in LAYOUTS.get((kind, ot, sign), ()) if found.variant == variant), None)
    if layout is None:
        raise ValueError(f"no layout for {kind}/{ot}" + (f" in the variant {variant!r}" if variant else ""))
    unknown = fields.keys() - layout.by_name.keys()
    if unknown:
        raise ValueError(f"{kind}/{ot} has no field {', '.join(sorted(unknown))}")
    if sign:
        fields.setdefault("ACK" if sign == "A" else "NACK", sign)
    if layout.counted:
        number, items = (layout.fields[at].name for at in layout.counted)
        fields.setdefault(number, str(len(fields.setdefault(items, []))))
    values: list[str] = []
    for field in layout.fields:
        cell = fields.get(field.name, "")
        values.extend([cell] if isinstance(cell, str) else cell)
    return encode_fields(trn, kind, ot, values)
