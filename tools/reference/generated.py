"""The text of the generated pages of docs/reference; `python -m tools.reference --write` writes them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click

import simbench.ledger.rows as ledger_rows
from fake_smsc.scenario import Scenario
from simbench.bench.runner.baseline import Baseline
from simbench.bench.sut.description import Description
from simbench.bench.sut.protocol import Capabilities
from simbench.billing.acts import Acts
from simbench.billing.forecast import Forecast
from simbench.capture.esp import Keys
from simbench.cli.main import cli
from simbench.cli.pages import Page, Pages
from simbench.contract import Ambiguity, Clause, Term, Terms, load_contract
from simbench.contract.engine import ContractFile
from simbench.contract.sms import SmsFile
from simbench.dialup.scenario import DialupScenario
from simbench.ledger.rows import ORDINAL, TABLES
from simbench.planning.campaign import CampaignPlan
from simbench.planning.study import Study
from simbench.roaming.scenario import RoamingScenario
from simbench.service.serving import build
from simbench.service.settings import ServiceSettings
from simbench.simulation.scenario import WorldScenario
from simbench.sla.imports import outages, probed, traffic
from simbench.sla.imports.campaigns import Campaigns
from simbench.sla.imports.decisions import Decision
from simbench.tables.columns import Columns, MappingFile
from tests.service.stage import staged
from tools.reference import clauses, faults, python, rules, strictness, ucp
from tools.reference.keys import groups_of, keys_of, split, table, words

PLACE: Final = Path(__file__).parents[2] / "docs" / "reference"
NOTE: Final = "\nThis page is written by `python -m tools.reference --write`.\n\n"
WIDTH: Final = 100
KEYS: Final = (
    "Unknown keys are refused. A key without a default may be left out and is then empty or unset. "
    "Shares are numbers from 0 to 1."
)


def tree(
    command: click.Command, parent: click.Context | None = None, name: str = "simbench"
) -> Iterator[click.Context]:
    """A context for every command, with its full name."""
    settings = {**command.context_settings, "max_content_width": WIDTH}  # as when it is run
    context = command.context_class(command, parent, name, terminal_width=WIDTH, **settings)
    yield context
    for below, each in sorted(command.commands.items()) if isinstance(command, click.Group) else ():
        yield from tree(each, context, below)


def commands() -> str:
    pages = (f"## {each.command_path}\n\n```text\n{each.command.get_help(each)}\n```\n" for each in tree(cli))
    return "# Commands\n" + NOTE + "What `simbench COMMAND --help` says.\n\n" + "\n".join(pages)


def exit_status() -> str:
    head = """# Exit status

| status | meaning |
|---|---|
| 0 | done; nothing failed (weak findings are no failures) |
| 1 | at least one finding failed, or a check that the table below names |
| 2 | wrong usage or wrong input; one line names the place, the problem and what was expected |
| 3 | no failure, but an error, an inconclusive finding, or nothing judged; or the machine lacks a resource |

A resource is, for example, a free port, disk space or an optional package.

## By command

