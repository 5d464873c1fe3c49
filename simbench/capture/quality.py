"""How good a capture is: what it lacks that the connection itself had. Judges nobody by it.

What is said here is also told to the ledger, as `story` rows of kind "capture", so that a judge sees it.
"""

from __future__ import annotations

import msgspec

from simbench.ledger.rows import Rows

KIND = "capture"


class Quality(msgspec.Struct, frozen=True):
    """One UCP connection as captured. `client` and `smsc` are "address:port"; `session` is its first number.

    `moved_us` is by how much a stamp at most contradicted the order that TCP proves. `directions` names those of which
    any packet was seen; `holes` counts places where `missing_octets` were not captured; after each the ledger goes on
    in a session of its own. `cut_packets` were shortened by the capture.
    """

    session: int
    client: str
    smsc: str
    directions: tuple[str, ...]
    began_midway: bool
    holes: int
    missing_octets: int
    cut_packets: int
    resent_segments: int
    moved_us: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing."""
        return len(self.directions) == 2 and not (self.began_midway or self.holes or self.cut_packets)


class Summary(msgspec.Struct, frozen=True):
    """A capture file as a whole. `unread` packets hold no TCP segment, `kinds` says what else; `ignored` are
    connections without UCP; the others count UCP connections, or add up what `Quality` says of each.

    `attempts` are connections to an SMSC that became no session, `protocols` what was spoken on others. `cut_short`:
    the file ends within a packet, which is lost.
    """

    packets: int = 0
    unread: int = 0
    connections: int = 0
    ignored: int = 0
    sessions: int = 0
    began_midway: int = 0
    one_direction: int = 0
    holes: int = 0
    missing_octets: int = 0
    cut_packets: int = 0
    resent_segments: int = 0
    cut_short: bool = False
    kinds: str = ""
    attempts: int = 0
    protocols: str = ""
    moved_us: int = 0

    @property
    def without_ucp(self) -> str:
        """What a capture holds that has no UCP in it, in one sentence."""
        held = f" ({self.kinds})" if self.kinds else ""
        spoken = f"; connections of {self.protocols}" if self.protocols else ""
        return f"there is no UCP in its {self.packets} packets{held}{spoken}"

    def plus(self, found: Quality) -> Summary:
        """The same with one more connection in it."""
        return msgspec.structs.replace(
            self,
            connections=self.connections + 1,
            began_midway=self.began_midway + found.began_midway,
            one_direction=self.one_direction + (len(found.directions) < 2),
            holes=self.holes + found.holes,
            missing_octets=self.missing_octets + found.missing_octets,
            cut_packets=self.cut_packets + found.cut_packets,
            resent_segments=self.resent_segments + found.resent_segments,
            moved_us=max(self.moved_us, found.moved_us),
        )


def tell(story: Rows, at: int, session: int, what: str, detail: msgspec.Struct | dict[str, object]) -> None:
    """One `story` row: `what` is "began midway", "hole", "connection", "clock" or "file"; session 0 is the file."""
    said = {"what": what, **msgspec.to_builtins(detail)}
    story.append((at, KIND, str(session) if session else "", None, msgspec.json.encode(said).decode()))
