"""Rules on the tunnel: OPS-CON-03, whether UCP ever went outside ESP, each direction by itself. Read captures only.

A capture without any ESP says nothing: it was taken behind the tunnel's end, or there is no tunnel.
"""

from __future__ import annotations

from typing import Any

from simbench.finding import Blame, Evidence
from simbench.rules.rule import Case, Judged, RuleFunction, rule

WHO = {"in": "the client", "out": "the SMSC"}


def tunnel_of(case: Case) -> dict[str, Any] | None:
    """What the reader of a capture tells of ESP, and of frames outside it; None where there was no capture."""
    rows = case.reading.story.rows()
    told: list[dict[str, Any]] = [r.detail for r in rows if r.kind == "capture" and r.detail["what"] == "tunnel"]
    return told[-1] if told else None


def _in_clear(case: Case, direction: str, blame: Blame) -> Judged:
    told = tunnel_of(case)
    if told is None:
        return Judged("unsupported", "needs a capture: a run of the bench has no IPsec")
    clear = told["clear"][direction]
    frames = case.reading.frames
    inside = int((frames.direction == direction).sum()) - clear if len(frames) else 0
    if not told["packets"] and not told["keys"]:
        summary = (
            f"no ESP in the capture, which may have been taken behind a tunnel: {clear} frames of {WHO[direction]}"
        )
        return Judged("unsupported", summary, clear, 0, "frames")
    if clear:
        evidence = tuple(
            Evidence("outside ESP", one["at"], one["at"], -1, one["frame"])
            for one in told["frames"]
            if one["direction"] == direction
        )
        summary = f"{clear} frames of {WHO[direction]} outside ESP, {max(0, inside)} inside"
        return Judged("fail", summary, clear, 0, "frames", blame, (), evidence)
    if inside <= 0:
        closed = sum(told["unknown"].values()) + sum(told["broken"].values())
        summary = f"no frame of {WHO[direction]} was seen; {closed} of {told['packets']} ESP packets stayed closed"
        return Judged("inconclusive", summary, blame="bench")
    return Judged("pass", f"{inside} frames of {WHO[direction]}, all inside ESP", 0, 0, "frames")


def _enter(slug: str, sentence: str, direction: str, blame: Blame) -> RuleFunction:
    def judge(case: Case) -> Judged:
        return _in_clear(case, direction, blame)

    return rule(
        f"OPS-CON-03/{slug}", sentence, binds=blame, catches=(f"{slug}-planted",), suites=("audit",), counts_all=True
    )(judge)


_enter("clear-from-client", "Nothing the client sends to the SMSC goes outside ESP", "in", "client")
_enter("clear-from-smsc", "Nothing the SMSC sends to the client goes outside ESP", "out", "platform")
