"""Runs the command `simbench` as `python -m simbench`, for an interpreter whose scripts are not on the path."""

from __future__ import annotations

from simbench.cli.main import main

if __name__ == "__main__":
    main()
