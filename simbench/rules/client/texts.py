"""Rules on texts: alphabet, bits, length and boundaries of parts, references, and the text the recipient reads.

Only one rule reports a broken message: `texts.arrive` leaves out messages that another rule of this file reports.
Sources: GSM 03.38 (alphabet), GSM 03.40 section 9.2.3.24 (parts), EMI-UCP 4.0 sections 5.1 and 5.3 (MT, NB, extra
services).
"""

from __future__ import annotations

from typing import Final

import msgspec

from simbench.base.text import count
from simbench.base.units import HOUR_US
from simbench.rules.evidence import first_frames
from simbench.rules.requests import sends
from simbench.rules.rule import Case, Verdict, none_wrong, rule
from simbench.trace.rows import Submit
from simbench.ucp.alphabet import ESCAPE, is_gsm
from simbench.ucp.content import Content, read, room_for_octets, room_for_septets
from simbench.ucp.fields import BEFORE_DATA, At

HIGHEST_SEPTET: Final = 0x7F
_NOTHING: Final = Verdict("inconclusive", "the client submitted nothing", blame="client")


class Part(msgspec.Struct, frozen=True):
    """A submit (its position and row) with its content and its data fields."""

    place: int
    row: Submit
    content: Content
    data: list[str]

    @property
    def high(self) -> bool:
        """Whether a text of MT 3 has codes above 7F."""
        return self.data[At.MT] == "3" and max(self.content.octets, default=0) > HIGHEST_SEPTET

    @property
    def odd_bits(self) -> bool:
        """Whether NB of transparent data is missing or wrong."""
        octets = len(self.data[At.MSG]) // 2
        nb = self.data[At.NB]
        return self.data[At.MT] == "4" and self.content.encoding == "ucs2" and nb.lstrip("0") != str(8 * octets)

    @property
    def too_long(self) -> bool:
        """Whether the content exceeds one segment."""
        octets, udh = self.content.octets, len(self.content.udh)
        septets = self.content.encoding in {"gsm7", "numeric"}
        return len(octets) > (room_for_septets(udh) if septets else room_for_octets(udh))

    @property
    def cut(self) -> bool:
        """Whether the part ends within a character: after an escape, or within a surrogate pair."""
        octets = self.content.octets
        if self.content.encoding == "ucs2":
            return len(octets) > 1 and octets[-2] & 0xFC == 0xD8
        escapes = len(octets) - len(octets.rstrip(bytes([ESCAPE])))
        return self.content.encoding == "gsm7" and escapes % 2 == 1


def parts_of(case: Case) -> list[Part]:
    """Return every submit with its content."""
    found = []
    for place, row in enumerate(case.trace.submits.rows()):
        data = [field.decode("latin-1") for field in row.frame.split(b"/")[BEFORE_DATA:-1]]
        if len(data) > At.XSER:
            found.append(Part(place, row, read(data), data))
    return found


def _judged(parts: list[Part], wrong: list[Part], what: str) -> Verdict:
    if not parts:
        return _NOTHING
    summary = f"{len(wrong):,} of {count(len(parts), 'submit')} {what}"
    evidence = first_frames(what, (one.row for one in wrong))
    return none_wrong(summary, len(wrong), "submits", evidence)


@rule(
    "texts.alphabet",
    "A text of MT 3 contains only codes of GSM 03.38, none above 7F",
    usual_cause="The text is encoded in Latin-1 or UTF-8 where GSM 03.38 is expected.",
    catches=("latin-1-texts",),
    suites=("client", "watched"),
)
def alphabet(case: Case) -> Verdict:
    """Find codes above 7F: they belong to another alphabet, such as Latin-1, and phones show other characters."""
    parts = case.once(parts_of)
    return _judged(parts, [one for one in parts if one.high], "with codes above 7F in MT 3")


@rule(
    "texts.number-of-bits",
    "Transparent data (MT 4) states its number of bits in NB",
    usual_cause="NB counts octets or characters instead of bits.",
    catches=("counts-octets",),
    suites=("client", "watched"),
)
def number_of_bits(case: Case) -> Verdict:
    """Compare NB with the length of the data, eight bits an octet."""
    parts = [one for one in case.once(parts_of) if one.data[At.MT] == "4"]
    if not parts:
        return Verdict("inconclusive", "the client sent nothing as transparent data", blame="client")
    return _judged(parts, [one for one in parts if one.odd_bits], "with another NB than 8 bits an octet")


