"""`simbench serve` as the child process a user would start, and `simbench` run to its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from simbench.cli.main import main

DEADLINE_S = 300.0  # guards against hanging; says nothing about speed
MAIN = "from simbench.cli.main import main; main()"
# Without lines of progress, which commands print when the machine is slow.
SIMBENCH = (sys.executable, "-c", f"import simbench.base.progress as shown; shown.QUIET_S = 1e9; {MAIN}")


def simbench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its output and exit status."""
    return subprocess.run(
        [*SIMBENCH, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )


class Served:
    """A server in a process of its own, from its banner to its end; killed when it outlives the deadline."""

    deadline_s = DEADLINE_S

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [*SIMBENCH, "serve", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._watchdog = threading.Timer(self.deadline_s, self.process.kill)
        self._watchdog.daemon = True  # a server that does not start leaves it
        self._watchdog.start()
        self.banner = ""

    def __enter__(self) -> Self:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.banner += line
            if "Ctrl-C" in line:
                break
        assert "Ctrl-C" in self.banner, self.process.communicate()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
        self._watchdog.cancel()

    @property
    def port(self) -> int:
        """The port in its banner."""
        found = re.search(r"listening on 127\.0\.0\.1:(\d+)", self.banner)
        assert found is not None
        return int(found[1])

    def end(self, name: signal.Signals) -> tuple[int, str]:
        """Send a signal; return exit status and standard error."""
        self.process.send_signal(name)
        _, errors = self.process.communicate(timeout=self.deadline_s)
        return self.process.returncode, errors


class Ended:
    """The result of a command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["simbench", *map(str, arguments)])
            with pytest.raises(SystemExit) as caught:
                main()
        self.status = caught.value.code
        self.out, self.err = capsys.readouterr()
