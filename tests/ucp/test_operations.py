from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.ucp import checks, relations
from simbench.ucp.checks import PROBLEMS, FieldError, answer_to, check
from simbench.ucp.fields import LAYOUTS, At, Field, Layout, layout_of
from simbench.ucp.forms import moment
from simbench.ucp.frame import Framer, WireError, encode, encode_fields
from simbench.ucp.operations import build, decode
from tests.ucp.building import frame_of, problems, submit
from tests.ucp.vectors import BROKEN, VALID, Vector, name_of

HEADER = {"TRN", "O/R", "OT"}
ALL_LAYOUTS = [layout for layouts in LAYOUTS.values() for layout in layouts]


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_a_valid_frame_decodes_to_its_fields(vector: Vector) -> None:
    expected = {name: value for name, value in vector.fields.items() if value}
    assert decode(frame_of(vector.octets)) == expected


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_a_valid_frame_is_built_again_from_its_fields(vector: Vector) -> None:
    frame = frame_of(vector.octets)
    layout = layout_of(frame.kind, frame.ot, frame.data)
    assert layout is not None
    fields = {name: value for name, value in decode(frame).items() if name not in HEADER}
    assert build(frame.ot, frame.kind, frame.trn, layout.variant, **fields) == vector.octets


@pytest.mark.parametrize("vector", VALID, ids=name_of)
def test_a_valid_frame_has_nothing_to_object_to(vector: Vector) -> None:
    assert check(frame_of(vector.octets)) == []


@pytest.mark.parametrize("vector", BROKEN, ids=name_of)
def test_a_broken_frame_gets_the_answer_it_deserves(vector: Vector) -> None:
    answers: list[str | None] = []
    for item in Framer().feed(vector.octets):
        answers += [answer_to(item)] if isinstance(item, WireError) else map(answer_to, check(item))
    assert next(iter(answers), None) == (None if vector.answer in {"", "A"} else vector.answer)


@st.composite
def filled(draw: st.DrawFn) -> tuple[Layout, dict[str, Any]]:
    """A layout and values for some of its fields, of the right form each and of no sense together."""
    layout = draw(st.sampled_from(ALL_LAYOUTS))
    values = {field.name: draw(value_of(field)) for field in layout.fields if draw(st.booleans())}
    if layout.sign:
        values |= {"ACK" if layout.sign == "A" else "NACK": layout.sign}
    values.pop("(empty)", None)
    if layout.counted:
        number, items = (layout.fields[at].name for at in layout.counted)
        values[number] = str(len(values.get(items, [])))
    return layout, values


def value_of(field: Field) -> st.SearchStrategy[Any]:
    printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="/"), min_size=1)
    digits = st.text("0123456789", min_size=1, max_size=min(field.longest or 160, 160))
    if field.form == "list":
        return st.lists(digits, max_size=20)
    if field.values:
        return st.sampled_from(sorted(field.values))
    return digits if field.form == "digits" else st.one_of(digits, printable)


@given(filled(), st.integers(0, 99))
def test_what_is_built_by_name_is_decoded_by_name(drawn: tuple[Layout, dict[str, Any]], trn: int) -> None:
    layout, values = drawn
    frame = frame_of(build(layout.ot, layout.kind, trn, layout.variant, **values))
    decoded = decode(frame)
    assert {name: decoded.pop(name) for name in HEADER} == {
        "TRN": f"{trn:02d}",
        "O/R": layout.kind,
        "OT": layout.ot,
    }
    assert decoded == {name: value for name, value in values.items() if value}


@given(filled(), st.booleans())
def test_checking_never_raises_and_names_known_problems(drawn: tuple[Layout, dict[str, Any]], strict: bool) -> None:
    layout, values = drawn
    for error in check(frame_of(build(layout.ot, layout.kind, 1, layout.variant, **values)), strict):
        assert error.problem in PROBLEMS
        assert (error.ec is None) == (layout.kind == "R")


