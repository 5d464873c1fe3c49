"""The commands of `simbench dialup`."""
