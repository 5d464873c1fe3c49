"""Reading gives the same views for any division of any octets, and never raises."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.trace.trace import Trace
from tests.rules.anything import POOL, anything
from tests.rules.scene import Chunk, trace_of

VIEWS = ("submits", "notifications", "mo", "alerts", "frames", "sessions", "attempts", "messages", "replies")


def seen(trace: Trace) -> dict[str, list[dict[str, Any]]]:
    """Every view as records; of an instant only whether it came."""
    reported: dict[str, list[dict[str, Any]]] = {}
    for name in VIEWS:
        view = getattr(trace, name)
        reported[name] = [
            {
                column: value >= 0 if column == "at" or column.endswith("_at") else value
                for column, value in ((field, getattr(row, field)) for field in view._row.__struct_fields__)
            }
            for row in view.rows()
        ]
    return reported


@given(st.lists(st.sampled_from(POOL), max_size=25), st.data(), st.booleans())
def test_however_the_octets_are_cut_the_views_are_the_same(
    chunks: list[Chunk], data: st.DataObject, opened: bool
) -> None:
    cut: list[Chunk] = []
    for direction, octets in chunks:
        places = sorted(data.draw(st.lists(st.integers(0, len(octets)), max_size=4)))
        ends = [*places, len(octets)]
        cut += [(direction, octets[a:b]) for a, b in zip([0, *places], ends, strict=True)]
    assert seen(trace_of(cut, opened)) == seen(trace_of(chunks, opened))


def test_octet_by_octet_is_the_same_as_at_once() -> None:
    single = [(direction, octets[at : at + 1]) for direction, octets in POOL for at in range(len(octets))]
    assert seen(trace_of(single)) == seen(trace_of(list(POOL)))


@settings(max_examples=300)
@given(st.lists(anything, max_size=20), st.booleans())
def test_nothing_on_the_wire_makes_reading_raise(chunks: list[Chunk], opened: bool) -> None:
    assert set(seen(trace_of(chunks, opened))) == set(VIEWS)
