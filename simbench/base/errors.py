"""The error tree: what can go wrong besides a failed verdict.

SimbenchError
├── BadInput              a file, key or argument is wrong: exit 2
│   ├── NotPossible       the SMSC's state, or its clock, does not allow the call
│   ├── WrongCall         a call with a missing or unknown argument
│   ├── ContractError     a contract or overlay file
│   ├── ScenarioError     a scenario file
│   ├── SubscriberError   a subscriber or portability file
│   └── LedgerError       a run folder that cannot be read
├── NothingRead           a source without anything that can be judged: exit 3
└── Trouble               the machine lacks a resource: exit 3
    ├── PortInUse         another program uses the port
    └── MissingTool       a program the run needs is not installed
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 900  # characters of an error; a longer one is shown without its middle


class SimbenchError(Exception):
    """Base of all errors shown to the user as one line.

    >>> [issubclass(one, SimbenchError) for one in (BadInput, Trouble)]
    [True, True]
    """

    def __str__(self) -> str:
        """The problem on one line of limited length, whatever names and values it contains."""
        text = " ".join(line.strip() for line in super().__str__().splitlines())
        return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 + 5 :]}"


class BadInput(SimbenchError):
    """One wrong value in the user's input: `place`, `problem` and `expected`.

    >>> try:
    ...     load_contract("nobody")
    ... except BadInput as wrong:
    ...     print(wrong)
    contract "nobody": no such built-in contract; expected one of common, ...
    """

    def __init__(self, place: str, problem: str, expected: str = "") -> None:
        self.place, self.problem, self.expected = place, problem, expected
        super().__init__(f"{place}: {problem}" + (f"; expected {expected}" if expected else ""))

    def __reduce__(self) -> tuple[type[BadInput], tuple[str, str, str]]:
        """Return what `pickle` makes it again from: errors of worker processes must reach the caller."""
        return type(self), (self.place, self.problem, self.expected)


class NotPossible(BadInput, ValueError):
    """A call that the state of the SMSC or its clock does not allow."""


class WrongCall(BadInput, TypeError):
    """A call with too few or too many arguments, or with one of an unknown name."""


class ContractError(BadInput):
    """A contract or overlay file is invalid."""


class ScenarioError(BadInput):
    """A scenario file is invalid."""


class SubscriberError(BadInput):
    """A subscriber or portability file is invalid."""


class LedgerError(BadInput):
    """A run folder is missing, damaged or of another version."""


class NothingRead(SimbenchError):
    """Nothing could be read from a source, so it neither passes nor fails."""


class Trouble(SimbenchError):
    """The machine lacks a resource the run needs.

    >>> with FakeSmsc() as smsc:
    ...     with FakeSmsc(port=smsc.port):
    ...         pass
    Traceback (most recent call last):
    simbench.base.errors.PortInUse: ...
    """


class PortInUse(Trouble):
    """Another program uses the port."""


class MissingTool(Trouble):
    """A program the run needs is not installed."""
