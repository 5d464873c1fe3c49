"""The public Python API: names, signatures, documentation, and the modules that importing it loads."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fake_smsc
import simbench
import simbench.dialup
import simbench.roaming
from tools.reference.python import members_of

HERE = Path(__file__).parent
SIGNATURES = HERE / "signatures.txt"
MODULES = (simbench, simbench.dialup, simbench.roaming, fake_smsc)
HEAVY = (
    "numpy",
    "pyarrow",
    "matplotlib",
    "numba",
    "pandas",
    "polars",
    "scapy",
    "click",
    "jinja2",
    "msgspec",
    "asyncio",
)


def public() -> dict[str, object]:
    """Every public name by its place."""
    return {f"{module.__name__}.{name}": getattr(module, name) for module in MODULES for name in module.__all__}


def signatures() -> list[str]:
    """Each public function and class with its signature, each public method and property of the project's classes."""
    found = []
    for place, thing in sorted(public().items()):
        if not callable(thing):
            continue
        found.append(f"{place}{written(thing)}")
        if inspect.isclass(thing) and place.partition(".")[2] not in {"SystemUnderTest", "Contract"}:
            for name, member in sorted(vars(thing).items()):
                if name.startswith("_"):
                    continue
                if inspect.isfunction(member):
                    found.append(f"  {place}.{name}{written(member)}")
                elif isinstance(member, property) or type(member).__name__ == "cached_property":
                    found.append(f"  {place}.{name}")
    return found


def written(thing: object) -> str:
    """A signature without annotations, which type checkers hold."""
    try:
        signature = inspect.signature(thing)  # type: ignore[arg-type]  # something that is called
    except ValueError:
        return ""
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def test_the_public_names_and_signatures_are_those_written_down() -> None:
    assert signatures() == SIGNATURES.read_text("utf-8").splitlines(), (
        "a public signature changed: say so in CHANGELOG.md, then write tests/api/signatures.txt anew with "
        "python -m tests.api.test_names"
    )


def test_every_public_name_is_where_it_says_and_is_listed_by_dir() -> None:
    places = [name for names in simbench._PLACES.values() for name in names]
    assert sorted([*places, "dialup", "roaming"]) == sorted(simbench.__all__)
    assert set(simbench.__all__) <= set(dir(simbench))
    assert len(set(places)) == len(places)


def test_every_public_function_and_class_says_what_it_does() -> None:
    for place, thing in public().items():
        assert inspect.getdoc(thing), place


def test_every_public_method_and_property_says_what_it_does_and_gives_its_type() -> None:
    members = 0
    for place, thing in public().items():
        if not inspect.isclass(thing):
            continue
        for name, member in members_of(thing):
            function: Any = member.fget if isinstance(member, property) else getattr(member, "func", member)
            assert inspect.getdoc(function), f"{place}.{name}"
            assert inspect.signature(function).return_annotation is not inspect.Signature.empty, f"{place}.{name}"
            members += 1
    assert members > 60


@pytest.mark.parametrize("name", [name for name in simbench.__all__ if inspect.isfunction(getattr(simbench, name))])
def test_every_public_function_has_types_and_says_what_it_raises(name: str) -> None:
    function = getattr(simbench, name)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(one.annotation is not inspect.Parameter.empty for one in signature.parameters.values())
    assert "Raises" in (inspect.getdoc(function) or "")


def test_importing_simbench_loads_nothing_else() -> None:
    code = f"import simbench, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'simulator'"):
        _ = simbench.simulator  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'settlement_of'"):
        _ = simbench.dialup.settlement_of  # type: ignore[attr-defined]


if __name__ == "__main__":
    SIGNATURES.write_text("\n".join(signatures()) + "\n", "utf-8")
