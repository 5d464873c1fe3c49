"""Telecom network simulator and conformance test bench. PYTEST_DONT_REWRITE

Imports nothing at package level, so that `--help` stays light.
"""

__version__ = "0.1.0"
