"""Requests that were read before: body to document, plan and variables, each body read once."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import orjson
from graphql import OperationType

from analytics.planned import Unplanned
from gateway import wire
from gateway.bounded import Bounded
from gateway.persisted import digest_of
from gateway.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from graphql import DocumentNode

    from gateway.budget import Verdict
    from gateway.documents import Document, Documents, Operation
    from gateway.persisted import Texts
    from gateway.variables import VariableLimits
    from resolvers.plan import Plan

    Compile = Callable[[DocumentNode, str | None], Plan | None]

BODIES, BODIES_MIB = 20_000, 16
PLANS, PLANS_MIB = 1_000, 32
PER_CHARACTER = 240
"""Bytes that a plan costs for a character of its document, whose tree it holds."""
PATH = "/graphql"
"""What is asked here."""
LONGEST_VARIABLES = 1_024
"""Bytes of variables, as JSON, that are worth being a part of a key."""
AROUND, PER_BYTE = 800, 8
"""Bytes that a request costs, and more for each byte of its variables; the text is the document's."""


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A request that a plan may answer, held against every limit but the viewer's budget.

    `key` is what it says, `price` what the viewer pays, `cost` what follows the data and the request id, to which
    what is left of the budget is added. `said` is what the line of such a request says of it, `weight` are the
    bytes of its variables.
    """

    variables: Mapping[str, Any] | None
    operation: Operation
    key: Hashable
    price: int
    cost: bytes
    digest: str | None
    text: str
    said: Mapping[str, Any]
    weight: int

    @property
    def size(self) -> int:
        """Bytes it takes, roughly."""
        return AROUND + PER_BYTE * self.weight

    def tail(self, paid: Verdict | None) -> bytes:
        """The end of the response, with what is left to the viewer."""
        return self.cost + (b"}}}" if paid is None else b',"budget":%b}}}' % orjson.dumps(paid.said))


class Requests:
    """The requests that were read lately, by the SHA-256 of their bytes, bounded by count and MiB.

    A document that was never read is for the ordinary way, where reading it has its price: so it is compiled when it
    is seen for the second time, and one that is never asked again never is.
    """

    def __init__(self, documents: Documents, texts: Texts, variables: VariableLimits, compile_: Compile) -> None:
        self._documents = documents
        self._texts = texts
        self._variables = variables
        self._compile = compile_
        self._known: Bounded[bytes, Planned] = Bounded(BODIES, BODIES_MIB << 20)
        self._plans: Bounded[tuple[str, str | None], Plan | Literal[False]] = Bounded(PLANS, PLANS_MIB << 20)

    def of_body(self, raw: bytes) -> Planned | None:
        """The request in the body of a POST; None where the ordinary way is to read it."""
        key = b"b" + sha256(raw).digest()
        return self._known.get(key) or self._read(key, "POST", lambda: wire.from_body(raw, 0))

    def of_query_string(self, raw: bytes, largest: int) -> Planned | None:
        """The request in the URL of a GET; None where the ordinary way is to read it."""
        key = b"?" + sha256(raw).digest()
        return self._known.get(key) or self._read(key, "GET", lambda: wire.from_query_string(raw, largest))

    def used(self, planned: Planned) -> None:
        """A request was answered: the document that its hash stands for stays known as long as it is asked for."""
        if planned.digest is not None:
            self._texts.keep(planned.digest, planned.text)

    def let_go(self) -> None:
        """Know no request any more: whoever is named in one may be forgotten."""
        self._known.clear()
        self._plans.clear()

    def _read(self, key: bytes, method: str, read: Callable[[], wire.Asked | list[wire.Asked]]) -> Planned | None:
        try:
            asked = read()
            if isinstance(asked, list):
                return None
            text, digest = self._texts.text(asked)
            if text not in self._documents:
                return None
            document = self._documents.get(text, asked.variables)
            operation = document.operation(asked.operation)
            self._variables.check(asked.variables)
            digest = digest or digest_of(asked)
        except Refused:
            return None
        if operation is None or document.errors or operation.kind is not OperationType.QUERY:
            return None
        plan = self._plan(document, operation)
        variables = _exactly(orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS)) if asked.variables else b""
        if plan is None or len(variables) > LONGEST_VARIABLES:
            return None
        planned = Planned(
            asked.variables,
            operation,
            (document.text, operation.name, variables),
            max(1, operation.tally.cost),
            self._cost(operation),
            digest,
            document.text,
            self._said(method, operation),
            len(variables),
        )
        self._known.keep(key, planned, planned.size)
        return planned

    def plan(self, planned: Planned) -> Plan:
        """The plan that may answer a request.

        Raises:
            Unplanned: it was let go of, and the document with it.
        """
        plan = self._plans.get((planned.text, planned.operation.name))
        if not plan:
            raise Unplanned
        return plan

    def _plan(self, document: Document, operation: Operation) -> Plan | None:
        key = document.text, operation.name
        plan = self._plans.get(key)
        if plan is None and document.ast is not None:
            plan = self._compile(document.ast, operation.name) or False
            self._plans.keep(key, plan, PER_CHARACTER * len(document.text))
        return plan or None

    def _said(self, method: str, operation: Operation) -> Mapping[str, Any]:
        """The same mapping for all requests of an operation."""
        said = {"method": method, "path": PATH, "status": 200, "kind": operation.kind.value}
        named = {"operation": operation.name[:100]} if operation.name else {}
        return said | named | {"cost": operation.tally.cost}

    def _cost(self, operation: Operation) -> bytes:
        cost = {"static": operation.tally.cost, "limit": self._documents.limits.cost}
        return b'","cost":' + orjson.dumps(cost).removesuffix(b"}")


def _exactly(made: bytes) -> bytes:
    """The same bytes without the room that orjson had for more: four thousand, whatever it wrote."""
    return bytes(memoryview(made))
