"""Decrypts ESP with given keys: the packet inside IP protocol 50, or inside UDP port 4500.

Decryption and integrity are scapy's (`SecurityAssociation`), loaded with the first key. Sources: RFC 4303 (ESP), RFC
3948 (ESP in UDP), RFC 4106 (AES-GCM: the key ends with its four octets of salt).
"""

from __future__ import annotations

import struct
import warnings
from binascii import unhexlify
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.toml_files import choice, label, read_toml
from simbench.capture.layers import FRAGMENTED, UDP
from simbench.capture.links import ip_at
from simbench.capture.network import ESP

_NAT_T: Final = (4500).to_bytes(2, "big")
_NOT_ESP: Final = bytes(4)  # precedes IKE messages on port 4500 (RFC 3948 section 2.2)
_IP_IN_IP: Final = frozenset({4, 41})
PATIENCE: Final = 20  # packets of one SPI that fail to decrypt before its key is rejected


class Association(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One direction of one ESP tunnel: its `spi` (hexadecimal text or a number), algorithms and keys.

    `encryption`: "AES-CBC", "AES-GCM" (its key ends with four octets of salt), "AES-CTR", "AES-CCM",
    "CHACHA20-POLY1305", "3DES" or "NULL" and others; `integrity`: "NULL" (none, or part of the encryption),
    "HMAC-SHA1-96", "SHA2-256-128", "SHA2-512-256" and others. A wrong name is refused with the closest one. `key` and
    `integrity_key` are hexadecimal; spaces, colons and a leading 0x are ignored.
    """

    spi: str | int
    encryption: str
    key: str = ""
    integrity: str = "NULL"
    integrity_key: str = ""


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A keys file: one `[[sa]]` table for each direction of each tunnel."""

    sa: tuple[Association, ...]


class Tunnels:
    """The tunnels of a capture, with counts of decrypted and other ESP packets."""

    def __init__(self, path: Path | None = None) -> None:
        """Without a keys file no ESP packet is decrypted. Raises BadInput naming file and association."""
        self.place = label(path) if path else ""
        self.packets = self.opened = 0
        self.unknown: Counter[int] = Counter()  # packets by SPI for which there is no key
        self.broken: Counter[int] = Counter()  # packets whose integrity does not hold, by SPI
        self._good: Counter[int] = Counter()
        self._known: dict[int, Any] = _associations(read_toml(path, Keys, BadInput), self.place) if path else {}

    @property
    def has_keys(self) -> bool:
        """Whether a keys file was given."""
        return bool(self._known)

    def inner(self, link: int, octets: bytes) -> bytes | None:
        """Return the IP packet inside an ESP packet, b"" if it cannot be decrypted; None if there is no ESP.

        Raises BadInput if a key decrypts none of the first packets of its SPI.
        """
        found = esp_of(link, octets)
        if found is None:
            return None
        ip, esp = found
        self.packets += 1
        spi = int.from_bytes(esp[:4], "big")
        association = self._known.get(spi)
        if association is None:
            self.unknown[spi] += 1
            return b""
        plain = _opened(association, ip, esp)
        if not plain:
            self.broken[spi] += 1
            if self.broken[spi] >= PATIENCE:
                self._refuse_wrong(spi)
            return b""
        self._good[spi] += 1
        self.opened += 1
        return plain

    def finish(self) -> None:
        """End of the capture. Raises BadInput for a key that decrypted none of its packets."""
        for spi in self.broken:
            self._refuse_wrong(spi)

    def _refuse_wrong(self, spi: int) -> None:
        if not self._good[spi]:
            problem = f"decrypts none of {self.broken[spi]} packets"
            raise BadInput(f"{self.place}: SPI {spi:#010x}", problem, "algorithms and keys of that association")


def esp_of(link: int, octets: bytes) -> tuple[bytes, bytes] | None:
    """Return the outer IP header and the ESP packet, of IPv4 or IPv6, bare or in UDP; None if there is none."""
    ip = ip_at(link, octets)
    if ip < 0 or len(octets) < ip + 28:
        return None
    if octets[ip] >> 4 == 4:
        if int.from_bytes(octets[ip + 6 : ip + 8], "big") & FRAGMENTED:
            return None
        kind, at, total = octets[ip + 9], ip + 4 * (octets[ip] & 15), int.from_bytes(octets[ip + 2 : ip + 4], "big")
        end = ip + total if total else len(octets)
    else:
        kind, at = octets[ip + 6], ip + 40
        end = at + int.from_bytes(octets[ip + 4 : ip + 6], "big")
    header, payload = octets[ip:at], octets[at:end]
    if kind == UDP and _NAT_T in {payload[:2], payload[2:4]}:
        payload = payload[8:]
        kind = ESP if len(payload) > 8 and payload[:4] != _NOT_ESP else 0
    return (header, payload) if kind == ESP and len(payload) > 8 else None


def _opened(association: Any, header: bytes, esp: bytes) -> bytes:
    """Return the decrypted content; b"" if the key or the octets are wrong."""
    from scapy.layers import inet, inet6, ipsec  # noqa: PLC0415 - loaded with the first key

    outer = inet.IP(header) if header[0] >> 4 == 4 else inet6.IPv6(header)
    outer.remove_payload()
    fields: Any = {"proto": ESP} if outer.version == 4 else {"nh": ESP}
    packet = type(outer)(src=outer.src, dst=outer.dst, **fields) / ipsec.ESP(esp)
    try:
        plain = bytes(association.decrypt(packet))
    except (ipsec.IPSecIntegrityError, ValueError, IndexError, TypeError, struct.error, AttributeError):
        return b""  # with a wrong key and no integrity, padding and next header can be anything
    size, kind = (20, plain[9]) if plain[0] >> 4 == 4 else (40, plain[6])
    inside = plain[size:] if kind in _IP_IN_IP else plain
    return inside if inside and inside[0] >> 4 in {4, 6} else b""


def _associations(keys: Keys, place: str) -> dict[int, Any]:
    if not keys.sa:
        raise BadInput(place, "has no association", "[[sa]] tables with spi, encryption and key")
    need("esp", place)
    with warnings.catch_warnings():  # about old ciphers, which captures may use
        warnings.simplefilter("ignore")
        from scapy.layers import ipsec  # noqa: PLC0415 - as above

    return {_spi(one, place): _association(one, f"{place}: sa {one.spi}", ipsec) for one in keys.sa}


def _association(one: Association, place: str, ipsec: Any) -> Any:
    for kind, word, known in (
        ("encryption", one.encryption, ipsec.CRYPT_ALGOS),
        ("integrity", one.integrity, ipsec.AUTH_ALGOS),
    ):
        if word not in known:
            raise BadInput(f"{place}: {kind}", f"there is no algorithm {word!r}", choice(word, known))
    try:
        return ipsec.SecurityAssociation(
            ipsec.ESP,
            spi=_spi(one, place),
            crypt_algo=one.encryption,
            crypt_key=_octets(one.key, f"{place}: key"),
            auth_algo=one.integrity,
            auth_key=_octets(one.integrity_key, f"{place}: integrity_key"),
        )
    except (TypeError, ValueError) as problem:
        raise BadInput(place, " ".join(str(problem).split()), "a key of the length that the algorithm needs") from None


def _spi(one: Association, place: str) -> int:
    try:
        spi = one.spi if isinstance(one.spi, int) else int(one.spi, 16)
    except ValueError:
        spi = 0
    if not 0 < spi < 1 << 32:
        raise BadInput(f"{place}: spi", f"is {one.spi!r}", 'hexadecimal like "c1d2e3f4"')
    return spi


def _octets(text: str, place: str) -> bytes:
    try:
        return unhexlify("".join(text.removeprefix("0x").split()).replace(":", ""))
    except ValueError:
        raise BadInput(place, "is not hexadecimal", "two digits for each octet") from None
