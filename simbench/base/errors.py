"""The error tree: what can go wrong before or beside a verdict. Holds no logic.

SimbenchError
├── BadInput              a file, key or argument is wrong: exit 2
│   ├── ContractError     a contract or overlay file
│   ├── ScenarioError     a scenario file
│   ├── SubscriberError   a subscriber or portability file
│   └── LedgerError       a run folder that cannot be read
├── NothingRead           a source with nothing in it that could be judged: exit 3
└── Trouble               the machine does not give what is needed: exit 3
    ├── PortInUse         another program listens there
    └── MissingTool       a program the run needs is not installed
"""

from __future__ import annotations


class SimbenchError(Exception):
    """Base of all errors that reach the user as one line."""


class BadInput(SimbenchError):
    """One wrong value in what the user gave: names place, value and expectation."""

    def __init__(self, place: str, problem: str, expected: str = "") -> None:
        self.place, self.problem, self.expected = place, problem, expected
        super().__init__(f"{place}: {problem}" + (f"; expected {expected}" if expected else ""))


class ContractError(BadInput):
    """A contract or overlay file says something it may not."""


class ScenarioError(BadInput):
    """A scenario file says something it may not."""


class SubscriberError(BadInput):
    """A subscriber or portability file says something it may not."""


class LedgerError(BadInput):
    """A run folder that is missing, torn or of another version."""


class NothingRead(SimbenchError):
    """A source in which nothing was read: it passes nothing and breaks nothing."""


class Trouble(SimbenchError):
    """The machine does not give what the run needs."""


class PortInUse(Trouble):
    """Another program listens on the port."""


class MissingTool(Trouble):
    """A program the run needs is not installed."""
