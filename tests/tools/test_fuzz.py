"""A short run of the fuzzer, and that it would tell."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from random import Random

import msgspec
import pytest

from fake_smsc.strictness import Strictness
from simbench.ucp.operations import build
from tests.fake_smsc.ucp_gateway.stage import logged_in
from tools.fuzz import __main__ as fuzz
from tools.fuzz.mutate import MUTATIONS, WORKED, mutated, repaired
from tools.fuzz.targets import TARGETS, Chunks


def test_a_few_thousand_mutated_frames_raise_nothing(tmp_path: Path) -> None:
    report = fuzz.run(seconds=math.inf, frames=4000, seed=20261122, folder=tmp_path)
    assert report.crashes == []
    assert report.frames == 4000


@pytest.mark.parametrize("ot", ["01", "02", "03"])
def test_found_once_transparent_data_in_an_operation_that_has_no_number_of_bits(ot: str) -> None:
    """A tolerant server wanted to fill NB where there is none."""
    fields: dict[str, str | list[str]] = {"OAdC": "36010", "MT": "4", "Msg": "0123456789"}
    if ot == "02":
        fields["RAds"] = ["33639980012"]
    else:
        fields["RAd" if ot == "03" else "AdC"] = "33639980012"
    (refused,) = logged_in(strictness=Strictness("tolerant")).send(build(ot, "O", 1, "", **fields))
    assert refused.data[:2] == ["N", "23"]


def test_the_same_seed_gives_the_same_frames_and_another_one_others() -> None:
    assert fuzz.batch_of(1, 5) == fuzz.batch_of(1, 5)
    assert fuzz.batch_of(1, 5) != fuzz.batch_of(2, 5)
    assert fuzz.batch_of(1, 5) != fuzz.batch_of(1, 6)


def test_frames_are_put_right_and_every_mutation_changes_some() -> None:
    assert [repaired(octets) for octets in WORKED[:3]] == WORKED[:3]
    for mutation in MUTATIONS:
        dice = Random(1)
        assert any(mutation(octets, dice) != octets for octets in WORKED)
    assert len({mutated(Random(number)) for number in range(100)}) > 80


def test_what_a_target_raises_is_saved_and_can_be_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(chunks: Chunks, _: Random) -> None:
        raise ValueError(f"{len(chunks)} chunks")

    monkeypatch.setitem(TARGETS, "broken", broken)
    (path,) = fuzz.play([b"\x02"], 3, 7, tmp_path)
    crash = msgspec.json.decode(Path(path).read_bytes(), type=fuzz.Crash)
    assert (crash.target, crash.seed, crash.batch, crash.chunks) == ("broken", 3, 7, ["02"])
    assert "ValueError: 1 chunks" in crash.raised
    monkeypatch.setattr("sys.argv", ["fuzz", "--again", path])
    with pytest.raises(ValueError, match="1 chunks"):
        fuzz.main()


def test_the_program_says_what_it_did_and_ends_in_time(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.fuzz", "--seconds", "1", "--frames", "100000000", "--seed", "4"]
    done = subprocess.run([*command, "--folder", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    output = msgspec.json.decode(done.stdout)
    assert 0 < output["frames"] < 100_000_000
    assert output["crashes"] == []
