"""Named wire faults of the SMSC, and their registry."""

from __future__ import annotations

from fake_smsc.faults.registry import FAULTS, fault_config, sentence

__all__ = ["FAULTS", "fault_config", "sentence"]
