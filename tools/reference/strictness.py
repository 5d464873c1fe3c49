"""The page of strictness switches, drawn from the struct. Run with `--write` to renew it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, get_args, get_type_hints

from fake_smsc.strictness import MEANINGS, PROFILES, Strictness
from simbench.rules.client.protocol_violations import ODDITIES, TOLD_ONLY

PLACE = Path(__file__).parents[2] / "docs/reference/strictness.md"

_HEAD = """# Strictness

How the SMSC reads what a client sends, where EMI-UCP 4.0 is silent or live clients bend it. A scenario names a profile
and, where it wants otherwise, single switches; an unknown name or value is refused.

```toml
[strictness]
profile = "tolerant"   # "strict" where nothing is said
odd_hex = "refuse"
```

The strict profile follows the document and is the one to test a client against. The tolerant one serves what the public
clients and libraries are known to send. Whatever a switch says, an oddity is counted by name and told in the ledger's
story (kind `oddity`); only ignored line ends are not. Every exercise of a conformance session is judged by what the
client did there (below): a tolerant server still tells.

| Switch | What it decides | Values | strict | tolerant |
|---|---|---|---|---|
"""

_TAIL = """
## What is answered whatever the switches say

| Met | Answer |
|---|---|
| a wrong checksum in an operation | 01 |
| an operation type nobody knows | 03 |
| too few fields, a bad form, a wrong combination | 02, or the code of the field: 06 AdC, 22 times, 23 MT, 24 length |
| transparent data with neither MCLs nor a coding scheme | 02 |
| an authentication code other than the account's | 07; without one in the account, AC is not looked at |
| PR without the subscription (`priority = true`) | 12 |
| DDT that is over, or further away than the longest validity; VP not after DDT | 22 |
| 54 or 56 on a message that is not there, is being delivered, was forwarded (54) | 27, 37, 38 |
| 54 that asks for a replace type in use for the recipient | 36 |
| 54 that sets DDT on a message that is not deferred | 18 |
| a new password shorter than four characters, unprintable or the present one | 19 |
| 61: the address is listed already, is not listed, the list is full (`list_max`) | 33, 34, 35 |

The lists of operation 61 are kept and bind nobody: what they allow is left to the operator by the document. A message
that a newer one of its replace type takes the place of is told as not delivered, reason 108; a deleted one is told by
operation 58 alone; one that goes to its last-resort address is told as not delivered to the recipient.

## What becomes of oddities

The purposes `OPS-CON-02/oddities` (frames) and `OPS-ACH-03/oddities` (operations and results) name each oddity of a
client with its count and its first frames. They read the wire, so that a capture is judged as a run is; what is marked
*told by the server* stands on no wire and comes from the story. One that a server may let pass makes the finding weak,
any other makes it fail, as both clauses are a *must*.

| Oddity | What it is | Clause | Outcome |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_rows()) + _TAIL + "".join(_oddities())


def _oddities() -> list[str]:
    return [
        f"| `{name}` | {each.meaning}{' (told by the server)' if name in TOLD_ONLY else ''} | {each.clause} "
        f"| {'weak' if each.forgivable else 'fail'} |\n"
        for name, each in ODDITIES.items()
    ]


def _rows() -> list[str]:
    hints = get_type_hints(Strictness)
    rows = []
    for name, meaning in MEANINGS.items():
        assert getattr(hints[name], "__origin__", None) is Literal
        values = ", ".join(f"`{value}`" for value in get_args(hints[name]) if value != "profile")
        chosen = " | ".join(f"`{getattr(profile, name)}`" for profile in PROFILES.values())
        rows.append(f"| `{name}` | {meaning} | {values} | {chosen} |\n")
    return rows


if __name__ == "__main__":
    if "--write" in sys.argv:
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        PLACE.write_text(page(), "utf-8")
    else:
        sys.stdout.write(page())
