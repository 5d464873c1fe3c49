from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from simbench.bench.sut import kannel as kannel_module
from simbench.bench.sut.child_process import free_ports
from simbench.bench.sut.kannel import Kannel
from simbench.bench.sut.protocol import AccountGiven, SutFailed, Target
from simbench.client.messages import Outgoing
from simbench.ucp import content
from simbench.ucp.checks import check
from simbench.ucp.frame import Frame
from simbench.ucp.operations import decode
from tests.bench.sut.listener import Listener
from tests.real.conftest import require
from tests.real.peer import Peer

pytestmark = pytest.mark.real

CODE = "36010"
RECIPIENT = "33639980001"
SCTS = ["031016080001", "031016080002", "031016080003"]  # what the peer stamps on its first acceptances


@pytest.fixture(autouse=True)
def _installed() -> None:
    require("bearerbox", package="kannel")
    require("smsbox", package="kannel")


def ask(mark: str = "#00001", text: str = "Bonjour", **more: object) -> Outgoing:
    return Outgoing(mark, CODE, RECIPIENT, text, **more)  # type: ignore[arg-type]  # named fields only


def target(folder: Path, port: int, rate: int = 0) -> Target:
    return Target("127.0.0.1", port, (AccountGiven(CODE, "acc36010", "secret", rate),), 10, folder)


Script = Callable[[Kannel, Peer, Listener], Awaitable[None]]


def against_peer(folder: Path, script: Script, refuse: Callable[[Frame], str | None] = lambda _: "") -> Kannel:
    """Run `script` with a Kannel that is logged in to a peer."""

    async def run() -> Kannel:
        kannel, listener = Kannel(), Listener()
        async with Peer(refuse) as peer:
            try:
                await kannel.start(target(folder, peer.port), listener)
                await peer.until(lambda: bool(peer.operations("31")))
                await script(kannel, peer, listener)
            finally:
                await kannel.stop()
        return kannel

    return asyncio.run(run())


def test_a_message_leaves_as_a_sound_submit_and_its_fate_comes_back_with_its_mark(tmp_path: Path) -> None:
    async def script(kannel: Kannel, peer: Peer, listener: Listener) -> None:
        await kannel.send(ask(text="Déjà 10 € #00001", validity_s=3600))
        await listener.hears("accepted")
        (submit,) = (heard.frame for heard in peer.operations("51"))
        assert check(submit) == []
        fields = decode(submit)
        assert (fields["AdC"], fields["OAdC"], fields["NRq"], fields["MT"]) == (RECIPIENT, CODE, "1", "3")
        assert content.message_text(submit) == "Déjà 10 € #00001"
        assert len(fields["VP"]) == 10
        peer.notify(submit, SCTS[0], outcome=1, reason=107)
        peer.notify(submit, SCTS[0], outcome=0)
        await listener.hears("delivered")
        await listener.hears("buffered")  # Kannel calls back for both at once, in any order
        assert sorted(r.kind for r in listener.reports) == ["accepted", "buffered", "delivered", "queued"]
        assert {report.token for report in listener.reports} == {"#00001"}

    kannel = against_peer(tmp_path, script)
    assert kannel.version.startswith("1.")
    assert kannel.capabilities.result_timer_s == 81


def test_it_logs_in_with_its_account_and_sends_a_keepalive_at_once(tmp_path: Path) -> None:
    async def script(_kannel: Kannel, peer: Peer, _listener: Listener) -> None:
        (login,) = (decode(heard.frame) for heard in peer.operations("60"))
        assert (login["OAdC"], bytes.fromhex(login["PWD"]), login["STYP"]) == ("acc36010", b"secret", "1")
        assert decode(peer.operations("31")[0].frame)["AdC"] == "acc36010"

    against_peer(tmp_path, script)


def test_a_text_beyond_the_alphabet_travels_as_ucs2_and_a_long_one_in_segments(tmp_path: Path) -> None:
    async def script(kannel: Kannel, peer: Peer, listener: Listener) -> None:
        await kannel.send(ask("#00001", "Привет #00001"))
        await kannel.send(ask("#00002", "x" * 200))
        await listener.hears("accepted", 2)
        short, *parts = (content.read(heard.frame.data) for heard in peer.operations("51"))
        assert (short.text, short.encoding) == ("Привет #00001", "ucs2")
        assert "".join(part.text or "" for part in parts) == "x" * 200
        assert [part.concatenation and part.concatenation.sequence for part in parts] == [1, 2]

    against_peer(tmp_path, script)


def test_what_the_smsc_refuses_or_cannot_deliver_is_reported(tmp_path: Path) -> None:
    async def script(kannel: Kannel, peer: Peer, listener: Listener) -> None:
        await kannel.send(ask("#00001", "refused"))
        await kannel.send(ask("#00002", "taken"))
        (refused,) = await listener.hears("refused")
        assert (refused.token, refused.detail) == ("#00001", "04")
        await listener.hears("accepted")
        peer.notify(peer.operations("51")[1].frame, SCTS[0], outcome=2, reason=108)
        (undelivered,) = await listener.hears("undelivered")
        assert undelivered.token == "#00002"

    against_peer(tmp_path, script, lambda frame: "04" if content.message_text(frame) == "refused" else "")


