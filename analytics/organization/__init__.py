"""What can be said about an organization, and never about fewer than ten of its people."""
