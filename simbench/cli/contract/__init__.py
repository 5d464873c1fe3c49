"""The commands of `simbench contract`."""
