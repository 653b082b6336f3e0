"""Global ids are opaque, exact and come back."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.errors import BadInput
from resolvers.ids import GlobalId, from_global, to_global, uuid_of
from resolvers.pages import Window, cursor, window

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


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_cursor_comes_back_as_the_key_it_was(by: str, ident: str) -> None:
    assert window(None, cursor((by, ident)), None, None) == Window(20, (by, ident), None, None)
    assert window(None, None, 5, cursor((by, ident))) == Window(None, None, 5, (by, ident))
