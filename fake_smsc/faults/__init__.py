"""Named wire faults of the SMSC: what each does, and the registry of them. Judges nobody; the centre knows of none."""

from __future__ import annotations

from fake_smsc.faults.registry import FAULTS, fault_config, sentence

__all__ = ["FAULTS", "fault_config", "sentence"]
