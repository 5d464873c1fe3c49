"""Wrong input: one line says what is wrong, where, and what was expected; the exit status is 2."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.outputs import adopt
from tests.cli.child import Ended, simbench

CODE = '[[codes]]\ncode = "36010"\n'
ANYWHERE = "192.0.2.1"  # refused once all else is in order
FILES = settings(max_examples=80)


# What is written, and the key, the value and the expectation of the line that answers it.
WRONG = {
    "unknown-key": (CODE + 'rate_s = 20\n', "codes[0].rate_s", "unknown key", "rate_per_s"),
    "misspelt-key": (CODE + 'pasword = "x"\n', "codes[0].pasword", "unknown key", "perhaps `password`"),
    "unknown-table": (CODE + "[sever]\nport = 1\n", "sever", "unknown key", "perhaps `server`"),
    "wrong-type": (CODE + 'rate_per_s = "10"\n', "codes[0].rate_per_s", '"10"', "a whole number"),
    "a-table-for-a-list": ('[codes]\ncode = "36010"\n', "codes", "36010", "a list"),
    "out-of-range": (CODE + "window = 101\n", "codes[0].window", "101", "<= 100"),
    "no-port": (CODE + "[server]\nport = 70000\n", "server.port", "70000", "<= 65535"),
    "no-speed": (CODE + "[server]\nspeed = 0\n", "server.speed", "0", "> 0"),
    "not-finite": (CODE + "[server]\nspeed = nan\n", "server.speed", "nan", "a finite number"),
    "code-outside-the-ranges": ('[[codes]]\ncode = "12345"\n', "codes[0].code", "'12345'", "3[4-8][0-9]{3}"),
    "code-too-long": ('[[codes]]\ncode = "360100"\n', "codes[0].code", "'360100'", "3[4-8][0-9]{3}"),
    "code-twice": (CODE + CODE, "codes[1].code", "'36010' appears twice", "each short code once"),
    "no-such-tier": (CODE + "rate_per_s = 30\n", "codes[0].rate_per_s", "30", "(10, 20, 50, 100, 150)"),
    "no-request": (CODE + "rate_per_s = 50\n", "codes[0].request_id", "empty", "OPS-ACH-06"),
    "no-code": ('name = "empty"\n', "codes", "no short code", "at least one"),
    "no-such-mode": (CODE + 'limit = "block"\n', "codes[0].limit", '"block"', "one of "),
    "no-error-code": (CODE + 'nack_ec = "x4"\n', "codes[0].nack_ec", '"x4"', "^[0-9]{2}$"),
    "no-instant": (CODE + '[server]\nepoch = "monday"\n', "server.epoch", "'monday'", "2016-10-03T07:59:50"),
    "no-share": (CODE + "[subscribers]\nshare_absent = 1.5\n", "subscribers.share_absent", "1.5", "<= 1"),
    "no-contract": ('contract = "orange"\n' + CODE, "", '"orange"', "orange_ops_2016"),
    "outage-of-nobody": (
        CODE + '[[outages]]\nat_s = 1\nfor_s = 1\nscope = "36020"\n', "outages[0].scope", "'36020'", '"total"',
    ),
    "outages-at-once": (
        CODE + "[[outages]]\nat_s = 10\nfor_s = 20\n[[outages]]\nat_s = 25\nfor_s = 1\n",
        "outages[1].at_s", "25 falls within outages[0]", "from 10 s for 20 s",
    ),
    "window-too-small": (CODE + "window = 5\nlink_ms = 600\n", "codes[0].window", "8.33/s", "at least 6 to reach 10/s"),
    "link-too-long": (
        CODE + 'rate_per_s = 150\nrequest_id = "r"\nlink_ms = 100\n',
        "codes[0].window", "100/s", "at least 15 to reach 150/s",
    ),
    "two-passwords": (
        CODE + '[[codes]]\ncode = "36020"\naccount = "36010"\npassword = "other"\n',
        "codes[1].password", "'other'", "'secret' as with code 36010",
    ),
    "no-subscribers": (CODE + '[subscribers]\nfile = "nobody.csv"\n', "", "No such file", "a CSV or Parquet file"),
    "not-toml": ("code = = 1", "", "not valid TOML", "line 1"),
    "binary": ("\x00\x01\x02", "", "not valid TOML", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_scenario_is_refused_with_file_key_value_and_expectation(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, key, value, expected = WRONG[name]
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    ended = Ended(capsys, "serve", path, "--port", "0", "-o", tmp_path / "run")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("simbench: ")
    assert ended.err.count("\n") == 1
    place = "nobody.csv" if name == "no-subscribers" else "orange" if name == "no-contract" else f"{path}: {key}"
    assert place in ended.err
    assert value in ended.err
    assert expected in ended.err
    assert not (tmp_path / "run").exists()


def test_a_window_that_just_reaches_its_tier_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "link.toml"
    path.write_text(CODE + "window = 6\nlink_ms = 600\n")
    ended = Ended(capsys, "serve", path, "--host", ANYWHERE, "-o", tmp_path / "run")
    assert "not a loopback address" in ended.err


@pytest.mark.parametrize("kind", ["missing", "folder", "program", "latin-1", "nested"])
def test_a_file_that_is_no_scenario_is_refused_in_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "it"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes({
            "program": Path(sys.executable).read_bytes()[:4096],
            "latin-1": 'title = "\xe9"'.encode("latin-1"),
            "nested": b"a = " + b"[" * 5000 + b"]" * 5000,
        }[kind])  # fmt: skip
    ended = Ended(capsys, "serve", path, "-o", tmp_path / "run")
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: {path}: ")
    assert ended.err.count("\n") == 1


lines = st.sampled_from([*CODE.splitlines(), "[server]", "port = 0", "[[outages]]", "at_s = 1", "seed = 1"])
texts = st.lists(lines | st.text(max_size=20), max_size=8).map("\n".join)


@given(octets=st.binary(max_size=200) | texts.map(str.encode))
@FILES
def test_no_file_ends_in_a_traceback(octets: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(octets)
    ended = Ended(capsys, "serve", path, "--host", ANYWHERE, "-o", tmp_path / "run")
    assert ended.status == 2
    assert ended.err.count("\n") == 1


UNKNOWN = {
    ("--sut", "nobody"): "system under test: 'nobody' is not known; expected one of reference, ",
    ("--only", "NOPE"): "--only NOPE: no clause, purpose or exercise of that name; expected OPS-",
    ("--fault", "no-paces"): "--fault no-paces: the reference client has no such fault; expected perhaps `no-pacing`",
    (
        "--contract",
        "nope",
    ): 'contract "nope": no such built-in contract; expected one of common, demo_telecom',
}


@pytest.mark.parametrize(("arguments", "line"), UNKNOWN.items())
def test_conform_refuses_what_it_does_not_know_before_it_begins(
    arguments: tuple[str, ...], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Ended(capsys, "conform", "--sut", "reference", *arguments, "-o", tmp_path / "out")
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: {line}")
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_conform_does_not_write_over_an_earlier_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adopt(tmp_path)
    (tmp_path / "runs").mkdir()
    ended = Ended(capsys, "conform", "--sut", "reference", "-o", tmp_path)
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: -o {tmp_path}: already contains a session; expected a new folder")
    assert ended.err.count("\n") == 1


def test_judging_again_what_is_no_session_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "conform", "--sut", "reference", "--from", tmp_path)
    assert ended.status == 2
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("clause", "suggestion"),
    [("NOPE", "one of OPS-PRE-01"), ("OPS-ENG-1", "perhaps `OPS-ENG-01`")],
)
def test_explain_suggests_a_clause_it_knows(clause: str, suggestion: str, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "explain", clause)
    assert ended.status == 2
    assert f"no clause or purpose `{clause}`; expected {suggestion}" in ended.err
    assert ended.err.count("\n") == 1


def test_a_refusal_is_the_same_from_a_real_process(tmp_path: Path) -> None:
    ended = simbench("serve", tmp_path / "none.toml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"simbench: {tmp_path}/none.toml: no such file; expected a TOML file\n"
    assert json.dumps(ended.stderr).isprintable()


@pytest.mark.parametrize(
    ("options", "place", "expected"),
    [
        (["--log", "nowhere/lines"], "--log nowhere/lines", "a file that can be written"),
        (["--unmasked"], "--unmasked", "--log FILE"),
        (["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "--tls-cert", "or --tls-ucp"),
        (["--tls-ucp"], "--tls-ucp", "--tls-cert and --tls-key"),
        (["--api", "0", "--tls-cert", "cert.pem"], "--tls-cert and --tls-key", "both"),
        (["--api", "0", "--log", "nowhere/lines"], "--log nowhere/lines", "a file that can be written"),
    ],
)
def test_options_of_the_service_that_would_do_nothing_or_cannot_be_followed_are_refused(
    tmp_path: Path, options: list[str], place: str, expected: str
) -> None:
    ended = simbench("serve", "--port", "0", *options, "-o", tmp_path / "run")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"simbench: {place}: ")
    assert expected in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not [*tmp_path.rglob("*.arrows"), *tmp_path.rglob("*.parquet")]
