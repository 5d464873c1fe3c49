"""Pages are read as their readers read them: no command is overlooked, and what is not run says why."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.docs import test_loads, test_money, test_records, test_served
from tests.docs.blocks import Step, agrees, steps_of
from tests.docs.reading import pages, steps
from tests.docs.shell import ROOT

GROUPS = (test_loads.PAGES, test_money.PAGES, test_records.PAGES, test_served.PAGES, ("docs/guides/ci.md",))
NOT_RUN = 14  # blocks, each with its reason; a new one is a decision, so it is counted here


def test_every_page_with_commands_is_in_one_group() -> None:
    with_commands = [page for page in pages() if any(step.kind == "run" for step in steps(page))]
    assert sorted(with_commands) == sorted(page for group in GROUPS for page in group)


def test_what_is_not_run_is_counted_and_has_its_reason() -> None:
    skipped = [(page, step.line, step.text) for page in pages() for step in steps(page) if step.kind == "skip"]
    for page, line, reason in skipped:
        print(f"not run: {page}:{line}: {reason}")  # noqa: T201 - the list is what this test is for
    assert len(skipped) == NOT_RUN
    assert all(len(reason.split()) >= 4 for _, _, reason in skipped)


@pytest.mark.parametrize("page", pages())
def test_no_command_hides_in_a_block_that_is_not_read(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    fences = re.findall(r"^ *```(.*)$", text, re.MULTILINE)
    assert all(fences[::2]), "every block says its language"
    assert not any(fences[1::2])
    assert not re.search(r"(?<!\n)\n\n(?: {4,}|\t)(?:\$ )?(simbench|make|pip) ", text), "commands stand in blocks"


def test_reference_pages_have_no_commands_of_their_own() -> None:
    for path in (ROOT / "docs" / "reference").glob("*.md"):
        assert not [step for step in steps_of(path.read_text("utf-8")) if step.kind == "run"], path


def test_commands_outputs_and_files_are_separated() -> None:
    page = """
<!-- file: a.toml -->
```toml
x = 1
```
```console
$ cat a.toml   # exit status 3: why not
x = 1
$ cat b.toml   # exit status 0 or 1
$ cat <<END
y
END
y
```
<!-- not run: no time at all -->
```sh
rm x
```
```sh
echo 'two
lines' \\
  more
# only a comment
```
<!-- stop the server -->
"""
    kinds = [(step.kind, step.text, step.name, step.output, step.statuses) for step in steps_of(page)]
    assert kinds == [
        ("file", "x = 1\n", "a.toml", "", (0,)),
        ("run", "cat a.toml   # exit status 3: why not", "", "x = 1", (3,)),
        ("run", "cat b.toml   # exit status 0 or 1", "", "", (0, 1)),
        ("run", "cat <<END\ny\nEND", "", "y", (0,)),
        ("skip", "no time at all", "", "", (0,)),
        ("run", "echo 'two\nlines' \\\n  more", "", "", (0,)),
        ("stop", "", "", "", (0,)),
    ]


@pytest.mark.parametrize("page", ["<!-- nor run: x -->", "```sh\necho 'open\n```"])
def test_a_mistyped_page_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match=r"not known|does not end"):
        list(steps_of(page))


@pytest.mark.parametrize(
    ("shown", "printed", "agreed"),
    [
        ("a\nb", "a  \nb\n\n", True),
        ("a\nb", "a\nc", False),
        ("took ... s", "took 1.5 s", True),
        ("took ... s", "took\n1.5 s", False),
        ("a\n...\nz", "a\nz", True),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n...\nz", "a\nb", False),
        ("a", "a\nb", False),
        ("(x).*", "(x).*", True),
        ("(x).*", "xyz", False),
    ],
)
def test_an_output_is_compared_but_for_what_varies(shown: str, printed: str, agreed: bool) -> None:
    assert agrees(shown, printed) is agreed


@given(st.text())
def test_any_text_is_read_as_a_page_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert all(isinstance(step, Step) for step in steps_of(text))
