"""A typed client of the control API, for tests and scripts. Knows no more than the API's records.

Every method raises ApiError for what the server refuses, and httpx.HTTPError where there is no answer.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import TypeAdapter

from fake_smsc.scenario import LimitMode, Mode
from simbench.base.errors import SimbenchError
from simbench.service import records

Typed = TypeVar("Typed")
MORE_S = 5.0  # how much longer than it was asked to wait the server may take


class ApiError(SimbenchError):
    """The server refused: `problem` says what, and with which field."""

    def __init__(self, problem: records.Problem) -> None:
        self.problem = problem
        place = f"{problem.field}: " if problem.field else ""
        super().__init__(f"{problem.status} {problem.title}: {place}{problem.detail}")


class ApiClient:
    """One server's control API, e.g. `ApiClient("http://127.0.0.1:8080")`. Use as a context manager."""

    def __init__(self, url: str, *, token: str = "", verify: ssl.SSLContext | bool = True) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # trust_env: a proxy of the environment is none of ours.
        # Idle connections are given up before the server ends them (after 5 s), or a request may meet that end.
        limits = httpx.Limits(keepalive_expiry=2)
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", headers=headers, verify=verify, timeout=10, trust_env=False, limits=limits
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _a: type[BaseException] | None, _b: BaseException | None, _c: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    # Looking ---------------------------------------------------------------------------------------------------

    def platform(self) -> records.Platform:
        """The platform at one look."""
        return self._ask("GET", "/platform", records.Platform)

    def sessions(self) -> list[records.SessionRecord]:
        """Every connection, oldest first."""
        return self._ask("GET", "/sessions", list[records.SessionRecord])

    def messages(self, **wanted: str | int) -> records.Messages:
        """Messages by `recipient`, `code`, `text` and `outcome`; `limit` and `offset` of them, the latest first."""
        return self._ask("GET", "/messages", records.Messages, params=wanted)

    def export(self, **wanted: str) -> Iterator[str]:
        """Every message that matches, as lines of CSV."""
        with self._http.stream("GET", "/messages.csv", params=wanted) as answer:
            if answer.is_error:
                answer.read()
            yield from self._checked(answer).iter_lines()

    def frame(self, id_: str) -> records.DecodedFrame:
        """The frame of a message in plain words, by its id."""
        return self._ask("GET", f"/messages/{id_}", records.DecodedFrame)

    def findings(self) -> records.Judgements:
        """What the rules say so far."""
        return self._ask("GET", "/findings", records.Judgements, timeout_s=120)

    def ledger(self) -> records.Snapshot:
        """The ledger as it stands."""
        return self._ask("GET", "/ledger", records.Snapshot)

    def parquet(self, table: str, first: int = 0) -> bytes:
        """At most 100,000 rows of a table of the ledger."""
        return self._checked(self._http.get(f"/ledger/{table}.parquet", params={"first": first})).content

    def wait(self, answered: int, timeout_s: float = 10) -> records.Waited:
        """Wait until that many submits were answered since the start."""
        asked = records.WaitFor(answered=answered, timeout_s=timeout_s)
        return self._ask("POST", "/wait", records.Waited, body=asked, timeout_s=timeout_s)

    # Doing -----------------------------------------------------------------------------------------------------

    def drop(self, session: int, *, abruptly: bool = False) -> None:
        """End a connection."""
        self._ask("DELETE", f"/sessions/{session}", records.Cleared, params={"abruptly": abruptly})

    def mo(self, sender: str, code: str, text: str, wait_s: float = 0) -> records.MoSent:
        """A subscriber sends a text; with `wait_s`, wait for the acknowledgement."""
        asked = records.Mo(sender=sender, code=code, text=text, wait_s=wait_s)
        return self._ask("POST", "/mo", records.MoSent, body=asked, timeout_s=wait_s)

    def subscriber(self, address: str) -> records.SubscriberRecord:
        """What an address leads to."""
        return self._ask("GET", f"/subscribers/{address}", records.SubscriberRecord)

    def texts(self, address: str) -> list[records.TextSeen]:
        """What a subscriber received and sent, oldest first."""
        return self._ask("GET", f"/subscribers/{address}/texts", list[records.TextSeen])

    def attach(self, address: str) -> records.SubscriberRecord:
        """The phone is reachable again."""
        return self._ask("POST", f"/subscribers/{address}/attach", records.SubscriberRecord)

    def detach(self, address: str) -> records.SubscriberRecord:
        """The phone is off."""
        return self._ask("POST", f"/subscribers/{address}/detach", records.SubscriberRecord)

    def port(self, address: str, operator: str) -> records.SubscriberRecord:
        """The number moves to an operator."""
        asked = records.Porting(operator=operator)
        return self._ask("POST", f"/subscribers/{address}/port", records.SubscriberRecord, body=asked)

    def outage(
        self, mode: Mode, scope: str = "total", *, planned: bool = False, in_s: float = 0, for_s: float = 0
    ) -> records.Platform:
        """Begin an outage, or maintenance (`planned`), `in_s` platform seconds from now."""
        asked = records.AskedOutage(mode=mode, scope=scope, planned=planned, in_s=in_s, for_s=for_s)
        return self._ask("POST", "/outage", records.Platform, body=asked)

    def restore(self) -> records.Platform:
        """End the outage that holds."""
        return self._ask("DELETE", "/outage", records.Platform)

    def cancel(self, number: int) -> records.Platform:
        """Give up an outage that has not begun."""
        return self._ask("DELETE", f"/scheduled/{number}", records.Platform)

    def fault(self, name: str, **parameters: Any) -> records.Platform:
        """Let a wire fault begin."""
        return self._ask("POST", "/faults", records.Platform, body=records.Fault(name=name, **parameters))

    def clear(self, name: str = "") -> int:
        """End the wire faults of that name, or all; how many."""
        return self._ask("DELETE", "/faults", records.Cleared, params={"name": name}).ended

    def limit(self, code: str, rate_per_s: int, mode: LimitMode) -> records.Platform:
        """A short code's rate, and how its meter answers."""
        asked = records.Limit(rate_per_s=rate_per_s, mode=mode)
        return self._ask("PUT", f"/codes/{code}/limit", records.Platform, body=asked)

    def clock(self) -> records.Clock:
        """The platform's instant and speed."""
        return self._ask("GET", "/clock", records.Clock)

    def speed(self, speed: float) -> records.Clock:
        """How many platform seconds a real second is worth."""
        return self._ask("PUT", "/clock/speed", records.Clock, body=records.Speed(speed=speed))

    def step(self, seconds: float) -> records.Clock:
        """Let the clock jump forward."""
        return self._ask("POST", "/clock/step", records.Clock, body=records.Step(seconds=seconds))

    def advance(self, to: int) -> records.Clock:
        """Let the clock jump to an instant (us)."""
        return self._ask("POST", "/clock/advance", records.Clock, body=records.Instant(to=to))

    def reset(self) -> records.Platform:
        """Everything set since the start as it was; messages and ledger stay."""
        return self._ask("POST", "/reset", records.Platform)

    # Asking ----------------------------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[Typed],
        *,
        body: records.Record | None = None,
        params: dict[str, Any] | None = None,
        timeout_s: float = 5,
    ) -> Typed:
        content = body.model_dump_json(exclude_defaults=True) if body is not None else None
        headers = {"Content-Type": "application/json"} if content is not None else {}
        answer = self._http.request(
            method, path, content=content, headers=headers, params=params, timeout=timeout_s + MORE_S
        )
        return TypeAdapter(kind).validate_json(self._checked(answer).content)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            try:
                problem = records.Problem.model_validate_json(answer.content)
            except ValueError:
                problem = records.Problem(title=answer.reason_phrase, status=answer.status_code)
            raise ApiError(problem)
        return answer
