"""The steps of an exercise in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from fake_smsc.server.control import Control
from simbench.base.text import count
from simbench.bench.exercises.steps import Act, Pause, Requests, Step, Until, Wait
from simbench.client.messages import Outgoing
from simbench.numbering.subscribers import Subscriber

SHOWN: Final = 48  # characters of a text
KINDS: Final = 12  # kinds of message of one step that are listed


def in_words(step: Step, connect_wait_s: float) -> list[str]:
    """Describe a step in one line, and each kind of message in a line below it if there are several."""
    match step:
        case Requests():
            return _requested(step)
        case Wait():
            return [_waited(step, connect_wait_s)]
        case Pause(seconds):
            return [f"wait {seconds:g} s"]
        case Until(moment, moved):
            verb = "move both clocks to" if moved else "wait until"
            return [f"{verb} {moment.isoformat(' ')} of the contract's civil time"]
        case Act():
            return [_acted(step)]


def kinds_of(step: Requests) -> Counter[str]:
    """Count the messages of each kind: code, content class, options, and text without its token."""
    return Counter(map(_kind, step.messages))


def bare(message: Outgoing) -> str:
    """Return the text of a message without the token at its end."""
    return message.text.removesuffix(message.token).removesuffix(" ")


def _requested(step: Requests) -> list[str]:
    kinds = kinds_of(step)
    total, over_s = len(step.messages), step.over_s
    pace = "as fast as the client takes them" if step.burst else f"over {over_s:.3g} s ({total / over_s:.3g}/s)"
    if total == 1:
        pace = ""
    if len(kinds) == 1:
        (kind,) = kinds
        return [", ".join(filter(None, (f"request {count(total, 'message')} {kind}", pace)))]
    lines = [f"request {count(total, 'message')}, {pace}:"]
    lines += [f"    {number:,} {kind}" for kind, number in kinds.most_common(KINDS)]
    if len(kinds) > KINDS:
        lines.append(f"    and {count(len(kinds) - KINDS, 'other kind')} of message")
    return lines


def _kind(message: Outgoing) -> str:
    return f"from {message.code}: {', '.join(_parts(message))}"


def _parts(message: Outgoing) -> Iterator[str]:
    text = bare(message)
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    yield f"{short!r}" + (f" ({len(text)} characters)" if short != text else "")
    if message.traffic_class != "transactional":
        yield message.traffic_class
    if message.brand:
        yield f"brand {message.brand}"
    if message.oadc is not None:
        yield f"sender {message.oadc}"
    if message.validity_s is not None:
        yield f"valid for {message.validity_s} s"
    if not message.opted_in:
        yield "without consent"
    yield from message.traits


def _waited(step: Wait, connect_wait_s: float) -> str:
    who = f"{', '.join(step.accounts)} {'is' if len(step.accounts) == 1 else 'are'} logged in"
    until = {
        "connected": who,
        "back": f"{who} again",
        "received": f"{count(step.count, 'submit is', 'submits are')} answered",
        "settled": "every request is answered or withheld, or nothing more comes",
        "reported": "every accepted message has its notification, acknowledged",
    }
    limit_s = connect_wait_s if step.what == "connected" else step.limit_s
    return f"wait until {until[step.what]}" + (f" (at most {limit_s:g} s)" if limit_s else "")


def _acted(step: Act) -> str:  # noqa: PLR0911 - a sentence for each action
    given = ", ".join(f"{name} {value}" for name, value in step.named.items())
    match step.name, step.arguments:
        case "mo", (sender, code, text):
            short = text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
            return f"subscriber {sender} writes {short!r} to {code}"
        case "fault", (name,):
            return f"the platform has the fault {name}{f' ({given})' if given else ''}: {Control.fault_sentence(name)}"
        case "clear", (name,):
            return f"the fault {name} ends"
        case "limit", (code, rate, mode):
            return f"the platform's meter of {code} is set to {rate}/s, mode {mode}"
        case "suspend", (account,):
            return f"account {account} is suspended"
        case "put", (Subscriber() as one,):
            state = "reachable" if one.attached else "not reachable"
            return f"subscriber {one.msisdn}: {one.standing}, {state}{', roaming' if one.roaming else ''}"
        case "outage", (mode, *scope):
            kind = "a planned outage" if step.named.get("planned") else "an outage"
            lasting = f" for {step.named['for_s']:g} s" if step.named.get("for_s") else ""
            return f"{kind} of {scope[0] if scope else 'the whole platform'} begins{lasting}, mode {mode}"
        case "restore", ():
            return "the outage ends"
        case "drop", (account,):
            return f"the platform closes the connections of {account}{' (RST)' if given else ''}"
        case "announce", (after_s, lasting_s):
            return f"the client is notified of maintenance in {after_s:g} s, for {lasting_s:g} s"
        case name, arguments:
            return f"{name} {', '.join(map(str, arguments))} {given}".strip()
