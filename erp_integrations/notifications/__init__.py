"""What ERPs tell us of by themselves: stored first, answered at once, looked at afterwards."""
