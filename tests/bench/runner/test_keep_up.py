"""`--keep-up`: after the session an SMSC keeps running until it is ended."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from simbench.ledger import open_run
from tests.cli.child import DEADLINE_S, SIMBENCH
from tests.fake_smsc.live import dial

pytestmark = pytest.mark.slow


SESSION = ("conform", "--sut", "reference", "--only", "originators", "--keep-up", "--json", "-o")


@pytest.fixture
def kept_up(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield the process and its port; it is always ended by its id."""
    process = subprocess.Popen(
        [*SIMBENCH, *SESSION, str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(DEADLINE_S, process.kill)
    watchdog.start()
    assert process.stderr is not None
    output = ""
    for line in process.stderr:
        output += line
        if found := re.search(r"stays up on port (\d+)", line):
            yield process, int(found[1])
            break
    else:
        pytest.fail(output)
    process.kill()
    process.communicate()
    watchdog.cancel()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_smsc_stays_up_after_the_session_until_it_is_ended(
    kept_up: tuple[subprocess.Popen[str], int], tmp_path: Path, end: signal.Signals
) -> None:
    process, port = kept_up
    assert (tmp_path / "out" / "findings.json").exists()  # the session is over and written down

    async def somebody_else() -> None:
        peer = await dial(port)
        assert (await peer.login()).data[0] == "A"
        assert (await peer.submit(1)).data[0] == "A"
        await peer.close()

    asyncio.run(somebody_else())
    assert process.poll() is None
    process.send_signal(end)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, "Traceback" in errors) == (0, False)
    assert json.loads(out)["summary"]["pass"] == 7
    kept = open_run(tmp_path / "out" / "kept-up")
    assert kept.info.closed
    assert "accepted" in kept.centre.column("kind").to_pylist()
