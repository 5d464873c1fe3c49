"""`simbench decode`: frames from lines, a capture or a run, explained field by field.

The check is strict: `ok` means no deviation, including those that servers tolerate.
"""

from __future__ import annotations

import re
import sys
import zlib
from binascii import unhexlify
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from gzip import BadGzipFile, GzipFile
from html import unescape
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.cli.pages import DONE, command
from simbench.ucp.frame import ETX, STX

if TYPE_CHECKING:
    from simbench.capture.frames import FramesOfRows, Seen
    from simbench.ucp.checks import FieldError
    from simbench.ucp.frame import Frame, WireError

    Errors = list[WireError | FieldError]
    Show = Callable[[Seen, Frame | WireError, Errors], None]

LONGEST_LINE: Final = 1 << 16

EVENTS_KEPT: Final = 100  # the last rows of a capture, which contain the remarks on its clock

_HEX: Final = re.compile(rb"(?:(?:0[xX])?[0-9A-Fa-f]{2}[\s:,]*)+")

# Spellings of the two control characters in logs, manuals and mails.
_ENDS: Final = {
    STX: re.compile(rb"<stx>|\[stx\]|\{stx\}|\\x02|\\002|\\u0002|\^B(?=[0-9]{2}/)", re.IGNORECASE),
    ETX: re.compile(rb"<etx>|\[etx\]|\{etx\}|\\x03|\\003|\\u0003|(?<=[0-9A-Fa-f]{2})\^C", re.IGNORECASE),
}

_ENTITY: Final = re.compile(rb"&(?:lt|#0*2|#x0*2);", re.IGNORECASE)  # HTML entities

# A frame in angle brackets, alone or at the end of a log line, with or without its control characters.
_BRACKETED: Final = re.compile(rb"[^\x02\x03]*<\x02?([0-9]{2}/[0-9]{5}/[OR]/[0-9]{2}/[^<>\x02\x03]*)\x03?>\s*")


_LACKS: Final = {
    "began_midway": "connections that began before it: {}",
    "one_direction": "connections with one direction only: {}",
    "holes": "holes: {}",
    "missing_octets": "octets missing: {}",
    "cut_packets": "packets shortened: {}",
    "cut_short": "the file ends within a packet",
}


@command(
    exits={**DONE, 0: "every frame is valid", 1: "at least one frame is invalid"},
    see=("simbench encode", "docs/reference/ucp.md"),
)
@cloup.argument("source", required=False, metavar="[FILE]", type=click.Path(path_type=Path))
@cloup.option_group(
    "Capture",
    cloup.option(
        "--port", type=click.IntRange(1, 65535), help="Port of the SMSC in a capture, where the frames do not show it."
    ),
)
@cloup.option_group(
    "Output", cloup.option("--json", "as_json", is_flag=True, help="One JSON object per frame instead of text.")
)
def decode(source: Path | None, port: int | None, *, as_json: bool) -> int:
    """Explain UCP frames field by field, from lines, a capture or a run; "-" or nothing reads standard input.

    A line is a frame in hexadecimal, or printable with <STX> or \\x02 at its start, or without its ends. Exit status 1
    when any frame is invalid.

    \b
    Examples:
      simbench decode frames.txt
      simbench decode --json traffic.pcapng
      simbench decode --port 5000 traffic.pcap
      simbench decode reports/first
      echo '00/00019/R/60/A//6D' | simbench decode
    """
    counts = [0, 0]  # valid, invalid

    def show(seen: Seen, item: Frame | WireError, errors: Errors) -> None:
        counts[bool(errors)] += 1
        click.echo(_json(seen, item, errors) if as_json else _text(seen, item, errors))

    if str(source) == "-":
        source = None
    name = str(source or "standard input")
    try:
        _read(source, name, port, show)
    except BrokenPipeError:  # the reader of the output has closed it
        raise
    except OSError as problem:
        raise BadInput(name, problem.strerror or str(problem), "a file that can be read") from None
    if not any(counts):
        raise BadInput(name, "contains no UCP frame", "one frame per line, a capture of UCP, or the folder of a run")
    return int(counts[1] > 0)


def _read(source: Path | None, name: str, port: int | None, show: Show) -> None:
    """Detect the kind of source and show every frame in it."""
    from simbench.capture.files import is_capture
    from simbench.capture.frames import FramesOfRows
    from simbench.capture.packed import GZIP, Cursor, unpacked

    def show_all(seen: Seen, items: list[Frame | WireError]) -> None:
        _show_items(seen, items, show)

    if source is not None and source.is_dir():
        _run(source, FramesOfRows(show_all))
        return
    with open_input(source, inherited=True) if source else nullcontext(sys.stdin.buffer) as file:
        head = file.read(4)
        if not (is_capture(head) or head.startswith(GZIP)):
            _lines(head, file, show)
            return
        with TemporaryFile() if source is None else nullcontext(file) as kept:
            if source is None:  # a capture is read more than once
                kept.write(head)
                copyfileobj(file, kept)
            if is_capture(unpacked(Cursor(kept)).read(4)):
                _capture(kept, name, port, show_all)
                return
            kept.seek(0)
            try:
                _lines(b"", GzipFile(fileobj=kept), show)
            except (EOFError, BadGzipFile, zlib.error):
                raise BadInput(name, "is a damaged gzip file", "an intact gzip file") from None


