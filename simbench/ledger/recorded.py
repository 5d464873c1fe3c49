"""The base of typed events, and of what the client was asked and reported."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """Any event. `SUBJECT` names the field that stands in the column `subject`, a text or a number of a session.

    `FORMER` maps the names that fields had in older ledgers to those they have now.
    """

    SUBJECT: ClassVar[str] = ""
    FORMER: ClassVar[dict[str, str]] = {}
