"""Options that several commands of `simbench judge` share."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
import cloup
import msgspec

from simbench.cli.options import OUTPUT_FOLDER, language_option
from simbench.cli.pages import option_group

_FILE: Final = click.Path(path_type=Path)


class Options(msgspec.Struct, frozen=True):
    """The options on output and contract; the others are fields of `Inputs`."""

    contract_name: str | None = None
    output: Path | None = None
    as_json: bool = False
    language: str = "en"
    pdf: bool = False
    claim: bool = False


ZONE: Final = cloup.option("--tz", metavar="ZONE", help="Time zone of times that name none, such as Europe/Paris.")
CAMPAIGNS: Final = cloup.option(
    "--campaigns", type=_FILE, help="Codes, campaigns and outages for a capture or a server's run (TOML)."
)
REQUESTS: Final = cloup.option(
    "--requests",
    type=_FILE,
    help="Messages requested from the client, for a capture or a server's run (CSV, Parquet, XLSX).",
)
MAPPING: Final = cloup.option("--map", "mapping", type=_FILE, help="Meaning of the columns (TOML).")
PERIOD: Final = option_group(
    "Period",
    cloup.option("--from", "start", metavar="TIME", help="Start of the period to judge (ISO 8601)."),
    cloup.option("--to", "end", metavar="TIME", help="End of the period to judge."),
    cloup.option("--history-from", metavar="TIME", help="Start of the time for which the file has every incident."),
)
OTHER_RECORDS: Final = option_group(
    "Other records",
    cloup.option("--decisions", type=_FILE, help="Decisions that reclassify incidents (TOML)."),
    cloup.option("--probes", type=_FILE, help="Results of the client's own probes (CSV, Parquet, XLSX)."),
    cloup.option("--traffic", type=_FILE, help="Messages of the platform (CSV, Parquet, XLSX)."),
)
METADATA: Final = option_group("Data on the traffic", CAMPAIGNS, REQUESTS)
CAPTURED: Final = option_group(
    "Capture",
    cloup.option("--keys", type=_FILE, help="Keys of the ESP associations in a capture (TOML)."),
    cloup.option(
        "--port", type=click.IntRange(1, 65535), help="Port of the SMSC in a capture, where the frames do not show it."
    ),
)
FORECAST: Final = option_group(
    "Forecast",
    cloup.option(
        "--forecast",
        "forecast_until",
        metavar="TIME",
        help="Also estimate the probability of a breach until this date.",
    ),
    cloup.option(
        "--as-of",
        "as_of",
        metavar="TIME",
        help="Make the forecast from the data known at this time (default: the period's end).",
    ),
    cloup.option(
        "--back-test",
        "back_test",
        is_flag=True,
        help="Also make the forecast from each past month, and compare it with the outcome.",
    ),
    cloup.option("--laws", type=_FILE, help="Distributions of future outages (TOML; default: fitted to the record)."),
    cloup.option(
        "--replications",
        type=click.IntRange(10, 10_000_000),
        default=10_000,
        show_default=True,
        help="Number of futures to draw.",
    ),
    cloup.option("--workers", type=click.IntRange(1, 1024), help="Number of threads (default: one for each core)."),
    cloup.option("--seed", type=int, default=1, show_default=True, help="Random seed."),
)
_FOLDER: Final = cloup.option(
    "-o", "--output", type=OUTPUT_FOLDER, help="Folder for the report, findings.json, incidents.csv and more."
)
_JSON: Final = cloup.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
OUTPUT: Final = option_group("Output", _FOLDER, _JSON)
REPORT: Final = option_group(
    "Output",
    _FOLDER,
    language_option("report of a service level"),
    cloup.option("--pdf", is_flag=True, help="With -o: also write report.pdf."),
    cloup.option("--claim", is_flag=True, help="With -o: also draft a claim for compensation (claim.md, claim.pdf)."),
    _JSON,
)
SOURCE: Final = click.Path(path_type=Path)
