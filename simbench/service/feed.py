"""The latest exchanges of a running SMSC: operations, results, and the rule that decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import pyarrow.compute as pc

from fake_smsc.core.refusals import SYNTAX, Rule, rule_of
from fake_smsc.server.control import Control
from simbench.contract import Contract
from simbench.ledger import AnyLedger
from simbench.service.log import frame_id
from simbench.ucp import codes
from simbench.ucp.frame import STX, Frame, Framer, WireError

ROWS: Final = 200  # latest reads and writes, and decisions of the centre, that are examined
OCTETS: Final = 2_048  # latest octets examined of each read or write
ALL_OCTETS: Final = 64_000  # octets examined in total
SILENT: Final = {"discarded": "not answered", "closed": "connection closed"}  # decisions without a result


class Exchange(msgspec.Struct):
    """One operation, or the opening or end of a connection.

    `id` identifies the operation's frame, "" for a connection, and `octets` are its octets; `at` is the instant (us);
    `came` describes the operation, `answered` the result, "" if there is none yet; `decided` is the rule of the SMSC
    that refused or held it, with the contract's clause.
    """

    id: str
    at: int
    session: int
    account: str
    came: str
    answered: str = ""
    decided: str = ""
    octets: bytes = b""


class Feed:
    """The exchanges of one SMSC; nothing is kept between calls."""

    def __init__(self, control: Control, ledger: AnyLedger, contract: Contract) -> None:
        self._control, self._ledger, self._contract = control, ledger, contract
        self._accounts: dict[int, str] = {}  # accounts of the latest logins, by session
        self._faults: dict[tuple[int, str], str] = {}  # wire faults among the latest events, by session and TRN

    def latest(self, most: int, events: Iterable[dict[str, Any]]) -> list[Exchange]:
        """Return the latest exchanges on disk, latest first.

        `events`: the latest events of the platform, oldest first; nobody may change them meanwhile. Any thread may call
        it.
        """
        self._faults = {
            (row["detail"].get("line"), row["detail"].get("trn")): row["subject"]
            for row in events
            if row["kind"] == "fault"
        }
        first = max(0, self._ledger.written["centre"] - ROWS)
        decided = self._ledger.tail("centre", first, ["at", "kind", "session", "recipient"]).to_pylist()
        self._accounts = {row["session"]: row["recipient"] for row in decided if row["kind"] == "login"}
        found: list[Exchange] = []
        waiting: dict[tuple[int, str, str, str], tuple[Exchange, Frame]] = {}
        for row in self._rows():
            if row["direction"] in {"open", "close"}:
                found.append(_connection(row))
            else:
                found += self._frames(row, waiting)
        self._without_result(waiting, decided)
        return found[: -most - 1 : -1]

    def _rows(self) -> list[dict[str, Any]]:
        """Return the latest reads and writes, up to ALL_OCTETS."""
        first = max(0, self._ledger.written["wire"] - ROWS)
        rows = self._ledger.tail("wire", first, ["at", "session", "direction", "octets"])
        sizes, taken, octets = pc.binary_length(rows.column("octets")).to_pylist(), 0, 0
        while taken < len(sizes) and octets < ALL_OCTETS:
            taken += 1
            octets += min(sizes[-taken], OCTETS)
        found: list[dict[str, Any]] = rows.slice(len(sizes) - taken).to_pylist()
        return found

    def _frames(self, row: dict[str, Any], waiting: dict[Any, tuple[Exchange, Frame]]) -> list[Exchange]:
        """Return the exchanges that begin in one read or write; results are added to their exchanges."""
        found: list[Exchange] = []
        session, way, octets = row["session"], row["direction"], row["octets"][-OCTETS:]
        for item in Framer(OCTETS).feed(octets[max(0, octets.find(STX)) :]):
            if isinstance(item, WireError):
                came, rule = "octets outside any frame", self._ruled(SYNTAX, item.name)
                found.append(Exchange("", row["at"], session, self._account(session), came, "", rule))
            elif item.kind == "O":
                exchange = Exchange(
                    frame_id(session, row["at"], item.trn), row["at"], session, self._account(session),
                    _said(item, way), octets=item.octets,
                )  # fmt: skip
                found.append(exchange)
                waiting[session, way, item.trn, item.ot] = exchange, item
            else:
                asked = waiting.pop((session, "out" if way == "in" else "in", item.trn, item.ot), None)
                if asked is not None:
                    self._answer(*asked, item, by_us=way == "out")
        return found

    def _answer(self, exchange: Exchange, asked: Frame, result: Frame, *, by_us: bool) -> None:
        positive, ec, text = result.data[:1] == ["A"], *[*result.data, "", ""][1:3]
        exchange.answered = "accepted" if positive else f"refused {ec} {text}".rstrip()
        if not positive and by_us:
            fault = "" if text else self._fault(exchange.session, result.trn)
            exchange.decided = fault or self._ruled(rule_of(text), text, exchange, asked)

    def _without_result(self, waiting: dict[Any, tuple[Exchange, Frame]], rows: list[dict[str, Any]]) -> None:
        """Name the rule that holds or dropped an operation without a result, from the centre's rows."""
        decided = {
            (row["at"], row["session"], row["recipient"]): row["kind"]
            for row in rows
            if row["kind"] in {"held", *SILENT}
        }
        for exchange, asked in waiting.values():
            kind = decided.get((exchange.at, exchange.session, _recipient(asked)))
            if kind is not None:
                exchange.answered = SILENT.get(kind, "held until the rate allows it")
                exchange.decided = self._ruled(rule_of("throughput exceeded"), "", exchange, asked)

    def _ruled(self, rule: Rule, text: str = "", exchange: Exchange | None = None, asked: Frame | None = None) -> str:
        """Return the sentence of a rule with the values of this case, and its clause."""
        code = _code(asked) if asked is not None else ""
        gateway = self._control.server.gateway
        limiter = gateway.centre.limiters.get(code)
        line = gateway.lines.get(exchange.session) if exchange is not None else None
        named = asked.data[0] if asked is not None and asked.ot in {"60", "61"} and asked.data else ""
        met = rule.sentence(
            code=code or "?", account=named or (exchange.account if exchange is not None else "") or "a stranger",
            recipient=_recipient(asked) if asked is not None else "",
            rate=limiter.limit.rate_per_s if limiter is not None else "?",
            window=line.session.peer.size if line is not None else "?",
        )  # fmt: skip
        detail = f": {text}" if rule is SYNTAX and text else ""
        return f"{met}{detail} ({self._clause(rule.ground) or 'EMI-UCP 4.0'})"

    def _clause(self, ground: str) -> str:
        term = self._contract.terms.by_name().get(ground)
        return term.clause if term is not None else self._contract.clause_of(ground) if ground else ""

    def _fault(self, session: int, trn: str) -> str:
        """Return the wire fault that answered instead of the SMSC."""
        fault = self._faults.get((session, trn))
        return f"wire fault {fault}" if fault else ""

    def _account(self, session: int) -> str:
        line = self._control.server.gateway.lines.get(session)
        return line.account if line is not None else self._accounts.get(session, "")


def _connection(row: dict[str, Any]) -> Exchange:
    text = row["octets"].decode("utf-8", "replace")
    came = f"connection from {text}" if row["direction"] == "open" else "connection ended"
    return Exchange("", row["at"], row["session"], "", came, "", "" if row["direction"] == "open" else text)


def _said(frame: Frame, way: str) -> str:
    """Describe an operation: "51 submit short message to 0639980001"."""
    operation = codes.OPERATIONS.get(frame.ot)
    name = f"{frame.ot} {operation.name if operation else 'unknown operation'}"
    if way == "out":
        return f"from the SMSC: {name}"
    recipient = _recipient(frame)
    return f"{name} to {recipient}" if recipient else name


def _recipient(frame: Frame) -> str:
    return frame.data[0] if frame.ot in {"01", "30", "51"} and frame.data else ""


def _code(frame: Frame) -> str:
    return frame.data[1] if frame.ot in {"01", "51", "54", "55", "56"} and len(frame.data) > 1 else ""
