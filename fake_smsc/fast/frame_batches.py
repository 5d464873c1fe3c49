"""Serves runs of plain submits from one read: admits them together and writes one answer.

This path exists for speed. The gateway serves everything else frame by frame, in order, including submits of a run
that the centre does not simply accept. A test compares both paths octet by octet and row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from fake_smsc.fast.frame_runs import HEXADECIMAL, WORTH_FRAMES, Acks, Octets, Run, runs_of
from fake_smsc.fast.submit_batches import Batch, Batches, Taken
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.notifications import NotificationSender
from fake_smsc.ucp_gateway.submission import Submission
from fake_smsc.ucp_gateway.times import shortened_text, stamp
from simbench.numbering.addresses import Texts
from simbench.ucp.frame import ETX

WORTH_OCTETS: Final = 600  # about four submits; smaller reads are not worth the preparation
EMPTY: Final = 24  # characters of a result counted in LEN, besides its middle part and the recipient


class PlainRuns:
    """Runs on all connections of a gateway; `single` serves octets of a connection frame by frame."""

    worth_octets = WORTH_OCTETS

    def __init__(
        self,
        submission: Submission,
        notification_sender: NotificationSender,
        single: Callable[[Line, bytes, int], None],
    ) -> None:
        self._notification_sender = notification_sender
        self._single, self._out = single, submission.out
        self.batches = Batches(submission.centre)
        self._admit = self.batches.submit

    def received(self, line: Line, octets: bytes, now: int) -> None:
        """Serve every frame the read completes."""
        octets = line.framer.release() + octets
        whole = octets.rfind(ETX) + 1
        for found in runs_of(octets[:whole]):
            if isinstance(found, Run):
                self._run(line, found, now)
            elif isinstance(found, Acks) and self._notification_sender.takes_bare:
                self._notification_sender.acknowledged(line, found.trns, now)
            else:
                self._single(line, found.octets if isinstance(found, Acks) else found, now)
        if whole < len(octets):
            self._single(line, octets[whole:], now)

    def _run(self, line: Line, run: Run, now: int) -> None:
        """Serve a run; frames that break it or are not simply accepted go to `single`."""
        session, start, size = line.session, 0, len(run.trns)
        asked, many = run.asked, len(run.texts) > 1
        while start < size and session.state == "open" and not session.peer.outstanding:
            recipients, texts = run.recipients[start:], run.texts[start:] if many else run.texts
            batch = Batch(line.number, line.account, asked.oadc, asked.notify, asked.expires_at, recipients, texts)
            taken = self._admit(batch, now)
            count = len(taken.stamps)
            if count:
                self._out.write(line, _results(run.trns[start : start + count], recipients[:count], taken))
                start += count
            if start < size:
                end = start + max(1, WORTH_FRAMES - count)
                self._single(line, run.octets(start, end), now)
                start = min(end, size)
        if start < size:
            self._single(line, run.octets(start, size), now)


def _results(trns: Texts, recipients: Texts, taken: Taken) -> bytes:
    """Return the positive results of a run, each as built by `times.result_with_mvp`."""
    stamps, width = taken.stamps, recipients.itemsize
    first = stamp(int(stamps[0]))
    middle = f"/R/51/A/{shortened_text(taken.shortened_to)}/"
    head = f"\x0200/{width + len(middle) + EMPTY:05d}{middle}".encode()
    template = head + bytes(width) + f":{first}/00\x03".encode()
    frames = np.empty((len(stamps), len(template)), np.uint8)
    frames[:] = np.frombuffer(template, np.uint8)
    frames[:, 1:3] = _octets(trns)
    at = len(head) + width
    frames[:, len(head) : at] = _octets(recipients)
    if (stamps != stamps[0]).any():
        frames[:, at + 1 : -4] = _octets(np.array([*map(stamp, stamps.tolist())], np.bytes_))
    frames[:, -3:-1] = HEXADECIMAL[frames[:, 1:-3].sum(axis=1, dtype=np.uint8)]
    return frames.tobytes()


def _octets(texts: Texts) -> Octets:
    """Return texts of one length as octets, one row each."""
    return np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), texts.itemsize)
