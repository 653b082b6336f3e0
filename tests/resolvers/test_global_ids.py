"""Global ids are opaque, exact and come back."""

import base64
import uuid

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasources.postgres.pages import Window
from resolvers.errors import BadInput
from resolvers.ids import GlobalId, course_of, from_global, to_global, uuid_of
from resolvers.pages import cursor, window

KINDS = st.sampled_from(["Learner", "Trainer", "Organization", "Job"])


@given(KINDS, st.uuids())
def test_an_id_comes_back_as_what_it_was(kind: str, ident: uuid.UUID) -> None:
    text = to_global(kind, str(ident))
    assert from_global(text) == GlobalId(kind, str(ident))
    assert uuid_of(text, kind) == str(ident)
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=300))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        found = from_global(text)
    except BadInput:
        return
    assert to_global(found.type, found.uuid) == text


@given(KINDS, st.uuids(), st.data())
def test_no_id_has_a_second_spelling(kind: str, ident: uuid.UUID, data: st.DataObject) -> None:
    text = to_global(kind, str(ident))
    where = data.draw(st.integers(0, len(text)))
    for odd in (text + "=", text[:where] + " " + text[where:], text + "A"):
        with pytest.raises(BadInput):
            from_global(odd)


@pytest.mark.parametrize("text", ["urn:uuid:{}", "{{{}}}", " {}"])
def test_a_uuid_is_written_plainly(text: str) -> None:
    with pytest.raises(BadInput):
        uuid_of(text.format(uuid.UUID(int=7)), "Learner")


@given(st.none() | st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=2000), st.text(max_size=100))
def test_a_cursor_comes_back_as_the_key_it_was(rank: float | None, by: str, ident: str) -> None:
    key = (rank, by, ident)
    assert window(None, cursor("NAME ASC", key), None, None, "NAME ASC") == Window(20, key, None, None)
    assert window(None, None, 5, cursor("NAME ASC", key), "NAME ASC") == Window(None, None, 5, key)


@pytest.mark.parametrize("told", [("A",), ("A", 1, "b", "c"), ("A", None, "b", 1), ("A", "1", "b", "c"), "A", None])
def test_what_is_shaped_otherwise_is_no_cursor(told: object) -> None:
    text = base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")
    with pytest.raises(BadInput, match="not a cursor"):
        window(None, text, None, None, "A")


def test_a_cursor_of_another_order_is_refused() -> None:
    with pytest.raises(BadInput, match="another order"):
        window(None, cursor("RISK DESC", (-50.0, "Ann", "1")), None, None, "RISK ASC")


@given(st.text(min_size=1, max_size=100))
def test_a_course_is_told_by_its_global_id_and_by_its_own(course: str) -> None:
    assert course_of(to_global("Course", course)) == course
    assert course_of(course) == course
