"""The sender, against a server of a few lines on a real socket."""

from __future__ import annotations

import io
import itertools
import os
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path

import pytest

from simbench.base.errors import BadInput, Trouble
from simbench.base.units import SECOND_US
from simbench.dialup.radius.journal import Journal, Sent, read_journal
from simbench.dialup.radius.packets import read, signed
from simbench.dialup.radius.sender import Server
from tests.dialup.radius.peer import SECRET, always, respond, sent_to
from tests.dialup.radius.scenes import planned


def test_every_record_is_sent_signed_and_once_to_a_server_that_answers(tmp_path: Path) -> None:
    plan = planned(50)
    reported, peer, sender = sent_to(tmp_path, plan)
    assert [each.planned for each in sorted(reported.sent, key=lambda each: plan.index(each.planned))] == plan
    assert len(peer.heard) == len(plan) == sender.answered
    assert all(signed(octets, SECRET) for _, octets in peer.heard)
    assert {len(each.tries) for each in reported.sent} == {1}
    assert all(each.answered_us >= each.tries[0].sent_us for each in reported.sent)
    assert reported.end is not None
    assert (reported.end.records, reported.end.unsigned, reported.end.stray) == (len(plan), 0, 0)


def test_no_source_port_has_more_than_its_window_open_and_all_are_used(tmp_path: Path) -> None:
    reported, peer, _ = sent_to(tmp_path, planned(100), window=5, ports=3)
    most: Counter[int] = Counter()
    for port in {port for port, _ in peer.heard}:
        steps = [(each.tries[0].sent_us, 1) for each in reported.sent if each.tries[0].port == port]
        steps += [(each.answered_us, -1) for each in reported.sent if each.tries[0].port == port]
        most[port] = max(itertools.accumulate(step for _, step in sorted(steps)))
    assert list(most.values()) == [5, 5, 5]


def test_an_unanswered_request_is_repeated_octet_for_octet_while_its_delay_is_the_same(tmp_path: Path) -> None:
    reported, peer, sender = sent_to(
        tmp_path, planned(2), lambda n, octets: always(n, octets) if n >= 6 else [], first_s=0.05, longest_s=0.1
    )
    again = Counter(octets for _, octets in peer.heard)
    assert sender.retransmitted > 0
    assert max(again.values()) >= 2
    for each in reported.sent:
        assert len({attempt.identifier for attempt in each.tries}) == len({attempt.delay_s for attempt in each.tries})


def test_a_delay_that_has_grown_makes_a_new_request_with_a_new_identifier(tmp_path: Path) -> None:
    reported, peer, _ = sent_to(
        tmp_path, planned(1)[:1], lambda n, octets: always(n, octets) if n == 1 else [], first_s=1.2, longest_s=60
    )
    (each,) = reported.sent
    first, second = each.tries
    assert first.delay_s < 1 <= second.delay_s
    assert first.identifier != second.identifier
    assert [read(octets).delay_s for _, octets in peer.heard] == [first.delay_s, second.delay_s]
    assert peer.heard[0][1][4:20] != peer.heard[1][1][4:20]


def test_a_record_is_given_up_after_its_retransmissions_and_the_run_goes_on(tmp_path: Path) -> None:
    plan = planned(20)
    lost = plan[5].record

    def but_one(number: int, octets: bytes) -> list[bytes]:
        record = read(octets)
        return [] if (record.session, record.status) == (lost.session, lost.status) else always(number, octets)

    reported, _, sender = sent_to(tmp_path, plan, but_one, retransmissions=2, first_s=0.5, longest_s=0.5)
    (given_up,) = (each for each in reported.sent if each.answered_us < 0)
    assert given_up.planned.record == lost
    assert len(given_up.tries) == 3
    assert (sender.given_up, sender.answered) == (1, len(plan) - 1)


def test_waits_double_up_to_the_longest_give_or_take_a_tenth(tmp_path: Path) -> None:
    plan = planned(2)
    reported, _, _ = sent_to(
        tmp_path,
        plan,
        lambda n, octets: always(n, octets) if read(octets).status != plan[-1].record.status else [],
        retransmissions=3,
        first_s=0.1,
        longest_s=0.2,
    )
    given_up = next(each for each in reported.sent if each.answered_us < 0)
    sent = [attempt.sent_us for attempt in given_up.tries]
    waits = [(after - before) / SECOND_US for before, after in itertools.pairwise(sent)]
    assert all(wait >= least for wait, least in zip(waits, (0.09, 0.18, 0.18), strict=True))


