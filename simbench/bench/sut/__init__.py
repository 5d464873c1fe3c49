"""Systems under test: how each is started, fed and stopped."""
