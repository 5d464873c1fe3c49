from __future__ import annotations

from simbench.ucp import codes
from simbench.ucp.fields import LAYOUTS
from simbench.ucp.frame import WIRE_ERRORS
from simbench.ucp.relations import RULES
from simbench.ucp.session import ALLOWED


def test_every_operation_with_a_layout_has_a_name() -> None:
    assert {ot for _, ot, _ in LAYOUTS} == set(codes.OPERATIONS)


def test_every_code_that_answers_is_in_the_table() -> None:
    used = {field.ec for layouts in LAYOUTS.values() for layout in layouts for field in layout.fields}
    used |= {rule.ec for rules in RULES.values() for rule in rules}
    used |= {fault.ec for fault in WIRE_ERRORS.values() if fault.ec}
    assert used <= set(codes.ERROR_CODES)


def test_codes_have_two_digits_and_name_known_operations() -> None:
    for code, error in codes.ERROR_CODES.items():
        assert len(code) == 2
        assert code.isdigit()
        assert set(error.ops) <= set(codes.OPERATIONS)


def test_the_protocol_identifiers_are_those_of_the_field_table() -> None:
    alert = LAYOUTS["O", "31", ""][0].by_name["PID"]
    assert set(codes.PIDS) == alert.values


def test_the_states_are_those_of_the_field_table() -> None:
    assert set(codes.NOTIFICATION_STATES) == LAYOUTS["O", "53", ""][0].by_name["Dst"].values


def test_a_reason_is_read_with_or_without_leading_zeros() -> None:
    assert codes.reason("107") == "absent subscriber"
    assert codes.reason("0") == codes.reason("000") == "unknown subscriber"
    assert codes.reason("099") == codes.reason("") == codes.reason("x") == ""


def test_a_session_allows_the_operations_of_its_kind() -> None:
    """EMI-UCP 4.0 sections 4.1, 5.1 and 6.3: a session of submissions, and one that edits lists."""
    submitting = {"01", "02", "03", "30", "31", "51", "54", "55", "56", "60"}
    allowed = {"connected": {"60"}, "login": {"60"}, "open": submitting, "provisioning": {"31", "60", "61"}}
    of_the_document = submitting | {"61"}
    assert allowed | {"closed": set()} == {state: ots & of_the_document for state, ots in ALLOWED.items()}
