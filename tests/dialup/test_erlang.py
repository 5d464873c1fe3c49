"""Erlang's formula, against tabled values."""

from __future__ import annotations

import pytest

from simbench.base.errors import BadInput
from simbench.dialup.dimensioning import dimension
from simbench.dialup.erlang import (
    GRADES,
    blocking_of,
    busy_hour_erlangs,
    erlang_b,
    extended_b,
    extended_ports_for,
    ports_for,
)
from simbench.dialup.offer import load_netrevenu

TABLE = {
    (50e6, 0.08): (2222, 2249, 2212, 2128),
    (50e6, 0.10): (2778, 2802, 2758, 2657),
    (50e6, 0.12): (3333, 3355, 3303, 3185),
    (150e6, 0.10): (8333, 8317, 8208, 7935),
}


@pytest.mark.parametrize(("load", "expected"), TABLE.items())
def test_ports_of_a_month_are_those_of_the_table(load: tuple[float, float], expected: tuple[int, ...]) -> None:
    erlangs = busy_hour_erlangs(*load)
    assert (round(erlangs), *(ports_for(erlangs, grade) for grade in GRADES)) == expected


@pytest.mark.parametrize(("erlangs", "ports"), [(30, (42, 39, 36)), (100, (117, 113, 105)), (1000, (1029, 1009, 966))])
def test_ports_of_small_loads_are_those_of_the_table(erlangs: float, ports: tuple[int, ...]) -> None:
    assert tuple(ports_for(erlangs, grade) for grade in GRADES) == ports


def test_the_fewest_ports_are_enough_and_one_less_is_not() -> None:
    for erlangs in (0.5, 7.3, 250.0):
        ports = ports_for(erlangs, 0.01)
        assert erlang_b(erlangs, ports) <= 0.01 < erlang_b(erlangs, ports - 1)


def test_the_recursion_is_the_formula() -> None:
    assert erlang_b(2.0, 3) == pytest.approx((8 / 6) / (1 + 2 + 2 + 8 / 6))
    assert blocking_of(2.0, 3)[-1] == erlang_b(2.0, 3)
    assert erlang_b(0.0, 3) == 0 == ports_for(0.0, 0.01)


def test_redials_raise_load_and_blocking_to_a_fixed_point() -> None:
    blocking, load = extended_b(100.0, 105, 0.7)
    assert load == pytest.approx(100 + 0.7 * load * blocking)
    assert blocking > erlang_b(100.0, 105)
    assert extended_b(100.0, 105, 0.0) == pytest.approx((erlang_b(100.0, 105), 100.0))
    assert extended_ports_for(100.0, 0.02, 0.7) > ports_for(100.0, 0.02)


def test_no_load_and_no_grade_are_refused() -> None:
    for wrong in (lambda: erlang_b(-1.0, 3), lambda: ports_for(10.0, 0.0), lambda: ports_for(float("inf"), 0.1)):
        with pytest.raises(BadInput):
            wrong()


def test_one_more_port_brings_less_the_more_there_are_and_more_under_a_higher_bracket() -> None:
    offer = load_netrevenu()
    small = dimension(10_000_000, offer, "2000-09")
    earned = [grade.next_port_ff for grade in small.grades]
    assert earned == sorted(earned)
    assert all(0 < grade.next_port_ff < grade.share_ff / grade.ports for grade in small.grades)
    large, flat = (dimension(60_000_000, offer, "2000-09", tariff=name).grades[0] for name in ("F1", "F3"))
    assert large.next_port_ff / large.next_port_minutes > flat.next_port_ff / flat.next_port_minutes
