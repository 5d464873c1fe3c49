"""The targets of mutated frames: framer and field table, gateway with core, client, readers of files, judge.

Each target takes the chunks of one connection and may raise nothing; AssertionError where it no longer works.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Final

import simbench.bench.runner.selection  # noqa: F401 - importing it registers every rule
from fake_smsc.scenario import CodeConfig, Scenario
from fake_smsc.server.assembly import assemble
from fake_smsc.strictness import PROFILES, Strictness
from simbench.base.errors import BadInput, SimbenchError
from simbench.capture.reader import read_packets
from simbench.cli.decode import octets_of
from simbench.client.core import Core
from simbench.client.messages import LinkConfig, Outgoing
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from simbench.rules.capture_times import times_of
from simbench.rules.rule import Case, judge, load
from simbench.trace.trace import Trace
from simbench.ucp import content
from simbench.ucp.checks import answer_to, check
from simbench.ucp.frame import Framer, WireError
from simbench.ucp.operations import decode
from tests.capture.scenes import pcap
from tests.harness import START, Peer, login
from tests.readers import Reader, readers
from tests.tables.samples import PARQUET, READERS, WORKBOOK

Chunks = list[bytes]
Target = Callable[[Chunks, Random], None]
CONTRACT: Final = load_contract()
CODES: Final = (CodeConfig(code="36010", limit="nack"), CodeConfig(code="36020"))
SCENARIOS: Final = [Scenario(codes=CODES, strictness=Strictness(profile)) for profile in PROFILES]
JUDGED_SHARE: Final = 0.05  # of the batches: judging takes longer than serving
LOGGED_IN_SHARE: Final = 0.8
LINK: Final = LinkConfig(account="36010", password="secret", code="36010", rate_per_s=10)


def framer(chunks: Chunks, _: Random) -> None:
    """Frames or wire errors, their fields by name, their problems, their content."""
    reader = Framer()
    for chunk in chunks:
        for item in reader.feed(chunk):
            if isinstance(item, WireError):
                answer_to(item)
                continue
            decode(item)
            check(item)
            content.read(item.data)
    assert len(reader.pending) <= 4097


def gateway(chunks: Chunks, dice: Random) -> None:
    """A gateway that must serve its other session for any input of this one; sometimes the judge reads the result."""
    ledger = MemoryLedger()
    served = assemble(dice.choice(SCENARIOS), CONTRACT, ledger)
    served.advance(START)
    bystander, fuzzed, now = Peer(served, 1), 2, START
    bystander.login("36020")
    served.opened(fuzzed, now)
    ledger.wire.append((now, fuzzed, "open", b"fuzzed"))
    opened = True
    for chunk in chunks:
        if opened and dice.random() < LOGGED_IN_SHARE:
            chunk = login() + chunk  # noqa: PLW2901 - what is fed begins with a login
        opened = False
        now += dice.choice((0, 0, 1_000, 50_000, 2_000_000))
        served.advance(now)
        ledger.wire.append((now, fuzzed, "in", chunk))
        served.received(fuzzed, chunk, now)
        for number, octets in served.output():
            ledger.wire.append((now, number, "out", octets))
        if fuzzed in served.closings:
            served.closed(fuzzed, now)
            served.opened(fuzzed, now)
            opened = True
    bystander.now = now
    bystander._collect()
    answers = [frame for frame in bystander.submit(7, OAdC="36020", AdC="33710000077") if frame.kind == "R"]
    assert [frame.data[0] for frame in answers] == ["A"], "another session is not served"
    bystander.wait(120_000_000)
    if dice.random() < JUDGED_SHARE:
        case = Case(Trace(ledger.snapshot()), CONTRACT)
        for purpose in load():
            found = judge(purpose, case, "fuzz")
            assert found.outcome != "error", found.summary


def client(chunks: Chunks, dice: Random) -> None:
    """The client's core, with messages of its own to send meanwhile."""
    core, now = Core(LINK), START
    for number in range(5):
        core.submit(Outgoing(f"m{number}", LINK.code, "33710000001", "Bonjour"), now)
    core.advance(now)
    core.connected(now)
    for chunk in [b"\x0200/00019/R/60/A//6D\x03", *chunks]:
        now += dice.choice((0, 1_000, 100_000, 5_000_000))
        core.received(chunk, now)
        core.events()
        core.octets_to_send()
        core.advance(now)
        if core.state == "closed" and core.next_deadline() <= now + 60_000_000:
            now += 60_000_000
            core.advance(now)
            core.connected(now)
    assert core.outstanding <= LINK.window


