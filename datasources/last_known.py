"""Where what services said is kept, for the day they say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


class LastKnown(Protocol):
    """Where payloads are kept for a day, per organization; an endpoint is called like `course/Progress`."""

    async def read(
        self, organization: str, endpoint: str, ids: Sequence[str], not_before: datetime
    ) -> Mapping[str, tuple[str, datetime]]:
        """Of these ids, the payloads seen at or after `not_before`, and when."""

    async def keep(self, organization: str, rows: Sequence[tuple[str, str, str, datetime]]) -> None:
        """Keep rows of (endpoint, id, payload, seen at), each instead of what was kept for its id."""
