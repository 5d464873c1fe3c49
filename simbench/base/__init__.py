"""Shared by all packages: errors, units, the calendar, TOML and JSON files."""
