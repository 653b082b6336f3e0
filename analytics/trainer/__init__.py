"""What can be said about a trainer, over the courses they run."""
