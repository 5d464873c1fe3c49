"""Octets that are not UCP: for any input of one peer, the server and every other session continue."""

from __future__ import annotations

import asyncio
import random
import ssl
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.ucp.frame import encode
from tests import harness
from tests.fake_smsc.live import LivePeer, serving

PLAIN = {"NRq": "", "NT": ""}
FRAMES = (harness.login(), harness.submit(1, **PLAIN), encode(7, "R", "53", "A///"), encode(8, "O", "99", "x/"))
LONGEST = 4096

some_octets = st.binary(max_size=200) | st.sampled_from(FRAMES) | st.binary(max_size=8).map(lambda b: b"\x02" + b)
LIVE = settings(max_examples=100)


def client_hello() -> bytes:
    """The first octets of a TLS client."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(received, sent, server_hostname="smsc.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return sent.read()


def damaged(rng: random.Random) -> bytes:
    """A frame with one octet changed, lost or doubled."""
    frame = bytearray(rng.choice(FRAMES))
    at = rng.randrange(len(frame))
    frame[at : at + 1] = rng.choice((bytes([rng.randrange(256)]), b"", bytes([frame[at], frame[at]])))
    return bytes(frame)


async def is_served(peer: LivePeer, trn: int) -> bool:
    return (await peer.submit(trn % 100, AdC=f"3371000{trn % 100:04d}", **PLAIN)).data[0] == "A"


def test_seeded_noise_from_many_connections_disturbs_nobody() -> None:
    async def script() -> None:
        rng = random.Random(20160103)
        async with serving() as site:
            bystander = await site.session()
            site.control.limit("36010", 150, "monitor")
            for trn in range(40):
                noisy = await site.connect()
                for _ in range(6):
                    noisy.send(rng.choice((rng.randbytes(rng.randrange(1, 900)), damaged(rng))))
                if trn % 2:
                    noisy.abort()
                assert await is_served(bystander, trn)
            assert site.control.sessions()[0].state == "open"

    asyncio.run(script())


@given(st.lists(some_octets, min_size=1, max_size=12))
@LIVE
def test_no_sequence_of_octets_ends_the_server_or_another_session(chunks: list[bytes]) -> None:
    async def script() -> None:
        async with serving() as site:
            bystander, noisy = await site.session(), await site.connect()
            before = len(site.rows("wire", "in"))
            for chunk in chunks:
                noisy.send(chunk)
            if any(chunks):
                assert await site.until(lambda: len(site.rows("wire", "in")) > before)
            assert await is_served(bystander, 1)

    asyncio.run(script())


@pytest.mark.parametrize(
    "octets",
    [b"SSH-2.0-client\r\n", client_hello(), b"\x00" * 3000, b"\r\n" * 500],
    ids=["ssh", "tls", "zeros", "line-ends"],
)
def test_another_protocol_gets_no_answer_and_the_connection_remains_usable(octets: bytes) -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.connect()
            peer.send(octets)
            assert await peer.hears_nothing()
            peer.send(b"\x03")
            assert (await peer.login()).data[0] == "A"

    asyncio.run(script())


@pytest.mark.parametrize("reads", [1, 2, 5])
def test_a_browsers_request_is_closed_before_a_frame_in_it_is_served(reads: int) -> None:
    """A web page can make a browser post any text to any port: frames in it must not be served."""
    octets = b"POST /form HTTP/1.1\r\nHost: 127.0.0.1:3024\r\n\r\n" + harness.login() + harness.submit(1)

    async def script() -> None:
        async with serving() as site:
            peer = await site.connect()
            size = 1 if reads == 5 else len(octets) // reads
            for at in range(0, len(octets) if reads < 5 else 10, size):
                with suppress(ConnectionError):
                    peer.send(octets[at : at + size])
                    await peer.drain()
                await asyncio.sleep(0.01)
            assert await site.until(lambda: site.reason_of_closing(peer) == "server: an HTTP request")
            assert site.rows("wire", "out") == []
            assert site.rows("centre", "login") == []

    asyncio.run(script())


@pytest.mark.parametrize("noise", [b"9", b"/", b"\xff"])
def test_an_endless_frame_closes_its_connection_with_the_reason_in_the_ledger(noise: bytes) -> None:
    async def script() -> None:
        async with serving() as site:
            bystander, endless = await site.session(), await site.session()
            endless.send(b"\x02" + noise * (LONGEST + 1))
            assert await endless.end() in {"fin", "rst"}
            assert await site.until(lambda: len(site.control.sessions()) == 1)
            assert site.reason_of_closing(endless) == "server: frame too long"
            assert await is_served(bystander, 1)

    asyncio.run(script())


def test_a_frame_of_maximum_length_does_not_close_its_connection() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            peer.send(b"\x02" + b"9" * LONGEST)
            peer.send(b"\x03")
            assert (await peer.submit(1)).data[0] == "A"

    asyncio.run(script())


def test_octets_that_never_end_are_not_kept() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            for _ in range(64):
                peer.send(b"no frame at all " * 1024)
                await peer.drain()
            sent = len(peer.sent)
            assert await site.until(lambda: sum(len(row[3]) for row in site.rows("wire", "in")) == sent)
            assert len(site.server.gateway.lines[1].framer.pending) <= LONGEST + 1

    asyncio.run(script())


def test_a_frame_sent_octet_by_octet_is_answered_after_its_last_octet() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            frame = harness.submit(1)
            before = len(site.rows("wire", "in"))
            for at in range(len(frame)):
                peer.send(frame[at : at + 1])
                assert await site.until(lambda at=at: len(site.rows("wire", "in")) == before + at + 1)  # type: ignore[misc]  # binds the loop's value
                assert (site.control.answered() == 1) == (at == len(frame) - 1)
            assert (await peer.frame()).data[0] == "A"

    asyncio.run(script())
