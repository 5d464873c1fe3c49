"""The options of `simbench serve` for the API, the console and TLS. Loads none of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_OPTIONS = (
    click.option("--api", type=click.IntRange(0, 65535), help="Port of the control API and metrics; 0: a free one."),
    click.option("--console", is_flag=True, help="A web page on the API's port (default 8080)."),
    click.option("--token-file", type=_FILE, help="File whose first line API and console ask for."),
    click.option("--tls-cert", type=_FILE, help="Certificate (PEM): API and console speak HTTPS."),
    click.option("--tls-key", type=_FILE, help="Its key (PEM)."),
    click.option("--tls-ucp", is_flag=True, help="UCP under TLS as well, with the same certificate."),
    click.option("--log", type=_FILE, help="File for JSON lines: sessions, story, refusals, findings."),
    click.option("--unmasked", is_flag=True, help="Telephone numbers in the log as they are."),
)


def service_options(command: Command) -> Command:
    """Give a command these options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
