"""UCP through a real IPsec tunnel: the client reaches the server through it alone; outside nothing is in clear."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.layers.isakmp import ISAKMP
from scapy.utils import rdpcap

from simbench.ledger import open_run
from tests.cli.child import SIMBENCH
from tests.real.conftest import require
from tests.real.tunnel import DEADLINE_S, INNER, OUTER, Forbidden, Key, Tunnel

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
TEXT = "Rien de ceci ne se voit dehors"


@pytest.fixture
def tunnel(tmp_path: Path) -> Iterator[Tunnel]:
    for program, package in (("swanctl", "strongswan-swanctl"), ("tcpdump", "tcpdump"), ("ip", "iproute2")):
        require(program, package=package)
    if os.geteuid() != 0:
        pytest.skip("namespaces and tunnels need root")
    made = Tunnel(tmp_path / "tunnel")
    try:
        made.__enter__()
    except Forbidden as why:
        pytest.skip(f"this machine does not allow it: {why}")
    try:
        yield made
    finally:
        made.__exit__()


def test_the_client_reaches_the_server_through_the_tunnel_alone_and_nothing_is_in_clear(
    tunnel: Tunnel, tmp_path: Path
) -> None:
    capture = tmp_path / "outside.pcap"
    sniffing = tunnel.capture(capture)
    arguments = ("--host", INNER[1], "--port", "3024", "--expose", "--allow", INNER[0], "-o", str(tmp_path / "run"))
    command = tunnel.inside(1, *SIMBENCH, "serve", *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as server:
        try:
            assert server.stdout is not None
            assert f"listening on {INNER[1]}:3024" in server.stdout.readline()
            reported = send_one(tunnel, tmp_path)
        finally:
            server.send_signal(signal.SIGTERM)
    sniffing.send_signal(signal.SIGINT)
    sniffing.wait(DEADLINE_S)
    assert {"ready", "queued", "accepted", "delivered"} <= reported
    accepted = open_run(tmp_path / "run").centre.column("kind").to_pylist().count("accepted")
    assert accepted == 1

    packets = [packet[IP] for packet in rdpcap(str(capture)) if IP in packet]
    assert {packet.src for packet in packets} | {packet.dst for packet in packets} == set(OUTER)
    assert all(UDP in packet for packet in packets), "nothing but IKE and ESP, both in UDP"
    assert TEXT.encode().hex().upper().encode() not in capture.read_bytes()
    inside = b"".join(opened(packets, key) for key in tunnel.opening())
    assert b"/O/60/36010/" in inside, "the login went through the tunnel"
    assert TEXT.encode().hex().upper().encode() in inside


def send_one(tunnel: Tunnel, folder: Path) -> set[str]:
    """The reference client on the other side, from start to the delivery of one message; the events it reported."""
    account = {"code": "36010", "account": "36010", "password": "secret", "rate_per_s": 10}
    settings = {
        "SIMBENCH_HOST": INNER[1],
        "SIMBENCH_PORT": "3024",
        "SIMBENCH_ACCOUNTS": json.dumps([account]),
        "SIMBENCH_SPOOL": str(folder / "client.spool"),
    }
    reported: set[str] = set()
    command = tunnel.inside(0, sys.executable, "-m", "simbench.client")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**ENVIRONMENT, **settings}, cwd=ROOT
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(json.dumps({"do": "send", "ref": "m1", "code": "36010", "to": "33639980012", "text": TEXT}))
        client.stdin.write("\n")
        client.stdin.flush()
        for line in client.stdout:
            reported.add(json.loads(line)["event"])
            if reported & {"delivered", "refused", "withheld", "error"}:
                break
        client.stdin.close()
        client.kill()
    return reported


def opened(packets: list[IP], key: Key) -> bytes:
    """Return the decrypted contents of the packets of one direction, in order."""
    association_of: Any = SecurityAssociation  # scapy says no types
    association = association_of(
        ESP, spi=key.spi, crypt_algo="AES-CBC", crypt_key=key.encryption, auth_algo="SHA2-256-128",
        auth_key=key.integrity, tunnel_header=IP(), nat_t_header=UDP(sport=4500, dport=4500),
    )  # fmt: skip
    sealed = [packet for packet in packets if ESP in packet and packet[ESP].spi == key.spi]
    assert sealed
    assert not any(ISAKMP in packet for packet in sealed)
    return b"".join(bytes(association.decrypt(packet).payload) for packet in sealed)
