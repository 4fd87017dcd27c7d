"""What a sync would do, found out without doing it."""
