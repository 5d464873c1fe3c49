"""Short codes of an exercise: scripts refer to them by use and tier, and the contract gives the codes and rates.

"first" is a code for marketing at the lowest rate, "second" one at the next rate, and so on; a contract with fewer
tiers has several codes at its highest rate. "reply", "presence", "interpersonal" and "machines" are codes of those
ranges at the standard rate. EVERY_TIER stands for one code per tier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, cast, get_args

from simbench.contract import Contract
from simbench.contract.terms import Use

EVERY_TIER: Final = "every tier"
ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
REFUSING: Final = "refusing-"
"""Prefix of the names of codes at the standard rate that each refuse with their own error code."""
_REFUSING_FROM: Final = 300  # first number of these codes, if the contract's codes are long enough

Given = dict[str, tuple[str, int]]


def codes_under(names: Iterable[str], contract: Contract) -> Given:
    """Return code and rate by name, in order, without names whose range the contract does not have."""
    numbering, rates = contract.terms.numbering, sorted(contract.terms.throughput.rates)
    standard = contract.terms.throughput.default_per_s.value
    found: Given = {}
    for name in _expanded(names, len(rates)):
        use, rate, wanted = _wanted(name, rates, standard)
        prefixes = numbering.prefixes(use) or (numbering.first_for(use),) * (use == "marketing")
        if not prefixes:
            continue
        taken = {code for code, _ in found.values()}
        free = (code for code in numbering.codes_in(prefixes[0]) if code not in taken)
        size = numbering.code_digits.value - len(prefixes[0])
        code = f"{prefixes[0]}{wanted:0{size}d}"
        found[name] = (code if len(str(wanted)) <= size and code not in taken else next(free), rate)
    return found


def _expanded(names: Iterable[str], tiers: int) -> Iterator[str]:
    for name in names:
        yield from ORDINALS[:tiers] if name == EVERY_TIER else (name,)


def _wanted(name: str, rates: list[int], standard: int) -> tuple[Use, int, int]:
    """Return the use, the rate and the number that a code should have."""
    if name in ORDINALS:
        rate = rates[min(ORDINALS.index(name), len(rates) - 1)]
        return "marketing", rate, rate
    if name.startswith(REFUSING):
        return "marketing", standard, _REFUSING_FROM + int(name.removeprefix(REFUSING))
    if name not in get_args(Use):
        raise ValueError(f"no code is called {name}")
    return cast(Use, name), standard, 1
