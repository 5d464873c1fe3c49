"""`simbench plan`: codes and rates with cost and certainty, and the cost of past traffic under other plans."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import indented, write_octets
from simbench.cli.options import CONTRACT, OUTPUT_FOLDER, language_option
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.planning.advise import Advice
    from simbench.planning.campaign import Plan
    from simbench.planning.candidates import Candidate


@command(
    "plan",
    files=(
        "With -o: report.html, plan.json, the tables as CSV (with --xlsx also plan.xlsx), forecasts, and the invoices "
        "of every month (invoices.html, invoices.json, CSV); with --from otherwise.json; with --compare comparison.csv."
    ),
    see=("simbench bill", "simbench sweep", "docs/guides/planning.md", "docs/reference/campaign.md"),
)
@cloup.argument("campaign", required=False, metavar="[CAMPAIGN.toml]", type=click.Path(path_type=Path))
@cloup.option_group(
    "Input",
    cloup.option(
        "--from",
        "ledger",
        metavar="LEDGER",
        type=click.Path(path_type=Path),
        help="Price the traffic of this run instead, under other codes and tiers.",
    ),
    cloup.option(
        "--compare",
        multiple=True,
        metavar="FOLDER",
        type=click.Path(path_type=Path),
        help="Compare this plan, written with -o, with the others given and with that of CAMPAIGN.toml.",
    ),
)
@cloup.option_group(
    "Planning",
    cloup.option(
        "--mix",
        "mixes",
        multiple=True,
        metavar="CODE=RATE,...",
        help="Score these codes as well; may be repeated to compare several choices.",
    ),
    cloup.option("--held", metavar="CODE=RATE,...", help="Codes held already (adds to `held` of the campaign file)."),
)
@cloup.option_group(
    "Contract and rules",
    cloup.option(
        "--late-min",
        type=click.FloatRange(0),
        default=10.0,
        show_default=True,
        help="Minutes after which a message counts as late (with --from).",
    ),
    CONTRACT,
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for report, tables, invoices and JSON."),
    language_option("report and the invoices"),
    cloup.option("--xlsx", is_flag=True, help="Also write the tables as one workbook (with -o)."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of tables."),
)
def plan(**given: Any) -> int:
    """Find the short codes and tiers to buy for a campaign, with cost and certainty.

    The plan is the cheapest choice on the tariff grid that keeps the promise. It is searched in futures drawn from the
    seed and scored in others. If no plan keeps the promise, the answer names the necessary changes.

    \b
    Examples:
      simbench plan scenarios/plan/01_thursdays.toml -o reports/thursdays
      simbench plan scenarios/plan/02_small.toml --mix 34010=10,36010=20
      simbench plan --compare reports/thursdays --compare reports/fridays
      simbench plan --from reports/first --late-min 5
    """
    options = Options(**given)
    if (options.campaign is None) == (options.ledger is None) and not (options.compare and options.ledger is None):
        raise BadInput("plan", "needs a campaign file, or --from with a ledger, or --compare", "one of them")
    if options.xlsx:
        if options.output is None:
            raise BadInput("--xlsx", "names no folder", "-o as well")
        need("xlsx", "--xlsx")
    if options.ledger is not None:
        from simbench.cli.what_if import what_if_command

        return what_if_command(
            options.ledger, options.contract_name, options.output, options.late_min, as_json=options.as_json
        )
    need("plan", "simbench plan")
    if options.compare:
        return _compare(options)
    from simbench.api.planning import plain, write_advice

    plan, advice = _advised(options)
    if options.output is not None:
        write_advice(options.output, advice, plan.contract, options.language, xlsx=options.xlsx)
    if options.as_json:
        click.echo(indented(advice, plain))
    else:
        _print(advice, options.output)
    return 0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the command line."""

    campaign: Path | None
    ledger: Path | None
    compare: tuple[Path, ...]
    mixes: tuple[str, ...]
    held: str | None
    late_min: float
    contract_name: str | None
    output: Path | None
    language: str
    xlsx: bool
    as_json: bool


