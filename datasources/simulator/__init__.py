"""The nine services over real HTTP, answering from a campus."""
