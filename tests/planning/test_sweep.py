from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from simbench.base.errors import BadInput
from simbench.contract import load_contract
from simbench.planning.runs import Result
from simbench.planning.study import MEASURES, Prepared, Study, prepare, read_study
from simbench.planning.sweep import JOURNAL, RESULT, chunks, interval, intervals, sweep, wanted
from simbench.planning.worker_pool import LocalPool
from simbench.simulation.scenario import WorldScenario

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "plan"
DAY = {
    "period": {"from": "2026-10-01", "to": "2026-10-02"},
    "subscribers": {"count": 10_000},
    "codes": [{"code": "36050", "rate_per_s": 50, "request_id": "R"}],
    "campaigns": [{"name": "c", "code": "36050", "start": "2026-10-01T08:00", "volume": 2_000}],
    "flows": [{"name": "f", "code": "36050", "per_day": 500}],
    "incidents": {"drawn": [{"name": "p", "between": {"mean_h": 12}, "lasting": {"mean_h": 1}}]},
}  # fmt: skip
TIERS = {"key": "codes.0.rate_per_s", "values": [10, 20, 50]}


def prepared(**tables: Any) -> Prepared:
    given = {"scenario": "day", "parameters": [TIERS], "replications": 8, "block": 4, **tables}
    return prepare(msgspec.convert(given, Study), msgspec.convert(DAY, WorldScenario), load_contract())


def swept(study: Prepared, folder: Path, workers: int = 1) -> bytes:
    pool = LocalPool(study, workers)
    try:
        sweep(study, folder, pool)
    finally:
        pool.close()
    return (folder / RESULT).read_bytes()


def study_file(folder: Path, replications: int) -> Path:
    """A study on disk, for commands."""
    folder.mkdir(exist_ok=True)
    (folder / "day.toml").write_text((SCENARIOS / "day.toml").read_text())
    text = 'scenario = "day.toml"\n' + f"replications = {replications}\nblock = {replications}\n"
    text += '[[parameters]]\nkey = "campaigns.0.volume"\nvalues = [20_000, 40_000]\n'
    (folder / "study.toml").write_text(text)
    return folder / "study.toml"


def test_results_are_equal_octet_by_octet_whatever_the_workers(tmp_path: Path) -> None:
    study = prepared()
    assert swept(study, tmp_path / "one") == swept(study, tmp_path / "two", 2)
    table = pq.read_table(tmp_path / "one" / RESULT)
    assert table.num_rows == 24
    assert not (tmp_path / "one" / JOURNAL).exists()


def test_points_are_compared_in_the_same_futures() -> None:
    study = prepared()
    worlds = [study.world(point, 3) for point in range(3)]
    assert len({world.seed for world in worlds}) == 1
    assert study.world(0, 4).seed != worlds[0].seed
    assert [world.codes[0].rate_per_s for world in worlds] == [10, 20, 50]


def test_a_finished_sweep_repeats_nothing_and_a_longer_one_only_adds(tmp_path: Path) -> None:
    first = swept(prepared(), tmp_path)
    assert swept(prepared(), tmp_path) == first

    class Nobody:
        def do(self, chunks: Any) -> Any:
            raise AssertionError(f"nothing is missing: {chunks}")

        def close(self) -> None: ...

    sweep(prepared(), tmp_path, Nobody())
    with pytest.raises(BadInput, match="another study"):
        sweep(prepared(seed=2), tmp_path, Nobody())


@pytest.mark.slow
def test_a_worker_killed_costs_its_own_runs_only(tmp_path: Path) -> None:
    study = prepared(replications=30, block=30)
    pool = LocalPool(study, 2)
    try:
        done: list[Result] = []
        for number, results in enumerate(pool.do([((0, n),) for n in range(30)])):
            done += results
            if number in (3, 9):
                with suppress(ProcessLookupError):  # the one killed before may not be replaced yet
                    os.kill(pool.pids()[number % 2], signal.SIGKILL)
    finally:
        pool.close()
    assert sorted(one.replication for one in done) == list(range(30))


KILLS_ITSELF = """
import os, signal
from simbench.planning import sweep
append, runs = sweep._append, [-1]  # the header is no run
def counting(file, *rows):
    append(file, *rows)
    runs[0] += len(rows)
    if runs[0] >= 20:
        os.kill(os.getpid(), signal.SIGKILL)
sweep._append = counting
"""


