"""`simbench encode`: print one frame from its fields by name, or from the output of `simbench decode --json`.

Values enter the frame as given, valid or not, so the command can also make faulty frames.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.base.json_files import MOST_JSON, NOT_READ
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.ucp import content

Fields = dict[str, str | list[str]]

_IN_PARTS: Final = ("51", "52")  # operations with a field for the header of a long message


class Asked(msgspec.Struct):
    """A frame to make, with the keys of `simbench decode --json`; other keys are ignored."""

    op: str
    kind: str = "O"
    trn: str | int = 0
    fields: Fields = {}
    variant: str = ""


@command(see=("simbench decode", "docs/reference/ucp.md"))
@cloup.argument("op", required=False)
@cloup.argument("kind", required=False)
@cloup.argument("assignments", nargs=-1, metavar="[NAME=VALUE]...")
@cloup.option_group(
    "Input",
    cloup.option("--trn", default="00", show_default=True, help="Transaction reference number, 00 to 99."),
    cloup.option("--text", help="Text of the message; chooses alphabet and type, and prints one frame for each part."),
    cloup.option(
        "--json", "from_json", is_flag=True, help="Read objects of `decode --json` from standard input instead."
    ),
)
@cloup.option_group(
    "Output", cloup.option("--hex", "as_hex", is_flag=True, help="Print hexadecimal instead of <STX>...<ETX>.")
)
def encode(  # noqa: PLR0913 - one argument an option
    op: str | None, kind: str | None, assignments: Sequence[str], trn: str, text: str | None,
    *, as_hex: bool, from_json: bool,
) -> None:  # fmt: skip
    """Print a UCP frame: operation OP, KIND O (operation) or R (result), and its fields by name.

    Fields are checked as the platform checks them; length and checksum are filled in. `simbench decode` explains what
    this command prints.

    \b
    Examples:
      simbench encode 31 O AdC=36010 PID=0539
      simbench encode 51 O --trn 07 AdC=33639980012 OAdC=36010 --text "Déjà prêt ?"
      simbench encode 51 R --hex EC=04 SM="too fast"
      simbench decode --json frames.txt | simbench encode --json
    """
    if from_json:
        if op or text is not None:
            raise BadInput("--json", "reads it all from standard input", "--json without operation, fields and text")
        asked = list(_from_json())
    elif op is None or kind is None:
        raise BadInput("simbench encode", "operation or kind is missing", "for instance: 31 O AdC=36010 PID=0539")
    else:
        asked = list(_from_arguments(Asked(op, kind.upper(), trn, _assigned(assignments)), text))
    for each in asked:
        octets = _octets(each)
        click.echo(octets.hex().upper() if as_hex else printable(octets))


def printable(octets: bytes) -> str:
    """A readable frame: control characters in angle brackets."""
    from simbench.ucp.frame import ETX, STX

    return octets.decode("ascii", "replace").replace(STX.decode(), "<STX>").replace(ETX.decode(), "<ETX>")


def _from_json() -> Iterator[Asked]:
    """Read one object per line of standard input, or one object over several lines."""
    given = sys.stdin.buffer.read(MOST_JSON + 1)
    if len(given) > MOST_JSON:
        raise BadInput("standard input", f"has more than {MOST_JSON:,} octets", "the fields of frames")
    try:
        yield msgspec.json.decode(given, type=Asked)
        return
    except NOT_READ:
        pass
    lines = [(number, line) for number, line in enumerate(given.splitlines(), start=1) if line.strip()]
    for number, line in lines:
        try:
            yield msgspec.json.decode(line, type=Asked)
        except NOT_READ as problem:
            raise BadInput(
                f"standard input, line {number}", str(problem), "an object with op, kind and fields"
            ) from None
    if not lines:
        raise BadInput("standard input", "empty", "an object with op, kind and fields")


def _assigned(assignments: Sequence[str]) -> Fields:
    """Read NAME=VALUE arguments; RAds and GAs may be repeated."""
    fields: Fields = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise BadInput(f"argument {assignment!r}", "is not NAME=VALUE", "NAME=VALUE, for instance AdC=33639980012")
        if name in {"RAds", "GAs"}:
            fields[name] = [*fields.get(name, []), value]
        elif name in fields:
            raise BadInput(name, "given twice", "each field once")
        else:
            fields[name] = value
    return fields


def _from_arguments(asked: Asked, text: str | None) -> Iterator[Asked]:
    from simbench.ucp import content

    if text is None:
        yield asked
        return
    taken = {"MT", "Msg", "NB", "AMsg", "MMS"} & asked.fields.keys()
    if taken:
        raise BadInput("--text", f"sets {', '.join(sorted(taken))} as well", "either --text or these fields")
    try:
        parts = content.compose(text)
    except ValueError as problem:
        raise BadInput("--text", str(problem), "a text of characters, for at most 255 parts") from None
    if len(parts) > 1 and asked.op not in _IN_PARTS:
        raise BadInput("--text", f"needs {len(parts)} parts", f"a text for one message in operation {asked.op}")
    trn = int(asked.trn) if str(asked.trn).isdecimal() else None
    for number, part in enumerate(parts):
        fields = asked.fields | _content(asked, part)
        yield msgspec.structs.replace(asked, fields=fields, trn=asked.trn if trn is None else (trn + number) % 100)


def _content(asked: Asked, part: content.Part) -> Fields:
    """Return the fields that carry one part of a text in this operation."""
    from simbench.ucp.fields import OPERATIONS_5X

    if asked.op in OPERATIONS_5X:
        services = str(asked.fields.get("XSer", "")) + part.xser
        return {"MT": part.mt, "Msg": part.msg, "NB": part.nb, "MMS": part.mms, "XSer": services}
    if part.mt != "3":
        raise BadInput("--text", "needs UCS-2", f"characters of the GSM alphabet in operation {asked.op}")
    return {"AMsg": part.msg} if asked.op == "30" else {"MT": part.mt, "Msg": part.msg}


def _octets(asked: Asked) -> bytes:
    from simbench.ucp.operations import build

    names = _names(asked)
    for name, value in asked.fields.items():
        if name not in names:
            nearest = _nearest(name, names)
            raise BadInput(f"{asked.kind}/{asked.op}", f"no field {name!r}", nearest or f"one of {', '.join(names)}")
        for each in [value] if isinstance(value, str) else value:
            if not each.isascii() or not each.isprintable() or "/" in each:
                raise BadInput(name, f"{each!r} is not allowed in a frame", "printable ASCII without a slash")
    try:
        return build(asked.op, asked.kind, _trn(asked.trn), asked.variant, **asked.fields)
    except ValueError as problem:
        raise BadInput(f"{asked.kind}/{asked.op}", str(problem), "a frame that can be written") from None


def _names(asked: Asked) -> list[str]:
    """Return the fields that an operation or result of this type may have. Raises BadInput for an unknown type."""
    from simbench.ucp.fields import LAYOUTS

    layouts = [
        layout for (kind, ot, _), found in LAYOUTS.items() if (kind, ot) == (asked.kind, asked.op) for layout in found
    ]
    if not layouts:
        known = sorted({ot for _, ot, _ in LAYOUTS})
        if asked.op in known:
            raise BadInput("kind", f"{asked.kind!r}", "O for an operation, R for a result")
        raise BadInput("operation", f"{asked.op!r} is not an operation", f"one of {', '.join(known)}")
    return list(dict.fromkeys(field.name for layout in layouts for field in layout.fields))


def _nearest(name: str, names: Sequence[str]) -> str:
    """Return the closest name, "" if none is similar; case has little weight."""
    folded = {each.lower(): each for each in reversed(names)}
    close = get_close_matches(name.lower(), folded, n=1)
    return folded[close[0]] if close else ""


def _trn(trn: str | int) -> str | int:
    """Return a number as two digits; any other two characters unchanged."""
    if isinstance(trn, int) or trn.isdecimal():
        if 0 <= int(trn) <= 99:
            return int(trn)
    elif len(trn) == 2 and trn.isascii() and trn.isalnum():
        return trn
    raise BadInput("TRN", f"{trn!r}", "00 to 99")
