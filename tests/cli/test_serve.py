"""`simbench serve` as a program: its banner, its signals, its refusals."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest

from simbench.base.outputs import adopt
from simbench.ledger import open_run
from tests.cli.child import Ended, Served, simbench
from tests.fake_smsc.live import dial
from tests.survive.limits import api_of


def test_without_any_file_it_serves_one_short_code_per_tier_until_it_is_ended(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def session(port: int) -> None:
        peer = await dial(port)
        assert (await peer.login()).data[0] == "A"
        assert (await peer.submit(1)).data[0] == "A"
        await peer.close()

    with Served("--port", "0", "-o", folder) as server:
        assert f"listening on 127.0.0.1:{server.port}" in server.banner
        for code, rate in {"36010": 10, "36020": 20, "36050": 50, "36100": 100, "36150": 150}.items():
            (line,) = [line.split() for line in server.banner.splitlines() if f" {code} " in line]
            assert line == [code, "secret", code, f"{rate}/s", "10", "delay"]
        assert str(folder) in server.banner
        asyncio.run(session(server.port))
        status, errors = server.end(signal.SIGTERM)
    assert (status, errors) == (0, f"stopping\nledger closed: {folder}\n")
    info = json.loads((folder / "run.json").read_text())
    assert info["closed"] is True
    assert info["times"]["wall_ended"] > info["times"]["wall_started"] > 0
    assert "accepted" in open_run(folder).centre.column("kind").to_pylist()


def test_arrow_does_not_load_pandas_into_a_server(tmp_path: Path) -> None:
    """It would with the first list it converts: for the ledger's rows, and for a search."""
    pytest.importorskip("pandas")
    loaded = Path("/proc/self/maps")
    if not loaded.exists():
        pytest.skip("nothing says which libraries a process has loaded")

    async def submit(port: int) -> None:
        peer = await dial(port)
        assert (await peer.login()).data[0] == "A"
        assert (await peer.submit(1)).data[0] == "A"
        await peer.close()

    with Served("--port", "0", "--api", "0", "-o", tmp_path / "run") as server:
        asyncio.run(submit(server.port))
        with api_of(server) as api:
            assert len(api.messages().messages) == 1
            assert api.findings().findings
        libraries = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libarrow" in libraries
    assert "/pandas/" not in libraries


def test_an_interrupt_ends_it_as_well_even_with_a_session_open(tmp_path: Path) -> None:
    async def interrupted(server: Served) -> tuple[int, str]:
        peer = await dial(server.port)
        assert (await peer.login()).data[0] == "A"
        ended = await asyncio.to_thread(server.end, signal.SIGINT)
        assert await peer.end() == "fin"
        await peer.close()
        return ended

    with Served("--port", "0", "-o", tmp_path / "run") as server:
        status, errors = asyncio.run(interrupted(server))
    assert (status, "Traceback" in errors) == (0, False)
    run = open_run(tmp_path / "run")
    assert run.info.closed
    assert run.wire.to_pylist()[-1]["octets"] == b"server: server stops"


def test_a_port_in_use_is_trouble_of_the_machine_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = simbench("serve", "--port", str(port), "-o", tmp_path / "run")
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"simbench: port {port} on 127.0.0.1: ")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


ELSEWHERE = ("0.0.0.0", "192.0.2.1", "::", "127.0.0.1.example.com", "localhost.example.com", "")  # noqa: S104 - refused


@pytest.mark.parametrize("host", ELSEWHERE)
def test_it_listens_on_loopback_only(host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "serve", "--host", host, "--port", "0", "-o", tmp_path / "run")
    assert ended.status == 2
    assert ended.err == f"simbench: host {host}: not a loopback address; expected 127.0.0.1 or ::1, or --expose\n"
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_ledger_is_not_written_to(tmp_path: Path) -> None:
    adopt(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    ended = simbench("serve", "--port", "0", "-o", tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == f"simbench: {tmp_path}: holds a ledger already; expected a new or empty folder\n"
    assert (tmp_path / "run.json").read_text() == "{}"


def test_an_address_others_can_reach_is_served_to_named_addresses_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Ended(capsys, "serve", "--host", "192.0.2.1", "--expose", "-o", tmp_path / "run")
    assert (
        ended.err == "simbench: --expose: no allowed client address given; expected --allow ADDRESS, or server.allow\n"
    )
    ended = Ended(capsys, "serve", "--allow", "192.0.2.300", "-o", tmp_path / "run")
    assert ended.err == ('simbench: --allow: "192.0.2.300"; expected an address, or a network such as 192.0.2.0/24\n')
    assert (ended.status, (tmp_path / "run").exists()) == (2, False)


def test_who_is_not_allowed_is_cut_off_and_the_ledger_says_why(tmp_path: Path) -> None:
    async def refused(port: int) -> None:
        try:
            peer = await dial(port)
        except ConnectionResetError:  # cut off while it was still connecting
            return
        assert await peer.end() == "rst"
        await peer.close()

    with Served("--port", "0", "--allow", "192.0.2.0/24", "-o", tmp_path / "run") as server:
        asyncio.run(refused(server.port))
        server.end(signal.SIGTERM)
    assert open_run(tmp_path / "run").wire.to_pylist()[-1]["octets"] == b"server: address not allowed"


def test_who_is_allowed_is_served(tmp_path: Path) -> None:
    async def served(port: int) -> None:
        peer = await dial(port)
        assert (await peer.login()).data[0] == "A"
        await peer.close()

    with Served("--port", "0", "--allow", "127.0.0.0/8", "-o", tmp_path / "run") as server:
        asyncio.run(served(server.port))
