"""The part of the page about metrics that says where dashboards' cards find what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cells import cell
from resolvers.cards import CARDS

if TYPE_CHECKING:
    from collections.abc import Iterator


def cards() -> Iterator[str]:
    """Two tables: where each field of a card is, and which there are not, because."""
    yield from ("## What dashboards' cards read", "")
    yield from ("| card | reads | from |", "|---|---|---|")
    for card in CARDS:
        for name, path in card.paths().items():
            yield f"| {card.analytic} | {cell(name)} | `{path}` |"
    yield from ("", "## Not available, because", "")
    yield from ("| card | reads | because |", "|---|---|---|")
    for card in CARDS:
        for name, reason in card.absent.items():
            yield f"| {card.analytic} | {cell(name)} | {cell(reason)} |"
