"""Texts in the tables of generated pages."""


def cell(text: str) -> str:
    """A text as it may stand in a table: on one line, and without anything that ends its cell."""
    return " ".join(text.replace("|", "\\|").split())
