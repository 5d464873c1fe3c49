"""The installed files are those built: wheel, source archive, installer, unit, completion."""

from __future__ import annotations

import re
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simbench.base.extras import EXTRAS
from tests.packaging.conftest import clean_environment

ROOT = Path(__file__).parents[2]
PAGE = {
    "chart.js", "console.css", "console.js", "controls.js", "index.html", "parts.js", "phone.js", "tables.js",
}  # fmt: skip

pytestmark = pytest.mark.package


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the installer makes of the wheel; gives its folder of programs."""
    target = tmp_path_factory.mktemp("installed") / "simbench"
    install(target, wheel)
    return target / "bin"


@pytest.fixture(scope="module")
def extended(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with every extra; gives its folder of programs."""
    target = tmp_path_factory.mktemp("extended") / "simbench"
    install(target, wheel, EXTRAS="all")
    return target / "bin"


def install(target: Path, wheel: Path, **more: str) -> None:
    environment = {**clean_environment(), "PYTHON": sys.executable, **more}
    script = str(ROOT / "scripts" / "install.sh")
    done = subprocess.run(
        [script, str(target), str(wheel)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"installed: {target}/bin/simbench" in done.stdout


def test_the_wheel_holds_programs_data_and_scenarios_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"simbench", "fake_smsc"}
    shipped = {name.removeprefix("simbench/scenarios/") for name in names if name.startswith("simbench/scenarios/")}
    assert shipped == {path.relative_to(ROOT / "scenarios").as_posix() for path in (ROOT / "scenarios").rglob("*.*")}
    assert {"simbench/contracts/orange_ops_2016.toml", "simbench/py.typed", "fake_smsc/py.typed"} <= set(names)
    assert {name.rpartition("/")[2] for name in names if name.startswith("simbench/service/page/")} == PAGE
    assert not [name for name in names if "__pycache__" in name]


def test_the_optional_parts_are_there_to_be_asked_for(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    extras = {line.partition(": ")[2] for line in archive.read(name).decode().splitlines() if "Provides-Extra" in line}
    assert {*EXTRAS, "docs", "all"} <= extras


@pytest.mark.parametrize("is_file", [False, True])
def test_the_installer_leaves_a_folder_alone_that_is_no_environment(tmp_path: Path, is_file: bool) -> None:
    target = tmp_path / "target"
    letter = target if is_file else target / "letter.txt"
    letter.parent.mkdir(exist_ok=True)
    letter.write_text("mine")
    done = subprocess.run([ROOT / "scripts" / "install.sh", target], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"install.sh: {target} exists and is not a Python environment; choose a new folder\n"
    assert letter.read_text() == "mine"
    assert len(list(tmp_path.rglob("*"))) == (1 if is_file else 2)


@contextmanager
def served(programs: Path, folder: Path, *options: str) -> Iterator[str]:
    """A scenario served by name until the block is left; what it says until it is ready."""
    command = [str(programs / "simbench"), "serve", "01_first", "--port", "0", "-o", "run", *options]
    with subprocess.Popen(
        command, cwd=folder, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as serving:
        assert serving.stdout is not None
        reported = ""
        while "Ctrl-C" not in reported and (line := serving.stdout.readline()):
            reported += line
        try:
            yield reported
        finally:
            serving.send_signal(signal.SIGTERM)
            rest = serving.stdout.read()
    assert "ledger closed" in rest
    assert serving.returncode == 0


def run(programs: Path, folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(programs / "simbench"), *map(str, words)]
    return subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)


def output_of(programs: Path, folder: Path, *words: str | Path, statuses: tuple[int, ...] = (0,)) -> str:
    """Return the output of a command that ends with one of these statuses."""
    done = run(programs, folder, *words)
    assert done.returncode in statuses, done.stdout + done.stderr
    return done.stdout


def test_an_installed_simbench_serves_a_scenario_by_name(installed: Path, tmp_path: Path) -> None:
    with served(installed, tmp_path) as reported:
        assert "listening on 127.0.0.1:" in reported


def test_an_installed_simbench_judges_the_reference_client(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "simbench"), "conform", "--sut", "reference", "--only", "originators", "-o", "judged"]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False, timeout=6000
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "judged" / "report.html").stat().st_size > 10_000


def test_base_alone_runs_a_world_and_reports_and_judges_it(installed: Path, tmp_path: Path) -> None:
    scenario = ROOT / "scenarios" / "year" / "01_quiet_day.toml"
    reported = output_of(installed, tmp_path, "run", scenario, "-o", "world")
    assert "events way" in reported
    assert "Written:" in output_of(installed, tmp_path, "report", "world", statuses=(0, 1, 3))
    assert (tmp_path / "world" / "report.html").stat().st_size > 10_000
    assert "sla.availability" in output_of(installed, tmp_path, "judge", "world", statuses=(0, 1, 3))


# What asks for each extra, and what else must not be wrong with the command line before that is said.
LACKING = {
    "fast": (
        ("run", ROOT / "scenarios" / "year" / "01_quiet_day.toml", "--way", "bulk"),
        ("dialup", "run", ROOT / "scenarios" / "dialup" / "01_fifty_million.toml"),
        ("dialup", "replay", "calls.csv"),
        ("roaming", "run", "any.toml", "-o", "out"),
        ("roaming", "compare", "any.toml"),
    ),
    "plan": (("plan", ROOT / "scenarios" / "plan" / "02_small.toml"), ("sweep", "study.toml")),
    "esp": (("judge", "empty.pcap", "--keys", "keys.toml"),),
    "console": (("serve", "01_first", "--port", "0", "--console"), ("serve", "01_first", "--port", "0", "--api", "0")),
}
KEYS = '[[sa]]\nspi = "0x1000"\nencryption = "AES-CBC"\nkey = "00000000000000000000000000000000"\n'


@pytest.mark.parametrize(("extra", "words"), [(extra, words) for extra, all_ in LACKING.items() for words in all_])
def test_without_its_extra_a_command_says_which_in_one_line(
    installed: Path, tmp_path: Path, extra: str, words: tuple[str | Path, ...]
) -> None:
    (tmp_path / "empty.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
    (tmp_path / "keys.toml").write_text(KEYS)
    done = run(installed, tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.endswith(f"; expected pip install 'telecom-simbench[{extra}]'\n")


def test_base_alone_brings_no_heavy_extra(installed: Path) -> None:
    lacking = {name for names in EXTRAS.values() for name in names}
    script = f"from importlib.util import find_spec; print(*[n for n in {sorted(lacking)!r} if find_spec(n)])"
    command = [str(installed / "python"), "-c", script]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_optional_parts_work_where_they_are_installed(extended: Path, tmp_path: Path) -> None:
    with served(extended, tmp_path, "--console", "--api", "0") as reported:
        found = re.search(r"http://127\.0\.0\.1:\d+", reported)
        assert found is not None, reported
        for path, holds in (("/api/v1/platform", b'"state":"up"'), ("/", b"<html"), ("/metrics", b"simbench_")):
            with urllib.request.urlopen(found[0] + path, timeout=300) as answer:  # noqa: S310 - loopback
                assert holds in answer.read()
    command = [str(extended / "python"), "-c", "import distributed; print(distributed.LocalCluster.__name__)"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True, timeout=600)
    assert done.stdout == "LocalCluster\n"


def test_the_source_archive_builds_and_holds_the_tests(tmp_path: Path) -> None:
    build = "import hatchling.build as b, sys; print(b.build_sdist(sys.argv[1]))"
    if subprocess.run([sys.executable, "-c", "import hatchling"], check=False, capture_output=True).returncode:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path / "tools"), "hatchling"]
        subprocess.run(command, check=True)
    environment = {**clean_environment(), "PYTHONPATH": str(tmp_path / "tools")}
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    with tarfile.open(tmp_path / done.stdout.split()[-1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = ("pyproject.toml", "README.md", "LICENSE", "scenarios/01_first.toml", "tests/packaging/test_package.py")
    assert names.issuperset((*wanted, "scripts/install.sh"))
    assert not [name for name in names if name.startswith((".venv", "reports/"))]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_one_that_systemd_accepts(tmp_path: Path) -> None:
    program = str(Path(sys.executable).parent / "simbench")
    text = (ROOT / "packaging" / "simbench.service").read_text()
    assert "/opt/simbench/bin/simbench serve" in text
    unit = tmp_path / "simbench.service"
    unit.write_text(text.replace("/opt/simbench/bin/simbench", program))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    unit.write_text(unit.read_text().replace("Type=exec", "Type=sometimes"))
    reported = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    ).stderr
    assert "service type" in reported, "the check sees what is wrong in a unit"
