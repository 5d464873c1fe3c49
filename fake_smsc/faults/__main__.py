"""Writes docs/reference/faults.md: `python -m fake_smsc.faults > docs/reference/faults.md`."""

from __future__ import annotations

import sys

from fake_smsc.faults.registry import reference

if __name__ == "__main__":
    sys.stdout.write(reference())
