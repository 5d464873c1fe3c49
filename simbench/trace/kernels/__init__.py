"""Kernels of the trace."""
