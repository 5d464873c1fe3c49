"""The page of strictness switches, generated from the struct."""

from __future__ import annotations

from typing import Literal, get_args, get_type_hints

from fake_smsc.strictness import MEANINGS, PROFILES, Strictness
from simbench.rules.client.protocol_violations import SMSC_ONLY, VIOLATIONS

_HEAD = """# Strictness

These switches decide how the SMSC reads a client's frames where EMI-UCP 4.0 is silent or live clients deviate from
it. A scenario names a profile and, where needed, single switches; an unknown name or value is refused.

```toml
[strictness]
profile = "tolerant"   # default: "strict"
odd_hex = "refuse"
```

The strict profile follows the specification; test clients against it. The tolerant profile accepts what public
clients and libraries are known to send. Under every setting the ledger records each protocol violation by name (kind
`violation`), except ignored line ends, and every exercise of a conformance session judges the client's violations
(below).

| Switch | What it decides | Values | strict | tolerant |
|---|---|---|---|---|
"""

_TAIL = """
## Answers that no switch changes

| Case | Answer |
|---|---|
| a wrong checksum in an operation | 01 |
| an unknown operation type | 03 |
| too few fields, a bad form, a wrong combination | 02, or the code of the field: 06 AdC, 22 times, 23 MT, 24 length |
| transparent data with neither MCLs nor a coding scheme | 02 |
| an authentication code other than the account's | 07; without one in the account, AC is not looked at |
| PR without the subscription (`priority = true`) | 12 |
| DDT in the past, or further away than the longest validity; VP not after DDT | 22 |
| 54 or 56 on a message that does not exist, is being delivered, was forwarded (54) | 27, 37, 38 |
| 54 that requests a replace type in use for the recipient | 36 |
| 54 that sets DDT on a message that is not deferred | 18 |
| a new password shorter than four characters, unprintable or the present one | 19 |
| 61: the address is listed already, is not listed, the list is full (`list_max`) | 33, 34, 35 |

The SMSC keeps the lists of operation 61 but does not apply them, because the specification leaves their effect to the
operator. A message replaced by a newer one of its replace type is reported as not delivered, reason 108. A deleted
message is reported by operation 58 alone. A message sent to its last-resort address is reported as not delivered to
the recipient.

## How protocol violations are judged

The purposes `sessions.violations` (frames) and `submits.violations` (operations and results) name each violation of
a client with its count and its first frames. They read the wire, so a capture is judged like a run. Violations marked
*reported by the server* are not visible on the wire; they come from the server's events. A violation that a server
may tolerate makes the finding weak, any other makes it fail, because both clauses are a *must* in this contract.

| Violation | What it is | Purpose | Outcome |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_rows()) + _TAIL + "".join(_violations())


def _violations() -> list[str]:
    return [
        f"| `{name}` | {each.meaning}{' (reported by the server)' if name in SMSC_ONLY else ''} | {each.purpose} "
        f"| {'weak' if each.forgivable else 'fail'} |\n"
        for name, each in VIOLATIONS.items()
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
