"""Facts about a real server short of descriptors, flooded, or read by nobody: others are served all the same."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from simbench.ledger import open_run
from simbench.ucp.frame import encode
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer, dial
from tests.survive.limits import Patient, committed, descriptors, limit, rss, scenario, session

SPARE = 12  # descriptors the server may still take
CALLERS = 60
SESSIONS, RATE_PER_S, FLOOD_S = 200, 10, 4.0
TOO_FAST = """
[[codes]]
code = "36010"
sessions = 200
limit = "nack"
window = 100
[[codes]]
code = "36020"
"""
BURST = encode(1, "O", "99", "") * 2000  # each answered at greater length than it was asked
DEAF = 3
MEMORY = 150_000_000
DEAF_MEMORY = 150_000_000  # what was written to them is in the ledger too, its pool (64 MB) and what waits for the disk


async def served(peer: LivePeer, number: int, code: str = "36150") -> float:
    """One submit of a bystander, answered by the peer's deadline; how long its result took."""
    started = time.monotonic()
    peer.send(harness.submit(number % 100, OAdC=code, AdC=f"3371{number:07d}", NRq="", NT=""))
    assert (await peer.frame()).data[0] == "A"
    return time.monotonic() - started


def test_out_of_descriptors_those_connected_are_served_and_others_again_when_there_is_room(tmp_path: Path) -> None:
    async def script(server: Served) -> None:
        known = await session(server.port)
        await served(known, 0)
        limit(server, resource.RLIMIT_NOFILE, descriptors(server) + SPARE)
        callers = []
        for _ in range(CALLERS):
            with suppress(ConnectionError):
                callers.append(socket.create_connection(("127.0.0.1", server.port), 1.0))
        for number in range(1, 60):
            await served(known, number)
        assert len(callers) > SPARE
        for caller in callers:
            caller.close()
        fresh = await asyncio.wait_for(until_let_in(server.port), 10)
        await served(fresh, 1, "36020")
        for peer in (known, fresh):
            await peer.close()

    folder = tmp_path / "run"
    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        asyncio.run(script(server))
        limit(server, resource.RLIMIT_NOFILE, resource.RLIM_INFINITY)
        status, said = server.end(signal.SIGTERM)
    assert (status, "Traceback" in said) == (0, False), said
    assert open_run(folder).info.closed


async def until_let_in(port: int) -> LivePeer:
    """Try until the server has room again."""
    while True:
        peer = await dial(port)
        with suppress(AssertionError, ConnectionError, TimeoutError):
            assert (await peer.login("36020")).data[0] == "A"
            return peer
        peer.abort()
        await peer.close()


def test_two_hundred_sessions_at_ten_times_their_tier_get_their_tier_and_harm_nobody(tmp_path: Path) -> None:
    path, folder = tmp_path / "fast.toml", tmp_path / "run"
    path.write_text(TOO_FAST)

    async def flooding(peer: LivePeer, first: int, until: float) -> list[str]:
        """One session's share of ten times the tier; the verdicts it got."""
        each_s = SESSIONS / (10 * RATE_PER_S)
        verdicts = []
        await asyncio.sleep(each_s * (first / 1000) / SESSIONS)  # spread evenly
        while time.monotonic() < until:
            first += 1
            peer.send(harness.submit(first % 100, OAdC="36010", AdC=f"3371{first:07d}", NRq="", NT=""))
            frame = await peer.frame()
            verdicts.append(frame.data[0] + frame.data[1])
            await asyncio.sleep(each_s)
        return verdicts

    async def script(server: Served) -> tuple[list[str], list[float], float]:
        bystander = await session(server.port, "36020")
        crowd = [await session(server.port, "36010") for _ in range(SESSIONS)]
        before, started = rss(server), time.monotonic()
        until = started + FLOOD_S
        tasks = [asyncio.ensure_future(flooding(one, 1000 * n, until)) for n, one in enumerate(crowd)]
        waits = []
        for number in range(8):
            waits.append(await served(bystander, 9_000_000 + number, "36020"))
            await asyncio.sleep(FLOOD_S / 10)
        verdicts = [verdict for task in tasks for verdict in await task]
        elapsed = time.monotonic() - started
        assert rss(server) - before < MEMORY
        for peer in (bystander, *crowd):
            await peer.close()
        return verdicts, waits, elapsed

    with Patient(path, "--port", "0", "-o", folder) as server:
        verdicts, waits, elapsed = asyncio.run(script(server))
    passed = verdicts.count("A")
    assert set(verdicts) == {"A", "N04"}  # every one is answered
    assert 0 < passed <= RATE_PER_S * (elapsed + 1) < len(verdicts)
    print(f"{len(verdicts)} submits in {elapsed:.1f} s: {passed} accepted; bystander {max(waits) * 1e3:.0f} ms")  # noqa: T201


def test_peers_that_read_nothing_are_cut_off_and_cost_bounded_memory(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> int:
        loop, known = asyncio.get_running_loop(), await session(server.port)
        await asyncio.to_thread(committed, folder)  # the ledger's libraries are loaded
        before = most = rss(server)
        deaf = []
        for _ in range(DEAF):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.setblocking(False)
            await loop.sock_connect(one, ("127.0.0.1", server.port))
            deaf.append(one)
        for number, one in enumerate(deaf):
            with suppress(ConnectionError):
                async with asyncio.timeout(60):
                    while True:
                        await loop.sock_sendall(one, BURST)
                        most = max(most, rss(server))
            await served(known, number)
            one.close()
        await known.close()
        return most - before

    with Patient(scenario(tmp_path), "--port", "0", "-o", folder) as server:
        grown = asyncio.run(script(server))
        server.end(signal.SIGTERM)
    ends = [row["octets"] for row in open_run(folder).wire.to_pylist() if row["direction"] == "close"]
    assert ends.count(b"server: peer reads nothing") == DEAF
    assert grown < DEAF_MEMORY
    print(f"{DEAF} peers: memory grew by {grown / 1e6:.0f} MB at most")  # noqa: T201 - its figures
