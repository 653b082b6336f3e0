"""The cards of the trainer's dashboard."""

from resolvers.cards.declare import Card, same

ANALYTICS = "trainer.analytics"
HISTORY = f"{ANALYTICS}.teachingEffectiveness.value.courses.vsOwnHistory"

CARDS = (
    Card(
        "trainer-course-performance",
        f"{ANALYTICS}.coursePerformance",
        {"courses.course": "courses.title", "enrollment over time": "courses.enrollment.enrolled"}
        | same(
            "overallPerformance courses.performance courses.studentCount courses.activeCount courses.completionRate "
            "courses.passRate courses.averageScore courses.averageTimeToComplete"
        ),
        {"trends": f"{HISTORY}.direction", "insights": f"{ANALYTICS}.courseHealth.value.alerts.description"},
    ),
    Card(
        "trainer-course-health",
        f"{ANALYTICS}.courseHealth",
        {
            "courses.course": "courses.title",
            "alerts": "alerts.description",
            "funnel.enrolled": "courses.funnel.enrolled",
            "funnel.active": "courses.funnel.active",
            "funnel.submitted": "courses.funnel.submitted",
            "funnel.completed": "courses.funnel.completed",
            "problemModules": "problemModules.title",
        }
        | same(
            "overallHealth courses.healthScore courses.issues.type courses.issues.severity courses.issues.description "
            "courses.recommendations.action courses.recommendations.priority activityHeatmap.weekday atRiskCount"
        ),
        absent={"activityHeatmap.hour": "The course service tells of days, not of hours."},
    ),
    Card(
        "trainer-student-distribution",
        f"{ANALYTICS}.studentDistribution",
        {"distribution.byCourse": "distribution.byCourse.learners"}
        | {f"distribution.{by}": f"distribution.{by}.learners" for by in ("bySkillLevel", "byProgress", "byRisk")}
        | {
            "distribution.byEngagement": "distribution.byEngagement.learners",
            "scoreHistogram": "scoreHistogram.learners",
            "attempts": "attempts.learners",
        }
        | same("totalStudents boxPlot.p25 boxPlot.p50 boxPlot.p75 boxPlot.p90"),
    ),
    Card(
        "trainer-teaching-effectiveness",
        f"{ANALYTICS}.teachingEffectiveness",
        {"trends": "courses.vsOwnHistory.direction", "vsOwnHistory": "courses.vsOwnHistory.difference"}
        | same(
            "overallEffectiveness metrics.learningOutcomes metrics.engagementRate metrics.retentionRate strengths "
            "areasForImprovement"
        ),
        absent={
            "peer ranks": "What a course adds over its intake is mostly the course, not the trainer: "
            "courses are compared with their own earlier runs alone.",
            "satisfaction": "No service asks learners how satisfied they are.",
        },
    ),
)
