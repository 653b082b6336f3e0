"""What the market asks for: the O*NET technologies that occupations list, where the file lies beside the learners.

The file is derived from the O*NET Database (USDOL/ETA, CC BY 4.0) and gives no period.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from datasources.simulator.campus import DemandCount
from datasources.simulator.oulad_files import found, rows, slug, whole

if TYPE_CHECKING:
    from pathlib import Path

FILE = "onet_technology_demand"
COLUMNS = ("technology", "occupations", "in_demand_occupations", "hot")


def demand_of(directory: Path) -> tuple[DemandCount, ...]:
    """The technologies under ids of their own, never those of a competence; none without the file.

    One that is listed under several headings counts once, where most occupations list it: nobody knows how
    many occupations list it under more than one.
    """
    if not found(directory, FILE):
        return ()
    most: dict[str, tuple[int, int, bool]] = {}
    for name, counts in rows(directory, FILE, COLUMNS, _counts):
        if name not in most or counts > most[name]:
            most[name] = counts
    used: defaultdict[str, int] = defaultdict(int)
    return tuple(
        DemandCount(_id_of(name, used), name, occupations, in_demand, hot, period="")
        for name, (occupations, in_demand, hot) in most.items()
    )


def _counts(row: tuple[str, ...]) -> tuple[str, tuple[int, int, bool]]:
    return row[0], (whole(row[1]), whole(row[2]), bool(whole(row[3])))


def _id_of(name: str, used: defaultdict[str, int]) -> str:
    """Readable, short and used once: names like C, C+ and C# would otherwise share one."""
    key = "onet-" + slug(name.replace("+", " plus ").replace("#", " sharp "))[:80]
    used[key] += 1
    return key if used[key] == 1 else f"{key}-{used[key]}"