def capture(chunks: Chunks, dice: Random) -> None:
    """A capture of the chunks in a random format, sometimes damaged: the reader returns rows or one clear error."""
    key = bytes([192, 0, 2, 10, 198, 51, 100, 1]) + struct.pack("!HH", 40_000, 5_000)
    seq, packets, at = 1000, [], START
    for chunk in chunks:
        segment = (key, seq & 0xFFFFFFFF, dice.choice((0, 0, 5, 5_000)), dice.choice((16, 16, 16, 17)), chunk[:1400], 0)
        at += dice.choice((1000, 1000, 1000, 1000, -200_000, -3_600_000_000))
        packets.append((max(at, 0), dice.choice(WRAPPINGS) + _packet(segment)))
        seq += len(chunk[:1400]) + dice.choice((0, 0, 0, 0, 0, 0, 0, 7, -9))
    file = bytearray(dice.choice(FORMS)(packets))
    for _ in range(dice.choice((0, 0, 1, 5))):
        file[dice.randrange(len(file))] = dice.randrange(256)
    octets = bytes(file[: dice.choice((len(file), len(file), dice.randrange(1, len(file))))])
    ledger = MemoryLedger()
    with suppress(BadInput):
        read_packets(BytesIO(octets), "fuzz", ledger.wire, ledger.events, dice.choice((None, 5_000)))
    if dice.random() < JUDGED_SHARE:
        times_of(Trace(ledger.snapshot()))


ETHERNET: Final = bytes(12)
WRAPPINGS: Final = (
    ETHERNET + b"\x08\x00", ETHERNET + b"\x81\x00\x00\x07\x08\x00", ETHERNET + b"\x88\x47\x00\x01\x01\x40",
    ETHERNET + b"\x88\x64\x11\x00\x00\x05\x00\x00\x00\x21",
    ETHERNET + b"\x08\x00\x45\x00\xff\xff\0\0\0\0\x40\x2f\0\0" + bytes(8) + b"\0\0\x08\x00",
)  # fmt: skip


def _pcapng(packets: list[tuple[int, bytes]], *, timed: bool = True) -> bytes:
    """The same as pcapng: packets with times, or simple packets."""

    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + size + body + size

    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", 1, 0, 0))]
    for at, octets in packets:
        padded, size = octets + bytes(-len(octets) % 4), len(octets)
        if timed:
            parts.append(block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, size, size) + padded))
        else:
            parts.append(block(3, struct.pack("<I", size) + padded))
    return b"".join(parts)


FORMS: Final[tuple[Callable[[list[tuple[int, bytes]]], bytes], ...]] = (
    lambda packets: pcap(packets, link=1),
    lambda packets: gzip.compress(pcap(packets, link=1), compresslevel=1),
    _pcapng,
    lambda packets: _pcapng(packets[len(packets) // 2 :]) + _pcapng(packets[: len(packets) // 2]),
    lambda packets: _pcapng(packets, timed=False),
)


def lines(chunks: Chunks, dice: Random) -> None:
    """Frames as users write them: octets, or the plain line."""
    for chunk in chunks:
        text = chunk.hex(dice.choice((" ", ":"))).encode() if dice.random() < 0.3 else chunk
        for line in text.split(b"\n"):
            octets_of(line.replace(b"\x02", dice.choice((b"\x02", b"<STX>", b"^B", b"&lt;STX&gt;", b"\\002"))))


def _packet(segment: tuple[bytes, int, int, int, bytes, int]) -> bytes:
    """Like `ip_packet`, without scapy and without checksums, which the reader ignores."""
    key, seq, ack, flags, payload, _ = segment
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0) + key[:8]
    return ip + key[8:] + struct.pack("!IIHHHH", seq, ack, 0x5000 | flags, 65535, 0, 0) + payload


def tables(chunks: Chunks, dice: Random) -> None:
    """A truncated table, list or log of a random kind with octets of the chunks in it, read or rejected in one line."""
    name = dice.choice(sorted(READERS))
    sample, read = READERS[name]
    encoding = dice.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"))
    octets = dice.choice((sample.encode(encoding), sample.encode(encoding), PARQUET, WORKBOOK))
    for _ in range(dice.choice((0, 1, 1, 4))):
        at, put = dice.randrange(len(octets) + 1), dice.choice(chunks)[: dice.choice((1, 2, 40))]
        octets = octets[:at] + put + octets[at + dice.choice((0, len(put))) :]
    octets = octets[: dice.choice((len(octets), dice.randrange(len(octets) + 1)))]
    with NamedTemporaryFile(prefix="fuzz-") as file:
        file.write(octets)
        file.flush()
        message = ""
        try:
            read(Path(file.name))
        except BadInput as refused:
            message = str(refused)
        assert "\n" not in message


@cache
def _known() -> dict[str, Reader]:
    with TemporaryDirectory(prefix="fuzz-") as folder:
        return readers(Path(folder))


def files(chunks: Chunks, dice: Random) -> None:
    """A file of any other kind that a user names, with octets of the chunks in it: read, or refused in one line."""
    reader = _known()[dice.choice(sorted(_known()))]
    octets = bytearray(reader.octets)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at, put = dice.randrange(len(octets) + 1), dice.choice(chunks)[: dice.choice((1, 2, 40))]
        octets[at : at + dice.choice((0, len(put)))] = put
    del octets[dice.choice((len(octets), dice.randrange(len(octets) + 1))) :]
    with TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / reader.name
        path.write_bytes(octets)
        message = ""
        try:
            reader.read(path)
        except SimbenchError as refused:
            message = str(refused)
        assert "\n" not in message


TARGETS: Final[dict[str, Target]] = {
    "files": files,
    "tables": tables,
    "framer": framer,
    "gateway": gateway,
    "client": client,
    "capture": capture,
    "lines": lines,
}
