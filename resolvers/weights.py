"""What resolving one field costs, in units of one object of an answer."""

from graphql import GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type

from resolvers.answers import ANSWER

OBJECT = 1
"""An object that is at hand is written down."""
METRIC = 10
"""An answer is looked for in memory and in the database, and may have to be worked out."""
CALL = 400
"""A service works on a text for one viewer, for seconds, and may be paid by the word."""
CALLS = frozenset({"AskAssistantResult"})
"""What fields return that have a service do so."""
PAGE = 20
"""A page is a statement of its own, beside what stands on it."""
PAGING = frozenset({"first", "last", "ids", "representations"})
"""The arguments that say how long a page is."""


def weight(field: GraphQLField) -> int:
    """What a field costs by itself: nothing for a leaf, which is written with the object that it is in."""
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return 0
    if kind.name in CALLS:
        return CALL
    if isinstance(kind, GraphQLObjectType) and any(interface.name == ANSWER for interface in kind.interfaces):
        return METRIC
    return OBJECT if PAGING.isdisjoint(field.args) else PAGE
