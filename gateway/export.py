"""Exports, as a job: somebody's own numbers become a report of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics import exporting
from analytics.codec import global_id
from gateway.jobs import NotNow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.world import World
    from gateway.jobs import Work

FORGETTING = "the forgetting of somebody"
"""What a report waits for that names somebody who is not to be named any more."""


class Exporter:
    """Makes reports, with everything that lives as long as the process."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, work: Work) -> Mapping[str, Any]:
        """Make the report of this job: where it is found.

        Raises:
            NotNow: somebody it names was forgotten while it was made.
        """
        report = await exporting.make(self._world, work.job)
        if report is None:
            raise NotNow(FORGETTING)
        return {"report": global_id("Report", report.id)}
