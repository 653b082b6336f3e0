"""Reading one CSV file of a dataset so that whatever is wrong with it is said clearly."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Row = TypeVar("Row")


class OuladError(Exception):
    """The directory cannot be read as OULAD; the message names the file and says what would be right."""


def found(directory: Path, name: str) -> Path | None:
    """`NAME.csv` or `NAME.csv.gz`, whichever is there."""
    paths = (directory / f"{name}.csv", directory / f"{name}.csv.gz")
    return next((path for path in paths if path.is_file()), None)


def rows(
    directory: Path,
    name: str,
    columns: tuple[str, ...],
    convert: Callable[[tuple[str, ...]], Row],
    optional: tuple[str, ...] = (),
) -> Iterator[Row]:
    """Each row of a file, its values in the order of `columns` and then of `optional`, converted.

    The value of an optional column that the file does not have is the empty text.

    Raises:
        OuladError: the file is missing or unreadable, lacks a column, or `convert` refuses a row with a ValueError.
    """
    path = found(directory, name)
    if path is None:
        message = f"{directory / name}.csv (or .csv.gz) is missing; it should hold the columns {', '.join(columns)}"
        raise OuladError(message)
    line = 1
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="")
        ) as file:
            reader = csv.reader(file)
            pick = _picker(path, next(reader, []), columns, optional)
            for line, row in enumerate(reader, 2):  # noqa: B007  # told when a row is refused
                if row:
                    yield convert(pick(row))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        message = f"{path} cannot be read ({error}); it should be a CSV file in UTF-8, gzipped if it ends in .gz"
        raise OuladError(message) from error
    except (ValueError, IndexError) as error:
        message = f"{path}, line {line}: {error}; it should hold {', '.join(columns)}"
        raise OuladError(message) from error


def whole(text: str) -> int:
    """A whole number, also when it is written like 19.0; ValueError for anything else."""
    number = float(text)
    if not number.is_integer():
        message = f"{text} is not a whole number"
        raise ValueError(message)
    return int(number)


def whole_or_none(text: str) -> int | None:
    """A whole number, or None for the two ways in which copies of the dataset write that it is not known."""
    return None if text in {"", "?"} else whole(text)


def number_or_none(text: str) -> float | None:
    """A number, or None where it is not known."""
    return None if text in {"", "?"} else float(text)


def slug(text: str) -> str:
    """A text in lower case, with a dash for whatever is not a letter or a digit."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _picker(
    path: Path, header: list[str], columns: tuple[str, ...], optional: tuple[str, ...]
) -> Callable[[list[str]], tuple[str, ...]]:
    absent = [column for column in columns if column not in header]
    if absent:
        message = f"{path} has no column {', '.join(absent)}; it has {', '.join(header) or 'none'}"
        raise OuladError(message)
    needed = itemgetter(*(header.index(column) for column in columns))
    if not optional:
        return needed
    places = [header.index(column) if column in header else None for column in optional]
    return lambda row: (*needed(row), *("" if place is None else row[place] for place in places))
