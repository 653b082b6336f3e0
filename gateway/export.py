"""Exports, as a job: somebody's own numbers become a report of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics import exporting
from analytics.codec import global_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.world import World
    from gateway.jobs import Work


class Exporter:
    """Makes reports, with everything that lives as long as the process."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def __call__(self, work: Work) -> Mapping[str, Any]:
        """Make the report of this job: where it is found."""
        report = await exporting.make(self._world, work.job)
        return {"report": global_id("Report", report.id)}
