"""`make soak`, third part: a minute of the reference client, all of whose purposes must pass on a quiet machine."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """`python -m tools.soak.client`; the exit status of the session."""
    program = str(Path(sys.executable).parent / "simbench")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "conform", "--sut", "reference", "--soak", "60s", "-o", str(Path(folder) / "out")]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
