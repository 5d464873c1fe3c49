"""Views of what was read of a wire."""

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
TOKEN_DIGITS = 12  # hexadecimal, of "#" and five characters
_NUMBERS = ("", *(f"{number:02}" for number in range(100)))  # by number and one: -1 is none


def submits_of(wire: Wire, code_of: Callable[[str, str], str], tokens: Mapping[int, str]) -> Submits:
    """Submits with their results. `code_of`: short code of an originator and an account; `tokens`: found elsewhere."""
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
    """Recipients of the submits."""
    return Spelt(wire.submits.packed("recipient"), _others(wire.submits, "recipient"))


def notifications_of(wire: Wire) -> Notifications:
    """Notifications with the client's answers."""
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
    """The frames that were kept, and every piece that is none."""
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
    """Operations of the client in order: number among all frames, line, TRN (-1: none), and whether that was in use."""

    order: Ints
    line: Whole
    trn: Whole
    in_use: NDArray[np.bool_]


def numbers_of(wire: Wire) -> Numbered:
    """The client's operations but logins, of submits and of the frames that were kept."""
    frames, submits = wire.frames.column, wire.submits.column
    asked = (frames("way") == 0) & (frames("kind") == KINDS.index("O")) & (frames("ot") != _LOGIN)
    # A tolerated error, such as a lower-case checksum, has a row beside that of its frame.
    errors = [number for number, name in enumerate(wire.problems.names) if name in WIRE_ERRORS]
    others = np.flatnonzero(asked & ~np.isin(frames("problem"), errors))
    order, mine = frames("order")[others], submits("order")
    # A submit that was kept as a frame too stands there with its problem.
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
    """A column made of frames, or of a part of each: where in it that begins, and how long it is."""
    places, sizes = store.column("place"), store.column("size")

    def made(chosen: Ints) -> Sequence[object]:
        begin, long = (0, sizes[chosen]) if part is None else part(chosen)
        return make(wire.octets.get(store.pieces(chosen), places[chosen].astype(np.int64) + begin, long))

    return Made(store.count, made, others, filled)


def _others(store: Store, column: str) -> dict[int, object]:
    return store.others.get(column, {})


def _codes(wire: Wire, code_of: Callable[[str, str], str]) -> tuple[list[str], Whole]:
    """Short code of each submit, by number."""
    accounts, oadcs, names = max(1, len(wire.accounts.names)), wire.senders.names, wire.accounts.names
    combined: Whole = wire.submits.column("oadc").astype(np.int32 if accounts * len(oadcs) < 1 << 31 else np.int64)
    combined *= accounts
    combined += wire.submits.column("account")
    pairs, which = numbered(combined)
    return [code_of(oadcs[pair // accounts], names[pair % accounts]) for pair in pairs.tolist()], which


def _few(numbers: Whole, others: dict[int, object]) -> Coded:
    """A column of texts of digits, each a number with a 1 before them, of which there are few different ones."""
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
