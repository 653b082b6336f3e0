"""One answer, from the row that is kept to the bytes of a selection."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Any

from analytics.catalog import definition
from analytics.planned import Unplanned
from analytics.record import Answer, Found, Tier, worst_origin
from datasources.declare import Origin
from resolvers.compiling import compiled
from resolvers.plan.kept import read_about, read_reason
from resolvers.plan.values import Value, encode
from resolvers.plan.writing import NULL, Template, dumps, in_braces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphql import GraphQLObjectType

    from analytics.declare import Metric
    from analytics.planned import Told
    from resolvers.compiling import Projection
    from resolvers.plan.drafting import Draft, Field
    from resolvers.plan.kept import Reason, Source
    from resolvers.plan.writing import Text

    Inside = Callable[[Any], bytes]

TIERS = {tier: dumps(tier.name) for tier in Tier}
RANKS = {None: worst_origin([None]).value} | {origin.name: origin.value for origin in Origin}
ORIGINS = {origin.value: dumps(origin.name) for origin in Origin}


@dataclass(frozen=True, slots=True)
class Place:
    """What differs from answer to answer.

    It is made of what is kept, of what is kept about that (`reads_about`) or, where they are enough, of values alone.
    """

    one: Callable[[Told, Any, Tier], bytes]
    many: Callable[[str, Tier, int], Iterable[bytes]] | None = None
    reads_about: bool = False


class Shape:
    """A selection on the answers of one metric.

    It is `bare` where values alone are enough to write it; `members` are those of the values that are selected.
    What is not selected is not looked at.
    """

    def __init__(self, draft: Draft, metric: Metric, field: Field) -> None:
        """Compile it.

        Raises:
            Unplanned: no plan knows it.
        """
        self._draft = draft
        self._values: list[Value] = []
        kind = field.object
        self._template = Template(in_braces((key, self._part(metric, kind, one)) for key, one in draft.fields(field)))
        self._field = field
        self._reads_about = any(place.reads_about for place in self._template.places)
        self.bare = all(place.many is not None for place in self._template.places)
        self.members = tuple(dict.fromkeys(member for value in self._values for member in value.members))

    def one(self, told: Told | Answer, tier: Tier) -> bytes:
        """The answer of one row."""
        if isinstance(told, Answer):
            return dumps(self._project(Found(told, Tier.MEMORY).wire()))
        about = read_about(told.about) if self._reads_about else None
        return self._template.filled([place.one(told, about, tier) for place in self._template.places])

    @functools.cached_property
    def _project(self) -> Projection:
        """The selection for what this process remembers, whole."""
        return projection(self._draft, self._field)

    def many(self, told: str | Sequence[Told | Answer], tier: Tier, length: int) -> Iterable[bytes]:
        """The answers of a column, which is one text of values where the shape is bare."""
        if not isinstance(told, str):
            return [self.one(one, tier) for one in told]
        columns = [place.many(told, tier, length) for place in self._template.places if place.many is not None]
        return self._template.rows(columns, length)

    def _part(self, metric: Metric, kind: GraphQLObjectType, field: Field | None) -> Text[Place]:
        if field is None:
            return [dumps(kind.name)]
        match field.name:
            case "value":
                return [self._value(field)]
            case "definition":
                return [dumps(projection(self._draft, field)(definition(metric)))]
            case "freshness":
                return in_braces((key, self._age(field.object, one)) for key, one in self._draft.fields(field))
            case "quality":
                quality = inside(self._draft, field, QUALITY)
                return [Place(lambda _told, about, _tier: quality(about.quality), reads_about=True)]
            case "withheld":
                reason = inside(self._draft, field, WITHHELD)
                return [
                    Place(
                        lambda told, _about, _tier: (
                            NULL if told.withheld is None else reason(read_reason(told.withheld))
                        )
                    )
                ]
        raise Unplanned

    def _value(self, field: Field) -> Place:
        value = Value(self._draft.schema, field.object, field.parts, self._draft.collect)
        self._values.append(value)
        one, many = value.one, value.many
        return Place(
            lambda told, _about, _tier: NULL if told.value is None else one(told.value),
            lambda told, _tier, _length: many(told),
        )

    def _age(self, kind: GraphQLObjectType, field: Field | None) -> Text[Place]:
        """A field of the freshness."""
        if field is None:
            return [dumps(kind.name)]
        if field.name == "sources":
            return [self._sources(field)]
        if field.name not in AGES:
            raise Unplanned
        self._draft.tells_tier |= field.name == "tier"
        return [AGES[field.name]]

    def _sources(self, field: Field) -> Place:
        source = inside(self._draft, field, SOURCE)
        return Place(
            lambda _told, about, _tier: b"[" + b",".join([source(one) for one in about.sources]) + b"]",
            reads_about=True,
        )


def projection(draft: Draft, field: Field) -> Projection:
    """What a field selects of what it holds, as `resolvers.projection` does it.

    Raises:
        Unplanned: it is not plain.
    """
    found = compiled(draft.schema, field.object, field.parts, draft.collect)
    if found is None:
        raise Unplanned
    return found


def inside(draft: Draft, field: Field, makers: Mapping[str, Inside]) -> Inside:
    """An object each of whose fields is made by one of these.

    Raises:
        Unplanned: a field that none of them makes.
    """

    def part(one: Field | None) -> bytes | Inside:
        if one is None:
            return dumps(field.object.name)
        if one.name not in makers:
            raise Unplanned
        return makers[one.name]

    template: Template[Inside] = Template(in_braces((key, [part(one)]) for key, one in draft.fields(field)))
    return lambda source: template.filled([make(source) for make in template.places])


def moment(at: datetime) -> bytes:
    """An instant in the wire shape of `analytics.codec.instant`."""
    return encode(at if at.tzinfo is UTC else at.astimezone(UTC))


def _worst(sources: list[Source]) -> bytes:
    return ORIGINS[max([RANKS[source.origin] for source in sources], default=Origin.LIVE.value)]


def _retry_after(reason: Reason) -> bytes:
    seconds = reason.retry_after
    return NULL if seconds is None else dumps(int(timedelta(seconds=seconds).total_seconds()))


QUALITY: Mapping[str, Inside] = {
    "observations": lambda quality: dumps(quality.observations),
    "coverageDays": lambda quality: dumps(quality.coverage_days),
    "level": lambda quality: dumps(quality.level),
}
SOURCE: Mapping[str, Inside] = {
    "service": lambda source: dumps(source.service),
    "origin": lambda source: dumps(source.origin),
    "seenAt": lambda source: NULL if source.seen_at is None else moment(source.seen_at),
}
WITHHELD: Mapping[str, Inside] = {
    "reason": lambda reason: dumps(reason.kind),
    "message": lambda reason: dumps(reason.message),
    "needed": lambda reason: dumps(reason.needed),
    "retryAfter": _retry_after,
}
AGES: Mapping[str, bytes | Place] = {
    "state": b'"FRESH"',  # nothing else is planned
    "refreshJob": NULL,  # nothing is at work on what is fresh
    "tier": Place(lambda _told, _about, tier: TIERS[tier], lambda _told, tier, length: repeat(TIERS[tier], length)),
    "origin": Place(lambda _told, about, _tier: _worst(about.sources), reads_about=True),
    "asOf": Place(lambda told, _about, _tier: moment(told.as_of)),
    "calculatedAt": Place(lambda told, _about, _tier: moment(told.calculated_at)),
    "expiresAt": Place(lambda told, _about, _tier: moment(told.expires_at)),
}
