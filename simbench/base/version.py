"""The version of simbench."""

__version__ = "0.1.0"
