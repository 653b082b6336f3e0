"""The words a dashboard's card is declared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a dashboard: the fields it reads under their names there, and where the graph has each.

    `here` are paths under the value of the card's own metric, `elsewhere` paths from the root of the graph.
    A path goes through lists as if they were one thing; `field(argument)` names an argument. What is nowhere
    is in `absent`, with the reason.
    """

    analytic: str
    home: str
    here: Mapping[str, str]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    def paths(self) -> dict[str, str]:
        """Where each field is, from the root of the graph."""
        return {name: f"{self.home}.value.{path}" for name, path in self.here.items()} | dict(self.elsewhere)


def same(names: str) -> dict[str, str]:
    """Fields that have the same name in the graph as on the card."""
    return {name: name for name in names.split()}
