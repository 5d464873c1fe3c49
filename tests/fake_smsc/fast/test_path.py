"""The fast path produces the octets, rows and violations of gateway and centre, in any order of events."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fake_smsc.fast import compiled
from fake_smsc.scenario import CodeConfig, SubscribersConfig
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.frame import encode
from tests.fake_smsc.ucp_gateway.stage import operation
from tests.harness import START, gateway_of, login, submit
from tests.paris import minute_text

MODES = ("monitor", "delay", "nack", "discard", "close")
METERS = ("sliding", "tumbling", "mean_10s", "bucket", "all_operations")
ABSENT, FIXED, ELSEWHERE = "33710000008", "33199000001", "33639980001"
ACCOUNTS = {1: "36010", 2: "36010", 3: "38001"}  # of the connections
LEFT = 10 * MINUTE_US


@pytest.fixture(scope="module", autouse=True)
def kernels() -> None:
    """The compiled kernels; without them these tests prove nothing."""
    if not compiled.load():
        pytest.skip("numba is not installed")


def mislengthed(frame: bytes) -> bytes:
    """The same frame with another LEN and a correct checksum."""
    body = frame[1:4] + b"00999" + frame[9:-3]
    return b"\x02" + body + b"%02X" % (sum(body) & 0xFF) + b"\x03"


TEXTS = st.sampled_from(["41", "42", "426F6E6A6F7572", "", "41" * 143])
SHARED = st.sampled_from(
    [{}, {}, {"NRq": "", "NT": ""}, {"NT": ""}, {"NT": "7"}, {"NRq": "0"}, {"OAdC": "38001"},
     {"VP": minute_text(START + HOUR_US)}]
)  # fmt: skip
PLAIN = st.builds(
    lambda first, messages, shared: [
        submit((first + n) % 100, AdC=f"337100000{who:02d}" if who else "0033710000001", Msg=text, **shared)
        for n, (who, text) in enumerate(messages)
    ],
    st.integers(0, 99),
    st.lists(st.tuples(st.integers(0, 29), TEXTS), min_size=1, max_size=12),
    SHARED,
)
ODD = st.sampled_from(
    [
        submit(1, AdC=FIXED),
        submit(2, AdC=ELSEWHERE),
        submit(3, AdC="0710000001"),
        submit(5, VP=minute_text(START - HOUR_US)),
        submit(6, VP=minute_text(START + 5000 * HOUR_US)),
        submit(7, VP="3113020000"),
        submit(8, Msg="4"),
        submit(8, Msg="4a"),
        submit(9, Msg="41" * 159),
        submit(9, Msg="41" * 160),
        submit(9, AdC="0710000005"),
        submit(22, RPID="65"),
        submit(23, RPID="65", AdC="0710000008"),
        operation("55", 24, AdC=ABSENT, OAdC="36010"),
        operation("56", 25, AdC=ABSENT, OAdC="36010"),
        operation("55", 24, AdC="0710000003", OAdC="36010"),
        submit(10, Msg="41" * 170),
        submit(11, MT="2", Msg="123"),
        submit(12, Msg="44E96AE0"),
        submit(13, Msg="80" * 160),
        submit(14, Msg="7F417F"),
        submit(12, MMS="1"),
        submit(12, PR="1"),
        submit(13, OAdC="99999"),
        submit(14).replace(b"\x03", b"\r\n\x03"),
        submit(15)[:-3] + b"00\x03",
        submit(15)[:-3] + submit(15)[-3:].lower(),
        submit(16).replace(b"/O/51/", b"/O/54/"),
        submit(17)[:40],
        submit(18).replace(b"/00", b"/09", 1),
        mislengthed(submit(21)),
        b"\x03\r\n",
        b"\xff\x02\x02",
        b"\x02" + b"1" * 600,
        encode(19, "O", "31", "36010/0539/"),
        encode(20, "R", "53", "A///"),
        encode(0, "R", "53", "A///") + encode(1, "R", "53", "A//33710000001:020326100000/"),
        encode(2, "R", "53", "N/02//"),
        encode(2, "R", "52", "A///"),
        login("36010"),
        login("36010", "wrong"),
    ]
).map(lambda octets: [octets])
EVENTS = st.sampled_from(
    [
        "",
        "",
        "",
        "",
        "away",
        "back",
        "down",
        "slow",
        "nack",
        "suspended",
        "active",
        "mo",
        "deaf",
        "heard",
        "cut",
        "come",
    ]
)
TURNS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from([1, 1, 2, 3]), st.lists(PLAIN | PLAIN | ODD, max_size=3)), max_size=4),
        st.sampled_from([0, 1, 700, 40_000]) | st.integers(0, 6 * SECOND_US),
        EVENTS,
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)


class Scene:
    """A gateway with three connections, and what it has written."""

    def __init__(self, codes: tuple[CodeConfig, ...], preset: str, fast: bool) -> None:
        self.gateway, self.ledger = gateway_of(*codes, subscribers=SubscribersConfig(preset=preset))  # type: ignore[arg-type] # one of the presets
        if not fast:
            self.gateway._fast = None
        self.gateway.centre.subscriber(Subscriber(ABSENT, "orange", "orange", False, False), START)
        self.now, self.written = START, list[tuple[int, bytes]]()
        self.numbers = {line: line for line in ACCOUNTS}
        for line in ACCOUNTS:
            self.come(line)

    def come(self, line: int) -> None:
        """Connect and log in, on a new connection if there was one before."""
        if self.numbers[line] in self.gateway.lines:
            return
        if any(number == self.numbers[line] for number, _ in self.written):
            self.numbers[line] += 10
        self.gateway.opened(self.numbers[line], self.now)
        self.gateway.received(self.numbers[line], login(ACCOUNTS[line]), self.now)
        self.collect()

    def turn(self, reads: list[tuple[int, bytes]]) -> None:
        """One turn of the loop, and the answers of the clients until there are no more."""
        self.receive([(self.numbers[line], octets) for line, octets in reads])
        self.exchange()

    def receive(self, reads: list[tuple[int, bytes]]) -> None:
        """Serve reads as the server does: a single read may be answered at once."""
        is_alone = len(reads) == 1 and reads[0][0] in self.gateway.lines
        if not is_alone or not self.gateway.answer(*reads[0], self.now, lambda *piece: self.written.append(piece)):
            self.gateway.received_many(reads, self.now)

    def pass_time(self, pause_us: int) -> None:
        """Let time pass."""
        self.now += pause_us
        self.gateway.advance(self.now)
        self.exchange()

    def happen(self, event: str, pause_us: int) -> None:
        """An action of the bench or a client between two turns."""
        gateway, centre, now = self.gateway, self.gateway.centre, self.now
        second = self.numbers[2]
        if event in {"away", "back"}:
            for msisdn in ("33710000003", "33710000011"):
                centre.subscriber(Subscriber(msisdn, "orange", "orange", event == "back", False), now)
        elif event == "down":
            gateway.go("down", now)
            gateway.go("up", now + pause_us // 2)
        elif event in {"slow", "nack"}:
            limit = centre.limiters["36010"].limit
            changed = {"rate_per_s": 2} if event == "slow" else {"mode": "nack", "rate_per_s": 5}
            centre.retune("36010", replace(limit, **changed), now)
        elif event in {"suspended", "active"}:
            centre.account_state(replace(centre.accounts["36010"], state=event), now)
        elif event == "mo":
            gateway.originate("33710000001", "36010", "Bonjour", now)
        elif event in {"deaf", "heard"} and second in gateway.lines:
            gateway.mute(second, "deaf" if event == "deaf" else "", now)
        elif event == "cut":
            gateway.closed(second, now)
        elif event == "come":
            self.come(2)
        self.collect()

    def collect(self) -> list[tuple[int, bytes]]:
        """Take the octets written to each connection."""
        output = self.gateway.output()
        self.written += output
        return output

    def exchange(self) -> None:
        """Let the clients answer notifications: most with a bare acknowledgement, some otherwise, some never."""
        while output := self.collect():
            reads = []
            for number, octets in output:
                trns = [(frame[1:3], frame[12:14]) for frame in octets.split(b"\x03") if frame[10:12] == b"O/"]
                trns = [(trn, ot) for trn, ot in trns if not trn.endswith(b"3")]  # never answered
                bodies = ["N/02//" if trn.endswith(b"7") else "A/x//" if trn.endswith(b"9") else "A///"
                          for trn, _ in trns]  # fmt: skip
                answers = [
                    encode(trn.decode(), "R", ot.decode(), body) for (trn, ot), body in zip(trns, bodies, strict=True)
                ]
                reads.append((number, b"".join(answers + answers[-1:])))
            self.receive(reads)

    def left(self) -> dict[str, Any]:
        """Everything by which two gateways can be compared."""
        centre = self.gateway.centre
        return {
            "rows": list(self.ledger.centre),
            "written": [
                (number, b"".join(octets for _, octets in pieces))
                for number, pieces in groupby(self.written, key=lambda piece: piece[0])
            ],
            "violations": list(self.gateway.violation_events),
            "closings": self.gateway.closings, "decided": centre.decided, "on the way": centre.delivery.on_the_way,
            "waiting": {name: centre.notification_queue.count(name) for name in centre.accounts},
            "unanswered": {number: line.own.count for number, line in self.gateway.lines.items()},
        }  # fmt: skip


def lived(turns: list[tuple[list[tuple[int, bytes]], int, str]], codes: Any, preset: str, *, fast: bool) -> Any:
    """Return the output of a gateway after these turns and half an hour."""
    scene = Scene(codes, preset, fast)
    for reads, pause, event in [*turns, ([], LEFT, "come"), ([], 2 * LEFT, "")]:
        scene.turn(reads)
        scene.happen(event, pause)
        scene.pass_time(pause)
    return scene.left()


@settings(max_examples=300, deadline=None)
@given(
    TURNS, st.sampled_from(MODES), st.sampled_from(METERS), st.sampled_from([3, 10, 150]), st.sampled_from([1, 5, 100]),
    st.sampled_from(["attached", "attached", "attached", "old-base"]), st.data(),
)  # fmt: skip
def test_both_paths_produce_the_same_output(  # noqa: PLR0913 - one argument a strategy
    turns: list[tuple[list[tuple[int, list[list[bytes]]]], int, str, int]], mode: str, meter: str, rate_per_s: int,
    window: int, preset: str, data: st.DataObject,
) -> None:  # fmt: skip
    codes = tuple(
        CodeConfig(code=code, account=account, limit=mode, meter=meter, rate_per_s=rate_per_s, window=window,  # type: ignore[arg-type] # one of MODES, of METERS
                   sessions=3, request_id="r")
        for code, account in (("36010", "36010"), ("38001", "38001"), ("38002", "36010"))
    )  # fmt: skip
    served: list[tuple[list[tuple[int, bytes]], int, str]] = []
    rests: dict[int, bytes] = {}
    for reads, pause, event, cut in turns:
        now: list[tuple[int, bytes]] = []
        for line, runs in reads:
            octets = rests.pop(line, b"") + b"".join(frame for run in runs for frame in run)
            end = data.draw(st.integers(0, len(octets))) if cut == 3 else len(octets)
            rests[line] = octets[end:]
            now.append((line, octets[:end]))
        served.append((now, pause, event))
    assert lived(served, codes, preset, fast=True) == lived(served, codes, preset, fast=False)


def test_octets_after_the_frame_that_closes_a_connection_are_no_violation_on_either_path() -> None:
    codes = tuple(
        CodeConfig(code=code, limit="close", rate_per_s=3, sessions=3, request_id="r") for code in ("36010", "38001")
    )
    octets = b"".join(submit(trn, AdC="33710000001", Msg="41") for trn in range(4)) + b"\x02"
    turns = [([(1, b""), (2, octets)], 0, ""), ([], 0, "cut")]
    left = lived(turns, codes, "attached", fast=True)
    assert left == lived(turns, codes, "attached", fast=False)
    assert "unended" not in {kind for _, _, kind, _ in left["violations"]}


def test_plain_frames_do_not_reach_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[bytes] = []
    gateway, _ = gateway_of(CodeConfig(code="36010", limit="nack", rate_per_s=50, window=100, request_id="r"))
    path: Any = gateway._fast
    single = path._single
    gateway.opened(1, START)
    gateway.received(1, login("36010"), START)

    def watched(line: Any, octets: bytes, now: int) -> None:
        reached.append(octets)
        single(line, octets, now)

    monkeypatch.setattr(path, "_single", watched)
    for turn in range(20):
        now = START + turn * SECOND_US
        frames = [submit(n, AdC=f"{33_710_000_000 + n}", VP=minute_text(START + HOUR_US)) for n in range(100)]
        gateway.received(1, b"".join(frames), now)
        gateway.advance(now)
        answers = []
        for _, octets in gateway.output():
            answers += [encode(frame[1:3].decode(), "R", "53", "A///")
                        for frame in octets.split(b"\x03") if frame[10:14] == b"O/53"]  # fmt: skip
        gateway.received(1, b"".join(answers), now)
    assert gateway.centre.decided == 2_000
    assert gateway.centre.delivery.on_the_way < 1_000
    assert reached == []


def test_messages_due_after_a_removed_message_are_delivered() -> None:
    codes = (
        CodeConfig(code="36010", account="36010", sessions=3, request_id="r"),
        CodeConfig(code="38001", account="38001", sessions=3, request_id="r"),
    )
    early = submit(0, AdC="0033710000001", NRq="1", NT="3", Msg="41")
    absent = submit(1, AdC=ABSENT, NRq="1", NT="3", Msg="42")
    replacing = submit(23, AdC="0710000008", RPID="65", NRq="1", NT="3", Msg="426F6E6A6F7572")
    turns = [([(1, early + absent)], 0, ""), ([(1, replacing)], 0, "")]
    left = lived(turns, codes, "attached", fast=True)
    assert left == lived(turns, codes, "attached", fast=False)
    assert [row[4] for row in left["rows"] if row[1] == "delivered"] == ["0033710000001"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.booleans(), min_size=130, max_size=400), st.sampled_from(MODES), st.sampled_from([5, 150, 1_000]))
def test_a_read_with_more_submits_than_are_read_ahead_has_the_same_result(
    odd: list[bool], mode: str, rate_per_s: int
) -> None:
    codes = (CodeConfig(code="36010", limit=mode, rate_per_s=rate_per_s, sessions=3, request_id="r"),  # type: ignore[arg-type] # one of MODES
             CodeConfig(code="38001", sessions=3, request_id="r"))  # fmt: skip
    frames = [
        submit(n % 100, AdC=f"337100{n % 190:05d}", **({"PR": "0"} if is_odd and n % 7 == 0 else {}))
        for n, is_odd in enumerate(odd)
    ]
    whole, half = b"".join(frames), b"".join(frames[::2])
    turns = [([(1, whole[:-9]), (3, half)], 700, "away"), ([(1, whole[-9:] + half)], 2 * SECOND_US, "")]
    assert lived(turns, codes, "attached", fast=True) == lived(turns, codes, "attached", fast=False)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=20, max_size=60), st.integers(1, 5), st.sampled_from(["away", "mo", ""]))
def test_both_paths_send_waiting_notifications_in_the_same_order_at_a_login(
    who: list[int], window: int, event: str
) -> None:
    codes = (CodeConfig(code="36010", limit="monitor", sessions=3, window=window, request_id="r"),
             CodeConfig(code="38001", sessions=3, request_id="r"))  # fmt: skip
    frames = [submit(n % 100, AdC=f"33710000{each:03d}", NRq="1", NT="3") for n, each in enumerate(who)]
    unmuted = [([(2, b"".join(frames))], 0, "deaf"), ([(1, b"".join(frames))], 20 * SECOND_US, event)]
    turns = [*unmuted, ([], 3 * SECOND_US, "cut"), ([(1, frames[0])], 2 * SECOND_US, "come"), ([], SECOND_US, "cut")]
    assert lived(turns, codes, "attached", fast=True) == lived(turns, codes, "attached", fast=False)


def test_the_result_of_a_single_frame_is_sent_before_its_rows_are_made() -> None:
    gateway, ledger = gateway_of(CodeConfig(code="36010", rate_per_s=50, window=100, request_id="r"))
    gateway.opened(1, START)
    gateway.received(1, login("36010"), START)
    gateway.output()
    rows_then: list[tuple[bytes, int]] = []
    send = lambda _, octets: rows_then.append((octets[10:14], len(list(ledger.centre))))  # noqa: E731 - a recorder
    before, plain = len(list(ledger.centre)), submit(1, AdC="33710000001", Msg="41")
    assert gateway.answer(1, plain, START + 1, send)
    assert rows_then == [(b"R/51", before)]
    assert len(list(ledger.centre)) == before + 1
    odd = submit(2, AdC="33710000001", Msg="41", XSer="020102")
    for octets in (plain + plain, plain[:-1], plain[:20], odd, b"\x03"):
        assert not gateway.answer(1, octets, START + 2, send)
    gateway.mute(1, "deaf", START + 3)
    assert not gateway.answer(1, plain, START + 3, send)
    assert len(rows_then) == 1
    assert len(list(ledger.centre)) == before + 1
