from datetime import UTC, datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.codec import decode, encode
from analytics.declare import DataQuality, DataQualityLevel, Everyone, Withheld, WithheldReason
from analytics.learner import Mastery
from analytics.learner.knowledge import MasteryState, SkillMastery
from analytics.skill_comparison import CourseSkills, SkillComparisons, SkillLevels, course_skills, skills

AT = datetime(2026, 3, 2, tzinfo=UTC)
QUALITY = DataQuality(10, 30, DataQualityLevel.OK)


def masters(**levels: float | None) -> Mastery:
    shown = tuple(
        SkillMastery(skill, skill.title(), level, MasteryState.DEVELOPING, 0.5, 2, None)
        for skill, level in levels.items()
    )
    return Mastery(None, shown, (), 0, len(shown), QUALITY)


def of_course(everyone: list[Mastery], course: str = "c") -> CourseSkills | Withheld:
    return course_skills(Everyone({f"learner-{i}": one for i, one in enumerate(everyone)}), course=course, at=AT)


def told(everyone: list[Mastery], course: str = "c") -> CourseSkills:
    value = of_course(everyone, course)
    assert isinstance(value, CourseSkills)
    return value


def test_a_skill_is_told_from_eleven_learners_in_steps_of_five() -> None:
    """0, 10, ... 100: mean and median 50; 11 learners are told as 10. `sql` has been shown by 10 and is not told."""
    everyone = [masters(python=i / 10, sql=0.5 if i else None) for i in range(11)]
    assert told(everyone).skills == (SkillLevels("python", 50, 50, 10),)
    few = of_course(everyone[1:])
    assert isinstance(few, Withheld)
    assert (few.reason, few.needed) == (WithheldReason.TOO_FEW_PEERS, 11)


def test_fifty_and_more_are_told_exactly() -> None:
    """20 at 30 and 31 at 81: the mean is (600 + 2511) / 51 = 61, the median 81."""
    everyone = [masters(python=0.3)] * 20 + [masters(python=0.81)] * 31
    assert told(everyone).skills == (SkillLevels("python", 61, 81, 51),)


def test_own_skills_stand_beside_those_of_the_course_where_most_have_shown_them() -> None:
    small, large = told([masters(python=0.2)] * 12, "a"), told([masters(python=0.6)] * 60, "b")
    value = skills(masters(python=0.754, unshown=None, alone=0.9), (small, large), at=AT)
    assert isinstance(value, SkillComparisons)
    (one,) = value.skills
    assert (one.skill_id, one.name, one.course_id, round(one.own, 1)) == ("python", "Python", "b", 75.4)
    assert (one.mean, one.median, one.learners) == (60, 60, 60)
    assert skills(masters(python=0.754), (large, small), at=AT) == skills(masters(python=0.754), (small, large), at=AT)


def test_a_learner_nobody_can_be_compared_with_is_told_so() -> None:
    for own, courses in ((masters(python=0.5), ()), (masters(python=None), (told([masters(python=0.2)] * 12),))):
        value = skills(own, courses, at=AT)
        assert isinstance(value, Withheld)
        assert (value.reason, value.needed) == (WithheldReason.TOO_FEW_PEERS, 10)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=11, max_size=70), st.randoms())
def test_the_mean_lies_between_the_levels_and_nothing_names_or_singles_out_anybody(
    levels: list[float], chance: Random
) -> None:
    everyone = [masters(python=level) for level in levels]
    value = told(everyone)
    (one,) = value.skills
    for number in (one.mean, one.median):
        assert 100 * min(levels) - 2.6 <= number <= 100 * max(levels) + 2.6
    assert one.learners >= 10
    chance.shuffle(everyone)
    assert told(everyone) == value
    assert "learner-" not in str(encode(value))
    assert encode(decode(CourseSkills, encode(value), value.quality)) == encode(value)
