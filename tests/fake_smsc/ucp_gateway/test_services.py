from __future__ import annotations

import pytest

from fake_smsc.scenario import CodeConfig
from fake_smsc.strictness import Strictness
from simbench.base.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.operations import decode
from tests.fake_smsc.ucp_gateway.stage import AWAY, buffered, keep, logged_in, minutes_ahead, put, rows, stamps_ahead
from tests.harness import Peer


def ec_of(peer: Peer, **fields: str) -> str:
    return str(decode(peer.submit(1, **fields)[0]).get("EC", "A"))


def test_a_deferred_message_is_delivered_after_its_time() -> None:
    peer = logged_in()
    assert ec_of(peer, DD="1", DDT=minutes_ahead(2 * HOUR_US)) == "A"
    assert keep(peer, 2 * HOUR_US) == []
    (notice,) = keep(peer, 10 * MINUTE_US)
    assert decode(notice)["Dst"] == "0"
    assert stamps_ahead(2 * HOUR_US) < decode(notice)["DSCTS"] < stamps_ahead(2 * HOUR_US + 5 * MINUTE_US)


def test_a_time_without_a_request_defers_nothing() -> None:
    peer = logged_in()
    assert ec_of(peer, DDT=minutes_ahead(2 * HOUR_US)) == "A"
    assert len(keep(peer, 5 * MINUTE_US)) == 1


@pytest.mark.parametrize("hours", [-1, 0, 24 * 4])
def test_a_deferral_that_is_over_or_beyond_is_refused(hours: int) -> None:
    assert ec_of(logged_in(), DD="1", DDT=minutes_ahead(hours * HOUR_US)) == "22"


@pytest.mark.parametrize(("vp_h", "ec"), [(1, "22"), (2, "22"), (3, "A")])
def test_the_validity_of_a_deferred_message_ends_after_its_deferral(vp_h: int, ec: str) -> None:
    peer = logged_in()
    assert ec_of(peer, DD="1", DDT=minutes_ahead(2 * HOUR_US), VP=minutes_ahead(vp_h * HOUR_US)) == ec


def test_the_default_validity_runs_from_the_deferral() -> None:
    peer = logged_in()
    put(peer, attached=False)
    peer.submit(1, DD="1", DDT=minutes_ahead(DAY_US))
    (notice,) = keep(peer, 4 * DAY_US)
    assert decode(notice)["DSCTS"] == stamps_ahead(3 * DAY_US)


def test_messages_not_delivered_in_time_go_to_the_last_resort_address() -> None:
    peer = buffered(VP=minutes_ahead(HOUR_US), LRq="1", LRAd="33639980077", LPID="0100")
    (notice,) = keep(peer, 2 * HOUR_US)
    assert (decode(notice)["Dst"], decode(notice)["Rsn"]) == ("2", "107")
    (forwarded,), (delivered,) = rows(peer, "forwarded"), rows(peer, "last-resort")
    assert forwarded[4] == delivered[4] == "33639980077"
    assert peer.gateway.centre.delivery.on_the_way == 0


def test_a_last_resort_address_that_is_away_too_gets_nothing() -> None:
    peer = buffered(VP=minutes_ahead(HOUR_US), LRq="1", LRAd="33639980077", LPID="0100")
    put(peer, attached=False, msisdn="33639980077")
    keep(peer, 2 * HOUR_US)
    assert len(rows(peer, "last-resort-failed")) == 1


def test_a_message_delivered_in_time_does_not_use_its_last_resort_address() -> None:
    peer = buffered(LRq="1", LRAd="33639980077", LPID="0100")
    put(peer, attached=True)
    keep(peer, 4 * DAY_US)
    assert not rows(peer, "forwarded")


def test_priority_needs_a_subscription() -> None:
    assert ec_of(logged_in(), PR="1") == "12"
    assert ec_of(logged_in(CodeConfig(code="36010", priority=True)), PR="1") == "A"


def test_a_priority_message_is_served_before_older_messages() -> None:
    peer = logged_in(CodeConfig(code="36010", priority=True))
    put(peer, attached=False)
    peer.submit(1)
    peer.submit(2)
    peer.submit(3, PR="1")
    keep(peer, 5 * MINUTE_US)
    put(peer, attached=True)
    assert [decode(notice)["SCTS"][-2:] for notice in peer.wait(0)] == ["02", "00", "01"]


def test_parts_announced_by_more_messages_arrive_together_and_in_order() -> None:
    peer = logged_in()
    for trn, more in ((1, "1"), (2, "1"), (3, "")):
        peer.submit(trn, MMS=more, XSer=f"01060500032A030{trn}")
    peer.submit(4)
    notices = keep(peer, 5 * MINUTE_US)
    times = {decode(notice)["SCTS"][-2:]: decode(notice)["DSCTS"] for notice in notices}
    assert times["00"] == times["01"] == times["02"] != times["03"]
    assert [decode(n)["SCTS"][-2:] for n in notices if decode(n)["SCTS"][-2:] != "03"] == ["00", "01", "02"]


