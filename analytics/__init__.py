"""What can be said about learning, and who may hear it."""
