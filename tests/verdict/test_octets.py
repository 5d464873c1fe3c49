"""However octets are cut and whatever they are, reading them gives the same views and never raises."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp.alphabet import encode_oadc
from simbench.ucp.frame import encode, encode_fields
from simbench.verdict.reading import Reading
from tests.verdict.scene import (
    CODE,
    RECIPIENT,
    STAMP,
    Chunk,
    accepted,
    alert,
    login,
    mo,
    notice,
    reading_of,
    submit,
)

VIEWS = ("submits", "notices", "mo", "alerts", "frames", "sessions", "story", "asked", "grain")


def seen(reading: Reading) -> dict[str, list[dict[str, Any]]]:
    """Every view as records; of an instant only whether it came."""
    return {
        name: [
            {
                column: value >= 0 if column == "at" or column.endswith("_at") else value
                for column, value in row._asdict().items()
            }
            for row in getattr(reading, name).rows()
        ]
        for name in VIEWS
    }


POOL: tuple[Chunk, ...] = (
    ("in", login()),
    ("out", encode("00", "R", "60", "A//")),
    ("in", submit(1, "#00001")),
    ("out", accepted(1)),
    ("in", submit(2, "#00002", OAdC=encode_oadc("MARQUE"), OTOA="5039")),
    ("out", encode("02", "R", "51", "N/06/AdC invalid/")),
    ("in", submit(1, "#00003")),
    ("in", alert(3)),
    ("out", encode("03", "R", "31", "A/0000/")),
    ("out", notice(4)),
    ("in", encode("04", "R", "53", f"A//{RECIPIENT}:{STAMP}/")),
    ("out", mo(5)),
    ("in", encode("05", "R", "52", "A///")),
    ("in", encode("77", "R", "53", "A///")),
    ("in", b"\r\n"),
    ("in", b"noise"),
    ("in", submit(6)[:20]),  # broken off
    ("in", submit(7)[:-3] + b"00\x03"),
    ("out", submit(8)[:30]),
    ("in", encode("09", "O", "51", "")),
    ("out", encode("01", "R", "51", "")),
)


@given(st.lists(st.sampled_from(POOL), max_size=25), st.data(), st.booleans())
def test_however_the_octets_are_cut_the_views_are_the_same(
    chunks: list[Chunk], data: st.DataObject, opened: bool
) -> None:
    cut: list[Chunk] = []
    for direction, octets in chunks:
        places = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=4)))
        ends = [*places, len(octets)]
        cut += [(direction, octets[a:b]) for a, b in zip([0, *places], ends, strict=True)]
    assert seen(reading_of(cut, opened)) == seen(reading_of(chunks, opened))


def test_octet_by_octet_is_the_same_as_at_once() -> None:
    single = [(direction, octets[at : at + 1]) for direction, octets in POOL for at in range(len(octets))]
    assert seen(reading_of(single)) == seen(reading_of(list(POOL)))


# What is malformed -----------------------------------------------------------------------------------------------

cells = st.one_of(
    st.sampled_from(("", "1", "5039", CODE, "9" * 30, "G1", "0B44", "³", "A", "N", "0500034201")),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="/"), max_size=12),
)
sound_frames = st.builds(
    lambda trn, kind, ot, values: encode_fields(trn, kind, ot, [value if value.isascii() else "" for value in values]),
    st.integers(0, 12),
    st.sampled_from("OR"),
    st.sampled_from(("51", "52", "53", "60", "31", "55", "99")),
    st.one_of(st.lists(cells, max_size=6), st.lists(cells, min_size=29, max_size=34)),
)
anything = st.one_of(st.binary(max_size=60), sound_frames, st.sampled_from([octets for _, octets in POOL]))


@given(st.lists(st.tuples(st.sampled_from(("in", "out")), anything), max_size=20), st.booleans())
def test_nothing_on_the_wire_makes_reading_raise(chunks: list[Chunk], opened: bool) -> None:
    assert set(seen(reading_of(chunks, opened))) == set(VIEWS)
