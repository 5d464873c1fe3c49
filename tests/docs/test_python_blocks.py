"""The Python of the README is run as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_s_python_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=True, timeout=600)
    assert re.fullmatch(r"127\.0\.0\.1:[0-9]+ Account\(login='36010', password='secret'\)\n", done.stdout)
