"""Results and the older operations: what their checks object to."""

from __future__ import annotations

import pytest

from simbench.ucp.checks import answer_to, check
from simbench.ucp.frame import WIRE_ERRORS, WireError, encode_fields
from simbench.ucp.operations import build, decode
from tests.ucp.building import frame_of, problems


@pytest.mark.parametrize("data", [["A", ""], ["N", "4", ""], ["X", "", ""], ["A", "", "", ""], []])
def test_a_broken_result_has_errors_and_no_answer(data: list[str]) -> None:
    errors = check(frame_of(encode_fields(1, "R", "51", data)))
    assert errors
    assert {answer_to(error) for error in errors} == {None}


@pytest.mark.parametrize("name", [name for name, fault in WIRE_ERRORS.items() if fault.ec])
def test_a_wire_error_is_answered_only_for_a_legible_operation(name: str) -> None:
    assert answer_to(WireError(name, b"", "11", "O", "51")) == WIRE_ERRORS[name].ec
    assert answer_to(WireError(name, b"", "11", "R", "51")) is None
    assert answer_to(WireError(name, b"", "", "O", "51")) is None
    assert answer_to(WireError("length", b"", "11", "O", "51")) is None


def test_a_legitimisation_code_beside_a_recipient_is_ignored() -> None:
    frame = frame_of(build("02", "O", 1, RAds=["33639980012,AB12", "33639980013"], MT="3", Msg="41"))
    assert problems(frame) == []


def test_op_02_locates_as_many_recipients_as_it_announces() -> None:
    recipients = [f"33639980{number:03d}" for number in range(20)]
    frame = frame_of(build("02", "O", 1, RAds=recipients, MT="3", Msg="41"))
    assert decode(frame)["RAds"] == recipients
    assert problems(frame) == []


@pytest.mark.parametrize(
    ("values", "ec"),
    [
        (["21", *["33639980012"] * 21, "", "", "3", "41"], "04"),
        (["3", "33639980012", "33639980013", "", "", "3", "41"], "02"),
        (["0", "", "", "3", "41"], "02"),
        (["x", "33639980012", "", "", "3", "41"], "02"),
        (["1", "3363998X,99", "", "", "3", "41"], "06"),
    ],
)
def test_op_02_is_answered_for_its_recipients(values: list[str], ec: str) -> None:
    assert answer_to(check(frame_of(encode_fields(1, "O", "02", values)))[0]) == ec


@pytest.mark.parametrize(
    ("service", "ec"),
    [("RP", "10"), ("PR", "12"), ("LPR", "12"), ("UR", "14"), ("LUR", "14"), ("RC", "16"), ("LRC", "16")],
)
def test_op_03_refuses_each_service_with_its_own_code(service: str, ec: str) -> None:
    fields = {"RAd": "33639980012", "NPL": "0", "MT": "2", "Msg": "4711"}
    assert problems(frame_of(build("03", "O", 1, **fields))) == []
    refused = frame_of(build("03", "O", 1, **fields, **{service: "1"}))
    assert problems(refused, strict=False) == [(service, "refused", ec)]


def test_op_03_refuses_a_list_of_group_addresses() -> None:
    frame = frame_of(build("03", "O", 1, RAd="33639980012", GAs=["1", "2"], MT="2"))
    assert len(frame.data) == 17
    assert problems(frame) == [("GAs", "refused", "09")]


@pytest.mark.parametrize(
    ("ot", "fields", "field", "ec"),
    [
        ("30", {"AdC": "33639980012", "NAd": "33639980013"}, "NPID", "02"),
        ("30", {"AdC": "33639980012", "NPID": "0100"}, "NAd", "02"),
        ("30", {"AdC": "33639980012", "AMsg": "41" * 161}, "AMsg", "24"),
        ("31", {"AdC": "36010", "PID": "0999"}, "PID", "02"),
        ("31", {"PID": "0539"}, "AdC", "02"),
        ("54", {"AdC": "33639980012", "OAdC": "36010", "SCTS": "221126053116", "LRAd": "36011"}, "LRq", "02"),
        ("54", {"AdC": "33639980012", "OAdC": "36010", "SCTS": "221126053116", "Msg": "41"}, "MT", "02"),
        (
            "54",
            {"AdC": "33639980012", "OAdC": "36010", "SCTS": "2" * 12, "DDT": "0201270000", "VP": "0101270000"},
            "SCTS",
            "02",
        ),
        (
            "54",
            {"AdC": "33639980012", "OAdC": "36010", "SCTS": "221126053116", "DDT": "0201270000", "VP": "0101270000"},
            "VP",
            "22",
        ),
        (
            "54",
            {"AdC": "33639980012", "OAdC": "36010", "SCTS": "221126053116", "MT": "4", "NB": "8", "Msg": "41"},
            "MCLs",
            "02",
        ),
        ("53", {"AdC": "36010", "OAdC": "33639980012", "MT": "3", "SCTS": "221126053116", "Dst": "0"}, "Rsn", "02"),
        ("56", {"AdC": "33639980012", "OAdC": "36010", "MT": "4"}, "MT", "23"),
        ("60", {"OAdC": "36010", "STYP": "2", "PWD": "41", "VERS": "0100"}, "STYP", "02"),
        ("60", {"OAdC": "36010", "STYP": "3", "PWD": "41", "VERS": "0100"}, "NPWD", "02"),
        ("60", {"OAdC": "36010", "STYP": "1", "PWD": "4", "VERS": "0100"}, "PWD", "02"),
        ("61", {"OAdC": "36010", "STYP": "7", "VERS": "0100", "LAdC": "36011"}, "STYP", "02"),
        ("61", {"OAdC": "36010", "STYP": "1", "VERS": "0100"}, "LAdC", "02"),
    ],
)
def test_other_operations_are_answered_for_their_own_rules(
    ot: str, fields: dict[str, str], field: str, ec: str
) -> None:
    error = check(frame_of(build(ot, "O", 1, **fields)))[0]
    assert (error.field, error.ec) == (field, ec)
