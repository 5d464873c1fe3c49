"""Chance: even, independent of order, without trace from one draw to the next."""

from __future__ import annotations

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from simbench.kernels.chance import MASK, draw, entity_of, lognormal_table, quantile, share

WORDS = st.integers(0, MASK)
COUNT = 20_000
TABLE = lognormal_table(4_000_000, 0.8)
FIRST_PART = 0xE30951535DB8D4D2


def unit(drawn: int) -> float:
    return drawn / 2**64


def chi_square(drawn: list[int], shift: int) -> float:
    """Of 256 cells formed by eight bits; expected 255, standard deviation 22.6."""
    cells = [0] * 256
    for each in drawn:
        cells[(each >> shift) & 0xFF] += 1
    expected = len(drawn) / 256
    return sum((cell - expected) ** 2 / expected for cell in cells)


def correlation(left: list[float], right: list[float]) -> float:
    n = len(left)
    mean_left, mean_right = sum(left) / n, sum(right) / n
    both = sum((a - mean_left) * (b - mean_right) for a, b in zip(left, right, strict=True))
    square = sum((a - mean_left) ** 2 for a in left) * sum((b - mean_right) ** 2 for b in right)
    return both / math.sqrt(square)


def streams() -> dict[str, list[int]]:
    """Draws along each of the three inputs, and along the msisdns of one block."""
    return {
        "entities": [draw(1, entity, 0) for entity in range(COUNT)],
        "purposes": [draw(1, 0, purpose) for purpose in range(COUNT)],
        "seeds": [draw(seed, 0, 0) for seed in range(COUNT)],
        "numbers": [draw(2016, 33639980000 + entity, entity_of("absent")) for entity in range(COUNT)],
    }


def test_every_octet_of_a_draw_is_evenly_spread() -> None:
    for name, drawn in streams().items():
        for shift in (0, 24, 40, 56):
            assert 255 - 5 * 22.6 < chi_square(drawn, shift) < 255 + 5 * 22.6, (name, shift)


def test_one_draw_tells_nothing_about_the_next() -> None:
    limit = 4 / math.sqrt(COUNT)
    for name, drawn in streams().items():
        units = [unit(each) for each in drawn]
        for lag in (1, 2, 7, 256):
            assert abs(correlation(units[lag:], units[:-lag])) < limit, (name, lag)


def test_neighbouring_seeds_entities_and_purposes_are_unrelated() -> None:
    limit = 4 / math.sqrt(COUNT)
    first = [unit(draw(7, entity, 3)) for entity in range(COUNT)]
    for seed, shift, purpose in ((8, 0, 3), (7, 1, 3), (7, 0, 4), (3, 0, 7)):
        other = [unit(draw(seed, entity + shift, purpose)) for entity in range(COUNT)]
        assert abs(correlation(first, other)) < limit


def test_swapping_seed_entity_and_purpose_gives_other_draws() -> None:
    assert len({draw(*inputs) for inputs in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1))}) == 6


def test_draws_are_frozen() -> None:
    assert draw(0, 0, 0) == 0x238275BC38FCBE91
    assert draw(1, 2, 3) == 0x8F3ED33ABD58DEB9


def test_draws_do_not_depend_on_their_order() -> None:
    entities = list(range(500))
    straight = {entity: draw(5, entity, 1) for entity in entities}
    random.Random(0).shuffle(entities)
    assert {entity: draw(5, entity, 1) for entity in entities} == straight


@given(seed=WORDS, entity=WORDS, purpose=WORDS, other=WORDS)
def test_draws_are_64_bits_repeat_and_never_collide_between_entities(
    seed: int, entity: int, purpose: int, other: int
) -> None:
    drawn = draw(seed, entity, purpose)
    assert 0 <= drawn <= MASK
    assert drawn == draw(seed, entity, purpose) == draw(seed + 2**64, entity - 2**64, purpose)
    assert (draw(seed, other, purpose) == drawn) == (other == entity)


@given(seed=WORDS, entity=WORDS, bit=st.integers(0, 63))
def test_turning_one_bit_of_an_input_turns_many_of_the_draw(seed: int, entity: int, bit: int) -> None:
    assert (draw(seed, entity, 1) ^ draw(seed, entity ^ (1 << bit), 1)).bit_count() >= 8


def test_entities_of_texts_are_the_same_in_every_process() -> None:
    assert entity_of("36050", "33639980012", "0") == FIRST_PART
    assert entity_of("36050", "33639980012", "1") != FIRST_PART
    assert entity_of("3605", "033639980012", "0") != FIRST_PART


def test_entities_of_texts_are_evenly_spread() -> None:
    drawn = [entity_of("36050", str(33639980000 + number), "abc") for number in range(COUNT)]
    assert len(set(drawn)) == COUNT
    assert all(142 < chi_square(drawn, shift) < 368 for shift in (0, 24, 40, 56))


@given(seed=WORDS, entity=WORDS)
def test_a_share_of_nothing_takes_none_and_of_a_million_all(seed: int, entity: int) -> None:
    assert not share(seed, entity, 1, 0)
    assert share(seed, entity, 1, 1_000_000)


@given(seed=WORDS, entity=WORDS, low=st.integers(0, 10**6), high=st.integers(0, 10**6))
def test_a_larger_share_keeps_all_of_a_smaller_one(seed: int, entity: int, low: int, high: int) -> None:
    if low <= high and share(seed, entity, 9, low):
        assert share(seed, entity, 9, high)


def test_a_share_has_its_size() -> None:
    for share_ppm in (1_000, 30_000, 500_000):
        taken = sum(share(11, entity, 4, share_ppm) for entity in range(100_000))
        expected = share_ppm / 10
        assert abs(taken - expected) < 4 * math.sqrt(expected)


def test_a_quantile_table_is_read_from_end_to_end_along_straight_lines() -> None:
    table = (0, 1_000, 5_000)
    assert quantile(table, 0) == 0
    assert quantile(table, 1 << 63) == 1_000
    assert quantile(table, 1 << 62) == 500
    assert quantile(table, 3 << 62) == 3_000
    assert 4_999 <= quantile(table, MASK) <= 5_000
    assert quantile((42,), MASK) == 42


@given(low=WORDS, high=WORDS)
def test_a_larger_draw_never_gives_a_smaller_value(low: int, high: int) -> None:
    low, high = sorted((low, high))
    assert TABLE[0] <= quantile(TABLE, low) <= quantile(TABLE, high) <= TABLE[-1]


def test_a_lognormal_table_has_the_median_mean_and_spread_of_its_law() -> None:
    drawn = sorted(quantile(TABLE, draw(1, entity, 2)) for entity in range(COUNT))
    assert abs(drawn[COUNT // 2] / 4_000_000 - 1) < 0.03
    assert abs(sum(drawn) / COUNT / (4_000_000 * math.exp(0.5 * 0.8**2)) - 1) < 0.03
    assert abs(drawn[int(COUNT * 0.8413)] / (4_000_000 * math.exp(0.8)) - 1) < 0.05


def test_a_lognormal_table_is_frozen() -> None:
    assert lognormal_table(4_000_000, 0.0, 4) == (4_000_000,) * 4
    assert lognormal_table(1_000_000, 1.0, 4) == (316_526, 727_138, 1_375_255, 3_159_297)
