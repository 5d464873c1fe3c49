"""The subscriber base: whether a message to an address can be delivered, as far as this depends on the subscriber.

Look-ups never raise. Callers record changes (attach, detach, port).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from simbench.base.errors import SubscriberError
from simbench.kernels.chance import MILLION, draw, entity_of, share
from simbench.kernels.presence import back_at, presence_key
from simbench.kernels.table import Table
from simbench.numbering.addresses import key_of
from simbench.numbering.plan import Kind, Number, NumberingPlan

if TYPE_CHECKING:
    from simbench.numbering.listing import Listing

NOT_TELEPHONES_HERE = ("other-operator", "ported-out", "m2m", "unknown", "malformed", "fixed", "overseas", "foreign")
"""Kinds of numbers that the operator does not serve as a telephone."""

NOBODY = "none"  # operator of an unassigned number, in files
CACHED = 1_000_000
ELSEWHERE, ABSENT, REACHED = 1, 2, 3  # values of `reach`: not served here; served but absent; reachable

# Kinds that depend on the plan only; mobile and M2M numbers depend on the subscriber.
_BY_PLAN: dict[Kind, str] = {"malformed": "malformed", "fixed": "fixed", "overseas": "overseas", "foreign": "foreign"}
UNKNOWN, OUT, _PORTED_IN, _NEW_HOME, _ABSENT, _ROAMING = (
    entity_of("subscriber", purpose) for purpose in ("unknown", "out", "in", "new home", "absent", "roaming")
)


class Subscriber(msgspec.Struct, frozen=True, gc=False):
    """The subscriber at an address. `attached` and `roaming` are true only for the home operator's own subscribers.

    `standing` is the operator's token for a telephone served here, ported in or not; "m2m" for a machine served here;
    "ported-out" for a number of the operator's ranges served elsewhere; "unknown" if unassigned; otherwise a kind of
    the plan.
    """

    msisdn: str
    standing: str
    operator: str = ""
    attached: bool = False
    roaming: bool = False

    @property
    def fate(self) -> str:
        """The former name of `standing`, kept for one release."""
        return self.standing

    @property
    def served(self) -> bool:
        """Whether the operator serves the number as a telephone."""
        return self.standing not in NOT_TELEPHONES_HERE


class BaseProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares (0 to 1) of unlisted numbers; by default all are assigned, attached and at home.

    `share_ported_out` applies to the operator's ranges, `share_ported_in` to those of others, `share_unknown` to both,
    `share_absent` and `share_roaming` to the subscribers served here; only attached subscribers roam.
    """

    share_ported_out: float = 0.0
    share_ported_in: float = 0.0
    share_unknown: float = 0.0
    share_absent: float = 0.0
    share_roaming: float = 0.0

    def ppm(self) -> dict[str, int]:
        """Return the shares as integer millionths. Raises SubscriberError for one outside 0 to 1."""
        shares: dict[str, float] = msgspec.structs.asdict(self)
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise SubscriberError(name, str(value), "a share from 0 to 1")
        return {name: round(value * MILLION) for name, value in shares.items()}


class AbsenceDistribution(msgspec.Struct, frozen=True):
    """Absences and portings of subscribers that were neither listed nor changed, as functions of number and instant.

    `chances` and `lengths` are those of `kernels.presence`; by default every subscriber is attached. A wave is
    (instant, number per million that are ported to another operator).
    """

    chances: tuple[int, int] = (0, 0)
    lengths: tuple[int, ...] = (0,)
    waves: tuple[tuple[int, int], ...] = ()


NO_ABSENCES = AbsenceDistribution()


def wave_purpose(wave: int) -> int:
    """Return the purpose of the draws of the n-th porting wave."""
    return entity_of("subscriber", "wave", str(wave))


