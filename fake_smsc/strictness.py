"""How strictly the SMSC reads what a client sends: named switches and two profiles of them. Acts on nothing.

EMI-UCP 4.0 leaves much of this open, and live clients bend what it does say. Every switch left out of a scenario is
as its profile has it; the table of them all is docs/reference/strictness.md, drawn from this struct.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Profile = Literal["strict", "tolerant"]


class Strictness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The switches; "profile" is "as the profile has it", which `settled` fills in."""

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
        """The same with every switch set: what is left open here comes from the profile."""
        given = {name: value for name, value in msgspec.structs.asdict(self).items() if value != "profile"}
        return msgspec.structs.replace(PROFILES[self.profile], **given)


MEANINGS: Final[dict[str, str]] = {
    "header_errors": "TRN, LEN, O/R or OT is not of its form (section 2): no answer, or 02 if TRN and OT can be echoed",
    "wrong_length": "LEN disagrees with the frame (section 2)",
    "hex_trn": "a TRN in hexadecimal, as 0A: a header error, or served and echoed as it came",
    "ragged_end": "a checksum of one digit, or no slash before it: as any broken frame, or mended",
    "line_ends": "CR or LF between frames: harmless either way; counted as an oddity, or not even that",
    "lower_case": "hexadecimal in lower case: counted and read, or refused: 01 in a checksum, 02 in a field",
    "extra_fields": "more fields than the layout has, or a field filled that must be empty: 02, or not read",
    "odd_hex": "an odd number of hexadecimal digits: 02, or a 0 is appended",
    "bits": "NB missing or wrong beside transparent data: 02, or eight bits an octet",
    "odd_services": "an extra service or user data header of a length it cannot have: 02, or taken as it is",
    "untyped_originator": "OAdC in hexadecimal while OTOA is empty: 02, or read as if OTOA said alphanumeric",
    "long_text": "the long-message option: beyond one segment 24, or up to 640 characters",
    "before_login": "an operation other than 60 before the login",
    "second_login": "a further 60 in an open session: a fresh login, 04 and the session goes on, or the end of it",
    "over_window": "one more operation unanswered than the window allows (section 3.1)",
    "trn_reuse": "a TRN whose operation is not answered yet: no answer, or both are answered",
    "alert_ack": "what answers 31: as the table of section 4.6.1 says, or as its example does",
    "notice_sm": "SM in a positive result of 52 or 53: required, one without it acknowledges nothing",
    "originator_length": "length octet of alphanumeric originators in 52: useful semi-octets, or twice the octets",
}
"""What each switch decides, and the section of EMI-UCP 4.0 that is silent or bent there."""

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
