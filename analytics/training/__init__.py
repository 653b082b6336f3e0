"""How the risk model is fitted and judged: `python -m analytics.training DATA_DIR`.

Needs the `train` extra (numpy, scipy). Nothing that serves answers imports it.
"""
