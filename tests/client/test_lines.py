from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.client import lines, messages
from simbench.client.messages import Outgoing

REPORTS = [
    (lines.Ready(), '{"event":"ready"}'),
    (lines.Queued("m1"), '{"event":"queued","ref":"m1"}'),
    (lines.Accepted("m1", "150626100001"), '{"event":"accepted","ref":"m1","scts":"150626100001"}'),
    (lines.Refused("m1", "06", True), '{"event":"refused","ref":"m1","ec":"06","final":true}'),
    (messages.Delivered("m1", "000"), '{"event":"delivered","ref":"m1","reason":"000"}'),
    (messages.Undelivered("m1", "101"), '{"event":"undelivered","ref":"m1","reason":"101"}'),
    (messages.Buffered("m1", "107"), '{"event":"buffered","ref":"m1","reason":"107"}'),
    (messages.Withheld("m1", "no"), '{"event":"withheld","ref":"m1","reason":"no"}'),
    (lines.Mo("33639980001", "36010", "STOP"), '{"event":"mo","from":"33639980001","code":"36010","text":"STOP"}'),
    (lines.Doubtful("m1"), '{"event":"doubtful","ref":"m1"}'),
    (lines.Error("what"), '{"event":"error","problem":"what"}'),
]


@pytest.mark.parametrize(("report", "text"), REPORTS)
def test_each_report_has_its_line(report: lines.Report, text: str) -> None:
    assert lines.write(report) == text.encode() + b"\n"
    assert lines.parse_report(text.encode()) == report


def test_a_send_names_everything_it_may() -> None:
    line = (
        b'{"do":"send","ref":"a","code":"36010","to":"33639980001","text":"t","class":"marketing","brand":"b",'
        b'"oadc":null,"validity_s":null}'
    )
    assert lines.parse_command(line) == Outgoing("a", "36010", "33639980001", "t", "marketing", "b")


def test_a_send_needs_little() -> None:
    command = lines.parse_command(b'{"do":"send","ref":"a","code":"36010","to":"33639980001","text":"t"}')
    assert isinstance(command, Outgoing)
    assert command.traffic_class == "transactional"


def test_stop_is_a_line() -> None:
    assert lines.parse_command(lines.write(lines.Stop())) == lines.Stop()


@pytest.mark.parametrize(
    "line",
    [b"", b"send", b"[]", b'{"do":"dance"}', b'{"do":"send","ref":1}', b'{"do":"stop","now":true}', b'{"do":"\xff"}'],
)
def test_what_is_no_command_is_one_kind_of_error(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        lines.parse_command(line)


@given(st.binary(max_size=200))
def test_any_octets_are_a_command_or_that_error(line: bytes) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        lines.parse_command(line)
