"""Search: for any reads and writes, its results agree with the frames read one by one."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.units import SECOND_US
from simbench.kernels import jit
from simbench.ledger import Ledger, MemoryLedger, RunInfo
from simbench.service import extent, message_rows, search_kernels
from simbench.service.messages import MessageSearch, Query
from simbench.ucp import alphabet, content
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests.paris import CONTRACT, scts_text

NOON = 1_795_000_000  # s; some day of November 2026
NUMBER = "33639980001"


@pytest.fixture(params=["compiled", "plain"], scope="module", autouse=True)
def _way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything twice: by the kernels, and frame by frame as where nothing is compiled. The results are the same."""
    if request.param == "compiled" and not jit.compiles():
        pytest.skip("nothing is compiled here")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search_kernels.KERNELS, "ready", lambda *_: request.param == "compiled")
        yield


def submit(trn: int, text: str, recipient: str = NUMBER) -> bytes:
    (part,) = content.compose(text)
    extra = {"XSer": part.xser} if part.xser else {}
    return build("51", "O", f"{trn:02}", AdC=recipient, OAdC="36010", MT=part.mt, Msg=part.msg, **extra)


def accepted(trn: int, second: int, recipient: str = NUMBER) -> bytes:
    return encode(f"{trn:02}", "R", "51", f"A//{recipient}:{scts_text(second * SECOND_US)}/")


def refused(trn: int, ec: str) -> bytes:
    return encode(f"{trn:02}", "R", "51", f"N/{ec}/ no /")


def decision(ledger: MemoryLedger, kind: str, second: int, recipient: str = NUMBER) -> None:
    ledger.centre.append((second * SECOND_US, kind, 1, "36010", recipient, 7, 1, 0, second, 1, 0, 0))


def search_of(ledger: MemoryLedger) -> MessageSearch:
    search = MessageSearch(ledger, CONTRACT)
    search.search(Query())
    return search


def reported(search: MessageSearch, **query: Any) -> list[tuple[str, str, str]]:
    found, _ = search.search(Query(limit=10_000, **query))
    return [(row["text"], row["outcome"], row["ec"]) for row in reversed(found)]


texts = st.one_of(
    st.text(alphabet.BASIC.replace("\x1b", ""), max_size=40), st.text("abc{}[]€", max_size=20), st.text(max_size=30)
).filter(lambda text: "\x00" not in text and len(text.encode("utf-16-be")) <= 120 and _is_whole(text))  # fmt: skip


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-16-be")
    except UnicodeEncodeError:
        return False
    return len(content.compose(text)) == 1


@given(
    st.lists(st.tuples(st.integers(1, 3), texts), min_size=1, max_size=25),
    st.lists(st.integers(1, 400), max_size=12),
    st.integers(1, 5),
)
@settings(max_examples=60)
def test_texts_sent_over_several_sessions_are_found_in_their_order_however_the_reads_cut_them(
    sent: list[tuple[int, str]], cuts: list[int], piece: int
) -> None:
    ledger = MemoryLedger()
    streams = {session: b"" for session, _ in sent}
    for number, (session, text) in enumerate(sent):
        streams[session] += submit(number, text)
    search = MessageSearch(ledger, CONTRACT)
    for turn, size in enumerate([*cuts, *[10_000] * 3]):
        for session in streams:
            octets, streams[session] = streams[session][:size], streams[session][size:]
            if octets:
                ledger.wire.append((turn, session, "in", octets))
        if turn % piece == 0:
            search.search(Query())
    search.search(Query())
    found, count = search.search(Query(limit=1_000))
    assert count == len(sent)
    for session in streams:
        mine = [text for each, text in sent if each == session]
        assert [row["text"] for row in reversed(found) if row["session"] == session] == mine
    for _, text in sent:
        for wanted in {text, text.swapcase() if text.isascii() else text, text[1:]}:
            assert text in {row["text"] for row in search.search(Query(text=wanted, limit=1_000))[0]}


@given(st.lists(st.tuples(st.integers(1, 2), st.sampled_from(["in", "out", "close"]), st.binary(max_size=60))))
@settings(max_examples=100)
def test_octets_that_are_no_frames_are_no_messages(rows: list[tuple[int, str, bytes]]) -> None:
    ledger = MemoryLedger()
    frame = submit(1, "sound")
    for at, (session, way, octets) in enumerate(rows):
        ledger.wire.append((at, session, way, octets.replace(b"\x03", b"/O/51/\x03")))
    ledger.wire.append((len(rows), 9, "in", frame))
    search = search_of(ledger)
    assert [row["text"] for row in search.search(Query())[0]] == ["sound"]


def test_a_result_answers_the_latest_submission_of_its_session_and_number() -> None:
    ledger = MemoryLedger()
    for session, text in ((1, "first"), (2, "other"), (1, "again")):
        ledger.wire.append((session, session, "in", submit(5, text)))
    ledger.wire.append((9, 1, "out", accepted(5, NOON)))
    search = search_of(ledger)
    ledger.wire.append((10, 2, "out", refused(5, "04") + refused(5, "03")))
    search.search(Query())
    assert reported(search) == [("first", "pending", ""), ("other", "refused", "04"), ("again", "accepted", "")]


