"""How busy a course is inside each organization, which the gateway reads beside a learner's own activity."""

from collections.abc import Iterator

from analytics.course import CoursePulse, course_pulse
from analytics.declare import Everyone, Withheld
from analytics.evaluation.sample import Learner, Presentation


def with_pulses(run: Presentation, day: int) -> Iterator[tuple[Learner, tuple[CoursePulse, ...] | None]]:
    """Everyone present on a day with the pulse of the course in their organization; None where that is withheld."""
    homes: dict[str, list[Learner]] = {}
    for learner in run.present(day):
        homes.setdefault(learner.home, []).append(learner)
    for _, learners in sorted(homes.items()):
        pulse = course_pulse(
            Everyone({one.id: one.interactions for one in learners}),
            Everyone({one.id: one.progress for one in learners}),
            course=run.run.id,
            at=run.at(day),
        )
        pulses = None if isinstance(pulse, Withheld) else (pulse,)
        for one in learners:
            yield one, pulses
