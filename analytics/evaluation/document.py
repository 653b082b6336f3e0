"""What the evaluation says, as Markdown: sections of plain words and tables of figures, never rows of data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.evaluation.measures import Area

FEWEST = 10
"""No figure is said of fewer persons."""

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and their rows, as text."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table; numbers to the right, the first column to the left."""
        rule = [":--", *("--:" for _ in self.columns[1:])]
        return "\n".join(f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows))


@dataclass(frozen=True, slots=True)
class Section:
    """One question put to the data, and its answer: paragraphs and tables in reading order.

    A paragraph may be broken into lines at will: they are joined.
    """

    title: str
    parts: Sequence[str | Table]

    def markdown(self) -> str:
        """The section with its heading."""
        told = (joined(part) if isinstance(part, str) else part.markdown() for part in self.parts)
        return "\n\n".join([f"## {self.title}", *told])


def document(title: str, introduction: Iterable[str], sections: Iterable[Section]) -> str:
    """The whole file."""
    return "\n\n".join([f"# {title}", *map(joined, introduction), *(one.markdown() for one in sections)]) + "\n"


def joined(paragraph: str) -> str:
    """The lines of a paragraph as one."""
    return " ".join(paragraph.split())


def figure(value: float | None, digits: int = 3) -> str:
    """A number with this many decimals, without a leading zero where it is a share; a dash for none."""
    return NOTHING if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124 - NaN is not itself


def whole(count: int) -> str:
    """A count with thousands apart."""
    return f"{count:,}"


def interval(found: Area | None) -> str:
    """An area with its interval; a dash where it stands on too few."""
    if found is None or found.n < FEWEST:
        return NOTHING
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def share(flags: Sequence[bool]) -> str:
    """The share of persons and how many they are; of fewer than ten only that they are few."""
    return f"{sum(flags) / len(flags):.2f} ({whole(len(flags))})" if len(flags) >= FEWEST else f"fewer than {FEWEST}"
