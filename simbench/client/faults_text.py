"""Named faults of texts, sender names, civil times and messages of users."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from simbench.base.units import SECOND_US
from simbench.client.compliance import StopList
from simbench.client.faults_base import Fault
from simbench.client.messages import LinkConfig, Outgoing
from simbench.ucp import alphabet
from simbench.ucp.alphabet import LONGEST_OADC
from simbench.ucp.content import SEPTETS, Part, compose
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

UCS2 = "020108"  # extra services: coding scheme 08
SHORT = 70  # characters of one segment in UCS-2
PART_SEPTETS, PART_OCTETS = 153, 134
LETTER = re.compile(r"(?=.*[^\W\d]).+", re.DOTALL)


def _plain(text: str) -> str:
    """Return the text without accents."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


class _Composes(Fault):
    """The core with another way to make the parts of a text."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.compose = self._compose

    def _compose(self, text: str, ref: int) -> list[Part]:
        return compose(text, ref)


class Latin1Texts(_Composes, fault="latin-1-texts"):
    """Writes short texts in Latin-1 instead of GSM 03.38."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        try:
            octets = text.encode("latin-1")
        except UnicodeEncodeError:
            return compose(text, ref)
        return (
            [Part("3", octets.hex().upper())] if len(octets) <= SEPTETS and not text.isascii() else compose(text, ref)
        )


class CountsOctets(_Composes, fault="counts-octets"):
    """Writes the number of octets into the field for the number of bits."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        return [replace(one, nb=f"{int(one.nb) // 8:04d}" if one.nb else "") for one in compose(text, ref)]


class CountsCharacters(_Composes, fault="counts-characters"):
    """Counts a character of the extension table as one septet."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        if len(text) <= SEPTETS and alphabet.is_gsm(text):
            return [Part("3", alphabet.encode(text).hex().upper())]
        return compose(text, ref)


class CutsCharacters(_Composes, fault="cuts-characters"):
    """Cuts long texts after a fixed number of septets or octets, even within a character."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        parts = compose(text, ref)
        if len(parts) == 1:
            return parts
        octets = b"".join(bytes.fromhex(part.msg) for part in parts)
        room = PART_OCTETS if parts[0].nb else PART_SEPTETS
        pieces = [octets[at : at + room] for at in range(0, len(octets), room)]
        if len(pieces) != len(parts):
            return parts
        return [
            replace(part, msg=piece.hex().upper(), nb=f"{8 * len(piece):04d}" if part.nb else "")
            for part, piece in zip(parts, pieces, strict=True)
        ]


class OneReference(_Composes, fault="one-reference"):
    """Gives every long text the same reference."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        del ref
        return compose(text, 0)


class DropsAccents(_Composes, fault="drops-accents"):
    """Sends letters without their accents."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        return compose(_plain(text), ref)


class Ucs2ForEverything(_Composes, fault="ucs2-for-everything"):
    """Sends all short texts in UCS-2."""

    def _compose(self, text: str, ref: int) -> list[Part]:
        octets = text.encode("utf-16-be")
        if len(octets) > 2 * SHORT:
            return compose(text, ref)
        return [Part("4", octets.hex().upper(), nb=f"{8 * len(octets):04d}", xser=UCS2)]


class CutsNames(Fault, fault="cuts-names"):
    """Changes sender names to fit: removes accents and signs and truncates to eleven characters."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        if config.oadc_option:
            self._outbox.compliance.names = LETTER

    def _sender(self, message: Outgoing) -> tuple[str, str]:
        if not message.oadc or message.oadc == self.config.code:
            return super()._sender(message)
        name = re.sub("[^A-Za-z0-9]", "", _plain(message.oadc))[:LONGEST_OADC]
        return super()._sender(replace(message, oadc=name))


class VpInWinterTime(Fault, fault="vp-in-winter-time"):
    """Writes validity periods in winter time all year."""

    def _minute(self, instant: int) -> str:
        civil = self.config.knows.calendar.civil(instant)
        return f"{civil.replace(tzinfo=None) - self.config.knows.calendar.summer_shift(instant):%d%m%y%H%M}"


class VpInSummerTime(Fault, fault="vp-in-summer-time"):
    """Writes validity periods in summer time all year."""

    def _minute(self, instant: int) -> str:
        calendar = self.config.knows.calendar
        winter = calendar.civil(instant).replace(tzinfo=None) - calendar.summer_shift(instant)
        return f"{winter + timedelta(hours=1):%d%m%y%H%M}"


class VpInUtc(Fault, fault="vp-in-utc"):
    """Writes validity periods in UTC."""

    def _minute(self, instant: int) -> str:
        return f"{datetime.fromtimestamp(instant // SECOND_US, UTC):%d%m%y%H%M}"


class VpByTheWallClock(Fault, fault="vp-by-the-wall-clock"):
    """Adds validity periods to the local time, even if the clocks change within the period."""

    def _minute(self, instant: int) -> str:
        civil = self.config.knows.calendar.civil(self._now).replace(tzinfo=None)
        return f"{civil + timedelta(microseconds=instant - self._now):%d%m%y%H%M}"


class ReadsMoAsGsm(Fault, fault="reads-mo-as-gsm"):
    """Decodes every message of a user as GSM 03.38, even one in UCS-2."""

    def _deliver(self, data: list[str], frame: Frame) -> str | None:
        del frame
        text = alphabet.decode(bytes.fromhex(data[At.MSG]))
        return self._mobile_originated(data[At.OADC], data[At.ADC], text, data[At.SCTS])


class RefusesUcs2Mo(Fault, fault="refuses-ucs2-mo"):
    """Refuses messages of users that are not in GSM 03.38."""

    def _deliver(self, data: list[str], frame: Frame) -> str | None:
        return None if data[At.MT] == "4" else super()._deliver(data, frame)