def _advised(options: Options) -> tuple[Plan, Advice]:
    """Return the plan of the campaign file, and the advice on it."""
    from simbench.api.planning import code_plans, plan_input
    from simbench.base.progress import Shown
    from simbench.planning.advise import advise
    from simbench.planning.own_code_plan import with_held

    assert options.campaign is not None
    plan = plan_input(options.campaign, options.contract_name, options.language)
    if options.held is not None:
        plan = with_held(plan, options.held)
    own = code_plans(plan, options.mixes)
    progress = Shown()

    def first(chosen: Candidate) -> None:
        if sys.stderr.isatty():
            price = f"{chosen.euros:,.2f} {plan.contract.terms.money.currency.value}"
            click.echo(f"first answer: {chosen.words}, {price}; now compared and confirmed", err=True)

    try:
        return plan, advise(plan, progress, first, own, where=None)
    finally:
        progress.end()


def _compare(options: Options) -> int:
    """Print plans side by side, that of the campaign file first."""
    from simbench.base.outputs import claim
    from simbench.planning.comparison import Compared, comparison, read_advice
    from simbench.tables.writer import sheet_csv, workbook

    plans = [read_advice(path) for path in options.compare]
    if options.campaign is not None:
        plans.insert(0, Compared(str(options.campaign), _advised(options)[1]))
    if len(plans) < 2:
        raise BadInput("--compare", "names one plan", "two, or a campaign file as well")
    sheet = comparison(plans)
    if options.output is not None:
        claim(options.output)
        write_octets(options.output / "comparison.csv", sheet_csv(sheet))
        if options.xlsx:
            write_octets(options.output / "comparison.xlsx", workbook([sheet]))
    if options.as_json:
        click.echo(indented({name: dict(zip(sheet.columns[1:], cells, strict=True)) for name, *cells in sheet.rows}))
        return 0
    from simbench.cli.console import console
    from simbench.cli.findings import columns

    table = columns(*sheet.columns)
    for row in sheet.rows:
        table.add_row(*(str(cell) for cell in row))
    console(180).print(table)
    return 0


def _print(advice: Advice, output: Path | None) -> None:
    from simbench.cli.console import console
    from simbench.cli.findings import columns
    from simbench.planning import wording
    from simbench.planning.orders import grouped

    out, t = console(180), wording.english(advice.currency)
    chosen = advice.chosen

    out.print(f"{advice.title}: {wording.code_plan_words(t, chosen.mix)}", style="bold")
    out.print(f"{t.money(chosen.euros)} for codes and tiers, {t.money(advice.euros_in_all)} with messages, before VAT")
    out.print(advice.verdict)
    table = columns("code plan", figures=(advice.currency, "in time", "95 % interval"))
    table.add_column("", overflow="fold")
    extra = [("yours: ", one) for one in advice.own] + ([("held: ", advice.current)] if advice.current else [])
    rows = [*(("", one) for one in advice.candidates), *extra]
    for prefix, one in sorted(rows, key=lambda row: row[1].euros):
        mine = one.score.promised
        share, interval = wording.percent(t, mine.share), wording.interval(t, mine)
        table.add_row(f"{prefix}{one.words}", f"{one.euros:,.2f}", share, interval, one.why)
    out.print(table)
    out.print(wording.confirmed(t, advice.confirmation))
    for row in advice.sensitivities:
        for _, sentence in wording.broken_by(t, row, advice.target, chosen.euros):
            out.print(sentence)
    for codes, order in grouped(advice.orders):
        if order.what == "forecast":
            continue  # named with its file below
        request = ", to be requested first" if order.request else ""
        rate = f" at {order.rate_per_s}/s" if order.rate_per_s else ""
        act = f"{order.day} {order.what} {', '.join(codes)}{rate} ({order.clause}){request}"
        out.print(f"{act}; order by {order.by}, {t.money(order.euros)}")
    for note in advice.notes:
        out.print(f"note: {note}")
    if output is not None:
        out.print(f"report: {output / 'report.html'}")
        for forecast in advice.forecasts:
            file = output / f"forecast-{forecast.issued}.toml"
            out.print(f"forecast to submit by {forecast.issued}: {file}")
