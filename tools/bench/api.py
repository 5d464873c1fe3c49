"""Cost and speed of API and console: `python -m tools.bench.api`. Ratios within one run on one machine.

The load is that of the other live figures; the server has one core, load and watcher the other. The cost is in the
server's processor time a message, which other programs on the machine change little; the rates stand beside it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from simbench.base.units import SECOND_US
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo
from simbench.service.messages import MessageSearch, Query
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tools.bench.asking import asked, quantile
from tools.bench.load import processor_s

SERVER_CPU, LOAD_CPU = 0, 1
SESSIONS, LOAD_S, ROUNDS = 10, 5.0, 3
SEARCHED = 1_000_000
QUICK = ("/api/v1/platform", "/api/v1/sessions", "/api/v1/clock", "/api/v1/subscribers/0639980001")
SEARCHES = ("/api/v1/messages?recipient=33710012345", "/api/v1/messages?text=nowhere")


def api() -> list[tuple[str, bool]]:
    """Print every figure; return the gates and whether they were met."""
    return [*searching(), *answering(), *costing()]


def searching() -> list[tuple[str, bool]]:
    """A million messages with their results and deliveries in a ledger, read, then searched by each criterion."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.create(Path(folder) / "run", RunInfo(run="search")) as ledger,
    ):
        _fill(ledger)
        search = MessageSearch(ledger, load_contract())
        begun, before = time.perf_counter(), time.process_time()
        search.search(Query(limit=1))
        built_s, used_s = time.perf_counter() - begun, time.process_time() - before
        worst_ms = 0.0
        for query in (
            Query(recipient="33710012345"), Query(code="36010"), Query(text="ARRIVEE"), Query(text="not there"),
            Query(outcome="pending"), Query(code="36010", text="1234", outcome="delivered", offset=1_000),
        ):  # fmt: skip
            took_ms = statistics.median(_timed_ms(search, query) for _ in range(5))
            worst_ms = max(worst_ms, took_ms)
            wanted = query.recipient or query.text or query.code or query.outcome
            print(f"search of {SEARCHED:,} messages for {wanted}: {took_ms:.0f} ms")
        print(f"  the first search reads them: {built_s:.1f} s, {used_s:.1f} s of processor")
        search.forget()
    return [("1 million messages searched in under 200 ms", worst_ms < 200)]


def _fill(ledger: Ledger) -> None:
    # Texts that differ, as equal ones are searched in no time; some fifty frames a read, as under load.
    frames = [_frame(n) for n in range(100_000)]
    noon = 1_795_000_000
    for start in range(0, SEARCHED, 50):
        second = noon + start // 10_000
        sent = [(start + n, (start + n) % 100_000) for n in range(50)]
        ledger.wire.append((second * 1_000_000, start % 10 + 1, "in", b"".join(frames[of] for _, of in sent)))
        stamp = load_contract().calendar.scts_text(second * SECOND_US)
        results = (encode(n % 100, "R", "51", f"A//3371{of:07d}:{stamp}/") for n, of in sent)
        ledger.wire.append((second * 1_000_000, start % 10 + 1, "out", b"".join(results)))
        for n, of in sent:
            row = (second * 1_000_000, "delivered", 1, "36010", f"3371{of:07d}", n, 1, 0, second, 1, 0, 0)
            ledger.centre.append(row)
        if start % 100_000 == 0:
            ledger.flush()


def _frame(n: int) -> bytes:
    text = f"Votre commande {n * 7919 % 1_000_003} est arrivee, code {n * 104_729 % 999_983:06d}".encode().hex().upper()
    return build("51", "O", f"{n % 100:02d}", AdC=f"3371{n:07d}", OAdC="36010", MT="3", Msg=text)


def answering() -> list[tuple[str, bool]]:
    """The API's response times at some 5,000 submits a second."""
    os.sched_setaffinity(0, {LOAD_CPU})
    with _server("api") as (process, port, url):
        load = _load(port, 14.0, rate_per_s=5_000)
        time.sleep(3)
        quick = asked(url, process, QUICK, 6.0)
        searched = asked(url, process, SEARCHES, 6.0)
        figures = json.loads(load.communicate()[0])
    print(f"API at {figures['submits_per_s']:,.0f} submits/s, without other programs (and as it was):")
    for path, each in {**quick, **searched}.items():
        print(f"  {path}: {each.line()}")
    some, everything = (
        [value for each in asked_for for value in each.alone]
        for asked_for in (quick.values(), [*quick.values(), *searched.values()])
    )
    print(f"  all but searches: p99 {quantile(some, 99):.1f} ms; all: p99 {quantile(everything, 99):.1f} ms")
    return [
        ("API p99 under 20 ms at 5,000 submits/s, searches included", quantile(everything, 99) < 20),
        ("p99 of searches alone under 20 ms", all(quantile(each.alone, 99) < 20 for each in searched.values())),
    ]


def costing() -> list[tuple[str, bool]]:
    """The server's processor time a message, with and without a polling visitor, in turns."""
    costs: dict[str, list[float]] = {"bare": [], "watched": []}
    rates: dict[str, list[float]] = {"bare": [], "watched": []}
    for _ in range(ROUNDS):
        for kind, each in costs.items():
            with _server("" if kind == "bare" else "api") as (process, port, url), _watched(url):
                before_s = processor_s(process)
                found = json.loads(_load(port, LOAD_S).communicate()[0])
                each.append((processor_s(process) - before_s) / found["answered"] * 1e6)
                rates[kind].append(found["submits_per_s"])
    bare, watched = (statistics.median(each) for each in costs.values())
    shown = {kind: f"{statistics.median(each):,.0f} submits/s" for kind, each in rates.items()}
    print(f"live, bare {bare:.2f} us of processor a message ({shown['bare']}), with API and watched {watched:.2f} us")
    print(f"  ({shown['watched']}): costs {watched / bare - 1:.1%}; each turn {costs}")
    return [("API and console cost less than 10 %", watched < 1.1 * bare)]


@contextmanager
def _watched(url: str) -> Iterator[None]:
    """Poll metrics and the platform's state every second, as an open page does."""
    done = threading.Event()

    def watch() -> None:
        with httpx.Client(base_url=url, trust_env=False) as client:
            while not done.wait(1.0):
                client.get("/metrics")
                client.get("/api/v1/platform")
                client.get("/api/v1/sessions")

    thread = threading.Thread(target=watch)
    if url:
        thread.start()
    yield
    done.set()
    if url:
        thread.join()


@contextmanager
def _server(kind: str) -> Iterator[tuple[int, int, str]]:
    """Its process, UCP port and URL ("" without a service)."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["taskset", "-c", str(SERVER_CPU), sys.executable, "-m", "tools.bench.server", folder, kind]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            _, port, *url = server.stdout.readline().split()
            try:
                yield server.pid, int(port), url[0] if url else ""
            finally:
                server.terminate()
                server.communicate()


def _load(port: int, seconds: float, rate_per_s: int = 0) -> subprocess.Popen[str]:
    accounts = ",".join(f"3601{number}" for number in range(SESSIONS))
    arguments = [str(port), accounts, "100", str(seconds), "0", str(LOAD_CPU), str(rate_per_s)]
    return subprocess.Popen([sys.executable, "-m", "tools.bench.load", *arguments], stdout=subprocess.PIPE, text=True)


def _timed_ms(search: MessageSearch, query: Query) -> float:
    begun = time.perf_counter()
    search.search(query)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    missed = [name for name, passed in api() if not passed]
    print("gates missed: " + (", ".join(missed) or "none"))
    sys.exit(1 if missed else 0)
