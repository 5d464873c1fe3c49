"""Commands that print what files and wires say: nothing in it steers the terminal, and it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.contract.layers import HOME
from tests.cli.child import simbench

STEERS = "\x1b]0;title\x07\x9b31m\u202e"
IN_TOML = "\\u001b]0;title\\u0007\\u009b31m\\u202e"
OUTAGES = "ticket,start,end,scope,planned,cause\n{0},2026-03-02T01:00:00+01:00,2026-03-02T09:00:00+01:00,total,no,{0}\n"
PERIOD = ("--from", "2026-03-01", "--to", "2026-04-01", "--tz", "Europe/Paris")


def contract(folder: Path) -> Path:
    """Return a contract with control characters in its texts, based on the demonstration."""
    text = (HOME / "demo_telecom.toml").read_text("utf-8")
    path = folder / "mine.toml"
    path.write_text(text.replace('gist = "', f'gist = "{IN_TOML}').replace('title = "', f'title = "{IN_TOML}'), "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outages.csv").write_text(OUTAGES.format(STEERS), "utf-8")
    rejected = "ticket,start,end,scope,planned\nT,2026-03-02T01:00:00+01:00,2026-03-02T09:00:00+01:00,total,no\n"
    (tmp_path / "rejected.csv").write_text(f"{rejected}{STEERS},{STEERS},,{STEERS},\n", "utf-8")
    (tmp_path / "frames.txt").write_bytes(b"\x0200/00019/R/60/A//6D\x03\n" + STEERS.encode() + b"\n")
    (tmp_path / "wrong.toml").write_text(f'"{IN_TOML}" = "{IN_TOML}"\n', "utf-8")
    contract(tmp_path)
    return tmp_path


COMMANDS = {
    "decode": ("decode", "frames.txt"),
    "judge": ("judge", "outages", "outages.csv", *PERIOD),
    "judge, rejected": ("judge", "outages", "rejected.csv", *PERIOD),
    "explain": ("explain", "2.1", "--contract", "mine.toml"),
    "contract show": ("contract", "show", "mine.toml"),
    "contract check": ("contract", "check", "wrong.toml"),
    "contract diff": ("contract", "diff", "demo_telecom", "mine.toml"),
    "run": ("run", "wrong.toml"),
    "serve": ("serve", "wrong.toml"),
    "plan": ("plan", "wrong.toml"),
    "conform": ("conform", "--sut", "wrong.toml"),
    "no such file": ("judge", STEERS + ".csv"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_output_of_a_command_steers_the_terminal(name: str, folder: Path) -> None:
    words = [folder / word if (folder / word).is_file() else word for word in COMMANDS[name]]
    ended = simbench(*words)
    shown = ended.stdout + ended.stderr
    assert "\\x1b" in shown or "\\u001b" in shown
    assert "Traceback" not in shown
    assert not set(shown) & set(STEERS) & {"\x1b", "\x07", "\x9b", "\u202e"}
