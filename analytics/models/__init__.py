"""Trained coefficients as JSON, each with the card that says how they were trained and how good they are."""
