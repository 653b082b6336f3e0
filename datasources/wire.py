"""What a service says, checked at the boundary: JSON in camelCase to facts, and back.

One item that breaks its type spoils itself only, never the batch it came in. Items are checked one by
one (as fast as all at once, since the JSON is parsed once), so a thread that reads a large body lets
the event loop breathe between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from datasources.packed import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Collection

F = TypeVar("F")


class NonsenseError(ValueError):
    """What a service said is not JSON, or not of the agreed shape."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[F]):
    """What is known of the ids that were asked: each is in exactly one of the three; `size` is the bytes it came in."""

    facts: dict[str, F] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    spoiled: frozenset[str] = frozenset()
    size: int = 0


class Wire(Generic[F]):
    """The boundary of one type of fact."""

    def __init__(self, fact_type: type[F]) -> None:
        # Optional, because pydantic takes no configuration for a bare dataclass; null is refused below.
        self._adapter: TypeAdapter[F | None] = TypeAdapter(
            cast("Any", fact_type) | None, config=ConfigDict(alias_generator=to_camel, allow_inf_nan=False)
        )

    def one(self, payload: str | bytes) -> F:
        """The fact in a payload.

        Raises:
            NonsenseError: it is not JSON, or not this fact.
        """
        return self._checked(_parsed(payload))

    def many(self, body: bytes, ids: Collection[str]) -> Batch[F]:
        """The facts in the answer of a batch twin; what was not asked is ignored, what was not answered is spoiled.

        Raises:
            NonsenseError: it is not JSON, or has no `items`.
        """
        envelope = _parsed(body)
        items = envelope.get("items") if isinstance(envelope, dict) else None
        missing = envelope.get("missing", []) if isinstance(envelope, dict) else None
        if not isinstance(items, dict) or not isinstance(missing, list):
            msg = "a batch is {items: {id: payload}, missing: [id]}"
            raise NonsenseError(msg)
        facts: dict[str, F] = {}
        spoiled = set()
        unknown = frozenset(key for key in missing if isinstance(key, str))
        for key in ids:
            if key in items:
                try:
                    facts[key] = self._checked(items[key])
                except NonsenseError:
                    spoiled.add(key)
            elif key not in unknown:
                spoiled.add(key)
        return Batch(facts, unknown.intersection(ids) - facts.keys() - spoiled, frozenset(spoiled), len(body))

    def text(self, fact: F | bytes) -> str:
        """The payload of a fact, packed or not: what `one` reads back as the same fact."""
        return (unpack(fact) if isinstance(fact, bytes) else self._adapter.dump_json(fact, by_alias=True)).decode()

    def packed(self, fact: F) -> bytes:
        """A fact as it is held where thousands are (`datasources.packed`)."""
        return pack(self._adapter.dump_json(fact, by_alias=True))

    def unpacked(self, packed: bytes) -> F:
        """The fact that was packed."""
        return self.one(unpack(packed))

    def _checked(self, data: Any) -> F:
        try:
            fact = self._adapter.validate_python(data)
        except ValidationError as problem:
            raise NonsenseError(problem.title) from problem
        if fact is None:
            msg = "null is not a fact"
            raise NonsenseError(msg)
        return fact


def _parsed(payload: str | bytes) -> Any:
    try:
        return from_json(payload)
    except ValueError as problem:
        msg = "not JSON"
        raise NonsenseError(msg) from problem


_WIRES: dict[type[Any], Wire[Any]] = {}


def wire_of(fact_type: type[F]) -> Wire[F]:
    """The boundary of a type of fact, built once."""
    if fact_type not in _WIRES:
        _WIRES[fact_type] = Wire(fact_type)
    return _WIRES[fact_type]