def test_a_session_that_ended_leaves_no_half_frame_and_no_submission_waiting() -> None:
    ledger = MemoryLedger()
    ledger.wire.append((1, 1, "in", submit(5, "first") + submit(6, "half")[:30]))
    ledger.wire.append((2, 1, "close", b"peer: closed"))
    search = search_of(ledger)
    ledger.wire.append((3, 1, "in", submit(6, "half")[30:]))
    ledger.wire.append((4, 1, "out", accepted(5, NOON)))
    search.search(Query())
    assert reported(search) == [("first", "pending", "")]


def test_an_outcome_is_found_whether_it_was_decided_before_or_after_its_result_was_written() -> None:
    ledger = MemoryLedger()
    ledger.wire.append((1, 1, "in", submit(1, "early") + submit(2, "late") + submit(3, "waits") + submit(4, "lost")))
    ledger.wire.append((2, 1, "out", b"".join(accepted(trn, NOON + trn) for trn in (2, 3, 4))))
    for second, kind in ((1, "delivered"), (2, "buffered"), (2, "delivered"), (3, "buffered"), (4, "undelivered")):
        decision(ledger, kind, NOON + second)
    search = search_of(ledger)
    assert reported(search)[0] == ("early", "pending", "")
    ledger.wire.append((3, 1, "out", accepted(1, NOON + 1)))
    decision(ledger, "accepted", NOON + 9)
    decision(ledger, "delivered", NOON + 3)
    search.search(Query())
    assert [outcome for _, outcome, _ in reported(search)] == ["delivered"] * 3 + ["undelivered"]


def test_a_stamp_of_the_hour_that_october_repeats_may_be_either() -> None:
    ledger = MemoryLedger()
    before = 1_792_888_200  # 2026-10-25 00:30 UTC: 02:30 in summer, and again an hour later
    ledger.wire.append((1, 1, "in", submit(1, "first") + submit(2, "second", "33639980002")))
    ledger.wire.append((2, 1, "out", accepted(1, before) + accepted(2, before + 3600, "33639980002")))
    decision(ledger, "delivered", before)
    decision(ledger, "undelivered", before + 3600, "33639980002")
    assert [outcome for _, outcome, _ in reported(search_of(ledger))] == ["delivered", "undelivered"]


def test_a_full_disk_is_reported_and_the_next_search_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object, __: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    ledger = MemoryLedger()
    ledger.wire.append((1, 1, "in", submit(1, "first") + submit(2, "second")[:40]))
    search = MessageSearch(ledger, CONTRACT)
    with monkeypatch.context() as patched:
        patched.setattr(message_rows.Spill, "append", full)
        with pytest.raises(OSError, match="No space"):
            search.search(Query())
    ledger.wire.append((2, 1, "in", submit(2, "second")[40:]))
    assert [text for text, _, _ in reported(search)] == ["first", "second"]


def test_blocks_are_searched_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_rows, "BLOCK", 20)
    ledger = MemoryLedger()
    search = MessageSearch(ledger, CONTRACT)
    for n in range(99):
        ledger.wire.append((n, 1, "in", submit(n, f"number {n} é")))
        search.search(Query())
    ledger.wire.append((100, 1, "out", b"".join(accepted(n, NOON + n) for n in range(0, 99, 2)) + refused(33, "07")))
    for n in range(0, 99, 4):
        decision(ledger, "delivered", NOON + n)
    assert len(reported(search, outcome="delivered")) == 25
    assert len(reported(search, outcome="accepted")) == 25
    assert reported(search, outcome="refused") == [("number 33 é", "refused", "07")]
    assert reported(search, text="BER 71 É") == [("number 71 é", "pending", "")]
    assert reported(search, text="énumber") == []  # not across two messages
    pages = [search.search(Query(code="36010", outcome="delivered", limit=10, offset=n))[0] for n in (0, 10, 20)]
    assert [row["number"] for page in pages for row in page] == [*range(96, -1, -4)]
    assert search.search(Query(below=40, limit=1))[0][0]["number"] == 39
    assert search.frame(1, 33, "33") == submit(33, "number 33 é")
    assert search.frame(1, 33, "34") is None


def test_a_ledger_of_many_segments_is_searched_whole_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extent, "PIECE_ROWS", (3, 7))
    numbers = [f"3363998{n:04}" for n in range(200)]
    with Ledger.create(tmp_path / "run", RunInfo(run="search"), max_bytes=9_000) as ledger:
        for n, number in enumerate(numbers):
            octets = submit(n % 100, f"text {n}", number)
            ledger.wire.append((n, 1, "in", octets[: 30 + n % 60]))
            ledger.wire.append((n, 1, "in", octets[30 + n % 60 :]))
            if n % 40 == 0:
                ledger.flush()
        search = MessageSearch(ledger, CONTRACT)
        assert [text for text, _, _ in reported(search)] == [f"text {n}" for n in range(200)]
        assert len(list(ledger.folder.glob("wire-*.arrows"))) > 1
        (found,), count = search.search(Query(recipient="0639980123"))
        assert (found["text"], found["number"], count) == ("text 123", 123, 200)
        search.forget()
    assert {path.suffix for path in ledger.folder.iterdir()} <= {".parquet", ".json", ".lock", ""}
