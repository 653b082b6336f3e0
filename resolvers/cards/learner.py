"""The cards of the learner's dashboard that say what is so."""

from resolvers.cards.declare import Card, same

ANALYTICS = "learner.analytics"
PACE = f"{ANALYTICS}.velocity.value"

CARDS = (
    Card(
        "learner-velocity",
        f"{ANALYTICS}.velocity",
        same("currentPace targetPace averagePace trend trendPercentage estimatedCompletion status")
        | {"history": "history.pace"},
        {"windows of 7, 30, 90 days": f"{ANALYTICS}.velocity(window)"},
    ),
    Card(
        "learner-skill-gap",
        f"{ANALYTICS}.skillGap",
        {
            "currentSkills.skill": "currentSkills.name",
            "requiredSkills.skill": "requiredSkills.name",
            "requiredSkills.priority": "requiredSkills.importance",
            "gaps.skill": "gaps.name",
            "gaps.currentLevel": "gaps.current",
            "gaps.requiredLevel": "gaps.required",
            "gaps.gapSize": "gaps.gap",
            "recommendations.skill": "recommendations.name",
        }
        | same(
            "currentSkills.level currentSkills.lastAssessed requiredSkills.requiredLevel gaps.priority "
            "recommendations.action recommendations.priority criticalGaps coverage"
        ),
        absent={"recommendations.estimatedTime": "No service says how long a gap takes to close."},
    ),
    Card(
        "learner-engagement",
        f"{ANALYTICS}.engagement",
        {
            "weeklyEngagement.week": "weeklyEngagement.lastDay",
            "activityBreakdown.courses": "activityBreakdown.content",
            "activityBreakdown.assessments": "activityBreakdown.quiz",
            "activityBreakdown.discussions": "activityBreakdown.forum",
        }
        | same(
            "overallScore level weeklyEngagement.score trends.direction trends.percentage factors.regularity "
            "factors.intensity factors.breadth daysSinceLastActivity"
        ),
        absent={"activityBreakdown.projects": "The course service tells no project work apart."},
    ),
    Card(
        "learner-mastery",
        f"{ANALYTICS}.mastery",
        {
            "overallMastery": "masteryProgress",
            "skillMastery.skill": "skills.name",
            "skillMastery.masteryLevel": "skills.mastery",
            "skillMastery.state": "skills.state",
            "skillMastery.progress": "skills.mastery",
            "courseMastery.course": "byCourse.courseId",
            "courseMastery.masteryLevel": "byCourse.mastery",
        },
        {
            "courseMastery.completionRate": f"{PACE}.byCourse.progress",
            "learningPath.currentStage": f"{ANALYTICS}.learningPath.value.paths.currentStage",
            "learningPath.nextMilestone": f"{ANALYTICS}.learningPath.value.paths.nextMilestone",
        },
        {"learningPath.estimatedTimeToNext": "No service says how long a step takes."},
    ),
    Card(
        "learner-performance",
        f"{ANALYTICS}.performance",
        {
            "overallPerformance": "overallScore",
            "assessmentScores.assessment": "recent.title",
            "assessmentScores.score": "recent.score",
            "assessmentScores.date": "recent.submittedAt",
            "trend": "trend.direction",
            "strengths": "strengths.skillId",
            "areasForImprovement": "areasForImprovement.skillId",
        }
        | same("averageScore passRate personalBest"),
        {
            "courseProgress.course": f"{PACE}.byCourse.title",
            "courseProgress.progress": f"{PACE}.byCourse.progress",
            "courseProgress.lastAccessed": f"{ANALYTICS}.engagement.value.byCourse.lastAccessed",
            "timeSpent.total": f"{ANALYTICS}.timeSpent.value.total",
            "timeSpent.thisWeek": f"{ANALYTICS}.timeSpent.value.thisWeek",
            "timeSpent.averagePerSession": f"{ANALYTICS}.timeSpent.value.averagePerSession",
        },
    ),
    Card(
        "learner-content-effectiveness",
        f"{ANALYTICS}.contentEffectiveness",
        {
            "contentTypes.type": "byType.type",
            "contentTypes.effectiveness": "byType.effect",
            "contentTypes.engagement": "byType.engagement",
            "contentTypes.completionRate": "byType.completionRate",
            "creationMethods": "byCreation.creation",
            "recommendations.content": "recommendations.contentId",
        }
        | same("contentEffectiveness recommendations.type recommendations.reason"),
        absent={
            "optimalSessionLength": "No service ties a session to what was learned in it.",
            "bestTimeOfDay": "Interactions are told by the day, not by the hour.",
            "learningStyle": "The idea has no evidence.",
        },
    ),
)
