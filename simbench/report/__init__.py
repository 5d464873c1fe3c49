"""Figures, tables and pages: the only place with matplotlib. Decides no outcome."""
