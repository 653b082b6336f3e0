"""Where a learner is on the learning paths that the learner-AI service keeps; a repetition, nothing is worked out.

A path made of mocks would be worthless, so the paths are never mocked: where the service is down, that is said.
"""

from dataclasses import dataclass

from analytics.arithmetic import unique
from analytics.declare import DataQuality, DataQualityLevel, Role, Scope, Withheld, WithheldReason, metric
from datasources.declare import Count, Id, Share, Text
from datasources.learner_ai import LearningPath, LearningPaths

DONE = frozenset({"completed", "done"})
"""The words for a step that is behind the learner, in any case."""


@dataclass(frozen=True, slots=True)
class PathPlace:
    """Where a learner is on one path."""

    path_id: Id
    """The path."""
    title: Text
    """Its title."""
    progress: Share | None
    """The share of its steps that is done; null for a path without steps."""
    current_stage: Text | None
    """The title of the first step that is not done; null when all are."""
    next_milestone: Text | None
    """The title of the step after it that is not done; null when there is none."""
    steps_done: Count
    """Steps that are done."""
    steps: Count
    """All steps."""


@dataclass(frozen=True, slots=True)
class PathPlaces:
    """Where a learner is on each of their learning paths."""

    paths: tuple[PathPlace, ...]
    """The paths, by id."""
    quality: DataQuality
    """The steps of all paths; no step has a day."""


@metric(
    Scope.LEARNER,
    key="learner-learning-path",
    roles={Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN},
    formula="progress = steps done / steps; a step is done when the learner-AI service calls it completed or done",
)
def learning_path(paths: LearningPaths | Withheld) -> PathPlaces | Withheld:
    """Where a learner is on the learning paths that the learner-AI service keeps: what is done, now, and next.

    It repeats what that service says. How long the next step takes is not said: no service knows it.
    """
    if isinstance(paths, Withheld):
        return paths
    followed = sorted(unique(paths.paths, lambda path: path.id), key=lambda path: path.id)
    if not followed:
        return Withheld(WithheldReason.NOT_ENOUGH_DATA, "This learner follows no learning path.", needed=1)
    places = tuple(_place(path) for path in followed)
    steps = sum(place.steps for place in places)
    return PathPlaces(places, DataQuality(steps, 0, DataQualityLevel.OK if steps else DataQualityLevel.NONE))


def _place(path: LearningPath) -> PathPlace:
    steps = sorted(set(path.steps), key=lambda step: (step.order, step.type, step.title, step.status))
    ahead = [step.title for step in steps if step.status.strip().casefold() not in DONE]
    return PathPlace(
        path_id=path.id,
        title=path.title,
        progress=(len(steps) - len(ahead)) / len(steps) if steps else None,
        current_stage=ahead[0] if ahead else None,
        next_milestone=ahead[1] if len(ahead) > 1 else None,
        steps_done=len(steps) - len(ahead),
        steps=len(steps),
    )
