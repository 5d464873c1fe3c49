"""The columns of a trace's views, in order; instants are microseconds, -1 where missing."""

from __future__ import annotations

SUBMITS = (
    "at", "session", "account", "code", "trn", "recipient", "oadc", "alphanumeric", "text", "segments", "notify",
    "validity", "token", "result_at", "ack", "ec", "scts", "mvp", "frame",
)  # fmt: skip
NOTIFICATIONS = (
    "at", "session", "account", "code", "recipient", "scts", "outcome", "reason", "trn", "result_at", "ack", "frame",
)  # fmt: skip
MO = ("at", "session", "account", "code", "sender", "scts", "text", "trn", "result_at", "ack", "frame")
SESSIONS = (
    "session", "opened_at", "peer", "account", "login_at", "login_ack", "login_ec", "first", "first_at", "early_at",
    "heard_at", "closed_at", "closed_by", "reason",
)  # fmt: skip
ALERTS = ("at", "session", "account", "result_at", "frame")
ATTEMPTS = ("at", "peer", "outcome")
FRAMES = ("at", "session", "direction", "kind", "ot", "trn", "problem", "tolerated", "frame")
EVENTS = ("at", "kind", "subject", "until", "detail")
STIMULI = ("at", "kind", "token", "code", "recipient", "text", "traffic_class", "brand", "opted_in", "detail")
TIMING_ERROR = ("started", "ended", "size_us", "place")
