from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.client.environment import read_settings
from simbench.client.shell import wall_clock
from tests.client.peer import PASSWORD
from tests.paris import instant

ACCOUNT = {"code": "36010", "account": "36010", "password": PASSWORD, "rate_per_s": 20}
ENVIRONMENT = {"SIMBENCH_HOST": "127.0.0.1", "SIMBENCH_PORT": "5000", "SIMBENCH_ACCOUNTS": json.dumps([ACCOUNT])}


def test_few_variables_are_required() -> None:
    settings = read_settings(ENVIRONMENT)
    [link] = settings.links
    assert (link.code, link.rate_per_s, link.window, link.keepalive_s, link.result_timer_s) == ("36010", 20, 10, 50, 60)
    assert (settings.outside.clock, settings.spool, settings.faults) == (wall_clock, ":memory:", ())


def test_every_setting_has_a_variable() -> None:
    settings = read_settings(
        ENVIRONMENT
        | {"SIMBENCH_WINDOW": "100", "SIMBENCH_KEEPALIVE_S": "5.5", "SIMBENCH_RESULT_TIMER_S": "30"}
        | {"SIMBENCH_SPOOL": "spool.db", "SIMBENCH_FAULT": "burst, no-ack-53,"}
    )
    [link] = settings.links
    assert (link.window, link.keepalive_s, link.result_timer_s) == (100, 5.5, 30)
    assert (settings.spool, settings.faults) == ("spool.db", ("burst", "no-ack-53"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMBENCH_HOST", ""),
        ("SIMBENCH_PORT", ""),
        ("SIMBENCH_PORT", "70000"),
        ("SIMBENCH_PORT", "http"),
        ("SIMBENCH_WINDOW", "0"),
        ("SIMBENCH_WINDOW", "101"),
        ("SIMBENCH_KEEPALIVE_S", "nan"),
        ("SIMBENCH_RESULT_TIMER_S", "-1"),
        ("SIMBENCH_SPEED", "60"),
        ("SIMBENCH_SPEED", "fast"),
        ("SIMBENCH_CLOCK_EPOCH_US", "yesterday"),
        ("SIMBENCH_ACCOUNTS", ""),
        ("SIMBENCH_ACCOUNTS", "[]"),
        ("SIMBENCH_ACCOUNTS", "{"),
        ("SIMBENCH_ACCOUNTS", "\udcff"),
        ("SIMBENCH_ACCOUNTS", json.dumps([ACCOUNT, ACCOUNT])),
        ("SIMBENCH_ACCOUNTS", json.dumps([{**ACCOUNT, "rate_per_s": 0}])),
        ("SIMBENCH_ACCOUNTS", json.dumps([{**ACCOUNT, "code": "36/10"}])),
        ("SIMBENCH_ACCOUNTS", json.dumps([{**ACCOUNT, "colour": "red"}])),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_settings(ENVIRONMENT | {name: value})
    assert refused.value.place == name
    assert refused.value.expected


def test_the_platforms_clock_runs_at_its_speed_from_its_epoch() -> None:
    start = time.monotonic_ns() - 10_000_000_000
    clock = read_settings(
        ENVIRONMENT
        | {"SIMBENCH_CLOCK_EPOCH_US": "1000000", "SIMBENCH_SPEED": "60", "SIMBENCH_CLOCK_START_NS": str(start)}
    ).outside.clock
    first = clock()
    assert 601_000_000 <= first <= 1_000_000 + 60 * (time.monotonic_ns() - start) // 1_000


def test_without_a_start_the_epoch_is_now() -> None:
    before = time.monotonic_ns()
    clock = read_settings(ENVIRONMENT | {"SIMBENCH_CLOCK_EPOCH_US": "1000000"}).outside.clock
    assert 1_000_000 <= clock() <= 1_000_000 + (time.monotonic_ns() - before) // 1_000


def test_without_a_portability_file_the_numbering_plan_decides() -> None:
    [link] = read_settings(ENVIRONMENT).links
    assert link.served_only is not None
    assert link.served_only("33639980001", 0) is None


def test_a_portability_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "portability.csv"
    path.write_text("msisdn,operator,valid_from\n33639980001,sfr,2026-06-16\n")
    [link] = read_settings(ENVIRONMENT | {"SIMBENCH_PORTABILITY": str(path)}).links
    assert link.served_only is not None
    assert link.served_only("33639980001", instant(2026, 6, 15, 23, 59)) is None
    assert link.served_only("33639980001", instant(2026, 6, 16)) == "sfr"


def test_a_portability_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        read_settings(ENVIRONMENT | {"SIMBENCH_PORTABILITY": str(tmp_path / "nowhere.csv")})
