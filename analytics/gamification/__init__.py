"""Points, levels, streaks, badges and places on a leaderboard: what learners earn by learning."""
