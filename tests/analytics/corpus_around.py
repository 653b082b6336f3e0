"""What surrounds the work of the corpus: skills, practice, talk, content items, the organization and the market."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from corpus_plan import (
    AT,
    DEPARTMENTS,
    KINDS,
    ORGANIZATION,
    PLANS,
    REGIONS,
    SKILLS,
    TRAINERS,
    Corpus,
    Plan,
    course_of,
)

from datasources.content import Content, Usage, UsageDay
from datasources.course import Teaching
from datasources.devlab import MasteryCompletion, MasteryCompletions, PracticeSession, PracticeSessions
from datasources.directory import Goal, Goals, GoalSkill, Kpi, Kpis, Login, Logins, Members, Organization, User
from datasources.learner_ai import (
    LearningPath,
    LearningPaths,
    PathStep,
    SuggestedForecast,
    SuggestedRisk,
    Suggestion,
    Suggestions,
)
from datasources.rag import ChatHistory, Message
from datasources.skills import (
    AcquiredSkill,
    Demand,
    RequiredSkill,
    RequiredSkills,
    SkillAcquisition,
    SkillDemand,
    UserSkill,
    UserSkills,
)

if TYPE_CHECKING:
    from random import Random


def skills(made: Corpus, rng: Random, number: int, learner: str, ability: float) -> None:
    days = [int(300 * rng.random()) for _ in SKILLS]
    levels = [float(int(60 * ability + 40 * rng.random())) for _ in SKILLS]
    known = [
        (skill, AT - timedelta(days=day), level)
        for place, (skill, day, level) in enumerate(zip(SKILLS, days, levels, strict=True))
        if (number + place) % 5
    ]
    sessions = [
        PracticeSession(
            f"{learner}-p{place}",
            f"exercise-{place % 5}",
            AT - timedelta(days=8 * place + number % 8, hours=3),
            (SKILLS[place % 4],),
            None if place % 6 == 5 else AT - timedelta(days=8 * place + number % 8, hours=2),
            None if place % 6 == 5 else round((ability + rng.random()) / 2, 2),
        )
        for place in range(9 * (number % 2))
    ]
    made.put(
        learner,
        UserSkills(tuple(UserSkill(skill, skill.title(), level, at) for skill, at, level in known)),
        SkillAcquisition(tuple(AcquiredSkill(skill, skill.title(), at, level) for skill, at, level in known[:2])),
        RequiredSkills(
            tuple(
                RequiredSkill(skill, skill.title(), 50.0 + 10 * place, 1.0 - place / 5)
                for place, skill in enumerate(SKILLS[number % 2 :])
            )
        ),
        PracticeSessions(tuple(sessions)),
        MasteryCompletions(
            tuple(MasteryCompletion(one.exercise_id, one.completed_at) for one in sessions[:1] if one.completed_at)
        ),
    )


def talk(made: Corpus, number: int, learner: str) -> None:
    made.put(
        learner,
        Suggestions((Suggestion(f"beta-i{number % 12:02d}", "content", "Something to open", confidence=0.5),)),
        SuggestedRisk(0.5 if number % 3 else None),
        SuggestedForecast(60.0 if number % 3 else None),
        LearningPaths(_path(number)),
        ChatHistory(
            tuple(Message(f"{learner}-m{n}", "user", "How?", AT - timedelta(days=n)) for n in range(number % 4))
        ),
        Logins(tuple(Login(AT - timedelta(days=n, hours=1), 600 + 60 * number) for n in range(number % 6))),
    )


def _path(number: int) -> tuple[LearningPath, ...]:
    done = number % 4
    steps = tuple(PathStep(n, "course", f"Step {n}", "completed" if n <= done else "open") for n in range(1, 5))
    return (LearningPath("path", "To the top", steps),) if number % 3 else ()


def item_of(made: Corpus, plan: Plan, item: int) -> None:
    key = f"{plan.id}-i{item:02d}"
    days = tuple(UsageDay((AT - timedelta(days=day)).date(), item + day) for day in range(3))
    made.put(
        key,
        Content(
            key,
            f"{KINDS[item % 4].title()} {item}",
            KINDS[item % 4],
            plan.id,
            duration_seconds=(None, 300, 1200)[item % 3],
            creation=(None, "written", "recorded")[item % 3],
        ),
        Usage(10 * item, item, 0.5 if item % 2 else None, days),
    )


def around(made: Corpus) -> None:
    """The organization, its staff, and the market."""
    for trainer in TRAINERS:
        made.put(
            trainer,
            User(trainer, trainer.title(), ORGANIZATION, ("trainer",)),
            Teaching(tuple(course_of(plan) for plan in PLANS if plan.trainer == trainer)),
        )
    users = [fact for (kind, _), fact in made.facts.items() if kind is User]
    made.put(
        ORGANIZATION,
        Organization(ORGANIZATION, "Corpus", None, "Education", len(users), REGIONS, DEPARTMENTS),
        Members(tuple(users)),
        Kpis(
            (
                Kpi("speed", "Days to competency", 40.0, 30.0, 60.0, 2.0, "days"),
                Kpi("finished", "Courses finished", 70.0, 80.0, 50.0, 1.0, "%", "2025"),
                Kpi("unknown", "Never measured", None, 1.0, 0.0),
            )
        ),
        Goals(
            (
                Goal("sharp", "Sharper", 2.0, (GoalSkill("analysis", 70.0), GoalSkill("building", 60.0, 0.5))),
                Goal("kind", "Kinder", 1.0, (GoalSkill("caring", 50.0, 0.8),)),
            )
        ),
    )
    made.put(
        "",
        SkillDemand(
            tuple(
                Demand(skill, skill.title(), count, count // 4, hot=count > 500, period=period)
                for period, counts in (("2025-12", (800, 300, 40, 90)), ("2026-01", (900, 310, 20, 95)))
                for skill, count in zip(SKILLS, counts, strict=True)
            )
        ),
    )
