"""The cards of the organization's dashboard, and of the market."""

from resolvers.cards.declare import Card, same

ANALYTICS = "organization.analytics"
NO_ADVICE = "Nothing says what would work for a group."

CARDS = (
    Card(
        "org-learning-velocity",
        f"{ANALYTICS}.learningVelocity",
        {
            "distribution": "distribution.share",
            "trends.velocity": "trends.velocityBefore",
            "trends.trendPercentage": "trends.percentage",
        }
        | same(
            "overallVelocity departmentBreakdown.department departmentBreakdown.velocity "
            "departmentBreakdown.learnerCount departmentBreakdown.averageProgress"
        ),
        absent={
            "trends.timePeriod": "It is always 30 days.",
            "insights": "No formula writes prose; the numbers and their descriptions say it.",
        },
    ),
    Card(
        "org-strategic-alignment",
        f"{ANALYTICS}.strategicAlignment",
        {
            "strategicGoals.goal": "strategicGoals.name",
            "strategicGoals.alignment": "strategicGoals.coverage",
            "strategicGoals.progress": "strategicGoals.coverage",
            "skillGaps.skill": "skillGaps.name",
        }
        | same(
            "overallAlignment strategicGoals.learnerCount strategicGoals.completionRate skillGaps.currentLevel "
            "skillGaps.requiredLevel skillGaps.gapSize skillGaps.priority skillGaps.affectedLearners"
        ),
        absent={
            "trainingCompliance": "No service says which training is mandatory.",
            "recommendations": NO_ADVICE,
        },
    ),
    Card(
        "org-learning-culture",
        f"{ANALYTICS}.learningCulture",
        {
            "cultureDimensions": "cultureDimensions.participation",
            "engagementMetrics.participationRate": "cultureDimensions.participation",
            "engagementMetrics.peerLearning": "cultureDimensions.social",
            "learningBehaviors.preferredMethods": "learningBehaviors.preferredMethods.content",
            "trends": "trends.direction",
        }
        | same("overallCulture learningBehaviors.averageSessionLength learningBehaviors.frequency"),
        absent={
            "engagementMetrics.voluntaryLearning": "No service says which learning was assigned and which was chosen.",
            "recommendations": NO_ADVICE,
        },
    ),
    Card(
        "org-performance",
        f"{ANALYTICS}.performance",
        {
            "performanceMetrics": "performanceMetrics.attainment",
            "keyPerformanceIndicators.completionRate": "performanceMetrics.completionRate",
        }
        | same(
            "overallPerformance departmentPerformance.department departmentPerformance.performance "
            "departmentPerformance.skillDevelopmentRate departmentPerformance.retentionRate"
        ),
        absent={
            "keyPerformanceIndicators.timeToCompetency": "No service says when somebody set out to become competent; "
            "where the directory holds such a key figure, it is among `keyPerformanceIndicators`.",
            "keyPerformanceIndicators.skillGapReduction": "Levels of the past are not kept; "
            "`departmentPerformance.skillDevelopmentRate` counts the skills reached.",
            "trends": "The directory gives key figures without a history.",
        },
    ),
    Card(
        "comparison-skill-demand",
        "market.skillDemand",
        {
            "skillDemand.skill": "skillDemand.name",
            "skillDemand.growthRate": "skillDemand.growth",
            "supply": "skillDemand.supply",
            "shortage": "skillDemand.shortage",
        }
        | same("skillDemand.demandScore skillDemand.rank skillDemand.trend skillDemand.count"),
        absent={
            "byCategory": "The skills service gives no categories.",
            "forecast": "A line through one or two periods is no forecast.",
        },
    ),
    Card(
        "any card",
        "organization",
        {},
        absent=dict.fromkeys(
            ("salaries", "revenue", "satisfaction", "costs", "return on investment", "industry averages"),
            "No service supplies it, and no formula can say it.",
        ),
    ),
)
