"""`simbench dialup ports`."""

from __future__ import annotations

import click
import cloup

from simbench.base.json_files import indented
from simbench.cli.dialup.options import JSON, OFFER, TARIFF
from simbench.cli.pages import command


@command(see=("simbench dialup settle", "docs/guides/dialup.md"))
@cloup.option_group(
    "Input",
    cloup.option("--minutes", type=click.IntRange(1, 800_000_000), required=True, help="Minutes offered in a month."),
    cloup.option(
        "--busy-share", type=float, default=0.0, help="Share of a day in its busiest hour (default: profile)."
    ),
    cloup.option("--grade", "grades", type=float, multiple=True, help="Share of calls blocked; may be repeated."),
    cloup.option("--month", default="2000-09", show_default=True, help="Month whose days and hours are offered."),
)
@cloup.option_group("Contract and rules", TARIFF, OFFER)
@cloup.option_group("Output", JSON)
def ports(  # noqa: PLR0913 - one argument an option
    minutes: int, busy_share: float, grades: tuple[float, ...], tariff: str, month: str, contract: str, *, as_json: bool
) -> None:
    """Compute the ports a load needs for a grade of service, and the gain of one more port.

    The command uses Erlang's B formula, and the extended formula for callers who redial.

    \b
    Examples:
      simbench dialup ports --minutes 50000000
      simbench dialup ports --minutes 150000000 --busy-share 0.1 --grade 0.01 --json
    """
    from simbench.cli.dialup.tables import print_table, read_offer
    from simbench.dialup.dimensioning import dimension
    from simbench.dialup.erlang import GRADES
    from simbench.dialup.grid import months_named

    month = months_named(month)[0]
    found = dimension(minutes, read_offer(contract, ()), month, busy_share, grades or GRADES, tariff)
    if as_json:
        click.echo(indented(found))
        return
    print_table(
        f"{minutes:,} minutes offered in {month}: {found.erlangs:,.1f} erlangs in the busy hour "
        f"({found.busy_hour_share:.1%} of a day)",
        ("grade", "ports", "with redials", "minutes carried", "share FF", "one more port: minutes", "FF a month"),
        [
            (f"{one.grade:.3g}", f"{one.ports:,}", f"{one.ports_with_redials:,}", f"{one.minutes:,}",
             f"{one.share_ff:,}", f"{one.next_port_minutes:,}", f"{one.next_port_ff:,}")
            for one in found.grades
        ],
    )  # fmt: skip
