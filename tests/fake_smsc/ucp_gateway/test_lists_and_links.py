"""Operations to several recipients under forgiving switches, and the state a resumed run needs."""

from __future__ import annotations

import pytest

from fake_smsc.strictness import Strictness
from simbench.base.units import HOUR_US, MINUTE_US
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import ask, buffered, keep, logged_in, minutes_ahead, operation, rows
from tests.harness import Peer

ALL = ["33639980012", "33639980077", "33639980099"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_hexadecimal_of_odd_length_to_any_number_of_recipients_is_padded_or_refused(count: int) -> None:
    fields = {"RAds": ALL[:count], "MT": "3", "Msg": "414"}
    (result,) = logged_in(strictness=Strictness(odd_hex="pad")).send(operation("02", 5, **fields))  # type: ignore[arg-type]
    assert decode(result)["SM"].count(":") == count
    (result,) = logged_in(strictness=Strictness(odd_hex="refuse")).send(operation("02", 5, **fields))  # type: ignore[arg-type]
    assert decode(result)["EC"] == "02"


def test_the_padded_text_is_what_every_recipient_gets() -> None:
    peer = logged_in(strictness=Strictness(odd_hex="pad"))
    peer.send(operation("02", 5, RAds=ALL, MT="3", Msg="414"))
    keep(peer, 5 * MINUTE_US)
    assert len(rows(peer, "delivered")) == len(ALL)


def terms(peer: Peer) -> int:
    return sum(row[1] == "terms" for row in peer.gateway.centre.sink.events)


def test_only_requests_of_a_message_beyond_its_row_are_recorded_for_a_resume() -> None:
    peer = logged_in()
    peer.submit(1)
    assert terms(peer) == 0
    peer.submit(2, DD="1", DDT=minutes_ahead(HOUR_US))
    assert terms(peer) == 1
    peer.submit(3, MMS="1", XSer="01060500032A0201")
    assert terms(peer) == 2
    peer.submit(4)  # a plain one to the recipient of the link that is announced
    assert terms(peer) == 2


def test_an_unacknowledged_response_to_an_inquiry_belongs_to_no_message() -> None:
    peer = buffered()
    outcome, _ = ask(peer, "55")
    assert outcome == "A"
    for _ in range(90):
        peer.wait(MINUTE_US)
    lost = rows(peer, "unacknowledged")
    assert {row[5] for row in lost} == {0}
