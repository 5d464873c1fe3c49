"""Scalar functions over plain numbers for the decisions about every message."""