"""
    rows = [
        (f"`{each.command_path}`", *(each.command.exits.get(status, "") for status in range(4)))
        for each in tree(cli)
        if isinstance(each.command, Page | Pages)
    ]
    return head.replace("\n\n|", "\n" + NOTE + "|", 1) + table(("command", "0", "1", "2", "3"), rows[1:])


def ledger() -> str:
    source = Path(ledger_rows.__file__).read_text("utf-8")
    parts = [
        "# The ledger\n"
        + NOTE
        + words(ledger_rows)
        + "\n\nRun `simbench judge` on a folder, or open its Parquet files with any Parquet reader."
    ]
    for name, each in TABLES.items():
        comment = re.search(
            rf"((?:^# .*\n)+)(?:^[A-Z_]+ = .*\n|^    .*\n|^\).*\n)*^{name.upper()} = _table", source, re.MULTILINE
        )
        text = " ".join(line.removeprefix("# ") for line in comment[1].splitlines()) if comment else ""
        rows = [(f"`{c.name}`", c.type, "may be empty" if c.nullable else "") for c in (*each.columns, ORDINAL)]
        parts.append(f"## `{name}`\n\n{_as_text(text)}\n\n{table(('column', 'type', ''), rows)}")
    return "\n\n".join(parts)


def _as_text(comment: str) -> str:
    return re.sub(r"([<>|*_])", r"\\\1", comment) if "`" not in comment else comment


def contract() -> str:
    held = load_contract()
    rows = [
        (f"`{name}`", str(term.value), term.unit, term.status, f"[{term.clause}](clauses.md)", term.note or term.source)
        for name, term in held.terms.by_name().items()
    ]
    readings = [
        (key, each.question, ", ".join(f"`{name}`" for name in each.readings), f"`{held.reading(key)}`", each.status)
        for key, each in held.ambiguities.items()
    ]
    return (
        "# Contract files\n" + NOTE + "The contract is data: `simbench/contracts/orange_ops_2016.toml`. A file of your "
        "own changes it with `extends = \"orange_ops_2016\"`, a `title`, and the tables that differ; "
        "pass it as `--contract mine.toml`. Unknown keys are refused.\n\n"
        "A source such as B:137 is a line of the operator's brochure of October 2016, which is not part of this "
        "project; \"EMI-UCP 4.0, 5.2\" is a section of the protocol's specification.\n\n"
        "## Keys at the top\n\n" + words(SmsFile) + "\n\n" + words(ContractFile) + "\n\n"
        "## Groups of terms\n\n" + groups_of(Terms) + "\n"
        "## Keys of a term `[terms.GROUP.NAME]`\n\n"
        + keys_of(Term[Any], "terms.GROUP.NAME") + "\n## Keys of a clause\n\n" + keys_of(Clause, "clauses.NAME")
        + "\n## Keys of an ambiguity\n\n" + keys_of(Ambiguity, "ambiguities.NAME")
        + "\n## Every term\n\n" + table(("term", "value", "unit", "status", "clause", "note"), rows)
        + "\n## Every ambiguity\n\n" + table(("key", "question", "readings", "read as", "status"), readings)
    )  # fmt: skip


def demo_contract() -> str:
    held = load_contract("demo_telecom")
    figures = [
        (f"`{name}`", str(term.value), term.unit, term.status, term.clause, term.source or term.note)
        for name, term in held.terms.by_name().items()
    ]
    readings = [(key, each.question, f"`{held.reading(key)}`", each.status) for key, each in held.ambiguities.items()]
    clauses = [
        (
            name,
            clause.gist,
            ", ".join(clause.bound),
            ", ".join(f"`{one}`" for one in clause.verified_by) or clause.not_verified,
        )
        for name, clause in held.clauses.items()
    ]
    return (
        f"# {held.title}\n" + NOTE + "An operator that does not exist, as an example of a whole contract: "
        "`simbench/contracts/demo_telecom.toml`. [Write your operator's contract](../guides/contract.md).\n\n"
        "## Clauses\n\n" + table(("clause", "sentence", "binds", "verified by"), clauses)
        + "\n## Figures\n\n" + table(("term", "value", "unit", "status", "clause", "origin"), figures)
        + "\n## Readings\n\n" + table(("key", "question", "read as", "status"), readings)
    )  # fmt: skip


def _files(title: str, head: str, *files: tuple[str, type[Any]]) -> Callable[[], str]:
    def page() -> str:
        parts = (f"## {heading}\n\n{keys_of(struct)}" for heading, struct in files)
        return f"# {title}\n{NOTE}{head} {KEYS}\n\n" + "\n".join(parts)

    return page


CELLS: Final = {
    "instant": "time", "text": "text", "note": "text", "truth": "true or false", "number": "number"
}  # fmt: skip


def campaign() -> str:
    page = _files(
        "Plans, studies, and context for a record", "Files for `plan`, `sweep`, `bill`, `forecast` and `judge`; "
        "see [planning](../guides/planning.md), [bills](../guides/billing.md) and [captures](../guides/audit.md).",
        ("A campaign to plan: `simbench plan`", CampaignPlan), ("A study: `simbench sweep`", Study),
        ("Events of the contract: `simbench bill --acts`", Acts), ("A forecast: `simbench forecast`", Forecast),
        ("Context for a capture: `simbench judge --campaigns`", Campaigns), ("ESP keys: `simbench judge --keys`", Keys),
        ("A decision: `[[decisions]]` of `simbench judge --decisions`", Decision),
    )()  # fmt: skip
    parts = [
        page,
        f"## Columns of a table: `simbench judge --map`\n\n{words(MappingFile)} "
        "Its tables are `[outages]`, `[traffic]` and `[probes]`, all with the same keys.\n",
        keys_of(Columns, "outages"),
        "### The columns of each table\n\nThese names are the keys of `columns`, `values` and `defaults`.\n",
    ]
    for name, module in (("outages", outages), ("traffic", traffic), ("probes", probed)):
        _, meanings = split(words(module), module.COLUMNS)
        needed = getattr(module, "NEEDED", module.COLUMNS)
        rows = [
            (f"`{column}`", CELLS[kind], "**required**" if column in needed else "", meanings[column])
            for column, kind in module.KINDS.items()
        ]
        parts.append(f"`[{name}]`\n\n{table(('column', 'content', '', 'meaning'), rows)}")
    return "\n".join(parts)


async def _document() -> dict[str, Any]:
    async with staged(ServiceSettings()) as stage:
        return build(stage.platform).openapi()


def api() -> str:
    document = asyncio.run(_document())
    paths = document["paths"]
    parts = [
        "# Control API\n"
        + NOTE
        + "The API of `simbench serve --api 8080`. Its OpenAPI document is at `/openapi.json`, rendered at "
        "`/docs`. How to use it: [the bench as a service](../guides/service.md).\n"
    ]
    for path, methods in paths.items():
        for method, each in methods.items():
            rows = [(f"`{p['name']}`", p["in"], "yes" if p.get("required") else "") for p in each.get("parameters", ())]
            text = " ".join(each.get("description", each.get("summary", "")).split())
            body = _body(each)
            parts.append(f"## `{method.upper()} {path}`\n\n{text}\n")
            parts.append(table(("parameter", "in", "required"), rows) if rows else "")
            parts.append(f"Body: {body}.\n" if body else "")
            parts.append(f"Answers: {', '.join(sorted(each['responses']))}.\n")
    parts.append("## Records\n\nThe types of request and response bodies.\n")
    for name, schema in document["components"]["schemas"].items():
        needed = set(schema.get("required", ()))
        rows = [
            (f"`{key}`", _form(form), "yes" if key in needed else "")
            for key, form in schema.get("properties", {}).items()
        ]
        parts.append(f"### `{name}`\n\n{' '.join(schema.get('description', '').split())}\n")
        parts.append(table(("key", "form", "required"), rows) if rows else "")
    return "\n".join(part for part in parts if part)


def _form(form: dict[str, Any]) -> str:
    """A JSON schema in words."""
    if "$ref" in form:
        return f"`{form['$ref'].rpartition('/')[2]}`"
    if "anyOf" in form:
        return " or ".join(map(_form, form["anyOf"]))
    if form.get("type") == "array":
        return f"list of {_form(form.get('items', {}))}"
    choices = form.get("enum") or ([form["const"]] if "const" in form else [])
    return ", ".join(f"`{choice}`" for choice in choices) or str(form.get("type", "any"))


def _body(operation: dict[str, Any]) -> str:
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        return f"`{content['schema'].get('$ref', kind).rpartition('/')[2]}`"
    return ""


PAGES_OF: Final[dict[str, Callable[[], str]]] = {
    "cli.md": commands,
    "exit-status.md": exit_status,
    "ledger.md": ledger,
    "contract.md": contract,
    "contract-demo.md": demo_contract,
    "scenario.md": _files(
        "Scenario files", "See the commented examples in `scenarios/`.",
        ("A live platform: `simbench serve`", Scenario), ("A simulation: `simbench run`", WorldScenario),
        ("Dial-up: `simbench dialup run`", DialupScenario), ("Roaming: `simbench roaming run`", RoamingScenario),
    ),
    "capabilities.md": _files(
        "Clients under test", "Files for `--sut`, `--capabilities` and `--baseline`; see "
        "[Test your client](../guides/test-your-client.md).",
        ("A client: `--sut my-client.toml`", Description), ("Capabilities: `--capabilities caps.toml`", Capabilities),
        ("Known deviations: `--baseline known.toml`", Baseline),
    ),
    "campaign.md": campaign,
    "api.md": api,
    "rules.md": lambda: rules.page(NOTE),
    "clauses.md": clauses.page,
    "strictness.md": strictness.page,
    "faults.md": faults.page,
    "ucp.md": ucp.page,
    "python.md": python.page,
}  # fmt: skip
