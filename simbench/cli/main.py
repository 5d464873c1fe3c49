"""The commands. Each imports what it needs when it runs, so that `--help` is quick. Computes nothing itself.

Those with many options have them in `commands/*_options.py`.

Exit status: 0 nothing failed; 1 a finding failed; 2 wrong usage or input; 3 an error, an inconclusive finding, or
nothing judged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from simbench import __version__
from simbench.base.errors import BadInput, SimbenchError
from simbench.cli.dialup.options import dialup
from simbench.cli.ledger import ledger
from simbench.cli.manual import Pages
from simbench.cli.money_options import bill, forecast, plan, sweep
from simbench.cli.output_options import OUTPUT_FOLDER
from simbench.cli.roaming.options import roaming
from simbench.cli.serve_options import service_options
from simbench.cli.suite_options import certificate, conform, matrix, probe
from simbench.cli.world_options import judge, report, run

LIMIT_MODES = ("monitor", "delay", "nack", "discard", "close")

EXAMPLES = """\b
Examples:
  simbench serve                                a fake Orange SMSC on loopback, one short code per tier
  simbench serve scenarios/01_first.toml -o reports/first
  simbench conform --sut reference -o reports/mine
  simbench conform --sut kannel --only OPS-ENG-01 --only total-outage
  simbench explain OPS-ENG-01
"""


@click.group(
    cls=Pages, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="simbench")
def cli() -> None:
    """A fake UCP/EMI SMSC that judges your client against Orange's "Opérateur Push SMS" contract, clause by clause."""


@cli.command()
@click.argument("scenario", required=False, type=click.Path(path_type=Path))
@click.option("--host", help="Address to listen on (loopback).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--limit", type=click.Choice(LIMIT_MODES), help="Answer of the meter.")
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for the ledger (default: under reports/).")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--resume", metavar="RUN", type=click.Path(path_type=Path), help="Go on with a run that ended, however.")
@click.option("--expose", is_flag=True, help="Serve an address that other machines can reach; needs --allow.")
@click.option("--allow", multiple=True, metavar="ADDRESS", help="Address or network that may connect; may be repeated.")
@service_options
def serve(**options: object) -> None:
    """Serve a fake SMSC, with no configuration at all or out of a scenario file, until SIGINT or SIGTERM.

    \b
    Examples:
      simbench serve
      simbench serve --port 5000 --limit monitor
      simbench serve scenarios/01_first.toml
      simbench serve --resume reports/first
      simbench serve --api 8080 --console
    """
    from simbench.cli.serve import resume_command, serve_command  # noqa: PLC0415 - quick --help

    folder = options.pop("resume")
    if folder is not None:
        given = [name for name in ("scenario", "output", "contract_name") if options.pop(name) is not None]
        if given:
            raise BadInput("--resume", f"given with {', '.join(given)}", "the run's own")
        resume_command(folder, **options)  # type: ignore[arg-type]  # click gives what the options say
        return
    serve_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def list_(*, as_json: bool) -> None:
    """List exercises, purposes, clients and client faults.

    \b
    Examples:
      simbench list
      simbench list --json
    """
    from simbench.cli.explain import list_command  # noqa: PLC0415 - quick --help

    list_command(as_json=as_json)


@cli.command()
@click.argument("clause")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
def explain(clause: str, contract_name: str | None, *, as_json: bool) -> None:
    """Say what a clause asks, which figures it has and how sure they are, and how it is tested.

    \b
    Example:
      simbench explain OPS-ENG-01
    """
    from simbench.cli.explain import explain_command  # noqa: PLC0415 - quick --help

    explain_command(clause, contract_name, as_json=as_json)


@cli.command()
@click.argument("source", required=False, metavar="[FILE]", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the SMSC in a capture, where frames do not tell.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a frame instead of text.")
def decode(source: Path | None, port: int | None, *, as_json: bool) -> None:
    """Explain UCP frames field by field, from lines, a capture or a run; "-" or nothing reads standard input.

    A line is a frame in hexadecimal, or printable with <STX> or \\x02 at its start, or without its ends. Exit status 1
    when there is something wrong with any frame.

    \b
    Examples:
      simbench decode frames.txt
      simbench decode --json traffic.pcapng
      simbench decode --port 5000 traffic.pcap
      simbench decode reports/first
      echo '00/00019/R/60/A//6D' | simbench decode
    """
    from simbench.cli.decode import decode_command  # noqa: PLC0415 - quick --help

    sys.exit(decode_command(source, port, as_json=as_json))


@cli.command()
@click.argument("op", required=False)
@click.argument("kind", required=False)
@click.argument("assignments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--trn", default="00", show_default=True, help="Transaction reference number, 00 to 99.")
@click.option("--text", help="Text of the message: says alphabet, type and parts; one frame a part.")
@click.option("--hex", "as_hex", is_flag=True, help="Print hexadecimal instead of <STX>...<ETX>.")
@click.option("--json", "from_json", is_flag=True, help="Take objects of `decode --json` from standard input instead.")
def encode(**options: object) -> None:
    """Print a UCP frame: operation OP, KIND O (operation) or R (result), and its fields by name.

    \b
    Examples:
      simbench encode 31 O AdC=36010 PID=0539
      simbench encode 51 O --trn 07 AdC=33639980012 OAdC=36010 --text "Déjà prêt ?"
      simbench encode 51 R --hex EC=04 SM="too fast"
      simbench decode --json frames.txt | simbench encode --json
    """
    from simbench.cli.encode import encode_command  # noqa: PLC0415 - quick --help

    encode_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print what makes a shell complete simbench's commands and options.

    \b
    Examples:
      simbench completion bash > ~/.local/share/bash-completion/completions/simbench
      simbench completion fish > ~/.config/fish/completions/simbench.fish
      source <(simbench completion zsh)
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - quick --help

    script = get_completion_class(shell)
    assert script is not None, "the choices above are those click has"
    click.echo(script(cli, {}, "simbench", "_SIMBENCH_COMPLETE").source())


COMMANDS = (
    bill, certificate, conform, dialup, forecast, judge, ledger, matrix, plan, probe, report, roaming, run, sweep,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)


class _Heedless:
    """Standard output whose reader may go away, as `head` does: what comes after is dropped, the status stays."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def buffer(self) -> _Heedless:
        """The same for octets, which go past the text."""
        return _Heedless(self._stream.buffer)

    def write(self, text: Any) -> int:
        """Write, or drop what nobody reads any more."""
        try:
            return int(self._stream.write(text))
        except BrokenPipeError:
            return self._gone(len(text))

    def flush(self) -> None:
        """Flush, or drop what nobody reads any more."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._gone(0)

    def _gone(self, length: int) -> int:
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        return length

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main() -> None:
    """Entry point: errors of the user or the machine become one line."""
    stream = sys.stdout
    sys.stdout = heedless = _Heedless(stream)
    try:
        cli(standalone_mode=True)
    except SimbenchError as error:
        click.echo(f"simbench: {error}", err=True)
        sys.exit(2 if isinstance(error, BadInput) else 3)
    finally:
        heedless.flush()
        sys.stdout = stream
