"""The kernel that finds frames gives the same result as a framer, for any octets and any division."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.kernels.frames import Odd, Scanner
from simbench.ucp.frame import Frame, Framer, WireError, encode

bodies = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
sound = st.builds(encode, st.integers(0, 99), st.sampled_from("OR"), st.sampled_from(["51", "60", "00"]), bodies)
odd = st.one_of(
    st.binary(max_size=30),
    sound.map(lambda frame: frame[:-2] + frame[-2:].lower()),
    sound.map(lambda frame: frame.replace(b"/000", b"/001", 1)),
    sound.map(lambda frame: frame[:20] + b"\x02" + frame[20:]),
    sound.map(lambda frame: frame[:-1]),
    sound.map(lambda frame: frame[: len(frame) // 2] + b"\xe9" + frame[len(frame) // 2 :]),
    st.sampled_from([b"\r\n", b"\x03", b"\x02", b"\x02\x03", b"\x0201/00016/O/51/"]),
    st.sampled_from([b"x" * 5_000, b"\x02" + b"y" * 5_000]),
)  # fmt: skip
streams = st.lists(st.one_of(sound, sound, sound, odd), max_size=12).map(b"".join)


def by_framers(rows: list[tuple[int, bytes]]) -> list[tuple[int, Frame | WireError]]:
    framers: dict[int, Framer] = defaultdict(Framer)
    return [(row, item) for row, (lane, octets) in enumerate(rows) for item in framers[lane].feed(octets)]


def by_scanner(scanner: Scanner, rows: list[tuple[int, bytes]], first: int = 0) -> list[tuple[int, Frame | WireError]]:
    octets = np.frombuffer(b"".join(each for _, each in rows), np.uint8)
    edges = np.cumsum([0, *(len(each) for _, each in rows)])
    reported: list[tuple[int, Frame | WireError]] = []
    for block in scanner.frames(octets, edges, [lane for lane, _ in rows]):
        if isinstance(block, Odd):
            reported += [(first + block.row, item) for item in block.items]
            continue
        for number, row in enumerate(block.rows.tolist()):
            (item,) = Framer().feed(block.frame(number))
            assert isinstance(item, Frame)
            assert int(block.kinds[number]) == int(item.ot) + (100 if item.kind == "R" else 0)
            assert int(block.trns[number]) == int(item.trn)
            reported.append((first + row, item))
    return reported


@given(
    st.dictionaries(st.integers(0, 20), streams, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=60),
    st.integers(1, 9),
)
@settings(max_examples=300)
def test_frames_are_those_of_a_framer_however_they_are_cut_and_mixed(
    sent: dict[int, bytes], cuts: list[tuple[int, int]], turns: int
) -> None:
    lanes = list(sent)
    rows: list[tuple[int, bytes]] = []
    for number, size in [*cuts, *((n, 100_000) for n in range(len(lanes)))]:
        if lanes:
            lane = lanes[number % len(lanes)]
            rows.append((lane, sent[lane][:size]))
            sent[lane] = sent[lane][size:]
    scanner, reported = Scanner(), []
    for first in range(0, len(rows), turns):
        reported += by_scanner(scanner, rows[first : first + turns], first)
    assert reported == by_framers(rows)


def test_sound_frames_need_no_framer() -> None:
    frames = [encode(n % 100, "O", "51", "33639980001/36010" + "/" * 31) for n in range(3_000)]
    whole = b"".join(frames)
    rows = [(n % 2, whole if n < 2 else b"") for n in range(2)] + [(5, frame[:20]) for frame in frames[:1]]
    scanner = Scanner()
    octets = np.frombuffer(b"".join(each for _, each in rows), np.uint8)
    blocks = list(scanner.frames(octets, np.cumsum([0, *(len(each) for _, each in rows)]), [lane for lane, _ in rows]))
    if not scanner.compiled:
        pytest.skip("nothing is compiled here")
    assert all(not isinstance(block, Odd) for block in blocks)
    assert sum(len(block.rows) for block in blocks if not isinstance(block, Odd)) == 6_000
    assert scanner.release(5) == frames[0][:20]
    assert scanner.release(5) == b""
