"""The graph as a subgraph of a federated one (Apollo Federation 2): what it is, and its things by their key.

A router asks for `_service` when graphs are put together, and for `_entities` whenever another graph refers to
something of ours.
"""

import asyncio
import functools
from collections.abc import Iterator
from typing import Annotated, Any, Union

import strawberry
from graphql import (
    ConstDirectiveNode,
    DefinitionNode,
    DocumentNode,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    lexicographic_sort_schema,
    parse,
    print_ast,
    print_schema,
)

from resolvers.context import Info
from resolvers.errors import BadInput
from resolvers.ids import GlobalId, uuid_of
from resolvers.nodes import node_of
from resolvers.scalars import Reference
from resolvers.subjects import Learner, Organization, Trainer
from resolvers.types import field

MOST_REFERENCES = 100
DIRECTIVES = {
    "Learner": '@key(fields: "id")',
    "Trainer": '@key(fields: "id")',
    "Organization": '@key(fields: "id")',
    "PageInfo": "@shareable",
}
"""What a router is told of some types: another graph may refer to them by a key, or have them as well."""
KEYED = tuple(name for name, says in DIRECTIVES.items() if says.startswith("@key"))
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])'

Entity = Annotated[
    Union[Learner, Trainer, Organization],  # noqa: UP007 - Strawberry names a union of this form only
    strawberry.union("_Entity", description="Whatever another graph may refer to."),
]
References = Annotated[
    list[Reference], strawberry.argument(description="What is referred to: a type, and the id of one of it.")
]


@strawberry.type(name="_Service", description="This graph, for a router.")
class Service:
    """What a router reads."""

    sdl: str = strawberry.field(description="The schema, with what federation needs to know of it.")


@strawberry.type
class FederationQuery:
    """What a router asks."""

    @field("What this graph is, for a router; for whoever may introspect.", "_service")
    async def service(self, info: Info) -> Service:
        """The same for everybody."""
        graph = info._raw_info.schema  # noqa: SLF001 - Strawberry has no public word for it
        return Service(sdl=await asyncio.to_thread(subgraph, graph))

    @field(
        f"What another graph refers to, in its order, for a router; at most {MOST_REFERENCES}. Null where there is "
        "nothing that is yours to know of.",
        "_entities",
    )
    async def entities(self, info: Info, representations: References) -> list[Entity | None]:
        """As `nodes`, for each."""
        if len(representations) > MOST_REFERENCES:
            msg = f"representations must be at most {MOST_REFERENCES}; they were {len(representations)}."
            raise BadInput(msg)
        wanted = [_referred(one) for one in representations]
        return list(await asyncio.gather(*(node_of(info, one) for one in wanted)))


def _referred(reference: Any) -> GlobalId:
    match reference:
        case {"__typename": str(kind), "id": str(ident)} if kind in KEYED:
            return GlobalId(kind, uuid_of(ident, kind))
    msg = f"A representation has a `__typename`, one of {', '.join(KEYED)}, and the `id` of one."
    raise BadInput(msg)


@functools.lru_cache(maxsize=4)
def subgraph(schema: GraphQLSchema) -> str:
    """The schema as a router reads it: with its keys, and without what a router adds by itself."""
    whole = parse(print_schema(lexicographic_sort_schema(schema)), no_location=True)
    return f"{LINK}\n\n{print_ast(DocumentNode(definitions=tuple(_told(whole))))}\n"


def _told(whole: DocumentNode) -> Iterator[DefinitionNode]:
    for one in whole.definitions:
        name = one.name.value  # type: ignore[attr-defined]  # a printed schema has named definitions only
        if name.startswith("_"):
            continue
        if isinstance(one, ObjectTypeDefinitionNode):
            yield ObjectTypeDefinitionNode(
                name=one.name,
                description=one.description,
                interfaces=one.interfaces,
                directives=_directives(DIRECTIVES.get(name, "")),
                fields=tuple(said for said in one.fields or () if not said.name.value.startswith("_")),
            )
        else:
            yield one


def _directives(text: str) -> tuple[ConstDirectiveNode, ...]:
    (bearer,) = parse(f"scalar Any {text}", no_location=True).definitions
    return tuple(bearer.directives or ())  # type: ignore[attr-defined]  # a scalar has some
