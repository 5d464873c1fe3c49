"""The index of messages a running server keeps for searches."""
