"""Refusals of the SMSC: the rule for each text of a negative result, and the source of the rule."""

from __future__ import annotations

from typing import Final, NamedTuple


class Rule(NamedTuple):
    """A rule by which the SMSC refuses.

    `ground` is the term of the contract ("session.window") or the purpose that a clause verifies
    ("sender.originator-in-service"), "" if only the protocol (EMI-UCP 4.0) states it. `detail` describes the case, with
    {code}, {account}, {recipient}, {rate} (messages/s) and {window} in it.
    """

    name: str
    ground: str
    detail: str

    def sentence(self, **facts: object) -> str:
        """Return a description of the case, "rate.tier of 36010: 10/s exceeded"."""
        return f"{self.name} {self.detail.format(**facts)}".strip()


_ACCOUNT: Final = "of {account}"

RULES: Final[dict[str, Rule]] = {
    "throughput exceeded": Rule("rate.tier", "throughput.default_per_s", "of {code}: {rate}/s exceeded"),
    "too many messages to this recipient": Rule(
        "stamps.ahead", "delivery.scts_ahead_max_s", "of {recipient}: no time stamp is free"
    ),
    "recipient not served": Rule("recipients.served", "recipients.served-recipients", "for {code}: {recipient}"),
    "originator not in service": Rule(
        "sender.in-service", "sender.originator-in-service", "of {account}: {code} is no code of it"
    ),
    "account suspended": Rule("account.state", "sessions.suspended", "of {account}: suspended"),
    "account closed": Rule("account.state", "sessions.suspended", "of {account}: closed"),
    "authentication code": Rule("account.auth-code", "", "of {account}: another AC"),
    "no subscription to priority": Rule("account.priority", "", "of {account}: no subscription"),
    "notification address of another account": Rule("account.notifications", "", "of {account}: to another account"),
    "deferred delivery time not valid": Rule("validity.deferred", "delivery.validity_max_h", "to {recipient}"),
    "validity already over": Rule("validity.over", "delivery.validity_max_h", "to {recipient}"),
    "time period not valid": Rule("validity.period", "delivery.validity_max_h", "to {recipient}"),
    "too many sessions": Rule("sessions.count", "session.sessions_per_code", _ACCOUNT),
    "authentication failure": Rule("login.password", "sessions.stranger-refused", _ACCOUNT),
    "too many failed logins; wait a minute": Rule("login.guesses", "session.login_failures_close", _ACCOUNT),
    "new password not acceptable": Rule("login.new-password", "", _ACCOUNT),
    "session is open": Rule("sessions.second-login", "", _ACCOUNT),
    "no session": Rule("sessions.login-first", "sessions.violations", ""),
    "not in this session": Rule("sessions.kind", "", _ACCOUNT),
    "window exceeded": Rule("session.window", "session.window", "of {account}: {window} operations are unanswered"),
    "another account": Rule("lists.own", "", _ACCOUNT),
    "address not in list": Rule("lists.entry", "", "of {account}: not in it"),
    "address already in list": Rule("lists.entry", "", "of {account}: in it already"),
    "list full": Rule("lists.capacity", "", _ACCOUNT),
    "too many inquiries unacknowledged": Rule("waiting.inquiries", "", _ACCOUNT),
    "message not found": Rule("waiting.found", "", "of {account}"),
    "delivery in progress": Rule("waiting.idle", "", _ACCOUNT),
    "message forwarded": Rule("waiting.idle", "", "of {account}: forwarded"),
    "RPID in use": Rule("waiting.rpid", "", _ACCOUNT),
    "not deferred": Rule("waiting.deferred", "", _ACCOUNT),
    "text with a user data header": Rule("waiting.text", "", _ACCOUNT),
    "operation not supported": Rule("operation.known", "", ""),
}
SYNTAX: Final = Rule("syntax", "", "")  # any other text names the field, or the violation


def rule_of(reason: str) -> Rule:
    """Return the rule behind the text of a negative result; SYNTAX for one that names a field or a violation."""
    return RULES.get(reason, SYNTAX)