@given(
    st.sampled_from("OR"),
    st.sampled_from(["01", "02", "03", "30", "31", "51", "52", "53", "54", "56", "60", "61", "59", "00"]),
    st.lists(st.text(st.characters(min_codepoint=0, max_codepoint=0x7F, exclude_characters="/\x02\x03"), max_size=8)),
)
def test_any_fields_at_all_are_read_without_raising(kind: str, ot: str, values: list[str]) -> None:
    frame = frame_of(encode(1, kind, ot, "".join(value + "/" for value in values)))
    decode(frame)
    check(frame)


# For each form some values that are right, some that are nearly so.
_POOLS = {
    "digits": ["0", "1", "3", "7", "33639980012", "0539", "000", "9" * 17],
    "originator": ["36010", "0B4F69D0792C02", "9" * 22, "9" * 23],
    "message": ["41", "4a", "4g", "4", "41" * 159, "41" * 160, "41" * 161],
    "date10": ["2802281259", "3102260000", "0101272460", "01012723"],
    "date12": ["280228125959", "310226000000", "010127235960"],
    "chars": ["1"],
    "hex": ["020108", "0201"],
    "text": ["x"],
}


@given(st.data(), st.sampled_from(sorted(checks.PLAIN)))
def test_the_pattern_for_plain_frames_admits_nothing_the_table_objects_to(data: st.DataObject, ot: str) -> None:
    layout = LAYOUTS["O", ot, ""][0]
    names = data.draw(st.sets(st.sampled_from([name for name, f in layout.by_name.items() if f.presence in "OC"])))
    values = {
        field.name: "3" if field.name == "MT" else data.draw(st.sampled_from(_POOLS[field.form]))
        for field in layout.fields
        if field.presence == "M" or field.name in names
    }
    frame = frame_of(build(ot, "O", 1, **values))
    if check(frame) == []:
        assert list(checks._errors(frame, 160)) == []


def test_an_ordinary_submit_takes_the_pattern() -> None:
    frame = submit(NRq="1", NT="3", VP="2411260800", Msg="426F6E6A6F7572")
    assert checks.PLAIN["51"].fullmatch(frame.octets, 15, len(frame.octets) - 3)


@pytest.mark.parametrize(
    ("fields", "field", "ec"),
    [
        ({"AdC": ""}, "AdC", "02"),
        ({"AdC": "+33639980012"}, "AdC", "06"),
        ({"AdC": "0" * 17}, "AdC", "06"),
        ({"OAdC": "ORANGE"}, "OAdC", "02"),
        ({"OAdC": "0B4F69D0792C", "OTOA": "5039"}, "OAdC", "02"),
        ({"OAdC": "00", "OTOA": "5039"}, "OAdC", "02"),
        ({"AC": "0000"}, "AC", "02"),
        ({"AC": "123"}, "AC", "02"),
        ({"NRq": "2"}, "NRq", "02"),
        ({"NT": "8"}, "NT", "02"),
        ({"NPID": "0999"}, "NPID", "02"),
        ({"LRq": "1"}, "LRAd", "02"),
        ({"DD": "1"}, "DDT", "02"),
        ({"VP": "3102260000"}, "VP", "22"),
        ({"VP": "29022600"}, "VP", "22"),
        ({"DD": "1", "DDT": "0101262460"}, "DDT", "22"),
        ({"RPID": "0072"}, "RPID", "02"),
        ({"RPID": "0127"}, "RPID", "02"),
        ({"MT": ""}, "MT", "02"),
        ({"MT": "7"}, "MT", "23"),
        ({"MT": "2", "Msg": "12AB"}, "Msg", "02"),
        ({"Msg": "4G"}, "Msg", "02"),
        ({"Msg": "41" * 161}, "Msg", "24"),
        ({"MT": "2", "Msg": "1" * 161}, "Msg", "24"),
        ({"MT": "4", "Msg": "00" * 141, "NB": "1128", "MCLs": "1"}, "Msg", "24"),
        ({"MT": "4", "Msg": "0041", "NB": "0032", "XSer": "020108"}, "NB", "02"),
        ({"MT": "4", "Msg": "0041", "NB": "0016"}, "MCLs", "02"),
        ({"MCLs": "4"}, "MCLs", "02"),
        ({"XSer": "01060500032A02"}, "XSer", "02"),
        ({"XSer": "02020800"}, "XSer", "02"),
        ({"XSer": "01060600032A0201"}, "XSer", "02"),
        ({"XSer": "0201"}, "XSer", "02"),
        ({"SCTS": "221126053116"}, "SCTS", "02"),
        ({"CPg": "1"}, "CPg", "02"),
    ],
)
def test_a_submit_with_one_wrong_field_is_answered_for_it(fields: dict[str, str], field: str, ec: str) -> None:
    error = check(submit(**fields))[0]
    assert (error.field, answer_to(error)) == (field, ec)


