from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import pytest

from datasources.simulator.behaviour import helps
from datasources.simulator.generated import FEWEST, MOST, generate

if TYPE_CHECKING:
    from datasources.simulator.campus import Campus, CourseRun, Person, Registration

ENOUGH = 10


@pytest.fixture(scope="module")
def usual() -> Campus:
    return generate()


@pytest.fixture(scope="module", params=[FEWEST, 31, 600])
def any_size(request: pytest.FixtureRequest) -> Campus:
    return generate(request.param)


def people_of(campus: Campus) -> dict[str, Person]:
    return {person.id: person for person in campus.people}


def courses_of(campus: Campus) -> dict[str, CourseRun]:
    return {course.id: course for course in campus.courses}


def today(campus: Campus, course: CourseRun) -> int:
    return (campus.as_of - course.start).days


def lenas(campus: Campus) -> dict[str, Registration]:
    return {one.course: one for one in campus.registrations if one.person == campus.cast["learner"]}


def running(campus: Campus) -> set[str]:
    return {course.id for course in campus.courses if 0 <= today(campus, course) < course.length_days}


def test_the_same_arguments_give_the_same_campus() -> None:
    assert repr(generate(60, seed=3)) == repr(generate(60, seed=3))


def test_another_seed_gives_other_records_to_the_same_accounts() -> None:
    one, other = generate(60, seed=3), generate(60, seed=4)
    assert one.registrations != other.registrations
    assert [person.id for person in one.people] == [person.id for person in other.people]
    assert one.cast == other.cast


def test_there_are_exactly_as_many_learners_as_asked_for(any_size: Campus) -> None:
    learners = {person.id for person in any_size.people if "learner" in person.roles}
    assert any_size.source == f"generated, seed 7, {len(learners)} learners"
    assert {one.person for one in any_size.registrations} == learners


@pytest.mark.parametrize("learners", [FEWEST - 1, MOST + 1, 0, -5])
def test_a_size_out_of_bounds_is_refused(learners: int) -> None:
    with pytest.raises(ValueError, match="30 to 10,000"):
        generate(learners)


def test_ids_are_unique(any_size: Campus) -> None:
    for ids in (
        [person.id for person in any_size.people],
        [person.email for person in any_size.people],
        [item.id for course in any_size.courses for item in course.items],
        [task.id for course in any_size.courses for task in course.tasks],
        [(one.person, one.course) for one in any_size.registrations],
        [(one.person, one.course, piece.task) for one in any_size.registrations for piece in one.submissions],
    ):
        assert len(ids) == len(set(ids))


def test_every_person_course_task_and_item_that_is_named_exists(any_size: Campus) -> None:
    people, courses = people_of(any_size), courses_of(any_size)
    organizations = {one.id: one for one in any_size.organizations}
    for person in any_size.people:
        organization = organizations[person.organization]
        if "learner" in person.roles:
            assert person.department in organization.departments
            assert person.region in organization.branches
    for course in any_size.courses:
        assert course.trainers
        assert all("trainer" in people[trainer].roles for trainer in course.trainers)
    for one in any_size.registrations:
        course = courses[one.course]
        assert {piece.task for piece in one.submissions} <= {task.id for task in course.tasks}
        assert all(0 <= position < len(course.items) for position, _, _ in one.clicks)
    assert {sitting.person for sitting in any_size.practice} <= people.keys()


def test_every_skill_that_is_named_exists(any_size: Campus) -> None:
    skills = {skill.id for skill in any_size.skills}
    assert {one.skill for one in any_size.demand} == skills
    assert {skill for person in any_size.people for skill, _, _ in person.required} <= skills
    assert {skill for course in any_size.courses for task in course.tasks for skill in task.skills} <= skills
    assert {skill for one in any_size.organizations for goal in one.goals for skill, _, _ in goal.skills} <= skills
    assert {skill for sitting in any_size.practice for skill in sitting.skills} <= skills
    assert all(person.required for person in any_size.people if "learner" in person.roles)


