"""The scenarios that come with the package, found by name."""

from __future__ import annotations

from pathlib import Path

from simbench.base.errors import ScenarioError
from simbench.base.toml_files import choice

# Folders of the bundled scenarios: in an installed package, in a checkout.
HOMES = (Path(__file__).parents[1] / "scenarios", Path(__file__).parents[2] / "scenarios")


def find_scenario(path: Path) -> Path:
    """Return the path of a scenario given as a path or as the name of a bundled scenario ("03_outage").

    Raises ScenarioError with the closest known name if neither exists.
    """
    if path.exists():
        return path
    known = {file.relative_to(home).with_suffix("").as_posix(): file for home in HOMES for file in home.rglob("*.toml")}
    name = path.with_suffix("").as_posix().removeprefix("scenarios/")
    if name in known:
        return known[name]
    expected = "a TOML file" if path.is_absolute() else choice(name, sorted(known))
    raise ScenarioError(str(path), "no such file", expected)
