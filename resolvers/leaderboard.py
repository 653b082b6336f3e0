"""The leaderboard in the graph: places with a name, and never an id of anybody's."""

from datetime import datetime
from typing import Annotated, Any, Optional

import strawberry

from analytics import leaderboard as standings
from analytics.codec import instant
from analytics.gamification.ranking import LeaderboardWindow
from analytics.privacy import K
from analytics.record import withheld_wire
from resolvers.answers import Withheld
from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.scalars import Score
from resolvers.types import adopt

DEFAULT = 10
MOST = 50

WindowName: Any = adopt(LeaderboardWindow)

Window = Annotated[WindowName, strawberry.argument(description="Which points are compared.")]
First = Annotated[
    int | None, strawberry.argument(description=f"How many places, from the first; 1 to {MOST}, {DEFAULT} unless said.")
]


@strawberry.type(description="One place on the leaderboard.")
class LeaderboardEntry:
    """A name, a place and points; no id, by which more could be asked."""

    rank: int = strawberry.field(description="The place, from 1; who has as many points shares it.")
    display_name: str = strawberry.field(description="The name to show.")
    points: int = strawberry.field(description="The points of the window, at least 1; those of others rounded to 10.")
    is_you: bool = strawberry.field(description="Whether this is you.")


@strawberry.type(description="Your own place, which you see whether others do or not.")
class LeaderboardPlace:
    """The viewer among those whom they can see."""

    rank: int | None = strawberry.field(description="Your place, from 1; null where no places are shown.")
    points: int | None = strawberry.field(
        description="Your points of the window, as your own card says them; null where they are not known now."
    )
    percentile: Score | None = strawberry.field(
        description=(
            "The percent of the others with fewer points than you, equal ones counted half; rounded to 5 where the "
            "others are fewer than 50. Null where no places are shown."
        )
    )
    visible: bool | None = strawberry.field(
        description="Whether others see you; null where it cannot be looked up now. `setLeaderboardVisibility` says."
    )


@strawberry.type(
    description=(
        "Who earned the most points in your organization, of those who want to be seen. Others' points may be up to "
        "a day old, yours are those of now."
    )
)
class Leaderboard:
    """The first places and one's own, or why there are none."""

    window: WindowName = strawberry.field(description="Which points are compared.")
    entries: list[LeaderboardEntry] = strawberry.field(
        description="The first places of who has points at all, the first first, then by name; empty where withheld."
    )
    total: int | None = strawberry.field(
        description="How many can be seen, with points or without; rounded to 5 below 50, null where withheld."
    )
    you: LeaderboardPlace | None = strawberry.field(description="Your own place; null when you ask as no learner.")
    withheld: Optional[adopt(Withheld)] = strawberry.field(  # type: ignore[valid-type]  # noqa: UP045 - made at run time
        description=f"Why no places are shown, such as fewer than {K} others to be seen; null where they are."
    )
    as_of: datetime | None = strawberry.field(
        description="The moment the points of others speak about, on the platform's clock; null where withheld."
    )


async def leaderboard(info: Info, window: Any, first: int | None) -> Leaderboard:
    """The leaderboard of the viewer's organization.

    Raises:
        BadInput: more places, or fewer, than can be asked for.
    """
    wanted = DEFAULT if first is None else first
    if not 1 <= wanted <= MOST:
        msg = f"first must be from 1 to {MOST}; it was {wanted}."
        raise BadInput(msg)
    return _shown(await info.context.leaderboards.of(LeaderboardWindow[window.name], wanted))


def _shown(found: standings.Leaderboard) -> Leaderboard:
    return Leaderboard(
        window=WindowName[found.window.name],
        entries=[
            LeaderboardEntry(rank=e.rank, display_name=e.display_name, points=e.points, is_you=e.is_you)
            for e in found.entries
        ],
        total=found.total,
        you=None if found.you is None else _place(found.you),
        withheld=withheld_wire(found.withheld) if found.withheld else None,
        as_of=instant(found.as_of) if found.as_of else None,  # type: ignore[arg-type]  # the scalar takes its text
    )


def _place(you: standings.You) -> LeaderboardPlace:
    percent = None if you.percentile is None else Score(round(you.percentile, 1))
    return LeaderboardPlace(rank=you.rank, points=you.points, percentile=percent, visible=you.visible)
