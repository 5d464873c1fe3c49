from __future__ import annotations

import pytest

from fake_smsc.core import amendments
from fake_smsc.scenario import CodeConfig
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simbench.ucp.content import message_text
from simbench.ucp.frame import Frame
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import (
    AWAY,
    NOW_STAMP,
    answer,
    ask,
    buffered,
    hexed,
    keep,
    logged_in,
    minutes_ahead,
    operation,
    put,
    rows,
    stamps_ahead,
)  # fmt: skip
from tests.harness import Peer

REVERSED = "260302100000"


def modify(peer: Peer, **fields: str) -> str:
    return ask(peer, "54", **{"SCTS": NOW_STAMP, **fields})[0]


def test_a_modified_validity_is_kept() -> None:
    peer = buffered(NT="3")
    assert modify(peer, VP=minutes_ahead(2 * HOUR_US)) == "A"
    (notice,) = keep(peer, 3 * HOUR_US)
    assert (decode(notice)["Dst"], decode(notice)["DSCTS"]) == ("2", stamps_ahead(2 * HOUR_US))


def test_a_validity_made_longer_keeps_the_message() -> None:
    peer = buffered(VP=minutes_ahead(HOUR_US))
    assert modify(peer, VP=minutes_ahead(DAY_US)) == "A"
    assert keep(peer, 2 * HOUR_US) == []
    put(peer, attached=True)
    assert [decode(notice)["Dst"] for notice in peer.wait(0)] == ["0"]


def test_a_modification_is_answered_with_the_identity_of_the_message() -> None:
    peer = buffered()
    (result,) = peer.send(operation("54", 5, AdC=AWAY, OAdC="36010", SCTS=NOW_STAMP))
    assert decode(result)["SM"] == f"{AWAY}:{NOW_STAMP}"


@pytest.mark.parametrize(
    ("fields", "ec"),
    [
        ({"SCTS": "020326100001"}, "27"),
        ({"OAdC": "36020"}, "27"),
        ({"AdC": "33710000002"}, "27"),
        ({"VP": "0203260959"}, "22"),
        ({"VP": "0903261000"}, "22"),
        ({"VP": "3213261299"}, "22"),
        ({"DDT": "0203261200"}, "18"),
        ({"NRq": "1", "NAdC": "38001"}, "02"),
        ({"LRAd": "33639980077"}, "02"),
        ({"LRq": "1", "LRAd": "33639980077"}, "02"),
        ({"RPI": "2"}, "02"),
        ({"SCTS": ""}, "02"),
    ],
)
def test_a_wrong_modification_is_refused_and_changes_nothing(fields: dict[str, str], ec: str) -> None:
    peer = buffered()
    assert modify(peer, **fields) == ec
    assert not rows(peer, "modified")


def test_a_notification_can_be_requested_and_cancelled() -> None:
    peer = buffered(NRq="", NT="")
    assert modify(peer, NRq="1") == "A"
    put(peer, attached=True)
    assert len(peer.wait(0)) == 1
    peer = buffered()
    assert modify(peer, NRq="0") == "A"
    put(peer, attached=True)
    assert peer.wait(HOUR_US) == []


def test_the_kinds_of_notification_can_be_changed() -> None:
    peer = buffered(NT="3")
    assert modify(peer, NT="2") == "A"
    put(peer, attached=True)
    assert peer.wait(0) == []


def test_a_deferral_can_be_moved_while_it_lasts() -> None:
    peer = logged_in()
    peer.submit(1, DD="1", DDT=minutes_ahead(HOUR_US))
    assert modify(peer, DDT=minutes_ahead(3 * HOUR_US)) == "A"
    assert keep(peer, 2 * HOUR_US + 50 * MINUTE_US) == []
    (notice,) = keep(peer, HOUR_US)
    assert decode(notice)["DSCTS"] >= stamps_ahead(3 * HOUR_US)
    assert modify(peer, DDT=minutes_ahead(9 * HOUR_US)) == "27"


