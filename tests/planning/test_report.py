"""The page, the tables and the comparison of an advice, in both languages."""

from __future__ import annotations

import csv
import io
import json
import re
import string
import tomllib
from decimal import Decimal
from html import unescape
from itertools import pairwise
from pathlib import Path

import msgspec
import openpyxl
import pytest
from click.testing import CliRunner

from simbench.api.planning import plain, write_advice
from simbench.base.errors import BadInput
from simbench.cli.main import cli
from simbench.contract import load_contract
from simbench.planning.advise import Advice, advise
from simbench.planning.comparison import Compared, comparison, read_advice
from simbench.planning.curves import STEPS
from simbench.planning.own_code_plan import own_code_plan
from simbench.planning.progress import Phases
from simbench.planning.report.page import plan_page
from simbench.planning.tables import sheets_of
from simbench.planning.wording import HOME, in_language, percent
from tests.planning.plans import OUTAGES, flow, plan_of, sending

pytestmark = pytest.mark.slow

PLAN = plan_of(
    title="Offers & answers", sendings=[sending(volume=300_000, every="week", sigma=0.1)], outages=OUTAGES,
    flows=[flow(name="=cmd", **{"class": "reply", "per_day": 20_000, "within_min": 60})], probability=0.6,
    held=[{"code": "36020", "rate_per_s": 20}, {"code": "34020", "rate_per_s": 10}],
)  # fmt: skip


@pytest.fixture(scope="module")
def advice() -> Advice:
    return advise(PLAN, own=(own_code_plan("36010=50,34010=10", PLAN),))


def page(advice: Advice, language: str = "en") -> str:
    return plan_page(advice, PLAN.contract, language)


def seen(html: str) -> str:
    """Return the visible text of a page."""
    body = re.sub(r"<(style|svg).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    return re.sub(r"[ \n]+", " ", unescape(body))


def test_both_languages_have_the_same_texts_with_the_same_names() -> None:
    tables = {name: tomllib.loads((HOME / f"{name}.toml").read_text()) for name in ("en", "fr")}
    english, french = (
        {f"{section}.{key}": text for section, entries in tables[name].items() for key, text in entries.items()}
        for name in ("en", "fr")
    )
    assert english.keys() == french.keys()
    for key, text in english.items():
        names = [{name for _, name, _, _ in string.Formatter().parse(each) if name} for each in (text, french[key])]
        assert names[0] == names[1], key
    assert not [key for key, text in french.items() if re.search(r" [;:?!»%]|« ", text)], "no breaking space before"


def test_the_first_screen_gives_the_advice_its_cost_and_its_confidence(advice: Advice) -> None:
    text, chosen = seen(page(advice)), advice.chosen
    order = ["Hold ", "promise of 60 %", f"{chosen.euros:,.2f} EUR", "Codes and tiers, month by month",
             "Why not cheaper?", "What would break it?", "What to order", "Each demand"]  # fmt: skip
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert percent(in_language("en", load_contract()), chosen.score.promised.share).replace(
        "\u00a0", " "
    ) in text.replace("\u00a0", " ")


def test_the_french_page_has_no_english_sentence_and_one_way_to_write_money(advice: Advice) -> None:
    html = page(advice, "fr")
    text = seen(html)
    assert '<html lang="fr">' in html
    assert not re.search(r"\b(the|and|with|codes|promise|cheaper|month|before|of|in time|asked)\b", text)
    assert "EUR" not in text
    assert not re.search(r"\d\.\d\d\b", text), "decimals have a comma"
    assert re.search("\\d,\\d\\d\u00a0€", text)
    pictures = "".join(re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL))
    assert not re.search(r">[^<]*\b(the|deadline|complete|volume,)\b[^<]*<", pictures)


def test_headings_say_what_their_picture_shows_and_what_was_scored(advice: Advice) -> None:
    html = page(advice).replace("\u00a0", " ")
    (curve,), (waits,) = advice.curves, advice.waits
    kept = advice.chosen.score.kept
    assert curve.in_time[STEPS] == pytest.approx(kept["s"].share)
    assert waits.in_time[STEPS] == pytest.approx(kept["=cmd"].share)
    assert curve.hours[STEPS] == 4
    for name, share in (("s", curve.in_time[STEPS]), ("=cmd", waits.in_time[STEPS])):
        assert re.search(rf"<figcaption>{name}: (on )?{100 * share:.2f} %", html)
    assert list(curve.in_time) == sorted(curve.in_time)
    assert html.count("<figure>") == 5


