"""Views of the columns read from a wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.trace.kernels.dialogue import TRN_IN_USE
from simbench.trace.lazy import Coded, Made, Numbers, Spelt, decoded
from simbench.trace.rows import Frames, Notifications, Submits
from simbench.trace.stores import Names, Store, numbered
from simbench.trace.wire import KINDS, WAYS, Wire
from simbench.ucp.frame import WIRE_ERRORS

Ints = NDArray[np.int64]
Whole = NDArray[np.signedinteger]
NOTHING: Final[Mapping[int, object]] = MappingProxyType({})
_LOGIN = 60
TOKEN_DIGITS = 12  # hexadecimal digits of "#" and five characters
_NUMBERS = ("", *(f"{number:02}" for number in range(100)))  # index is number + 1; -1 means none


def submits_of(wire: Wire, code_of: Callable[[str, str], str], tokens: Mapping[int, str]) -> Submits:
    """Return submits with their results. `code_of` maps originator and account to a code; `tokens`: found elsewhere."""
    store = wire.submits
    column = store.column
    codes, which = _codes(wire, code_of)
    results, texts, letters = wire.submit_results, column("text"), column("letters")
    return Submits.of_columns({
        "at": store.packed("at"), "session": _sessions(wire, store),
        "account": Coded(wire.accounts.names, column("account")), "code": Coded(codes, which),
        "trn": Coded(_NUMBERS, column("trn") + np.int8(1)),
        "recipient": recipients_of(wire),
        "oadc": Coded(wire.senders.names, column("oadc")), "alphanumeric": column("named"),
        "text": _octets(wire, store, lambda chosen: (texts[chosen], letters[chosen]), decoded, _others(store, "text")),
        "segments": Numbers(column("segments")), "notify": Numbers(column("notify")),
        "validity": Spelt(store.packed("validity"), _others(store, "validity")),
        "token": _tokens(wire, {**_others(store, "token"), **tokens}),
        "result_at": results.packed("at"), "ack": Coded(wire.signs.names, results.column("ack")),
        "ec": _few(results.column("ec"), _others(store, "ec")),
        "scts": Spelt(results.packed("scts"), _others(store, "scts")),
        "mvp": _few(np.ones(store.count, np.int8), _others(store, "mvp")), "frame": _octets(wire, store),
    })  # fmt: skip


def recipients_of(wire: Wire) -> Spelt:
    """Return the recipients of the submits."""
    return Spelt(wire.submits.packed("recipient"), _others(wire.submits, "recipient"))


def notifications_of(wire: Wire) -> Notifications:
    """Return notifications with the client's results."""
    store = wire.notifications
    column = store.column
    results = wire.notification_results
    return Notifications.of_columns({
        "at": store.packed("at"), "session": _sessions(wire, store),
        "account": Coded(wire.accounts.names, column("account")),
        "code": _few(column("code"), _others(store, "code")),
        "recipient": Spelt(store.packed("recipient"), _others(store, "recipient")),
        "scts": Spelt(store.packed("scts"), _others(store, "scts")),
        "outcome": Numbers(column("outcome")), "reason": Numbers(column("reason")),
        "trn": Coded(_NUMBERS, column("trn") + np.int8(1)), "result_at": results.packed("at"),
        "ack": Coded(wire.signs.names, results.column("ack")), "frame": _octets(wire, store),
    })  # fmt: skip


def frames_of(wire: Wire) -> Frames:
    """Return the kept frames, and all octets outside frames."""
    store = wire.frames
    column = store.column
    return Frames.of_columns({
        "at": store.packed("at"), "session": _sessions(wire, store),
        "direction": Coded(WAYS, column("way")), "kind": Coded(KINDS, column("kind")),
        "ot": Coded(_NUMBERS, column("ot") + np.int8(1)), "trn": Coded(_NUMBERS, column("trn") + np.int8(1)),
        "problem": Coded(wire.problems.names, column("problem")), "tolerated": column("tolerated"),
        "frame": _octets(wire, store),
    })  # fmt: skip


