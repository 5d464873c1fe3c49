"""Shared by the gateway's tests: an open session, an absent subscriber, an operation in one call."""

from __future__ import annotations

from typing import Any

from fake_smsc.scenario import CodeConfig
from simbench.base.units import MINUTE_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.frame import Frame
from simbench.ucp.operations import build, decode
from tests.harness import START, Peer, gateway_of
from tests.paris import minute_text, scts_text

AWAY = "33710000001"
NOW_STAMP = "020326100000"  # START as a time stamp


def logged_in(*codes: CodeConfig, account: str = "36010", **more: Any) -> Peer:
    gateway, _ = gateway_of(*codes, **more)
    peer = Peer(gateway)
    assert peer.login(account).data[0] == "A"
    return peer


def keep(peer: Peer, us: int) -> list[Frame]:
    """Let time pass with a keepalive each minute; acknowledge and return the notifications received."""
    notices = []
    while us > 0:
        step = min(us, MINUTE_US)
        us -= step
        for frame in peer.wait(step) + peer.send(operation("31", 99, AdC="36010", PID="0539")):
            notices += answer(peer, frame)
    return notices


def answer(peer: Peer, frame: Frame) -> list[Frame]:
    """Acknowledge a notification and the following ones."""
    if frame.kind == "R":
        return []
    return [frame, *(later for more in peer.acknowledge(frame) for later in answer(peer, more))]


def put(peer: Peer, attached: bool, msisdn: str = AWAY) -> None:
    peer.gateway.centre.subscriber(Subscriber(msisdn, "orange", "orange", attached, False), peer.now)


def buffered(*codes: CodeConfig, **fields: str) -> Peer:
    """A peer with one message in the store, for an absent subscriber."""
    peer = logged_in(*codes)
    put(peer, attached=False)
    assert peer.submit(1, **fields)[0].data[0] == "A"
    keep(peer, 3 * MINUTE_US)
    return peer


def operation(ot: str, trn: int, **fields: str | list[str]) -> bytes:
    return build(ot, "O", f"{trn:02d}", "", **fields)


def ask(peer: Peer, ot: str, **fields: str | list[str]) -> tuple[str, list[Frame]]:
    """Send one operation; return its result ("A" or the error code) and the frames after it."""
    if ot in {"54", "55", "56"}:
        fields = {"AdC": AWAY, "OAdC": "36010", **fields}
    result, *after = peer.send(operation(ot, 40, **fields))
    values = decode(result)
    return values.get("EC", "A"), after


def rows(peer: Peer, kind: str) -> list[tuple[object, ...]]:
    return [row for row in peer.gateway.centre.sink.centre if row[1] == kind]


def minutes_ahead(us: int) -> str:
    return minute_text(START + us)


def stamps_ahead(us: int) -> str:
    return scts_text(START + us)


def hexed(text: str) -> str:
    return text.encode("ascii").hex().upper()
