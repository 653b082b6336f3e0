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
    from collections.abc import Callable, Mapping

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
AROUND = 500
"""Bytes that a request costs beside its variables; the text is the document's."""


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A request that a plan may answer, held against every limit but the viewer's budget.

    `key` is what it says: the text of its document, which operation, and its variables as JSON, if any. `price` is what
    the viewer pays, `cost` what follows the data and the request id, to which what is left of the budget is added.
    `said` is what the line of such a request says of it.
    """

    key: tuple[str, str | None, bytes]
    operation: Operation
    price: int
    cost: bytes
    said: Mapping[str, Any]
    digest: str | None

    @property
    def text(self) -> str:
        """The text of its document."""
        return self.key[0]

    @property
    def variables(self) -> dict[str, Any] | None:
        """Its variables, read anew each time: thousands of requests are held, and few of them looked up."""
        return orjson.loads(self.key[2]) if self.key[2] else None

    @property
    def size(self) -> int:
        """Bytes it takes, roughly."""
        return AROUND + len(self.key[2])

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
        self._alike: Bounded[tuple[str, Operation], tuple[bytes, Mapping[str, Any]]] = Bounded(PLANS, PLANS)

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
        self._alike.clear()

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
        asks = document.text, operation.name, variables
        planned = Planned(asks, operation, max(1, operation.tally.cost), *self._same(method, operation), digest)
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

    def _same(self, method: str, operation: Operation) -> tuple[bytes, Mapping[str, Any]]:
        """`Planned.cost` and `said`, the same for all requests of an operation."""
        same = self._alike.get((method, operation))
        if same is None:
            same = self._cost(operation), _said(method, operation)
            self._alike.keep((method, operation), same)
        return same

    def _cost(self, operation: Operation) -> bytes:
        cost = {"static": operation.tally.cost, "limit": self._documents.limits.cost}
        return b'","cost":' + orjson.dumps(cost).removesuffix(b"}")


def _said(method: str, operation: Operation) -> Mapping[str, Any]:
    said = {"method": method, "path": PATH, "status": 200, "kind": operation.kind.value}
    named = {"operation": operation.name[:100]} if operation.name else {}
    return said | named | {"cost": operation.tally.cost}


def _exactly(made: bytes) -> bytes:
    """The same bytes without the room that orjson had for more: four thousand, whatever it wrote."""
    return bytes(memoryview(made))
