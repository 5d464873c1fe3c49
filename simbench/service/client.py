"""A typed client of the control API, for tests and scripts.

Every method raises ApiError if the server refuses, and httpx.HTTPError if it does not answer.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

import httpx
from pydantic import TypeAdapter

from fake_smsc.scenario import LimitMode, Mode
from simbench.base.errors import SimbenchError
from simbench.service import records

Typed = TypeVar("Typed")


class ApiError(SimbenchError):
    """The server refused; `problem` gives the reason and the field."""

    def __init__(self, problem: records.Problem) -> None:
        self.problem = problem
        place = f"{problem.field}: " if problem.field else ""
        super().__init__(f"{problem.status} {problem.title}: {place}{problem.detail}")


class ApiClient:
    """One server's control API, e.g. `ApiClient("http://127.0.0.1:8080")`. Use as a context manager.

    A connection may take CONNECT_S, and the server may be silent for ANSWER_S beyond a requested wait: on a busy
    machine the first search of a long run takes more than ten seconds.
    """

    CONNECT_S: ClassVar[float] = 10.0
    ANSWER_S: ClassVar[float] = 60.0

    def __init__(self, url: str, *, token: str = "", verify: ssl.SSLContext | bool = True) -> None:
        headers = {"X-Simbench": "client"} | ({"Authorization": f"Bearer {token}"} if token else {})
        # trust_env: proxies of the environment must not be used.
        # Idle connections are dropped before the server closes them (after 5 s), so that no request meets the close.
        limits = httpx.Limits(keepalive_expiry=2)
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", headers=headers, verify=verify, timeout=self._timeout(), trust_env=False,
            limits=limits,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _a: type[BaseException] | None, _b: BaseException | None, _c: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    # Reading ---------------------------------------------------------------------------------------------------

    def platform(self) -> records.Platform:
        """Return the platform's state."""
        return self._ask("GET", "/platform", records.Platform)

    def sessions(self) -> list[records.SessionRecord]:
        """Return every connection, oldest first."""
        return self._ask("GET", "/sessions", list[records.SessionRecord])

    def messages(self, **wanted: str | int) -> records.Messages:
        """Return messages by `recipient`, `code`, `text` and `outcome`, latest first; `limit` and `offset` apply."""
        return self._ask("GET", "/messages", records.Messages, params=wanted)

    def export(self, **wanted: str) -> Iterator[str]:
        """Yield every matching message as lines of CSV."""
        with self._http.stream("GET", "/messages.csv", params=wanted) as answer:
            if answer.is_error:
                answer.read()
            yield from self._checked(answer).iter_lines()

    def frame(self, id_: str) -> records.DecodedFrame:
        """Return the decoded frame of a message, by its id."""
        return self._ask("GET", f"/messages/{id_}", records.DecodedFrame)

    def events(self, limit: int = 25) -> list[records.EventSeen]:
        """Return the latest events, the latest first: what came, what was answered, and which rule decided."""
        return self._ask("GET", "/events", list[records.EventSeen], params={"limit": limit})

    def rates(self, since: int = 0) -> records.RateHistory:
        """Return the rates of the last two minutes after an instant (us)."""
        return self._ask("GET", "/rates", records.RateHistory, params={"since": since})

    def findings(self) -> records.Judgements:
        """Return the findings so far."""
        return self._ask("GET", "/findings", records.Judgements, wait_s=120)

    def ledger(self) -> records.Snapshot:
        """Return the present size of the ledger."""
        return self._ask("GET", "/ledger", records.Snapshot)

    def parquet(self, table: str, first: int = 0) -> bytes:
        """Return at most 100,000 rows of a table of the ledger, or some 16 MB of them, as Parquet."""
        return self._checked(self._http.get(f"/ledger/{table}.parquet", params={"first": first})).content

    def wait(self, answered: int, timeout_s: float = 10) -> records.Waited:
        """Wait until that many submits have been answered since the start."""
        asked = records.WaitFor(answered=answered, timeout_s=timeout_s)
        return self._ask("POST", "/wait", records.Waited, body=asked, wait_s=timeout_s)

    # Acting ----------------------------------------------------------------------------------------------------

    def drop(self, session: int, *, abruptly: bool = False) -> None:
        """Close a connection."""
        self._ask("DELETE", f"/sessions/{session}", records.Cleared, params={"abruptly": abruptly})

    def mo(self, sender: str, code: str, text: str, wait_s: float = 0) -> records.MoSent:
        """Send a text from a subscriber; with `wait_s`, wait for the acknowledgement."""
        asked = records.Mo(sender=sender, code=code, text=text, wait_s=wait_s)
        return self._ask("POST", "/mo", records.MoSent, body=asked, wait_s=wait_s)

    def subscriber(self, address: str) -> records.SubscriberRecord:
        """Return the subscriber at an address."""
        return self._ask("GET", f"/subscribers/{address}", records.SubscriberRecord)

    def texts(self, address: str) -> list[records.TextSeen]:
        """Return the texts a subscriber received and sent, oldest first."""
        return self._ask("GET", f"/subscribers/{address}/texts", list[records.TextSeen])

    def attach(self, address: str) -> records.SubscriberRecord:
        """Make the phone reachable."""
        return self._ask("POST", f"/subscribers/{address}/attach", records.SubscriberRecord)

    def detach(self, address: str) -> records.SubscriberRecord:
        """Switch the phone off."""
        return self._ask("POST", f"/subscribers/{address}/detach", records.SubscriberRecord)

    def port(self, address: str, operator: str) -> records.SubscriberRecord:
        """Port the number to an operator."""
        asked = records.Porting(operator=operator)
        return self._ask("POST", f"/subscribers/{address}/port", records.SubscriberRecord, body=asked)

    def outage(
        self, mode: Mode, scope: str = "total", *, planned: bool = False, in_s: float = 0, for_s: float = 0
    ) -> records.Platform:
        """Start an outage, or maintenance (`planned`), `in_s` platform seconds from now."""
        asked = records.AskedOutage(mode=mode, scope=scope, planned=planned, in_s=in_s, for_s=for_s)
        return self._ask("POST", "/outage", records.Platform, body=asked)

    def restore(self) -> records.Platform:
        """End the current outage."""
        return self._ask("DELETE", "/outage", records.Platform)

    def cancel(self, number: int) -> records.Platform:
        """Cancel a scheduled outage."""
        return self._ask("DELETE", f"/scheduled/{number}", records.Platform)

    def fault(self, name: str, **parameters: Any) -> records.Platform:
        """Start a wire fault."""
        return self._ask("POST", "/faults", records.Platform, body=records.Fault(name=name, **parameters))

    def clear(self, name: str = "") -> int:
        """End the wire faults of that name, or all. Returns how many there were."""
        return self._ask("DELETE", "/faults", records.Cleared, params={"name": name}).ended

    def limit(self, code: str, rate_per_s: int, mode: LimitMode) -> records.Platform:
        """Set a short code's rate and meter answer."""
        asked = records.Limit(rate_per_s=rate_per_s, mode=mode)
        return self._ask("PUT", f"/codes/{code}/limit", records.Platform, body=asked)

    def clock(self) -> records.Clock:
        """Return the platform's instant and speed."""
        return self._ask("GET", "/clock", records.Clock)

    def speed(self, speed: float) -> records.Clock:
        """Set the platform seconds per real second."""
        return self._ask("PUT", "/clock/speed", records.Clock, body=records.Speed(speed=speed))

    def step(self, seconds: float) -> records.Clock:
        """Step the clock forward."""
        return self._ask("POST", "/clock/step", records.Clock, body=records.Step(seconds=seconds))

    def advance(self, to: int) -> records.Clock:
        """Step the clock forward to an instant (us)."""
        return self._ask("POST", "/clock/advance", records.Clock, body=records.Instant(to=to))

    def reset(self) -> records.Platform:
        """Restore the initial state; messages and ledger stay."""
        return self._ask("POST", "/reset", records.Platform)

    # Requests --------------------------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[Typed],
        *,
        body: records.Record | None = None,
        params: dict[str, Any] | None = None,
        wait_s: float = 0,
    ) -> Typed:
        content = body.model_dump_json(exclude_defaults=True) if body is not None else None
        headers = {"Content-Type": "application/json"} if content is not None else {}
        answer = self._http.request(
            method, path, content=content, headers=headers, params=params, timeout=self._timeout(wait_s)
        )
        return TypeAdapter(kind).validate_json(self._checked(answer).content)

    def _timeout(self, wait_s: float = 0) -> httpx.Timeout:
        return httpx.Timeout(wait_s + self.ANSWER_S, connect=self.CONNECT_S)

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            try:
                problem = records.Problem.model_validate_json(answer.content)
            except ValueError:
                problem = records.Problem(title=answer.reason_phrase, status=answer.status_code)
            raise ApiError(problem)
        return answer
