"""`make soak`, second part: the memory that crowds of clients cost a served process, compared with its limit.

Exit status 1 when one costs more.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.survive.crowd import DEAF, SESSIONS, TOO_FAST, deaf_peers, flood
from tests.survive.limits import Patient, scenario

FLOOD_OCTETS = 150_000_000
DEAF_OCTETS = (
    150_000_000  # the octets written to them are also in the ledger, in its pool (64 MB) and its queue for the disk
)


def main() -> int:
    """`python -m tools.soak.crowd`."""
    with tempfile.TemporaryDirectory() as place:
        path, folder = Path(place) / "fast.toml", Path(place) / "deaf"
        path.write_text(TOO_FAST)
        with Patient(path, "--port", "0", "-o", Path(place) / "fast") as server:
            flooded = asyncio.run(flood(server)).grown
        with Patient(scenario(Path(place)), "--port", "0", "-o", folder) as server:
            unheard = asyncio.run(deaf_peers(server, folder))
    measured = ((f"{SESSIONS} sessions far above their tier", flooded, FLOOD_OCTETS),
            (f"{DEAF} peers that read nothing", unheard, DEAF_OCTETS))  # fmt: skip
    for who, grown, bound in measured:
        print(f"memory: {who} cost {grown / 1e6:.0f} MB at most (less than {bound / 1e6:.0f} wanted)")
    return 0 if all(grown < bound for _, grown, bound in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
