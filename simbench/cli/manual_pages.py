"""What the manual says of each command beside its docstring, and the headings of options. Data only.

Commands are named without the program ("dialup settle"; "" is simbench itself), options by their parameter's name.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DONE: Final = {0: "done", 2: "wrong usage or input", 3: "the machine does not give what is needed"}
JUDGED: Final = {
    0: "nothing failed",
    1: "a finding failed",
    2: "wrong usage or input",
    3: "an error, something inconclusive, or nothing judged; or the machine does not give what is needed",
}
NOTHING: Final = "None; everything goes to standard output."


class About(NamedTuple):
    """One page: more of a description, what each exit status means, files written, where to read on."""

    more: str = ""
    exits: dict[int, str] = DONE
    files: str = NOTHING
    see: tuple[str, ...] = ()


GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Under test": ("sut", "program", "capabilities", "fault", "soak", "keep_up"),
    "Address and access": (
        "host", "port", "expose", "allow", "server", "secret_file", "source_secret_file", "remote", "codes", "rates",
        "accounts", "password", "recipients", "seconds", "window", "interim", "retransmissions", "fast", "speed",
    ),
    "API and console": ("api", "console", "token_file", "tls_cert", "tls_key", "tls_ucp"),
    "Input": (
        "start", "end", "history_from", "tz", "mapping", "decisions", "probes", "traffic", "campaigns", "requests",
        "keys", "judge_from", "ledger", "acts_file", "against", "month", "statement", "clock", "ports", "sizes",
        "minutes", "busy_share", "grades", "price", "net", "vat", "domestic_gb", "prepaid", "gb", "day", "from_json",
        "trn", "text", "subscribers", "resume",
    ),
    "By what rules": (
        "contract", "contract_name", "readings", "tariff", "mode", "limit", "only", "baseline", "update_baseline",
        "last_failed", "strict", "verify", "window_days", "late_min", "forecast_until", "laws",
    ),
    "How it runs": ("seed", "workers", "replications", "way", "dask", "billed", "jobs"),
    "Output": (
        "output", "as_json", "form", "as_hex", "html", "plot", "language", "pdf", "detail", "records", "write",
        "journal", "log", "unmasked",
    ),
    "Help": ("help", "version"),
}  # fmt: skip

PAGES: Final[dict[str, About]] = {
    "": About(
        "The commands fall into four: a platform or a client put to the test (serve, conform, probe, decode), records "
        "judged afterwards (judge, report, certificate, matrix), worlds in virtual time and what they cost (run, plan, "
        "sweep, bill, forecast), and two other offers (dialup, roaming). Each has a page: simbench COMMAND --help.",
        JUDGED,
        "Only where an output folder is named, or under reports/.",
        ("docs/tutorial/first-session.md", "docs/reference/cli.md"),
    ),
    "serve": About(
        "Without a scenario there is one account for each tier, at 127.0.0.1:3024, with the password secret. What "
        "clients send is answered, metered, delivered and notified as the contract says; scenarios add outages and "
        "wire faults. The first lines say all that a client has to know.",
        {**DONE, 0: "ended by a signal, and the ledger is closed"},
        "OUTPUT, or reports/serve-DATE-TIME: run.json and Parquet files, one a table (what was read and "
        "written, and what happened). With --log the lines named there.",
        ("simbench decode", "simbench judge", "docs/guides/service.md", "docs/reference/scenario.md"),
    ),
    "list": About(
        "An exercise is a story played to a client; its purposes are what it reveals. Faults can be given to the "
        "reference client, to see its judge catch them.",
        see=("simbench explain", "simbench conform", "docs/reference/clauses.md"),
    ),
    "explain": About(
        "Each figure is marked: seed (told by the task), source (read in a document), assumption (ours, until a "
        "contract of your own confirms it).",
        see=("simbench list", "docs/reference/clauses.md", "docs/reference/contract.md"),
    ),
    "decode": About(
        exits={**DONE, 0: "every frame is sound", 1: "something is wrong with a frame"},
        see=("simbench encode", "docs/reference/ucp.md"),
    ),
    "encode": About(
        "Fields are checked as the platform checks them, and length and checksum are filled in. What it prints, "
        "simbench decode explains.",
        see=("simbench decode", "docs/reference/ucp.md"),
    ),
    "completion": About(
        "The shell then asks simbench itself for commands, options and choices.",
        see=("docs/reference/cli.md",),
    ),
    "bill": About(
        "Messages count in the month of Paris in which they were delivered, long ones by their segments. Every "
        "ambiguity of the offer that changes the total is told with its difference.",
        {**JUDGED, 1: "with --against: a row of the invoice received failed"},
        "With -o: invoices.html, invoices.json and invoice-MONTH.csv for each month.",
        ("simbench forecast", "simbench plan", "docs/guides/billing.md"),
    ),
    "forecast": About(
        "Each file is one forecast, with the day it was handed in and the messages and rates it expects.",
        JUDGED,
        see=("simbench bill", "docs/guides/billing.md"),
    ),
    "plan": About(
        "The cheapest mix that keeps the promise is proved cheapest over the tariff grid, then held against futures "
        "drawn by a seed. What cannot be done is answered with what would be needed.",
        files="With -o: report.html, plan.json, and the invoices of every month (invoices.html, invoices.json, CSV); "
        "with --from otherwise.json.",
        see=("simbench bill", "simbench sweep", "docs/guides/planning.md", "docs/reference/campaign.md"),
    ),
    "sweep": About(
        "Every point of the grid meets the same futures.",
        files="OUTPUT, or reports/sweep-NAME: sweep.parquet (a row a run) and sweep.journal (to go on from).",
        see=("simbench run", "docs/guides/planning.md"),
    ),
    "run": About(
        "What is long or plain is carried in bulk, what reacts is carried event by event; both leave the same ledger. "
        "The same scenario and seed give the same rows.",
        files="OUTPUT, or reports/run-SCENARIO-DATE-TIME: run.json and Parquet files, one a table.",
        see=("simbench report", "simbench judge", "simbench bill", "docs/reference/scenario.md"),
    ),
    "ledger": About(see=("simbench ledger pack", "docs/guides/service.md")),
    "ledger pack": About(
        "Memory is bounded by a piece of a segment. A segment is removed once its Parquet file is whole and on disk.",
        files="RUN: TABLE-NUMBER.parquet in the place of TABLE-NUMBER.arrows.",
        see=("simbench serve", "docs/reference/ledger.md"),
    ),
    "report": About(
        exits=JUDGED,
        files="OUTPUT, or RUN: report.html, data.json and findings.json; with --pdf also report.pdf.",
        see=("simbench run", "simbench judge", "docs/guides/sla.md"),
    ),
    "judge": About(
        "Of outages: availability, restoration, notices, rates. Rows that cannot be used are set aside and told.",
        JUDGED,
        "With -o: findings.json, incidents.csv; with --decisions the two of before, with --probes dispute.csv, with "
        "--forecast forecast.json; of a capture its ledger.",
        ("simbench report", "simbench conform", "docs/guides/sla.md", "docs/guides/audit.md"),
    ),
    "conform": About(
        "Each exercise starts a platform of its own on loopback, plays its story to the client, and is judged from "
        "the ledger alone. Purposes whose capability the client does not claim are unsupported.",
        {**JUDGED, 1: "a finding failed; with --strict also what is weak, inconclusive, or a deviation out of date"},
        "OUTPUT (reports/conform): findings.json, junit.xml, report.html, session.json, runs/EXERCISE/ledger, "
        "evidence/PURPOSE. An earlier session there is kept as earlier-1.",
        ("simbench list", "simbench explain", "docs/guides/test-your-client.md", "docs/guides/ci.md"),
    ),
    "probe": About(
        "Four connections for each code, one after the other. Beyond loopback real phones may ring: --remote gives "
        "leave and sets the most it may send.",
        JUDGED,
        "With -o: findings.json, and a ledger in a folder for each code.",
        ("simbench decode", "docs/guides/probe.md"),
    ),
    "matrix": About(
        "What one client passes and another fails stands in one line.",
        files="With --html the page.",
        see=("simbench conform", "docs/guides/test-your-client.md"),
    ),
    "certificate": About(
        "The page carries a digest of all it says and of the ledgers. It is no signature.",
        {**DONE, 0: "written, or verified without a difference", 1: "with --verify: something differs, and is named"},
        "OUTPUT, or certificate.html in RUN.",
        ("simbench conform", "docs/guides/ci.md"),
    ),
    "dialup": About(
        "Amounts are exact decimals in francs and euros. Dial-up has a contract file and rules of its own.",
        JUDGED,
        "Only where a command is told to write.",
        ("docs/guides/dialup.md",),
    ),
    "dialup settle": About(
        "What lies between the two published points is a reading: --tariff chooses one.",
        see=("simbench dialup ports", "docs/guides/dialup.md"),
    ),
    "dialup ports": About(
        "By Erlang's formula, and with redials by the extended one.",
        see=("simbench dialup settle", "docs/guides/dialup.md"),
    ),
    "dialup run": About(
        "A finite loss system, exact to the instant: a port is free at the instant a call ends.",
        JUDGED,
        "With -o: result.json, report.html. With --records the calls of the last month.",
        ("simbench dialup replay", "docs/guides/dialup.md", "docs/reference/scenario.md"),
    ),
    "dialup replay": About(
        "The judge counts in a way of its own and shares only data with the settlement.",
        JUDGED,
        "With -o: result.json, report.html. With --write the statement.",
        ("simbench dialup run", "simbench dialup reconcile", "docs/guides/dialup.md"),
    ),
    "dialup account": About(
        "Each request is sent until it is answered or given up; the journal has every datagram.",
        {
            **DONE,
            0: "every request was answered",
            3: "a request was given up, or the machine does not give what is needed",
        },
        "JOURNAL: a line a datagram.",
        ("simbench dialup reconcile", "docs/guides/dialup.md"),
    ),
    "dialup reconcile": About(
        "Every call that differs is named with its seconds and the reason.",
        JUDGED,
        "With -o: result.json, report.html.",
        ("simbench dialup account", "docs/guides/dialup.md"),
    ),
    "roaming": About(
        "Caps, envelopes and fair use since 15 June 2017 stand in a contract file of their own, each with its source.",
        JUDGED,
        "Only where a command is told to write.",
        ("docs/guides/roaming.md",),
    ),
    "roaming envelope": About(
        "The volume is a minimum, so octets are rounded up.",
        see=("simbench roaming table", "docs/guides/roaming.md"),
    ),
    "roaming table": About(
        "One line for each wholesale cap, with the days it holds.",
        files="With --plot an SVG picture.",
        see=("simbench roaming envelope", "docs/guides/roaming.md"),
    ),
    "roaming run": About(
        exits=JUDGED,
        files="OUTPUT: report.html, outcome.json, subscribers.parquet, days.parquet, run.json, findings.json, and "
        "billing/ with the three tables of simbench roaming judge.",
        see=("simbench roaming judge", "simbench roaming compare", "docs/guides/roaming.md"),
    ),
    "roaming compare": About(
        "The same seed draws the same travellers for each scenario.",
        see=("simbench roaming run", "docs/guides/roaming.md"),
    ),
    "roaming judge": About(
        exits=JUDGED,
        files="With -o: the findings as JSON.",
        see=("simbench roaming run", "docs/guides/roaming.md"),
    ),
}
