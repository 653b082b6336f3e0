"""Where facts come from, and where answers are kept."""
