from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from simbench.sla.report.translations import LANGUAGES, Words, texts
from tests.paris import CONTRACT
from tests.sla.years import SERVICE_LEVEL

NARROW, WIDE = "\u202f", "\u00a0"


def names_in(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_both_languages_have_the_same_texts_with_the_same_names_to_fill_in() -> None:
    tables = {language: texts(language) for language in LANGUAGES}
    assert tables["en"].keys() == tables["fr"].keys()
    for key in tables["en"]:
        assert names_in(tables["en"][key]) == names_in(tables["fr"][key]), key


def test_no_text_is_empty_or_left_in_the_other_language() -> None:
    english, french = texts("en"), texts("fr")
    assert all(english.values())
    assert all(french.values())
    alike = {key for key in english if english[key] == french[key] and len(english[key]) > 10}
    assert not alike


def test_french_signs_of_two_strokes_follow_a_space_that_does_not_break() -> None:
    assert not [text for text in texts("fr").values() if re.search(r"(?<![\u00a0\u202f])[;:!?](?!\w|//)", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_purpose_of_the_service_level_has_its_sentences(language: str) -> None:
    words = Words(language, CONTRACT)
    for purpose in SERVICE_LEVEL:
        slug = purpose.rpartition(".")[2]
        assert words.has(f"promise.{slug}")
        assert words.has(f"result.{slug}")
        assert words.has(f"result.{slug}-none")


def test_no_text_is_written_for_nobody() -> None:
    home = Path(__file__).parents[3] / "simbench" / "sla" / "report"
    used = "".join(path.read_text("utf-8") for path in [*home.glob("*.py"), home / "sla.html.j2"])
    begun = re.findall(r'f"([a-z]+\.\w*)\{', used) + re.findall(r'"([a-z]+\.)" ~', used)  # keys completed by the data
    families = {"table", "absent", "delivery", "form", "count"}
    quoted = {found[1] for found in re.finditer(r"""["']([a-z]+\.[\w-]+)["']""", used)}
    quoted |= {
        f"{name}.{part}" for name in re.findall(r'picture\(\s*words, "(\w+)"', used) for part in ("title", "formula")
    }
    left = {key for key in texts("en") if key not in quoted and key.partition(".")[0] not in families}
    assert not {key for key in left if not key.startswith(tuple(begun))}


def test_numbers_shares_and_hours_are_written_as_each_language_does() -> None:
    english, french = Words("en", CONTRACT), Words("fr", CONTRACT)
    assert (english.number(1234.5, 1), french.number(1234.5, 1)) == ("1,234.5", f"1{NARROW}234,5")
    assert (english.share(0.98972602), french.share(0.98972602)) == (f"98.9726{WIDE}%", f"98,9726{WIDE}%")
    assert english.hours(6 + 5 / 60) == f"6{WIDE}h{WIDE}05"
    assert english.hours(6 + 30 / 3600, exact=True) == f"6{WIDE}h{WIDE}00{WIDE}min{WIDE}30{WIDE}s"


def test_a_share_below_a_promise_never_reads_as_the_promise() -> None:
    assert Words("en", CONTRACT).share(0.98999999999) == f"98.9999{WIDE}%"
    assert Words("en", CONTRACT).share(0.99) == f"99{WIDE}%"
    assert Words("en", CONTRACT).share(None) == "–"
