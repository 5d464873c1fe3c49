"""The page of strictness switches, generated from the struct."""

from __future__ import annotations

from typing import Literal, get_args, get_type_hints

from fake_smsc.strictness import PROFILES, Strictness
from simbench.rules.client.protocol_violations import SMSC_ONLY, VIOLATIONS

MEANINGS: dict[str, str] = {
    "header_errors": "bad TRN, LEN, O/R or OT (section 2): ignored, or answered with 02 if TRN and OT can be read",
    "wrong_length": "LEN that does not match the frame (section 2): ignored, or answered with 02",
    "hex_trn": "a hexadecimal TRN such as 0A: a header error, or accepted and echoed unchanged",
    "ragged_end": "a one-digit checksum, or no slash before it: refused like any broken frame, or repaired",
    "line_ends": "CR or LF between frames: always accepted; counted as a protocol violation, or not",
    "lower_case": "lower-case hexadecimal: counted and accepted, or refused with 01 (checksum) or 02 (field)",
    "extra_fields": "more fields than the layout has, or a value in a field that must be empty: 02, or ignored",
    "odd_hex": "an odd number of hexadecimal digits: 02, or padded with a 0",
    "bits": "NB missing or wrong with transparent data: 02, or eight bits per octet are assumed",
    "odd_services": "an extra service or user data header of an impossible length: 02, or accepted unchanged",
    "untyped_originator": "a hexadecimal OAdC with an empty OTOA: 02, or read as alphanumeric",
    "long_text": "the long-message option: 24 for texts longer than one segment, or up to 640 characters accepted",
    "before_login": "an operation other than 60 before the login",
    "second_login": "another 60 in an open session: a new login, refused with 04, or the session is closed",
    "over_window": "more unanswered operations than the window allows (section 3.1)",
    "trn_reuse": "a TRN whose previous operation is still unanswered: ignored, or both operations are answered",
    "alert_ack": "form of the result of 31: as in the table of section 4.6.1, or as in its example",
    "notice_sm": "SM in a positive result of 52 or 53: optional, or required (without it, nothing is acknowledged)",
    "originator_length": "length octet of alphanumeric originators in 52: useful semi-octets, or twice the octets",
}
"""The subject of each switch, with the section of EMI-UCP 4.0."""

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
