"""A report of a result, in one line."""

from __future__ import annotations

from html import escape

import simbench


def one_line(result: object) -> simbench.Report:
    return simbench.Report("Acme", lambda: f"<!doctype html><title>Acme</title><p>{escape(repr(result))}</p>")