def test_an_answer_over_a_reply_path_is_marked_once() -> None:
    peer = logged_in()
    peer.submit(1, AdC="33639980012", RPI="1")
    keep(peer, 5 * MINUTE_US)
    reply_paths = []
    for _ in range(2):
        peer.gateway.originate("33639980012", "36010", "Oui", peer.now)
        reply_paths += [decode(notice).get("RPI", "") for notice in keep(peer, SECOND_US)]
    assert reply_paths == ["2", ""]


def test_a_message_of_a_replace_type_takes_the_place_of_the_one_that_waits() -> None:
    peer = buffered(RPID="0065")
    peer.submit(2, RPID="0065")
    put(peer, attached=True)
    keep(peer, 5 * MINUTE_US)
    assert len(rows(peer, "replaced")) == len(rows(peer, "delivered")) == 1
    assert peer.gateway.centre.delivery.on_the_way == 0


def test_a_replaced_message_is_notified_as_not_delivered() -> None:
    peer = buffered(RPID="0065")
    result, notice = peer.submit(2, RPID="0065")
    assert result.ot == "51"
    assert (decode(notice)["Dst"], decode(notice)["Rsn"], decode(notice)["SCTS"]) == ("2", "108", stamps_ahead(0))


def test_messages_of_other_replace_types_and_recipients_remain() -> None:
    peer = buffered(RPID="0065")
    peer.submit(2, RPID="0066")
    peer.submit(3, RPID="0065", AdC="33710000002")
    assert not rows(peer, "replaced")


def test_a_single_shot_is_tried_once() -> None:
    peer = logged_in()
    put(peer, attached=False)
    peer.submit(1, XSer="0D0101", NT="7")
    (notice,) = keep(peer, 5 * MINUTE_US)
    assert (decode(notice)["Dst"], decode(notice)["Rsn"]) == ("2", "107")


def test_a_wrong_authentication_code_is_refused_but_none_is_required() -> None:
    code = CodeConfig(code="36010", auth_code="4711")
    assert [ec_of(logged_in(code), AC=ac) for ac in ("4711", "4712", "", "0000", "123")] == ["A", "07", "A", "02", "02"]
    assert ec_of(logged_in(), AC="4712") == "A"


def test_a_long_message_is_accepted_with_the_option_and_counts_each_segment() -> None:
    text = "41" * 400
    assert ec_of(logged_in(), Msg=text) == "24"
    peer = logged_in(strictness=Strictness(long_text="accept"))
    assert ec_of(peer, Msg=text) == "A"
    assert rows(peer, "accepted")[0][9] == 3
    assert ec_of(peer, Msg="41" * 641) == "24"


@pytest.mark.parametrize("address", ["38001", "38002"])
def test_a_notification_address_of_another_account_is_refused(address: str) -> None:
    peer = logged_in(CodeConfig(code="36010"), CodeConfig(code="38001"), CodeConfig(code="38002", account="38001"))
    other = Peer(peer.gateway, 2)
    other.login("38001")
    assert ec_of(peer, NAdC=address, NPID="0539") == "04"
    assert other.wait(MINUTE_US) == []


def test_a_notification_address_that_is_another_code_of_the_account_gets_the_notification() -> None:
    peer = logged_in(CodeConfig(code="36010"), CodeConfig(code="38002", account="36010"))
    peer.submit(1, NAdC="38002", NPID="0539")
    (notice,) = peer.wait(MINUTE_US)
    assert (notice.ot, decode(notice)["AdC"]) == ("53", "36010")


def test_a_notification_address_elsewhere_leaves_the_platform() -> None:
    peer = logged_in()
    peer.submit(1, NAdC="33639980077", NPID="0100")
    assert peer.wait(5 * MINUTE_US) == []
    assert rows(peer, "notification-elsewhere")[0][4] == "33639980077"


def test_a_notification_address_without_a_type_means_this_session() -> None:
    peer = logged_in()
    peer.submit(1, NAdC="33639980077")
    assert len(peer.wait(MINUTE_US)) == 1


def test_an_alphanumeric_sender_is_written_under_the_convention_of_the_switch() -> None:
    for convention, oadc in (("semi-octets", "07F4F29C0E"), ("octets", "08F4F29C0E")):
        peer = logged_in(strictness=Strictness(originator_length=convention))  # type: ignore[arg-type]
        peer.gateway.originate("test", "36010", "Bonjour", peer.now)
        (notice,) = peer.wait(0)
        assert (decode(notice)["OAdC"], decode(notice)["OTOA"]) == (oadc, "5039")


def test_a_message_to_an_unknown_subscriber_does_not_use_its_last_resort_address() -> None:
    peer = logged_in()
    peer.gateway.centre.subscriber(Subscriber(AWAY, "unknown", "", True, False), peer.now)
    peer.submit(1, LRq="1", LRAd="33639980077", LPID="0100")
    assert decode(keep(peer, 5 * MINUTE_US)[0])["Rsn"] == "101"
    assert not rows(peer, "forwarded")
