"""`simbench completion`."""

from __future__ import annotations

import click
import cloup
from click.shell_completion import get_completion_class

from simbench.cli.pages import command


@command(see=("docs/reference/cli.md",))
@cloup.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes simbench's commands and options in a shell.

    The shell then gets commands, options and choices from simbench itself.

    \b
    Examples:
      simbench completion bash > ~/.local/share/bash-completion/completions/simbench
      simbench completion fish > ~/.config/fish/completions/simbench.fish
      source <(simbench completion zsh)
    """
    script = get_completion_class(shell)
    assert script is not None, "the choices above are those of click"
    click.echo(script(ctx.find_root().command, {}, "simbench", "_SIMBENCH_COMPLETE").source())
