"""Commands that print what files and wires say: nothing in it steers the terminal, and it is shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.child import Ended, simbench
from tests.cli.hostile import CONTROLS, STEERS, TEXT, harm_of, write_hostile

PERIOD = ("--from", "2026-03-01", "--to", "2026-04-01", "--tz", "Europe/Paris")
BILL = ("bill", "counts.csv", "--acts", "acts.toml", "--month", "2016-10", "--against")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_hostile(tmp_path)
    return tmp_path


SHOWN = {
    "decode": ("decode", "frames.txt"),
    "judge": ("judge", "outages", "outages.csv", *PERIOD),
    "judge, written": ("judge", "outages", "outages.csv", *PERIOD, "--claim", "-o", "out"),
    "judge, JSON": ("judge", "outages", "outages.csv", *PERIOD, "--json"),
    "judge, rejected": ("judge", "outages", "rejected.csv", *PERIOD),
    "judge, own contract": ("judge", "outages", "outages.csv", *PERIOD, "--contract", "mine.toml", "-o", "out"),
    "bill, clause": (*BILL, "clause.csv"),
    "bill, code": (*BILL, "code.csv"),
    "bill, code, JSON": (*BILL, "code.csv", "--json"),
    "bill, written": (*BILL, "code.csv", "-o", "out"),
    "bill, currency": (*BILL, "currency.csv"),
    "bill, counts": ("bill", "odd-counts.csv", "--acts", "acts.toml"),
    "dialup": ("dialup", "replay", "calls.csv", "--statement", "statement.csv", "-o", "out"),
    "dialup, JSON": ("dialup", "replay", "calls.csv", "--statement", "statement.csv", "--json"),
    "roaming": ("roaming", "judge", "bills", "-o", "out.json"),
    "roaming, JSON": ("roaming", "judge", "bills", "--json"),
    "explain": ("explain", "2.1", "--contract", "mine.toml"),
    "explain, JSON": ("explain", "2.1", "--contract", "mine.toml", "--json"),
    "contract show": ("contract", "show", "mine.toml"),
    "contract show, JSON": ("contract", "show", "mine.toml", "--json"),
    "contract check": ("contract", "check", "wrong.toml"),
    "contract diff": ("contract", "diff", "demo_telecom", "mine.toml"),
    "run": ("run", "wrong.toml"),
    "serve": ("serve", "wrong.toml"),
    "plan": ("plan", "wrong.toml"),
    "conform": ("conform", "--sut", "wrong.toml"),
    "no such file": ("judge", STEERS + ".csv"),
}
SILENT = {  # their output has no foreign text; what they write may
    "decode, JSON": ("decode", "frames.txt", "--json"),
    "list": ("list", "--contract", "mine.toml"),
    "list, JSON": ("list", "--contract", "mine.toml", "--json"),
    "watch": ("sla", "watch", "outages.csv", "--history-from", "2026-01-01T00:00:00Z", "--now", "2026-04-01T00:00:00Z",
              "--once", "-o", "out"),
    "bill, own contract": ("bill", "counts.csv", "--acts", "acts.toml", "--contract", "mine.toml"),
    "records": ("dialup", "replay", "calls.csv", "--write", "out.csv"),
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    """Return the output of a command, after checking that neither this nor a file it wrote does harm."""
    before = set(folder.rglob("*"))
    known = {path.name for path in before} | {"out", "out.csv", "out.json"}
    ended = Ended(capsys, *(folder / word if word in known else word for word in words))
    shown = ended.out + ended.err
    assert "Traceback" not in shown
    assert not set(shown) & CONTROLS
    if "--json" in words and ended.status in {0, 1}:
        for part in ended.out.splitlines() if words[0] == "decode" else [ended.out]:
            json.loads(part)
    written = [path for path in folder.rglob("*") if path.is_file() and path not in before]
    assert [harm for harm in map(harm_of, written) if harm] == []
    assert written or "-o" not in words
    return shown


@pytest.mark.parametrize("name", SHOWN)
def test_a_foreign_text_is_shown_and_steers_nothing(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run(capsys, folder, *SHOWN[name])
    assert "\\x1b" in shown or "\\u001b" in shown


@pytest.mark.parametrize("name", SILENT)
def test_what_shows_no_foreign_text_writes_none_that_does_harm(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, folder, *SILENT[name])


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a session, whose record names client and troubles by the hostile text."""
    folder = tmp_path_factory.mktemp("session") / "run"
    ended = simbench("conform", "--sut", "reference", "--only", "originators", "-o", folder)
    assert ended.returncode == 0, ended.stderr
    record = json.loads((folder / "session.json").read_text())
    record |= {"system": TEXT, "system_version": TEXT, "versions": {TEXT: TEXT}}
    record["ended"] = {"originators": {"trouble": TEXT, "blame": "client", "ran": True}}
    (folder / "session.json").write_text(json.dumps(record))
    return folder


OF_SESSIONS = {
    "judged again": ("conform", "--from", "run", "-o", "out"),
    "report": ("report", "run", "-o", "out"),
    "report, JSON": ("report", "run", "-o", "out", "--json"),
    "certificate": ("certificate", "run", "-o", "out.html"),
    "matrix": ("matrix", "run", "run", "--html", "out.html"),
    "matrix, JSON": ("matrix", "run", "--json"),
}


@pytest.mark.parametrize("name", OF_SESSIONS)
def test_a_session_of_somebody_else_steers_nothing(
    name: str, session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(session, tmp_path / "run"))
    findings = (folder / "findings.json").read_text()
    (folder / "findings.json").write_text(findings.replace('"reference"', json.dumps(TEXT)))
    run(capsys, tmp_path, *(word.replace("out.html", str(tmp_path / "out.html")) for word in OF_SESSIONS[name]))
