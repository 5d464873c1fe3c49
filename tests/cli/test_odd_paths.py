"""Every path that a command reads may be a pipe, a device, a loop or no name at all: one line, and exit status 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import click
import pytest

from simbench.cli.main import cli
from tests.cli.child import Ended
from tests.odd_files import NOTHING, ODD, fed
from tests.readers import readers
from tests.tables.samples import COUNTS, KANNEL, OUTAGES

ACTS = '[[codes]]\ncode = "36010"\nopened = 2016-10-05\n'
PERIOD = "--from 2025-01-01 --to 2026-01-01 --tz Europe/Paris"
# Commands with one path that is odd (@); the files beside it are sound.
ODDLY = """
bill @ --acts acts.toml
bill counts.csv --acts @
bill counts.csv --acts acts.toml --month 2016-10 --against @
certificate @
conform --sut @
conform --sut command --program true --capabilities @
conform --sut reference --only session --baseline @
conform --from @
conform --shrink @ -o out
contract check @
contract diff demo_telecom @
contract diff demo_telecom orange_ops_2016 --run @
contract show @
decode @
dialup account @ --server 127.0.0.1:9 --secret-file secret --journal out
dialup account calls.csv --server 127.0.0.1:9 --secret-file @ --journal out
dialup account calls.csv --server 127.0.0.1:9 --secret-file secret --source-secret-file @ --journal out
dialup reconcile @ detail
dialup reconcile j.jsonl @
dialup replay @
dialup replay calls.csv --secret-file @
dialup replay calls.csv --statement @
dialup run @
explain 2.1 --contract @
forecast @ --traffic counts.csv
forecast f.toml --traffic @
judge any @ --tz Europe/Paris
judge any t.csv {period} --campaigns @
judge any t.csv {period} --decisions @
judge any t.csv {period} --keys @
judge any t.csv {period} --laws @ --forecast 2026-06-01
judge any t.csv {period} --map @
judge any t.csv {period} --probes @
judge any t.csv {period} --requests @
judge any t.csv {period} --traffic @
judge capture @
judge capture c.pcap --campaigns @
judge capture c.pcap --keys @
judge capture c.pcap --requests @
judge log @ --tz Europe/Paris
judge log kannel.log --tz Europe/Paris --decisions @
judge log kannel.log --tz Europe/Paris --map @
judge log kannel.log --tz Europe/Paris --probes @
judge log kannel.log --tz Europe/Paris --traffic @
judge log kannel.log --tz Europe/Paris --laws @ --forecast 2026-06-01
judge outages @ {period}
judge outages t.csv {period} --decisions @
judge outages t.csv {period} --laws @ --forecast 2026-06-01
judge outages t.csv {period} --map @
judge outages t.csv {period} --probes @
judge outages t.csv {period} --traffic @
judge run @
ledger pack @
matrix @
plan @
plan --from @
plan --compare @
report @
roaming compare @
roaming envelope --price 20 --date 2018-01-01 --contract @
roaming judge @
roaming run @ -o out
run @
sla watch @ --history-from 2025-01-01T00:00:00Z --once -o out
sla watch t.csv --history-from 2025-01-01T00:00:00Z --tz Europe/Paris --map @ --once -o out
sweep @
"""
LINES = ODDLY.split("\n")[1:-1]
# Options that are read by the same function as one above, or of the server, whose own tests have them.
ELSEWHERE = {
    "certificate": {"--baseline", "--verify"}, "judge run": {"--map", "--decisions", "--probes", "--traffic",
    "--campaigns", "--requests", "--laws"}, "roaming table": {"--contract"}, "roaming run": {"--contract"},
    "roaming compare": {"--contract"}, "roaming judge": {"--contract"},
    "serve": {"scenario", "--resume", "--token-file", "--tls-cert", "--tls-key", "--log"},
    "dialup account": {"--journal"},
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    known = readers(tmp_path_factory.mktemp("samples"))
    for name, file in (("calls", "calls.csv"), ("detail", "detail"), ("journal", "j.jsonl"), ("forecast", "f.toml"),
                       ("capture", "c.pcap")):  # fmt: skip
        (folder / file).write_bytes(known[name].octets)
    texts = {"acts.toml": ACTS, "counts.csv": COUNTS, "t.csv": OUTAGES, "kannel.log": KANNEL, "secret": "testing123\n"}
    for file, text in texts.items():
        (folder / file).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("kind", [*ODD, "long"])
@pytest.mark.parametrize("line", LINES)
def test_a_path_that_is_no_file_is_one_line(
    line: str,
    kind: str,
    sound: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = tmp_path / ("x" * 300 if kind == "long" else "odd")
    ODD.get(kind, NOTHING)(odd)
    names = {each.name for each in sound.iterdir()}
    words = line.format(period=PERIOD).replace("@", str(odd)).split()
    with fed(odd) if kind == "pipe" else nullcontext(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        ended = Ended(capsys, *(sound / word if word in names else word for word in words))
    assert ended.status == 2, ended.out + ended.err
    assert "Traceback" not in ended.err
    assert ended.err.strip().split("\n")[-1].startswith(("simbench: ", "Error: "))


def paths(command: click.Command, name: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every parameter of a command that is a path it reads."""
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from paths(inner, (*name, word))
        return
    for one in command.params:
        if type(one.type) is click.Path:
            yield " ".join(name), one.opts[0]


def test_every_path_of_a_command_is_tried() -> None:
    before = [line.split("@")[0].split() for line in LINES]
    tried = {(" ".join(words[:size]), words[-1]) for words in before for size in range(len(words))}
    plain = {" ".join(words) for words in before}  # the odd path is the first argument
    for command, name in paths(cli):
        if name not in ELSEWHERE.get(command, ()):
            assert (command, name) in tried or command in plain, (command, name)
