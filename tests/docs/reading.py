"""Read a page as its reader does: run each step in turn and compare it with the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.docs.blocks import Step, agrees, steps_of
from tests.docs.shell import ROOT, Shell

GENERATED = "docs/reference"


def pages() -> list[str]:
    """Every page with commands that are run: README and docs, except generated pages."""
    found = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))]
    return ["README.md", *(name for name in found if not name.startswith(GENERATED))]


def steps(page: str) -> list[Step]:
    """The steps of a page by its name."""
    return list(steps_of((ROOT / page).read_text("utf-8")))


def follow(page: str, folder: Path) -> None:
    """Do all a page says in a folder of its own. Raises AssertionError naming page, line and difference."""
    with Shell(folder / Path(page).stem) as shell:
        for step in steps(page):
            for problem in _problems(shell, step):
                raise AssertionError(f"{page}:{step.line}: {step.text}\n{problem}")
        while shell.servers:
            assert shell.stop() == 0, f"{page}: the server did not end well"


def _problems(shell: Shell, step: Step) -> Iterator[str]:
    status, printed, both = shell.do(step)
    if status not in step.statuses:
        yield f"exit status {status}, the page says {' or '.join(map(str, step.statuses))}\n{both}"
    elif step.output and not agrees(step.output, printed) and not agrees(step.output, both):
        yield f"it says\n{both}\nthe page shows\n{step.output}"
