"""The page of the platform's wire faults, drawn from their classes."""

from __future__ import annotations

import json
from typing import Final

from fake_smsc.faults.registry import FAULTS, sentence

HEADING: Final = """\
# Faults of the platform

Errors that the SMSC makes on request: in a scenario, or in Python by `Control.fault(name, **parameters)` until
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
`ec` is an error code of two digits, `after` counts the frames that the SMSC has written on the connection.
`accept-close` and `accept-reset` take no `code`, because nobody has logged in yet.

This page is written by `python -m tools.reference --write`.
"""
CHAPTERS: Final = {
    "fake_smsc.faults.results": "Results of submits",
    "fake_smsc.faults.notifications": "Notifications and other operations of the SMSC",
    "fake_smsc.faults.octets": "Octets and segments of any frame",
    "fake_smsc.faults.lines": "Logins, alerts and connections",
}


def page() -> str:
    """The whole page."""
    lines_of = [HEADING]
    for module, title in CHAPTERS.items():
        lines_of.append(f"## {title}\n\n| name | what it does | parameters and defaults |\n|---|---|---|")
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