def test_an_answer_with_the_wrong_authenticator_is_no_answer(tmp_path: Path) -> None:
    plan = planned(10)
    reported, _, sender = sent_to(
        tmp_path,
        plan,
        lambda n, octets: [respond(octets, b"another"), *always(n, octets)] if n == 3 else always(n, octets),
    )
    assert sender.unsigned == 1
    assert sender.answered == len(plan)
    assert reported.end is not None
    assert reported.end.unsigned == 1


def test_a_server_with_another_secret_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="the server has another secret"):
        sent_to(
            tmp_path, planned(2), lambda _, octets: [respond(octets, b"another")],
            retransmissions=1, first_s=0.05, longest_s=0.1,
        )  # fmt: skip
    assert read_journal(tmp_path / "journal.jsonl").end is None


def test_noise_that_answers_nothing_is_counted_and_passed_over(tmp_path: Path) -> None:
    plan = planned(10)
    noise = [b"", b"\x05", bytes(20), b"\x05\xc8" + bytes(30)]
    _, _, sender = sent_to(tmp_path, plan, lambda n, octets: [*noise, *always(n, octets), *always(n, octets)])
    assert sender.answered == len(plan)
    assert sender.stray > 0


def test_records_keep_the_distances_of_the_calls_divided_by_speed(tmp_path: Path) -> None:
    plan = planned(10)
    reported, _, _ = sent_to(tmp_path, plan, speed=2_000.0)
    at = {each.planned.record: each.tries[0].sent_us for each in reported.sent}
    for each in plan:
        due_us = reported.run.started_us + (each.due_us - plan[0].due_us) // 2_000
        assert at[each.record] >= due_us


def test_what_is_withheld_is_noted_and_not_sent(tmp_path: Path) -> None:
    plan = planned(100, "lost-stop")
    reported, peer, sender = sent_to(tmp_path, plan)
    withheld = [each for each in reported.sent if each.planned.withheld]
    assert withheld
    assert sender.withheld == len(withheld)
    assert len(peer.heard) == len(plan) - len(withheld)


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(BadInput, match="1 to 50"):
        Server("127.0.0.1", 1813, SECRET, window=51)
    with pytest.raises(BadInput, match="secret"):
        Server("127.0.0.1", 1813, b"")


def test_a_plan_that_fails_ends_the_run_with_its_error(tmp_path: Path) -> None:
    def broken() -> object:
        yield from planned(5)[:3]
        raise BadInput("call 4", "is wrong")

    with pytest.raises(BadInput, match="call 4"):
        sent_to(tmp_path, broken())  # type: ignore[arg-type]  # a generator of planned records


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("something")
    with pytest.raises(BadInput, match="exists"), Journal(tmp_path / "journal.jsonl"):
        pass


def test_a_torn_journal_has_no_end_and_a_damaged_one_names_its_line(tmp_path: Path) -> None:
    reported, _, _ = sent_to(tmp_path, planned(5))
    path = tmp_path / "journal.jsonl"
    octets = path.read_bytes()
    path.write_bytes(octets[:-5])
    assert read_journal(path).end is None
    assert len(read_journal(path).sent) == len(reported.sent)
    path.write_bytes(octets.replace(b'"line":"record"', b'"line":"strange"', 1))
    with pytest.raises(BadInput, match="line 2"):
        read_journal(path)
    path.write_bytes(b"".join(line for n, line in enumerate(octets.splitlines(keepends=True)) if n != 2))
    with pytest.raises(BadInput, match="counts"):
        read_journal(path)
    path.write_bytes(b"")
    with pytest.raises(BadInput, match="no first line"):
        read_journal(path)


def test_a_disk_that_is_full_is_trouble(tmp_path: Path) -> None:
    lines = [Sent(each) for each in planned(2_000)]
    with Journal(tmp_path / "journal.jsonl") as journal, Path("/dev/full").open("wb") as full:
        journal._file.close()
        journal._file = full
        with pytest.raises(Trouble, match="No space left"):
            deque(map(journal.append, lines))
        journal._file = io.BufferedWriter(io.FileIO(os.devnull, "w"))
        with suppress(OSError):
            full.close()
