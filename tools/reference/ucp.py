"""The tables of docs/reference/ucp.md, made from the tables that the program itself uses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simbench.rules.client.refusals import DUTIES
from simbench.ucp.checks import PROBLEMS
from simbench.ucp.codes import ERROR_CODES, OPERATIONS, PIDS, REASONS
from simbench.ucp.explain_words import words_for
from simbench.ucp.fields import LAYOUTS, OPERATIONS_5X, Field, Layout
from simbench.ucp.frame import WIRE_ERRORS
from simbench.ucp.xser import TLV_TYPES
from tools.reference.keys import table

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "ucp.md"
FORMS: Final = {
    "digits": "digits",
    "hex": "hexadecimal",
    "chars": "visible ASCII",
    "date10": "DDMMYYHHmm",
    "date12": "DDMMYYHHmmss",
    "text": "text",
    "message": "by MT",
    "originator": "digits, or hexadecimal by OTOA",
    "list": "digits each",
}
PRESENCE: Final = {"M": "M", "O": "O", "C": "C", "-": "–", "X": "refused"}


def operations() -> str:
    rows = (
        (
            ot,
            each.name,
            "yes" if each.from_client else "",
            "yes" if each.from_smsc else "",
            "older" if each.legacy else "",
        )
        for ot, each in OPERATIONS.items()
    )
    return table(("OT", "Operation", "from the client", "from the SMSC", ""), rows)


def series_5x() -> str:
    layouts = [LAYOUTS["O", ot, ""][0] for ot in OPERATIONS_5X]
    rows = []
    for place, field in enumerate(layouts[0].fields):
        presences = [PRESENCE[layout.fields[place].presence] for layout in layouts]
        rows.append(
            (place + 1, field.name, field.longest or "", FORMS[field.form], *presences, words_for("", field.name))
        )
    return table(("#", "Field", "Longest", "Form", *OPERATIONS_5X, "What it says"), rows)


def others() -> str:
    parts = []
    for (kind, ot, _), layouts in LAYOUTS.items():
        if kind == "O" and ot not in OPERATIONS_5X:
            parts += [
                f"**{_title(layout)}** (EMI-UCP 4.0 section {layout.section})\n\n{_fields(layout)}"
                for layout in layouts
            ]
    return "\n".join(parts)


def _title(layout: Layout) -> str:
    variant = f", as {layout.variant.upper()} has it: accepted, never sent" if layout.variant else ""
    return f"{layout.ot} {OPERATIONS[layout.ot].name}{variant}"


def _fields(layout: Layout) -> str:
    rows = (
        (place, field.name, PRESENCE[field.presence], _form(field), field.ec, words_for(layout.ot, field.name))
        for place, field in enumerate(layout.fields, start=1)
    )
    return table(("#", "Field", "", "Form", "EC if wrong", "What it says"), rows)


def _form(field: Field) -> str:
    if field.values:
        return ", ".join(sorted(field.values))
    return FORMS[field.form] + (
        f", up to {field.longest}" if field.longest and not field.form.startswith("date") else ""
    )


def results() -> str:
    shapes: dict[str, list[str]] = {}
    for (kind, ot, _), layouts in LAYOUTS.items():
        if kind == "R":
            for layout in layouts:
                names = [next(iter(field.values), field.name) for field in layout.fields]
                shape = "/".join(names) + (f" ({layout.variant}: accepted only)" if layout.variant else "")
                shapes.setdefault(shape, []).append(ot)
    return table(("Fields", "Operations"), ((f"`{shape}`", ", ".join(ots)) for shape, ots in shapes.items()))


CLIENTS = {
    "give up": "gives it up (`submits.given-up`)",
    "try again": "sends it again later; never doing so is weak (`submits.tried-again`)",
    "either": "may do either",
}


def error_codes() -> str:
    rows = (
        (ec, each.meaning, each.origin if each.origin != "emi" else "", CLIENTS.get(DUTIES.get(ec, ""), ""))
        for ec, each in ERROR_CODES.items()
    )
    return table(("EC", "Meaning", "Not of EMI-UCP 4.0", "A client that is refused a message"), rows)


def reasons() -> str:
    return table(("Rsn", "Meaning"), ((f"{rsn:03d}", meaning) for rsn, meaning in REASONS.items()))


def services() -> str:
    rows = (
        (f"{kind:02X}", each.name, f"{each.shortest}–{each.longest}", ", ".join(each.ops), each.meaning)
        for kind, each in TLV_TYPES.items()
    )
    return table(("Type", "Name", "Octets", "In", "Meaning"), rows)


def pids() -> str:
    return table(("PID", "Kind of address"), PIDS.items())


def wire_errors() -> str:
    rows = (
        (name, each.meaning, "accepted" if each.tolerated else f"EC {each.ec}" if each.ec else "silence")
        for name, each in WIRE_ERRORS.items()
    )
    return table(("Name", "What it is", "Answer"), rows)


def problems() -> str:
    rows = ((name, each.meaning, "strict only" if each.strict_only else "") for name, each in PROBLEMS.items())
    return table(("Name", "What it is", ""), rows)


TABLES: Final[dict[str, Callable[[], str]]] = {
    "operations": operations,
    "5x": series_5x,
    "others": others,
    "results": results,
    "error codes": error_codes,
    "reasons": reasons,
    "extra services": services,
    "pids": pids,
    "wire errors": wire_errors,
    "problems": problems,
}
_BLOCK: Final = re.compile(r"(<!-- table: ([^>]*) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """The page with every table generated again. Raises KeyError for a table that does not exist."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", page)


def page() -> str:
    """Return the existing page with its tables generated again."""
    return with_tables(PAGE.read_text("utf-8"))


def named(page: str) -> list[str]:
    """The tables a page has, in order."""
    return [found[2] for found in _BLOCK.finditer(page)]