def test_nothing_of_a_course_leaves_its_organization(any_size: Campus) -> None:
    people = people_of(any_size)
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for course in any_size.courses:
        homes[course.id] |= {people[trainer].organization for trainer in course.trainers}
    for one in any_size.registrations:
        homes[one.course].add(people[one.person].organization)
    assert all(len(organizations) == 1 for organizations in homes.values())


def test_records_lie_inside_the_registration_and_in_order(any_size: Campus) -> None:
    courses = courses_of(any_size)
    for one in any_size.registrations:
        last = courses[one.course].length_days if one.left_day is None else one.left_day
        days = [day for _, day, _ in one.clicks]
        assert one.enrolled_day <= min(last, today(any_size, courses[one.course]))
        assert last <= courses[one.course].length_days
        assert days == sorted(days)
        assert len({(position, day) for position, day, _ in one.clicks}) == len(one.clicks)
        assert all(count >= 1 for _, _, count in one.clicks)
        assert all(one.enrolled_day <= day <= last for day in days)
        assert all(one.enrolled_day <= piece.day <= last for piece in one.submissions)
        assert all(piece.score is None or 0 <= piece.score <= 100 for piece in one.submissions)


def test_practice_happens_while_its_learner_is_registered(usual: Campus) -> None:
    courses, spans = courses_of(usual), defaultdict(list)
    for one in usual.registrations:
        course = courses[one.course]
        last = course.length_days if one.left_day is None else one.left_day
        spans[one.person].append((usual.instant(course, one.enrolled_day), usual.instant(course, last + 1)))
    assert usual.practice
    for sitting in usual.practice:
        finished = sitting.completed or sitting.started
        assert any(start <= sitting.started <= finished < end for start, end in spans[sitting.person])
        assert (sitting.score is None) == (sitting.completed is None)
        assert sitting.score is None or 0 <= sitting.score <= 1
        assert sitting.attempts >= 1


def test_the_cast_plays_its_parts(any_size: Campus) -> None:
    people, courses, own = people_of(any_size), courses_of(any_size), lenas(any_size)
    lena, tomas, olga, sam = (people[any_size.cast[part]] for part in ("learner", "trainer", "org-admin", "stranger"))
    assert [one.name.split() for one in (lena, tomas, olga, sam)] == [
        ["Lena", "Synthetic"],
        ["Tomas", "Synthetic"],
        ["Olga", "Synthetic"],
        ["Sam", "Synthetic"],
    ]
    assert "learner" in lena.roles
    assert "trainer" in tomas.roles
    assert "org-admin" in olga.roles
    assert lena.organization == tomas.organization == olga.organization == any_size.organizations[0].id
    assert sam.organization != lena.organization
    taught = {course for course in own if tomas.id in courses[course].trainers}
    assert taught & running(any_size)
    assert own.keys() - taught, "Tomas is to see one of her courses and not the other"


@pytest.mark.parametrize(("learners", "seed"), [(30, 7), (30, 1), (600, 7), (600, 2)])
def test_lena_has_something_to_show(learners: int, seed: int) -> None:
    campus = generate(learners, seed)
    courses, own = courses_of(campus), lenas(campus)
    visible = [p for one in own.values() for p in one.submissions if p.day <= today(campus, courses[one.course])]
    current = next(course for course in own if course in running(campus))
    now = today(campus, courses[current])
    assert len(own) == 2
    assert all(one.left_day is None for one in own.values())
    assert sum(piece.score is not None for piece in visible) >= 6
    assert now / courses[current].length_days > 0.5
    assert any(now - 7 < day <= now for _, day, _ in own[current].clicks)
    assert sum(p.person == campus.cast["learner"] and p.started <= campus.as_of for p in campus.practice) >= 5


