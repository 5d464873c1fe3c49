"""Probes a platform as a client and judges it, independently of the reference client."""

from __future__ import annotations

import simbench.probe.notifications  # noqa: F401 - enters its checks
from simbench.probe.rules import CHECKS, judge_probe
from simbench.probe.script import Probed, Target, run_probe

__all__ = ["CHECKS", "Probed", "Target", "judge_probe", "run_probe"]
