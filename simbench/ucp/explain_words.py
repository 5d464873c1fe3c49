"""The fields of UCP and their values in words; the codes are in `simbench.ucp.codes`.

Sources: EMI-UCP 4.0 sections 4 to 6; GSM 03.38 section 4 for message classes.
"""

from __future__ import annotations

from typing import Final

from simbench.ucp.codes import MESSAGE_TYPES, NOTIFICATION_STATES, PIDS

FIELD_WORDS: Final = {
    "AdC": "recipient's address",
    "OAdC": "originator's address",
    "AC": "authentication code of the originator",
    "NRq": "notification requested",
    "NAdC": "address for notifications",
    "NAd": "address for notifications",
    "NT": "types of notification requested",
    "NPID": "protocol of the notification address",
    "LRq": "last resort address requested",
    "LRAd": "last resort address",
    "LPID": "protocol of the last resort address",
    "DD": "deferred delivery requested",
    "DDT": "deferred delivery time",
    "VP": "end of the validity period",
    "RPID": "replacement protocol identifier",
    "SCTS": "service centre time stamp",
    "Dst": "delivery status",
    "Rsn": "reason",
    "DSCTS": "time of that status",
    "MT": "message type",
    "NB": "number of bits of the message",
    "Msg": "message",
    "AMsg": "message",
    "MMS": "more messages to send",
    "PR": "priority",
    "DCs": "data coding scheme, in the older form",
    "MCLs": "message class",
    "RPI": "reply path",
    "CPg": "reserved",
    "RPLy": "reserved",
    "OTOA": "type of the originator's address",
    "HPLMN": "address of the home network",
    "XSer": "extra services",
    "RES1": "reserved",
    "RES2": "reserved",
    "RES4": "reserved",
    "RES5": "reserved",
    "NPL": "number of addresses in the list",
    "RAds": "recipients' addresses, each with an optional legitimisation code",
    "RAd": "recipient's address",
    "GAs": "group addresses",
    "RP": "repetition",
    "LRP": "legitimisation code for repetition",
    "LPR": "legitimisation code for priority",
    "UR": "urgent message",
    "LUR": "legitimisation code for urgency",
    "RC": "reverse charging",
    "LRC": "legitimisation code for reverse charging",
    "PID": "protocol of the address",
    "OTON": "type of number of the account",
    "ONPI": "numbering plan of the account",
    "STYP": "what the session operation does",
    "PWD": "password",
    "NPWD": "new password",
    "VERS": "version of the operation",
    "LAdC": "address for the list",
    "LTON": "type of number of that address",
    "LNPI": "numbering plan of that address",
    "OPID": "protocol of the originator",
    "ACK": "positive result",
    "NACK": "negative result",
    "MVP": "modified validity period",
    "EC": "error code",
    "SM": "system message",
    "(empty)": "empty field: seen in practice, not in the specification's table",
}
# Names with another meaning in some operations.
OPERATION_WORDS: Final = {
    ("31", "AdC"): "account that is available",
    ("52", "AdC"): "account that the message is for",
    ("52", "OAdC"): "mobile that sent it",
    ("53", "AdC"): "account that sent the message",
    ("53", "OAdC"): "recipient of the message",
    ("54", "MT"): "type of the new message",
    ("54", "Msg"): "the new message",
    ("56", "Msg"): "time stamps of the messages to delete",
    ("57", "AdC"): "account that sent the inquiry",
    ("57", "Msg"): "the waiting messages",
    ("58", "AdC"): "account that requested the deletion",
    ("58", "Msg"): "the deleted messages",
    ("60", "OAdC"): "account",
    ("61", "OAdC"): "account",
}

_YES_NO: Final = {"0": "no", "1": "yes"}
_LAYERS: Final = {"1": "international", "2": "national", "6": "abbreviated"}
_PLANS: Final = {"1": "telephone (E.164)", "3": "data (X.121)", "5": "private"}
VALUE_WORDS: Final[dict[str, dict[str, str]]] = {
    "NRq": _YES_NO,
    "LRq": _YES_NO,
    "DD": _YES_NO,
    "MMS": _YES_NO,
    "NPID": PIDS,
    "LPID": PIDS,
    "PID": PIDS,
    "Dst": NOTIFICATION_STATES,
    "MT": MESSAGE_TYPES,
    "DCs": {"0": "default alphabet", "1": "8-bit data"},
    "MCLs": {"0": "shown at once", "1": "kept in the mobile", "2": "kept in the SIM", "3": "kept in the terminal"},
    "RPI": {"1": "requested", "2": "granted"},
    "OTOA": {"1139": "international number", "5039": "alphanumeric"},
    "OTON": _LAYERS,
    "LTON": _LAYERS,
    "ONPI": _PLANS,
    "LNPI": _PLANS,
    "OPID": {"00": "mobile station", "39": "computer"},
}
SESSION_TYPES: Final = {
    "60": {
        "1": "open a session",
        "3": "change the password",
        "4": "open a session for provisioning",
        "6": "change the password for provisioning",
    },
    "61": {
        "1": "add to the list for mobile-originated messages",
        "2": "remove from the list for mobile-originated messages",
        "3": "look up the list for mobile-originated messages",
        "4": "add to the list for mobile-terminated messages",
        "5": "remove from the list for mobile-terminated messages",
        "6": "look up the list for mobile-terminated messages",
    },
}
ENCODINGS: Final = {"gsm7": "GSM 7-bit", "ucs2": "UCS-2", "8bit": "8-bit data", "numeric": "digits"}


def words_for(ot: str, name: str) -> str:
    """Return the purpose of a field in an operation of that type; "" for an unknown name."""
    return OPERATION_WORDS.get((ot, name)) or FIELD_WORDS.get(name, "")
