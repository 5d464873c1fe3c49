"""Rules for a probed platform, with their own rulebook, because they read a probe's connections instead of a ledger.

Sources: EMI-UCP 4.0 sections 2 to 6 (the UCP reference); the contract's OPS-QOS-04, OPS-ACH-01, OPS-CON-04,
OPS-ACH-02.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from simbench.base.units import SECOND_US
from simbench.finding import Evidence, Finding
from simbench.probe.link import Operation, Seen
from simbench.probe.script import ALERT, BEYOND, CHECKSUM, LOGIN, STRANGER, SUBMIT, UNKNOWN, WRONG_LOGIN, Probed
from simbench.rulebook import Rulebook, Verdict, none_wrong
from simbench.ucp.codes import ERROR_CODES
from simbench.ucp.frame import Frame

RESULT_WITHIN_US: Final = 1_500_000
OURS: Final = "limits of the probe (docs/guides/probe.md)"  # named in `assumed` by findings that depend on a limit
SHOWN: Final = 5
CHECKS: Final = Rulebook[Probed](
    lambda probed, purpose: probed.contract.clause_of(purpose), binds="platform", suites=("platform",)
)


def judge_probe(probed: Probed) -> list[Finding]:
    """Return one finding per purpose."""
    return CHECKS.judge_all(probed, f"code {probed.target.code}")


# Helpers -------------------------------------------------------------------------------------------------------


def shown(what: str, frames: Iterable[tuple[int, Frame]]) -> tuple[Evidence, ...]:
    """Return the first of these frames as evidence."""
    return tuple(Evidence(what, at, at, -1, frame.octets.hex().upper()) for at, frame in list(frames)[:SHOWN])


def of_operations(what: str, operations: Iterable[Operation]) -> tuple[Evidence, ...]:
    """Return the first of these operations as evidence."""
    return tuple(Evidence(what, one.at, one.at, -1, one.octets.hex().upper()) for one in list(operations)[:SHOWN])


def counted(
    right: str, wrong: Sequence[Any], of: Sequence[Any] | None, evidence: tuple[Evidence, ...], assumed: bool = False
) -> Verdict:
    """Return a verdict from counts: inconclusive if `of` is empty, fail if `wrong` is not.

    The summary says how many of `of` are `right`; without `of`, `right` names the fault that must not occur.
    """
    hangs = (OURS,) if assumed else ()
    if of is not None and not of:
        return Verdict("inconclusive", "the case did not occur", blame="bench", assumed=hangs)
    summary = f"{len(wrong):,} {right}" if of is None else f"{len(of) - len(wrong):,} of {len(of):,} {right}"
    return none_wrong(summary, len(wrong), "", evidence, blame="platform", assumed=hangs)


def submits(probed: Probed) -> list[Operation]:
    """Return the messages sent at the subscribed rate."""
    return probed.sessions["traffic"].of(SUBMIT)


def everything(probed: Probed) -> list[Operation]:
    """Return the operations any platform answers, without those sent to be refused."""
    return [one for seen in probed.sessions.values() for one in seen.operations if one.what in {LOGIN, ALERT, SUBMIT}]


def _all(probed: Probed, part: Callable[[Seen], list[Any]]) -> list[Any]:
    return [one for seen in probed.sessions.values() for one in part(seen)]


# Connection and frames -----------------------------------------------------------------------------------------


@CHECKS.rule("probe.line.connects", "The platform accepts every connection", catches=())
def connects(probed: Probed) -> Verdict:
    """Check that every connection of the probe was opened."""
    sessions = list(probed.sessions.values())
    wrong = [seen for seen in sessions if seen.opened_at < 0]
    return counted("connections accepted", wrong, sessions, tuple(Evidence(f"{s.name} refused") for s in wrong))


@CHECKS.rule(
    "probe.line.stays",
    "The platform closes no connection on its own",
    catches=("hang-up", "reset", "cut-off", "accept-close", "accept-reset"),
)
def stays(probed: Probed) -> Verdict:
    """Check all connections except that of the refused login, which the platform may close."""
    sessions = [seen for name, seen in probed.sessions.items() if name != "stranger" and seen.opened_at >= 0]
    wrong = [seen for seen in sessions if seen.ended == "platform"]
    evidence = tuple(Evidence(f"{seen.name}: ended by the platform", seen.opened_at, seen.closed_at) for seen in wrong)
    return counted("connections not closed by the platform", wrong, sessions, evidence)


@CHECKS.rule(
    "probe.frames.sound",
    "Everything the platform sends is a valid frame with the fields required by its operation",
    catches=("bad-checksum", "wrong-length", "high-octet", "cut-frame", "endless-frame", "garbage", "line-ends",
             "short-result", "short-notification", "unknown-operation"),
)  # fmt: skip
def sound(probed: Probed) -> Verdict:
    """Find octets between frames, broken frames, and missing or wrong fields."""
    wrong = _all(probed, lambda seen: seen.broken)
    evidence = tuple(Evidence(name, at, at, -1, octets[:256].hex().upper()) for at, name, octets in wrong[:SHOWN])
    named = ", ".join(sorted({name for _, name, _ in wrong})[:4])
    return counted(f"malformed pieces{': ' if named else ''}{named}", wrong, None, evidence)


@CHECKS.rule(
    "probe.frames.known-operations",
    "The platform only sends operations a client must support: messages (52) and notifications (53)",
    catches=("unknown-operation", "alert-to-client"),
)
def known_operations(probed: Probed) -> Verdict:
    """Compare the operation type."""
    heard = _all(probed, lambda seen: seen.heard)
    wrong = [(at, frame) for at, frame in heard if frame.ot not in {"52", "53"}]
    return counted("operations a client need not support", wrong, None, shown("not for a client", wrong))


# Login and keepalive -------------------------------------------------------------------------------------------


@CHECKS.rule("probe.login.accepted", "A valid login is accepted", catches=("login-refused", "login-unanswered"))
def login_accepted(probed: Probed) -> Verdict:
    """Check the logins of every connection except the one with a wrong password."""
    logins = [one for seen in probed.sessions.values() for one in seen.of(LOGIN)]
    wrong = [one for one in logins if not one.accepted]
    return counted("valid logins accepted", wrong, logins, of_operations("not accepted", wrong))


@CHECKS.rule("probe.login.wrong-login", "A login with a wrong password is refused", catches=())
def login_refused(probed: Probed) -> Verdict:
    """Check that the login was refused, or the connection closed."""
    logins = probed.sessions["stranger"].of(WRONG_LOGIN)
    wrong = [one for one in logins if one.accepted]
    silent = [one for one in logins if not one.results and probed.sessions["stranger"].ended != "platform"]
    if silent:
        return Verdict("inconclusive", "the platform did not answer a wrong login", blame="platform")
    return counted("wrong logins refused", wrong, logins, of_operations("accepted", wrong))


@CHECKS.rule("probe.keepalive.answered", "A keepalive (31) is answered", catches=("alert-unanswered",))
def keepalive(probed: Probed) -> Verdict:
    """Check the keepalive in the traffic session."""
    alerts = probed.sessions["traffic"].of(ALERT)
    wrong = [one for one in alerts if not one.results]
    return counted("keepalives answered", wrong, alerts, of_operations("not answered", wrong))


# Results -------------------------------------------------------------------------------------------------------


@CHECKS.rule(
    "probe.results.every-operation",
    "Every operation gets a result with its TRN and operation type",
    catches=("no-result", "wrong-trn", "wrong-ot", "half-open"),
)
def answered(probed: Probed) -> Verdict:
    """Check every operation, including those whose connection ended before the result."""
    operations = everything(probed)
    wrong = [one for one in operations if not one.results]
    return counted("operations got a result", wrong, operations, of_operations("no result", wrong))


@CHECKS.rule(
    "probe.results.once",
    "No result comes twice, and every result answers an operation",
    catches=("double-result", "stray-result", "wrong-trn", "wrong-ot"),
)
def once(probed: Probed) -> Verdict:
    """Match by TRN and operation type, for every operation of the probe."""
    operations = _all(probed, lambda seen: seen.operations)
    extra = [late for one in operations for late in one.results[1:]] + _all(probed, lambda seen: seen.strays)
    return counted("results repeated or without an operation", extra, None, shown("one too many", extra))


@CHECKS.rule("probe.results.in-order", "Results come in the order of their operations", catches=("reordered-results",))
def in_order(probed: Probed) -> Verdict:
    """Check the messages at the subscribed rate."""
    places = probed.sessions["traffic"].places()
    came = [(one, places[id(one.results[0][1])]) for one in submits(probed) if one.results]
    wrong = [one for (one, place), (_, later) in pairwise(came) if place > later]
    return counted("results came in order", wrong, came, of_operations("its result was overtaken", wrong))


@CHECKS.rule(
    "probe.results.in-time",
    "Results come promptly",
    catches=("late-result", "slow-read", "slow-write", "small-segments"),
)
def in_time(probed: Probed) -> Verdict:
    """Check the messages at the subscribed rate, at which none needs to be held back."""
    timed = [(one, one.results[0][0] - one.at) for one in submits(probed) if one.results]
    wrong = [one for one, took in timed if took > RESULT_WITHIN_US]
    longest = max((took for _, took in timed), default=0) / SECOND_US
    summary = f"results came within {RESULT_WITHIN_US / SECOND_US:g} s, the slowest after {longest:.2f} s"
    return counted(summary, wrong, timed, of_operations("late result", wrong), assumed=True)


@CHECKS.rule(
    "probe.results.names-the-message",
    "A positive result names recipient and time stamp, which identify its notification",
    catches=("result-without-stamp",),
)
def names(probed: Probed) -> Verdict:
    """Check that SM is `recipient:DDMMYYHHMMSS`."""
    positive = [(one.results[0][0], one.results[0][1]) for one in submits(probed) if one.accepted]
    wrong = [(at, frame) for at, frame in positive if len(frame.data[-1].rpartition(":")[2]) != 12]
    return counted("positive results name a time stamp", wrong, positive, shown("without a time stamp", wrong))


@CHECKS.rule(
    "recipients.accepted",
    "Every valid message at the subscribed rate is accepted",
    catches=("nack", "nack-without-ec", "nack-though-stored"),
)
def accepted(probed: Probed) -> Verdict:
    """Check the messages at the subscribed rate, whose recipients the platform must serve."""
    answered_ = [one for one in submits(probed) if one.results]
    wrong = [one for one in answered_ if not one.accepted]
    refused = sorted({one.answer.data[1] for one in wrong if one.answer is not None and len(one.answer.data) > 1})
    summary = f"messages accepted{'; the others refused with EC ' if wrong else ''}{', '.join(refused)}"
    return counted(summary, wrong, answered_, of_operations("refused", wrong))


@CHECKS.rule(
    "probe.rate-accepted",
    "The subscribed rate of the code is accepted for as long as it is offered",
    catches=("late-result", "nack", "no-result"),
)
def rate_accepted(probed: Probed) -> Verdict:
    """Compare the time from the first message to the last acceptance with the time that the rate allows."""
    target, sent = probed.target, submits(probed)
    planned = round(target.rate_per_s * target.seconds)
    if not sent:
        return Verdict("inconclusive", "no message was submitted", blame="platform")
    at = [one.results[0][0] for one in sent if one.accepted]
    due_us = (planned - 1) * SECOND_US // target.rate_per_s + RESULT_WITHIN_US
    took_us = max(at, default=0) - sent[0].at
    reached = len(at) * SECOND_US / max(took_us, 1) if at else 0.0
    summary = f"{target.code}: {len(at):,} of {planned:,} accepted within {max(took_us, 0) / SECOND_US:.1f} s"
    if len(at) == planned and took_us <= due_us:
        return Verdict("pass", summary, round(reached, 2), target.rate_per_s, "messages/s", "", (OURS,))
    evidence = (Evidence(summary, sent[0].at, max(at, default=sent[-1].at)),)
    return Verdict("fail", summary, round(reached, 2), target.rate_per_s, "messages/s", "platform", (OURS,), evidence)


# Refusals ------------------------------------------------------------------------------------------------------


def _refused(probed: Probed, what: str, expected: str = "") -> Verdict:
    operations = probed.sessions["refusals"].of(what)
    if not operations:
        return Verdict("inconclusive", "the platform prevented this test", blame="platform")
    answer = operations[0].answer
    evidence = of_operations("should be refused", operations)
    if answer is None:
        return Verdict("fail", "got no result", 1, 0, "", "platform", (), evidence)
    if answer.data[:1] == ["A"]:
        return Verdict("fail", "was accepted", 1, 0, "", "platform", (), evidence)
    ec = answer.data[1] if len(answer.data) > 1 else ""
    if expected and ec != expected:
        return Verdict("weak", f"refused with EC {ec or 'none'}, not {expected}", 1, 0, "", "platform", (), evidence)
    return Verdict("pass", f"refused with EC {ec}", 0, 0)


@CHECKS.rule("probe.refusals.wrong-checksum", "A frame with a wrong checksum is refused (EC 01)", catches=())
def checksum_refused(probed: Probed) -> Verdict:
    """Send the only kind of wrong frame that can be answered under its TRN."""
    return _refused(probed, CHECKSUM, "01")


@CHECKS.rule("probe.refusals.unknown-operation", "An unknown operation is refused (EC 03)", catches=())
def unknown_refused(probed: Probed) -> Verdict:
    """Send operation 59."""
    return _refused(probed, UNKNOWN, "03")


@CHECKS.rule(
    "probe.refusals.stranger-refused",
    "A message from an originator that is not the account's is refused",
    catches=("no-result",),
)
def stranger_refused(probed: Probed) -> Verdict:
    """Send from a code that does not belong to the account."""
    return _refused(probed, STRANGER)


@CHECKS.rule("probe.refusals.over-window", "Operations beyond the window are not served", catches=())
def beyond_refused(probed: Probed) -> Verdict:
    """Send a burst of several windows: part of it is refused or ignored, unless all of it was answered at once."""
    operations = probed.sessions["burst"].of(BEYOND)
    if not operations:
        return Verdict("inconclusive", "the platform prevented this test", blame="platform")
    served = [one for one in operations if one.accepted]
    summary = (
        f"{len(served):,} of {len(operations):,} sent at once were accepted, with a window of {probed.target.window}"
    )
    if len(served) < len(operations):
        return Verdict("pass", summary, len(served), len(operations))
    if max(one.results[0][0] for one in operations) - operations[0].at < SECOND_US:
        return Verdict("inconclusive", f"{summary}: answered too fast to wait at the same time", blame="bench")
    evidence = of_operations("served", operations)
    return Verdict("fail", summary, len(served), probed.target.window, "", "platform", (), evidence)


@CHECKS.rule("probe.refusals.says-why", "A refusal has a known error code", catches=("nack-without-ec",))
def says_why(probed: Probed) -> Verdict:
    """Check every negative result of the probe."""
    every = [result for one in _all(probed, lambda seen: seen.operations) for result in one.results]
    refusals = [(at, frame) for at, frame in every if frame.data[:1] == ["N"]]
    wrong = [(at, frame) for at, frame in refusals if len(frame.data) < 2 or frame.data[1] not in ERROR_CODES]
    return counted("refusals give a known error code", wrong, refusals, shown("no known reason", wrong))
