"""Documents over a whole schema: made up, valid most of the time, and of every shape a client may write."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from resolvers.ids import to_global
from tests.cast import ACME, LARS, LENA, OTHER, TOMAS

IDS = {
    "learner": [LENA, LENA, LENA, LARS, TOMAS, to_global("Learner", LENA), to_global("Trainer", LENA), "odd"],
    "trainer": [TOMAS, TOMAS, TOMAS, to_global("Trainer", TOMAS), LENA],
    "organization": [ACME, ACME, ACME, to_global("Organization", ACME), OTHER],
    "node": [
        *[to_global("Learner", LENA)] * 3,
        *[to_global("Trainer", TOMAS), to_global("Organization", ACME)] * 2,
        *[to_global("Job", ACME), to_global("Learner", OTHER), LENA],
    ],
}
COMMON = {"viewer", "learner", "trainer", "organization", "node", "market"}
"""The root fields that are asked for most."""

RESOLVED = {"history", "comparison", "refreshJob", "studentDistribution"}
"""Fields that are asked for now and then."""


@dataclass(frozen=True)
class Written:
    """A document, and what is given with it."""

    text: str
    variables: dict[str, Any]


@dataclass
class Writer:
    """Writes one document."""

    schema: GraphQLSchema
    random: Random
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    names: int = 0

    def document(self) -> Written:
        """A query."""
        query = self.schema.query_type
        assert query is not None
        chosen = [name for name in query.fields if name in COMMON or self.chance(0.01)]
        fields = [
            self.field(name, query.fields[name], 0)
            for name in self.random.sample(chosen, min(len(chosen), self.random.choice([1, 1, 1, 2, 3])))
        ]
        body = self.wrapped(query, fields)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        return Written(f"query Made{declared} {{ {body} }} {' '.join(self.fragments)}", self.variables)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def wrapped(self, kind: Any, parts: list[str]) -> str:
        """The parts of a selection, some of them in fragments."""
        text = " ".join(parts)
        if self.chance(0.15) and parts:
            condition = self.random.choice([f" on {kind.name}", ""])
            return f"...{condition}{self.directives()} {{ {text} }}"
        if self.chance(0.1) and parts:
            name = self.fresh("Part")
            self.fragments.append(f"fragment {name} on {kind.name} {{ {text} }}")
            again = f" ...{name}" if self.chance(0.2) else ""
            return f"...{name}{self.directives()}{again}"
        return text

    def directives(self) -> str:
        if not self.chance(0.06):
            return ""
        name = self.random.choice(["skip", "include"])
        return f" @{name}(if: {self.value(GraphQLNonNull(self.schema.type_map['Boolean']), 'if')})"

    def selection(self, kind: Any, depth: int) -> str:
        """A selection on a type, not empty."""
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            parts = [
                f"... on {one.name} {{ {self.selection(one, depth)} }}"
                for one in self.schema.get_possible_types(kind)
                if one.name in {"Learner", "Trainer", "Organization"} or self.chance(0.3)
            ]
            return " ".join(["__typename", *parts])
        names = [name for name in kind.fields if name not in RESOLVED or self.chance(0.03)]
        many = len(names) if self.chance(0.15) and depth > 2 else self.random.choice([1, 2, 3, 4])
        parts = [
            self.field(name, kind.fields[name], depth) for name in self.random.sample(names, min(len(names), many))
        ]
        if self.chance(0.15):
            parts.insert(self.random.randrange(len(parts) + 1), self.random.choice(["__typename", "kind: __typename"]))
        if any(one.name == "Answer" for one in kind.interfaces) and self.chance(0.2):
            parts.append(f"... on Answer {{ {self.field('quality', kind.fields['quality'], depth)} }}")
        return self.wrapped(kind, parts or ["__typename"])

    def field(self, name: str, declared: GraphQLField, depth: int) -> str:
        alias = f"{self.fresh('a')}: " if self.chance(0.1) else ""
        named = get_named_type(declared.type)
        below = "" if is_leaf_type(named) else f" {{ {self.selection(named, depth + 1)} }}"
        return f"{alias}{name}{self.arguments(name, declared)}{self.directives()}{below}"

    def arguments(self, name: str, declared: GraphQLField) -> str:
        paging = self.random.choice([{"first"}, {"first", "after"}, {"last"}, set()])
        said = [
            f"{key}: {self.value(one.type, name if key == 'id' else key, one)}"
            for key, one in declared.args.items()
            if is_required_argument(one)
            or (key in paging and self.chance(0.8))
            or (key not in {"first", "after", "last", "before"} and self.chance(0.4 if key != "filter" else 0.15))
        ]
        return f"({', '.join(said)})" if said else ""

    def value(self, kind: Any, where: str, argument: GraphQLArgument | None = None) -> str:
        """A value as a literal, or as a variable."""
        wanted = self.plain(kind, where)
        if not self.chance(0.4):
            return self.literal(kind, wanted)
        name = self.fresh("v")
        optional = argument is not None and not is_required_argument(argument)
        declared = kind.of_type if isinstance(kind, GraphQLNonNull) and optional and self.chance(0.5) else kind
        default = f" = {self.literal(kind, self.plain(kind, where))}" if self.chance(0.2) else ""
        if not (default or not isinstance(declared, GraphQLNonNull)) or self.chance(0.8):
            self.variables[name] = wanted if self.chance(0.97) else self.random.choice([None, "odd", 3, True, []])
        self.declared.append(f"${name}: {declared}{default}")
        return f"${name}"

    def plain(self, kind: Any, where: str) -> Any:
        """A value as JSON has it."""
        match kind:
            case GraphQLNonNull():
                return self.plain(kind.of_type, where)
            case GraphQLList():
                return [self.plain(kind.of_type, where) for _ in range(self.random.randrange(3))]
            case GraphQLEnumType():
                return self.random.choice(list(kind.values))
            case GraphQLInputObjectType():
                return {name: self.plain(one.type, name) for name, one in kind.fields.items() if self.chance(0.4)}
        texts = {"ID": IDS.get(where, [LENA]), "Boolean": [True, False], "Int": [1, 2, 3, 5, 20]}
        return self.random.choice(texts.get(kind.name, ["", "Sales", "2026-03-02"]))

    def literal(self, kind: Any, value: Any) -> str:
        """A value as a document has it."""
        match kind:
            case GraphQLNonNull():
                return self.literal(kind.of_type, value)
            case GraphQLList():
                return f"[{', '.join(self.literal(kind.of_type, one) for one in value)}]"
            case GraphQLEnumType():
                return str(value)
            case GraphQLInputObjectType():
                inside = [f"{name}: {self.literal(kind.fields[name].type, one)}" for name, one in value.items()]
                return f"{{{', '.join(inside)}}}"
        return json.dumps(value)
