"""The base class of typed events."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """Any event. `SUBJECT` names the field stored in the column `subject`, a text or the number of a session.

    `FORMER` maps field names of older ledgers to the present ones.
    """

    SUBJECT: ClassVar[str] = ""
    FORMER: ClassVar[dict[str, str]] = {}