def test_what_kannel_does_not_take_is_withheld(tmp_path: Path) -> None:
    async def script(kannel: Kannel, peer: Peer, listener: Listener) -> None:
        await kannel.send(Outgoing("#00001", CODE, "nobody", "Bonjour"))
        (withheld,) = listener.of("withheld")
        assert withheld.token == "#00001"
        assert not peer.operations("51")

    against_peer(tmp_path, script)


def test_messages_from_subscribers_are_reported_with_their_text(tmp_path: Path) -> None:
    texts = ["STOP", "100% d'accord & + # é €", "Привет", "y" * 200]

    async def script(_kannel: Kannel, peer: Peer, listener: Listener) -> None:
        for number, text in enumerate(texts, start=1):
            peer.deliver(f"3363998000{number}", CODE, text)
        reported = await listener.hears("mo", len(texts))
        assert sorted((report.subscriber, report.detail) for report in reported) == [
            (f"3363998000{number}", text) for number, text in enumerate(texts, start=1)
        ]
        assert {report.code for report in reported} == {CODE}

    against_peer(tmp_path, script)


def test_another_originator_is_sent_as_asked(tmp_path: Path) -> None:
    async def script(kannel: Kannel, peer: Peer, listener: Listener) -> None:
        await kannel.send(ask(oadc="ACME SHOP"))
        await listener.hears("accepted")
        fields = decode(peer.operations("51")[0].frame)
        assert (fields["OTOA"], fields["OAdC"]) == ("5039", "10C161B3089A229F50")

    against_peer(tmp_path, script)


def test_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    pids: list[int] = []

    async def script(kannel: Kannel, _peer: Peer, _listener: Listener) -> None:
        pids.extend(child.process.pid for child in kannel.children)
        for pid in pids:
            os.kill(pid, 0)

    against_peer(tmp_path, script)
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_nothing_it_opens_can_be_reached_from_outside(tmp_path: Path) -> None:
    async def script(kannel: Kannel, _peer: Peer, _listener: Listener) -> None:
        listening = [address for child in kannel.children for address in _listening(child.process.pid)]
        assert len(listening) == 3
        assert {address.partition(":")[0] for address in listening} == {"0100007F"}
        assert (tmp_path / "kannel.conf").stat().st_mode & 0o077 == 0

    against_peer(tmp_path, script)


def _listening(pid: int) -> list[str]:
    """Local addresses, as the kernel writes them, of the TCP sockets on which a process listens."""
    folder, opened = Path(f"/proc/{pid}"), set[str]()
    for entry in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile, like a connection between the boxes
            opened.add(os.readlink(entry))
    rows = [row.split() for table in ("tcp", "tcp6") for row in (folder / "net" / table).read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in opened]


@pytest.mark.parametrize("box", ["bearerbox", "smsbox"])
def test_a_box_that_dies_is_reported(tmp_path: Path, box: str) -> None:
    async def script(kannel: Kannel, _peer: Peer, listener: Listener) -> None:
        (child,) = (child for child in kannel.children if child.name == box)
        os.kill(child.process.pid, signal.SIGKILL)
        (error,) = await listener.hears("error")
        assert f"{box} was ended by SIGKILL; its log ends:" in error.detail
        with pytest.raises(SutFailed, match=f"{box} was ended by SIGKILL"):
            await kannel.send(ask())

    against_peer(tmp_path, script)


def test_a_configuration_that_kannel_refuses_fails_the_start_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(SutFailed, match=r"(?s)bearerbox .*'port' missing/invalid"):
        asyncio.run(Kannel().start(target(tmp_path, 0), Listener()))


def test_it_logs_in_again_and_repeats_what_had_no_result(tmp_path: Path) -> None:
    async def script(kannel: Kannel, peer: Peer, listener: Listener) -> None:
        await kannel.send(ask())
        await peer.until(lambda: len(peer.operations("51")) == 1)
        peer.refuse = lambda _: ""
        peer.hang_up()
        await listener.hears("accepted")
        assert [heard.session for heard in peer.operations("60")] == [0, 1]
        assert [heard.session for heard in peer.operations("51")] == [0, 1]

    against_peer(tmp_path, script, lambda _: None)


def test_it_takes_hundreds_of_messages_at_once(tmp_path: Path) -> None:
    async def script(kannel: Kannel, _peer: Peer, listener: Listener) -> None:
        for batch in range(3):
            await asyncio.gather(*(kannel.send(ask(f"{batch}{number:05d}")) for number in range(250)))
        assert len(listener.of("queued")) == 750
        await listener.hears("accepted", 750)

    against_peer(tmp_path, script)


@pytest.mark.parametrize("place", [0, 1, 2], ids=["admin", "smsbox", "sendsms"])
def test_a_port_that_another_program_takes_meanwhile_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        chosen = free_ports(3)
        chosen[place] = other.getsockname()[1]
        given = iter([chosen])
        monkeypatch.setattr(kannel_module, "free_ports", lambda count: next(given, None) or free_ports(count))

        async def submitted(kannel: Kannel, peer: Peer, listener: Listener) -> None:
            await kannel.send(ask())
            await peer.until(lambda: bool(peer.operations("51")))

        against_peer(tmp_path, submitted)
        assert next(given, None) is None
