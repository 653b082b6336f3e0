"""Item-days: one item opened on one day, however often. The measure of activity that counters cannot inflate."""

from datetime import date

from datasources.content import Interactions

EARLIEST = date.min


def item_days(
    interactions: Interactions, course: str, *, after: date = EARLIEST, until: date
) -> frozenset[tuple[str, date]]:
    """The (content id, day) pairs of one learner in one course: later than `after`, and until `until`, it included."""
    return frozenset(
        (i.content_id, i.date)
        for i in interactions.interactions
        if i.course_id == course and i.actions > 0 and after < i.date <= until
    )
