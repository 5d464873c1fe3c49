"""In-memory pieces that tests share: a gateway with its centre, and a peer that speaks UCP to it. No socket."""

from __future__ import annotations

from typing import Any

from fake_smsc.scenario import CodeConfig, Scenario
from fake_smsc.server.assembly import assemble
from fake_smsc.ucp_gateway import Gateway
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from simbench.ucp.frame import Frame, Framer, WireError, encode
from simbench.ucp.operations import build
from tests.paris import instant

START = instant(2026, 3, 2, 10, 0, 0)
CODES = (CodeConfig(code="36010"), CodeConfig(code="38001"))


def gateway_of(*codes: CodeConfig, **more: Any) -> tuple[Gateway, MemoryLedger]:
    """A gateway with its clock at START."""
    ledger = MemoryLedger()
    gateway = assemble(Scenario(codes=codes or CODES, **more), load_contract(), ledger)
    gateway.advance(START)
    return gateway, ledger


class Peer:
    """One connection to a gateway in memory; `now` is moved by hand."""

    def __init__(self, gateway: Gateway, number: int = 1, now: int = START) -> None:
        self.gateway, self.number, self.now = gateway, number, now
        self.received: list[Frame] = []
        self._framer = Framer()
        gateway.opened(number, now)

    def send(self, octets: bytes) -> list[Frame]:
        """Send octets; the frames that come back at once."""
        self.gateway.received(self.number, octets, self.now)
        return self._collect()

    def wait(self, us: int) -> list[Frame]:
        """Let time pass; the frames that come meanwhile."""
        self.now += us
        self.gateway.advance(self.now)
        return self._collect()

    def login(self, account: str = "36010", password: str = "secret") -> Frame:
        """Open the session."""
        return self.send(login(account, password))[0]

    def submit(self, trn: int = 1, **fields: str) -> list[Frame]:
        """One operation 51 with a text, asking for the final notification."""
        return self.send(submit(trn, **fields))

    def acknowledge(self, notice: Frame, body: str = "A///") -> list[Frame]:
        """Answer a 52 or 53."""
        return self.send(encode(notice.trn, "R", notice.ot, body))

    def why_closed(self) -> str:
        """Why the gateway wants this connection closed, "" when it does not."""
        return self.gateway.closings.get(self.number, "")

    def _collect(self) -> list[Frame]:
        frames: list[Frame] = []
        for number, octets in self.gateway.output():
            if number != self.number:
                continue
            for item in self._framer.feed(octets):
                assert not isinstance(item, WireError), item
                frames.append(item)
        self.received += frames
        return frames


def login(account: str = "36010", password: str = "secret", trn: int = 0) -> bytes:
    """A session-open operation."""
    return build(
        "60", "O", f"{trn:02d}", OAdC=account, OTON="6", ONPI="5", STYP="1", PWD=password.encode().hex().upper(),
        VERS="0100",
    )  # fmt: skip


def submit(trn: int = 1, **fields: str) -> bytes:
    """An operation 51."""
    values = {"AdC": "33710000001", "OAdC": "36010", "NRq": "1", "NT": "3", "MT": "3", "Msg": "426F6E6A6F7572"}
    return build("51", "O", f"{trn:02d}", **{**values, **fields})
