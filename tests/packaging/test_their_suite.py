"""A client's own repository with simbench installed from the wheel: its tests run, and two type checkers accept them.

The checkers also read the code of the notebooks, which use what users import.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, clean_environment

pytestmark = pytest.mark.package

THEIRS = ROOT / "tests" / "packages" / "theirs"
NOTEBOOKS = ROOT / "docs" / "notebooks"


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, pytest and the checkers; gives its interpreter."""
    target = tmp_path_factory.mktemp("theirs") / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
    interpreter = target / "bin" / "python"
    wanted = ("-c", str(ROOT / "constraints.txt"), str(wheel), "pytest", "mypy", "basedpyright")
    command = [str(interpreter), "-m", "pip", "install", "--quiet", *wanted]
    subprocess.run(command, check=True, env=clean_environment())
    return interpreter


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A client's repository, with the code of the notebooks in it."""
    folder = tmp_path / "theirs"
    shutil.copytree(THEIRS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        (folder / f"{path.stem}.py").write_text("\n\n".join(code) + "\n")
    return folder


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", *arguments]
    return subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False
    )  # fmt: skip


def pyright(python: Path, folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    return run(python, folder, "basedpyright", "--level", "error", "--pythonpath", str(python), *names)


def test_their_tests_pass_without_any_option(python: Path, theirs: Path) -> None:
    done = run(python, theirs, "pytest", "-q", "test_notifier.py")
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_mypy_is_content_with_their_tests_and_the_notebooks(python: Path, theirs: Path) -> None:
    names = sorted(path.name for path in theirs.glob("*.py"))
    assert len(names) == 2 + len(list(NOTEBOOKS.glob("*.ipynb")))
    done = run(python, theirs, "mypy", "--strict", *names)
    assert done.returncode == 0, done.stdout + done.stderr
    (theirs / "wrong.py").write_text("from fake_smsc import FakeSmsc\n\nFakeSmsc(codes=3)\n")
    assert "wrong.py:3: error: " in run(python, theirs, "mypy", "--strict", "wrong.py").stdout, "types are looked at"


def test_pyright_is_content_with_them_too(python: Path, theirs: Path) -> None:
    (theirs / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    done = pyright(python, theirs, "notifier.py", "test_notifier.py")
    assert (done.returncode, "0 errors" in done.stdout) == (0, True), done.stdout + done.stderr
    # Cells end with the value that the notebook shows, and draw with what matplotlib types in part.
    (theirs / "pyrightconfig.json").write_text('{"typeCheckingMode": "standard"}')
    names = sorted(f"{path.stem}.py" for path in NOTEBOOKS.glob("*.ipynb"))
    done = pyright(python, theirs, *names)
    assert (done.returncode, "0 errors" in done.stdout) == (0, True), done.stdout + done.stderr
    (theirs / "wrong.py").write_text("from fake_smsc import FakeSmsc\n\nFakeSmsc(codes=3)\n")
    assert "wrong.py:3:" in pyright(python, theirs, "wrong.py").stdout, "types are looked at"
