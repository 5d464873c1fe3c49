"""TLS, and an API that other machines can reach without it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fake_smsc.scenario import ServerConfig
from fake_smsc.server.network import Tcp, tls_context
from simbench.base.errors import BadInput
from simbench.ledger import MemoryLedger
from simbench.service import turns
from simbench.service.client import ApiError
from simbench.service.settings import ServiceSettings, check
from tests import harness
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer, dial, serving
from tests.service.patient import PatientClient
from tests.service.stage import staged


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "simbench test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "cert.pem", folder / "key.pem"


def test_the_api_speaks_tls_and_nothing_else_where_a_certificate_is_given(certificate: tuple[Path, Path]) -> None:
    async def script() -> None:
        async with staged(ServiceSettings(certificate=certificate[0], key=certificate[1])) as stage:
            trusting = ssl.create_default_context(cafile=certificate[0])
            with PatientClient(stage.url, verify=trusting) as client:
                assert (await stage.ask(client.platform)).state == "up"
            with pytest.raises(httpx.HTTPError):
                await stage.ask(stage.client.platform)  # knows no such authority
            with pytest.raises((httpx.HTTPError, ApiError)), PatientClient(f"http://127.0.0.1:{stage.port}") as plain:
                await stage.ask(plain.platform)

    asyncio.run(script())


def test_ucp_goes_under_tls_where_a_certificate_is_given(certificate: tuple[Path, Path]) -> None:
    async def script() -> None:
        network = Tcp(tls_context(*certificate))
        async with serving(network=network, server=ServerConfig(port=0), ledger=MemoryLedger()) as site:
            trusting = ssl.create_default_context(cafile=certificate[0])
            peer = LivePeer(*await asyncio.open_connection("127.0.0.1", site.server.port, ssl=trusting))
            assert (await peer.login()).data[0] == "A"
            assert (await peer.submit(1, NRq="", NT="")).data[0] == "A"
            await peer.close()
            plain = await dial(site.server.port)
            plain.send(harness.login())
            assert await plain.end() in {"fin", "rst"}
            await plain.close()

    asyncio.run(script())


def test_a_peer_that_does_not_shake_hands_is_dropped(certificate: tuple[Path, Path]) -> None:
    async def script() -> None:
        network = Tcp(tls_context(*certificate), handshake_s=0.05)
        async with serving(network=network, server=ServerConfig(port=0), ledger=MemoryLedger()) as site:
            silent = [await dial(site.server.port) for _ in range(20)]
            for peer in silent:
                assert await peer.end() in {"fin", "rst"}
                await peer.close()
            assert not site.server.connections

    asyncio.run(script())


def test_a_peer_of_the_api_that_does_not_shake_hands_is_dropped_and_the_oldest_makes_room(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script() -> None:
        trusting = ssl.create_default_context(cafile=certificate[0])
        async with staged(ServiceSettings(certificate=certificate[0], key=certificate[1])) as stage:
            silent = [await dial(stage.port) for _ in range(turns.HANDSHAKES)]
            with PatientClient(stage.url, verify=trusting) as client:
                assert (await stage.ask(client.platform)).state == "up"
            assert await silent[0].end() in {"fin", "rst"}, "long before its time is up"
            monkeypatch.setattr(turns, "HANDSHAKE_S", 0.05)
            late = await dial(stage.port)
            assert await late.end() in {"fin", "rst"}
            for peer in (*silent, late):
                await peer.close()

    asyncio.run(script())


def test_a_certificate_without_its_key_or_that_is_none_is_bad_input(certificate: tuple[Path, Path]) -> None:
    with pytest.raises(BadInput, match="one without the other"):
        check(ServiceSettings(certificate=certificate[0]))
    with pytest.raises(BadInput, match="PEM files"):
        check(ServiceSettings(certificate=certificate[1], key=certificate[1]))


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_api_that_others_can_reach_without_tls_is_warned_of(
    tmp_path: Path, certificate: tuple[Path, Path], encrypted: bool
) -> None:
    (tmp_path / "token").write_text("0123456789abcdef")
    options = ["--expose", "--allow", "127.0.0.0/8", "--api", "0", "--token-file", str(tmp_path / "token")]
    if encrypted:
        options += ["--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1])]
    with Served("--host", "0.0.0.0", "--port", "0", "-o", tmp_path / "run", *options) as server:  # noqa: S104 - meant
        warned = [line for line in server.banner.splitlines() if "warning: the API on 0.0.0.0 is plain HTTP" in line]
    assert len(warned) == (not encrypted)
    with Served("--port", "0", "-o", tmp_path / "loopback", "--api", "0") as server:
        assert "plain HTTP" not in server.banner
