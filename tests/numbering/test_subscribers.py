"""The subscriber base: pure functions of seed and number, files, and changes while running."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import SubscriberError
from simbench.numbering import subscribers
from simbench.numbering.listing import Listing
from simbench.numbering.subscribers import BaseProfile, Subscriber, SubscriberBase
from tests.paris import PLAN, classify, spellings

ORANGE, SFR, NOBODY, MACHINE = "33639980012", "33639986012", "33639989012", "337000000912345"
HEADER = "msisdn,operator,state\n"
NUMBERS = [str(33_710_000_000 + 997 * number) for number in range(20_000)]  # 0710 to 0729
SHARES = BaseProfile(0.05, 0.04, 0.03, 0.1, 0.02)
ONE_FILE = settings(max_examples=60)


def base(folder: Path, text: str, profile: BaseProfile | None = None) -> SubscriberBase:
    path = folder / "base.csv"
    path.write_text(text)
    return SubscriberBase.read(path, PLAN, profile=profile)


@pytest.mark.parametrize(
    ("address", "standing", "operator", "attached"),
    [
        (ORANGE, "orange", "orange", True),
        (SFR, "other-operator", "sfr", False),
        (NOBODY, "unknown", "", False),
        (MACHINE, "m2m", "orange", True),
        ("337000010912345", "other-operator", "sfr", False),
        ("0199001234", "fixed", "", False),
        ("0692999912", "overseas", "", False),
        ("+447700900123", "foreign", "", False),
        ("36050", "malformed", "", False),
        ("", "malformed", "", False),
    ],
)
def test_without_profile_and_file_the_plan_decides(address: str, standing: str, operator: str, attached: bool) -> None:
    assert SubscriberBase(PLAN).find(address) == Subscriber(classify(address).msisdn, standing, operator, attached)


@given(st.text() | st.text("0123456789+", max_size=16))
def test_no_address_raises(address: str) -> None:
    found = SubscriberBase(PLAN, 1, SHARES).find(address)
    assert found.msisdn == classify(address).msisdn


def test_a_subscriber_is_the_same_in_any_order_and_spelling() -> None:
    straight = {number: SubscriberBase(PLAN, 7, SHARES).find(number) for number in NUMBERS[:2000]}
    shuffled = list(straight)
    random.Random(0).shuffle(shuffled)
    other = SubscriberBase(PLAN, 7, SHARES)
    assert {number: other.find("0" + number[2:]) for number in shuffled} == straight
    assert {number: SubscriberBase(PLAN, 8, SHARES).find(number) for number in shuffled} != straight


def test_shares_have_their_size() -> None:
    found = [(classify(number), SubscriberBase(PLAN, 3, SHARES).find(number)) for number in NUMBERS]
    assigned = [(number, each) for number, each in found if number.holder]
    known = [(number, each) for number, each in assigned if each.standing != "unknown"]
    ours = [each for number, each in known if number.holder == "orange"]
    theirs = [each for number, each in known if number.holder != "orange"]
    served = [each for _, each in known if each.standing == "orange"]
    attached = [each for each in served if each.attached]

    def share_of(part: int, whole: int, expected: float) -> None:
        assert abs(part / whole - expected) < 4 * (expected / whole) ** 0.5

    share_of(len(assigned) - len(known), len(assigned), 0.03)
    share_of(sum(each.standing == "ported-out" for each in ours), len(ours), 0.05)
    share_of(sum(each.standing == "orange" for each in theirs), len(theirs), 0.04)
    share_of(len(served) - len(attached), len(served), 0.1)
    share_of(sum(each.roaming for each in attached), len(attached), 0.02)
    assert {each.operator for each in ours if each.standing == "ported-out"} == {"sfr", "bouygues", "free"}
    assert not any(each.roaming for each in served if not each.attached)


def test_shares_of_one_move_everybody() -> None:
    everything = SubscriberBase(PLAN, 0, BaseProfile(share_ported_out=1.0, share_ported_in=1.0))
    assert everything.find(ORANGE).standing == "ported-out"
    assert everything.find(SFR) == Subscriber(SFR, "orange", "orange", True)
    assert SubscriberBase(PLAN, 0, BaseProfile(share_unknown=1.0)).find(ORANGE) == Subscriber(ORANGE, "unknown")


@pytest.mark.parametrize("value", [-0.1, 1.01, float("nan")])
def test_a_share_outside_nothing_to_one_is_reported(value: float) -> None:
    with pytest.raises(SubscriberError, match="share_absent"):
        SubscriberBase(PLAN, 0, BaseProfile(share_absent=value))


def test_a_change_is_seen_in_every_spelling_asked_before() -> None:
    for msisdn in (ORANGE, MACHINE, "262692999912", "447700900123"):
        found = SubscriberBase(PLAN)
        written = spellings(classify(msisdn))
        before = {found.find(each) for each in written}
        found.put(Subscriber(written[-1], "unknown"))
        assert {found.find(each) for each in written} == {Subscriber(msisdn, "unknown")} != before


def test_subscribers_come_and_go() -> None:
    found = SubscriberBase(PLAN, 0, BaseProfile(share_roaming=1.0))
    assert found.find(ORANGE) == Subscriber(ORANGE, "orange", "orange", attached=True, roaming=True)
    found.detach("0639980012")
    assert found.find(ORANGE) == Subscriber(ORANGE, "orange", "orange")
    found.attach(ORANGE)
    assert found.find("+33639980012") == Subscriber(ORANGE, "orange", "orange", attached=True)


def test_subscribers_not_served_here_neither_come_nor_go() -> None:
    for address in (SFR, NOBODY, "0199001234", "36050"):
        for act in (SubscriberBase(PLAN).attach, SubscriberBase(PLAN).detach):
            with pytest.raises(SubscriberError, match="not served here"):
                act(address)


def test_numbers_are_ported_away_and_back() -> None:
    found = SubscriberBase(PLAN)
    found.port(ORANGE, "free")
    found.port(SFR, "orange")
    assert (found.find(ORANGE), found.find(SFR)) == (
        Subscriber(ORANGE, "ported-out", "free"),
        Subscriber(SFR, "orange", "orange", attached=True),
    )
    found.port(ORANGE, "orange")
    found.port(SFR, "bouygues")
    assert (found.find(ORANGE).standing, found.find(SFR)) == ("orange", Subscriber(SFR, "other-operator", "bouygues"))


def test_only_assigned_mobiles_are_ported() -> None:
    for address in (NOBODY, MACHINE, "0199001234", "0692999912", "36050"):
        with pytest.raises(SubscriberError, match="cannot be ported"):
            SubscriberBase(PLAN).port(address, "sfr")


def test_the_memory_of_addresses_is_bounded_and_forgets_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers, "CACHED", 100)
    found = SubscriberBase(PLAN)
    found.detach(ORANGE)
    for number in NUMBERS[:1000]:
        found.find(number)
        assert len(found._found) <= 100
    assert not found.find(ORANGE).attached


def test_a_file_decides_for_the_numbers_in_it_and_the_profile_for_the_others(tmp_path: Path) -> None:
    text = (
        "state,msisdn,operator,kind\n"
        "off,33639980012,orange,mobile\n"
        "roaming,0639986012,orange,mobile\n"
        "attached,+33639980014,free,mobile\n"
        "attached,33639980015,none,mobile\n"
        "attached,33639980016,orange,m2m\n"
        "attached,337000000912345,orange,m2m\n"
        "attached,33639989012,orange,mobile\n"
    )
    found = base(tmp_path, text, BaseProfile(share_unknown=1.0))
    assert found.find(ORANGE) == Subscriber(ORANGE, "orange", "orange")
    assert found.find(SFR) == Subscriber(SFR, "orange", "orange", attached=True, roaming=True)
    assert found.find("33639980014") == Subscriber("33639980014", "ported-out", "free")
    assert found.find("33639980015") == Subscriber("33639980015", "unknown")
    assert found.find("33639980016").standing == found.find(MACHINE).standing == "m2m"
    assert found.find(NOBODY).standing == "orange"
    assert found.find("33639980099").standing == "unknown"
    found.attach(ORANGE)
    assert found.find(ORANGE).attached


def test_parquet_with_numbers_or_texts_gives_the_same_as_csv(tmp_path: Path) -> None:
    rows = [(ORANGE, "orange", "off"), (SFR, "sfr", "attached"), (MACHINE, "orange", "attached")]
    expected = base(tmp_path, HEADER + "\n".join(",".join(row) for row in rows))
    for number, kind in enumerate((pa.string(), pa.int64(), pa.large_string())):
        columns = {
            "msisdn": pa.array([int(row[0]) for row in rows]).cast(kind),
            "operator": pa.array([row[1] for row in rows]).dictionary_encode(),
            "state": [row[2] for row in rows],
        }
        path = tmp_path / f"{number}.parquet"
        pq.write_table(pa.table(columns), path)
        found = SubscriberBase.read(path, PLAN)
        assert [found.find(row[0]) for row in rows] == [expected.find(row[0]) for row in rows]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        (HEADER + f"{ORANGE},orange,attached\n{SFR},sfr,asleep\n", "line 3, state: 'asleep'; expected attached or off"),
        (HEADER + f"{ORANGE},Orange,attached\n", "line 2, operator: 'Orange'"),
        (HEADER + f"{ORANGE},,attached\n", "line 2, operator: no value"),
        (HEADER + "0639980,orange,attached\n", "line 2, msisdn: '0639980'; expected a mobile or M2M number"),
        (HEADER + "33700123456,orange,attached\n", "line 2, msisdn: '33700123456'"),
        (HEADER + f"{ORANGE},orange,off\n{SFR},sfr,off\n0639980012,free,off\n", f"lines 2 and 4, msisdn: {ORANGE}"),
        (
            "msisdn,operator,state,kind\n" + f"{ORANGE},orange,off,fixed\n",
            "line 2, kind: 'fixed'; expected mobile or m2m",
        ),
        ("msisdn,state\n", "no column operator"),
    ],
)
def test_a_wrong_file_is_reported_with_line_value_and_expectation(tmp_path: Path, text: str, reported: str) -> None:
    with pytest.raises(SubscriberError) as error:
        base(tmp_path, text)
    assert reported in str(error.value)
    assert error.value.expected


def test_an_octet_that_is_no_text_is_reported_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "base.csv"
    path.write_bytes(HEADER.encode() + f"{ORANGE},orange,off\n{SFR},or\xe9,off\n".encode("latin-1"))
    with pytest.raises(SubscriberError, match="line 3, operator"):
        Listing.read(path, PLAN)


def test_wrong_rows_of_parquet_are_reported_by_row(tmp_path: Path) -> None:
    columns = {"msisdn": [ORANGE, None], "operator": ["orange"] * 2, "state": ["off"] * 2}
    pq.write_table(pa.table(columns), tmp_path / "base.parquet")
    with pytest.raises(SubscriberError, match="row 2, msisdn: no value"):
        Listing.read(tmp_path / "base.parquet", PLAN)
    pq.write_table(pa.table({**columns, "msisdn": [[1], [2]]}), tmp_path / "nested.parquet")
    with pytest.raises(SubscriberError, match=r"nested\.parquet"):
        Listing.read(tmp_path / "nested.parquet", PLAN)


def test_a_row_beyond_the_first_piece_is_reported_at_its_own_line(tmp_path: Path) -> None:
    rows = [f"{33_710_000_000 + number},orange,off\n" for number in range(70_000)]
    rows[69_000] = "33710069000,orange,away\n"
    with pytest.raises(SubscriberError, match="line 69002, state"):
        base(tmp_path, HEADER + "".join(rows))


@ONE_FILE
@given(octets=st.binary(max_size=300) | st.binary(max_size=100).map(lambda each: HEADER.encode() + each))
@pytest.mark.parametrize("name", ["base.csv", "base.parquet"])
def test_any_octets_are_read_or_refused_in_one_line(tmp_path: Path, name: str, octets: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(octets)
    try:
        assert len(Listing.read(path, PLAN)) >= 0
    except SubscriberError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


@ONE_FILE
@given(data=st.data())
def test_a_damaged_parquet_file_is_read_or_refused_in_one_line(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "base.parquet"
    pq.write_table(pa.table({"msisdn": [ORANGE, SFR], "operator": ["orange", "sfr"], "state": ["off"] * 2}), path)
    octets = bytearray(path.read_bytes())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(octets[: data.draw(st.integers(0, len(octets)))])
    try:
        Listing.read(path, PLAN)
    except SubscriberError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


def test_listed_numbers_take_twelve_octets_each(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).permutation(2_000_000)[:300_000] + 33_710_000_000
    columns = {"msisdn": drawn, "operator": ["orange"] * len(drawn), "state": ["off"] * len(drawn)}
    pq.write_table(pa.table(columns), tmp_path / "base.parquet")
    listing = Listing.read(tmp_path / "base.parquet", PLAN)
    assert len(listing) == 300_000
    assert listing.find(int(drawn[17])) == ("orange", "off", "mobile")
    held = (listing._msisdns, listing._operators, listing._states, listing._kinds)
    assert sum(each.nbytes for each in held) == 12 * len(listing)
