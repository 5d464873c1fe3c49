"""The commands of `simbench roaming`."""
