"""The configuration of a Kannel under test: one EMI link per account, all other ports on the loopback interface.

Names of groups and directives: Kannel User Guide, chapters 4 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from simbench.base.errors import BadInput
from simbench.bench.sut.protocol import AccountGiven, Target

USER = "bench"
EVERYTHING = 31  # the DLR mask: delivered 1, undelivered 2, buffered 4, accepted by the SMSC 8, refused by it 16
LEAST_WAIT_ACK_S = 30  # with a lower value Kannel does not start
CHECK_S = 30  # minimum interval between its checks for overdue results
LARGEST_WINDOW = 100
LOOPBACK = "127.0.0.1"
ANYONE = "*.*.*.*"

Group = Mapping[str, str | int | Path]


class Ports(msgspec.Struct, frozen=True):
    """Loopback ports: Kannel's own three, and the adapter's for Kannel's reports."""

    admin: int
    smsbox: int
    sendsms: int
    callback: int


def wait_ack_s(target: Target) -> int:
    """Return the `wait-ack` with which Kannel acts within the result timer, or as close to it as possible."""
    return max(LEAST_WAIT_ACK_S, target.result_timer_s - _rest_s(target))


def result_timer_s(target: Target) -> int:
    """Return Kannel's longest wait for a result: it checks only when it wakes, at the latest for a keepalive."""
    return wait_ack_s(target) + _rest_s(target)


def _rest_s(target: Target) -> int:
    """Return the longest time between two checks for overdue results."""
    return max(CHECK_S, target.keepalive_s + 1)


def configuration(target: Target, ports: Ports, secret: str) -> str:
    """Return the configuration file of both boxes. Raises BadInput for an account that it cannot express."""
    core: Group = {
        "group": "core",
        "admin-port": ports.admin,
        "admin-interface": LOOPBACK,
        "admin-password": secret,
        "admin-deny-ip": ANYONE,
        "admin-allow-ip": LOOPBACK,
        "smsbox-port": ports.smsbox,
        "smsbox-interface": LOOPBACK,
        "box-deny-ip": ANYONE,
        "box-allow-ip": LOOPBACK,
        "store-type": "spool",
        "store-location": target.folder / "spool",
        "dlr-storage": "internal",
    }
    smsbox: Group = {
        "group": "smsbox",
        "bearerbox-host": LOOPBACK,
        "bearerbox-port": ports.smsbox,
        "sendsms-port": ports.sendsms,
        "sendsms-interface": LOOPBACK,
    }
    sender: Group = {
        "group": "sendsms-user",
        "username": USER,
        "password": secret,
        "user-deny-ip": ANYONE,
        "user-allow-ip": LOOPBACK,
        "concatenation": "true",
        "max-messages": 255,  # the default of 1 truncates a long text
    }
    receiver: Group = {
        "group": "sms-service",
        "keyword": "default",
        "catch-all": "true",
        "get-url": f"http://{LOOPBACK}:{ports.callback}/mo?from=%p&to=%P&coding=%c&text=%b",
        "max-messages": 0,  # no automatic answer
    }
    groups = (core, *(_smsc(target, given) for given in target.accounts), smsbox, sender, receiver)
    return "\n\n".join("\n".join(f"{key} = {_quoted(key, value)}" for key, value in g.items()) for g in groups) + "\n"


def _smsc(target: Target, given: AccountGiven) -> Group:
    # `wait-ack-expire` keeps its default, a new connection, as in a typical installation. Kannel then loses the
    # message whose result was overdue, without reporting it.
    group: dict[str, str | int | Path] = {
        "group": "smsc",
        "smsc": "emi",
        "smsc-id": given.code,
        "allowed-smsc-id": given.code,  # accepts only messages that name it, so none uses another account
        "host": target.host,
        "port": target.port,
        "smsc-username": given.account,
        "smsc-password": given.password,
        "my-number": given.code,
        "window": min(target.window, LARGEST_WINDOW),
        "flow-control": 0,  # windowed; 1 would be stop and wait
        "wait-ack": wait_ack_s(target),
    }
    if given.rate_per_s:
        group["throughput"] = given.rate_per_s
    if target.keepalive_s:
        group["keepalive"] = target.keepalive_s
    return group


def _quoted(key: str, value: str | int | Path) -> str:
    """Quote a value. Raises BadInput for characters that the line or the encoding cannot contain."""
    text = str(value)
    if not text.isascii() or not text.isprintable():
        raise BadInput(f"Kannel configuration: {key}", repr(text), "visible ASCII characters")
    if isinstance(value, int):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
