"""Scenarios: the typed description of a run, read from TOML.

Keys left out of a scenario take the value of the contract.
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from fake_smsc.strictness import Strictness
from simbench.base.calendar import Calendar
from simbench.base.errors import BadInput, ScenarioError
from simbench.base.toml_files import choice, read_toml, shown
from simbench.contract import Contract
from simbench.contract.load import DEFAULT, contract_beside

Mode = Literal["cut", "reset", "refuse", "accept-close", "silent", "deaf-results"]
Allowed = IPv4Network | IPv6Network
LimitMode = Literal["monitor", "delay", "nack", "discard", "close"]
Meter = Literal["sliding", "tumbling", "bucket", "mean_10s", "all_operations"]  # the readings of AMB-05
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
PresetName = Literal["attached", "clean-base", "old-base", "etsi-2006"]
Digits = Annotated[str, msgspec.Meta(pattern="^[0-9]{2}$")]

OF_THE_ACCOUNT = ("password", "window", "sessions", "state", "auth_code", "priority", "list_max")

_WHEN = ("share", "from_s", "for_s")
_WHOM = (*_WHEN, "code")

# The parameters accepted by each wire fault of fake_smsc/faults. Faults of new connections take no `code`, because
# there is no login yet.
FAULT_PARAMETERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("accept-close", "accept-reset"), _WHEN),
    **dict.fromkeys(
        ("no-result", "wrong-trn", "wrong-ot", "nack-without-ec", "ack-though-lost", "result-without-stamp",
         "short-result", "stray-result", "lost-notification", "wrong-stamp", "short-notification",
         "unknown-operation", "alert-to-client", "login-unanswered", "alert-unanswered"),
        _WHOM,
    ),
    **dict.fromkeys(
        ("late-result", "double-result", "reordered-results", "early-notification", "late-notification",
         "double-notification", "reordered-notifications", "mo-at-full-window"),
        (*_WHOM, "delay_s"),
    ),
    **dict.fromkeys(("nack", "nack-though-stored", "login-refused"), (*_WHOM, "ec")),
    **dict.fromkeys(("bad-checksum", "wrong-length", "high-octet", "cut-frame", "line-ends"), (*_WHOM, "ot")),
    **dict.fromkeys(("endless-frame", "garbage", "small-segments"), (*_WHOM, "ot", "octets")),
    **dict.fromkeys(("half-open", "reset", "hang-up", "cut-off"), (*_WHOM, "after")),
    "merged-segments": (*_WHOM, "ot", "delay_s"),
    "slow-write": (*_WHOM, "ot", "octets_per_s"),
    "slow-read": (*_WHOM, "octets_per_s"),
    "mo-flood": (*_WHOM, "per_s"),
}  # fmt: skip


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The SMSC's listening port and its clock.

    `port` 0: any free port. `epoch` is the platform's time at the start, civil time of the contract's zone such as
    "2016-10-03T07:59:50"; empty: the wall clock. `speed`: platform seconds per real second.

    `durable` true: a result is written only after its rows are on disk. While the ledger cannot be written,
    `when_unwritable` "hold" stops reading from all clients; "go-on" continues as long as the rows fit into memory.

    `allow` lists the addresses or networks that may connect, such as "192.0.2.0/24"; empty: all (OPS-CON-03, 04). An
    address with `failed_logins_per_min` failed logins is blocked for the rest of the minute; 0: no limit.

    `host` is the address on which the SMSC listens.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 3024
    epoch: str = ""
    speed: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = 1.0
    durable: bool = False
    when_unwritable: Literal["hold", "go-on"] = "hold"
    allow: tuple[str, ...] = ()
    failed_logins_per_min: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class CodeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One short code and the account that sends from it. Zero or empty: the value of the contract.

    `rate_per_s` is a rate of the contract in messages (segments) per second; a rate that must be requested needs
    `request_id`, the reference of that request (OPS-ACH-06). `account` is the login; empty: the short code. Codes of
    one account repeat its settings. `window`: the most unanswered operations of a session. `sessions`: the most
    sessions of the account at a time. `link_ms` is the round-trip time of the client's link; 0 skips the check that the
    window suffices for the rate.

    `limit` is the treatment of messages above the rate: "monitor" accepts all, "delay" holds the result back until the
    rate allows it (refused if that takes too long), "nack" refuses with error code `nack_ec`, "discard" gives no
    result, "close" closes the connection. `meter` is the way operations are counted (a reading of AMB-05).

    `state`: "suspended" refuses logins and submits with error code 04, "closed" refuses logins as unknown (07).
    `oadc_option`: the account may send under a sender name. `auth_code` is the AC its operations may carry (empty: AC
    is not checked), `priority` the subscription to PR, `list_max` the capacity of each of the MO and MT lists of
    operation 61.

    `code` is the short code. `password` is the password of the account.
    """

    code: str
    rate_per_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    account: str = ""
    password: str = "secret"  # noqa: S105 - a demo account on loopback
    window: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    sessions: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    link_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0
    limit: LimitMode = "delay"
    meter: Meter | Literal[""] = ""
    nack_ec: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}$")] = "04"
    state: Literal["active", "suspended", "closed"] = "active"
    oadc_option: bool = False
    auth_code: Annotated[str, msgspec.Meta(pattern="^([0-9]{4,16})?$")] = ""
    priority: bool = False
    list_max: Annotated[int, msgspec.Meta(ge=0)] = 1000
    request_id: str = ""


class SubscribersConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The subscriber base: a file of known numbers, and the shares used to draw all other numbers.

    `file` is a CSV or Parquet file with the columns msisdn, operator ("none": unassigned), state (attached, off,
    roaming) and optionally kind (mobile, m2m). Its path is relative to the scenario.

    `preset` sets the absences and failure rates of the drawn subscribers, and the share of unknown numbers unless
    `share_unknown` sets it: "attached" always reachable; "clean-base" about 12 % absent and 1 % unknown; "old-base" 25
    % and 6 %; "etsi-2006" 38 % and none.

    Shares: `share_ported_out` of the operator's numbers, `share_ported_in` of other operators' numbers, `share_unknown`
    of both; `share_absent` and `share_roaming` of the subscribers served here.
    """

    file: str = ""
    preset: PresetName = "attached"
    share_ported_out: Share = 0.0
    share_ported_in: Share = 0.0
    share_unknown: Share = 0.0
    share_absent: Share = 0.0
    share_roaming: Share = 0.0


class OutageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scripted outage: `at_s` platform seconds after the start, for `for_s` seconds.

    `mode`: "cut" closes all connections (FIN), "reset" resets them (RST), "refuse" leaves them open but silent; all
    three accept no new ones. "accept-close" closes existing connections and each new one at once. "silent" accepts
    connections and answers nothing. "deaf-results" processes what it reads but answers nothing. `scope`: "total", or
    one short code. Outages must not overlap.
    """

    at_s: Positive
    for_s: Positive
    mode: Mode = "refuse"
    scope: str = "total"


class FaultConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wire fault: its `name` (docs/reference/faults.md), scope, period and parameters.

    `share` of the candidates are hit. `code`: only connections of this short code; empty: all. The fault is active from
    `from_s` platform seconds after the start, for `for_s` seconds (0: until cleared). The other keys are parameters of
    single faults: only those that the page lists for the fault are accepted, and one left out takes the fault's
    default.

    `delay_s` is a delay in seconds. `ec` is the error code of a refusal. `ot` is the operation type that is hit.
    `octets` is a number of octets, `octets_per_s` a rate in octets per second. `per_s` is a number of messages per
    second. `after` is the number of frames written before the fault.
    """

    name: str
    share: Share = 1.0
    code: str = ""
    from_s: NotNegative = 0.0
    for_s: NotNegative = 0.0
    delay_s: NotNegative | None = None
    ec: Digits | None = None
    ot: Digits | None = None
    octets: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    octets_per_s: Annotated[int, msgspec.Meta(ge=1)] | None = None
    per_s: Annotated[float, msgspec.Meta(gt=0, le=1000)] | None = None
    after: Annotated[int, msgspec.Meta(ge=0)] | None = None


class DeliveryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The delivery of messages by the platform.

    `refuse_elsewhere` true: submits to numbers of other operators are refused with error code 06; false: they are
    accepted and then reported as not delivered. `latency_median_ms` is the median time from acceptance to delivery; 0:
    the value of the contract.
    """

    refuse_elsewhere: bool = False
    latency_median_ms: Annotated[int, msgspec.Meta(ge=0)] = 0


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario: at least one short code table; all other keys have defaults.

    `name` appears in the records of a run, `title` describes the file to its reader. `seed` determines all draws.
    `contract` is a built-in contract or a file beside the scenario.
    `keep`: the part of the wire that the ledger stores; the only value is "octets".
    """

    name: str = "demo"
    title: str = ""
    seed: int = 1
    contract: str = DEFAULT
    keep: Literal["octets"] = "octets"  # the ledger stores the octets of the wire
    server: ServerConfig = ServerConfig()
    codes: tuple[CodeConfig, ...] = ()
    subscribers: SubscribersConfig = SubscribersConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    strictness: Strictness = Strictness()
    outages: tuple[OutageConfig, ...] = ()
    faults: tuple[FaultConfig, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file. Raises ScenarioError with file, key, value and expectation."""
    scenario = read_toml(path, Scenario, ScenarioError)
    contract = contract_beside(scenario.contract, path)
    check_scenario(scenario, contract, str(path))
    return scenario


def demo_scenario(contract: Contract) -> Scenario:
    """Return the scenario of `simbench serve` without a file: one short code per tier of the contract."""
    rates = contract.terms.code_per_tier().items()
    codes = tuple(CodeConfig(code=code, rate_per_s=rate, request_id="demo") for code, rate in rates)
    return Scenario(name="demo", title="One short code per tier", contract=contract.name, codes=codes)


def check_scenario(scenario: Scenario, contract: Contract, place: str) -> None:
    """Check that short codes are in range, tiers exist, and windows suffice for the rate. Raises ScenarioError."""
    if not scenario.codes:
        raise ScenarioError(f"{place}: codes", "no short code", "at least one [[codes]] table")
    seen: dict[str, CodeConfig] = {}
    for index, config in enumerate(scenario.codes):
        key = f"{place}: codes[{index}]"
        if config.code in seen:
            raise ScenarioError(f"{key}.code", f"{config.code!r} appears twice", "each short code once")
        _check_code(config, contract, key)
        _check_shared_account(config, seen, key)
        seen[config.code] = config
    _check_outages(scenario.outages, seen, place)
    for index, fault in enumerate(scenario.faults):
        key = f"{place}: faults[{index}]"
        check_fault(fault, key, ScenarioError)
        if fault.code and fault.code not in seen:
            raise ScenarioError(f"{key}.code", f"{fault.code!r}", "a short code above")
    if scenario.server.epoch:
        epoch_us(scenario, contract.calendar, place)
    allowed_networks(scenario.server, f"{place}: server.allow")


