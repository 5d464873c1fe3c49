"""Rules that bind the client, by topic."""
