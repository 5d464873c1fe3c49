"""Facts about runs of plain submits: served together they leave the octets and rows that one by one they leave."""

from __future__ import annotations

import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fake_smsc.scenario import CodeConfig
from fake_smsc.ucp_gateway import Gateway
from simbench.base.calendar import minute_text
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.frame import encode
from tests.fake_smsc.ucp_gateway.stage import operation
from tests.harness import START, gateway_of, login, submit

MODES = ("monitor", "delay", "nack", "discard", "close")
ABSENT, FIXED, ELSEWHERE = "33710000008", "33199000001", "33639980001"


def mislengthed(frame: bytes) -> bytes:
    """The same frame with another LEN, the checksum right."""
    body = frame[1:4] + b"00999" + frame[9:-3]
    return b"\x02" + body + b"%02X" % (sum(body) & 0xFF) + b"\x03"


# What a client may send: mostly what makes runs, and everything that breaks one.
TEXTS = st.sampled_from(["41", "42", "426F6E6A6F7572", ""])
SHARED = st.sampled_from([{}, {}, {"NRq": "", "NT": ""}, {"NT": ""}, {"NT": "7"}, {"OAdC": "38001"}, {"OAdC": "38001"}])
RUN = st.builds(
    lambda first, messages, shared: [
        submit((first + n) % 100, AdC=f"337100000{who:02d}", Msg=text, **shared)
        for n, (who, text) in enumerate(messages)
    ],
    st.integers(0, 99),
    st.lists(st.tuples(st.integers(0, 29), TEXTS), min_size=1, max_size=15)
    | st.tuples(st.permutations(range(40)), st.sampled_from([["41"], ["41", "42"]]), st.integers(8, 40)).map(
        lambda drawn: [(who, drawn[1][who % len(drawn[1])]) for who in drawn[0][: drawn[2]]]
    ),
    SHARED,
)
ODD = st.sampled_from(
    [
        submit(1, AdC=FIXED),
        submit(2, AdC=ELSEWHERE),
        submit(3, AdC="0710000001"),
        submit(4, VP=minute_text(START + HOUR_US)),
        submit(5, VP=minute_text(START - HOUR_US)),
        submit(6, VP=minute_text(START + 5000 * HOUR_US)),
        submit(7, VP="3113020000"),
        submit(8, Msg="4"),
        submit(9, Msg="41" * 159),
        submit(9, AdC="0710000005"),
        submit(22, RPID="65"),
        submit(23, RPID="65", AdC="0710000008"),
        operation("55", 24, AdC=ABSENT, OAdC="36010"),
        operation("56", 25, AdC=ABSENT, OAdC="36010"),
        submit(10, Msg="41" * 170),
        submit(11, MT="2", Msg="123"),
        submit(12, MMS="1"),
        submit(13, OAdC="99999"),
        submit(14).replace(b"\x03", b"\r\n\x03"),
        submit(15)[:-3] + b"00\x03",
        submit(16).replace(b"/O/51/", b"/O/54/"),
        submit(17)[:40],
        submit(18).replace(b"/00", b"/09", 1),
        mislengthed(submit(21)),
        b"\x03\r\n",
        b"\xff\x02\x02",
        encode(19, "O", "31", "36010/0539/"),
        encode(20, "R", "53", "A///"),
        encode(0, "R", "53", "A///") + encode(1, "R", "53", "A//33710000001:020326100000/"),
        encode(2, "R", "53", "N/02//"),
        login("36010"),
        login("36010", "wrong"),
    ]
).map(lambda octets: [octets])
READS = st.lists(
    st.tuples(
        st.lists(RUN | RUN | ODD, max_size=6).map(lambda runs: [frame for run in runs for frame in run]),
        st.integers(0, 3 * SECOND_US),
        st.sampled_from(["", "", "", "away", "back", "down"]),
    ),
    min_size=1,
    max_size=6,
)


def scene(mode: str, rate_per_s: int, window: int, by_run: bool) -> tuple[Gateway, Any]:
    codes = tuple(
        CodeConfig(code=code, account="36010", limit=mode, rate_per_s=rate_per_s, window=window, request_id="r")  # type: ignore[arg-type] # one of MODES
        for code in ("36010", "38001")
    )
    gateway, ledger = gateway_of(*codes)
    if by_run:
        gateway.run_octets = 0
    else:
        gateway.run_octets = sys.maxsize
        notification_sender: Any = gateway._notification_sender
        notification_sender._send_many = lambda line, notices: [
            notification_sender._send(line, notice) for notice in notices
        ]
    gateway.centre.subscriber(Subscriber(ABSENT, "orange", "orange", False, False), START)
    gateway.opened(1, START)
    return gateway, ledger


def exchanged(gateway: Gateway, now: int) -> list[bytes]:
    """What the gateway writes, its notices answered until none is left: most of them bare, some
    never."""
    written: list[bytes] = []
    while output := gateway.output():
        written += [octets for _, octets in output]
        trns = [(frame[1:3], frame[12:14]) for frame in written[-1].split(b"\x03") if frame[10:12] == b"O/"]
        trns = [(trn, ot) for trn, ot in trns if not trn.endswith(b"3")]  # never answered
        bodies = ["N/02//" if trn.endswith(b"7") else "A/x//" if trn.endswith(b"9") else "A///" for trn, _ in trns]
        answers = [encode(t.decode(), "R", ot.decode(), body) for (t, ot), body in zip(trns, bodies, strict=True)]
        gateway.received(1, b"".join(answers + answers[-1:]), now)
    return written


def lived(reads: list[tuple[bytes, int, str]], *how: Any) -> dict[str, Any]:
    """What a gateway leaves that is given these octets, so many microseconds apart, and then half an hour."""
    gateway, ledger = scene(*how)
    now, written = START, []
    for octets, pause, event in [*reads, (b"", 10 * MINUTE_US, ""), (b"", 20 * MINUTE_US, "")]:
        gateway.received(1, octets, now)
        written += exchanged(gateway, now)
        if event in {"away", "back"}:
            for msisdn in ("33710000003", "33710000011"):
                gateway.centre.subscriber(Subscriber(msisdn, "orange", "orange", event == "back", False), now)
        elif event:
            gateway.go("down", now)
            gateway.go("up", now + pause // 2)
        now += pause
        gateway.advance(now)
        written += exchanged(gateway, now)
    return {
        "rows": list(ledger.centre), "written": written, "odd": list(gateway.violation_events),
        "closings": gateway.closings,
        "decided": gateway.centre.decided, "on the way": gateway.centre.delivery.on_the_way,
    }  # fmt: skip


@settings(max_examples=200)
@given(READS, st.sampled_from(MODES), st.sampled_from([3, 10, 150]), st.sampled_from([1, 5, 100]), st.data())
def test_a_stream_served_by_the_run_leaves_what_it_leaves_frame_by_frame(
    reads: list[tuple[list[bytes], int, str]], mode: str, rate_per_s: int, window: int, data: st.DataObject
) -> None:
    pieces: list[tuple[bytes, int, str]] = [(login("36010"), 0, "")]
    for frames, pause, event in reads:
        octets = b"".join(frames)
        cut = data.draw(st.integers(0, len(octets)))
        pieces += [(octets[:cut], 0, ""), (octets[cut:], pause, event)]
    assert lived(pieces, mode, rate_per_s, window, True) == lived(pieces, mode, rate_per_s, window, False)
