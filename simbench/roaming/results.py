"""The results of a run: tables by profile and by day, summed in nano-euros, as JSON and Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np

from simbench.base.json_files import write_json
from simbench.base.outputs import claim, replacing
from simbench.roaming.contract import RoamingContract
from simbench.roaming.envelope import net_price
from simbench.roaming.kernels.fair_use import COLUMNS, STATES
from simbench.roaming.population import NEUR, Followed
from simbench.roaming.scenario import RoamingScenario, plan_of

OUTCOME, SUBSCRIBERS, DAYS = "outcome.json", "subscribers.parquet", "days.parquet"
ALL = "all"
GIGABYTE = 10**9


class Row(msgspec.Struct, frozen=True):
    """The result of the subscribers of one profile over the whole run; money in euros before VAT.

    `margin_eur` is the home operator's income from plans and roaming charges less payments to the visited networks; the
    cost of its own network is not included. `losing` are subscribers with a margin below zero.
    """

    profile: str
    subscribers: int
    roam_gb: float
    roam_days: int
    blocked_gb: float
    exceeded: int
    alerted: int
    surcharged: int
    excused: int
    at_limit: int
    paying: int
    plan_eur: float
    overage_eur: float
    surcharge_eur: float
    wholesale_eur: float
    margin_eur: float
    losing: int


class Summary(msgspec.Struct, frozen=True):
    """The figures of a run: a row per profile, the last for all, and the numbers of subscribers by state and day."""

    scenario: str
    title: str
    starts: str
    days: int
    subscribers: int
    rows: tuple[Row, ...]
    states: dict[str, list[int]]

    @property
    def total(self) -> Row:
        """The row of all subscribers."""
        return self.rows[-1]


def summary_of(scenario: RoamingScenario, contract: RoamingContract, followed: Followed) -> Summary:
    """Add up the results of all subscribers."""
    periods = len(scenario.period_starts())
    prices = [
        int(net_price(plan_of(config, contract, scenario.population.starts)) * NEUR) * periods
        for config in scenario.plans.values()
    ]
    names = list(scenario.plans)
    plan = np.array([prices[names.index(profile.plan)] for profile in scenario.profiles.values()])[followed.profile]
    rows = [
        _row(name, followed.totals[chosen], plan[chosen])
        for place, name in enumerate(scenario.profiles)
        if (chosen := followed.profile == place).any()
    ]
    by_state = followed.by_day.sum(axis=0)
    return Summary(
        scenario=scenario.name,
        title=scenario.title,
        starts=str(scenario.population.starts),
        days=scenario.population.days,
        subscribers=len(plan),
        rows=(*rows, _row(ALL, followed.totals, plan)),
        states={state: by_state[place].tolist() for place, state in enumerate(STATES)},
    )


def _row(name: str, totals: np.ndarray, plan: np.ndarray) -> Row:
    column = {title: totals[:, place] for place, title in enumerate(COLUMNS)}
    surcharge = column["data_surcharge_neur"] + column["voice_surcharge_neur"] + column["sms_surcharge_neur"]
    charges = column["overage_neur"] + surcharge
    margin = plan + charges - column["wholesale_neur"]
    return Row(
        profile=name,
        subscribers=len(plan),
        roam_gb=int(column["roam_octets"].sum()) / GIGABYTE,
        roam_days=int(column["roam_days"].sum()),
        blocked_gb=int(column["blocked_octets"].sum()) / GIGABYTE,
        exceeded=_some(column["periods_exhausted"]),
        alerted=_some(column["alerts"]),
        surcharged=_some(column["surcharges"]),
        excused=_some(column["excused_days"]),
        at_limit=_some(column["periods_at_limit"]),
        paying=_some(charges),
        plan_eur=_euros(plan),
        overage_eur=_euros(column["overage_neur"]),
        surcharge_eur=_euros(surcharge),
        wholesale_eur=_euros(column["wholesale_neur"]),
        margin_eur=_euros(margin),
        losing=int((margin < 0).sum()),
    )


def _some(values: np.ndarray) -> int:
    return int((values > 0).sum())


def _euros(neur: np.ndarray) -> float:
    return int(neur.sum()) / NEUR


class Change(msgspec.Struct, frozen=True):
    """The difference between a scenario and the first one, for all subscribers; money per subscriber before VAT."""

    scenario: str
    title: str
    subscribers: int
    exceeded_share: float
    alerted_share: float
    surcharged_share: float
    roam_gb_each: float
    charges_eur_each: float
    wholesale_eur_each: float
    margin_eur_each: float
    losing_share: float
    margin_change_eur_each: float


def changes(summaries: Iterable[Summary]) -> list[Change]:
    """Return one line per scenario; the first is compared with itself."""
    found: list[Change] = []
    for summary in summaries:
        row = summary.total
        size, margin = row.subscribers, row.margin_eur / row.subscribers
        found.append(
            Change(
                scenario=summary.scenario,
                title=summary.title,
                subscribers=size,
                exceeded_share=row.exceeded / size,
                alerted_share=row.alerted / size,
                surcharged_share=row.surcharged / size,
                roam_gb_each=row.roam_gb / size,
                charges_eur_each=(row.overage_eur + row.surcharge_eur) / size,
                wholesale_eur_each=row.wholesale_eur / size,
                margin_eur_each=margin,
                losing_share=row.losing / size,
                margin_change_eur_each=margin - (found[0].margin_eur_each if found else margin),
            )
        )
    return found


def write_tables(folder: Path, scenario: RoamingScenario, followed: Followed, summary: Summary) -> None:
    """Write outcome.json, subscribers.parquet (a row per subscriber) and days.parquet (a row per day, profile, state).

    Raises the errors of `outputs.claim`.
    """
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load, and only files need it
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    profiles = list(scenario.profiles)
    names = pa.DictionaryArray.from_arrays(pa.array(followed.profile), pa.array(profiles))
    columns = {"subscriber": np.arange(len(followed.profile)), "profile": names}
    columns |= {name: followed.totals[:, place] for place, name in enumerate(COLUMNS)}
    claim(folder)
    write_json(folder / OUTCOME, summary)
    for name, table in {SUBSCRIBERS: pa.table(columns), DAYS: _days_table(scenario, followed, profiles)}.items():
        with replacing(folder / name) as part:
            pq.write_table(table, part, compression="zstd")


def _days_table(scenario: RoamingScenario, followed: Followed, profiles: list[str]) -> object:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load, and only files need it

    length = scenario.population.days
    days = [scenario.population.starts + timedelta(days=day) for day in range(length)]
    kinds = [(profile, state) for profile in profiles for state in STATES]
    return pa.table(
        {
            "day": pa.array(days * len(kinds), pa.date32()),
            "profile": np.repeat([profile for profile, _ in kinds], length),
            "state": np.repeat([state for _, state in kinds], length),
            "subscribers": followed.by_day.reshape(-1),
        }
    )