class Numbered(msgspec.Struct, frozen=True, eq=False):
    """Operations of the client in order: number among all frames, connection, TRN (-1: none), whether it was in use."""

    order: Ints
    line: Whole
    trn: Whole
    in_use: NDArray[np.bool_]


def numbers_of(wire: Wire) -> Numbered:
    """Return the client's operations except logins, from the submits and the kept frames."""
    frames, submits = wire.frames.column, wire.submits.column
    operations = (frames("way") == 0) & (frames("kind") == KINDS.index("O")) & (frames("ot") != _LOGIN)
    # A tolerated error, such as a lower-case checksum, has its own row besides that of its frame.
    errors = [number for number, name in enumerate(wire.problems.names) if name in WIRE_ERRORS]
    others = np.flatnonzero(operations & ~np.isin(frames("problem"), errors))
    order, mine = frames("order")[others], submits("order")
    # A submit that is also a kept frame is taken from there, with its problem.
    places = np.searchsorted(mine, order)
    twice = places < len(mine)
    twice[twice] = mine[places[twice]] == order[twice]
    alone = np.ones(len(mine), np.bool_)
    alone[places[twice]] = False
    mine = mine[alone]
    places = np.searchsorted(mine, order)
    return Numbered(
        _inserted(mine, places, order),
        _inserted(submits("slot")[alone], places, frames("slot")[others]),
        _inserted(submits("trn")[alone], places, frames("trn")[others]),
        np.insert(np.zeros(len(mine), np.bool_), places, frames("problem")[others] == TRN_IN_USE),
    )


def _inserted(values: Whole, places: Ints, more: Whole) -> Whole:
    return np.insert(values.astype(np.result_type(values, more), copy=False), places, more)


def _sessions(wire: Wire, store: Store) -> Numbers:
    return Numbers(store.column("slot"), np.array([line.number for line in wire.lines.values()], np.int64))


def _octets(
    wire: Wire, store: Store, part: Callable[[Ints], tuple[Ints, Ints]] | None = None,
    make: Callable[[list[bytes]], Sequence[object]] = lambda found: found,
    others: Mapping[int, object] = NOTHING, filled: NDArray[np.bool_] | None = None,
) -> Made:  # fmt: skip
    """Return a lazy column of whole frames, or of a part of each, given by `part` as offset and length."""
    places, sizes = store.column("place"), store.column("size")

    def made(chosen: Ints) -> Sequence[object]:
        begin, long = (0, sizes[chosen]) if part is None else part(chosen)
        return make(wire.octets.get(store.pieces(chosen), places[chosen].astype(np.int64) + begin, long))

    return Made(store.count, made, others, filled)


def _others(store: Store, column: str) -> dict[int, object]:
    return store.others.get(column, {})


def _codes(wire: Wire, code_of: Callable[[str, str], str]) -> tuple[list[str], Whole]:
    """Return the short codes, and the index of each submit's code."""
    accounts, oadcs, names = max(1, len(wire.accounts.names)), wire.senders.names, wire.accounts.names
    combined: Whole = wire.submits.column("oadc").astype(np.int32 if accounts * len(oadcs) < 1 << 31 else np.int64)
    combined *= accounts
    combined += wire.submits.column("account")
    pairs, which = numbered(combined)
    return [code_of(oadcs[pair // accounts], names[pair % accounts]) for pair in pairs.tolist()], which


def _few(numbers: Whole, others: dict[int, object]) -> Coded:
    """Return a column of few different texts of digits, each stored as a number with a 1 before it."""
    known, which = numbered(numbers)
    names = Names(*(str(number)[1:] for number in known.tolist()))
    if others:
        which = which.astype(np.int32)
    for place, text in others.items():
        which[place] = names.number(str(text))
    return Coded(names.names, which)


def _tokens(wire: Wire, others: dict[int, object]) -> Made:
    texts, tokens = wire.submits.column("text"), wire.submits.column("token")

    def part(chosen: Ints) -> tuple[Ints, Ints]:
        found = tokens[chosen].astype(np.int64)
        return texts[chosen] + 2 * np.maximum(found, 0), np.where(found >= 0, TOKEN_DIGITS, 0)

    return _octets(wire, wire.submits, part, decoded, others, tokens >= 0)
