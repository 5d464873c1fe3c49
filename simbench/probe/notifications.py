"""What notifications (53) and messages (52) of a platform must be like for a probe: PRB-NOTICE, PRB-MO. Purposes only.

A notification is known by recipient and time stamp (SCTS), as the positive result of its message named them.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Final

from simbench.base.calendar import parse_scts
from simbench.base.units import SECOND_US
from simbench.probe.correlation import Key, Told, key_of, named, notified
from simbench.probe.link import Asked
from simbench.probe.rules import OURS, counted, of_asked, probes, shown, submits
from simbench.probe.script import Probed
from simbench.rules.rule import Judged
from simbench.ucp.fields import At

FINAL: Final = frozenset({"0", "2"})  # Dst: delivered, not delivered
PROMPT_US: Final = 3_000_000
MOST_MO_PER_S: Final = 1.0
TURN: Final = 50  # of 100 TRNs: a number that far on is behind


def notices(probed: Probed) -> list[Told]:
    """The notifications of the session with the traffic, but for those about messages accepted before."""
    return notified(probed.sessions["traffic"])[0]


def taken(probed: Probed) -> dict[Key, Asked]:
    """The messages that were accepted and named, by recipient and time stamp."""
    return {key: one for one in submits(probed) if (key := named(one)) is not None}


def _final(probed: Probed) -> dict[Key, list[Told]]:
    found: dict[Key, list[Told]] = defaultdict(list)
    for at, frame in notices(probed):
        if frame.data[At.DST] in FINAL:
            found[key_of(frame)].append((at, frame))
    return found


@probes(
    "PRB-NOTICE/comes",
    "Every accepted message gets its final notification",
    catches=("lost-notification", "ack-though-lost", "wrong-stamp", "result-without-stamp"),
)
def comes(probed: Probed) -> Judged:
    """Within the time the probe waits for them; the messages go to phones that are reachable."""
    known, told = [one for one in submits(probed) if one.accepted], _final(probed)
    by_key = taken(probed)
    served = {id(by_key[key]) for key in told if key in by_key}
    missing = [one for one in known if id(one) not in served]
    what = f"accepted messages got no final notification within {probed.target.notice_s:g} s"
    return counted(what, missing, known, of_asked("never told of", missing), assumed=True)


@probes(
    "PRB-NOTICE/once",
    "No final notification comes twice",
    catches=("double-notification",),
)
def once(probed: Probed) -> Judged:
    """The probe answers each at once."""
    told = _final(probed)
    extra = [late for each in told.values() for late in each[1:]]
    return counted("final notifications came twice", extra, list(told), shown("twice", extra))


@probes(
    "PRB-NOTICE/known",
    "A notification is about a message that was accepted",
    catches=("wrong-stamp", "nack-though-stored", "result-without-stamp"),
)
def known(probed: Probed) -> Judged:
    """By recipient and time stamp."""
    (told, earlier), ours = notified(probed.sessions["traffic"]), taken(probed)
    wrong = [(at, frame) for at, frame in told if key_of(frame) not in ours]
    what = "notifications are about nothing that was accepted"
    if earlier:
        what += f" ({len(earlier)} about earlier messages left out)"
    return counted(what, wrong, told, shown("about nothing", wrong))


@probes(
    "PRB-NOTICE/after-result",
    "A notification comes after the result of its message",
    catches=("early-notification", "mo-at-full-window"),
)
def after_result(probed: Probed) -> Judged:
    """In the order of the wire, also within one read."""
    ours, told, places = taken(probed), notices(probed), probed.sessions["traffic"].places()
    pairs = [(at, f, ours[key_of(f)]) for at, f in told if key_of(f) in ours]
    wrong = [(at, f) for at, f, one in pairs if places[id(f)] < places[id(one.results[0][1])]]
    return counted("notifications came before their result", wrong, told, shown("before its result", wrong))


@probes(
    "PRB-NOTICE/numbered-in-turn",
    "The platform's own operations are numbered in turn",
    catches=("reordered-notifications", "double-notification", "unknown-operation", "alert-to-client"),
)
def numbered(probed: Probed) -> Judged:
    """Each TRN is a little ahead of the one before, by the order of the wire."""
    heard = probed.sessions["traffic"].heard
    wrong = [later for (_, one), later in pairwise(heard) if not 0 < (int(later[1].trn) - int(one.trn)) % 100 < TURN]
    return counted("operations are numbered out of turn", wrong, heard, shown("out of turn", wrong))


@probes(
    "PRB-NOTICE/prompt",
    "A notification comes soon after the delivery it tells of",
    catches=("late-notification",),
)
def prompt(probed: Probed) -> Judged:
    """By its own DSCTS, on the platform's clock as results show it."""
    offsets = [
        one.results[0][0] - stamp for (_, text), one in taken(probed).items() if (stamp := parse_scts(text)) is not None
    ]
    told = [(at, f, parse_scts(f.data[At.DSCTS])) for at, f in notices(probed) if len(f.data) > At.DSCTS]
    timed = [(at, frame, at - stamp - min(offsets)) for at, frame, stamp in told if offsets and stamp is not None]
    wrong = [(at, frame) for at, frame, late in timed if late > PROMPT_US]
    what = f"notifications came more than {PROMPT_US / SECOND_US:g} s after the delivery"
    return counted(what, wrong, timed, shown("late", wrong), assumed=True)


@probes(
    "PRB-MO/no-flood",
    "The platform floods nobody with messages of subscribers",
    catches=("mo-flood",),
)
def no_flood(probed: Probed) -> Judged:
    """A second is granted for each; codes in use do get messages."""
    seen = probed.sessions["traffic"]
    came = [(at, frame) for at, frame in seen.heard if frame.ot == "52"]
    seconds = max(1.0, (seen.closed_at - seen.opened_at) / SECOND_US)
    rate = len(came) / seconds
    told = f"{len(came)} messages of subscribers in {seconds:.0f} s"
    if rate <= MOST_MO_PER_S:
        return Judged("pass", told, round(rate, 2), MOST_MO_PER_S, "messages/s", "", (OURS,))
    evidence = shown("one of the flood", came)
    return Judged("fail", told, round(rate, 2), MOST_MO_PER_S, "messages/s", "platform", (OURS,), evidence)
