"""Every metric of every subject of the corpus, by the formulas alone: no cache, no service, no database.

What each input is for whom follows `analytics.inputs`; whatever that can supply, this supplies from plain facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import product
from typing import TYPE_CHECKING, Any

from corpus_plan import AT, LEARNERS, ORGANIZATION, PLANS, TRAINERS

from analytics import privacy
from analytics.catalog import PRODUCERS, is_wider
from analytics.cohorts import Member as Peer
from analytics.cohorts import too_few
from analytics.decisions import Decisions
from analytics.declare import Cohort, Everyone, Items, Many, Scope, Starters, Withheld, WithheldReason
from analytics.outcomes import Outcomes
from analytics.rolls import Member, Membership, Place, Roll
from datasources.catalog import SOURCES
from datasources.content import Interactions
from datasources.course import Enrollments, EnrollmentStatus
from datasources.declare import About
from datasources.directory import User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from corpus_plan import Corpus

    from analytics.declare import Input, Metric

SUBJECTS: dict[Scope, tuple[str, ...]] = {
    Scope.LEARNER: LEARNERS,
    Scope.COURSE: tuple(plan.id for plan in PLANS),
    Scope.TRAINER: TRAINERS,
    Scope.ORGANIZATION: (ORGANIZATION,),
    Scope.MARKET: (ORGANIZATION,),
}
"""Who there is to ask about; the market is asked about as one organization sees it."""

NOTHING = Withheld(WithheldReason.NOT_ENOUGH_DATA, "Nothing is known.")


@dataclass(slots=True)
class Pure:
    """The answers about one corpus, each worked out once; `group` hands formulas what is known of many."""

    corpus: Corpus
    group: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda known: known
    _solved: dict[tuple[str, str], Any] = field(default_factory=dict)

    def ask(self, metric: Metric, subject: str, **chosen: Any) -> Any:
        """The value of a metric, or why it is withheld."""
        inputs = [self._given(each, metric, subject) for each in metric.inputs]
        for given, value in zip(metric.inputs, inputs, strict=True):
            if isinstance(value, Withheld) and not given.optional:
                return value
        arguments = {each.name: each.default for each in metric.arguments} | chosen
        if metric.wants_clock:
            arguments["at"] = AT
        if metric.wants_subject:
            arguments["course"] = subject
        return metric.compute(
            *(
                None if isinstance(value, Withheld) and not given.reasons else value
                for given, value in zip(metric.inputs, inputs, strict=True)
            ),
            **arguments,
        )

    def value(self, kind: type[Any], subject: str) -> Any:
        """The value of the metric that has this type, as other metrics read it."""
        metric = PRODUCERS[kind]
        if (metric.key, subject) not in self._solved:
            self._solved[metric.key, subject] = self.ask(metric, subject)
        return self._solved[metric.key, subject]

    def _given(self, given: Input, metric: Metric, subject: str) -> Any:
        supply: dict[Many, Callable[[Input, Metric, str], Any]] = {
            Many.ONE: self._one,
            Many.COURSES: self._courses,
            Many.COHORT: self._cohort,
            Many.EVERYONE: self._everyone,
            Many.STARTERS: self._starters,
            Many.ITEMS: self._items,
        }
        return supply[given.many](given, metric, subject)

    def _one(self, given: Input, metric: Metric, subject: str) -> Any:
        if given.type in SOURCES:
            about = SOURCES[given.type][1].about
            key = {About.MARKET: "", About.ORGANIZATION: ORGANIZATION}.get(about, subject)
            return self.corpus.fact(given.type, key) or NOTHING
        if given.type is Decisions:
            return self.corpus.decisions.get(subject, Decisions(()))
        if given.type is Outcomes:
            return Outcomes(())
        if given.type is Roll:
            return self._roll(subject)
        if given.type is Membership:
            return Membership(
                tuple(Member(one.id, one.department, one.region) for one in self._users()),
                tuple(self._roll(plan.id) for plan in PLANS),
            )
        return self.value(given.type, ORGANIZATION if is_wider(PRODUCERS[given.type], metric.scope) else subject)

    def _courses(self, given: Input, metric: Metric, subject: str) -> tuple[Any, ...]:
        taken = {
            Scope.LEARNER: [plan.id for plan in PLANS[::-1] if plan.end > AT and subject in self._present(plan.id)],
            Scope.TRAINER: [plan.id for plan in PLANS if plan.trainer == subject],
            Scope.ORGANIZATION: [plan.id for plan in PLANS],
        }[metric.scope]
        values = [self.value(given.type, course) for course in taken]
        return tuple(value for value in values if not isinstance(value, Withheld))

    def _cohort(self, given: Input, metric: Metric, subject: str) -> Cohort[Any] | Withheld:
        groups = [(False, self._present(plan.id)) for plan in PLANS[::-1] if subject in self._present(plan.id)][:1]
        for wide, group in (*groups, (True, LEARNERS)):
            peers = [self._peer(given.type, learner) for learner in group]
            if found := privacy.ladder(subject, peers, metric.k, organization=wide):
                return Cohort(found[0], AT.date(), found[1])
        return too_few(metric.k)

    def _peer(self, kind: type[Any], learner: str) -> Peer:
        user, value = self.corpus.fact(User, learner), self.value(kind, learner)
        score = None if isinstance(value, Withheld) else PRODUCERS[kind].score(value)
        return Peer(learner, user.region, user.age_band, score)

    def _everyone(self, given: Input, metric: Metric, subject: str) -> Everyone[Any]:
        group = self._present(subject) if metric.scope is Scope.COURSE else LEARNERS
        read = self.corpus.fact if given.type in SOURCES else self.value
        return Everyone(self.group(_known((one, read(given.type, one)) for one in group)))

    def _starters(self, given: Input, _: Metric, subject: str) -> Starters[Any]:
        ever = [one.user_id for one in self._rows(subject)]
        return Starters(self.group(_known((one, self.corpus.fact(given.type, one)) for one in ever)))

    def _items(self, given: Input, _: Metric, subject: str) -> Items[Any]:
        opened = {
            one.content_id
            for learner in self._present(subject)
            for one in self.corpus.facts[Interactions, learner].interactions
            if one.course_id == subject
        }
        return Items(self.group(_known((item, self.corpus.fact(given.type, item)) for item in sorted(opened))))

    def _rows(self, course: str) -> tuple[Any, ...]:
        rows: tuple[Any, ...] = self.corpus.facts[Enrollments, course].enrollments
        return rows

    def _present(self, course: str) -> tuple[str, ...]:
        return tuple(row.user_id for row in self._rows(course) if row.status is not EnrollmentStatus.WITHDRAWN)

    def _users(self) -> list[User]:
        return [self.corpus.facts[User, learner] for learner in LEARNERS]

    def _roll(self, course: str) -> Roll:
        (plan,) = [plan for plan in PLANS if plan.id == course]
        places = (
            Place(one.user_id, one.enrolled_at, one.status, one.left_at, one.result) for one in self._rows(course)
        )
        return Roll(plan.id, plan.title, plan.start, plan.end, tuple(places))


def choices(metric: Metric) -> Iterator[dict[str, Any]]:
    """Every combination of what may be chosen from a list; anything else stays as it is."""
    listed = {
        each.name: list(each.type)
        if issubclass(each.type, Enum)
        else [False, True]
        if each.type is bool
        else [each.default]
        for each in metric.arguments
    }
    for chosen in product(*listed.values()):
        yield dict(zip(listed, chosen, strict=True))


def _known(found: Iterable[tuple[str, Any]]) -> Mapping[str, Any]:
    return {key: value for key, value in found if value is not None and not isinstance(value, Withheld)}
