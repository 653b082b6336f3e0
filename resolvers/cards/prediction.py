"""The cards that compare, that look ahead, and that keep score."""

from resolvers.cards.declare import Card, same

RISK = "learner.prediction.dropOffRisk"
FORECAST = "learner.prediction.performanceForecast"
RECOMMENDED = "learner.prediction.recommendations"
PEERS = "learner.comparison.peers"

CARDS = (
    Card(
        "comparison-peer",
        PEERS,
        {
            "userRanking.percentile": "percentile",
            "userRanking.totalPeers": "comparisons.peers",
            "performanceComparisons.metric": "comparisons.metric",
            "performanceComparisons.userValue": "comparisons.own",
            "performanceComparisons.peerAverage": "comparisons.mean",
            "performanceComparisons.peerMedian": "comparisons.median",
            "performanceComparisons.percentile": "comparisons.percentile",
            "scope.organization": "comparisons.rung",
            "insights": "comparisons.standing",
        },
        {
            "skillComparisons": "learner.comparison.skills.value.skills.own",
            "recommendations": f"{RECOMMENDED}.value.recommendations.reason",
        },
        {
            "scope.department": "There is one ladder of peers for everyone: a second one could be subtracted from it.",
            "scope.platform": "Nobody is compared across organizations: tenants never mix.",
        },
    ),
    Card(
        "predictive-drop-off-risk",
        RISK,
        {
            "interventions.timeframe": "interventions.timeframeDays",
            "similar learners": "predictions.calibrationGroup.cases",
        }
        | same(
            "riskScore riskLevel confidence riskFactors.factor riskFactors.weight riskFactors.currentValue "
            "riskFactors.threshold riskFactors.status riskFactors.contribution predictions.nextMonth "
            "interventions.type interventions.priority interventions.action interventions.reason"
        ),
        absent={
            "predictions.nextWeek": "The second model is trained on 30 days; about 3 in 100 leave even in those.",
            "predictions.trend": "Answers of past days are not kept as a series.",
        },
    ),
    Card(
        "predictive-performance-forecast",
        FORECAST,
        {
            "interval": "interval.low",
            "completionTimeline": "byCourse.completionTimeline.estimatedCompletion",
            "influencingFactors": "byCourse.influencingFactors.factor",
        }
        | same("predictedScore confidence scenarios.optimistic scenarios.realistic scenarios.pessimistic"),
        {
            "skillDevelopment.skill": "learner.analytics.mastery.value.skills.name",
            "skillDevelopment.currentLevel": "learner.analytics.mastery.value.skills.mastery",
            "learningVelocity.current": "learner.analytics.velocity.value.currentPace",
        },
        {
            "skillDevelopment.predictedLevel": "No model was checked that says how a skill will develop.",
            "learningVelocity.predicted": "A trend of pace predicts nothing; the timeline supposes the present pace.",
        },
    ),
    Card(
        "predictive-recommendations",
        RECOMMENDED,
        {
            "tags": "recommendations.skillIds",
            "careerAlignment.alignment": "careerAlignment.alignment",
            "careerAlignment.missingSkills": "careerAlignment.missingSkills.name",
            **{
                name: f"recommendations.{name}"
                for name in ("id", "type", "title", "priority", "confidence", "reason", "estimatedTime")
            },
        },
        dict.fromkeys(("save", "dismiss", "done"), "mutation.decideRecommendation"),
        {
            "prerequisites": "No service says what an item needs first.",
            "difficulty": "No service says how hard an item is.",
            "personalizedInsights": "Nothing is known that the reasons do not say.",
            "careerAlignment.targetRole": "The skills service says what a role asks for, not what it is called.",
        },
    ),
    Card(
        "gamification",
        "learner.gamification",
        {
            "badges": "badges.name",
            "milestones": "milestones.reached.points",
            "streaks.history": "streaks.history.days",
            "recentActivity": "recentActivity.title",
        }
        | same(
            "totalPoints level levelProgress nextLevelPoints achievements.name achievements.progress "
            "achievements.target achievements.current streaks.current streaks.longest streaks.average"
        ),
        {
            "leaderboard.rank": "leaderboard.you.rank",
            "leaderboard.percentile": "leaderboard.you.percentile",
            "leaderboard.totalUsers": "leaderboard.total",
        },
    ),
)
