from collections.abc import Iterable
from dataclasses import replace
from random import Random

from analytics.course import ContentEffects, CoursePulse, attends, content_effects, course_pulse
from analytics.declare import Everyone, Withheld, WithheldReason
from analytics.effects import Verdict
from datasources.assessment import Assessments, Scores
from datasources.content import Interactions
from datasources.course import Progress
from tests.analytics.made import COURSE, done, handed_in, log, on, opened, takes, taking, task, tasks


def pulse_of(item_days: Iterable[int], progress: Progress | None = None) -> CoursePulse | Withheld:
    logs = {f"learner-{i}": log(*(opened(f"item-{n}", 50) for n in range(many))) for i, many in enumerate(item_days)}
    stays = dict.fromkeys(logs, progress or takes(taking()))
    return course_pulse(Everyone(logs), Everyone(stays), course=COURSE, at=on(60))


def test_the_pulse_is_the_median_of_item_days() -> None:
    pulse = pulse_of([0, 0, 1, 2, 3, 4, 5, 6, 7, 50])
    assert isinstance(pulse, CoursePulse)
    assert (pulse.course, pulse.item_days, pulse.learners) == (COURSE, 3.5, 10)


def test_a_course_of_nine_has_no_pulse() -> None:
    pulse = pulse_of(range(9))
    assert isinstance(pulse, Withheld)
    assert (pulse.reason, pulse.needed) == (WithheldReason.TOO_FEW_PEERS, 10)


def test_who_left_or_takes_another_course_has_no_part_in_the_pulse() -> None:
    assert isinstance(pulse_of([5] * 20, takes(taking(left=40))), Withheld)
    assert isinstance(pulse_of([5] * 20, takes(taking("other"))), Withheld)
    assert isinstance(pulse_of([5] * 20, takes(taking(enrolled=70))), Withheld)


def test_a_learner_nobody_knows_the_course_of_has_no_part_in_the_pulse() -> None:
    logs = {f"learner-{i}": log() for i in range(20)}
    assert isinstance(course_pulse(Everyone(logs), Everyone({}), course=COURSE, at=on(60)), Withheld)


def test_an_item_day_is_an_item_on_a_day_of_the_last_thirty() -> None:
    days = log(
        opened("a", 30, 31, 60, 61),  # day 30 is 30 days ago and too old; day 61 has not come
        opened("a", 60),
        opened("b", 60),
        opened("c", 59, actions=0),
        opened("d", 59, course="other"),
    )
    logs = {f"learner-{i}": days for i in range(10)}
    pulse = course_pulse(Everyone(logs), Everyone(dict.fromkeys(logs, takes(taking()))), course=COURSE, at=on(60))
    assert isinstance(pulse, CoursePulse)
    assert pulse.item_days == 3


def test_a_course_is_attended_from_its_start_to_its_end_or_until_one_leaves() -> None:
    stay = takes(taking(left=100))
    assert [attends(stay, COURSE, on(day)) for day in (-1, 0, 99, 100)] == [False, True, True, False]
    assert [attends(takes(taking()), COURSE, on(day)) for day in (199, 200)] == [True, False]


class World:
    """Learners of one course; every second opens the item on day 10, half of either kind scored better before."""

    logs: dict[str, Interactions]
    scores: dict[str, Scores]
    work: dict[str, Assessments]
    stays: dict[str, Progress]

    def __init__(self, *, gain: float, size: int = 80, opens_on: int = 10, due: float = 30) -> None:
        self.logs, self.scores, self.work, self.stays = {}, {}, {}, {}
        for i in range(size):
            learner, opens, strong = f"learner-{i:03}", i % 2 == 0, i % 4 < 2
            self.logs[learner] = log(opened("video", opens_on, kind="video") if opens else opened("page", opens_on))
            earlier, noise = (80.0, float(i % 5)) if strong else (40.0, float(i % 5))
            self.scores[learner] = handed_in(done("A", 4, earlier), done("B", 28, earlier + gain * opens + noise))
            self.work[learner] = tasks(task("A", 5), task("B", due))
            self.stays[learner] = takes(taking())

    def effects(self, day: float = 40) -> ContentEffects:
        return content_effects(
            Everyone(self.logs),
            Everyone(self.scores),
            Everyone(self.work),
            Everyone(self.stays),
            course=COURSE,
            at=on(day),
        )


def test_an_item_whose_openers_do_better_is_helpful() -> None:
    found = World(gain=15).effects()
    video = next(item for item in found.items if item.content_id == "video")
    assert (found.outcome, found.learners, found.closest) == ("B", 80, 40)
    assert (video.type, video.openers, video.others, video.verdict) == ("video", 40, 40, Verdict.HELPFUL)
    assert abs(video.raw - 15) < 1


def test_without_a_difference_nothing_is_claimed() -> None:
    world = World(gain=0)
    world.scores = {learner: handed_in(done("A", 4, 50), done("B", 28, 60)) for learner in world.scores}
    assert {(item.effect, item.verdict) for item in world.effects().items} == {(0, Verdict.UNCLEAR)}


def test_what_is_opened_when_the_work_is_handed_in_or_later_does_not_count() -> None:
    assert World(gain=15, opens_on=28).effects().items == ()
    assert World(gain=15, opens_on=27).effects().items != ()
    late = World(gain=15, opens_on=26, due=26)
    assert late.effects().items == ()


def test_with_fewer_than_sixty_scores_there_is_no_outcome() -> None:
    found = World(gain=15, size=59).effects()
    assert (found.outcome, found.learners, found.items) == (None, 0, ())
    small = World(gain=15, size=62)
    small.scores["learner-000"] = handed_in()
    assert small.effects().learners == 61


def test_the_latest_work_with_enough_scores_is_the_outcome_and_of_equals_the_heaviest() -> None:
    world = World(gain=15)
    world.work = dict.fromkeys(world.work, tasks(task("A", 5), task("B", 30), task("C", 30, weight=2), task("D", 39)))
    extra = {learner: handed_in(*s.scores, done("C", 20, 50)) for learner, s in world.scores.items()}
    world.scores = {**extra, "learner-000": handed_in(done("D", 20, 50))}
    assert world.effects().outcome == "B"


def test_banked_and_unmarked_work_is_no_outcome() -> None:
    world = World(gain=15)
    world.scores = {
        learner: handed_in(replace(s.scores[0], banked=True), replace(s.scores[1], score=None))
        for learner, s in world.scores.items()
    }
    assert world.effects().outcome is None


def test_the_future_and_the_order_of_people_never_matter() -> None:
    world = World(gain=15)
    before = world.effects()
    for learner in world.logs:
        world.logs[learner] = log(world.logs[learner].interactions * 2, opened("spoiler", 41))
        world.scores[learner] = handed_in(*world.scores[learner].scores[::-1], done("C", 41, 99))
        world.work[learner] = tasks(*world.work[learner].assessments, task("C", 41))
    names = sorted(world.logs)
    Random(3).shuffle(names)
    world.logs = {name: world.logs[name] for name in names}
    assert world.effects() == before


def test_who_has_not_enrolled_is_not_compared() -> None:
    world = World(gain=15)
    world.stays["learner-000"] = takes(taking(enrolled=41))
    world.stays["learner-001"] = takes(taking("other"))
    assert world.effects().learners == 78
