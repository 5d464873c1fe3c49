"""Each scenario file does what its comments say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fake_smsc.scenario import CodeConfig, read_scenario
from simbench.base.bundled import find_scenario
from simbench.base.errors import ScenarioError
from simbench.numbering.subscribers import SubscriberBase
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame
from simbench.ucp.operations import decode
from tests.cli.child import Served
from tests.fake_smsc.virtual import Stage, VirtualPeer, perform

FOLDER = Path(__file__).parents[2] / "scenarios"
FIRST, TIERS, OUTAGE, SUBSCRIBERS, FAULTS = (
    FOLDER / f"{name}.toml" for name in ("01_first", "02_tiers", "03_outage", "04_subscribers", "05_faults")
)
PLAIN = {"NRq": "", "NT": ""}
ONE_TURN_S = 0.01


def test_every_scenario_is_tested_here() -> None:
    assert set(FOLDER.glob("*.toml")) == {FIRST, TIERS, OUTAGE, SUBSCRIBERS, FAULTS}


@pytest.mark.parametrize("path", [FIRST, TIERS, OUTAGE, SUBSCRIBERS, FAULTS], ids=lambda path: path.stem)
def test_a_scenario_begins_with_its_purpose_and_its_command(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert f"#   simbench serve scenarios/{path.name}" in lines
    assert read_scenario(path).title


def test_the_first_scenario_answers_the_eleventh_submit_of_a_burst_a_second_later() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.session("36010")
        for trn in range(10):
            peer.submit(trn, AdC=f"063998000{trn}")
        await stage.at(0.1)
        peer.submit(10, AdC="0710000001")
        await stage.at(30)
        results = peer.of("R", "51")
        assert [frame.data[0] for _, frame in results] == ["A"] * 11
        assert results[9][0] - results[0][0] < ONE_TURN_S
        assert results[10][0] - results[0][0] == pytest.approx(1, abs=ONE_TURN_S)
        notices = peer.of("O", "53")
        assert [decode(frame)["Dst"] for _, frame in notices] == ["0"] * 11
        assert all(1 < at < 30 for at, _ in notices)
        assert peer.lost is None

    perform(FIRST, script)


def test_the_first_scenario_listens_where_its_comment_says_and_leaves_the_rest_to_the_contract() -> None:
    scenario = read_scenario(FIRST)
    assert (scenario.server.host, scenario.server.port, scenario.outages) == ("127.0.0.1", 3024, ())
    assert scenario.codes == (CodeConfig(code="36010"),)


def test_five_codes_with_full_windows_get_results_at_their_tiers() -> None:
    seconds = 10

    async def script(stage: Stage) -> None:
        peers = {
            config.code: await busy(stage, config.code, config.window or 10) for config in stage.smsc.scenario.codes
        }
        await stage.at(seconds + 1)
        counted = {}
        for code, peer in peers.items():
            instants = [at for at, _ in peer.of("R", "51")]
            counted[code] = sum(at < instants[0] + seconds for at in instants)
        assert counted == {"36010": 100, "36020": 200, "36050": 500, "36100": 1000, "36150": 1500}

    perform(TIERS, script)


async def busy(stage: Stage, code: str, window: int) -> VirtualPeer:
    """A session that submits again at each result, so that its window is always full."""
    peer, sent = await stage.session(code), Counter[str]()

    def submit(frame: Frame) -> None:
        if (frame.kind, frame.ot) == ("R", "51"):
            sent[code] += 1
            peer.submit(int(frame.trn), OAdC=code, AdC=f"3371{sent[code]:07d}", **PLAIN)

    peer.react = submit
    for trn in range(window):
        peer.submit(trn, OAdC=code, AdC=f"3371{9_000_000 + trn}", **PLAIN)
    return peer


def test_with_the_default_window_the_longest_delay_prevents_the_highest_tier(tmp_path: Path) -> None:
    path = tmp_path / "tiers.toml"
    path.write_text(TIERS.read_text().replace("window = 12\n", ""))
    with pytest.raises(ScenarioError, match=r"10 carries 125/s over a round trip of 80 ms; expected at least 12 to"):
        read_scenario(path)


def test_in_a_total_outage_nobody_connects_and_waiting_notifications_follow_the_next_login() -> None:
    async def script(stage: Stage) -> None:
        one, two = await stage.session("36010"), await stage.session("36020")
        await stage.at(19.95)
        for trn in range(10):
            one.submit(trn, AdC=f"063998000{trn}")
        await stage.at(19.97)
        one.submit(10, AdC="0639980010")
        one.submit(11, AdC="0639980011")
        await stage.at(20.1)
        for peer in (one, two):
            assert peer.lost is not None
            assert peer.lost[0] == pytest.approx(20, abs=ONE_TURN_S)
        assert len(one.of("R", "51")) == 10
        for second in (21, 34.9):
            await stage.at(second)
            with pytest.raises(ConnectionRefusedError):
                await stage.connect()
        await stage.at(35.1)
        again = await stage.session("36010")
        assert len(stage.rows("accepted")) == 10  # the two that were held are forgotten
        notices = [frame for _, frame in again.of("O", "53")]
        assert [decode(frame)["Dst"] for frame in notices] == ["0"] * 10
        stamps = [decode(frame)["SCTS"] for frame in notices]
        assert stamps == sorted(stamps)

    perform(OUTAGE, script)


def test_a_silent_outage_shows_only_by_missing_answers() -> None:
    async def script(stage: Stage) -> None:
        await stage.at(59)
        peer = await stage.session("36010")
        await stage.at(61)
        peer.submit(1, **PLAIN)
        newcomer = await stage.session("36020")
        await stage.at(79.9)
        assert len(peer.got) == 1  # the login's result
        assert newcomer.got == []
        assert peer.lost is newcomer.lost is None
        await stage.at(80.1)
        ((at, result),) = peer.of("R", "51")
        assert result.data[0] == "A"
        assert at == pytest.approx(80, abs=ONE_TURN_S)
        assert newcomer.of("R", "60")[0][1].data[0] == "A"

    perform(OUTAGE, script)


def test_an_outage_of_one_code_does_not_affect_the_other() -> None:
    async def script(stage: Stage) -> None:
        await stage.at(99)
        one, two = await stage.session("36010"), await stage.session("36020")
        await stage.at(100.1)
        assert two.lost is not None
        assert isinstance(two.lost[1], ConnectionResetError)
        for second in (101, 129):
            await stage.at(second)
            refused = await stage.session("36020")
            assert (refused.got, refused.lost is None) == ([], False)
            one.submit(second % 100, **PLAIN, AdC=f"33710{second:06d}")
        await stage.at(130.1)
        assert [frame.data[0] for _, frame in one.of("R", "51")] == ["A", "A"]
        assert one.lost is None
        assert (await stage.session("36020")).of("R", "60")[0][1].data[0] == "A"

    perform(OUTAGE, script)


# A recipient of subscribers.csv, and what becomes of a message: an error code at once, or outcome and reason.
MET = {
    "0639980001": "0/000",
    "0639980002": "1/107",
    "0639980003": "0/000",
    "0639980004": "2/101",
    "0639980005": "2/101",
    "0639986001": "0/000",
    "0639988001": "2/101",
    "0639980006": "EC 06",
    "0199001234": "EC 06",
    "0447700900123": "EC 06",
    "+447700900123": "EC 06",
}


def test_each_listed_subscriber_and_each_kind_of_number_has_the_outcome_in_the_comment() -> None:
    async def script(stage: Stage) -> None:
        met: dict[str, str] = {}
        for trn, recipient in enumerate(MET):
            peer = await stage.session("36010")
            peer.submit(trn, AdC=recipient.replace("+", "00"), NT="7")
            await stage.at((trn + 1) * 60)
            ((_, result),) = peer.of("R", "51")
            if result.data[0] == "N":
                met[recipient] = f"EC {decode(result)['EC']}"
            else:
                ((_, notice),) = peer.of("O", "53")
                met[recipient] = f"{notice.data[At.DST]}/{notice.data[At.RSN]}"
            peer.transport.close()
        assert met == MET

    perform(SUBSCRIBERS, script)


def test_subscribers_not_listed_are_drawn_by_the_shares_of_the_file() -> None:
    async def script(stage: Stage) -> None:
        base: SubscriberBase = stage.smsc.server.gateway.centre.base
        shares = stage.smsc.scenario.subscribers
        ours = [base.find(f"0710{number:06d}") for number in range(4000)]
        standings = Counter(subscriber.standing for subscriber in ours)
        served = [subscriber for subscriber in ours if subscriber.standing == "orange"]
        assert standings["ported-out"] / len(ours) == pytest.approx(shares.share_ported_out, rel=0.3)
        assert standings["unknown"] / len(ours) == pytest.approx(shares.share_unknown, rel=0.3)
        away = sum(not subscriber.attached for subscriber in served) / len(served)
        assert away == pytest.approx(shares.share_absent, rel=0.3)
        others = [base.find(f"0720{number:06d}").standing for number in range(4000)]
        assert others.count("orange") / len(others) == pytest.approx(shares.share_ported_in, rel=0.3)

    perform(SUBSCRIBERS, script)


def test_a_file_beside_the_scenario_is_found_from_anywhere(tmp_path: Path) -> None:
    with Served(SUBSCRIBERS, "--port", "0", "-o", tmp_path / "run") as server:
        assert "36010" in server.banner


def test_scenarios_that_come_with_the_bench_are_found_by_name() -> None:
    assert find_scenario(Path("03_outage")).name == "03_outage.toml"
    assert find_scenario(Path("scenarios/03_outage.toml")).name == "03_outage.toml"
    with pytest.raises(ScenarioError, match="perhaps `03_outage`"):
        find_scenario(Path("03_outages"))
