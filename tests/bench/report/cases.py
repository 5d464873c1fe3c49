"""Findings of every outcome with their evidence, as rules would write them, and a judgement that contains them."""

from __future__ import annotations

from simbench.base.units import SECOND_US
from simbench.bench.report import ExerciseRun, Info, Judgement
from simbench.contract import load_contract
from simbench.finding import Evidence, Finding
from simbench.ucp.frame import encode
from simbench.ucp.notifications import notification_body
from simbench.ucp.operations import build
from tests.bench.report.simulated import START

FRAME = build(
    "51", "O", 7, AdC="33612345678", OAdC="36020", NRq="1", NT="3", VP="0510161200", MT="3",
    Msg=b"Code 4711 #00A7B".hex().upper(),
)  # fmt: skip
LOGIN = build("60", "O", 0, OAdC="36020", OTON="6", ONPI="5", STYP="1", PWD=b"s3cret".hex().upper(), VERS="0100")
NOTICE = encode(9, "O", "53", notification_body("36020", "33639980001", "031016100105", 2, 107, "031016100205"))


def findings() -> list[Finding]:
    """At least one finding of every outcome, as rules would write them."""
    begin = START + 21 * SECOND_US
    return [
        Finding(
            "rate.backlog-at-tier",
            "OPS-ENG-01",
            "fail",
            "36050 went above its tier of 50: 57 submits within one second.",
            57,
            50,
            "submits/s",
            "client",
            ("throughput.jitter_ms", "AMB-05"),
            (
                Evidence("the 57 submits", begin + 123, begin + SECOND_US + 123, 3),
                Evidence("the first one above the tier", begin + 871_004, 0, 3, FRAME.hex().upper()),
            ),
            "at-tier",
        ),
        Finding(
            "submits.answers-notifications",
            "OPS-ACH-03",
            "fail",
            "A notification got no answer within 60 s.",
            75.2,
            60,
            "s",
            "client",
            ("session.result_timer_max_s",),
            (Evidence("the notification", begin, begin + 75_200_000, 2, NOTICE.hex()),),
            "outage",
        ),
        Finding(
            "sessions.back-after-outage",
            "OPS-CON-05",
            "weak",
            "The client was back 3.0 s after the return.",
            3.0,
            2.0,
            "s",
            "client",
            ("session.reconnect_grace_s",),
            (Evidence("the login", begin, begin, 7, LOGIN.hex()),),
            "outage",
        ),
        Finding(
            "hours.quiet-hours-edge",
            "OPS-PRO-03",
            "inconclusive",
            "The bench was 40 ms late around 22:00:00, more than the margin of 12 ms.",
            12,
            40,
            "ms",
            "bench",
            ("AMB-20",),
            (Evidence("where the bench was late", begin, begin + 40_000),),
            "quiet-hours",
        ),
        Finding("opt-out.stopped-user", "OPS-PRO-08", "error", "The client ended by itself while it was started."),
        Finding(
            "recipients.other-operators-share",
            "OPS-ENG-02",
            "unsupported",
            "The client does not declare qualifies_recipients.",
        ),
        Finding(
            "rate.steady-rate",
            "OPS-ACH-04",
            "pass",
            "All five codes stayed within their tiers for 60 s.",
            150,
            150,
            "submits/s",
            exercise="at-tier",
        ),
        Finding(
            "sender.short-code-only",
            "OPS-DEO-06",
            "pass",
            "Every OAdC was a code of the contract.",
            exercise="at-tier",
        ),
        Finding(
            "sla.floor",
            "OPS-QOS-04",
            "pass",
            "Acknowledged at the tier under delay.",
            20,
            10,
            "submits/s",
            exercise="delay",
        ),
    ]


INFO: Info = {
    "system": "Fictional Gateway",
    "system_version": "2.4.1",
    "seed": 20161003,
    "bench_version": "0.1.0",
    "started_at": START,
    "duration_s": 312.5,
    "python": "3.11",
}


def judgement(*exercises: ExerciseRun, found: list[Finding] | None = None) -> Judgement:
    return Judgement(INFO, findings() if found is None else found, load_contract(), exercises)
