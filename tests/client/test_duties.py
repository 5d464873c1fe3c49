from __future__ import annotations

import pytest
from msgspec.structs import replace

from simbench.base.units import SECOND_US
from simbench.client import messages as m
from simbench.ucp.content import read
from simbench.ucp.fields import At
from tests.client.peer import CONFIG, Smsc, Wire, logged_in, message, mobile, recipient
from tests.paris import instant

ETHICAL = replace(CONFIG, ethics=True)
MARKETING = {"traffic_class": "marketing", "brand": "MARQUE", "text": "Soldes chez MARQUE"}
MACHINE = "337000000900001"


def on(code: str) -> m.LinkConfig:
    return replace(ETHICAL, code=code, account=code)


def marketing(number: int, **changes: object) -> m.Outgoing:
    return replace(message(number), **{**MARKETING, **changes})


def texts(wire: Wire) -> list[str]:
    return [read(frame.data).text or "" for frame in wire.frames("51")]


WITHHELD: dict[str, tuple[m.LinkConfig, dict[str, object]]] = {
    "without consent": (on("36010"), {"opted_in": False}),
    "that names no brand": (on("36010"), {"text": "Soldes des demain"}),
    "of no brand at all": (on("36010"), {"brand": ""}),
    "that calls free what is not": (on("36010"), {"text": "MARQUE: Service  Gratuit !"}),
    "on the range of web2sms": (on("37010"), {}),
    "on the range of machines": (on("38010"), {"recipient": MACHINE}),
    "on the range of presence without a list": (on("35010"), {}),
    "on the range of replies to who did not write": (on("34010"), {}),
    "of the class web2sms on another range": (on("36010"), {"traffic_class": "web2sms"}),
    "to a person from the range of machines": (on("38010"), {"traffic_class": "service"}),
}
SENT: dict[str, tuple[m.LinkConfig, dict[str, object]]] = {
    "nothing is wrong with": (on("36010"), {}),
    "whose brand is its sender": (replace(on("36010"), oadc_option=True), {"text": "Soldes", "oadc": "MARQUE"}),
    "that is all free": (on("36010"), {"text": "MARQUE: service gratuit", "traits": ("all-free",)}),
    "to a presence list": (on("35010"), {"traits": ("presence",)}),
    "of the class web2sms on its range": (on("37010"), {"traffic_class": "web2sms"}),
    "to a machine": (on("38010"), {"traffic_class": "service", "recipient": MACHINE}),
}


@pytest.mark.parametrize("case", WITHHELD)
def test_a_message_is_withheld(case: str) -> None:
    config, changes = WITHHELD[case]
    wire = logged_in(config).submit(marketing(1, **changes)).run(1)
    assert not wire.frames("51")
    assert len(wire.events(m.Withheld)) == 1


@pytest.mark.parametrize("case", SENT)
def test_a_message_is_sent(case: str) -> None:
    config, changes = SENT[case]
    assert len(logged_in(config).submit(marketing(1, **changes)).run(1).frames("51")) == 1


def test_who_wrote_to_a_code_of_range_34_is_answered_for_a_day() -> None:
    config = replace(on("34010"), keepalive_s=3600.0, result_timer_s=7200.0)
    wire = logged_in(config).say(mobile(recipient(1), "Combien ?")).submit(message(1), message(2)).run(1)
    assert [frame.data[At.ADC] for frame in wire.frames("51")] == [recipient(1)]
    wire.run(24 * 3600).submit(replace(message(1), token="late")).run(1)
    assert len(wire.frames("51")) == 1


def test_marketing_names_the_way_to_opt_out_once_and_only_where_it_is_needed() -> None:
    named = marketing(2, text="MARQUE: soldes. STOP au 36010")
    wire = logged_in(ETHICAL).submit(marketing(1), named, marketing(3, traits=("optout-told",)), message(4)).run(1)
    assert texts(wire) == [
        "Soldes chez MARQUE STOP au 36010", "MARQUE: soldes. STOP au 36010", "Soldes chez MARQUE", "texte 4",
    ]  # fmt: skip


def test_a_mention_without_room_goes_into_a_second_segment() -> None:
    wire = logged_in(ETHICAL).submit(marketing(1, text="MARQUE " + "x" * 150)).run(1)
    assert len(wire.frames("51")) == 2
    assert "".join(texts(wire)).endswith("STOP au 36010")


def test_a_brand_writes_to_a_user_once_a_day_and_a_rival_may_as_well() -> None:
    again, rival = replace(marketing(1), token="again"), marketing(1, token="rival", brand="RIVALE", text="RIVALE")
    wire = logged_in(ETHICAL).submit(marketing(1), again, rival).run(1)
    assert [event.token for event in wire.events(m.Withheld)] == ["again"]
    assert len(wire.frames("51")) == 2


def test_what_waits_for_the_morning_counts_for_the_day_it_leaves_on() -> None:
    wire = logged_in(ETHICAL, start=instant(2026, 6, 15, 22, 30))
    wire.submit(marketing(1), replace(marketing(1), token="again")).run(10 * 3600)
    assert [event.token for event in wire.events(m.Withheld)] == ["again"]
    assert len(wire.frames("51")) == 1


def test_marketing_is_valid_until_the_hours_end_and_other_messages_as_asked() -> None:
    wire = logged_in(ETHICAL).submit(marketing(1), message(2)).run(1)
    assert [frame.data[At.VP] for frame in wire.frames("51")] == ["1506262200", "1706261000"]


# Validity and maintenance ----------------------------------------------------------------------------------------


def test_a_message_is_not_sent_once_its_validity_is_over() -> None:
    wire = logged_in().cut(up=False).submit(message(1, validity_s=60), message(2, validity_s=600)).run(90)
    wire.cut().run(60)
    assert wire.events(m.Withheld) == [m.Withheld("m1", "its validity is over")]
    assert [frame.data[At.VP] for frame in wire.frames("51")] == ["1506261010"]


def test_for_announced_maintenance_the_client_drains_stops_and_returns() -> None:
    wire = logged_in()
    begun = wire.now
    wire.core.announce(begun + 10 * SECOND_US, begun + 40 * SECOND_US)
    for second in range(60):
        wire.submit(message(second)).run(1)
    apart = [(at - begun) / SECOND_US for at in wire.times("51")]
    assert not [at for at in apart if 8 <= at < 40]
    assert [at for at in apart if at < 8]
    assert len(wire.run(10).frames("51")) == 60
    dialled = [(at - begun) / SECOND_US for at in wire.dials]
    assert not [at for at in dialled if 8 <= at < 40]
    assert [at for at in dialled if at == pytest.approx(40, abs=0.1)]


def test_what_is_unanswered_when_maintenance_nears_is_waited_for() -> None:
    friendly = Smsc()
    wire = logged_in(reply=lambda asked: None if asked.ot == "51" else friendly(asked))
    wire.submit(message(1)).run(1)
    wire.core.announce(wire.now + SECOND_US, wire.now + 100 * SECOND_US)
    assert wire.run(20).core.state == "open"
