"""What all three cards say about their data, and how a card lists its features."""

from collections.abc import Mapping
from typing import Any

from analytics.training.fit import Fitted, K

DATA = {
    "name": "Open University Learning Analytics Dataset (OULAD), 15 presentations of 2013B, 2013J and 2014B",
    "source": "Kuzilek J., Hlosta M., Zdrahal Z. (2017), Scientific Data 4:170171, doi:10.1038/sdata.2017.171",
    "licence": "CC BY 4.0",
    "changes": "30-day cumulative tables derived from the click log; gender, disability and deprivation left out",
}

LATER = "2014B"
"""The presentations that came last in the tables: the test of a model that only saw earlier ones."""

SEALED = (
    "The 2014J presentations are sealed and were not available: leave-one-presentation-out is the honest figure; "
    "it still shares courses, and persons who register twice, between training and test."
)
ASSOCIATIONS = "Associations, not causes: changing a factor is not shown to change the outcome."


def features_table(
    fitted: Fitted, reference: Mapping[K, float], says: Mapping[K, str], signs: Mapping[K, int]
) -> list[dict[str, Any]]:
    """One row for each feature: what it is, its coefficient, the mean learner's value, the sign it may have."""
    return [
        {
            "feature": str(name),
            "says": says[name],
            "coefficient": fitted.weights[name],
            "reference": reference[name],
            "sign": {-1: "not above 0", 0: "either", 1: "not below 0"}[sign],
        }
        for name, sign in signs.items()
    ]
