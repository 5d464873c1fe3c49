"""The commands of `simbench judge`."""
