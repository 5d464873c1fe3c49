"""Stored sessions are judged again, certified and compared; every manipulation is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from simbench.bench.report.certificate import page as rendered
from simbench.bench.report.certificate import read_certificate
from tests.cli.child import Ended, simbench

KNOWN = """[[deviation]]
purpose = "sender.forbidden-requests"
reason = "to be mended"
ticket = "T-1"
expires = 2099-01-01
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of the reference client with a planted fault."""
    from simbench.bench.runner.options import SessionOptions
    from simbench.cli.conform import Options, conform_command

    folder = tmp_path_factory.mktemp("certified") / "run"
    wanted = SessionOptions("reference", only=("originators",), faults=("sends-any-oadc",))
    assert conform_command(wanted, Options(folder)) == 1
    return folder


@pytest.fixture
def run(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "run"))


def certificate(run: Path, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Path:
    assert Ended(capsys, "certificate", run, *arguments).status == 0
    return run / "certificate.html"


def test_a_certificate_agrees_with_its_ledgers(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = certificate(run, capsys)
    verified = Ended(capsys, "certificate", run, "--verify", page)
    assert (verified.status, "agrees" in verified.out) == (0, True)
    text = page.read_text()
    for expected in ("does not conform", "reference", "orange_ops_2016", "sender.forbidden-requests", "pyarrow"):
        assert expected in text


def test_a_certificate_says_which_client_it_was_and_that_most_was_not_tried(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = certificate(run, capsys)
    found, text = read_certificate(page)
    assert found.system == "reference with sends-any-oadc"
    tried, suite = {one.purpose for one in found.outcomes}, set(found.untried)
    assert not tried & suite
    assert f"{len(tried)} of {len(tried | suite)} purposes; the others were not tested" in text
    passed = tuple(replace(one, outcome="pass") for one in found.outcomes)
    for untried, verdict in ((found.untried, "conforms (part of the suite)"), ((), "conforms")):
        whole = rendered(replace(found, outcomes=passed, untried=untried))
        assert f'<span class="verdict pass">{verdict}</span>' in whole
        assert ("not tested" in whole) is bool(untried)


def test_a_tampered_ledger_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = certificate(run, capsys)
    (file,) = (run / "runs" / "originators" / "ledger").glob("stimuli-*.parquet")
    found = pq.read_table(file)
    texts = pa.array(["nothing" if row["n"] == 0 else row["text"] for row in found.to_pylist()])
    pq.write_table(found.set_column(found.schema.get_field_index("text"), "text", texts), file)
    verified = Ended(capsys, "certificate", run, "--verify", page)
    assert verified.status == 1
    assert "the ledger of originators is not the certified one" in verified.out


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            '"exercise":"originators","outcome":"fail"',
            '"exercise":"originators","outcome":"pass"',
            "fail from the ledger",
        ),
        ('"system":"reference', '"system":"another', "system: another"),
        ('"submits.tried-again",', "", "untried: "),
        ("does not conform", "conforms", "the visible page does not match the data in it"),
    ],
)
def test_a_tampered_certificate_is_named(
    old: str, new: str, named: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = certificate(run, capsys)
    assert old in page.read_text()
    page.write_text(page.read_text().replace(old, new, 1))
    verified = Ended(capsys, "certificate", run, "--verify", page)
    assert verified.status == 1
    assert named in verified.out


def test_a_page_that_is_no_certificate_is_bad_input(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "certificate", run, "--verify", run / "report.html")
    assert ended.status == 2
    assert ended.err.count("\n") == 1


def test_known_deviations_stand_on_the_certificate(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "known.toml").write_text(KNOWN)
    page = certificate(run, capsys, "--baseline", tmp_path / "known.toml")
    assert "to be mended" in page.read_text()
    assert Ended(capsys, "certificate", run, "--verify", page).status == 0


def test_a_session_is_judged_again_without_any_client(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads((run / "findings.json").read_text())["findings"]
    assert Ended(capsys, "conform", "--from", run).status == 1
    assert json.loads((run / "findings.json").read_text())["findings"] == before


def test_a_part_judged_again_leaves_the_record_of_the_whole(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "session.json").read_bytes()
    assert Ended(capsys, "conform", "--from", run, "--only", "OPS-PRE-08").status == 0
    assert len(json.loads((run / "findings.json").read_text())["findings"]) == 1
    assert (run / "session.json").read_bytes() == before
    assert Ended(capsys, "conform", "--from", run).status == 1


def test_a_session_is_judged_again_against_a_baseline(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.toml"
    assert Ended(capsys, "conform", "--from", run, "--baseline", known, "--update-baseline").status == 0
    assert Ended(capsys, "conform", "--from", run, "--baseline", known, "--strict").status == 0
    known.write_text(known.read_text().replace("expires = 2", "expires = 1"))
    assert Ended(capsys, "conform", "--from", run, "--baseline", known).status == 1
    assert "known deviation, expired" in (run / "report.html").read_text()


def test_only_what_failed_is_run_again_and_the_first_session_is_kept(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Ended(capsys, "conform", "--sut", "reference", "--last-failed", "-o", run).status == 0
    findings = json.loads((run / "findings.json").read_text())["findings"]
    assert {finding["purpose"] for finding in findings} == {"sender.forbidden-requests", "sender.no-subscriber-number"}
    assert (run / "earlier-1" / "runs" / "originators").is_dir()


def test_what_failed_is_run_again_in_the_exercise_in_which_it_failed(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = json.loads((run / "findings.json").read_text())
    for finding in result["findings"]:
        finding["outcome"] = "fail" if finding["purpose"] == "sessions.violations" else "pass"
    result["summary"] |= {"fail": 1, "pass": len(result["findings"]) - 1, "unsupported": 0}
    (run / "findings.json").write_text(json.dumps(result))
    assert Ended(capsys, "conform", "--sut", "reference", "--last-failed", "-o", run).status == 0
    findings = json.loads((run / "findings.json").read_text())["findings"]
    assert [(one["purpose"], one["exercise"]) for one in findings] == [("sessions.violations", "")]
    assert {shown["exercise"] for shown in findings[0]["evidence"]} == {"originators"}


def test_every_judged_purpose_has_a_folder_of_its_evidence(run: Path) -> None:
    folder = run / "evidence" / "sender.forbidden-requests"
    assert {path.name for path in folder.iterdir()} == {"evidence.pcapng", "client.log", "finding.json"}
    assert folder.joinpath("evidence.pcapng").stat().st_size > 1000


def test_clients_are_compared_purpose_by_purpose(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Path(shutil.copytree(run, tmp_path / "other"))
    text = (other / "findings.json").read_text()
    changed = text.replace('"outcome": "fail"', '"outcome": "weak"').replace('"fail": 2', '"fail": 0')
    (other / "findings.json").write_text(changed.replace('"weak": 0', '"weak": 2'))
    ended = Ended(capsys, "matrix", run, other, "--json", "--html", tmp_path / "m.html")
    assert ended.status == 0
    lines = {line["purpose"]: line["outcomes"] for line in json.loads(ended.out)["lines"]}
    assert lines["sender.forbidden-requests"] == ["fail", "weak"]
    assert lines["sessions.violations"] == ["pass", "pass"]  # a finding of the session, not of each exercise
    assert len(lines) == len(json.loads(ended.out)["lines"])
    assert "sender.forbidden-requests" in (tmp_path / "m.html").read_text()


def test_a_folder_that_is_no_session_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("matrix", tmp_path), ("certificate", tmp_path), ("conform", "--from", tmp_path)):
        ended = Ended(capsys, *arguments)
        assert ended.status == 2
        assert ended.err.count("\n") == 1


def test_a_session_judged_again_into_another_folder_stays_as_it_was(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    elsewhere = tmp_path / "again"
    ended = Ended(capsys, "conform", "--from", run, "--only", "OPS-PRE-08", "-o", elsewhere)
    assert (ended.status, len(json.loads((elsewhere / "findings.json").read_text())["findings"])) == (0, 1)
    assert {path: path.read_bytes() for path in before} == before
    assert (elsewhere / "evidence" / "sender.allotted-codes" / "client.log").exists()


@pytest.mark.parametrize("option", [("--fault", "no-pacing"), ("--last-failed",), ("--soak", "60s")])
def test_what_only_a_client_could_do_is_refused_where_a_session_is_judged_again(
    option: tuple[str, ...], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Ended(capsys, "conform", "--sut", "reference", "--from", run, *option)
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: {option[0]}: cannot be combined with --from")


@pytest.mark.parametrize("option", ["--baseline", "-o"])
def test_what_verifying_leaves_out_of_account_is_refused(
    option: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = Ended(capsys, "certificate", run, "--verify", certificate(run, capsys), option, run / "known.toml")
    assert refused.status == 2
    assert refused.err.startswith(f"simbench: {option}: given with --verify")


def test_a_process_of_its_own_knows_the_purposes_of_a_baseline(tmp_path: Path) -> None:
    known = tmp_path / "known.toml"
    known.write_text(KNOWN, "utf-8")
    ended = simbench("certificate", tmp_path / "no-session", "--baseline", known)
    assert ended.returncode == 2
    assert "no-session" in ended.stderr, "not the baseline, whose purpose exists"
