"""The centre: time may be divided anywhere, results precede notifications, outages discard held messages."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from fake_smsc.scenario import CodeConfig
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.operations import build, decode
from tests.harness import START, Peer, gateway_of
from tests.paris import minute_text, scts_text

# Operations of an application, other than a plain submit, and their fields.
OPERATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "defer": ("51", {"DD": "1", "DDT": minute_text(START + HOUR_US), "NRq": "1", "MT": "3", "Msg": "41"}),
    "resort": (
        "51",
        {"VP": minute_text(START + HOUR_US), "LRq": "1", "LRAd": "33639980077", "LPID": "0100", "MT": "3"},
    ),
    "more": ("51", {"MMS": "1", "NRq": "1", "NT": "7", "MT": "3", "Msg": "42"}),
    "replace": ("51", {"RPID": "0065", "NRq": "1", "MT": "3", "Msg": "43"}),
    "call": ("01", {"MT": "3", "Msg": "44"}),
    "modify": ("54", {"SCTS": scts_text(START), "VP": minute_text(START + 2 * HOUR_US)}),
    "postpone": ("54", {"SCTS": scts_text(START), "DDT": minute_text(START + 3 * HOUR_US)}),
    "inquire": ("55", {}),
    "delete": ("56", {"MT": "3", "Msg": b"260302100000".hex().upper()}),
}

# A small life of the platform: (seconds to wait, what happens).
STEPS = st.lists(
    st.tuples(
        st.integers(0, 900),
        st.sampled_from(["submit", "submit", "submit", "off", "on", "down", "up", "mo", "drop", *OPERATIONS]),
        st.integers(0, 3),
    ),
    max_size=25,
)


def live(steps: list[tuple[int, str, int]], cuts: int) -> list[tuple[object, ...]]:
    """The rows of a run in which every wait is divided into that many pieces."""
    gateway, ledger = gateway_of(CodeConfig(code="36010"))
    peer, trn = Peer(gateway), 0
    peer.login()
    for seconds, what, who in steps:
        for piece in range(cuts):
            peer.wait(seconds * SECOND_US * (piece + 1) // cuts - seconds * SECOND_US * piece // cuts)
        msisdn = f"3371000000{who}"
        if what == "submit" and gateway.centre.state == "up":
            trn = (trn + 1) % 100
            peer.submit(trn, AdC=msisdn, NT="7")
        elif what in OPERATIONS and gateway.centre.state == "up":
            trn = (trn + 1) % 100
            ot, fields = OPERATIONS[what]
            peer.send(build(ot, "O", f"{trn:02d}", "", AdC=msisdn, OAdC="36010", **fields))
        elif what in {"on", "off"}:
            gateway.centre.subscriber(Subscriber(msisdn, "orange", "orange", what == "on", False), peer.now)
        elif what in {"up", "down"}:
            gateway.go("up" if what == "up" else "down", peer.now)
        elif what == "mo":
            gateway.originate(msisdn, "36010", "Bonjour", peer.now)
        elif what == "drop":
            gateway.closed(peer.number, peer.now)
            peer = Peer(gateway, peer.number + 1, peer.now)
            peer.login()
    return sorted(row for row in ledger.centre if row[1] != "logout")


@given(STEPS, st.integers(2, 7))
@settings(max_examples=60)
def test_advancing_in_pieces_writes_the_same_rows_as_advancing_at_once(
    steps: list[tuple[int, str, int]], cuts: int
) -> None:
    assert live(steps, 1) == live(steps, cuts)


@given(STEPS)
@settings(max_examples=60)
def test_a_message_is_accepted_before_it_is_notified_and_has_one_outcome(steps: list[tuple[int, str, int]]) -> None:
    accepted: dict[object, int] = {}
    outcomes: dict[object, int] = {}
    for at, kind, _session, _code, _recipient, message, *_ in live(steps, 1):
        if kind == "accepted":
            accepted[message] = at  # type: ignore[assignment]
        elif kind in {"delivered", "undelivered", "deleted", "replaced"}:
            assert message not in outcomes
            outcomes[message] = at  # type: ignore[assignment]
    assert set(outcomes) <= set(accepted)
    assert all(outcomes[message] >= accepted[message] for message in outcomes)


@given(STEPS)
@settings(max_examples=60)
def test_at_the_end_no_message_is_pending(steps: list[tuple[int, str, int]]) -> None:
    rows = live([*steps, (0, "up", 0), (4 * 86_400, "on", 0)], 1)
    counts = Counter(row[1] for row in rows)
    ends = sum(counts[kind] for kind in ("delivered", "undelivered", "deleted", "replaced"))
    assert counts["accepted"] == ends
    assert counts["forwarded"] == counts["last-resort"] + counts["last-resort-failed"]


def test_the_same_message_draws_the_same_delays_whatever_else_happens() -> None:
    alone, _ = gateway_of(CodeConfig(code="36010", limit="monitor", window=100))
    busy, _ = gateway_of(CodeConfig(code="36010", limit="monitor", window=100))
    one, other = Peer(alone), Peer(busy)
    one.login()
    other.login()
    for trn in range(20):
        other.submit(trn, AdC=f"337100001{trn:02d}")
    one.submit(50, AdC="33710000007")
    other.submit(50, AdC="33710000007")
    stamps = [
        next(
            decode(f)["DSCTS"]
            for f in peer.received + peer.wait(MINUTE_US)
            if f.ot == "53" and f.data[1] == "33710000007"
        )
        for peer in (one, other)
    ]
    assert stamps[0] == stamps[1]


def test_an_earlier_now_does_not_move_the_time_back() -> None:
    gateway, _ = gateway_of()
    before = gateway.centre.now
    gateway.centre.advance(before - SECOND_US)
    assert gateway.centre.now == before > 0


def test_during_an_outage_nothing_is_delivered_and_afterwards_everything_is() -> None:
    gateway, ledger = gateway_of(CodeConfig(code="36010"))
    peer = Peer(gateway)
    peer.login()
    for trn in range(10):
        peer.submit(trn, AdC=f"3371000000{trn}")
    gateway.go("down", peer.now)
    peer.wait(HOUR_US)
    assert not any(row[1] == "delivered" for row in ledger.centre)
    gateway.go("up", peer.now)
    peer.wait(0)
    assert [row[0] for row in ledger.centre if row[1] == "delivered"] == [peer.now] * 10


def test_submits_held_when_an_outage_begins_are_not_accepted() -> None:
    gateway, ledger = gateway_of(CodeConfig(code="36010"))
    peer = Peer(gateway)
    peer.login()
    for trn in range(15):
        peer.submit(trn, AdC=f"337100000{trn:02d}")
    gateway.go("down", peer.now)
    gateway.go("up", peer.now + MINUTE_US)
    peer.wait(2 * MINUTE_US)
    assert sum(row[1] == "accepted" for row in ledger.centre) == 10
