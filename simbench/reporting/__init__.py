"""Shared parts of all reports: style, figures, formats, HTML, evidence."""