def test_lena_has_peers_of_her_region_and_age_in_each_of_her_courses(usual: Campus) -> None:
    people, lena = people_of(usual), people_of(usual)[usual.cast["learner"]]
    for course in lenas(usual):
        others = [people[one.person] for one in usual.registrations if one.course == course and one.person != lena.id]
        assert sum((peer.region, peer.age_band) == (lena.region, lena.age_band) for peer in others) >= ENOUGH


def test_most_groups_are_large_and_some_are_too_small_to_report(usual: Campus) -> None:
    learners = [person for person in usual.people if "learner" in person.roles]
    sizes = Counter(one.course for one in usual.registrations)
    organizations = Counter(person.organization for person in learners)
    branches = Counter(person.region for person in learners if person.organization == usual.organizations[0].id)
    assert sum(size > 60 for size in sizes.values()) == len(usual.courses) - 1
    assert 0 < min(sizes.values()) < ENOUGH
    assert 0 < min(organizations.values()) < ENOUGH
    assert 0 < min(branches.values()) < ENOUGH


def test_courses_are_over_under_way_and_still_to_come(usual: Campus) -> None:
    shares = [today(usual, course) / course.length_days for course in usual.courses]
    assert sum(share >= 1 for share in shares) >= 2
    assert len({round(share, 1) for share in shares if 0 <= share < 1}) >= 3
    assert sum(share < 0 for share in shares) == 1


def test_courses_have_work_that_counts_and_items_of_every_kind(usual: Campus) -> None:
    for course in usual.courses:
        assert 5 <= len(course.tasks) <= 7
        assert any(not task.counts for task in course.tasks)
        assert sum(task.weight for task in course.tasks if task.counts) == pytest.approx(100)
        assert all(1 <= len(task.skills) <= 3 for task in course.tasks)
        assert all(task.due_day is None or 0 < task.due_day < course.length_days for task in course.tasks)
        assert 40 <= len(course.items) <= 120
        assert {item.kind for item in course.items} == {"content", "forum", "quiz", "other"}
        assert 0.03 < sum(helps(place) for place in range(len(course.items))) / len(course.items) < 0.15


def test_the_market_was_asked_twice(usual: Campus) -> None:
    assert Counter(one.period for one in usual.demand) == {"2025": len(usual.skills), "2026": len(usual.skills)}
    assert all(0 <= one.in_demand <= one.count for one in usual.demand)


def test_learners_take_one_or_two_courses_and_a_second_run_is_a_second_attempt(usual: Campus) -> None:
    courses, of_person = courses_of(usual), defaultdict(list)
    for one in usual.registrations:
        of_person[one.person].append(one)
    assert {len(own) for own in of_person.values()} == {1, 2}
    again = [own for own in of_person.values() if len({courses[one.course].title for one in own}) < len(own)]
    assert again
    assert all(max(own, key=lambda one: courses[one.course].start).previous_attempts == 1 for own in again)


def final_score(course: CourseRun, one: Registration) -> float:
    """Counted work by weight; what was not handed in scores 0, and what was never marked is left out."""
    scores = {piece.task: piece.score for piece in one.submissions}
    marked = [task for task in course.tasks if task.counts and scores.get(task.id, 0.0) is not None]
    return sum(task.weight * (scores.get(task.id) or 0.0) for task in marked) / sum(task.weight for task in marked)


def test_a_result_follows_from_the_work(usual: Campus) -> None:
    courses = courses_of(usual)
    for one in usual.registrations:
        final = final_score(courses[one.course], one)
        said = "distinction" if final >= 85 else "passed" if final >= 40 else "failed"
        assert one.result == (None if one.left_day is not None else said)
    assert {one.result for one in usual.registrations} == {None, "distinction", "passed", "failed"}


def test_a_learner_lives_in_the_time_zone_of_their_branch(usual: Campus) -> None:
    zones = defaultdict(set)
    for person in usual.people:
        if person.region is not None:
            zones[person.organization, person.region].add(person.time_zone)
    assert all(len(found) == 1 for found in zones.values())
    assert {zone for found in zones.values() for zone in found} <= available_timezones()
