"""Rules on texts see whole messages, however many submits carried them."""

from __future__ import annotations

from simbench.ucp.content import compose
from simbench.ucp.frame import encode
from simbench.ucp.notifications import deliver_body
from tests.rules.scene import CODE, RECIPIENT, STAMP, Scene, submit

LONG = "Offre du jour : deux cafés pour le prix d'un. " * 6 + "#ABCDE STOP 36010"


def parts(text: str, ref: int) -> list[dict[str, str]]:
    return [{"MT": p.mt, "Msg": p.msg, "NB": p.nb, "MMS": p.mms, "XSer": p.xser} for p in compose(text, ref)]


def test_a_long_message_is_one_message_with_its_whole_text() -> None:
    scene = Scene().login(0.5)
    for number, fields in enumerate(reversed(parts(LONG, 3))):
        scene.wire(1 + number, "in", submit(number, **fields))
        scene.wire(1.5 + number, "in", submit(50 + number, f"#{number:05d}", AdC="33710000002"))
    trace = scene.trace()
    assert len(trace.submits) == 4
    messages = trace.messages
    assert messages.text.tolist() == [LONG, "Bonjour #00000", "Bonjour #00001"]
    assert messages.token.tolist() == ["#ABCDE", "#00000", "#00001"]
    assert messages.segments.tolist() == [2, 1, 1]
    assert messages.rows_of[0] == (2, 0)
    assert messages.at[0] == trace.submits.at[0]


def test_an_incomplete_message_names_its_missing_parts() -> None:
    first, second = parts(LONG, 3)
    messages = Scene().login(0.5).wire(1, "in", submit(1, **second)).trace().messages
    assert [tuple(row) for row in messages.missing] == [(1,)]
    assert LONG.endswith(messages.text[0])
    again = Scene().login(0.5)
    for number, fields in enumerate((first, first, second)):
        again.wire(1 + number, "in", submit(number, **fields))
    assert again.trace().messages.doubles.tolist() == [(1,)]
    assert again.trace().messages.segments.tolist() == [2]


def test_a_long_reply_of_a_subscriber_is_one_too() -> None:
    scene = Scene().login(0.5)
    for number, part in enumerate(compose(LONG, 9)):
        scene.wire(1 + number, "out", encode(number, "O", "52", deliver_body(CODE, RECIPIENT, STAMP, part)))
    replies = scene.trace().replies
    assert replies.text.tolist() == [LONG]
    assert (replies.sender[0], replies.recipient[0]) == (RECIPIENT, CODE)


def test_without_submits_there_are_no_messages() -> None:
    assert len(Scene().login(0.5).trace().messages) == 0
