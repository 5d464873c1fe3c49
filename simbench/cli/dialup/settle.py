"""`simbench dialup settle`."""

from __future__ import annotations

from datetime import date

import click
import cloup
import msgspec

from simbench.base.json_files import indented
from simbench.cli.dialup.options import JSON, OFFER, READINGS, TARIFF
from simbench.cli.pages import command


@command(see=("simbench dialup ports", "docs/guides/dialup.md"))
@cloup.option_group(
    "Input",
    cloup.option("--minutes", type=int, required=True, help="Minutes of one month, a whole number."),
    cloup.option("--month", default="", help="Month whose VAT rate applies, such as 2000-09 (default: June 2000)."),
)
@cloup.option_group("Contract and rules", TARIFF, OFFER, READINGS)
@cloup.option_group("Output", JSON)
def settle(minutes: int, tariff: str, month: str, contract: str, readings: tuple[str, ...], *, as_json: bool) -> None:
    """Compute the revenue of a month of minutes: gross share before and with VAT, in francs and euros.

    The brochure gives two points of the tariff; --tariff chooses how to interpolate between them.

    \b
    Examples:
      simbench dialup settle --minutes 50000000
      simbench dialup settle --minutes 150000000 --tariff F4 --json
    """
    from simbench.cli.dialup.tables import print_table, read_offer
    from simbench.dialup.grid import last_day_of, months_named
    from simbench.dialup.settlement import JUNE_2000, settle_minutes, span

    offer = read_offer(contract, readings)
    on: date = last_day_of(months_named(month)[0], offer.calendar) if month else JUNE_2000
    settled, spanned = settle_minutes(minutes, offer, tariff, on, month), span(minutes, offer)
    function, vat = map(offer.ambiguity_id, ("tariff-function", "share-vat"))
    used = {function: settled.tariff, vat: offer.reading(vat)}
    if as_json:
        click.echo(indented({**msgspec.to_builtins(settled), "readings": used, "span": spanned}))
        return
    print_table(
        f"{minutes:,} minutes by {settled.tariff}: {offer.functions[settled.tariff].gist}",
        ("", "FF", "EUR"),
        [
            ("share before VAT", f"{settled.share_ff:,}", f"{settled.share_eur:,}"),
            (f"VAT {settled.vat_share:.1%}", f"{settled.vat_ff:,}", ""),
            ("share with VAT", f"{settled.share_ttc_ff:,}", f"{settled.share_ttc_eur:,}"),
            ("average, centimes a minute", f"{settled.average_centimes}", ""),
        ],
    )
    click.echo(f"Read as: {', '.join(f'{name} {reading}' for name, reading in used.items())}.")
    click.echo(
        f"Share over all readings of the tariff: {spanned.least_ff:,} FF ({spanned.least}) "
        f"to {spanned.most_ff:,} FF ({spanned.most})."
    )
