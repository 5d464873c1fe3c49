"""Rules on the tunnel (OPS-CON-03): no UCP frame travels outside ESP, for each direction. Captures only.

A capture without ESP proves nothing: it may have been taken behind the end of the tunnel.
"""

from __future__ import annotations

from simbench.base.text import count
from simbench.finding import Blame, Evidence
from simbench.ledger.capture_events import TunnelsSeen
from simbench.rules.rule import Case, RuleFunction, Verdict, rule

WHO = {"in": "the client", "out": "the SMSC"}


def tunnel_of(case: Case) -> TunnelsSeen | None:
    """Return the capture reader's record of ESP and of frames outside it; None without a capture."""
    return next((event for _, event in reversed(case.trace.events) if isinstance(event, TunnelsSeen)), None)


def _in_clear(case: Case, direction: str, blame: Blame) -> Verdict:
    tunnel = tunnel_of(case)
    if tunnel is None:
        return Verdict("unsupported", "only a capture can show IPsec")
    clear = tunnel.clear[direction]
    seen = sum(case.trace.frames_seen(way) for way in WHO)
    inside = case.trace.frames_seen(direction) - clear if seen else 0
    if not tunnel.packets and not tunnel.keys:
        summary = (
            f"no ESP in the capture, which may be taken behind a tunnel; {count(clear, 'frame')} of {WHO[direction]}"
        )
        return Verdict("unsupported", summary, clear, 0, "frames")
    if clear:
        evidence = tuple(
            Evidence("outside ESP", one.at, one.at, -1, one.frame)
            for one in tunnel.frames
            if one.direction == direction
        )
        summary = f"{count(clear, 'frame')} of {WHO[direction]} outside ESP, {max(0, inside)} inside"
        return Verdict("fail", summary, clear, 0, "frames", blame, (), evidence)
    if inside <= 0:
        closed = sum(tunnel.unknown.values()) + sum(tunnel.broken.values())
        summary = f"no frame of {WHO[direction]} was seen; {closed} of {tunnel.packets} ESP packets were not decrypted"
        return Verdict("inconclusive", summary, blame="bench")
    return Verdict("pass", f"{count(inside, 'frame')} of {WHO[direction]}, all inside ESP", 0, 0, "frames")


def _enter(slug: str, sentence: str, direction: str, blame: Blame) -> RuleFunction:
    def judge(case: Case) -> Verdict:
        """Frames outside ESP, only for captures with ESP: others may be taken behind the end of the tunnel."""
        return _in_clear(case, direction, blame)

    return rule(
        f"sessions.{slug}", sentence, binds=blame, catches=(f"{slug}-planted",), suites=("audit",), counts_all=True
    )(judge)


_enter("clear-from-client", "Every frame from the client to the SMSC travels inside ESP", "in", "client")
_enter("clear-from-smsc", "Every frame from the SMSC to the client travels inside ESP", "out", "platform")