@pytest.mark.parametrize(
    "fields",
    [
        {"Msg": "41" * 160},
        {"Msg": "41" * 153, "XSer": "01060500032A0201"},
        {"Msg": "4a4b"},
        {"RPID": "0127", "MT": "4", "Msg": "00", "NB": "8", "XSer": "0201F6"},
        {"RPID": "00065"},
        {"VP": "2902280000"},
        {"OAdC": "0B4F69D0792C02", "OTOA": "5039"},
        {"MT": "4", "Msg": "00" * 134, "NB": "1072", "XSer": "01060500032B0201020108"},
        {"XSer": "7F01AA"},
        {"LRAd": "33639980077"},
        {"NRq": "1", "NAdC": "33639980077"},
    ],
)
def test_a_submit_within_the_rules_passes(fields: dict[str, str]) -> None:
    assert problems(submit(**fields)) == []


def test_the_long_message_option_admits_640_characters() -> None:
    frame = submit(Msg="41" * 640)
    assert problems(frame)[0] == ("Msg", "too-long", "24")
    assert problems(frame, long_messages=True) == []
    assert problems(submit(Msg="41" * 641), long_messages=True)[0] == ("Msg", "too-long", "24")


@pytest.mark.parametrize(
    "fields", [{"SCTS": "221126053116"}, {"MT": "4", "Msg": "41", "MCLs": "1"}, {"XSer": "01060600032A0201"}]
)
def test_a_lenient_check_lets_pass_what_live_clients_do(fields: dict[str, str]) -> None:
    assert check(submit(**fields)) != []
    assert check(submit(**fields), strict=False) == []


def test_a_lenient_check_ignores_surplus_fields_and_judges_the_rest() -> None:
    frame = submit(AdC="06AB")
    longer = frame_of(encode_fields(7, "O", "51", [*frame.data, "X"]))
    assert problems(longer)[0] == ("", "surplus-fields", "02")
    assert problems(longer, strict=False) == [("AdC", "not-digits", "06")]


def test_an_unknown_operation_is_answered_03_and_decodes_to_its_fields_by_number() -> None:
    frame = frame_of(encode_fields(12, "O", "91", ["1", "", "2"]))
    assert problems(frame) == [("OT", "unknown-operation", "03")]
    assert decode(frame) == {"TRN": "12", "O/R": "O", "OT": "91", "1": "1", "3": "2"}


def test_an_unknown_operation_of_the_form_of_the_5x_series_is_read_as_one() -> None:
    fields = {"AdC": "36010", "OAdC": "33639980012", "SCTS": "010325120000", "Dst": "0", "Rsn": "000"}
    frame = frame_of(build("53", "O", 7, DSCTS="010325120001", MT="3", Msg="4869", **fields))
    other = frame_of(encode_fields(7, "O", "59", frame.data))
    assert decode(other) == decode(frame) | {"OT": "59"}
    assert [problem for _, problem, _ in problems(other)] == ["unknown-operation"]


@pytest.mark.parametrize("nb", ["0076", "0072", "0088"])
def test_the_bits_of_ucs2_are_a_multiple_of_sixteen_and_those_of_the_data(nb: str) -> None:
    fields = ucs2("Hello".encode("utf-16-be")) | {"NB": nb}
    assert problems(submit(**fields)) == [("NB", "wrong-bits", "02")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (["A", "", "36010:010325120000"], {"ACK": "A", "SM": "36010:010325120000"}),
        (["A", "fine"], {"ACK": "A", "SM": "fine"}),
        (["N", "03", "unknown"], {"NACK": "N", "EC": "03", "SM": "unknown"}),
    ],
)
def test_whoever_answers_an_unknown_operation_does_nothing_wrong(data: list[str], expected: dict[str, str]) -> None:
    frame = frame_of(encode_fields(7, "R", "59", data))
    assert problems(frame) == []
    assert decode(frame) == {"TRN": "07", "O/R": "R", "OT": "59"} | expected


