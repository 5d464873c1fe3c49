"""The commands of simbench, one file each."""