@pytest.mark.parametrize("ddt_h", [-1, 24 * 4])
def test_a_deferral_cannot_be_moved_to_a_time_that_is_over_or_beyond(ddt_h: int) -> None:
    peer = logged_in()
    peer.submit(1, DD="1", DDT=minutes_ahead(HOUR_US))
    assert modify(peer, DDT=minutes_ahead(ddt_h * HOUR_US)) == "22"


def test_a_validity_must_end_after_the_deferral() -> None:
    peer = logged_in()
    peer.submit(1, DD="1", DDT=minutes_ahead(2 * HOUR_US))
    assert modify(peer, VP=minutes_ahead(HOUR_US)) == "22"
    assert modify(peer, VP=minutes_ahead(3 * HOUR_US)) == "A"


def test_a_message_on_its_way_cannot_be_modified_or_deleted() -> None:
    peer = logged_in()
    peer.submit(1)
    assert modify(peer, VP=minutes_ahead(HOUR_US)) == "37"
    assert ask(peer, "56", MT="3", Msg=hexed(REVERSED))[0] == "37"


def test_a_delivered_message_is_not_found() -> None:
    peer = logged_in()
    peer.submit(1)
    keep(peer, 5 * MINUTE_US)
    assert modify(peer) == "27"
    assert ask(peer, "56", MT="3", Msg=hexed(REVERSED))[0] == "27"


def test_a_modification_of_a_forwarded_message_is_refused_with_that_reason() -> None:
    peer = buffered(VP=minutes_ahead(HOUR_US), LRq="1", LRAd="33639980077", LPID="0100")
    while not rows(peer, "forwarded"):
        keep(peer, SECOND_US)
    assert modify(peer) == "38"


def test_a_replace_type_in_use_is_refused() -> None:
    peer = buffered(RPID="0065")
    peer.submit(2, RPID="0066")
    keep(peer, 3 * MINUTE_US)
    assert modify(peer, RPID="0066") == "36"
    assert modify(peer, RPID="0067") == "A"


def test_the_text_of_a_message_with_a_header_cannot_be_changed() -> None:
    peer = buffered(XSer="01060500032A0201")
    assert modify(peer, MT="3", Msg="4142") == "04"
    peer = buffered()
    assert modify(peer, MT="3", Msg="4142") == "A"


def test_a_last_resort_address_can_be_added_and_taken_back() -> None:
    peer = buffered(VP=minutes_ahead(HOUR_US))
    assert modify(peer, LRq="1", LRAd="33639980077", LPID="0100") == "A"
    keep(peer, 2 * HOUR_US)
    assert len(rows(peer, "last-resort")) == 1
    peer = buffered(VP=minutes_ahead(HOUR_US), LRq="1", LRAd="33639980077", LPID="0100")
    assert modify(peer, LRq="0") == "A"
    keep(peer, 2 * HOUR_US)
    assert not rows(peer, "forwarded")


def test_a_message_submitted_with_an_authentication_code_is_found_with_it_alone() -> None:
    peer = buffered(CodeConfig(code="36010", auth_code="4711"), AC="4711")
    assert modify(peer) == "07"
    assert modify(peer, AC="1234") == "07"
    assert modify(peer, AC="4711") == "A"


def test_an_inquiry_is_answered_and_followed_by_the_waiting_messages() -> None:
    peer = buffered()
    peer.submit(2)
    keep(peer, 3 * MINUTE_US)
    result, after = ask(peer, "55")
    assert result == "A"
    (reported,) = after
    assert (reported.ot, decode(reported)["AdC"]) == ("57", "36010")
    assert message_text(reported) == f"Destination: {AWAY} {REVERSED} 260302100300"
    assert peer.acknowledge(reported) == []


def test_an_inquiry_without_a_waiting_message_lists_no_stamp() -> None:
    result, after = ask(logged_in(), "55")
    assert result == "A"
    assert message_text(after[0]) == f"Destination: {AWAY}"