def ucs2(octets: bytes) -> dict[str, str]:
    return {"MT": "4", "Msg": octets.hex().upper(), "NB": f"{8 * len(octets):04d}", "XSer": "020108"}


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"OTOA": "1139", "OAdC": "36010"}, "OAdC", "wrong-type"),
        ({"OTOA": "1139", "OAdC": "0033639980077"}, "OAdC", "wrong-type"),
        ({"OTOA": "1139", "OAdC": "33639980077"}, "", ""),
        ({"NB": "40", "Msg": "48656C6C6F"}, "NB", "bits-beside-text"),
        ({"MT": "2", "Msg": "123", "NB": "0012"}, "NB", "bits-beside-text"),
        ({"Msg": "44E96AE0"}, "Msg", "not-gsm"),
        ({"Msg": "80"}, "Msg", "not-gsm"),
        ({"Msg": "7F1B651B41"}, "", ""),  # an escape before a code that the extension table lacks is shown without it
        ({"MT": "2", "Msg": "98"}, "", ""),
        (ucs2("\ufeffHi".encode("utf-16-le")), "Msg", "little-endian"),
        (ucs2("Hello".encode("utf-16-le")), "Msg", "little-endian"),
        (ucs2("\ufeffHi".encode("utf-16-be")), "Msg", "byte-order-mark"),
        (ucs2("Hello".encode("utf-16-be")), "", ""),
        (ucs2("Hello".encode("utf-16-be")) | {"NB": "0080"}, "", ""),
        (ucs2("一丁".encode("utf-16-be")), "", ""),  # both end in zero octets read the other way round, or nearly
        (ucs2("会議は明日です".encode("utf-16-be")), "", ""),
        (ucs2("Привет".encode("utf-16-be")), "", ""),
    ],
)
def test_a_problem_that_every_server_tolerates_is_reported(fields: dict[str, str], field: str, problem: str) -> None:
    found = [(error.field, error.problem) for error in check(submit(**fields))]
    assert found == ([(field, problem)] if problem else [])
    assert check(submit(**fields), strict=False) == []
    assert not problem or PROBLEMS[problem].noted


def test_an_unknown_field_name_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"O/51 has no field Message"):
        build("51", "O", 1, Message="41")


def test_an_operation_without_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="no layout for O/59"):
        build("59", "O", 1)


def test_a_negative_result_is_reported_by_its_code() -> None:
    assert build("51", "R", "16", EC="02") == next(v.octets for v in VALID if v.name == "r51_nack_02")


def test_every_answer_is_a_code_of_two_digits() -> None:
    codes = {field.ec for layout in ALL_LAYOUTS for field in layout.fields}
    codes |= {rule.ec for rules in relations.RULES.values() for rule in rules}
    assert all(len(code) == 2 and code.isdigit() for code in codes)


@pytest.mark.parametrize(
    ("text", "civil"),
    [
        ("2902280000", (2028, 2, 29, 0, 0, 0)),
        ("311299235959", (1999, 12, 31, 23, 59, 59)),
        ("2902270000", None),
        ("0101272400", None),
        ("01012700", None),
        ("01012700AA", None),
    ],
)
def test_a_moment_is_read_from_the_calendar(text: str, civil: tuple[int, ...] | None) -> None:
    assert moment(text) == civil


def test_the_positions_name_the_table() -> None:
    table = [field.name.upper() for field in LAYOUTS["O", "51", ""][0].fields]
    constants = {name: place for name, place in vars(At).items() if name.isupper()}
    assert [*constants] == table
    assert [*constants.values()] == [*range(33)]


def test_a_field_error_is_answered_with_its_code() -> None:
    assert answer_to(FieldError("AdC", "not-digits", "x", "06")) == "06"
