"""The two pictures of the README: the tops of a conformance report and of a service level report, by Chromium."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from simbench.base.outputs import replacing

WIDTH: Final = 1200
# Sample, picture, height that ends between two parts of the page.
PICTURES: Final = (("faulty", "conformance.png", 798), ("year", "service-level.png", 798))
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def write_pictures(folder: Path) -> list[Path]:
    """Draw the pictures of the samples in this folder; without a browser, print that there are none."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("no Chromium: the pictures of the README stay as they are", file=sys.stderr)
        return []
    return [_drawn(browser, folder / name / "report.html", folder / picture, tall) for name, picture, tall in PICTURES]


def _drawn(browser: str, page: Path, picture: Path, height: int) -> Path:
    with tempfile.TemporaryDirectory() as profile, replacing(picture) as part:
        shot = Path(profile) / "shot.png"
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}",
            f"--window-size={WIDTH},{height}", f"--screenshot={shot}", page.resolve().as_uri(),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        part.write_bytes(shot.read_bytes())
    return picture
