"""Writing down the risk as it stands, so that it can be set beside what comes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from analytics.catalog import PRODUCERS
from analytics.declare import Scope
from analytics.inputs import PATIENCE
from analytics.keeping import value_of
from analytics.models.risk import risk_model
from analytics.policy import Subject
from analytics.prediction.calibration import RiskStanding
from analytics.solve import Solver
from datasources.postgres import outcomes
from datasources.postgres.outcomes import Stood
from datasources.postgres.session import system

if TYPE_CHECKING:
    from datetime import date

    from analytics.world import World


async def write_down(world: World, organization: str, day: date) -> int:
    """Write down at what risk the learners of each running course are, in groups of ten or more; how many groups.

    What the night has worked out is only read. A course that nothing is said of, or that a service is missing from,
    is left out.
    """
    metric = PRODUCERS[RiskStanding]
    solver = Solver(world, system(organization))
    courses = await world.roster.places.courses(organization, None, world.clock())
    answers = await asyncio.gather(
        *(solver.known(metric, Subject(Scope.COURSE, organization, one), patience=PATIENCE) for one in courses)
    )
    stood = {
        course: [Stood(group.learners, group.risk) for group in value_of(answer).groups]
        for course, answer in zip(courses, answers, strict=True)
        if answer.whole and answer.value is not None
    }
    return await outcomes.write(world.database, organization, day, risk_model().version, stood)
