"""What every other room uses: errors, units, the calendar, TOML and JSON files."""
