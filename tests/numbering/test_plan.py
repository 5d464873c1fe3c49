"""The numbering plan, by hand and against libphonenumber."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from simbench.numbering.plan import _WORLD, MOST_DIGITS, Kind, Number
from tests.paris import PLAN, classify, plain_mobile, spellings

# Frozen by hand. Blocks in real use: prefix (filled up with zeros), kind, holder, country code.
BLOCKS = [
    ("0607", "mobile", "orange", "33"),
    ("0608", "mobile", "orange", "33"),
    ("0630", "mobile", "orange", "33"),
    ("0633", "mobile", "orange", "33"),
    ("0680", "mobile", "orange", "33"),
    ("0689", "mobile", "orange", "33"),
    ("0788", "mobile", "orange", "33"),
    ("0612", "mobile", "sfr", "33"),
    ("0620", "mobile", "sfr", "33"),
    ("0650", "mobile", "bouygues", "33"),
    ("0660", "mobile", "bouygues", "33"),
    ("0698", "mobile", "bouygues", "33"),
    ("0651", "mobile", "free", "33"),
    ("0695", "mobile", "free", "33"),
    ("0768", "mobile", "free", "33"),
    ("0656", "mobile", "other", "33"),
    ("0790", "mobile", "other", "33"),
    ("0690", "overseas", "", "590"),
    ("0691", "overseas", "", "590"),
    ("0692", "overseas", "", "262"),
    ("0693", "overseas", "", "262"),
    ("0694", "overseas", "", "594"),
    ("0696", "overseas", "", "596"),
    ("0697", "overseas", "", "596"),
    ("0639", "overseas", "", "262"),
    ("0708", "overseas", "", "508"),
    ("0709", "overseas", "", "590"),
    ("0590", "overseas", "", "590"),
    ("01", "fixed", "", "33"),
    ("05", "fixed", "", "33"),
    ("0936", "fixed", "", "33"),
]

# Numbers of nobody: address, kind, holder, canonical msisdn.
FICTION = [
    ("0639980012", "mobile", "orange", "33639980012"),
    ("0639985999", "mobile", "orange", "33639985999"),
    ("0639986000", "mobile", "sfr", "33639986000"),
    ("0639987000", "mobile", "bouygues", "33639987000"),
    ("0639988000", "mobile", "free", "33639988000"),
    ("0639989000", "mobile", "", "33639989000"),
    ("0710000000", "mobile", "orange", "33710000000"),
    ("0719999999", "mobile", "orange", "33719999999"),
    ("0720000000", "mobile", "sfr", "33720000000"),
    ("0723000000", "mobile", "bouygues", "33723000000"),
    ("0726000000", "mobile", "free", "33726000000"),
    ("0729000000", "mobile", "", "33729000000"),
    ("07000000912345", "m2m", "orange", "337000000912345"),
    ("0199001234", "fixed", "", "33199001234"),
    ("0692999912", "overseas", "", "262692999912"),
    ("+447700900123", "foreign", "", "447700900123"),
]

MALFORMED = [
    "",
    "+",
    "0",
    "00",
    "33",
    "36050",  # a short code is nobody's number
    "061234567",
    "06123456789",
    "0700123456",  # machines have fourteen digits
    "0701123456",
    "0703123456",
    "0800123456",
    "330639980012",  # the national 0 after the country code
    "+0639980012",
    "06 39 98 00 12",
    "06-39-98-00-12",
    "639980012x",
    "٠٦٣٩٩٨٠٠١٢",
    "0639980012\n",
    "+590692999912",  # a block of Réunion under the code of Guadeloupe
    "+590639980012",
    "+590123456",
    "999123456789",
    "0033700000012345",  # with 00 an M2M number would need 17 digits: cut short it is nobody's
    "00337000000912345",
]


@pytest.mark.parametrize(("prefix", "kind", "holder", "code"), BLOCKS)
def test_a_block_is_what_the_frozen_table_says(prefix: str, kind: Kind, holder: str, code: str) -> None:
    national = prefix.ljust(10, "0")
    assert classify(national) == Number(code + national[1:], kind, holder)


@pytest.mark.parametrize(("prefix", "holder"), [("0700000", "orange"), ("0700001", "sfr"), ("0700003", "bouygues")])
def test_a_machine_has_fourteen_digits(prefix: str, holder: str) -> None:
    national = prefix.ljust(14, "0")
    assert classify(national) == Number("33" + national[1:], "m2m", holder)
    assert classify(national[:-1]).kind == classify(national + "0").kind == "malformed"


@pytest.mark.parametrize(("address", "kind", "holder", "msisdn"), FICTION)
def test_a_fictional_number_is_marked_so(address: str, kind: Kind, holder: str, msisdn: str) -> None:
    assert classify(address) == Number(msisdn, kind, holder, fictional=True)


def test_saint_pierre_et_miquelon_has_numbers_of_six_digits_too() -> None:
    for address in ("508550000", "+508550000", "00508550000"):
        assert classify(address) == Number("508550000", "overseas")


def test_other_countries_are_foreign() -> None:
    for address in ("+34600000000", "0034600000000", "34600000000"):
        assert classify(address) == Number("34600000000", "foreign")


@pytest.mark.parametrize("address", MALFORMED)
def test_everything_else_is_malformed_and_kept_as_written(address: str) -> None:
    assert classify(address) == Number(address, "malformed")


@pytest.mark.parametrize("address", ["0639980012", "33639980012", "+33639980012", "0033639980012"])
def test_a_number_is_the_same_however_written(address: str) -> None:
    assert classify(address).msisdn == "33639980012"


@pytest.mark.parametrize("address", ["0692999912", "33692999912", "+33692999912", "262692999912", "+262692999912"])
def test_an_overseas_number_is_the_same_under_33_and_its_own_code(address: str) -> None:
    assert classify(address) == Number("262692999912", "overseas", fictional=True)


@given(st.text() | st.text("0123456789+ ", max_size=20))
def test_no_text_raises_and_a_canonical_number_stays_itself(address: str) -> None:
    number = classify(address)
    assert number.msisdn == address or number.kind != "malformed"
    assert classify(number.msisdn) == number


PREFIXES = [
    "06",
    "07",
    "336",
    "337",
    "0033",
    "+33",
    "0639",
    "063998",
    "0700",
    "590",
    "+262",
    "0044",
    "01",
    "33639",
    "508",
]


@given(st.sampled_from(PREFIXES), st.text("0123456789", max_size=13))
def test_all_spellings_of_a_number_are_that_number(prefix: str, rest: str) -> None:
    number = classify(prefix + rest)
    found = spellings(number)
    assert found[0] == number.msisdn
    assert prefix + rest in found
    assert {classify(each) for each in found} == {number}
    assert number.kind == "malformed" or len(number.msisdn) <= MOST_DIGITS


def test_every_prefix_stands_in_the_table_once() -> None:
    prefixes = [prefix for found in PLAN.data.ranges for prefix in found.prefixes]
    assert len(prefixes) == len(set(prefixes))


def test_a_plain_prefix_holds_nothing_but_metropolitan_mobiles() -> None:
    plain = [prefix for prefix in (f"0{n}" for n in range(600, 800)) if plain_mobile(prefix)]
    assert "0612" in plain
    assert {"0639", "0690", "0692", "0700", "0708", "0709"}.isdisjoint(plain)
    drawn = random.Random(1)
    for prefix in plain:
        assert classify(prefix + f"{drawn.randrange(10**6):06}").kind == "mobile"
    assert len(plain) > 150


# --- libphonenumber as a second opinion ----------------------------------------------------------------------------

# Where it is right and we agree: every block of four digits of the metropolitan plan, except those named here.
OURS = {"0710", "0711", "0712", "0713", "0714", "0715", "0716", "0717", "0718", "0719"} | {
    f"072{digit}" for digit in range(10)
}  # opened to nobody, ours for fiction: libphonenumber calls them invalid


def theirs(national: str, code: str = "33") -> int | None:
    number = phonenumbers.parse(f"+{code}{national[1:]}")
    return phonenumbers.number_type(number) if phonenumbers.is_valid_number(number) else None


def test_metropolitan_mobiles_are_those_of_libphonenumber_but_for_the_fiction() -> None:
    differing = {
        prefix
        for prefix in (f"0{n:03}" for n in range(600, 800))
        for rest in ("000000", "123456", "555555", "999999")
        if (classify(prefix + rest).kind == "mobile") != (theirs(prefix + rest) == PhoneNumberType.MOBILE)
    }
    assert differing == OURS


def test_libphonenumber_does_not_know_the_fiction_of_063998() -> None:
    assert theirs("0639980012") is None
    assert classify("0639980012").kind == "mobile"


def test_libphonenumber_finds_machine_numbers_too_long() -> None:
    number = phonenumbers.parse("+337000000912345")
    assert phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.TOO_LONG
    assert classify("+337000000912345").kind == "m2m"


def test_overseas_mobiles_of_libphonenumber_are_overseas() -> None:
    drawn = random.Random(2)
    seen = 0
    for code in ("262", "508", "590", "594", "596"):
        for _ in range(3000):
            national = f"0{drawn.choice(('63', '69', '70'))}{drawn.randrange(10**7):07}"
            if theirs(national, code) == PhoneNumberType.MOBILE:
                seen += 1
                assert classify(f"+{code}{national[1:]}").kind == "overseas", (code, national)
                assert classify(national).msisdn == code + national[1:]
    assert seen > 500


# National prefixes of fixed lines overseas that libphonenumber also takes for fixed lines under 33.
OVERSEAS_FIXED = {"0263", "0269", "0508", "0596"}
# Prefixes we call fixed as a whole, and libphonenumber does not: parts of 02, 04, 05 allotted to nobody.
UNALLOTTED_FIXED = {"0400", "0401", "0402", "0403", "0404", "0405", "0406", "0407", "0408", "0409"}


def test_fixed_lines_are_those_of_libphonenumber_but_for_the_named() -> None:
    line = (PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP)
    differing = {
        prefix
        for prefix in (f"0{n:03}" for n in (*range(100, 600), *range(900, 1000)))
        if (classify(prefix + "123456").kind == "fixed") != (theirs(prefix + "123456") in line)
    }
    assert differing == OVERSEAS_FIXED | UNALLOTTED_FIXED


def test_country_codes_are_those_of_libphonenumber() -> None:
    known = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    assert _WORLD.country_codes == known
