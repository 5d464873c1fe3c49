"""`simbench conform --explain`: exercises before they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simbench.base.json_files import indented
from simbench.reporting.format import quantity

if TYPE_CHECKING:
    from simbench.bench.runner.explained import Explained
    from simbench.bench.runner.options import SessionOptions


def explain_exercises(wanted: SessionOptions, *, as_json: bool) -> int:
    """Print the steps of the selected exercises; without a client, for one with all capabilities."""
    from simbench.bench.runner.explained import as_json as built
    from simbench.bench.runner.explained import explained
    from simbench.bench.runner.options import plan_of
    from simbench.bench.runner.rehearsal import Nobody
    from simbench.bench.sut.protocol import reach_of
    from simbench.bench.sut.registry import EVERYTHING

    own = None if wanted.sut else lambda: Nobody(EVERYTHING)
    plan = plan_of(wanted, Path(), own)
    client = plan.make()
    found = explained(plan.chosen, plan.contract, client.capabilities, reach_of(client))
    click.echo(indented(built(found)) if as_json else "\n\n".join("\n".join(_lines(one)) for one in found))
    return 0


def _lines(one: Explained) -> Iterator[str]:
    yield f"{one.exercise}: {one.title}"
    alone = "; apart from exercises that measure no rate" if one.alone else ""
    yield f"  takes     about {one.seconds:.0f} s with the reference client, at most {one.limit_s:.0f} s{alone}"
    clock = f"from {one.begins} on, " if one.begins else ""
    yield f"  clock     {clock}{f'{one.speed:g} times as fast as the machine' if one.speed != 1 else 'at normal speed'}"
    codes = ", ".join(f"{code} at {rate}/s" for code, rate in one.codes.items())
    yield f"  platform  {codes}; meter: {one.meter}"
    yield f"  client    keepalive after {one.keepalive_s} s, result timer {one.result_timer_s} s"
    yield from _listed("needs", one.needs)
    yield "  steps     (seconds of the script; waits for the client not counted)"
    for at_s, (first, *more) in one.steps:
        yield f"    {at_s:>8.1f}  {first}"
        yield from (f"    {'':8}  {line}" for line in more)
    yield "  judged"
    for judged in one.judged:
        yield f"    {judged.clause}  {judged.purpose}"
        yield f"        {judged.expected}"
        if judged.limit is not None:
            yield f"        limit: {quantity(judged.limit, judged.unit)}"
        if judged.assumed:
            yield f"        depends on assumptions: {', '.join(judged.assumed)}"
        yield from (f"        figure of the clause: {figure}" for figure in judged.figures)
        if judged.unsupported:
            yield f"        unsupported: {judged.unsupported}"


def _listed(heading: str, lines: tuple[str, ...]) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield f"  {'' if place else heading:<9} {line}"
