"""Views of what was read of a wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simbench.trace.lazy import Coded, Gathered, Made, Spelt, texts_of
from simbench.trace.rows import Frames, Notifications, Submits
from simbench.trace.stores import Names, Store
from simbench.trace.wire import KINDS, WAYS, Wire
from simbench.ucp import alphabet

Ints = NDArray[np.int64]
TOKEN_DIGITS = 12  # hexadecimal, of "#" and five characters
_NUMBERS = ("", *(f"{number:02}" for number in range(100)))  # by number and one: -1 is none


def submits_of(wire: Wire, code_of: Callable[[str, str], str], tokens: Mapping[int, str]) -> Submits:
    """Submits with their results. `code_of`: short code of an originator and an account; `tokens`: found elsewhere."""
    store, results = wire.submits, wire.results
    column, count = store.column, store.count
    at, session = _spots(wire, store)
    codes, which = _codes(wire, code_of)
    result_at, sign, ec, scts = _answers(results, count)
    frames = _octets(wire, store)
    return Submits.of_columns({
        "at": at, "session": session,
        "account": Coded(wire.accounts.names, column("account")), "code": Coded(codes, which),
        "trn": Coded(_NUMBERS, column("trn") + np.int8(1)),
        "recipient": recipients_of(wire),
        "oadc": Coded(wire.senders.names, column("oadc")), "alphanumeric": column("named"),
        "text": texts_of(wire.octets, column("text"), column("letters"), _others(store, "text")),
        "segments": column("segments").astype(np.int64), "notify": column("notify"),
        "validity": Spelt(column("validity"), _others(store, "validity")),
        "token": _tokens(wire, {**_others(store, "token"), **tokens}),
        "result_at": result_at, "ack": Coded(wire.signs.names, sign), "ec": _few(ec, _others(store, "ec")),
        "scts": Spelt(scts, _others(store, "scts")), "mvp": _few(np.ones(count, np.int64), _others(store, "mvp")),
        "frame": frames,
    })  # fmt: skip


def recipients_of(wire: Wire) -> Spelt:
    """Recipients of the submits."""
    return Spelt(wire.submits.column("recipient"), _others(wire.submits, "recipient"))


def notifications_of(wire: Wire) -> Notifications:
    """Notifications with the client's answers."""
    store = wire.notifications
    column = store.column
    at, session = _spots(wire, store)
    result_at, sign, _, _ = _answers(wire.acknowledged, store.count)
    return Notifications.of_columns({
        "at": at, "session": session, "account": Coded(wire.accounts.names, column("account")),
        "code": _few(column("code"), _others(store, "code")),
        "recipient": Spelt(column("recipient"), _others(store, "recipient")),
        "scts": Spelt(column("scts"), _others(store, "scts")), "outcome": column("outcome"), "reason": column("reason"),
        "trn": Coded(_NUMBERS, column("trn") + np.int8(1)), "result_at": result_at,
        "ack": Coded(wire.signs.names, sign), "frame": _octets(wire, store),
    })  # fmt: skip


def frames_of(wire: Wire) -> Frames:
    """Every frame, and every piece that is none."""
    store = wire.frames
    column, rows = store.column, store.column("row")
    return Frames.of_columns({
        "at": Gathered(wire.at, rows), "session": Gathered(wire.sessions.astype(np.int64), rows),
        "direction": Coded(WAYS, column("way")), "kind": Coded(KINDS, column("kind")),
        "ot": Coded(_NUMBERS, column("ot") + np.int8(1)), "trn": Coded(_NUMBERS, column("trn") + np.int8(1)),
        "problem": Coded(wire.problems.names, column("problem")), "tolerated": column("tolerated"),
        "frame": _octets(wire, store),
    })  # fmt: skip


def _spots(wire: Wire, store: Store) -> tuple[Ints, Ints]:
    rows = store.column("row")
    return wire.at[rows], wire.sessions[rows].astype(np.int64)


def _octets(wire: Wire, store: Store) -> Made:
    places, sizes = store.column("place"), store.column("size")
    return Made(store.count, lambda chosen: wire.octets.get(places[chosen], sizes[chosen]), {})


def _others(store: Store, column: str) -> dict[int, object]:
    return store.others.get(column, {})


def _answers(results: Store, count: int) -> tuple[Ints, NDArray[Any], Ints, Ints]:
    """Instant, number of the sign, EC and SCTS of the result of each operation."""
    numbers = results.column("number")
    at, sign = np.full(count, -1, np.int64), np.zeros(count, np.int16)
    ec, scts = np.ones(count, np.int64), np.ones(count, np.int64)
    for column, name in ((at, "at"), (sign, "ack"), (ec, "ec"), (scts, "scts")):
        column[numbers] = results.column(name)
    return at, sign, ec, scts


def _codes(wire: Wire, code_of: Callable[[str, str], str]) -> tuple[list[str], NDArray[Any]]:
    """Short code of each submit, by number."""
    accounts = len(wire.accounts.names)
    pairs, which = np.unique(
        wire.submits.column("oadc").astype(np.int64) * accounts + wire.submits.column("account"), return_inverse=True
    )
    oadcs, names = wire.senders.names, wire.accounts.names
    return [code_of(oadcs[pair // accounts], names[pair % accounts]) for pair in pairs.tolist()], which


def _few(numbers: Ints, others: dict[int, object]) -> Coded:
    """A column of texts of digits, each a number with a 1 before them, of which there are few different ones."""
    known, which = np.unique(numbers, return_inverse=True)
    names = Names(*(str(number)[1:] for number in known.tolist()))
    which = which.astype(np.int32)
    for place, text in others.items():
        which[place] = names.number(str(text))
    return Coded(names.names, which)


def _tokens(wire: Wire, others: dict[int, object]) -> Made:
    places, tokens = wire.submits.column("text"), wire.submits.column("token")

    def make(chosen: Ints) -> list[object]:
        found = tokens[chosen].astype(np.int64)
        sizes = np.where(found >= 0, TOKEN_DIGITS, 0)
        pieces = wire.octets.get(places[chosen] + 2 * np.maximum(found, 0), sizes)
        return [alphabet.decode(bytes.fromhex(piece.decode("ascii"))) for piece in pieces]

    return Made(wire.submits.count, make, others)
