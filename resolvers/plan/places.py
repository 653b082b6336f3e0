"""Where a subject stands in a document: by itself, or as one of the rows of a page."""

from __future__ import annotations

from binascii import b2a_base64
from itertools import repeat
from typing import TYPE_CHECKING, Protocol, TypeVar

from analytics.planned import Unplanned
from resolvers.plan.writing import dumps

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.planned import Term
    from resolvers.plan.answers import Shape
    from resolvers.plan.drafting import Column, Draft, Maker, Told

P_co = TypeVar("P_co", covariant=True)

PERSON = {"id": ("id", "ids"), "userId": ("id", "ids"), "displayName": ("name", "names")} | {
    "department": ("department", "departments")
}
"""What is shown of a person: the field, where a person has it, and the column of a page that has it."""


class Place(Protocol[P_co]):
    """A subject of the document; what it makes is a piece of the subject's text."""

    @property
    def about(self) -> int | None:
        """The subject, as `analytics.planned` counts; None for one of many."""

    def shown(self, name: str, kind: str) -> P_co:
        """A field that says who somebody is. Raises `Unplanned` where there is none such."""

    def answer(self, shape: Shape, term: Maker[Term]) -> P_co:
        """An answer about the subject."""

    def same(self, told: Told) -> P_co:
        """What does not depend on the subject."""


class Alone:
    """A subject by itself: a person, the organization or the market."""

    def __init__(self, draft: Draft, about: int) -> None:
        self._draft = draft
        self.about = about

    def shown(self, name: str, kind: str) -> Told:
        """A field of a person's card."""
        if name not in PERSON:
            raise Unplanned
        (attribute, _), write, about = PERSON[name], _writer(name, kind), self.about
        return lambda scene: write(getattr(scene.found.people[about], attribute))

    def answer(self, shape: Shape, term: Maker[Term]) -> Told:
        """One of the answers found."""
        point = self._draft.point(self.about, term)
        return lambda scene: shape.one(scene.found.answers[point], scene.tier)

    def same(self, told: Told) -> Told:
        """As it is."""
        return told


class Among:
    """The people of a page, all at once. Its `terms` grow while it is read."""

    about = None

    def __init__(self) -> None:
        self.terms: list[Maker[Term]] = []

    def shown(self, name: str, kind: str) -> Column:
        """A column of their cards."""
        if name not in PERSON:
            raise Unplanned
        (_, column), write = PERSON[name], _writer(name, kind)
        return lambda _scene, rows: map(write, getattr(rows, column))

    def answer(self, shape: Shape, term: Maker[Term]) -> Column:
        """A column of answers."""
        self.terms.append(term)
        place = len(self.terms) - 1
        return lambda scene, rows: shape.many(rows.answers[place], scene.tier, len(rows.ids))

    def same(self, told: Told) -> Column:
        """The same in each row."""
        return lambda scene, rows: repeat(told(scene), len(rows.ids))


def global_ids(kind: str) -> Callable[[str], bytes]:
    """Writes ids as `resolvers.ids.to_global` spells them, without the detours: a page has hundreds."""
    before = f"{kind}:".encode()

    def write(ident: str) -> bytes:
        return b'"%b"' % b2a_base64(before + ident.encode(), newline=False).rstrip(b"=").translate(_URL_SAFE)

    return write


def _writer(name: str, kind: str) -> Callable[[str], bytes]:
    return global_ids(kind) if name == "id" else dumps


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