def _capture(
    file: BinaryIO, name: str, port: int | None, show: Callable[[Seen, list[Frame | WireError]], None]
) -> None:
    from simbench.capture.frames import FramesOfRows
    from simbench.capture.reader import read_packets
    from simbench.ledger.capture_events import ClockDoubted
    from simbench.ledger.events import EventRow, events_of
    from simbench.ledger.rows import Row

    events: deque[Row] = deque(maxlen=EVENTS_KEPT)
    summary = read_packets(file, name, FramesOfRows(show), events, port)
    if not summary.connections:
        raise BadInput(name, summary.without_ucp, "a capture of UCP, or --port")
    remarks = [
        event.sentence for _, event in events_of(cast(Iterable[EventRow], events)) if isinstance(event, ClockDoubted)
    ]
    _report_gaps(summary, remarks)


def _run(folder: Path, frames: FramesOfRows) -> None:
    from simbench.ledger import open_run

    for batch in open_run(folder).wire.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns[:4]), strict=True):
            frames.append(row)


def _lines(head: bytes, file: BinaryIO | GzipFile, show: Show) -> None:
    from simbench.capture.frames import Seen
    from simbench.ucp.frame import Framer, WireError

    for number, line in enumerate(_split(head, file), start=1):
        octets = octets_of(line)
        if octets:
            framer = Framer()
            items = framer.feed(octets)
            if framer.pending:
                items.append(WireError("truncated" if STX in framer.pending else "garbage", framer.pending))
            _show_items(Seen(line=number), items, show)


def _split(head: bytes, file: BinaryIO | GzipFile) -> Iterator[bytes]:
    """Yield lines as they arrive; overlong ones are truncated."""
    rest = head
    while piece := file.readline(LONGEST_LINE):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if len(rest) >= LONGEST_LINE:
            yield rest
            rest = b""
    yield from rest.split(b"\n")


def octets_of(line: bytes) -> bytes:
    """Return the octets of a line: a frame in hexadecimal, printable, raw, in a log, or without control characters."""
    line = line.strip(b" \t\r\n")
    if not line:
        return line
    if _HEX.fullmatch(line) and (digits := re.sub(rb"0[xX]|[\s:,]", b"", line)) and len(digits) % 2 == 0:
        return unhexlify(digits)
    if STX not in line and _ENTITY.search(line):
        line = unescape(line.decode("latin-1")).encode("latin-1", "replace")
    for octet, written in _ENDS.items():
        line = written.sub(octet, line)
    if bracketed := _BRACKETED.fullmatch(line):
        return STX + bracketed[1] + ETX
    return line if STX in line or ETX in line else STX + line + ETX


def _report_gaps(summary: msgspec.Struct, remarks: Sequence[str]) -> None:
    for remark in remarks:
        click.echo(f"simbench: {remark}", err=True)
    lacks = {name: count for name, count in msgspec.to_builtins(summary).items() if count and name in _LACKS}
    if lacks:
        missing = ", ".join(_LACKS[name].format(count) for name, count in lacks.items())
        click.echo(f"simbench: the capture is incomplete: {missing}", err=True)


def _show_items(seen: Seen, items: list[Frame | WireError], show: Show) -> None:
    """Show each frame with its errors, ignoring line ends between frames."""
    from simbench.ucp.checks import check
    from simbench.ucp.frame import WIRE_ERRORS, Frame

    violations: Errors = []
    for item in items:
        if isinstance(item, Frame):
            show(seen, item, [*violations, *check(item)])
            violations = []
        elif item.name == "line-ends":
            continue
        elif WIRE_ERRORS[item.name].tolerated:
            violations.append(item)
        else:
            show(seen, item, [item])


def _json(seen: Seen, item: Frame | WireError, errors: Errors) -> str:
    from simbench.ucp.explain import HEADER
    from simbench.ucp.fields import layout_of
    from simbench.ucp.frame import Frame, WireError
    from simbench.ucp.operations import decode

    fields, variant = {}, ""
    if isinstance(item, Frame):
        fields = {name: value for name, value in decode(item).items() if name not in HEADER}
        layout = layout_of(item.kind, item.ot, item.data)
        variant = layout.variant if layout else ""
    names = [error.name if isinstance(error, WireError) else error.problem for error in errors]
    result = {"ok": not errors, "trn": item.trn, "kind": item.kind, "op": item.ot, "fields": fields}
    result["errors"] = list(dict.fromkeys(names))
    if variant:
        result["variant"] = variant
    if not seen.line:
        result |= msgspec.to_builtins(seen)
    return msgspec.json.encode(result).decode()


def _text(seen: Seen, item: Frame | WireError, errors: Errors) -> str:
    from simbench.ucp.explain import explain, heading
    from simbench.ucp.frame import Frame

    lines = []
    if isinstance(item, Frame):
        lines.append(f"{seen}: {heading(item)}")
        for each in explain(item):
            text = f"{each.what}: {each.meaning}" if each.what and each.meaning else each.what or each.meaning
            value = each.value if len(each.value) <= 24 else f"{each.value[:21]}..."
            lines.append(f"    {each.name:<8}{value:<26}{text}".rstrip())
    else:
        lines.append(f"{seen}: not a frame: {item.octets[:60]!r}")
    lines += [f"  ! {_objection(error)}" for error in errors]
    return "\n".join(lines)


def _objection(error: WireError | FieldError) -> str:
    from simbench.ucp.checks import PROBLEMS
    from simbench.ucp.frame import WIRE_ERRORS, WireError

    if isinstance(error, WireError):
        return f"{error.name}: {WIRE_ERRORS[error.name].meaning}"
    answer = f"; error code {error.ec}" if error.ec and not PROBLEMS[error.problem].noted else ""
    place = f"{error.field}: " if error.field else ""
    return f"{place}{error.problem}: {PROBLEMS[error.problem].meaning}{answer}"
