"""Responses that are kept as bytes: each for one viewer, for as long as nothing in it has changed.

Bounded by bytes, and fair: whoever needs room beyond it makes the tenant give way who holds the most.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping
    from datetime import datetime

OVERHEAD = 700
"""Bytes that an entry costs beside its body."""
PER_SUBJECT = 150
"""Bytes that being dropped with one subject costs."""
NOBODY: Mapping[str, int] = MappingProxyType({})
"""What is told of others by who tells of none: one for all."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The `data` of a response, and what is known of it.

    `until` is when it stops being good; with a database that does not answer, `at_worst` is. `subjects` are those
    whose change ends it, None: any of the organization. `told` is for the audit: whom the viewer is told of each time,
    as in `analytics.at_hand.AtHand`.
    """

    data: bytes
    until: datetime
    at_worst: datetime
    subjects: Collection[str] | None
    told: Mapping[str, int]

    def __post_init__(self) -> None:
        # Most are about one person and tell of nobody else: a set takes four times a tuple.
        if self.subjects is not None:
            object.__setattr__(self, "subjects", tuple(frozenset(self.subjects)))
        object.__setattr__(self, "told", self.told or NOBODY)

    @property
    def size(self) -> int:
        """Bytes it takes, roughly."""
        return OVERHEAD + len(self.data) + PER_SUBJECT * (len(self.subjects or ()) + len(self.told))


@dataclass(frozen=True, slots=True)
class KeptStatistics:
    """What was asked of the kept responses since the start, and what is held now."""

    hits: int
    misses: int
    evictions: int
    dropped: int
    items: int
    bytes: int


@dataclass(slots=True)
class _Tenant:
    """The responses of one organization, those used longest ago first."""

    entries: OrderedDict[Hashable, Kept] = field(default_factory=OrderedDict)
    about: dict[str | None, set[Hashable]] = field(default_factory=dict)
    bytes: int = 0
    drops: int = 0


class KeptResponses:
    """At most `room` bytes of responses; nothing is kept where that is 0. Belongs to one event loop."""

    def __init__(self, room: int, now: Callable[[], datetime]) -> None:
        self._room = room
        self._now = now
        self._tenants: dict[str, _Tenant] = {}
        self._bytes = 0
        self._hits = self._misses = self._evictions = self._dropped = 0

    @property
    def wanted(self) -> bool:
        """Whether anything is kept at all."""
        return self._room > 0

    def get(self, organization: str, key: Hashable) -> Kept | None:
        """What is kept and still good."""
        if not self._room:
            return None
        kept = self._find(organization, key)
        if kept is not None and kept.until > self._now():
            self._hits += 1
            return kept
        self._misses += 1
        return None

    def at_worst(self, organization: str, key: Hashable) -> Kept | None:
        """What is kept and good enough while the database does not answer."""
        kept = self._find(organization, key)
        return kept if kept is not None and kept.at_worst > self._now() else None

    def mark(self, organization: str) -> int:
        """A mark to take before reading what will be `put`, so that a drop in between is not undone by it."""
        return self._tenants.setdefault(organization, _Tenant()).drops

    def put(self, organization: str, key: Hashable, kept: Kept, mark: int) -> bool:
        """Keep a response instead of what was there, unless anything of its tenant was dropped since the mark."""
        tenant = self._tenants.setdefault(organization, _Tenant())
        self._remove(tenant, key)
        size = kept.size
        if tenant.drops != mark or size > self._room or kept.until <= self._now():
            return False
        tenant.entries[key] = kept
        for subject in _named(kept):
            tenant.about.setdefault(subject, set()).add(key)
        tenant.bytes += size
        self._bytes += size
        while self._bytes > self._room:
            self._evict(tenant)
        return key in tenant.entries

    def drop(self, organization: str | None = None, subjects: Collection[str] | None = None) -> None:
        """Forget what was said of these subjects; None: of any, in an organization or in all."""
        for tenant in self._of(organization):
            tenant.drops += 1
            if subjects is None:
                keys = list(tenant.entries)
            else:
                keys = [key for subject in (None, *subjects) for key in tenant.about.get(subject, ())]
            for key in keys:
                self._dropped += self._remove(tenant, key)

    def statistics(self) -> KeptStatistics:
        """Counts since the start, and what is held now (those whose time is over included until they are met)."""
        items = sum(len(tenant.entries) for tenant in self._tenants.values())
        return KeptStatistics(self._hits, self._misses, self._evictions, self._dropped, items, self._bytes)

    def _of(self, organization: str | None) -> list[_Tenant]:
        if organization is None:
            return list(self._tenants.values())
        tenant = self._tenants.get(organization)
        return [] if tenant is None else [tenant]

    def _find(self, organization: str, key: Hashable) -> Kept | None:
        tenant = self._tenants.get(organization)
        kept = None if tenant is None else tenant.entries.get(key)
        if tenant is not None and kept is not None:
            tenant.entries.move_to_end(key)
        return kept

    def _evict(self, asking: _Tenant) -> None:
        """Let go of one response: of the tenant who asks for room if it holds its share or more, else of the largest.

        The largest holds the average at least, so nobody is ever made to give up a part of their share.
        """
        share = self._room / max(1, sum(1 for tenant in self._tenants.values() if tenant.entries))
        tenant = asking if asking.bytes > share else max(self._tenants.values(), key=lambda one: one.bytes)
        self._evictions += self._remove(tenant, next(iter(tenant.entries)))

    def _remove(self, tenant: _Tenant, key: Hashable) -> bool:
        kept = tenant.entries.pop(key, None)
        if kept is None:
            return False
        for subject in _named(kept):
            keys = tenant.about[subject]
            keys.discard(key)
            if not keys:
                del tenant.about[subject]
        tenant.bytes -= kept.size
        self._bytes -= kept.size
        return True


def _named(kept: Kept) -> Collection[str | None]:
    """What a response is dropped with; None stands for anything of the organization."""
    return (None,) if kept.subjects is None else kept.subjects
