"""One world of kept answers, read in two ways: by the ordinary executor, and by plans."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
)
from school import Asking, Found

from analytics.catalog import PUBLIC
from analytics.declare import DataQualityLevel, Metric, Scope, Withheld, WithheldReason
from analytics.keeping import from_kept, question
from analytics.planned import MARKET, ORGANIZATION, Ask, Listing, Rows, Term, Unplanned
from analytics.planned import Found as FoundAtOnce
from analytics.policy import NotFound, Subject, Viewer, may_hear
from analytics.record import Answer, Tier, refusal
from analytics.record import Found as Answered
from analytics.subjects import subject_of
from datasources.declare import Origin
from datasources.postgres.answers import Kept
from gateway.documents import Document
from gateway.execution import Execution
from resolvers.answers import answer_name
from resolvers.schema import build, graphql_schema

STRAWBERRY = build(PUBLIC)
SCHEMA = graphql_schema(STRAWBERRY)
EXECUTION = Execution(STRAWBERRY)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DOWN = Withheld(WithheldReason.SOURCE_DOWN, "Nothing is kept, and nobody says.", None, None)

TEXTS = ("", "Essay", "Ünïcode 漢字 🎓", 'quo"te\\back/slash', "line\ntab\t\x00\x1f\x7f", "100 %b %s %%", "\u2028")
FLOATS = (0.0, 1.0, 0.1, 99.95, 81.5, -3.25, 1e-7, 123456789.125, 1e15, 5e-324)
INTS = (0, 1, 7, 100, 2**31 - 1, -(2**31))
LEAVES: dict[str, Sequence[Any]] = {
    **dict.fromkeys(("Float", "Score", "Share"), FLOATS),
    **dict.fromkeys(("Int", "Seconds"), INTS),
    "Boolean": (True, False),
}
ODDITIES = (None, 5, 2**40, -1.5, 3.0, True, "odd", "", [], {}, [None], {"__typename": "Odd"}, 1e16, -2.5e300)


def value_of(random: Random, kind: Any) -> Any:
    """A wire value of a type of the schema."""
    match kind:
        case GraphQLNonNull():
            return present(random, kind.of_type)
        case _:
            return None if random.random() < 0.2 else present(random, kind)


def present(random: Random, kind: Any) -> Any:
    match kind:
        case GraphQLEnumType():
            return random.choice(list(kind.values))
        case GraphQLScalarType():
            return random.choice(LEAVES.get(kind.name, TEXTS))
        case GraphQLList():
            return [value_of(random, kind.of_type) for _ in range(random.randrange(4))]
        case GraphQLObjectType():
            return {name: value_of(random, one.type) for name, one in kind.fields.items()}
    raise AssertionError(kind)


def spoil(random: Random, value: Any) -> None:
    """Put something odd somewhere into a value, or take something out of it."""
    while isinstance(value, dict | list) and value:
        key = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        if isinstance(value[key], dict | list) and value[key] and random.random() < 0.7:
            value = value[key]
            continue
        if random.random() < 0.2:
            del value[key]
        else:
            value[key] = random.choice(ODDITIES)
        return


def spelled(random: Random, value: Any) -> str:
    """A value as JSON: as the gateway keeps it, or as somebody else would write the same."""
    if random.random() < 0.8:
        return orjson.dumps(value).decode()
    items = list(value.items())
    random.shuffle(items)
    return json.dumps(dict(items) | {"more": [1, {"a": "ü"}]}, indent=1, ensure_ascii=random.random() < 0.5)


@dataclass(frozen=True)
class Row:
    """What is kept under one question, and how it would read if nothing were wrong with it."""

    kept: Kept | None
    mended: Kept | None
    fresh: bool = True


@dataclass
class Shelf:
    """What is kept of everybody: the same for the same seed, whoever asks first.

    `troubles` is how likely a row is stale, missing or malformed.
    """

    seed: int
    troubles: float
    rows: dict[Any, Row] = field(default_factory=dict)

    def row(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Row:
        """What is kept under a question."""
        asked = question(metric, subject, arguments)
        if asked not in self.rows:
            self.rows[asked] = self._row(Random(f"{self.seed} {asked}"), metric)
        return self.rows[asked]

    def _row(self, random: Random, metric: Metric) -> Row:
        kept = self._kept(random, metric)
        if random.random() >= self.troubles:
            return Row(kept, kept)
        trouble = random.randrange(6)
        if trouble <= 1:
            return Row(None, None) if trouble else Row(kept, kept, fresh=False)
        if trouble == 2 and kept.value is not None:
            broken = replace(
                kept, value=random.choice([kept.value[:-1], "[]", "null", "7", '"odd"', "", "{", "[" * 2000])
            )
        elif trouble == 3 and kept.value is not None:
            value = orjson.loads(kept.value)
            spoil(random, value)
            return Row(changed := replace(kept, value=orjson.dumps(value).decode()), changed)
        elif kept.withheld is not None and trouble == 4:
            broken = replace(kept, withheld=random.choice(['["ODD","",null,null]', "[]", "{", '["SOURCE_DOWN",5,1,1]']))
        else:
            about = orjson.loads(kept.about)
            spoil(random, about)
            broken = replace(kept, about=random.choice([orjson.dumps(about).decode(), "{", "[]"]))
        return Row(broken, kept)

    @staticmethod
    def _kept(random: Random, metric: Metric) -> Kept:
        answer = SCHEMA.type_map[answer_name(metric)]
        assert isinstance(answer, GraphQLObjectType)
        withheld = value = None
        if random.random() < 0.2:
            reason = [random.choice([*WithheldReason.__members__]), random.choice(TEXTS), random.choice([None, 10])]
            withheld = orjson.dumps([*reason, random.choice([None, 30.0, 5.5, 3])]).decode()
        else:
            value = spelled(random, present(random, get_named_type(answer.fields["value"].type)))
        level = random.choice([*DataQualityLevel.__members__])
        about = {
            "quality": {"observations": random.choice(INTS[:4]), "coverageDays": 3, "level": level},
            "sources": [
                [
                    name,
                    random.choice([None, *Origin.__members__]),
                    random.choice([None, NOW, NOW.replace(microsecond=5)]),
                ]
                for name in random.sample(["course", "content", "skills", "Ünï"], random.randrange(4))
            ],
        }
        moment = NOW - timedelta(seconds=random.randrange(10_000), microseconds=random.randrange(2))
        return Kept(
            value, withheld, orjson.dumps(about).decode(), None, None, "LIVE", moment, moment, NOW + timedelta(hours=1)
        )


@dataclass
class Heard(Asking):
    """A request on the ordinary way; `mended` reads every row as if nothing were wrong with it."""

    shelf: Shelf = field(default_factory=lambda: Shelf(0, 0))
    mended: bool = False
    tier: Tier = Tier.DATABASE

    def __post_init__(self) -> None:
        self.answers.how = self._said

    def _said(self, metric: Metric, subject: Subject, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if not may_hear(self.viewer, metric, subject):
            return refusal(metric, DOWN, NOW)
        row = self.shelf.row(metric, subject, arguments)
        kept = row.mended if self.mended else row.kept
        if kept is None:
            return refusal(metric, DOWN, NOW)
        try:
            answer = from_kept(metric, kept)
        except (KeyError, ValueError, TypeError):
            return refusal(metric, DOWN, NOW)
        return Answered(answer, self.tier, fresh=row.fresh).wire()


async def ordinary(
    document: DocumentNode, name: str | None, variables: dict[str, Any], asking: Asking
) -> ExecutionResult:
    """What the ordinary executor answers."""
    return await EXECUTION.run(Document("", document, {}, ()), name, variables, asking)


@dataclass
class Looking:
    """Finds at once what a plan asks for; `remembered` gives answers as this process would remember them."""

    viewer: Viewer
    shelf: Shelf
    remembered: bool = False

    async def found(self, ask: Ask) -> FoundAtOnce:
        """Everything; raises `Unplanned` where it is not plain."""
        finds = Found(self.viewer)
        try:
            people = [
                await (finds.learner(one.id) if one.scope is Scope.LEARNER else finds.trainer(one.id))
                for one in ask.people
            ]
            organization = await finds.organization(None)
        except NotFound:
            raise Unplanned from None
        subjects = [subject_of(person, who.scope) for person, who in zip(people, ask.people, strict=True)]
        whole = {
            ORGANIZATION: Subject(Scope.ORGANIZATION, organization.id, organization.id),
            MARKET: Subject(Scope.MARKET, organization.id, organization.id),
        }
        about = {**dict(enumerate(subjects)), **whole}
        taken = [
            await (finds.courses_taken(one) if one.scope is Scope.LEARNER else finds.courses(one))
            for one in (about[place] for place in ask.courses)
        ]
        answers = [self._answer(point.term, about[point.about]) for point in ask.points]
        if self.remembered:
            answers = [self._recalled(point.term.metric, one) for point, one in zip(ask.points, answers, strict=True)]
        return FoundAtOnce(
            people,
            organization if ask.organization else None,
            answers,
            [await self._page(finds, one, about) for one in ask.listings],
            taken,
            await finds.headcounts() if ask.headcounts else None,
        )

    async def _page(self, finds: Found, listing: Listing, about: Mapping[int, Subject]) -> Rows:
        if listing.choice is None:
            page = await finds.trainers(listing.window, counted=listing.counted)
        else:
            page = await finds.learners(about[listing.about], listing.choice, listing.window, counted=listing.counted)
        people = [person for _, person in page.rows]
        scope = Scope.TRAINER if listing.choice is None else Scope.LEARNER
        columns: list[Any] = []
        for term in listing.terms:
            rows = [self._answer(term, subject_of(person, scope)) for person in people]
            columns.append(self._cut(term, rows) if term.bare else rows)
        return Rows(
            ids=[person.id for person in people],
            names=[person.name for person in people],
            departments=[person.department for person in people],
            ranks=[rank for (rank, _, _), _ in page.rows],
            answers=columns,
            total=page.total,
            unknown=page.unknown,
            has_next=page.has_next,
            has_previous=page.has_previous,
        )

    def _answer(self, term: Term, subject: Subject) -> Any:
        row = self.shelf.row(term.metric, subject, term.arguments)
        if not may_hear(self.viewer, term.metric, subject) or row.kept is None or not row.fresh:
            raise Unplanned
        return row.kept

    @staticmethod
    def _recalled(metric: Metric, kept: Kept) -> Answer:
        try:
            return from_kept(metric, kept)
        except (KeyError, ValueError, TypeError):
            raise Unplanned from None

    @staticmethod
    def _cut(term: Term, rows: list[Kept]) -> str:
        """Values with the members that are wanted, as the database would cut them out."""
        try:
            values = [None if row.value is None else orjson.loads(row.value) for row in rows]
        except ValueError:
            raise Unplanned from None
        wanted = [
            {name: value[name] for name in term.members if name in value} if isinstance(value, dict) else value
            for value in values
        ]
        return orjson.dumps(wanted).decode()
