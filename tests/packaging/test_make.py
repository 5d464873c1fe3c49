"""The errors of make: one line each, with problem and remedy."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENV, DEBIAN = ROOT / "scripts" / "venv.sh", ROOT / "scripts" / "debian.sh"
NOBODY = "http://127.0.0.1:9/simple"  # the discard port, where nobody listens


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one requirement, so small that only what surrounds it can be wrong."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "small"\nversion = "1"\ndependencies = ["click"]\n')
    (folder / "constraints.txt").write_text("")
    return folder


def venv(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHON": sys.executable, "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", **environment}
    return subprocess.run(
        [str(VENV), ".venv", "."], cwd=project, env=given, capture_output=True, text=True, check=False
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of complaint; what is said before it is what is being done."""
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("installing ")]
    return line


def test_an_interpreter_too_old_is_named_with_what_to_do(project: Path) -> None:
    old = project / "python-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert f"PYTHON={old} is no Python 3.11 or newer" in complaint(venv(project, PYTHON=str(old)))


def test_without_a_new_enough_python_the_error_names_the_remedy(project: Path) -> None:
    programs = project / "bin"
    programs.mkdir()
    for name in ("sh", "dirname"):
        (programs / name).symlink_to(shutil.which(name) or "")
    line = complaint(venv(project, PYTHON="", PATH=str(programs)))
    assert "no Python 3.11 or newer in PATH" in line
    assert "PYTHON=" in line


@pytest.mark.package
def test_an_index_that_does_not_answer_is_named_as_such(project: Path) -> None:
    line = complaint(venv(project, PIP_INDEX_URL=NOBODY, PIP_CONFIG_FILE=os.devnull))
    assert "the package index does not answer or lacks a package" in line
    assert ".venv.log" in line
    assert not (project / ".venv" / "installed").exists()


def test_a_full_disk_is_named_with_what_is_left(project: Path) -> None:
    small = project / "small"
    small.mkdir()
    fill = (
        'mount -t tmpfs -o size=1m none "$1" && cp pyproject.toml constraints.txt "$1" && cd "$1" && exec "$2" .venv .'
    )
    command = ["unshare", "-rm", "sh", "-c", fill, "sh", str(small), str(VENV)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("no file system can be mounted here")
    line = complaint(done)
    assert "the disk is nearly full" in line
    assert "needed" in line


def test_a_folder_that_cannot_be_written_is_named(project: Path) -> None:
    missing = subprocess.run(
        [str(VENV), "nowhere/.venv", "."], cwd=project, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHON": sys.executable},
    )  # fmt: skip
    assert "cannot write nowhere/.venv.lock" in complaint(missing)


def test_the_second_of_two_waits_and_finds_the_work_done(project: Path) -> None:
    with (project / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [str(VENV), ".venv", "."], cwd=project, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHON": sys.executable, "PIP_INDEX_URL": NOBODY},
        )  # fmt: skip
        with second:
            assert second.stderr is not None
            assert second.stderr.readline() == "venv.sh: another make is installing .venv; waiting for it\n"
            (project / ".venv").mkdir()
            (project / ".venv" / "installed").touch()
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert second.stderr.read() == ""
    assert second.returncode == 0


def debian(folder: Path, *, apt: str = "", user: str = "0") -> str:
    """Return the output of the script if dpkg knows one of two packages, with this apt-get and user."""
    programs = folder / "bin"
    programs.mkdir()
    query = 'case "$4" in there) echo "install ok installed";; *) exit 1;; esac'
    for name, text in (("dpkg-query", query), ("id", f"echo {user}"), *([("apt-get", apt)] if apt else [])):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    for name in ("sh", "grep", "tail", "mktemp", "rm"):
        (programs / name).symlink_to(shutil.which(name) or "")
    done = subprocess.run(
        [str(DEBIAN), "their tests are skipped", "there", "missing"], env={"PATH": str(programs)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


@pytest.mark.parametrize(
    ("apt", "user", "why"),
    [
        ("", "0", "no apt-get here"),
        ("exit 0", "1000", "not root"),
        ("echo 'E: Could not get lock' ; exit 100", "0", "apt-get failed: E: Could not get lock"),
    ],
)
def test_debian_packages_that_cannot_be_installed_are_named_in_one_line(
    tmp_path: Path, apt: str, user: str, why: str
) -> None:
    (line,) = [line for line in debian(tmp_path, apt=apt, user=user).splitlines() if not line.startswith("installing")]
    assert line.startswith("not installed: missing; their tests are skipped")
    assert why in line
    assert "apt-get install --no-install-recommends missing" in line


def test_debian_packages_that_can_be_installed_are(tmp_path: Path) -> None:
    assert debian(tmp_path, apt='echo "$@" >> "$0.arguments"') == "installing missing\n"
    calls = (tmp_path / "bin" / "apt-get.arguments").read_text().splitlines()
    assert [line.rpartition(" ")[2] for line in calls] == ["-qq", "missing"]
