"""The client as a real process against a scripted SMSC on a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from simbench.client import lines, messages
from simbench.client.messages import Outgoing
from simbench.client.spool import Spool
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, Framer
from tests.client.peer import CODE, Reply, Smsc, mobile, notification, recipient

REPO = Path(__file__).parents[2]
ACCOUNTS = json.dumps([{"code": CODE, "account": CODE, "password": "s3cret", "rate_per_s": 10}])


class Server:
    """A scripted SMSC on the loopback interface; answers by `reply`, counts the submits each recipient got."""

    def __init__(self) -> None:
        self.reply: Reply = Smsc()
        self.submits: Counter[str] = Counter()
        self.logins = 0
        self.answers: list[Frame] = []
        self.writer: asyncio.StreamWriter | None = None
        self.notify = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer, self.writer = Framer(), writer
        try:
            while octets := await reader.read(65_536):
                for item in framer.feed(octets):
                    assert isinstance(item, Frame)
                    self._take(item, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _take(self, item: Frame, writer: asyncio.StreamWriter) -> None:
        if item.kind == "R":
            self.answers.append(item)
            return
        self.logins += item.ot == "60"
        if item.ot == "51":
            self.submits[item.data[At.ADC]] += 1
        answer = self.reply(item)
        if answer is not None:
            writer.write(answer)
            if item.ot == "51" and self.notify:
                scts = answer.rsplit(b":", 1)[1][:12].decode()
                writer.write(notification(item.data[At.ADC], scts, trn=item.trn))


class Client:
    """The real client process; reads its lines as they come."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[lines.Report] = []
        self._kinds: Counter[type] = Counter()

    def tell(self, *commands: lines.Command | bytes) -> None:
        assert self.process.stdin is not None
        octets = (command if isinstance(command, bytes) else lines.write(command) for command in commands)
        self.process.stdin.write(b"".join(octets))

    async def until(self, kind: type, count: int = 1) -> None:
        assert self.process.stdout is not None
        while self._kinds[kind] < count:
            line = await self.process.stdout.readline()
            assert line, "the client ended"
            self.heard.append(lines.parse_report(line))
            self._kinds[type(self.heard[-1])] += 1

    def refs(self, kind: type) -> set[str]:
        return {getattr(report, "token", "") for report in self.heard if isinstance(report, kind)}

    async def rest(self) -> int:
        """Read to the end of its output; its exit status."""
        assert self.process.stdout is not None
        self.heard += [lines.parse_report(line) for line in (await self.process.stdout.read()).splitlines()]
        return await self.process.wait()


async def start(port: int, **environment: str) -> Client:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simbench.client"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=REPO,
        limit=1 << 20,
        env={
            **os.environ,
            "SIMBENCH_HOST": "127.0.0.1",
            "SIMBENCH_PORT": str(port),
            "SIMBENCH_ACCOUNTS": ACCOUNTS,
            **environment,
        },
    )
    return Client(process)


def play(script: Callable[[Server, int], Awaitable[None]]) -> None:
    async def run() -> None:
        server = Server()
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        async with listener, asyncio.timeout(300):
            await script(server, listener.sockets[0].getsockname()[1])

    asyncio.run(run())


def fast(rate_per_s: int) -> str:
    return json.dumps([{"code": CODE, "account": CODE, "password": "s3cret", "rate_per_s": rate_per_s}])


def send(number: int, code: str = CODE, to: str = "") -> Outgoing:
    return Outgoing(f"m{number}", code, to or recipient(number), f"texte {number}")


def test_it_sends_reports_and_ends_cleanly_when_asked() -> None:
    async def script(server: Server, port: int) -> None:
        server.notify = True
        client = await start(port)
        client.tell(send(1), send(2, to="nowhere"))
        await client.until(messages.Delivered)
        assert server.writer is not None
        server.writer.write(mobile(recipient(7), "Bonjour"))
        await client.until(lines.Mo)
        client.tell(lines.Stop())
        assert await client.rest() == 0
        assert client.heard[0] == lines.Ready()
        assert client.refs(lines.Queued) == {"m1", "m2"}
        assert client.refs(lines.Accepted) == client.refs(messages.Delivered) == {"m1"}
        assert client.refs(messages.Withheld) == {"m2"}
        assert lines.Mo(recipient(7), CODE, "Bonjour") in client.heard
        assert {answer.ot for answer in server.answers} == {"52", "53"}

    play(script)


