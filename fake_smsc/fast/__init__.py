"""The vectorised read path: many frames at a time."""
