"""`simbench judge` on captures as its user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simbench.bench.report.findings_file import read_findings
from tests.capture.scenes import Line
from tests.capture.tunnels import Tunnel, capture, keys
from tests.cli.child import Ended
from tests.rules.traffic import captured

SENT = Line().open().talk().close().sent
WRONG = ("AES-CBC", "00" * 16, "SHA2-256-128", "00" * 32)


def test_a_capture_is_judged_and_its_ledger_kept_and_judged_again_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = captured("session", tmp_path)
    first = Ended(capsys, "judge", path, "-o", tmp_path / "out", "--json")
    assert first.status == 0, first.out
    assert read_findings(tmp_path / "out" / "findings.json")
    again = Ended(capsys, "judge", tmp_path / "out" / "ledger", "--json")
    assert json.loads(again.out)["findings"] == json.loads(first.out)["findings"]
    table = Ended(capsys, "judge", path)
    assert "[[codes]] of --campaigns" in " ".join(table.out.split())


@pytest.mark.parametrize("clear", [(), (7,)])
def test_a_clear_frame_beside_a_tunnel_is_exit_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], clear: tuple[int, ...]
) -> None:
    path = capture(tmp_path, SENT, Tunnel(), clear=clear)
    ended = Ended(capsys, "judge", path, "--keys", keys(tmp_path), "--json")
    failed = [one["purpose"] for one in json.loads(ended.out)["findings"] if one["outcome"] == "fail"]
    assert failed == (["OPS-CON-03/clear-from-client"] if clear else [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--keys", "wrong.toml"), "opens none of"),
        (("--keys", "none.toml"), "no such file"),
        (("--campaigns", "none.toml"), "no such file"),
        (("--requests", "none.csv"), "No such file"),
        ((), "ESP packets stay closed"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    keys(tmp_path, WRONG, "wrong.toml")
    path = capture(tmp_path, SENT, Tunnel())
    given = [str(tmp_path / word) if "." in word else word for word in options]
    ended = Ended(capsys, "judge", path, *given)
    assert (ended.status, ended.err.count("\n")) == (2, 1), ended.err
    assert said in ended.err
