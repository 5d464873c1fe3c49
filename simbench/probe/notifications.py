"""Rules of a probe for the platform's notifications (53) and messages (52): PRB-NOTICE, PRB-MO.

A notification is identified by recipient and time stamp (SCTS), as in the positive result of its message.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, pairwise
from typing import Final

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.probe.correlation import Heard, Key, key_of, named, notified
from simbench.probe.link import Operation
from simbench.probe.rules import CHECKS, OURS, counted, of_operations, shown, submits
from simbench.probe.script import Probed
from simbench.rules.rule import Verdict
from simbench.ucp.fields import At

FINAL: Final = frozenset({"0", "2"})  # Dst: delivered, not delivered
PROMPT_US: Final = 3_000_000
MOST_MO_PER_S: Final = 1.0
TURN: Final = 50  # of 100 TRNs: a number further ahead counts as an earlier one


def notifications(probed: Probed) -> list[Heard]:
    """Return the notifications of the traffic session, except those about earlier messages."""
    return notified(probed.sessions["traffic"], probed.contract.calendar)[0]


def taken(probed: Probed) -> dict[Key, Operation]:
    """Return the accepted messages by recipient and time stamp."""
    return {key: one for one in submits(probed) if (key := named(one)) is not None}


def _final(probed: Probed) -> dict[Key, list[Heard]]:
    found: dict[Key, list[Heard]] = defaultdict(list)
    for at, frame in notifications(probed):
        if frame.data[At.DST] in FINAL:
            found[key_of(frame)].append((at, frame))
    return found


@CHECKS.rule(
    "probe.notifications.comes",
    "Every accepted message gets its final notification",
    catches=("lost-notification", "ack-though-lost", "wrong-stamp", "result-without-stamp"),
)
def comes(probed: Probed) -> Verdict:
    """Check within the time for which the probe waits; the messages go to reachable phones."""
    known, heard = [one for one in submits(probed) if one.accepted], _final(probed)
    by_key = taken(probed)
    served = {id(by_key[key]) for key in heard if key in by_key}
    missing = [one for one in known if id(one) not in served]
    what = f"accepted messages got their final notification within {probed.target.notice_s:g} s"
    return counted(what, missing, known, of_operations("no notification", missing), assumed=True)


@CHECKS.rule("probe.notifications.once", "No final notification comes twice", catches=("double-notification",))
def once(probed: Probed) -> Verdict:
    """Find repeated notifications, each of which the probe answered at once."""
    heard = _final(probed)
    extra = [late for each in heard.values() for late in each[1:]]
    return counted("final notifications are not repeats", extra, [*chain(*heard.values())], shown("twice", extra))


@CHECKS.rule(
    "probe.notifications.known",
    "A notification is about a message that was accepted",
    catches=("wrong-stamp", "nack-though-stored", "result-without-stamp"),
)
def known(probed: Probed) -> Verdict:
    """Compare recipient and time stamp."""
    (heard, earlier), ours = notified(probed.sessions["traffic"], probed.contract.calendar), taken(probed)
    wrong = [(at, frame) for at, frame in heard if key_of(frame) not in ours]
    what = "notifications match an accepted message"
    if earlier:
        what += f" ({len(earlier):,} about earlier messages left out)"
    return counted(what, wrong, heard, shown("about no known message", wrong))


@CHECKS.rule(
    "probe.notifications.after-result",
    "A notification comes after the result of its message",
    catches=("early-notification", "mo-at-full-window"),
)
def after_result(probed: Probed) -> Verdict:
    """Compare positions in the order of the wire, also within one read."""
    ours, heard, places = taken(probed), notifications(probed), probed.sessions["traffic"].places()
    pairs = [(at, f, ours[key_of(f)]) for at, f in heard if key_of(f) in ours]
    wrong = [(at, f) for at, f, one in pairs if places[id(f)] < places[id(one.results[0][1])]]
    return counted("notifications came after their result", wrong, heard, shown("before its result", wrong))


@CHECKS.rule(
    "probe.notifications.numbered-in-turn",
    "The transaction numbers of the platform's own operations are in order",
    catches=("reordered-notifications", "double-notification", "unknown-operation", "alert-to-client"),
)
def numbered(probed: Probed) -> Verdict:
    """Check that each TRN is at most 49 ahead of the previous one, in the order of the wire."""
    heard = probed.sessions["traffic"].heard
    wrong = [later for (_, one), later in pairwise(heard) if not 0 < (int(later[1].trn) - int(one.trn)) % 100 < TURN]
    return counted("operations are numbered in order", wrong, heard, shown("out of order", wrong))


@CHECKS.rule(
    "probe.notifications.prompt",
    "A notification comes soon after the delivery it reports",
    catches=("late-notification",),
)
def prompt(probed: Probed) -> Verdict:
    """Compare with DSCTS, by the platform's clock as results show it."""
    offsets = [
        one.results[0][0] - stamp
        for (_, text), one in taken(probed).items()
        if (stamp := probed.contract.calendar.parse_scts(text)) is not None
    ]
    heard = [
        (at, f, probed.contract.calendar.parse_scts(f.data[At.DSCTS]))
        for at, f in notifications(probed)
        if len(f.data) > At.DSCTS
    ]
    timed = [(at, frame, at - stamp - min(offsets)) for at, frame, stamp in heard if offsets and stamp is not None]
    wrong = [(at, frame) for at, frame, late in timed if late > PROMPT_US]
    what = f"notifications came within {PROMPT_US / SECOND_US:g} s of the delivery"
    return counted(what, wrong, timed, shown("late", wrong), assumed=True)


@CHECKS.rule(
    "probe.mo.no-flood",
    "The platform does not flood the client with messages from subscribers",
    catches=("mo-flood",),
)
def no_flood(probed: Probed) -> Verdict:
    """Count messages from subscribers; one per second is allowed, because codes in use receive some."""
    seen = probed.sessions["traffic"]
    came = [(at, frame) for at, frame in seen.heard if frame.ot == "52"]
    seconds = max(1.0, (seen.closed_at - seen.opened_at) / SECOND_US)
    rate = len(came) / seconds
    summary = f"{count(len(came), 'message')} from subscribers in {seconds:.0f} s"
    if rate <= MOST_MO_PER_S:
        return Verdict("pass", summary, round(rate, 2), MOST_MO_PER_S, "messages/s", "", (OURS,))
    evidence = shown("one of the flood", came)
    return Verdict("fail", summary, round(rate, 2), MOST_MO_PER_S, "messages/s", "platform", (OURS,), evidence)
