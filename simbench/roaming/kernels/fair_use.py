"""Fair use and rating of roaming subscribers: one loop over subscriber-days.

Units: octets, seconds, SMS, days since the start of the run; money in nano-euros (10^-9 euro), so that a kilobyte has
an integer price at any cap. The caller truncates prices per second to whole nano-euros.

The state of a day is decided at its start from the window of the days before it: NORMAL becomes ALERTED if both
presence and consumption abroad prevail in a full window; ALERTED becomes SURCHARGED if they still do `alert_days`
later; both return to NORMAL on the first day they no longer do. The day is then rated under its state and added to
the window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simbench.kernels.jit import kernel

AT_HOME, ABROAD = 1, 2  # bits of a day's place: logged on to the home network, to a visited one
NORMAL, ALERTED, SURCHARGED, EXCUSED = 0, 1, 2, 3
STATES = ("normal", "alerted", "surcharged", "excused")
UNLIMITED = 1 << 60  # nano-euros, above any amount spent

COLUMNS = (
    "home_octets", "roam_octets", "included_octets", "blocked_octets", "roam_days", "home_voice_s", "roam_voice_s",
    "home_sms", "roam_sms", "overage_neur", "data_surcharge_neur", "voice_surcharge_neur", "sms_surcharge_neur",
    "wholesale_neur", "alerted_days", "surcharged_days", "excused_days", "alerts", "surcharges", "periods_exhausted",
    "periods_warned", "periods_at_limit", "first_alert_day", "first_surcharge_day",
)  # fmt: skip
"""The columns of totals by subscriber; the last two are -1 if the event never happened."""

(
    HOME_OCTETS, ROAM_OCTETS, INCLUDED, BLOCKED, ROAM_DAYS, HOME_VOICE, ROAM_VOICE, HOME_SMS, ROAM_SMS, OVERAGE,
    DATA_SURCHARGE, VOICE_SURCHARGE, SMS_SURCHARGE, WHOLESALE, ALERTED_DAYS, SURCHARGED_DAYS, EXCUSED_DAYS, ALERTS,
    SURCHARGES, EXHAUSTED, WARNED, LIMITED, FIRST_ALERT, FIRST_SURCHARGE,
) = range(len(COLUMNS))  # fmt: skip


class Rules(NamedTuple):
    """The rules for all subscribers: fair use policy, spending limit, counting of data."""

    window_days: int
    prevail_permille: int
    alert_days: int
    home_logon_counts: bool
    enforced: bool  # False: no alerts or surcharges
    linked_sims: bool  # the window continues when a customer takes another SIM
    limit_neur: int
    warning_neur: int
    data_step_octets: int
    voice_first_s: int
    voice_step_s: int


class Days(NamedTuple):
    """The properties of each day: billing period, retail prices and wholesale costs in nano-euros."""

    period: np.ndarray
    data_price: np.ndarray
    voice_price: np.ndarray
    sms_price: np.ndarray
    data_cost: np.ndarray
    voice_cost: np.ndarray
    sms_cost: np.ndarray


class Who(NamedTuple):
    """Subscribers: profile, plan, whether excused, whether spending exceeds the limit, periods per SIM (0: all)."""

    profile: np.ndarray
    plan: np.ndarray
    excused: np.ndarray
    consents: np.ndarray
    sim_periods: np.ndarray


class Use(NamedTuple):
    """The use of each subscriber on each day: arrays of (subscribers, days). Calls of a day are all `call_s` long."""

    place: np.ndarray
    home_octets: np.ndarray
    roam_octets: np.ndarray
    calls: np.ndarray
    call_s: np.ndarray
    sms: np.ndarray


class Outcome(NamedTuple):
    """The result: `totals` (subscribers, COLUMNS), `by_day` (profiles, STATES, days), and day by day.

    The last four are (subscribers, days), or (0, 0) if not wanted.
    """

    totals: np.ndarray
    by_day: np.ndarray
    state: np.ndarray
    served: np.ndarray
    charged_kb: np.ndarray
    signs: np.ndarray


class Demand(NamedTuple):
    """One day abroad to rate: the requested use, octets of the envelope, and the applicable rules."""

    octets: int
    seconds: int
    sms: int
    envelope: int
    surcharged: bool
    consents: bool


class Window(NamedTuple):
    """The last days of a subscriber as a ring, and their sums, with the indices below."""

    presence: np.ndarray
    home: np.ndarray
    roam: np.ndarray
    sums: np.ndarray


DAYS_HOME, DAYS_ROAM, OCTETS_HOME, OCTETS_ROAM, SEEN, SLOT = range(6)
USED, SPENT, NOTIFIED = range(3)  # indices in a subscriber's billing period: octets, nano-euros, notifications sent
EXHAUSTED_SIGN, WARNED_SIGN, LIMIT_SIGN = 1, 2, 4  # notices: envelope used up, near the limit, at the limit


def prevails(abroad: int, home: int, permille: int) -> bool:
    """Tell whether more than the share of a total was abroad; false if the total is zero."""
    return abroad * 1000 > permille * (abroad + home)


def next_state(state: int, prevailing: bool, waited_days: int, alert_days: int) -> int:
    """Return the state of a day from the previous state and the window (Regulation 2016/2286 art. 4 and 5)."""
    if not prevailing:
        return NORMAL
    if state == NORMAL:
        return ALERTED
    if state == ALERTED and waited_days >= alert_days:
        return SURCHARGED
    return state


def steps(amount: int, step: int) -> int:
    """Return the number of steps begun by an amount, such as kilobytes of octets."""
    return (amount + step - 1) // step


def billed_s(seconds: int, first_s: int, step_s: int) -> int:
    """Return the billed seconds of one call: the complete first interval, then steps; an unanswered call is free."""
    if seconds <= 0:
        return 0
    if seconds <= first_s:
        return first_s
    return first_s + steps(seconds - first_s, step_s) * step_s


def affordable(kilobytes: int, price: int, room: int) -> int:
    """Return how many of the requested kilobytes the remaining amount allows."""
    return kilobytes if kilobytes * price <= room else room // price


def prevailing_in(window: Window, rules: Rules) -> bool:
    """Tell whether both indicators prevail in a full window."""
    sums, share = window.sums, rules.prevail_permille
    return (
        sums[SEEN] >= rules.window_days
        and prevails(sums[DAYS_ROAM], sums[DAYS_HOME], share)
        and prevails(sums[OCTETS_ROAM], sums[OCTETS_HOME], share)
    )


def clear(window: Window) -> None:
    """Empty the window."""
    window.presence[:] = 0
    window.home[:] = 0
    window.roam[:] = 0
    window.sums[:] = 0


def push(window: Window, presence: int, home: int, roam: int) -> None:
    """Add a day to the window and remove the oldest (zeros until the window is full)."""
    sums = window.sums
    slot = sums[SLOT]
    was = window.presence[slot]
    sums[DAYS_HOME] += int(presence == AT_HOME) - int(was == AT_HOME)
    sums[DAYS_ROAM] += int(presence == ABROAD) - int(was == ABROAD)
    sums[OCTETS_HOME] += home - window.home[slot]
    sums[OCTETS_ROAM] += roam - window.roam[slot]
    window.presence[slot], window.home[slot], window.roam[slot] = presence, home, roam
    sums[SLOT] = slot + 1 if slot + 1 < len(window.presence) else 0
    sums[SEEN] += 1


def presence_of(place: int, home_logon_counts: bool) -> int:
    """Return how a day counts: any log-on at home makes it a day at home; a silent day is not counted."""
    if place == AT_HOME + ABROAD:
        return AT_HOME if home_logon_counts else ABROAD
    return place


def rate_data(wanted: int, free: int, price: int, room: int, step: int) -> tuple[int, int, int]:
    """Serve one day's roaming data: octets served, octets of them included, kilobytes charged.

    `free` octets of the envelope are left, and exactly `room` nano-euros may still be spent.
    """
    included = min(wanted, free)
    charged = affordable(steps(wanted - included, step), price, room)
    return included + min(wanted - included, charged * step), included, charged


def signs_of(rules: Rules, period: np.ndarray, beyond: bool, blocked: bool) -> int:
    """Return the notices due on a day, each once per period: envelope used up, warning, limit reached."""
    signs = EXHAUSTED_SIGN if beyond else 0
    if blocked or period[SPENT] >= rules.warning_neur:
        signs |= WARNED_SIGN
    if blocked or period[SPENT] >= rules.limit_neur:
        signs |= LIMIT_SIGN
    signs &= ~int(period[NOTIFIED])
    period[NOTIFIED] |= signs
    return signs


def move(totals: np.ndarray, before: int, state: int, day: int) -> None:
    """Count an alert or a surcharge at its start."""
    if before == NORMAL and state == ALERTED:
        totals[ALERTS] += 1
        if totals[FIRST_ALERT] < 0:
            totals[FIRST_ALERT] = day
    elif before == ALERTED and state == SURCHARGED:
        totals[SURCHARGES] += 1
        if totals[FIRST_SURCHARGE] < 0:
            totals[FIRST_SURCHARGE] = day


def rate(
    rules: Rules, days: Days, day: int, period: np.ndarray, totals: np.ndarray, demand: Demand
) -> tuple[int, int, int]:
    """Rate one day abroad: octets served, kilobytes charged, signs given."""
    step, price = rules.data_step_octets, days.data_price[day]
    room = UNLIMITED if demand.consents else rules.limit_neur - period[SPENT]
    free = 0 if demand.surcharged else max(demand.envelope - period[USED], 0)
    served, included, charged = rate_data(demand.octets, free, price, room, step)
    period[USED] += included
    period[SPENT] += charged * price
    signs = signs_of(rules, period, not demand.surcharged and demand.octets > included, served < demand.octets)
    totals[ROAM_OCTETS] += served
    totals[INCLUDED] += included
    totals[BLOCKED] += demand.octets - served
    totals[ROAM_DAYS] += 1
    totals[ROAM_VOICE] += demand.seconds
    totals[ROAM_SMS] += demand.sms
    if demand.surcharged:
        totals[DATA_SURCHARGE] += charged * price
        totals[VOICE_SURCHARGE] += demand.seconds * days.voice_price[day]
        totals[SMS_SURCHARGE] += demand.sms * days.sms_price[day]
    else:
        totals[OVERAGE] += charged * price
    totals[WHOLESALE] += (
        steps(served, step) * days.data_cost[day]
        + demand.seconds * days.voice_cost[day]
        + demand.sms * days.sms_cost[day]
    )
    totals[EXHAUSTED] += signs & EXHAUSTED_SIGN != 0
    totals[WARNED] += signs & WARNED_SIGN != 0
    totals[LIMITED] += signs & LIMIT_SIGN != 0
    return served, charged, signs


@kernel
def follow(rules: Rules, days: Days, who: Who, use: Use, envelopes: np.ndarray, outcome: Outcome) -> int:
    """Follow every subscriber through every day; `envelopes` is octets by (plan, period). Gives the subscriber-days.

    `outcome` is filled in; its arrays of days are written only where they have rows.
    """
    subscribers, length = use.place.shape
    size = rules.window_days
    window = Window(np.zeros(size, np.int8), np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(6, np.int64))
    period = np.zeros(3, np.int64)
    for one in range(subscribers):
        totals = outcome.totals[one]
        totals[FIRST_ALERT] = totals[FIRST_SURCHARGE] = -1
        clear(window)
        state, alerted_on, current = NORMAL, 0, -1
        for day in range(length):
            if days.period[day] != current:
                current = days.period[day]
                period[:] = 0
                sims = who.sim_periods[one]
                if sims > 0 and current % sims == 0 and not rules.linked_sims:
                    state = NORMAL
                    clear(window)
            prevailing = rules.enforced and prevailing_in(window, rules)
            shown, before = EXCUSED, state
            if not (prevailing and who.excused[one]):
                state = shown = next_state(state, prevailing, day - alerted_on, rules.alert_days)
            if before == NORMAL and state == ALERTED:
                alerted_on = day
            move(totals, before, state, day)
            outcome.by_day[who.profile[one], shown, day] += 1
            if shown > NORMAL:
                totals[ALERTED_DAYS - 1 + shown] += 1

            place, home, sms = use.place[one, day], use.home_octets[one, day], use.sms[one, day]
            calls, call_s = use.calls[one, day], use.call_s[one, day]
            totals[HOME_OCTETS] += home
            served = charged = signs = 0
            if place & ABROAD:
                octets = use.roam_octets[one, day]
                envelope = envelopes[who.plan[one], current]
                seconds = calls * billed_s(call_s, rules.voice_first_s, rules.voice_step_s)
                demand = Demand(octets, seconds, sms, envelope, state == SURCHARGED, who.consents[one])
                served, charged, signs = rate(rules, days, day, period, totals, demand)
            else:
                totals[HOME_VOICE] += calls * call_s
                totals[HOME_SMS] += sms
            push(window, presence_of(place, rules.home_logon_counts), home, served)
            if len(outcome.state):
                outcome.state[one, day], outcome.served[one, day] = shown, served
                outcome.charged_kb[one, day], outcome.signs[one, day] = charged, signs
    return int(subscribers * length)
