"""TOML as typed values, for any struct: what the refusals say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from simbench.base.errors import ScenarioError
from simbench.base.toml_files import as_typed, dotted, read_toml


class Leg(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start_s: Annotated[int, msgspec.Meta(ge=0)]
    kind: Literal["walk", "ride"] = "walk"
    note: str | None = None


class Trip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    legs: tuple[Leg, ...] = ()
    by_name: dict[str, dict[str, Leg]] = {}

    def __post_init__(self) -> None:
        if len(self.legs) > 2:
            raise ValueError("more legs than a trip has")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("legs = [{start_s = 1}, {start_s = -1}]", "legs[1].start_s: is -1; expected a whole number >= 0"),
        ("legs = [{start_s = 1, note = 3}]", "legs[0].note: is 3; expected a text in quotes or nothing"),
        ("legs = [{start_s = 1, kind = 'wolk'}]", 'legs[0].kind: is "wolk"; expected perhaps `walk`'),
        ("legs = [{start_s = 1, knid = 'x'}]", "legs[0].knid: unknown key; expected perhaps `kind`"),
        ("legs = [{}]", "legs[0].start_s: is missing"),
        ("legs = {}", "legs: is {}; expected a list"),
        ("[[legs]]\nstart_s = 1\n[[legs]]\nstart_s = 1\n[[legs]]\nstart_s = 1", "more legs than a trip has"),
        ("[by_name.a.x]\nstart_s = 1\n[by_name.b.'y z']\nstart_s = 'q'", 'by_name.b."y z".start_s: is "q"; expected a'),
        (
            "[by_name.a.x]\nstart_s = 1\n[by_name.b.y]\nstrat_s = 1",
            "by_name.b.y.strat_s: unknown key; expected perhaps",
        ),
        ("by_name.a.x = 1", "by_name.a.x: is 1; expected a table"),
        ("lags = 1", "lags: unknown key; expected perhaps `legs`"),
    ],
)
def test_a_refusal_names_file_key_value_and_expectation(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "trip.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_toml(path, Trip, ScenarioError)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)


def test_a_good_file_becomes_the_struct(tmp_path: Path) -> None:
    path = tmp_path / "trip.toml"
    path.write_text("legs = [{start_s = 1, kind = 'ride'}]")
    assert read_toml(path, Trip, ScenarioError) == Trip(legs=(Leg(1, "ride"),))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="Is a directory; expected a TOML file"):
        read_toml(tmp_path, Trip, ScenarioError)


def test_the_file_of_a_value_may_depend_on_its_key() -> None:
    with pytest.raises(ScenarioError, match=r"^legs\.toml: legs: is 3"):
        as_typed({"legs": 3}, Trip, ScenarioError, lambda keys: f"{keys[0]}.toml")


def test_keys_are_written_as_in_toml() -> None:
    assert dotted(("terms", "a-b", 3, "c d", "é")) == 'terms.a-b[3]."c d"."\\u00e9"'
