"""A reader's terminal: one bash in a folder that looks like a checkout, on a loopback of its own. Judges no text."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from tests.docs.blocks import Step

ROOT = Path(__file__).parents[2]
GIVEN = Path(__file__).parent / "given"
HAS = (
    ".venv", "CHANGELOG.md", "Makefile", "README.md", "constraints.txt", "docs", "fake_smsc", "packaging",
    "pyproject.toml", "scenarios", "scripts", "simbench", "tests", "tools",
)  # fmt: skip
READY = "stop with Ctrl-C"
LONGEST_S = 600  # of a command; ten on a quiet machine


class Shell:
    """Runs steps in order; a context manager that ends every process it started, by id."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.scratch = folder, folder / ".terminal"
        self.servers: list[int] = []
        self.count = 0
        self.scratch.mkdir(parents=True)
        for name in HAS:
            (folder / name).symlink_to(ROOT / name)
        alone = _alone()
        self._turn = (Path(tempfile.gettempdir()) / f"simbench-pages-{os.getuid()}.lock").open("a")
        if not alone:  # pages use the same ports: one after another, whichever process reads them
            fcntl.flock(self._turn, fcntl.LOCK_EX)
        self.bash = subprocess.Popen(
            [*alone, "bash", "--norc"], cwd=folder, env=environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Shell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.killpg(self.bash.pid, signal.SIGKILL)
        self.bash.wait()
        for pipe in (self.bash.stdin, self.bash.stdout, self._turn):
            assert pipe is not None
            pipe.close()

    def do(self, step: Step) -> tuple[int, str, str]:
        """Carry out one step: exit status, standard output, and both outputs. A server is left running."""
        if step.kind == "file":
            place = self.folder / step.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(step.text, encoding="utf-8")
            if step.text.startswith("#!"):
                place.chmod(0o755)
        elif step.kind == "given":
            shutil.copy(GIVEN / step.text, self.folder / step.text)
        elif step.kind == "stop":
            return self.stop(), "", ""
        elif step.kind == "run":
            return self._server(step.text) if _is_server(step.text) else self.run(step.text)
        return 0, "", ""

    def run(self, command: str) -> tuple[int, str, str]:
        """One command in the foreground."""
        self.count += 1
        script, out, err = (self.scratch / f"{self.count}.{suffix}" for suffix in ("sh", "out", "err"))
        script.write_text(command + "\n", encoding="utf-8")
        status = int(self._ask(f". {script} >{out} 2>{err} </dev/null; echo $?"))
        printed = out.read_text("utf-8", "replace")
        return status, printed, printed + err.read_text("utf-8", "replace")

    def stop(self) -> int:
        """Interrupt the server started last, as Ctrl-C does; its exit status."""
        process = self.servers.pop()
        return int(self._ask(f"kill -INT {process}; wait {process}; echo $?"))

    def _server(self, command: str) -> tuple[int, str, str]:
        """Start a server, and wait until it reports that it is ready."""
        self.count += 1
        pipe, script = self.scratch / f"{self.count}.pipe", self.scratch / f"{self.count}.sh"
        os.mkfifo(pipe)
        script.write_text(f"(exec {command.strip().removesuffix('&')}\n) &\n", encoding="utf-8")
        lines: list[str] = []
        settled = threading.Event()
        threading.Thread(target=_read, args=(pipe, lines, settled), daemon=True).start()
        process = int(self._ask(f". {script} >{pipe} 2>&1 </dev/null; echo $!"))
        assert settled.wait(LONGEST_S), f"{command} is not ready"
        printed = "".join(lines)
        if READY not in printed:
            return int(self._ask(f"wait {process}; echo $?")), printed, printed
        if not command.rstrip().endswith("&"):  # the page ends the others itself, with kill
            self.servers.append(process)
        return 0, printed, printed

    def _ask(self, line: str) -> str:
        assert self.bash.stdin is not None
        assert self.bash.stdout is not None
        self.bash.stdin.write(f"{line}\n".encode())
        self.bash.stdin.flush()
        ready, _, _ = select.select([self.bash.stdout], [], [], LONGEST_S)
        assert ready, f"not done within {LONGEST_S} s: {line}"
        return self.bash.stdout.readline().decode()


def _read(pipe: Path, lines: list[str], settled: threading.Event) -> None:
    with pipe.open(encoding="utf-8", errors="replace") as source:
        for line in source:
            lines.append(line)
            if READY in line:
                settled.set()
    settled.set()


def _is_server(command: str) -> bool:
    return command.lstrip().startswith("simbench serve ") or command.strip() == "simbench serve"


def _alone() -> list[str]:
    """A network of its own, so that pages read side by side may use the same ports; nothing where it is not allowed."""
    command = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    tried = shutil.which("unshare") and subprocess.run([*command, "true"], check=False, capture_output=True)
    return command if tried and tried.returncode == 0 else []


def environment() -> dict[str, str]:
    """Return the environment of programs started for a page: this project, and lines of a known width."""
    programs = Path(sys.executable).parent
    return {
        **os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "100",
        "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
