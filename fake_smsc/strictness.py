"""How strictly the SMSC reads what a client sends: named switches, and two profiles that set all of them.

EMI-UCP 4.0 leaves much of this open, and real clients deviate from what it does define. Switches left out of a
scenario take the value of its profile; docs/reference/strictness.md, generated from this struct, lists them all.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Profile = Literal["strict", "tolerant"]


class Strictness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How strictly the SMSC reads what a client sends: a profile, and single switches that differ from it.

    "profile" means the value that the profile has. docs/reference/strictness.md explains each switch and its values.
    """

    profile: Profile = "strict"
    header_errors: Literal["profile", "silent", "nack02"] = "profile"
    wrong_length: Literal["profile", "silent", "nack02"] = "profile"
    hex_trn: Literal["profile", "header-error", "echo"] = "profile"
    ragged_end: Literal["profile", "refuse", "mend"] = "profile"
    line_ends: Literal["profile", "count", "ignore"] = "profile"
    lower_case: Literal["profile", "tolerate", "refuse"] = "profile"
    extra_fields: Literal["profile", "refuse", "ignore"] = "profile"
    odd_hex: Literal["profile", "refuse", "pad"] = "profile"
    bits: Literal["profile", "refuse", "infer"] = "profile"
    odd_services: Literal["profile", "refuse", "ignore"] = "profile"
    untyped_originator: Literal["profile", "refuse", "alphanumeric"] = "profile"
    long_text: Literal["profile", "refuse", "accept"] = "profile"
    before_login: Literal["profile", "nack04", "silent", "close"] = "profile"
    second_login: Literal["profile", "re-authenticate", "refuse", "close"] = "profile"
    over_window: Literal["profile", "discard", "nack04", "serve"] = "profile"
    trn_reuse: Literal["profile", "discard", "serve"] = "profile"
    alert_ack: Literal["profile", "two-fields", "extra-slash"] = "profile"
    notice_sm: Literal["profile", "optional", "required"] = "profile"
    originator_length: Literal["profile", "semi-octets", "octets"] = "profile"

    def settled(self) -> Strictness:
        """Return a copy with every switch set: those left at "profile" take the profile's value."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value != "profile"}
        return msgspec.structs.replace(PROFILES[self.profile], **given)


MEANINGS: Final[dict[str, str]] = {
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
"""What each switch controls, with the section of EMI-UCP 4.0 it concerns."""

STRICT: Final = Strictness(
    "strict",
    header_errors="silent",
    wrong_length="silent",
    hex_trn="header-error",
    ragged_end="refuse",
    line_ends="count",
    lower_case="tolerate",
    extra_fields="refuse",
    odd_hex="refuse",
    bits="refuse",
    odd_services="refuse",
    untyped_originator="refuse",
    long_text="refuse",
    before_login="nack04",
    second_login="re-authenticate",
    over_window="discard",
    trn_reuse="discard",
    alert_ack="two-fields",
    notice_sm="optional",
    originator_length="semi-octets",
)
TOLERANT: Final = msgspec.structs.replace(
    STRICT,
    profile="tolerant",
    header_errors="nack02",
    wrong_length="nack02",
    hex_trn="echo",
    ragged_end="mend",
    line_ends="ignore",
    extra_fields="ignore",
    odd_hex="pad",
    bits="infer",
    odd_services="ignore",
    untyped_originator="alphanumeric",
    over_window="serve",
    trn_reuse="serve",
)
PROFILES: Final[dict[Profile, Strictness]] = {"strict": STRICT, "tolerant": TOLERANT}