@pytest.mark.slow
def test_a_sweep_killed_in_the_middle_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    study = study_file(tmp_path / "study", 40)
    program = "from simbench.cli.main import main; main()"
    given = ["sweep", str(study), "--workers", "1", "--json", "-o"]
    journal = tmp_path / "cut" / JOURNAL
    killed = [sys.executable, "-c", KILLS_ITSELF + program, *given, str(tmp_path / "cut")]
    assert subprocess.run(killed, check=False, stdout=subprocess.DEVNULL).returncode == -signal.SIGKILL
    command = [sys.executable, "-c", program, *given]
    before = journal.read_bytes()
    kept = before[: before.rfind(b"\n") + 1]
    journal.write_bytes(kept + b"[0,7,[1.0,2")  # as a write cut short would leave it
    assert 20 <= kept.count(b"\n") - 1 < 80
    subprocess.run([*command, str(tmp_path / "cut")], check=True, capture_output=True)
    reported = subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True, text=True).stdout
    assert (tmp_path / "cut" / RESULT).read_bytes() == (tmp_path / "whole" / RESULT).read_bytes()
    assert [len(point["measures"]) for point in json.loads(reported)["points"]] == [len(MEASURES)] * 2


def test_a_point_stops_when_its_interval_is_narrow_enough() -> None:
    study = prepared(replications=40, block=4, stop={"measure": "offered", "half_width": 0.1})
    sure = {(0, n): Result(0, n, (100.0 + n % 2,) * len(MEASURES)) for n in range(4)}
    wide = {(1, n): Result(1, n, (100.0 + 90 * (n % 2),) * len(MEASURES)) for n in range(4)}
    runs = wanted(study, {**sure, **wide})
    assert [sum(point == at for point, _ in runs) for at in range(3)] == [4, 8, 4]
    assert wanted(study, {}) == [(point, n) for point in range(3) for n in range(4)]


def test_the_interval_is_student_s() -> None:
    rows = [Result(0, n, (float(n),) * len(MEASURES)) for n in range(1, 6)]
    one = interval("offered", rows, 0.95)
    assert one.mean == 3
    assert one.half_width == pytest.approx(2.776 * 1.5811 / 5**0.5, rel=1e-3)


def test_ranges_are_sampled_and_the_warm_up_is_not_measured(tmp_path: Path) -> None:
    volume = {"key": "campaigns.0.volume", "from": 1000, "to": 9000, "whole": True, "log": True}
    study = prepared(parameters=[TIERS, volume], samples=4, replications=2, block=2)
    assert len(study.points) == 12
    assert all(1000 <= point[1] <= 9000 for point in study.points)  # type: ignore[operator]  # a number, as sampled
    late = prepared(parameters=[{**TIERS, "values": [50]}], warm_up_h=12, replications=2, block=2)
    swept(late, tmp_path)
    offered = pq.read_table(tmp_path / RESULT).column("offered").to_pylist()
    assert all(0 < each < 500 for each in offered), "the campaign lies before"
    assert len(chunks(study, [(0, 0), (0, 1), (1, 0)])) == 2


@pytest.mark.parametrize(
    ("tables", "reported"),
    [
        ({"parameters": []}, "no parameter varies"),
        ({"parameters": [{"key": "codes.0.rat", "values": [1]}]}, "no such key 'rat'.*rate_per_s"),
        ({"parameters": [{"key": "codes.4.rate_per_s", "values": [10]}]}, "not an index of a list of length 1"),
        ({"parameters": [{"key": "codes.0.rate_per_s", "values": [11]}]}, "one of the tiers"),
        ({"parameters": [{"key": "codes.0.rate_per_s", "values": ["x"]}]}, "Expected `int`"),
        ({"parameters": [{"key": "seed", "values": [1]}]}, "is set by the study"),
        ({"parameters": [TIERS, TIERS]}, "appears twice"),
        ({"parameters": [{"key": "codes.0.rate_per_s"}]}, "has neither"),
        ({"parameters": [{"key": "campaigns.0.volume", "from": 9, "to": 3}], "samples": 2}, "is not a range"),
        ({"samples": 3}, "3 samples with 0 ranges"),
        ({"warm_up_h": 24}, "warm_up_h: is 24; expected less than the 24 h of the scenario"),
    ],
)
def test_bad_studies_are_refused_in_one_line(tables: dict[str, Any], reported: str) -> None:
    with pytest.raises(BadInput, match=reported) as caught:
        prepared(**tables)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="file/out: Not a directory; expected a folder that can be written"):
        swept(prepared(), tmp_path / "file" / "out")


def test_the_study_of_the_scenarios_is_read() -> None:
    study = read_study(SCENARIOS / "study_tiers.toml")
    assert len(study.points) == 3
    assert intervals(study, {(p, n): Result(p, n, (1.0,) * len(MEASURES)) for p in range(3) for n in range(3)})
