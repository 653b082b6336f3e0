"""The content service: what there is to open, and who opened it when."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the facts' annotations are read at run time
from dataclasses import dataclass

from datasources.declare import About, Count, Endpoint, Id, Service, Share, Text


@dataclass(frozen=True, slots=True)
class Interaction:
    """One learner with one content item on one day."""

    content_id: Id
    course_id: Id
    type: Text
    date: dt.date
    actions: Count


@dataclass(frozen=True, slots=True)
class Interactions:
    """What a learner opened, item by item and day by day, over all courses."""

    interactions: tuple[Interaction, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """One content item."""

    id: Id
    title: Text
    type: Text
    course_id: Id
    duration_seconds: Count | None = None
    creation: Text | None = None


@dataclass(frozen=True, slots=True)
class UsageDay:
    """How often an item was opened on one day."""

    date: dt.date
    views: Count


@dataclass(frozen=True, slots=True)
class Usage:
    """How often an item was opened, and by how many."""

    views: Count
    unique_viewers: Count
    completion_rate: Share | None = None
    by_date: tuple[UsageDay, ...] = ()


SERVICE = Service(
    "content",
    (
        Endpoint(Interactions, "/api/v1/interactions/{id}"),
        Endpoint(Content, "/api/v1/content/{id}/metadata", About.CONTENT),
        Endpoint(Usage, "/api/v1/content/{id}/usage", About.CONTENT),
    ),
)
