"""The registry of wire faults, and their configuration by name."""

from __future__ import annotations

import json

from fake_smsc.faults import lines, notifications, octets, results
from fake_smsc.faults.fault import Fault
from fake_smsc.scenario import FaultConfig, check_fault
from simbench.base.errors import BadInput
from simbench.base.toml_files import as_typed

FAULTS: dict[str, type[Fault]] = {
    # results of submits
    "late-result": results.LateResult,
    "no-result": results.NoResult,
    "double-result": results.DoubleResult,
    "reordered-results": results.ReorderedResults,
    "wrong-trn": results.WrongTrn,
    "wrong-ot": results.WrongOt,
    "nack": results.Nack,
    "nack-without-ec": results.NackWithoutEc,
    "nack-though-stored": results.NackThoughStored,
    "ack-though-lost": results.AckThoughLost,
    "result-without-stamp": results.ResultWithoutStamp,
    "short-result": results.ShortResult,
    "stray-result": results.StrayResult,
    # notifications and other operations of the SMSC
    "early-notification": notifications.EarlyNotification,
    "late-notification": notifications.LateNotification,
    "double-notification": notifications.DoubleNotification,
    "lost-notification": notifications.LostNotification,
    "wrong-stamp": notifications.WrongStamp,
    "reordered-notifications": notifications.ReorderedNotifications,
    "short-notification": notifications.ShortNotification,
    "mo-flood": notifications.MoFlood,
    "mo-at-full-window": notifications.MoAtFullWindow,
    "unknown-operation": notifications.UnknownOperation,
    "alert-to-client": notifications.AlertToClient,
    # octets and segments
    "bad-checksum": octets.BadChecksum,
    "wrong-length": octets.WrongLength,
    "high-octet": octets.HighOctet,
    "cut-frame": octets.CutFrame,
    "endless-frame": octets.EndlessFrame,
    "garbage": octets.Garbage,
    "line-ends": octets.LineEnds,
    "small-segments": octets.SmallSegments,
    "merged-segments": octets.MergedSegments,
    "slow-write": octets.SlowWrite,
    # connections
    "login-refused": lines.LoginRefused,
    "login-unanswered": lines.LoginUnanswered,
    "alert-unanswered": lines.AlertUnanswered,
    "half-open": lines.HalfOpen,
    "reset": lines.Reset,
    "hang-up": lines.HangUp,
    "cut-off": lines.CutOff,
    "slow-read": lines.SlowRead,
    "accept-close": lines.AcceptClose,
    "accept-reset": lines.AcceptReset,
}


def sentence(name: str) -> str:
    """Return the one-sentence description of a fault."""
    return (FAULTS[name].__doc__ or "").strip()


def fault_config(name: str, parameters: dict[str, object]) -> FaultConfig:
    """Return a fault's configuration. Raises BadInput for an unknown name or a parameter the fault does not take."""
    config = as_typed({"name": name, **parameters}, FaultConfig, BadInput, lambda _keys: "fault")
    check_fault(config, "fault", BadInput)
    return config


HEADING = """\
# Faults of the platform

Errors the SMSC can be made to commit, in a scenario or through `Control.fault(name, **parameters)` and
`Control.clear(name)`. Several may be active at once: each sees the output of the one started before it.

```toml
[[faults]]
name = "late-result"
share = 0.1    # of its candidates (frames, reads or connections), drawn from the scenario's seed
code = "36010" # only connections logged in for this short code; default: every connection
from_s = 10    # platform seconds after the start
for_s = 60     # default: until cleared
delay_s = 5    # a parameter of this fault; the tables give the defaults
```

Whenever a fault is applied, the ledger gets an event before it takes effect: kind `fault`, subject its name, with the
connection and the frame in the detail. If a connection is ended, `drop` says how.

`ot` is an operation type such as `"51"`; by default frames of any type are candidates, including the login's result.

This page is written by `python -m fake_smsc.faults`.
"""
CHAPTERS = {
    "fake_smsc.faults.results": "Results of submits",
    "fake_smsc.faults.notifications": "Notifications and other operations of the SMSC",
    "fake_smsc.faults.octets": "Octets and segments of any frame",
    "fake_smsc.faults.lines": "Logins, alerts and connections",
}


def reference() -> str:
    """Return the reference page of all faults, as Markdown."""
    lines_of = [HEADING]
    for module, title in CHAPTERS.items():
        lines_of.append(f"## {title}\n\n| name | what it does | takes |\n|---|---|---|")
        for name, fault in FAULTS.items():
            if fault.__module__ == module:
                taken = ", ".join(_shown(key, value) for key, value in fault.parameters.items())
                lines_of.append(f"| `{name}` | {sentence(name)} | {taken} |")
        lines_of.append("")
    return "\n".join(lines_of)


def _shown(key: str, default: float | int | str) -> str:
    """Return a parameter with its default; an empty text is shown as "any"."""
    if default == "":
        return f"`{key}`"
    return f"`{key} = {default if not isinstance(default, str) else json.dumps(default)}`"
