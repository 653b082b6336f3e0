from dataclasses import replace

import pytest

from analytics.codec import decode, encode
from analytics.content_effectiveness import ContentEffectiveness, content_effectiveness
from analytics.course import ContentEffects
from analytics.declare import DataQuality, DataQualityLevel, Withheld, WithheldReason
from analytics.effects import Contrast, shrunk_effects
from analytics.shelf import CourseShelf, ShelfItem
from datasources.content import Interactions
from tests.analytics.made import COURSE, log, on, opened

QUALITY = DataQuality(80, 30, DataQualityLevel.OK)
TYPES = {"good": "video", "fine": "page", "bad": "forum", "meh": "page"}
FOUND = {
    "good": Contrast(20, 1, 40, 40, 80),
    "fine": Contrast(10, 1, 60, 60, 120),
    "bad": Contrast(-10, 1, 40, 40, 80),
    "meh": Contrast(0, 1, 40, 40, 80),
}
EFFECTS = ContentEffects(COURSE, "B", 200, 60, shrunk_effects(FOUND, TYPES), QUALITY)
SHELVES = (
    CourseShelf(
        COURSE,
        60,
        (
            ShelfItem("good", "Loops", "video", None, "uploaded", 20, 0.5),
            ShelfItem("fine", "Lists", "page", None, "written", 20, 0.5),
            ShelfItem("meh", None, "page", None, "written", 20, 0.5),
            ShelfItem("bad", None, "forum", None, None, 20, 0.5),
        ),
        (),
        (),
        QUALITY,
    ),
)
NOTHING = replace(EFFECTS, items=(), closest=23)


def said(interactions: Interactions, *effects: ContentEffects) -> ContentEffectiveness:
    value = content_effectiveness(interactions, effects or (EFFECTS,), SHELVES, at=on(60))
    assert isinstance(value, ContentEffectiveness)
    return value


def test_own_use_meets_the_effect() -> None:
    """tau^2 = (400 + 100 + 100 + 0) / 4 - 1 = 149, so 149/150 is kept; used: good twice, bad once."""
    value = said(log(opened("good", 3, 4), opened("bad", 5), opened("unrated", 5)))
    kept = 149 / 150
    assert value.content_effectiveness == pytest.approx(kept * (20 + 20 - 10) / 3)
    assert [(i.content_id, i.used, i.n) for i in value.items] == [
        ("good", 2, 80),
        ("fine", 0, 120),
        ("meh", 0, 80),
        ("bad", 1, 80),
    ]
    assert value.method == "association, not cause"
    assert value.quality.observations == 3


def test_types_are_summed_up() -> None:
    value = said(log(opened("good", 3, 4), opened("bad", 5), opened("fine", 5)))
    by_type = {kind.type: kind for kind in value.by_type}
    assert list(by_type) == ["video", "page", "forum"]
    assert by_type["page"].effect == pytest.approx(149 / 150 * (10 * 120 + 0) / 200)
    assert (by_type["page"].items, by_type["page"].completion_rate, by_type["page"].engagement) == (2, 0.5, 0.25)


def test_ways_of_creation_are_summed_up_where_the_content_service_says_them() -> None:
    """Used: `good` twice, `fine` once, and `bad`, of which nobody says how it was made, once."""
    value = said(log(opened("good", 3, 4), opened("bad", 5), opened("fine", 5)))
    assert [(way.creation, way.items, way.completion_rate, way.engagement) for way in value.by_creation] == [
        ("uploaded", 1, 1, pytest.approx(2 / 3)),
        ("written", 2, 0.5, pytest.approx(1 / 3)),
    ]
    assert value.by_creation[1].effect == pytest.approx(149 / 150 * (10 * 120 + 0) / 200)
    unknown = content_effectiveness(log(), (EFFECTS,), None, at=on(60))
    assert isinstance(unknown, ContentEffectiveness)
    assert unknown.by_creation == ()
    assert {item.title for item in unknown.items} == {None}


def test_titles_are_those_of_the_content_service() -> None:
    value = said(log(opened("fine", 3)))
    assert [item.title for item in value.items] == ["Loops", "Lists", None, None]
    assert [one.title for one in value.recommendations] == ["Loops"]


def test_only_helpful_items_that_are_not_opened_are_suggested() -> None:
    assert [s.content_id for s in said(log()).recommendations] == ["good", "fine"]
    assert [s.content_id for s in said(log(opened("good", 60))).recommendations] == ["fine"]
    assert "19.9 points more" in said(log()).recommendations[0].reason


def test_who_used_nothing_has_no_mean() -> None:
    assert said(log()).content_effectiveness is None


def test_the_same_item_of_another_course_is_not_used_and_the_future_has_not_happened() -> None:
    value = said(log(opened("good", 3, course="other"), opened("good", 61)))
    assert value == said(log())


def test_order_and_repeats_never_matter() -> None:
    made = opened("good", 3, 4) + opened("bad", 5)
    other = replace(EFFECTS, course="other")
    assert said(log(made), EFFECTS, other) == said(log(made[::-1], made), other, EFFECTS, EFFECTS)


def test_when_no_item_qualifies_the_reason_says_what_is_missing() -> None:
    withheld = content_effectiveness(log(opened("good", 3)), (NOTHING,), None, at=on(60))
    assert isinstance(withheld, Withheld)
    assert (withheld.reason, withheld.needed) == (WithheldReason.NOT_ENOUGH_DATA, 30)
    assert "the nearest has 23" in withheld.message


def test_a_handful_of_people_is_not_counted_out_loud() -> None:
    withheld = content_effectiveness(log(), (replace(NOTHING, closest=3),), None, at=on(60))
    assert isinstance(withheld, Withheld)
    assert "fewer than 10" in withheld.message


def test_without_a_course_there_is_nothing_to_compare() -> None:
    withheld = content_effectiveness(log(), (), None, at=on(60))
    assert isinstance(withheld, Withheld)
    assert "no running course" in withheld.message


def test_it_survives_the_wire() -> None:
    value = said(log(opened("good", 3)))
    assert encode(decode(ContentEffectiveness, encode(value), value.quality)) == encode(value)
    assert decode(ContentEffects, encode(EFFECTS), QUALITY).items[0].content_id == "bad"
