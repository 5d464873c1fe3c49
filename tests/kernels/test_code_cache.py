"""Compiled code is executed, so its folder is its user's alone, whatever others have put where it would be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simbench.kernels import code_cache, jit
from simbench.kernels.code_cache import private_folder

NAME = "kernels-1"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folder in the user's cache, and the first one among temporary files; neither exists."""
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(code_cache, "gettempdir", lambda: str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return cache / "simbench", temporary / f"simbench-{os.getuid()}"


def _is_a_link(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    (elsewhere / NAME).mkdir(parents=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(elsewhere)


def _is_a_file(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")


def _is_of_another(path: Path) -> None:
    (path / NAME).mkdir(parents=True)
    if os.getuid():
        pytest.skip("only root can give a folder away")
    os.chown(path, 65_534, 65_534)


def _holds_one_of_another(path: Path) -> None:
    (path / NAME).mkdir(parents=True)
    if os.getuid():
        pytest.skip("only root can give a folder away")
    os.chown(path / NAME, 65_534, 65_534)


def _holds_one_that_others_write(path: Path) -> None:
    (path / NAME).mkdir(parents=True)
    (path / NAME).chmod(0o777)


SPOILT = pytest.mark.parametrize(
    "spoil", [_is_a_link, _is_a_file, _is_of_another, _holds_one_of_another, _holds_one_that_others_write]
)


def _is_private(folder: Path) -> bool:
    return all(each.lstat().st_mode & 0o170777 == 0o040700 for each in (folder, folder.parent)) and not any(
        folder.iterdir()
    )


def test_the_folder_in_the_cache_is_made_private_whatever_the_mask(places: tuple[Path, Path]) -> None:
    before = os.umask(0)
    try:
        folder = private_folder(NAME)
    finally:
        os.umask(before)
    assert folder == places[0] / NAME
    assert _is_private(folder)
    assert private_folder(NAME) == folder, "it is used again"


def test_a_folder_with_others_rights_is_closed_before_one_is_made_in_it(places: tuple[Path, Path]) -> None:
    places[0].mkdir(parents=True)
    places[0].chmod(0o777)
    assert private_folder(NAME) == places[0] / NAME
    assert places[0].stat().st_mode & 0o777 == 0o755


@SPOILT
def test_a_spoilt_cache_is_not_used(places: tuple[Path, Path], spoil: Callable[[Path], None]) -> None:
    spoil(places[0])
    folder = private_folder(NAME)
    assert folder == places[1] / NAME
    assert _is_private(folder)


@SPOILT
def test_who_takes_the_name_among_temporary_files_supplies_no_code(
    places: tuple[Path, Path], spoil: Callable[[Path], None]
) -> None:
    _is_a_file(places[0])
    spoil(places[1])
    folder = private_folder(NAME)
    assert folder.parent.name.startswith(f"{places[1].name}-"), "a name that nobody can guess"
    assert _is_private(folder)
    assert private_folder(NAME) == folder, "the next process finds what this one compiled"


def test_without_any_folder_kernels_are_compiled_and_not_kept(tmp_path: Path) -> None:
    if not jit.compiles():
        pytest.skip("nothing is compiled here")
    program = (
        "from simbench.kernels import code_cache, jit, meter\n"
        "def none(name): raise OSError('no room')\n"
        "jit.private_folder = none\n"
        "from simbench.kernels.ahead import Ahead\n"
        "assert not Ahead('some', 'some', print).is_cached()\n"
        "print(jit.compiled(meter.conforming)(5, 7))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1000007\n"), done.stderr


def test_a_configuration_in_the_working_directory_names_no_folder_of_code(tmp_path: Path) -> None:
    if not jit.compiles():
        pytest.skip("nothing is compiled here")
    foreign = tmp_path / "foreign"
    (tmp_path / ".numba_config.yaml").write_text(f"cache_dir: {foreign}\n")
    program = (
        "from pathlib import Path\n"
        "from simbench.kernels import jit, meter\n"
        "jit.compiled(meter.conforming)(5, 7)\n"
        "with Path('.numba_config.yaml').open('a') as file: file.write('debug: 0\\n')\n"
        "jit.compiled(meter.conforming_within)(5, 7, 3)\n"
        "import numba\n"
        "assert numba.config.CACHE_DIR == str(jit.cache_folder()), numba.config.CACHE_DIR\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "own")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not foreign.exists()
