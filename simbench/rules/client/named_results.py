"""Results of submits that share a transaction number: the recipient in the result tells which submit it answers.

Source: EMI-UCP 4.0, 5.2: the SM of a positive result is the recipient and the time stamp of the message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from simbench.rules.rule import Case
from simbench.trace.rows import Submit

_ACK, _SM, _FIELDS = 4, 6, 8  # of a frame split at its slashes: TRN, LEN, R, 51, A, MVP, SM, checksum
_Key = tuple[int, str]  # session and TRN
_Result = tuple[int, str, str]  # instant, recipient, time stamp


def named_results(case: Case, submits: Sequence[Submit], key_of: Callable[[str], str]) -> dict[int, Submit]:
    """Return by position the submits with the result that names their recipient, where their number lacks a result."""
    lacking = {(row.session, row.trn) for row in submits if row.result_at < 0}
    results = _results(case, lacking, key_of) if lacking else {}
    found: dict[int, Submit] = {}
    # A result that names the submit with its number answers no other, so these come first.
    for numbered in (True, False) if results else ():
        for place, row in enumerate(submits):
            left, recipient = results.get((row.session, row.trn), []), key_of(row.recipient)
            fits = (one for one in left if one[1] == recipient and one[0] >= row.at and place not in found)
            own = next((one for one in fits if not numbered or one[0] == row.result_at), None)
            if own is not None:
                left.remove(own)
                changes = {"result_at": own[0], "ack": "A", "ec": "", "scts": own[2]}
                found[place] = Submit(**{name: getattr(row, name) for name in Submit.__struct_fields__} | changes)
    return found


def _results(case: Case, lacking: set[_Key], key_of: Callable[[str], str]) -> dict[_Key, list[_Result]]:
    """Return the positive results with these numbers, in order."""
    frames = case.trace.frames
    found: dict[_Key, list[_Result]] = defaultdict(list)
    answers = ~frames.equal("direction", "in") & frames.equal("kind", "R") & frames.equal("ot", "51")
    for row in frames.where(answers).rows():
        cells = row.frame.split(b"/")
        if (row.session, row.trn) in lacking and len(cells) == _FIELDS and cells[_ACK] == b"A":
            recipient, _, stamp = cells[_SM].decode("latin-1").partition(":")
            found[row.session, row.trn].append((row.at, key_of(recipient), stamp))
    return found