class SubscriberBase:
    """All possible subscribers: changed during the run, else listed in a file, else drawn from a profile.

    A drawn subscriber depends only on seed, profile and msisdn, not on the order of look-ups.
    """

    def __init__(
        self,
        plan: NumberingPlan,
        seed: int = 0,
        profile: BaseProfile | None = None,
        listing: Listing | None = None,
        law: AbsenceDistribution | None = None,
    ) -> None:
        self.plan, self._seed = plan, seed
        self.law = law
        self._presence_key = presence_key(seed)
        self._waves = [(at, wave_purpose(wave), ppm) for wave, (at, ppm) in enumerate((law or NO_ABSENCES).waves)]
        self._ppm = (profile or BaseProfile()).ppm()
        self._listing = listing
        self._changed: dict[str, Subscriber] = {}
        self._found: dict[str, Subscriber] = {}  # by address, in any notation
        self.reaches = Table()  # by the address's key, for compiled code; 0: not looked up yet
        self.version = 1  # changes with every change

    @classmethod
    def read(cls, path: Path, plan: NumberingPlan, seed: int = 0, profile: BaseProfile | None = None) -> Self:
        """Read a CSV or Parquet file (see `Listing.read`); numbers not in it follow the profile.

        Raises SubscriberError, which names file, line, value and expectation.
        """
        from simbench.numbering.listing import Listing  # noqa: PLC0415 - it loads numpy

        return cls(plan, seed, profile, Listing.read(path, plan))

    def find(self, address: str) -> Subscriber:
        """Return the subscriber at an address in any notation; repeated look-ups are cached."""
        found = self._found.get(address)
        return found if found is not None else self._seek(address)

    def reach(self, address: str) -> int:
        """Return ELSEWHERE, ABSENT or REACHED for an address, and store it in `reaches`."""
        if self.reaches.count >= CACHED:
            self.reaches.clear()
        subscriber = self._found.get(address) or self._sought(address)  # `_seek` would cache the subscriber too
        found = (REACHED if subscriber.attached else ABSENT) if subscriber.served else ELSEWHERE
        self.reaches.put(key_of(address), found)
        return found

    def put(self, subscriber: Subscriber) -> None:
        """Replace the subscriber of a number from now on."""
        number = self.plan.classify(subscriber.msisdn)
        self._changed[number.msisdn] = msgspec.structs.replace(subscriber, msisdn=number.msisdn)
        self.version += 1
        for address in self.plan.spellings(number):
            self._found.pop(address, None)
            if self.reaches.count:
                self.reaches.put(key_of(address), 0)

    def restore(self) -> list[Subscriber]:
        """Undo every change; return the affected subscribers in their original state."""
        changed, self._changed = self._changed, {}
        self._found.clear()
        self.reaches.clear()
        self.version += 1
        return [self.find(msisdn) for msisdn in changed]

    def attach(self, msisdn: str) -> None:
        """Make a subscriber reachable. Raises SubscriberError if it is not served here."""
        self.put(msgspec.structs.replace(self._served(msisdn), attached=True))

    def detach(self, msisdn: str) -> None:
        """Make a subscriber unreachable. Raises SubscriberError if it is not served here."""
        self.put(msgspec.structs.replace(self._served(msisdn), attached=False, roaming=False))

    def port(self, msisdn: str, operator: str) -> None:
        """Port a number to an operator; ported to the home operator, it is attached.
        Raises SubscriberError unless it is an assigned mobile number.
        """
        found = self.find(msisdn)
        if not found.served and found.standing not in ("other-operator", "ported-out"):
            raise SubscriberError(msisdn, f"cannot be ported: {found.standing}", "an assigned mobile number")
        self.put(self._served_by(self.plan.classify(msisdn), operator, attached=True))

    def back_at(self, subscriber: Subscriber, now: int, limit: int) -> int:
        """Return when a subscriber served here can be reached: `now` if attached.

        A value from `limit` on: not before.
        """
        if self.law is None or not self._is_drawn(subscriber) or not subscriber.attached:
            return now if subscriber.attached else limit
        law = self.law
        return back_at(self._presence_key, int(subscriber.msisdn), now, limit, law.chances, law.lengths)

    def has_left(self, subscriber: Subscriber, now: int) -> bool:
        """Return whether a subscriber neither listed nor changed was ported away in a wave by `now`."""
        return self._is_drawn(subscriber) and any(
            at <= now and share(self._seed, int(subscriber.msisdn), purpose, ppm) for at, purpose, ppm in self._waves
        )

    def _is_drawn(self, subscriber: Subscriber) -> bool:
        msisdn = subscriber.msisdn
        if subscriber.operator != self.plan.home or msisdn in self._changed:
            return False
        return self._listing is None or self._listing.find(int(msisdn)) is None

    def _served(self, msisdn: str) -> Subscriber:
        found = self.find(msisdn)
        if found.operator != self.plan.home:
            raise SubscriberError(msisdn, f"is not served here: {found.standing}", "a subscriber of the operator")
        return found

    def _sought(self, address: str) -> Subscriber:
        number = self.plan.classify(address)
        return self._changed.get(number.msisdn) or self._listed(number) or self._drawn(number)

    def _seek(self, address: str) -> Subscriber:
        found = self._sought(address)
        if len(self._found) >= CACHED:
            self._found.clear()
        self._found[address] = found
        return found

    def _listed(self, number: Number) -> Subscriber | None:
        if self._listing is None or number.kind in _BY_PLAN:
            return None
        row = self._listing.find(int(number.msisdn))
        if row is None:
            return None
        operator, state, kind = row
        return self._served_by(
            number, operator, attached=state != "off", roaming=state == "roaming", machine=kind == "m2m"
        )

    def _drawn(self, number: Number) -> Subscriber:
        standing = _BY_PLAN.get(number.kind)
        if standing is not None:
            return Subscriber(number.msisdn, standing)
        entity = int(number.msisdn)
        if not number.holder or self._is(entity, UNKNOWN, "share_unknown"):
            return self._served_by(number, NOBODY)
        operator = number.holder
        if number.kind == "mobile":
            home, away = self.plan.home, self.plan.away
            if operator == home and away and self._is(entity, OUT, "share_ported_out"):
                operator = away[(draw(self._seed, entity, _NEW_HOME) >> 32) * len(away) >> 32]
            elif operator != home and self._is(entity, _PORTED_IN, "share_ported_in"):
                operator = home
        attached = not self._is(entity, _ABSENT, "share_absent")
        return self._served_by(number, operator, attached=attached, roaming=self._is(entity, _ROAMING, "share_roaming"))

    def _is(self, entity: int, purpose: int, name: str) -> bool:
        share_ppm = self._ppm[name]
        return share_ppm > 0 and share(self._seed, entity, purpose, share_ppm)

    def _served_by(
        self, number: Number, operator: str, *, attached: bool = False, roaming: bool = False, machine: bool = False
    ) -> Subscriber:
        home = self.plan.home
        if operator == NOBODY:
            return Subscriber(number.msisdn, "unknown")
        if operator == home:
            standing = "m2m" if machine or number.kind == "m2m" else home
            return Subscriber(number.msisdn, standing, operator, attached, attached and roaming)
        return Subscriber(number.msisdn, "ported-out" if number.holder == home else "other-operator", operator)
