"""What the served formulas are worth on real learners: `python -m analytics.evaluation DATA_DIR`.

The only code that reads how a course ended beside what was known before. Needs the `train` extra (numpy,
scipy). Nothing that serves answers imports it.
"""
