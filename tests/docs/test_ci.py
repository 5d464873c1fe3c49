"""The snippets of docs/guides/ci.md do in a client's repository what that page says of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.docs.reading import follow
from tests.docs.shell import ROOT, environment

pytestmark = pytest.mark.slow


GUIDE = ROOT / "docs" / "guides" / "ci.md"
INSTALLS = re.compile(r"(sudo )?(apt-get|pip install) ")
SHORTER = " --only originators"  # one exercise of fifteen seconds stands for all
CLIENT = """
kind = "command"
name = "my-client"
program = "python -m simbench.client"
[capabilities]
keeps_oadc = true
"""
ODD = '[environment]\nSIMBENCH_FAULT = "sends-any-oadc"\n'


def snippets() -> tuple[dict[str, Any], dict[str, Any]]:
    """The workflow of GitHub and the pipeline of GitLab, as parsed."""
    github, gitlab = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return yaml.safe_load(github), yaml.safe_load(gitlab)


def github_steps() -> list[dict[str, Any]]:
    steps = snippets()[0]["jobs"]["conformance"]["steps"]
    assert isinstance(steps, list)
    return steps


def lines(job: str) -> list[str]:
    """Return the commands of a job, line by line."""
    if job == "gitlab":
        return list(snippets()[1]["conformance"]["script"])
    return [step["run"] for step in github_steps() if "run" in step]


def run_job(commands: Iterable[str], repository: Path) -> int:
    """Run what can be run here as a runner does: the first command that fails ends the job and fails it."""
    for command in commands:
        if not INSTALLS.match(command):
            done = subprocess.run(
                ["bash", "-e", "-c", command + SHORTER], cwd=repository, env=environment(), check=False,
                capture_output=True, timeout=600,
            )  # fmt: skip
            if done.returncode:
                return done.returncode
    return 0


def a_repository(folder: Path, *, odd: bool) -> Path:
    """A client's own repository; an odd client sends from any originator it is asked for."""
    (folder / "my-client.toml").write_text(CLIENT + (ODD if odd else ""), "utf-8")
    known = re.search(r"^```toml\n(# known\.toml.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert known is not None
    (folder / "known.toml").write_text(known[1], "utf-8")
    return folder


def failures(junit: Path) -> set[str]:
    cases = ElementTree.parse(junit).iter("testcase")  # noqa: S314 - written by the bench a moment ago
    return {str(case.get("name")) for case in cases if case.find("failure") is not None}


@pytest.mark.parametrize("job", ["github", "gitlab"])
def test_what_is_not_run_here_only_installs(job: str) -> None:
    assert [line.split()[0] for line in lines(job) if not INSTALLS.match(line)] == ["simbench"]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, Path]]:
    """Return the results of both jobs, run side by side, and their repositories: GitLab's has the faulty client."""
    places = {job: a_repository(tmp_path_factory.mktemp(job), odd=job == "gitlab") for job in ("gitlab", "github")}
    with ThreadPoolExecutor() as runners:
        ended = runners.map(lambda job: run_job(lines(job), places[job]), places)
        return {job: (status, places[job]) for job, status in zip(places, ended, strict=True)}


def test_a_failing_client_fails_the_job_and_its_report_is_where_gitlab_looks(jobs: dict[str, tuple[int, Path]]) -> None:
    status, repository = jobs["gitlab"]
    assert status == 1
    artifacts = snippets()[1]["conformance"]["artifacts"]
    assert artifacts["when"] == "always"
    failed = failures(repository / artifacts["reports"]["junit"])
    assert any("sender.forbidden-requests" in name for name in failed), failed
    assert all((repository / path / "report.html").is_file() for path in artifacts["paths"])


def test_a_sound_client_passes_the_job_and_github_uploads_its_report(jobs: dict[str, tuple[int, Path]]) -> None:
    status, repository = jobs["github"]
    assert status == 0
    upload = github_steps()[-1]
    assert upload["if"] == "always()"
    assert not failures(repository / upload["with"]["path"] / "junit.xml")


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    follow("docs/guides/ci.md", tmp_path)
