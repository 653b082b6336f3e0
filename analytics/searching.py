"""One asking of a compiled document: whom it is about, whether the viewer may hear it, and what is kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from analytics.declare import Role, Scope
from analytics.looked_up import AtHand, Errand, into_places
from analytics.naming import NAMING, named
from analytics.page_at_hand import Pages
from analytics.planned import MARKET, ORGANIZATION, Found, Unplanned
from analytics.policy import Subject, may_hear_all, may_see
from analytics.record import Tier
from analytics.roster import KNOWN_EARLIER, REMEMBERED
from analytics.subjects import subject_of
from datasources.postgres import lists
from datasources.postgres.answers import Question
from datasources.postgres.people import person_of
from datasources.postgres.reading import Look, Reading, Shape
from datasources.postgres.session import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.declare import Metric
    from analytics.planned import Ask, Listing, Point, Rows, Told, Who
    from analytics.policy import Viewer
    from analytics.record import Answer
    from analytics.world import World
    from datasources.memory import Memory
    from datasources.postgres.lanes import Lanes
    from datasources.postgres.people import Organization, Person

ROLES = {Scope.LEARNER: Role.LEARNER, Scope.TRAINER: Role.TRAINER}
"""The role of whom an answer of this scope is about."""


Tellings: TypeAlias = "Memory[tuple[Actor, tuple[tuple[tuple[str, ...], int, int], ...]], Mapping[str, int]]"
"""Whom pages told of: who asked, and of each page who was on it, how many answers were about each, and about nobody."""


class Search:
    """One asking."""

    def __init__(  # noqa: PLR0913, PLR0917  (what it goes through, and for whom)
        self, world: World, reading: Reading, lanes: Lanes, tellings: Tellings, ask: Ask, viewer: Viewer
    ) -> None:
        self._world = world
        self._reading = reading
        self._lanes = lanes
        self._tellings = tellings
        self._mark = tellings.mark()
        self._notes: list[tuple[tuple[str, ...], int, int]] = []
        self._ask = ask
        self._viewer = viewer
        self._actor = Actor(viewer.organization, viewer.user, viewer.role.value)
        self._now = world.now()
        self._until = self._now + REMEMBERED
        self._fresh_until = self._now + KNOWN_EARLIER
        self._people: dict[str, Person] = {}
        self._subjects: set[str] = set()

    async def found(self) -> AtHand:
        """Everything that is asked for.

        Raises:
            Unplanned: something of it is not at hand, or not the viewer's to hear.
            Exception: of the driver, where the database does not answer.
        """
        ask = self._ask
        era = self._world.roster.era(self._viewer.organization)
        organization = await self._organization() if ask.organization else None
        answers = self._remembered()
        unknown = self._unknown()
        if unknown or None in answers:
            await self._read(unknown, answers)
        people = [self._known(who) for who in ask.people]
        heard = self._told(people)
        naming = any(point.term.metric.key in NAMING for point in ask.points)
        if naming:
            await self._name(answers, heard)
        told: Mapping[str, int] = heard
        pages = [await self._page(one) for one in ask.listings]
        if self._notes:
            told = self._noted(told)
        courses = [await self._courses(about) for about in ask.courses]
        counts = await lists.headcounts(self._world.database, self._actor) if ask.headcounts else None
        found = Found(people, organization, answers, pages, courses, counts)  # type: ignore[arg-type]  # none is missing by now
        until = min(self._until, self._fresh_until)
        plain = not (pages or courses or counts)
        subjects = frozenset(self._subjects) if plain else None
        # Who is forgotten meanwhile is not remembered by it.
        same = era == self._world.roster.era(self._viewer.organization)
        # Whom values name is looked up each time, also where they name nobody just now.
        again = plain and same and not (naming or unknown or ask.organization)
        errand = self._errand(people, told, era) if again else None
        return AtHand(found, Tier.DATABASE, until, self._fresh_until, subjects, told, errand)

    def _errand(self, people: Sequence[Person], told: Mapping[str, int], era: int) -> Errand:
        """How the same is looked up again."""
        parts: dict[tuple[str, str], dict[tuple[str, str], list[int]]] = {}
        keys = []
        for place, point in enumerate(self._ask.points):
            about = self._about(point)
            parts.setdefault(about, {}).setdefault((point.term.key, point.term.text), []).append(place)
            keys.append((self._viewer.organization, Question(*about, point.term.key, point.term.text)))
        return Errand(
            Shape(0, tuple((scope, tuple(asked)) for (scope, _), asked in parts.items())),
            Look(self._actor, (), [subject for _, subject in parts]),
            tuple(keys),
            tuple(parts.values()),
            people,
            frozenset(self._subjects),
            told,
            self._until,
            era,
        )

    async def _page(self, listing: Listing) -> Rows:
        """A page of people, with what the viewer is told of each of them noted."""
        here = self._viewer.organization
        if await self._world.roster.missing(here):
            raise Unplanned
        trainer = None if listing.about == ORGANIZATION else self._ask.people[listing.about].id
        page = await Pages(self._world, self._lanes, self._actor, self._viewer).read(listing, trainer)
        if page.until is not None:
            self._fresh_until = min(self._fresh_until, page.until)
        # That nobody is at such a level tells of them as well.
        nobody = page.chosen if not page.rows.ids and self._viewer.role is not Role.LEARNER else 0
        self._notes.append((tuple(page.rows.ids), page.answers, nobody))
        return page.rows

    def _noted(self, told: Mapping[str, int]) -> Mapping[str, int]:
        """The same with whom pages tell of: the same mapping each time, where it is that of a page seen lately."""
        key = None if told else (self._actor, tuple(self._notes))
        known = None if key is None else self._tellings.get(key)
        if known is not None:
            return known
        noted = Counter(told)
        for ids, answers, nobody in self._notes:
            for person in ids:
                self._tell(noted, person, answers)
            if nobody:
                noted[self._viewer.organization] += nobody
        if key is not None:
            self._tellings.put(key, noted, until=self._now + REMEMBERED, mark=self._mark)
        return noted

    async def _courses(self, about: int) -> Sequence[lists.Course] | Sequence[lists.Taken]:
        """All courses of the organization, of a trainer or of a learner, as far as the viewer may see them."""
        database = self._world.database
        if about == ORGANIZATION:
            return await lists.courses(database, self._actor)
        who = self._ask.people[about]
        if who.scope is Scope.TRAINER:
            return (await lists.taught(database, self._actor, [who.id]))[who.id]
        return (await lists.taken(database, self._actor, [who.id], self._world.clock()))[who.id]

    async def _organization(self) -> Organization:
        here = self._viewer.organization
        self._subjects.add(here)
        found = await self._world.roster.organization(self._actor)
        if found is None:
            raise Unplanned
        return found

    def _unknown(self) -> list[str]:
        """Whom this process does not remember, each once."""
        unknown: dict[str, None] = {}
        for who in self._ask.people:
            self._subjects.add(who.id)
            if who.id in self._people:
                continue
            if (known := self._world.roster.remembered(self._actor, who.id)) is None:
                unknown[who.id] = None
            else:
                self._people[who.id], until = known
                self._until = min(self._until, until)
        return list(unknown)

    def _remembered(self) -> list[Told | Answer | None]:
        """What this process remembers of the answers, in the order of the points."""
        world, organization = self._world, self._viewer.organization
        found: list[Told | Answer | None] = []
        for point in self._ask.points:
            scope, subject = self._about(point)
            answer = world.memory.get((organization, Question(scope, subject, point.term.key, point.term.text)))
            if answer is not None and answer.complete:
                self._fresh_until = min(self._fresh_until, answer.expires_at)
                found.append(answer)
            else:
                found.append(None)
        return found

    async def _read(self, unknown: list[str], answers: list[Told | Answer | None]) -> None:
        """Read what is not remembered, in one statement, into its places."""
        parts: dict[tuple[str, str], dict[tuple[str, str], list[int]]] = {}
        for place, answer in enumerate(answers):
            if answer is None:
                point = self._ask.points[place]
                questions = parts.setdefault(self._about(point), {})
                questions.setdefault((point.term.key, point.term.text), []).append(place)
        shape = Shape(len(unknown), tuple((scope, tuple(asked)) for (scope, _), asked in parts.items()))
        mark = self._world.roster.mark()
        rows = await self._reading.read(shape, Look(self._actor, unknown, [subject for _, subject in parts]))
        kept = []
        for row in rows:
            if row.part == 0:
                person = person_of(self._viewer.organization, row.card)
                self._people[person.id] = person
                self._world.roster.remember(self._actor, person, mark)
            else:
                kept.append(row)
        self._fresh_until = into_places(self._world, kept, list(parts.values()), answers, self._fresh_until)
        if None in answers:
            raise Unplanned

    def _about(self, point: Point) -> tuple[str, str]:
        """The scope and the id of whom an answer is about."""
        if point.about in {ORGANIZATION, MARKET}:
            self._subjects.add(self._viewer.organization)
            scope = Scope.ORGANIZATION if point.about == ORGANIZATION else Scope.MARKET
            return scope.value, self._viewer.organization
        who = self._ask.people[point.about]
        return who.scope.value, who.id

    def _known(self, who: Who) -> Person:
        """Somebody whom the viewer may know of."""
        person = self._people.get(who.id)
        if person is None or ROLES[who.scope].value not in person.roles:
            raise Unplanned
        if not may_see(self._viewer, subject_of(person, who.scope)):
            raise Unplanned
        return person

    def _told(self, people: Sequence[Person]) -> Counter[str]:
        """How many answers the viewer, who may hear them all, is told about each person but themselves."""
        asked: dict[int, list[Metric]] = {}
        for point in self._ask.points:
            asked.setdefault(point.about, []).append(point.term.metric)
        told: Counter[str] = Counter()
        for person in people:
            self._tell(told, person.id, 0)
        for about, metrics in asked.items():
            subject = self._subject(about)
            if not may_hear_all(self._viewer, metrics, subject):
                raise Unplanned
            if subject.scope in ROLES:
                self._tell(told, subject.id, len(metrics))
        return told

    async def _name(self, answers: Sequence[Any], told: Counter[str]) -> None:
        """Note the learners whom answers name, all of them known to the viewer."""
        learners: Counter[str] = Counter()
        for answer, point in zip(answers, self._ask.points, strict=True):
            if point.term.metric.key in NAMING:
                learners.update(named(orjson.loads(answer.value or "null")))
        known = await self._world.roster.persons(self._actor, sorted(learners)) if learners else {}
        for learner, times in learners.items():
            remembered = self._world.roster.remembered(self._actor, learner)
            if known.get(learner) is None or remembered is None:
                # They are left out of the answer the ordinary way.
                raise Unplanned
            self._until = min(self._until, remembered[1])
            self._tell(told, learner, times)

    def _tell(self, told: Counter[str], person: str, answers: int) -> None:
        if person != self._viewer.user:
            told[person] += answers

    def _subject(self, about: int) -> Subject:
        here = self._viewer.organization
        if about == ORGANIZATION:
            return Subject(Scope.ORGANIZATION, here, here)
        if about == MARKET:
            return Subject(Scope.MARKET, here, here)
        who = self._ask.people[about]
        return subject_of(self._people[who.id], who.scope)