def _check_code(config: CodeConfig, contract: Contract, key: str) -> None:
    terms = contract.terms
    tiers, pattern = terms.throughput.rates, terms.numbering.code_pattern
    if not re.fullmatch(pattern, config.code):
        raise ScenarioError(f"{key}.code", f"{config.code!r}", f"a short code matching {pattern}")
    if config.rate_per_s and config.rate_per_s not in tiers:
        raise ScenarioError(f"{key}.rate_per_s", f"{config.rate_per_s}", f"one of the tiers {tiers}")
    if terms.throughput.must_ask(config.rate_per_s) and not config.request_id:
        clause = terms.throughput.request_from_per_s.clause if terms.throughput.request_from_per_s else ""
        expected = f"the reference of the request for {config.rate_per_s}/s" + (f" ({clause})" if clause else "")
        raise ScenarioError(f"{key}.request_id", "empty", expected)
    rate_per_s = config.rate_per_s or terms.throughput.default_per_s.value
    window = config.window or terms.session.window.value
    if window * 1000 < rate_per_s * config.link_ms:  # each slot of the window is free again after one round trip
        needed = -(-rate_per_s * config.link_ms // 1000)
        problem = f"{window} carries {window * 1000 / config.link_ms:.3g}/s over a round trip of {config.link_ms} ms"
        raise ScenarioError(f"{key}.window", problem, f"at least {needed} to reach {rate_per_s}/s, or a shorter link")


def _check_shared_account(config: CodeConfig, seen: dict[str, CodeConfig], key: str) -> None:
    """Check that codes of one account repeat its login and account settings identically."""
    name = config.account or config.code
    for other in seen.values():
        for field in OF_THE_ACCOUNT if (other.account or other.code) == name else ():
            ours, theirs = getattr(config, field), getattr(other, field)
            if ours != theirs:
                expected = f"{theirs!r} as with code {other.code}, of the same account {name!r}"
                raise ScenarioError(f"{key}.{field}", f"{ours!r}", expected)


def _check_outages(outages: tuple[OutageConfig, ...], codes: Container[str], place: str) -> None:
    for index, outage in enumerate(outages):
        if outage.scope != "total" and outage.scope not in codes:
            raise ScenarioError(
                f"{place}: outages[{index}].scope", f"{outage.scope!r}", '"total" or a short code above'
            )
        for earlier, other in enumerate(outages[:index]):
            if outage.at_s < other.at_s + other.for_s and other.at_s < outage.at_s + outage.for_s:
                problem = f"{outage.at_s:g} falls within outages[{earlier}]"
                expected = f"one outage at a time: the other lasts from {other.at_s:g} s for {other.for_s:g} s"
                raise ScenarioError(f"{place}: outages[{index}].at_s", problem, expected)


def check_fault(fault: FaultConfig, key: str, error: type[BadInput]) -> None:
    """Check that a wire fault of this name exists and accepts the parameters set. Raises `error`."""
    taken = FAULT_PARAMETERS.get(fault.name)
    if taken is None:
        raise error(f"{key}.name", f"{shown(fault.name)} is not a fault", choice(fault.name, FAULT_PARAMETERS))
    for field, default in zip(fault.__struct_fields__[1:], FaultConfig.__struct_defaults__, strict=True):
        if getattr(fault, field) != default and field not in taken:
            expected = f"of {fault.name} only {', '.join(taken)}"
            raise error(f"{key}.{field}", f"is {shown(getattr(fault, field))}", expected)


def allowed_networks(server: ServerConfig, place: str = "server.allow") -> tuple[Allowed, ...]:
    """Return the networks that may connect. Raises ScenarioError for text that is neither an address nor a network."""
    networks = []
    for text in server.allow:
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise ScenarioError(place, shown(text), "an address, or a network such as 192.0.2.0/24") from None
    return tuple(networks)


def epoch_us(scenario: Scenario, calendar: Calendar, place: str = "scenario") -> int:
    """Return the platform's start (us, UTC). Raises ScenarioError if `server.epoch` is not a civil time."""
    try:
        return calendar.from_civil(datetime.fromisoformat(scenario.server.epoch).replace(tzinfo=None))
    except ValueError as error:
        expected = f"civil time of {calendar.zone} like 2016-10-03T07:59:50"
        raise ScenarioError(f"{place}: server.epoch", f"{scenario.server.epoch!r}", expected) from error