@rule(
    "texts.fit",
    "Each part of a text fits into one segment; a character of the extension table takes two septets",
    usual_cause="Characters are counted instead of septets: one of the extension table takes two.",
    catches=("counts-characters",),
    suites=("client", "watched"),
)
def fit(case: Case) -> Verdict:
    """Compare with 160 septets or 140 octets, less the header of a part."""
    parts = case.once(parts_of)
    return _judged(parts, [one for one in parts if one.too_long], "too long for one segment")


@rule(
    "texts.seams",
    "No part of a long text ends within a character",
    usual_cause="The text is cut by septets or 16-bit units without regard to escapes and surrogates.",
    catches=("cuts-characters",),
    suites=("client", "watched"),
)
def seams(case: Case) -> Verdict:
    """Check that an escape and its code stay together, and the halves of a surrogate pair."""
    parts = [one for one in case.once(parts_of) if one.content.concatenation is not None]
    if not parts:
        return Verdict("inconclusive", "the client sent no text in parts", blame="client")
    return _judged(parts, [one for one in parts if one.cut], "ending within a character")


def _same_reference(case: Case) -> list[Part]:
    """Return parts with reference and number of a part of another text within an hour: phones would mix the texts."""
    begun: dict[tuple[object, ...], dict[int, tuple[int, bytes]]] = {}
    wrong = []
    for one in case.once(parts_of):
        place = one.content.concatenation
        if place is None or place.total < 2 or one.row.ack == "N":
            continue
        key = (one.row.oadc, one.row.recipient, place.ref, place.bits, place.total)
        known = begun.setdefault(key, {})
        at, octets = known.get(place.sequence, (one.row.at, one.content.octets))
        if octets != one.content.octets and one.row.at - at < HOUR_US:
            wrong.append(one)
        known[place.sequence] = (one.row.at, one.content.octets)
    return wrong


@rule(
    "texts.references",
    "Long texts to one recipient have different references",
    usual_cause="The reference is constant, or is reset with each connection.",
    catches=("one-reference",),
    suites=("client", "watched"),
)
def references(case: Case) -> Verdict:
    """Compare parts by sender, recipient, reference and number of parts, across connections."""
    parts = [one for one in case.once(parts_of) if one.content.concatenation is not None]
    if not parts:
        return Verdict("inconclusive", "the client sent no text in parts", blame="client")
    return _judged(parts, case.once(_same_reference), "with the reference of another text to that recipient")


@rule(
    "texts.arrive",
    "A text reaches its recipient as it was requested",
    usual_cause="Characters outside ASCII are replaced or dropped.",
    catches=("drops-accents",),
)
def arrive(case: Case) -> Verdict:
    """Compare the joined parts of a message with the request; messages not yet accepted do not count."""
    asked, submits = sends(case), case.trace.submits.rows()
    named = {one.place for one in case.once(parts_of) if one.high or one.too_long or one.cut}
    named |= {one.place for one in case.once(_same_reference)}
    checked, wrong = 0, []
    for message in case.trace.messages.rows():
        request = asked.get(message.token)
        if request is None or message.missing or not named.isdisjoint(message.rows_of):
            continue
        rows = [submits[place] for place in message.rows_of]
        if any(row.ack != "A" for row in rows):
            continue
        checked += 1
        if message.text != request.text:
            wrong.append((rows[0], request.text, message.text))
    if not checked:
        return Verdict("inconclusive", "no text was accepted as a whole", blame="client")
    summary = f"{checked - len(wrong)} of {count(checked, 'text')} accepted as requested"
    evidence = tuple(
        one for row, wanted, sent in wrong[:6] for one in first_frames(f"{wanted!r} requested, {sent!r} sent", [row])
    )
    return none_wrong(summary, len(wrong), "texts", evidence)


@rule(
    "texts.in-few-segments",
    "A text that GSM 03.38 can encode is not sent in UCS-2, which takes more segments and more of the rate",
    usual_cause="Any character outside ASCII switches to UCS-2.",
    catches=("ucs2-for-everything",),
    at_worst="weak",
)
def in_few_segments(case: Case) -> Verdict:
    """Find texts sent in UCS-2 without need. No clause forbids it, but more segments cost rate and money."""
    asked, parts = sends(case), {one.place: one for one in case.once(parts_of)}
    messages = [one for one in case.trace.messages.rows() if one.token in asked and one.rows_of[0] in parts]
    if not messages:
        return _NOTHING
    fitting = (parts[one.rows_of[0]] for one in messages if is_gsm(asked[one.token].text))
    wrong = [one.row for one in fitting if one.content.encoding == "ucs2"]
    summary = f"{len(wrong):,} of {count(len(messages), 'text')} in UCS-2 that GSM 03.38 could hold"
    return none_wrong(summary, len(wrong), "texts", first_frames("in UCS-2", wrong), outcome="weak")
