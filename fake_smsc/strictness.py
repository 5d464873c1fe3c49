"""The strictness of the SMSC towards a client's frames: named switches, and two profiles that set all of them.

EMI-UCP 4.0 leaves much of this open, and real clients deviate from its definitions. Switches left out of a scenario
take the value of its profile; docs/reference/strictness.md, generated from this struct, lists them all.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Profile = Literal["strict", "tolerant"]


class Strictness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The strictness of the SMSC towards a client's frames: a profile, and single switches that differ from it.

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
