"""The read path for many frames at a time."""
