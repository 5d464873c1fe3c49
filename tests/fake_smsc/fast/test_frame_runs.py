"""What is taken out of a read as a run is worth a batch; nothing is lost or turned around, whatever is mixed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.fast.frame_runs import WORTH_FRAMES, Acks, Run, runs_of
from simbench.ucp.frame import encode
from tests.harness import submit

KINDS = (
    submit(1, OAdC="36150", AdC="33639980001", NRq="", NT=""),
    submit(2, OAdC="36150", AdC="33639980002", NRq="1", NT="3"),
    submit(3, OAdC="36150", AdC="0639980003", NRq="", NT=""),
    encode("04", "R", "53", "A///"),
    encode("05", "O", "31", "36150/0539/"),
)
READS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 2 * WORTH_FRAMES)), min_size=1, max_size=8)


@given(READS)
def test_runs_and_what_is_between_them_are_the_read_and_every_run_is_worth_it(
    parts: list[tuple[bytes, int]],
) -> None:
    octets = b"".join(frame * times for frame, times in parts)
    found = list(runs_of(octets))
    back = [
        each if isinstance(each, bytes) else each.octets if isinstance(each, Acks) else each.octets(0, len(each.trns))
        for each in found
    ]
    assert b"".join(back) == octets
    assert all(len(each.trns) >= WORTH_FRAMES for each in found if isinstance(each, Run))


def test_submits_that_differ_in_turns_are_no_runs() -> None:
    octets = b"".join(KINDS[:2]) * 50
    assert list(runs_of(octets)) == [octets]


def test_submits_that_are_alike_are_one_run() -> None:
    (found,) = runs_of(KINDS[0] * 50)
    assert isinstance(found, Run)
    assert len(found.trns) == 50
