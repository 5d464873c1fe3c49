"""The codes of UCP in words: operations, errors, notification states and reasons, protocol identifiers.

Sources: EMI-UCP 4.0 sections 3, 4.6, 7.1 and appendix B; additions of later versions or ERMES are marked.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

SessionState = Literal["connected", "login", "open", "provisioning", "closed"]


class Operation(msgspec.Struct, frozen=True):
    """An operation type: its name, who may send it, whether it is obsolete (`legacy`), and when.

    `sessions` are the states of a session in which a client may send it.
    """

    name: str
    from_client: bool
    from_smsc: bool
    legacy: bool = False
    sessions: tuple[SessionState, ...] = ("open",)


PASSWORD_CHANGES: Final = frozenset({"3", "6"})  # STYP of operation 60; they open no session

OPERATIONS: Final[dict[str, Operation]] = {
    "01": Operation("call input", True, True, legacy=True),
    "02": Operation("multiple address call input", True, False, legacy=True),
    "03": Operation("call input with supplementary services", True, False, legacy=True),
    "30": Operation("SMS message transfer", True, False, legacy=True),
    # Sending 31 to the client is undocumented, but happens.
    "31": Operation("alert", True, True, sessions=("open", "provisioning")),
    "51": Operation("submit short message", True, False),
    "52": Operation("deliver short message", False, True),
    "53": Operation("deliver notification", False, True),
    "54": Operation("modify message", True, False),
    "55": Operation("inquiry message", True, False),
    "56": Operation("delete message", True, False),
    "57": Operation("response inquiry message", False, True),
    "58": Operation("response delete message", False, True),
    "60": Operation("session management", True, False, sessions=("connected", "login", "open", "provisioning")),
    "61": Operation("list management", True, False, sessions=("provisioning",)),
}


class ErrorCode(msgspec.Struct, frozen=True):
    """An error code: its meaning, and the operations the document lists it for (none: the common table only).

    `origin` is "emi", "later" (a version after 4.0), "ermes" or "proprietary".
    """

    meaning: str
    ops: tuple[str, ...] = ()
    origin: str = "emi"


_CALLS: Final = ("01", "02", "03", "30", "31")
_03: Final = ("03",)

ERROR_CODES: Final[dict[str, ErrorCode]] = {
    "01": ErrorCode("the checksum is wrong", _CALLS),
    "02": ErrorCode("the syntax is wrong", _CALLS),
    "03": ErrorCode("the system does not know or offer this operation", ("01", "03")),
    "04": ErrorCode("not allowed now: no resources, no right or not logged in; often temporary", _CALLS),
    "05": ErrorCode("an address is barred", _CALLS),
    "06": ErrorCode("the recipient's address is not valid", _CALLS),
    "07": ErrorCode("account, password or authentication code is wrong", _CALLS),
    "08": ErrorCode("the legitimisation code for all calls is wrong", _CALLS),
    "09": ErrorCode("the group address is not valid", _03),
    "10": ErrorCode("repetition is not allowed", _03),
    "11": ErrorCode("the legitimisation code for repetition is wrong", _03),
    "12": ErrorCode("priority is not allowed", _03),
    "13": ErrorCode("the legitimisation code for priority is wrong", _03),
    "14": ErrorCode("urgency is not allowed", _03),
    "15": ErrorCode("the legitimisation code for urgency is wrong", _03),
    "16": ErrorCode("reverse charging is not allowed", _03),
    "17": ErrorCode("the legitimisation code for reverse charging is wrong", _03),
    "18": ErrorCode("deferred delivery is not allowed", _03),
    "19": ErrorCode("the new password or authentication code is not acceptable"),
    "20": ErrorCode("the new legitimisation code is not acceptable"),
    "21": ErrorCode("the standard text is not valid", _03),
    "22": ErrorCode("a validity or deferral time is not valid", ("03", "30")),
    "23": ErrorCode("the message type is not supported", ("01", "02", "03")),
    "24": ErrorCode("the message is too long", _CALLS),
    "25": ErrorCode("the requested standard text is not valid"),
    "26": ErrorCode("the recipient's terminal does not take this message type", _CALLS),
    "27": ErrorCode("no such message waits in the SMSC"),
    "28": ErrorCode("the character set is not valid", origin="later"),
    "30": ErrorCode("the subscriber hung up"),
    "31": ErrorCode("the fax group is not supported"),
    "32": ErrorCode("the fax message type is not supported"),
    "33": ErrorCode("the address is in the list already"),
    "34": ErrorCode("the address is not in the list"),
    "35": ErrorCode("the list is full"),
    "36": ErrorCode("the replace type is in use for this recipient"),
    "37": ErrorCode("the message is being delivered"),
    "38": ErrorCode("the message was forwarded"),
    "50": ErrorCode("the network's state is low", origin="ermes"),
    "51": ErrorCode("the legitimisation code for standard text is wrong", origin="ermes"),
    "53": ErrorCode("partly successful", origin="ermes"),
    "54": ErrorCode("not successful", origin="ermes"),
    "55": ErrorCode("system error", origin="ermes"),
    "57": ErrorCode("an address is a member of the group already", origin="ermes"),
    "58": ErrorCode("an address is no member of the group", origin="ermes"),
    "59": ErrorCode("the standard text list refuses", origin="ermes"),
} | {str(code): ErrorCode("the operator's own", origin="proprietary") for code in range(90, 100)}

NOTIFICATION_STATES: Final = {"0": "delivered", "1": "buffered", "2": "not delivered"}  # Dst
NOTIFICATION_TYPES: Final = {1: "delivered", 2: "not delivered", 4: "buffered"}  # bits of NT
MESSAGE_TYPES: Final = {"2": "numeric", "3": "alphanumeric", "4": "transparent"}  # MT

PIDS: Final = {  # PID of 31, NPID and LPID
    "0100": "mobile station",
    "0122": "fax group 3",
    "0131": "X.400",
    "0138": "menu over the telephone network",
    "0139": "computer over the telephone network",
    "0339": "computer over X.25",
    "0439": "computer over ISDN",
    "0539": "computer over TCP/IP",
    "0639": "computer known by an abbreviated number",  # operation 31 only
}

# Rsn: the default of a table that operators may edit. Meaningless where Dst is 0.
REASONS: Final[dict[int, str]] = {
    0: "unknown subscriber",
    **dict.fromkeys(range(1, 9), "service temporarily not available"),
    9: "illegal error code",
    10: "the network did not answer in time",
    100: "facility not supported",
    101: "unknown subscriber",
    102: "facility not provided",
    103: "call barred",
    104: "operation barred",
    105: "service centre congested",
    106: "facility not supported",
    107: "absent subscriber",
    108: "delivery failed",
    109: "service centre congested",
    110: "protocol error",
    111: "the mobile is not equipped for short messages",
    112: "unknown service centre",
    113: "service centre congested",
    114: "illegal mobile",
    115: "the mobile is no subscriber",
    116: "error in the mobile",
    117: "lower layer not provisioned for short messages",
    118: "system failure",
    119: "failure of the mobile network",
    120: "failure of the home register",
    121: "failure of the visitor register",
    122: "failure of the previous visitor register",
    123: "failure of the controlling switch",
    124: "failure of the visited switch",
    125: "failure of the equipment register",
    126: "system failure",
    127: "unexpected data value",
    200: "error in the address of the service centre",
    201: "the absolute validity period is not valid",
    202: "the message is longer than allowed",
    203: "the GSM message cannot be unpacked",
    204: "no conversion to the IRA alphabet",
    205: "the form of the validity period is not valid",
    206: "the destination address is not valid",
    207: "the message was submitted twice",
    208: "the message type indicator is not valid",
}


def reason(rsn: str) -> str:
    """Return the meaning of an Rsn field, with or without leading zeros; "" if not a number or not assigned."""
    return REASONS.get(int(rsn), "") if rsn.isascii() and rsn.isdigit() else ""
