"""What happened, as rows. Interprets nothing."""
