from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from simbench.base.errors import BadInput, Trouble
from simbench.base.units import SECOND_US
from simbench.client import messages as m
from simbench.client.compliance import StopList
from simbench.client.core import Core
from simbench.client.spool import Spool
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame
from tests.client.peer import CODE, CONFIG, MONDAY_10H, Smsc, Wire, message, mobile, notification, recipient
from tests.paris import PLAN


class Kept(Wire):
    """A core whose events are spooled before its octets are sent, as in the shell."""

    def __init__(self, spool: Spool, start: int = MONDAY_10H, config: m.LinkConfig = CONFIG) -> None:
        core = Core(config, StopList(PLAN, spool.stops()))
        core.restore(spool.memory(config.code, config.rate_per_s), start)
        self.spool = spool
        super().__init__(core, start=start)

    def _drain(self) -> None:
        before = len(self.happened)
        super()._drain()
        new = self.happened[before:]
        self.happened[before:] = []
        self.spool.record(self.core.config.code, [event for _, event in new])
        self.happened += new


def later(wire: Kept, seconds: int = 1, config: m.LinkConfig = CONFIG) -> Kept:
    """The client was killed, and starts again on the same spool."""
    return Kept(wire.spool, wire.now + seconds * SECOND_US, config)


def mute(asked: Frame) -> bytes | None:
    return None if asked.ot == "51" else Smsc()(asked)


def test_a_restarted_client_sends_what_was_queued_and_nothing_that_was_accepted() -> None:
    wire = Kept(Spool(":memory:"))
    wire.submit(*(message(number) for number in range(30))).run(1.05)
    accepted = {event.token for event in wire.events(m.Accepted)}
    again = later(wire)
    again.run(10)
    assert 5 < len(accepted) < 20
    assert accepted.isdisjoint(event.token for event in again.events(m.Sent))
    assert wire.spool.states() == {f"m{number}": "accepted" for number in range(30)}


def test_what_had_left_without_a_result_goes_first_after_a_restart() -> None:
    wire = Kept(Spool(":memory:"))
    wire.reply = mute
    wire.submit(*(message(number) for number in range(6))).run(0.25)
    again = later(wire)
    again.run(3)
    assert [event.token for event in again.events(m.Doubtful)] == ["m0", "m1", "m2"]
    assert [frame.data[At.ADC] for frame in again.frames("51")] == [recipient(number) for number in range(6)]


def test_notifications_after_a_restart_find_their_messages() -> None:
    wire = Kept(Spool(":memory:"))
    wire.submit(replace(message(1), text="a" * 300), message(2)).run(2)
    first, second, third = (event.scts for event in wire.events(m.Accepted))
    wire.say(notification(recipient(1), first))
    again = later(wire)
    again.run(0.1)
    again.say(notification(recipient(1), second)).say(notification(recipient(2), third, "2", "108"))
    assert again.events(m.Delivered) == [m.Delivered("m1", "000")]
    assert wire.spool.states() == {"m1": "delivered", "m2": "undelivered"}
    assert again.core.receipts.unknown == 0


def test_parts_sent_again_keep_their_reference() -> None:
    wire = Kept(Spool(":memory:"))
    wire.reply = mute
    wire.submit(*(replace(message(number), text="a" * 300) for number in range(3))).run(1)
    again = later(wire)
    again.run(3)
    assert [f.data[At.XSER] for f in again.frames("51")] == [f.data[At.XSER] for f in wire.frames("51")]
    again.submit(replace(message(4), text="b" * 300)).run(1)
    assert again.frames("51")[-1].data[At.XSER] == "0106050003040202"


def test_the_stop_list_survives_a_restart_with_the_brands_of_the_code() -> None:
    wire = Kept(Spool(":memory:"))
    wire.submit(message(1, traffic_class="marketing", brand="b")).run(1)
    again = later(wire)
    again.run(0.1).say(mobile(recipient(5), "stop"))
    assert sorted(wire.spool.stops()) == [(CODE, recipient(5)), ("b", recipient(5))]
    third = later(again)
    third.run(0.1).submit(message(5, traffic_class="marketing", brand="b")).run(1)
    assert third.events(m.Withheld) == [m.Withheld("m5", "recipient opted out")]


def test_the_pace_survives_restarts_in_quick_succession() -> None:
    wire = Kept(Spool(":memory:"))
    wire.submit(*(message(number) for number in range(60)))
    departures: list[int] = []
    for _ in range(8):
        wire.run(0.4)
        departures += wire.times("51")
        wire = Kept(wire.spool, wire.now + 1)
    assert len(departures) > 25
    assert all(late - early >= SECOND_US for early, late in zip(departures, departures[10:], strict=False))


def test_a_ref_is_taken_once() -> None:
    spool = Spool(":memory:")
    assert spool.claim("m1")
    assert not spool.claim("m1")
    spool.record(CODE, [m.Queued(message(1), 1, 0)])
    assert not spool.claim("m1")


def test_a_transaction_that_fails_leaves_nothing_behind() -> None:
    spool = Spool(":memory:")
    with pytest.raises(sqlite3.IntegrityError):
        spool.record(CODE, [m.Queued(message(1), 1, 0), m.Queued(message(1), 1, 0)])
    assert spool.states() == {}


def test_the_spool_is_a_file_that_outlives_its_reader(tmp_path: Path) -> None:
    path = str(tmp_path / "spool.db")
    wire = Kept(Spool(path))
    wire.submit(message(1), replace(message(2), recipient="x")).run(1)
    other = Spool(path)  # without closing the first: as after a kill
    assert other.states() == {"m1": "accepted", "m2": "withheld"}
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_each_code_has_its_own_messages_and_pace() -> None:
    spool = Spool(":memory:")
    wire = Kept(spool)
    wire.submit(message(1)).run(0.1)
    other = replace(CONFIG, code="36020")
    assert spool.memory(CODE, 10).departures != ()
    assert spool.memory(other.code, 10) == m.Memory()


@given(st.binary(min_size=1, max_size=300))
def test_a_file_that_is_no_spool_is_refused_by_name(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(octets)
    with pytest.raises(BadInput, match="cannot be used as a spool"):
        Spool(str(path))
    assert path.read_bytes() == octets


@pytest.mark.parametrize("making", ["PRAGMA user_version = 99", "CREATE TABLE mine (a)"])
def test_a_database_of_another_kind_is_refused_and_left_alone(tmp_path: Path, making: str) -> None:
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute(making)
    db.close()
    before = path.read_bytes()
    with pytest.raises(BadInput, match="database of another kind"):
        Spool(str(path))
    assert path.read_bytes() == before


def test_a_full_disk_is_trouble_and_what_was_recorded_stays() -> None:
    spool = Spool(":memory:")
    spool.record(CODE, [m.Queued(message(0), 1, 0)])
    spool._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Trouble, match="cannot be written"):
        spool.record(CODE, [m.Queued(replace(message(number), text="a" * 500), 1, 0) for number in range(1, 1_000)])
    assert spool.states() == {"m0": "queued"}
