"""One of each thing that a package may add to simbench."""

from pathlib import Path

CONTRACT = Path(__file__).with_name("acme.toml")
