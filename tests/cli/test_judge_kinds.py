"""`simbench judge` by kind: each kind has a command with its own options, and plain `judge FILE` finds the kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simbench.cli.main import cli
from tests.capture.scenes import Line, ip_packet, pcap
from tests.cli.child import Ended
from tests.cli.test_judge import PERIOD, table

LOG = Path(__file__).parents[1] / "sla" / "imports" / "bearerbox.log"


def a_capture(folder: Path) -> Path:
    path = folder / "c.pcap"
    path.write_bytes(pcap((at, ip_packet(segment)) for at, segment in Line().open().talk().close().sent))
    return path


def source(kind: str, folder: Path) -> tuple[str | Path, ...]:
    """A file of that kind, and the options without which it cannot be judged."""
    if kind == "capture":
        return (a_capture(folder),)
    return (LOG, "--tz", "Europe/Paris") if kind == "log" else (table(folder / "o.csv", 1, 3), *PERIOD)


@pytest.mark.parametrize("kind", ["capture", "log", "outages"])
def test_a_kind_named_gives_the_findings_that_are_found_without_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    named = Ended(capsys, "judge", kind, *source(kind, tmp_path), "--json")
    plain = Ended(capsys, "judge", *source(kind, tmp_path), "--json")
    assert named.status == plain.status != 2, named.err
    assert json.loads(named.out)["findings"] == json.loads(plain.out)["findings"]


def test_options_may_stand_before_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "judge", "--json", *PERIOD, table(tmp_path / "o.csv", 1, 3))
    assert ended.status == 0
    assert json.loads(ended.out)["findings"]


@pytest.mark.parametrize(("command", "kind"), [("run", "outages"), ("outages", "log"), ("log", "outages")])
def test_a_file_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, kind: str
) -> None:
    ended = Ended(capsys, "judge", command, *source(kind, tmp_path))
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert "a table of outages" in line or "a log of Kannel" in line
    assert "simbench judge FILE judges any of them" in line


@pytest.mark.parametrize(
    ("command", "option"), [("capture", "--forecast"), ("outages", "--keys"), ("log", "--campaigns"), ("run", "--port")]
)
def test_a_command_has_only_the_options_that_its_kind_can_use(command: str, option: str) -> None:
    ended = CliRunner().invoke(cli, ["judge", command, "x", option, "y"])
    assert ended.exit_code == 2
    assert "No such option" in ended.output


def test_a_file_may_be_called_like_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "log", 1, 3)
    assert Ended(capsys, "judge", "./log", *PERIOD).status == 0
