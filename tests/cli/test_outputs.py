"""Every command refuses, before any work, to write over other files."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from simbench.base.outputs import MANIFEST
from simbench.cli.main import cli
from simbench.cli.options import OUTPUT_FILE, OUTPUT_FOLDER
from tests.cli.child import Ended, Served, simbench


def options_of(kind: object, command: click.Command = cli, *path: str) -> Iterator[tuple[str, ...]]:
    """Words of the command line up to each option of that type, over all commands."""
    for param in command.params:
        if param.type is kind:
            yield *path, param.opts[0]
    for name, below in command.commands.items() if isinstance(command, click.Group) else ():
        yield from options_of(kind, below, *path, name)


FOLDERS, FILES = list(options_of(OUTPUT_FOLDER)), list(options_of(OUTPUT_FILE))


def test_every_command_that_writes_is_among_them() -> None:
    writing = {"serve", "conform", "run", "report", "bill", "plan", "sweep", "probe"}
    assert {words[0] for words in FOLDERS if len(words) == 2} == writing
    assert {words[:2] for words in FOLDERS if len(words) == 3} == {
        ("dialup", "run"), ("dialup", "replay"), ("dialup", "reconcile"), ("roaming", "run"), ("sla", "watch"),
        *(("judge", kind) for kind in ("run", "capture", "outages", "log", "any")),
    }  # fmt: skip
    assert set(FILES) == {
        ("matrix", "--html"), ("certificate", "-o"), ("dialup", "run", "--records"), ("dialup", "replay", "--write"),
        ("roaming", "table", "--plot"), ("roaming", "judge", "-o"), ("contract", "new", "-o"),
    }  # fmt: skip


def test_no_output_option_has_another_type() -> None:
    def others(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
        for param in command.params:
            if "--output" in param.opts and param.type not in {OUTPUT_FOLDER, OUTPUT_FILE}:
                yield *path, param.opts[0]
        for name, below in command.commands.items() if isinstance(command, click.Group) else ():
            yield from others(below, *path, name)

    assert list(others(cli)) == []


@pytest.mark.parametrize("words", FOLDERS, ids=" ".join)
def test_a_folder_with_somebody_elses_files_is_refused_in_one_line(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "letter.txt").write_text("mine")
    ended = Ended(capsys, *words, tmp_path)
    expected = "holds messages, which simbench did not write; expected a new or empty folder"
    assert ended.status == 2
    assert ended.err == f"simbench: {words[-1]} {tmp_path}: {expected}\n"
    assert [each.name for each in tmp_path.iterdir()] == ["messages"]
    assert (tmp_path / "messages" / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("words", FILES, ids=" ".join)
def test_somebody_elses_file_is_refused_in_one_line(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    ended = Ended(capsys, *words, tmp_path / "letter.txt")
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: {tmp_path / 'letter.txt'}: exists, and simbench did not write it")
    assert ended.err.count("\n") == 1
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_served_folder_with_messages_of_somebodys_is_not_touched(tmp_path: Path) -> None:
    letter = tmp_path / "messages" / "letter.txt"
    letter.parent.mkdir()
    letter.write_text("mine")
    ended = simbench("serve", "--port", "0", "--api", "0", "-o", tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert letter.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["messages"]


@pytest.mark.parametrize("more", [(), ("--api", "0")], ids=["alone", "with the API"])
def test_a_run_is_resumed_beside_messages_of_somebodys(tmp_path: Path, more: tuple[str, ...]) -> None:
    folder = tmp_path / "run"
    with Served("--port", "0", *more, "-o", folder) as served:
        served.end(signal.SIGTERM)
    letter = folder / "messages" / "letter.txt"
    letter.parent.mkdir()
    letter.write_text("mine")
    with Served("--port", "0", *more, "--resume", folder) as served:
        served.end(signal.SIGTERM)
    assert letter.read_text() == "mine"


def test_a_server_that_cannot_listen_leaves_what_was_there_before(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Served("--port", "0", "-o", tmp_path / "first") as first:
        folder.mkdir()
        (folder / MANIFEST).write_text("")
        (folder / "notes.txt").write_text("mine")
        ended = simbench("serve", "--port", str(first.port), "-o", folder)
        assert ended.returncode == 3
        first.end(signal.SIGTERM)
    assert {each.name for each in folder.iterdir()} == {MANIFEST, "notes.txt"}


def test_a_log_is_not_written_into_somebodys_file(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    words = ("serve", "--port", "0", "--api", "0", "-o", tmp_path / "run", "--log", tmp_path / "letter.txt")
    ended = simbench(*words)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].endswith(
        "letter.txt: exists, and is not a log of simbench; expected another name"
    )
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_second_judgement_into_the_same_folder_replaces_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "outages.csv"
    table.write_text("start,end,scope,planned,announced_at\n2026-01-05T10:00:00Z,2026-01-05T11:00:00Z,total,false,\n")
    words = (
        "judge",
        table,
        "--from",
        "2026-01-01",
        "--to",
        "2026-02-01",
        "--tz",
        "Europe/Paris",
        "-o",
        tmp_path / "out",
    )
    first = Ended(capsys, *words)
    again = Ended(capsys, *words)
    assert (first.status, first.err) == (again.status, again.err)
    assert first.status in {0, 1, 3}, first.err
    (tmp_path / "out" / "findings.json").write_text("my remarks")
    refused = Ended(capsys, *words)
    assert refused.status == 2
    assert "findings.json: was changed since simbench wrote it" in refused.err
    assert (tmp_path / "out" / "findings.json").read_text() == "my remarks"