def test_an_invalid_line_is_reported_and_the_next_one_is_carried_out() -> None:
    async def script(server: Server, port: int) -> None:
        client = await start(port)
        client.tell(b"nonsense\n", b'{"do":"send"}\n', b"\xff\xfe\n", send(1, code="36099"), send(1), send(1), b"\n")
        await client.until(lines.Error, 5)
        await client.until(lines.Accepted)
        client.process.terminate()
        assert await client.rest() == 0
        assert server.submits == {recipient(1): 1}

    play(script)


def test_the_end_of_its_input_ends_it() -> None:
    async def script(server: Server, port: int) -> None:
        client = await start(port)
        await client.until(lines.Ready)
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert await client.rest() == 0

    play(script)


def test_after_kill_9_nothing_is_lost_and_nothing_known_received_is_sent_again(tmp_path: Path) -> None:
    path = str(tmp_path / "spool.db")

    async def script(server: Server, port: int) -> None:
        environment = {"SIMBENCH_SPOOL": path, "SIMBENCH_ACCOUNTS": fast(200)}
        known: dict[str, int] = {}
        friendly, left = server.reply, 60

        def limited(asked: Frame) -> bytes | None:
            nonlocal left
            left -= asked.ot == "51"
            return friendly(asked) if asked.ot != "51" or left >= 0 else None

        server.reply = limited  # so that no client gets through before it is killed
        client = await start(port, **environment)
        client.tell(*(send(number) for number in range(300)))
        await client.until(lines.Queued, 300)
        for kills in range(3):
            await client.until(lines.Accepted, 40)
            client.process.kill()
            await client.rest()
            for ref in accepted():
                known.setdefault(recipient(int(ref[1:])), server.submits[recipient(int(ref[1:]))])
            left = 60 if kills < 2 else 1_000
            client = await start(port, **environment)
        assert 120 <= len(known) <= 180
        await client.until(lines.Accepted, 300 - len(known))
        client.tell(lines.Stop())
        assert await client.rest() == 0
        assert len(accepted()) == 300
        assert {to: server.submits[to] for to in known} == known

    def accepted() -> list[str]:
        spool = Spool(path)
        states = spool.states()
        spool.close()
        assert len(states) == 300
        return [ref for ref, state in states.items() if state == "accepted"]

    play(script)


def test_a_fault_is_planted_by_its_name_and_an_unknown_name_is_refused() -> None:
    async def script(server: Server, port: int) -> None:
        client = await start(port, SIMBENCH_FAULT="alters-oadc,no-keepalive")
        seen: list[str] = []
        friendly = server.reply

        def look(asked: Frame) -> bytes | None:
            seen.append(asked.data[At.OADC] if asked.ot == "51" else asked.ot)
            return friendly(asked)

        server.reply = look
        client.tell(send(1))
        await client.until(lines.Accepted)
        client.tell(lines.Stop())
        assert await client.rest() == 0
        assert seen == ["60", CODE + "1"]
        wrong = await start(port, SIMBENCH_FAULT="bad-hair")
        assert await wrong.rest() == 2

    play(script)


def test_thousands_of_messages_at_once_are_all_delivered() -> None:
    count = 6_000

    async def script(server: Server, port: int) -> None:
        server.notify = True
        client = await start(port, SIMBENCH_ACCOUNTS=fast(100_000), SIMBENCH_WINDOW="100")
        await client.until(lines.Ready)
        client.tell(*(send(number % 10_000) for number in range(count)))
        await client.until(messages.Delivered, count)
        client.tell(lines.Stop())
        assert await client.rest() == 0
        assert sum(server.submits.values()) == count

    play(script)