def test_inputs_are_repeated_and_every_number_says_which_demand_it_is_about(advice: Advice) -> None:
    text = seen(page(advice))
    for reported in ("300,000 marketing messages at 2026-03-03 08:00", "20,000 reply messages a day", "36020: 20/s",
                 "1.5 h long", "sigma 0.1 for each occasion", "seed 1"):  # fmt: skip
        assert reported in text
    assert {row.about_low for row in advice.sensitivities} <= set(advice.chosen.score.kept)
    assert all(one.score.about in one.score.kept for one in advice.candidates)
    about = advice.chosen.score.about
    assert f"Least sure demand: {about}" in text


def test_an_order_list_names_dates_prices_and_papers(advice: Advice) -> None:
    text = seen(page(advice))
    assert "OPS-ENG-03: Forecasts of rate and monthly traffic" in text
    assert "30 days are assumed (lead_days)" in text
    priced = {one.what: one.euros for one in advice.orders}
    assert priced["forecast"] == 0


def test_tables_hold_every_mix_demand_and_month_and_no_formula(advice: Advice, tmp_path: Path) -> None:
    sheets = {one.name: one for one in sheets_of(advice)}
    assert all(len(row) == len(sheet.columns) for sheet in sheets.values() for row in sheet.rows)
    kinds = [row[0] for row in sheets["mixes"].rows]
    assert [kinds.count(kind) for kind in ("chosen", "own", "held")] == [1, 1, 1]
    assert {row[1] for row in sheets["demands"].rows} == {"s", "=cmd", ""}
    write_advice(tmp_path / "out", advice, PLAN.contract, "fr", xlsx=True)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "demands.csv").read_text())))
    assert {row["demand"] for row in rows} == {"s", "'=cmd", ""}
    book = openpyxl.load_workbook(tmp_path / "out" / "plan.xlsx")
    assert book.sheetnames == list(sheets)
    assert {cell.value for cell in book["demands"]["B"]} == {"demand", "s", "=cmd", None}
    assert '<html lang="fr">' in (tmp_path / "out" / "report.html").read_text()


def test_two_plans_are_compared_by_what_they_buy_cost_and_keep(advice: Advice, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(advice, enc_hook=plain))
    again = read_advice(tmp_path)
    assert again.advice == advice
    dearer = msgspec.structs.replace(advice, chosen=max(advice.candidates, key=lambda one: one.euros))
    rows = {row[0]: row[1:] for row in comparison([again, Compared("b", dearer)]).rows}
    more = dearer.chosen.euros - advice.chosen.euros
    assert rows["codes and tiers"][1] == f"{dearer.chosen.euros:,.2f} EUR (+{more:,.2f} EUR)"
    assert {"in time: s", "in time: =cmd", "2026-03"} <= set(rows)
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInput, match="is no plan"):
        read_advice(tmp_path / "x.json")
    for changed, problem in (
        ({"invoices": ()}, "it has not one invoice for each month"),
        ({"invoices": advice.invoices * 2}, "it has not one invoice for each month"),
        ({"euros_in_all": Decimal("Infinity")}, "a price is no amount"),
        ({"euros_in_all": Decimal("1E+999999")}, "a price is no amount"),
    ):
        wrong = msgspec.structs.replace(advice, **changed)
        (tmp_path / "x.json").write_bytes(msgspec.json.encode(wrong, enc_hook=plain))
        with pytest.raises(BadInput, match=f"is no plan: {problem}"):
            read_advice(tmp_path / "x.json")
    with pytest.raises(BadInput, match="a folder that `simbench plan -o` wrote"):
        read_advice(tmp_path / "none")


def test_the_command_compares_folders(advice: Advice, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_bytes(msgspec.json.encode(advice, enc_hook=plain))
    folders = [part for name in ("a", "b") for part in ("--compare", str(tmp_path / name))]
    done = CliRunner().invoke(cli, ["plan", *folders, "--json"])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)["with messages"]
    assert list(printed) == [str(tmp_path / name) for name in ("a", "b")]
    alone = CliRunner().invoke(cli, ["plan", *folders[:2]])
    assert isinstance(alone.exception, BadInput)


def test_other_promises_cost_more_the_more_they_promise(advice: Advice) -> None:
    for axis, cheaper in (("volume", 1), ("deadline", -1), ("probability", 1)):
        mine = sorted((one.at, one.euros) for one in advice.tradeoffs if one.axis == axis and one.euros is not None)
        euros = [price for _, price in mine][::cheaper]
        assert all(later >= earlier * 97 / 100 for earlier, later in pairwise(euros)), axis
    (at_once,) = {one.euros for one in advice.tradeoffs if one.asked}
    assert at_once == advice.chosen.euros


def test_progress_weighs_its_phases_and_never_goes_back() -> None:
    reported: list[float] = []
    phases = Phases(reported.append, {"short": 1.0, "long": 9.0})
    phases.phase("short")(1.0)
    phases.phase("long")(0.5)
    phases.phase("short")(0.5)
    phases.phase("long")(2.0)
    assert reported == pytest.approx([0.1, 0.55, 0.55, 0.999])
