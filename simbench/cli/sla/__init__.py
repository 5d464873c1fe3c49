"""The commands of `simbench sla`."""
