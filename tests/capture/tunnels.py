"""Captures of UCP through ESP tunnels, built by scapy, and keys files to open them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simbench.capture.layers import Segment
from tests.capture.scenes import ip_packet, pcap, write

CBC = ("AES-CBC", "0f" * 16, "SHA2-256-128", "a5" * 32)
GCM = ("AES-GCM", "1e" * 20, "NULL", "")  # 16 octets of key, 4 of salt
SPIS = {"in": 0xC0FFEE01, "out": 0xC0FFEE02}
Sent = Iterable[tuple[int, Segment]]


def keys(folder: Path, suite: tuple[str, str, str, str] = CBC, name: str = "keys.toml") -> Path:
    encryption, key, integrity, integrity_key = suite
    reported = [
        f'[[sa]]\nspi = "{spi:08x}"\nencryption = "{encryption}"\nkey = "{key}"\n'
        f'integrity = "{integrity}"\nintegrity_key = "{integrity_key}"\n'
        for spi in SPIS.values()
    ]
    path = folder / name
    path.write_text("\n".join(reported), encoding="utf-8")
    return path


class Tunnel:
    """Both directions of a tunnel; `wrap` puts a packet inside."""

    def __init__(self, suite: tuple[str, str, str, str] = CBC, *, udp: bool = False, transport: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from scapy.layers import inet, ipsec
        self._ip, association = inet.IP, getattr(ipsec, "SecurityAssociation")  # noqa: B009 - it has no types
        encryption, key, integrity, integrity_key = suite
        more: dict[str, Any] = {"nat_t_header": inet.UDP(sport=4500, dport=4500)} if udp else {}
        ends = {"in": ("192.0.2.1", "198.51.100.1"), "out": ("198.51.100.1", "192.0.2.1")}
        self._ways: dict[str, Any] = {
            way: association(
                ipsec.ESP,
                spi=spi,
                crypt_algo=encryption,
                crypt_key=bytes.fromhex(key),
                auth_algo=integrity,
                auth_key=bytes.fromhex(integrity_key),
                tunnel_header=None if transport else inet.IP(src=ends[way][0], dst=ends[way][1]),
                **more,
            )
            for way, spi in SPIS.items()
        }

    def wrap(self, packet: bytes) -> bytes:
        way = "in" if int.from_bytes(packet[22:24], "big") == 5_000 else "out"
        return bytes(self._ways[way].encrypt(self._ip(packet)))


def capture(folder: Path, sent: Sent, tunnel: Tunnel | None, clear: Iterable[int] = ()) -> Path:
    """The segments as packets in a file, inside the tunnel but for those at these places."""
    beside = set(clear)
    packets = [(at, ip_packet(segment)) for at, segment in sent]
    return write(
        folder,
        pcap(
            (at, packet if tunnel is None or place in beside else tunnel.wrap(packet))
            for place, (at, packet) in enumerate(packets)
        ),
    )
