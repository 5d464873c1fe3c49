"""A finding keeps the sentences of its summary: every output shows them or the one text made of them."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simbench.finding import Evidence, Finding, doubted, prose
from simbench.rulebook import Rulebook, Verdict, worst
from simbench.ucp.operations import build

SENTENCES = st.lists(st.text(max_size=12), min_size=1, max_size=4)


def found(summary: str = "2 frames late", parts: tuple[str, ...] = ()) -> Finding:
    return Finding("rate.window", "OPS-ENG-01", "fail", summary, blame="client", parts=parts)


def test_a_summary_of_one_sentence_is_its_only_part() -> None:
    assert found().parts == ("2 frames late",)


def test_a_changed_summary_leaves_no_parts_of_the_old_one() -> None:
    changed = msgspec.structs.replace(found("a; b", ("a", "b")), summary="c")
    assert changed.parts == ("c",)


def test_a_finding_written_without_parts_can_still_be_read() -> None:
    written = b'{"purpose":"A/b","clause":"A","outcome":"pass","summary":"all 3; none late"}'
    assert msgspec.json.decode(written, type=Finding).parts == ("all 3; none late",)


@given(SENTENCES)
def test_parts_survive_json_whatever_they_contain(parts: list[str]) -> None:
    before = found(prose(parts), tuple(parts))
    assert msgspec.json.decode(msgspec.json.encode(before), type=Finding) == before
    assert before.parts == tuple(parts) or prose(parts) == ""


def test_a_doubt_stands_after_what_was_seen() -> None:
    doubtful = doubted(found(), ["3 octets were not captured", "1 connection lacks a direction"])
    assert (doubtful.outcome, doubtful.blame) == ("inconclusive", "bench")
    assert doubtful.parts == ("2 frames late", "but 3 octets were not captured", "1 connection lacks a direction")
    assert doubtful.summary == "2 frames late, but 3 octets were not captured; 1 connection lacks a direction"


def test_several_measurements_keep_the_sentences_of_the_worst_alone() -> None:
    inner = worst([Verdict("fail", "36010: 2 late"), Verdict("fail", "36011; spare: 1 late"), Verdict("pass", "fine")])
    judged = worst([inner, Verdict("weak", "36012: 1 s off"), Verdict("fail", "36013: 9 late")])
    assert judged.parts == ("36010: 2 late", "36011; spare: 1 late", "36013: 9 late")
    assert judged.summary == "36010: 2 late; 36011; spare: 1 late; 36013: 9 late"


def test_the_finding_of_a_rule_has_the_parts_of_its_verdict() -> None:
    book = Rulebook[int]()
    verdicts = [Verdict("fail", "2 late"), Verdict("fail", "x")]
    book.rule("A/b", "Nothing is late")(lambda _: worst(verdicts))
    judged = book.judge("A/b", 2)
    assert (judged.parts, judged.lines) == (("2 late", "x"), "2 late\nx")


def test_a_breach_is_blamed_on_whom_the_rule_binds_and_a_pass_on_nobody() -> None:
    book = Rulebook[str](binds="platform", unit="frames")
    book.rule("A/b", "Nothing is late")(lambda outcome: Verdict(outcome, "2 late", 2, 0))  # type: ignore[arg-type]
    assert {outcome: book.judge("A/b", outcome).blame for outcome in ("fail", "weak", "inconclusive", "pass")} == {
        "fail": "platform", "weak": "platform", "inconclusive": "", "pass": "",
    }  # fmt: skip
    assert book.judge("A/b", "fail").unit == "frames"


def test_a_rule_whose_input_is_not_given_is_not_applied() -> None:
    book = Rulebook[None]()
    book.rule("A/bare", "Always")(lambda _: Verdict("pass", "fine"))
    book.rule("A/ports", "With ports", reads=("records", "ports"))(lambda _: Verdict("pass", "fine"))
    assert [one.purpose for one in book.judge_all(None, having=["records"])] == ["A/bare"]
    assert len(book.judge_all(None, having=["records", "ports"])) == 2


def test_a_finding_shows_itself_in_words() -> None:
    frame = build("51", "O", 7, AdC="33612345678", OAdC="36010", MT="3", Msg=b"Bonjour".hex().upper())
    evidence = tuple(Evidence(f"late {n}", frame=frame.hex().upper()) for n in range(3))
    shown = repr(msgspec.structs.replace(found(), evidence=evidence))
    assert shown.startswith("<Finding fail, blames the client (rate.window, OPS-ENG-01): 2 frames late | Evidence late")
    assert "51 submit short message, operation, TRN 07: AdC *********78, OAdC 36010, MT 3, Msg 'Bonjour'" in shown
    assert shown.endswith("; and 1 more>")
    assert frame.hex().upper() not in shown


def test_evidence_shows_octets_that_are_no_frame_and_text_that_is_no_hexadecimal() -> None:
    assert repr(Evidence("length", frame=b"\x0201/1/O\x03".hex())) == "<Evidence length: 01/1/O>"
    assert repr(Evidence("length", frame="none")) == "<Evidence length>"
