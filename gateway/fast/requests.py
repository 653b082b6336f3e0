"""Requests that were read before: body to document, plan and variables, each body read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from graphql import OperationType

from gateway import wire
from gateway.bounded import Bounded
from gateway.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from graphql import DocumentNode

    from gateway.documents import Document, Documents, Operation
    from gateway.persisted import Persisted
    from resolvers.plan import Plan

    Compile = Callable[[DocumentNode, str | None], Plan | None]

BODIES, BODIES_MIB = 20_000, 16
PLANS = 1_000
AROUND = 2_000
"""Bytes that a request costs beside its text."""


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A request that a plan may answer. `key` is what it says, `tail` what follows the data and the request id."""

    plan: Plan
    variables: Mapping[str, Any] | None
    operation: Operation
    key: Hashable
    tail: bytes
    digest: str | None
    text: str


class Requests:
    """The requests that were read lately, by their bytes, bounded by count and MiB.

    A document is compiled when it is seen for the second time: one that is never asked again is not worth it.
    """

    def __init__(self, documents: Documents, persisted: Persisted, compile_: Compile) -> None:
        self._documents = documents
        self._persisted = persisted
        self._compile = compile_
        self._known: Bounded[bytes, Planned] = Bounded(BODIES, BODIES_MIB << 20)
        self._plans: Bounded[tuple[str, str | None], Plan | bool] = Bounded(PLANS, PLANS)

    def of_body(self, raw: bytes) -> Planned | None:
        """The request in the body of a POST; None where the ordinary way is to read it."""
        return self._known.get(raw) or self._read(raw, lambda: wire.from_body(raw, 0))

    def of_query_string(self, raw: bytes, largest: int) -> Planned | None:
        """The request in the URL of a GET; None where the ordinary way is to read it."""
        key = b"?" + raw
        return self._known.get(key) or self._read(key, lambda: wire.from_query_string(raw, largest))

    def used(self, planned: Planned) -> None:
        """A request was answered: the document that its hash stands for stays known as long as it is asked for."""
        if planned.digest is not None:
            self._persisted.keep(planned.digest, planned.text)

    def _read(self, key: bytes, read: Callable[[], wire.Asked | list[wire.Asked]]) -> Planned | None:
        try:
            asked = read()
            if isinstance(asked, list):
                return None
            text, digest = self._persisted.text(asked.query, asked.extensions)
            document = self._documents.get(text)
            operation = document.operation(asked.operation)
        except Refused:
            return None
        if operation is None or document.errors or operation.kind is not OperationType.QUERY:
            return None
        plan = self._plan(document, operation)
        if plan is None:
            return None
        variables = orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS) if asked.variables else b""
        planned = Planned(
            plan,
            asked.variables,
            operation,
            (document.text, operation.name, variables),
            self._tail(operation),
            digest or _digest(asked),
            document.text,
        )
        self._known.keep(key, planned, AROUND + 2 * len(key))
        return planned

    def _plan(self, document: Document, operation: Operation) -> Plan | None:
        key = document.text, operation.name
        plan = self._plans.get(key)
        if plan is None:
            self._plans.keep(key, value=True)
            return None
        if plan is True and document.ast is not None:
            plan = self._compile(document.ast, operation.name) or False
            self._plans.keep(key, plan)
        return None if isinstance(plan, bool) else plan

    def _tail(self, operation: Operation) -> bytes:
        cost = {"static": operation.tally.cost, "limit": self._documents.limits.cost}
        return b'","cost":' + orjson.dumps(cost) + b"}}"


def _digest(asked: wire.Asked) -> str | None:
    """The hash of a request that says nothing else of its document."""
    persisted = (asked.extensions or {}).get("persistedQuery")
    return str(persisted["sha256Hash"]).lower() if persisted else None
