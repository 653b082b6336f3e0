"""Where each course stands, within one organization: worked out once, read by trainers and organizations."""
