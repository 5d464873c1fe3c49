"""Each kind of originator, and what each rule on originators says about it, by hand."""

from __future__ import annotations

from typing import Final

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.rules.client.originators import name_of, number_of
from simbench.ucp.alphabet import encode_oadc
from tests.rules.scene import CODE, Scene

PURPOSES: Final = ("sender.allotted-codes", "sender.short-code-only", "sender.sender-names", "submits.violations")
FORBIDDEN, AS_REQUESTED, IN_SERVICE = (
    "sender.forbidden-requests",
    "sender.names-as-requested",
    "sender.originator-in-service",
)
NAME, TYPED = encode_oadc("MARQUE"), "5039"
WORDS: Final = {"p": "pass", "f": "fail", "-": "inconclusive"}
ALONE: Final = {  # (OAdC, OTOA, option): one letter for each of PURPOSES, if the client sends nothing else
    (CODE, "", False): "pp-p",
    ("36999", "", False): "ff-p",
    ("33612345678", "", False): "ff-p",
    ("+" + CODE, "", False): "pp-f",  # the plus alone is wrong
    ("+33612345678", "", False): "ff-f",  # the plus, and a number of another party
    ("+33612345678", "", True): "ff-f",
    (NAME, TYPED, True): "-ppp",
    (NAME, TYPED, False): "-ffp",
    (encode_oadc("MA-RQUE"), TYPED, True): "-pfp",  # no valid name
    (encode_oadc("12345"), TYPED, True): "-pfp",
    ("MARQUE", "", True): "-ppf",  # the type alone is missing
    (NAME, "", True): "-ppf",
    (encode_oadc("MARQUE", "octets"), "", True): "-ppf",
    ("MARQUE", "", False): "-fff",  # without the option a name is another originator
    ("3601O", "", False): "-fff",
    ("x", "", False): "-fff",
    ("MARQUE DE LUXE", "", True): "-pff",  # too long
    (CODE + " ", "", False): "---f",
    ("36-010", "", True): "---f",
    ("+", "", False): "---f",
    ("AAAABBBBCCCCDDDD", "", True): "---f",
    (b"MARQUE".hex().upper(), "", True): "---f",
    ("", "", False): "---f",
    ("", "", True): "---f",
    ("", TYPED, True): "---f",
}


def sent(*originators: tuple[str, str], option: bool = False, answer: str = "N/02//") -> Scene:
    scene = Scene().event(0, "account", CODE, oadc_option=option).login(0.5)
    for trn, (oadc, otoa) in enumerate(originators):
        scene.submit(1 + trn, trn, answer=None, OAdC=oadc, OTOA=otoa).result(1.001 + trn, trn, body=answer)
    return scene


def outcomes(scene: Scene) -> dict[str, str]:
    return {purpose: scene.judged(purpose).outcome for purpose in PURPOSES}


def expected(letters: str) -> dict[str, str]:
    return {purpose: WORDS[letter] for purpose, letter in zip(PURPOSES, letters, strict=True)}


@pytest.mark.parametrize(("oadc", "otoa", "option"), ALONE)
def test_an_originator_that_is_all_the_client_sends(oadc: str, otoa: str, option: bool) -> None:
    assert outcomes(sent((oadc, otoa), option=option)) == expected(ALONE[oadc, otoa, option])


@pytest.mark.parametrize(("oadc", "otoa", "option"), ALONE)
def test_beside_a_submit_from_the_own_code_the_same_originators_fail_and_no_others(
    oadc: str, otoa: str, option: bool
) -> None:
    alone = expected(ALONE[oadc, otoa, option])
    beside = {  # the own code is something to pass on
        purpose: "pass" if outcome == "inconclusive" and purpose in PURPOSES[:2] else outcome
        for purpose, outcome in alone.items()
    }
    assert outcomes(sent((CODE, ""), (oadc, otoa), option=option)) == beside


def test_broken_originators_are_no_part_of_the_count() -> None:
    found = sent((CODE, ""), ("", ""), (CODE + " ", "")).judged("sender.short-code-only")
    assert found.summary.startswith("0 of 1 submit with another originator")
    assert found.summary.endswith("; 2 broken originators not counted")
    found = sent((CODE, ""), ("", ""), ("36999", "")).judged("sender.allotted-codes")
    assert found.summary == "0 sessions of other accounts, 1 of 2 submits from other codes"
    assert found.measured == 1


@pytest.mark.parametrize(
    ("oadc", "outcome", "as_requested"),
    [
        (CODE, "pass", "inconclusive"),
        ("+" + CODE, "pass", "inconclusive"),
        ("+33612345678", "fail", "inconclusive"),
        ("MARQUE", "fail", "pass"),
        ("MARQ", "fail", "fail"),
        (b"MARQUE".hex().upper(), "inconclusive", "inconclusive"),
        ("", "inconclusive", "inconclusive"),
    ],
)
def test_a_broken_originator_never_shows_that_a_request_was_not_carried_out(
    oadc: str, outcome: str, as_requested: str
) -> None:
    scene = Scene().event(0, "account", CODE, oadc_option=False).requested(0.8, "#00001", oadc="MARQUE").login(0.5)
    scene.submit(0.9, 1).submit(1, 0, "#00001", OAdC=oadc)
    assert scene.judged(FORBIDDEN).outcome == outcome
    assert scene.judged(AS_REQUESTED).outcome == as_requested


@pytest.mark.parametrize(
    ("oadc", "option", "outcome"),
    [
        ("36999", False, "fail"),
        ("+33612345678", False, "fail"),
        ("MARQUE", False, "fail"),
        ("MARQUE", True, "unsupported"),  # a platform may take letters for the name that was meant
        ("+" + CODE, False, "unsupported"),
        (CODE + " ", False, "unsupported"),
        ("", False, "unsupported"),
    ],
)
def test_a_platform_is_blamed_only_for_an_originator_that_belongs_to_somebody_else(
    oadc: str, option: bool, outcome: str
) -> None:
    scene = sent((oadc, ""), option=option, answer="A//33710000001:020326100000/")
    assert scene.judged(IN_SERVICE).outcome == outcome


def test_names_have_a_letter_and_numbers_have_digits_alone() -> None:
    assert [name_of(one, alphanumeric=False) for one in ("36010 ", "+36010", "--", "", "36010")] == [""] * 5
    assert name_of("ABBA", alphanumeric=False) == "ABBA"  # hexadecimal digits, and a name
    assert [number_of(one, alphanumeric=False) for one in ("+36010", "++1", "٣٦٠١٠", "1 ")] == ["36010", "", "", ""]
    assert number_of("36010", alphanumeric=True) == ""
