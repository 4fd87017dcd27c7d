"""What people are told by e-mail: written with its cause, sent by a task."""