def test_more_stamps_than_fit_come_in_several_responses() -> None:
    peer = logged_in(CodeConfig(code="36010", window=100, limit="monitor"))
    put(peer, attached=False)
    for trn in range(1, 24):
        peer.submit(trn)
    keep(peer, 3 * MINUTE_US)
    reported = [frame for frame in ask(peer, "55")[1] if frame.ot == "57"]
    assert [len(message_text(frame).split()) - 2 for frame in reported] == [10, 10, 3]
    assert [decode(frame).get("MMS", "") for frame in reported] == ["1", "1", ""]


def test_unacknowledged_responses_to_inquiries_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amendments, "MOST_PAGES", 5)
    peer = logged_in(CodeConfig(code="36010", window=100, limit="monitor"))
    reported: list[Frame] = []
    for _ in range(5):
        result, pages = ask(peer, "55")
        assert result == "A"
        reported += pages
    assert ask(peer, "55")[0] == "04"
    for page in reported:
        peer.acknowledge(page)
    assert ask(peer, "55")[0] == "A"


def test_an_inquiry_that_needs_more_responses_than_may_wait_is_refused_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amendments, "MOST_PAGES", 3)
    peer = logged_in(CodeConfig(code="36010", window=100, limit="monitor"))
    put(peer, attached=False)
    for trn in range(1, 24):
        peer.submit(trn)
    keep(peer, 3 * MINUTE_US)
    result, pages = ask(peer, "55")
    assert (result, [page.ot for page in pages]) == ("A", ["57"] * 3)
    assert ask(peer, "55") == ("04", [])
    peer.acknowledge(pages[0])
    assert ask(peer, "55") == ("04", []), "one more may wait, and three are needed"
    for page in pages[1:]:
        peer.acknowledge(page)
    assert ask(peer, "55")[0] == "A"


def test_a_response_that_is_not_acknowledged_is_offered_again() -> None:
    peer = logged_in()
    (reported,) = ask(peer, "55")[1]
    peer.acknowledge(reported, "N/02//")
    again = peer.wait(MINUTE_US)
    assert [frame.ot for frame in again] == ["57"]


@pytest.mark.parametrize("separator", [" ", ""])
def test_a_deletion_removes_waiting_messages_and_names_them(separator: str) -> None:
    peer = buffered()
    peer.submit(2)
    keep(peer, 3 * MINUTE_US)
    result, after = ask(peer, "56", MT="3", Msg=hexed(f"{REVERSED}{separator}260302100300"))
    assert result == "A"
    reported = [frame for first in after for frame in answer(peer, first)]
    assert [message_text(frame) for frame in reported] == [
        f"Destination {AWAY} identification: {stamp} has been deleted." for stamp in (REVERSED, "260302100300")
    ]
    put(peer, attached=True)
    assert keep(peer, HOUR_US) == []
    assert len(rows(peer, "deleted")) == 2
    assert peer.gateway.centre.delivery.on_the_way == 0


@pytest.mark.parametrize(
    ("text", "ec"), [("", "02"), ("26030210000", "02"), ("263302100000", "02"), ("260302100009", "27")]
)
def test_a_deletion_of_nothing_is_refused(text: str, ec: str) -> None:
    assert ask(buffered(), "56", MT="3", Msg=hexed(text))[0] == ec


def test_another_account_finds_nothing() -> None:
    peer = buffered()
    other = Peer(peer.gateway, 2, peer.now)
    other.login("38001")
    assert ask(other, "54", OAdC="36010", SCTS=NOW_STAMP)[0] == "27"
    assert ask(other, "56", OAdC="36010", MT="3", Msg=hexed(REVERSED))[0] == "27"


def test_a_message_is_found_under_any_spelling_of_its_recipient() -> None:
    peer = logged_in()
    put(peer, attached=False, msisdn="33639980012")
    peer.submit(1, AdC="0639980012")
    keep(peer, 3 * MINUTE_US)
    assert ask(peer, "54", AdC="0033639980012", SCTS=NOW_STAMP)[0] == "A"
