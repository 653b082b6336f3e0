"""Peers: how many groups are too small to speak of, and who is compared with whom instead."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.evaluation.document import Section, Table, figure, whole
from analytics.evaluation.sample import Presentation
from analytics.privacy import K, ladder
from analytics.words import Rung
from datasources.simulator.campus import Campus


@dataclass(frozen=True, slots=True)
class _Member:
    """One learner of a course, as the ladder of peer groups sees them."""

    id: str
    region: str | None
    age_band: str | None
    score: float | None


def section(campus: Campus, logged: Sequence[Presentation]) -> Section:
    """The sizes of the closest groups, and the rung each learner is compared on."""
    people = {person.id: person for person in campus.people}
    groups: dict[tuple[str, str], list[_Member]] = {}
    for run in logged:
        for learner in run.learners:
            person = people[learner.id]
            member = _Member(learner.id, person.region, person.age_band, 0.0)
            groups.setdefault((run.run.id, person.organization), []).append(member)
    sizes = Counter(
        (course, one.region, one.age_band) for (course, _), members in groups.items() for one in members if one.age_band
    )
    few = [size for size in sizes.values() if size < K]
    rungs: Counter[Rung | None] = Counter()
    for members in groups.values():
        for one in members:
            found = ladder(one.id, members, K)
            rungs[found[0] if found else None] += 1
    total = sum(rungs.values())
    return Section(
        "Peer groups",
        [
            f"""Groups of course, region and age band: **{len(sizes)}**, of which **{len(few)}** have fewer than {K}
            learners ({figure(100 * sum(few) / sum(sizes.values()), 1)} % of {whole(total)} registrations).
            Published: 89, 19 and 2.2 %.""",
            """Where the served ladder stops for each registration, everyone counted as having a number: 10
            *others* are needed, so a group of exactly 10 is too small for its own members.""",
            Table(
                ("Compared with", "registrations", "share"),
                [
                    [
                        "nobody in the course: the whole organization" if rung is None else rung.value,
                        whole(rungs[rung]),
                        figure(rungs[rung] / total),
                    ]
                    for rung in (*Rung, None)
                    if rungs[rung] >= K
                ],
            ),
        ],
    )
