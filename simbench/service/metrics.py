"""The metrics for Prometheus, computed on each scrape.

METRICS lists all names; docs/grafana.json uses them.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from simbench.service.platform import ServedPlatform

METRICS = {
    "simbench_decisions": "Decisions and actions of the centre on messages, by short code and kind",
    "simbench_answered": "Submits answered, positively or negatively",
    "simbench_throughput": "Messages accepted per platform second, since the last sample",
    "simbench_tier": "Rate of a short code's tier, per second",
    "simbench_sessions": 'Connections by account, "" before its login',
    "simbench_window_used": "Operations of the SMSC that a client has not answered, by account",
    "simbench_notices_waiting": "Notifications waiting or unanswered",
    "simbench_messages_on_the_way": "Accepted messages without a final outcome",
    "simbench_outage": "1 during an outage, by mode and scope",
    "simbench_faults": "Active wire faults",
    "simbench_clock_seconds": "The platform's time",
    "simbench_clock_speed": "Platform seconds per real second",
    "simbench_ledger_rows": "Rows on disk, by table",
    "simbench_ledger_backlog_rows": "Rows waiting to be written",
    "simbench_ledger_failing": "1 while rows cannot be written",
    "simbench_findings": "Findings of the latest judgement, by outcome",
}


class PlatformCollector(Collector):
    """The metrics of one platform."""

    def __init__(self, platform: ServedPlatform) -> None:
        self._platform = platform

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its present value."""
        seen = self._platform.platform()
        decisions = _counter("simbench_decisions", "code", "kind")
        for (code, kind), count in self._platform.watch.counts.items():
            decisions.add_metric([code, kind], count)
        yield decisions
        throughput, tier = _gauge("simbench_throughput", "code"), _gauge("simbench_tier", "code")
        for each in seen.codes:
            throughput.add_metric([each.code], each.accepted_per_s)
            tier.add_metric([each.code], each.tier_per_s)
        yield throughput
        yield tier
        yield from self._sessions()
        answered = _counter("simbench_answered")
        answered.add_metric([], seen.answered)
        yield answered
        outage = _gauge("simbench_outage", "mode", "scope")
        if seen.outage:
            outage.add_metric([seen.outage.mode, seen.outage.scope], 1)
        yield outage
        for name, value in (
            ("simbench_notices_waiting", seen.untold), ("simbench_messages_on_the_way", seen.on_the_way),
            ("simbench_faults", len(seen.faults)), ("simbench_clock_seconds", seen.now / 1e6),
            ("simbench_clock_speed", seen.speed),
            ("simbench_ledger_failing", bool(seen.ledger)),
            ("simbench_ledger_backlog_rows", self._platform.smsc.ledger.backlog),
        ):  # fmt: skip
            plain = _gauge(name)
            plain.add_metric([], value)
            yield plain
        yield from self._ledger_and_findings()

    def _sessions(self) -> Iterator[Metric]:
        counts: dict[str, list[int]] = {}
        for line in self._platform.control.server.gateway.lines.values():  # thousands, perhaps
            known = counts.setdefault(line.account, [0, 0])
            known[0] += 1
            known[1] += line.own.count
        sessions, used = _gauge("simbench_sessions", "account"), _gauge("simbench_window_used", "account")
        for account, (number, unanswered) in counts.items():
            sessions.add_metric([account], number)
            used.add_metric([account], unanswered)
        yield sessions
        yield used

    def _ledger_and_findings(self) -> Iterator[Metric]:
        rows = _counter("simbench_ledger_rows", "table")
        for table, count in self._platform.smsc.ledger.written.items():
            rows.add_metric([table], count)
        yield rows
        findings = _gauge("simbench_findings", "outcome")
        outcomes = [f.outcome for f in self._platform.judgements.findings] if self._platform.judgements else []
        for outcome in sorted(set(outcomes)):
            findings.add_metric([outcome], outcomes.count(outcome))
        yield findings


def exposition(platform: ServedPlatform) -> bytes:
    """Return the metrics in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PlatformCollector(platform))
    return generate_latest(registry)


def _counter(name: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, METRICS[name], labels=labels)


def _gauge(name: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name], labels=labels)
