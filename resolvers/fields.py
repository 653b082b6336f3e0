"""One field for each metric, one group of fields for each scope and family, grown from the catalog."""

import inspect
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from analytics.codec import camel
from analytics.declare import Argument, DeclarationError, Family, Metric, Scope
from analytics.policy import Subject
from resolvers.answers import answer_type
from resolvers.context import Context
from resolvers.types import adopt

FAMILIES = {
    Family.ANALYTICS: "What is so",
    Family.COMPARISON: "What is so, beside others",
    Family.PREDICTION: "What is likely",
}


class Straight(StrawberryField):
    """A field whose resolver graphql-core calls itself: a roster has hundreds, and the conversions around each cost."""

    def __init__(
        self,
        name: str,
        kind: Any,
        description: str,
        resolve: Callable[..., Any],
        arguments: Sequence[StrawberryArgument] = (),
    ) -> None:
        super().__init__(
            python_name=name,
            graphql_name=camel(name),
            type_annotation=StrawberryAnnotation(kind),
            description=description,
        )
        self.arguments = list(arguments)
        self.straight = resolve


class Group(Straight):
    """A group of a subject's metrics: nothing but the subject they are asked of."""


class Asked(Straight):
    """The field of a metric."""

    def __init__(self, metric: Metric, subject_of: Callable[[Any], Subject] | None = None) -> None:
        """`subject_of` reads the subject from what the field hangs on, unless that is the subject itself."""
        self.metric = metric
        self._chosen = {camel(argument.name): argument for argument in metric.arguments}

        def resolve(
            source: Any, info: GraphQLResolveInfo[Context], **given: Any
        ) -> Awaitable[Mapping[str, Any]] | Mapping[str, Any]:
            subject = source if subject_of is None else subject_of(source)
            return info.context.answers.ask(metric, subject, self.chosen(given))

        arguments = [_argument(argument) for argument in metric.arguments]
        super().__init__(metric.name, answer_type(metric), metric.doc, resolve, arguments)

    def chosen(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the client chose, as the formula knows it."""
        return {self._chosen[name].name: _chosen(self._chosen[name], value) for name, value in given.items()}


Growth = dict[type[Any], list[StrawberryField]]


def groups(metrics: Iterable[Metric], owners: Mapping[Scope, type[Any]]) -> Growth:
    """The fields to grow: `analytics`, `comparison` and `prediction` on each subject, the metrics on each of these.

    Raises:
        DeclarationError: two metrics want the same place, or one wants a subject that is not in the graph.
    """
    places: dict[tuple[Scope, Family], dict[str, Metric]] = {}
    grown: Growth = {}
    for metric in metrics:
        if metric.family is Family.INTERNAL:
            continue
        if metric.scope not in owners:
            msg = f"{metric} is for everybody to ask, but the graph has no {metric.scope.value} to ask it of"
            raise DeclarationError(msg)
        there = places.setdefault((metric.scope, metric.family), {})
        if (other := there.setdefault(metric.name, metric)) is not metric:
            msg = f"{metric} and {other} both want to be {metric.scope.value}.{metric.family.value}.{metric.name}"
            raise DeclarationError(msg)
    for (scope, family), there in places.items():
        if family is Family.SUBJECT:
            grown.setdefault(owners[scope], []).extend(Asked(metric, _its_subject) for metric in there.values())
            continue
        name, says = f"{scope.value.title()}{family.value.title()}", f"{FAMILIES[family]}, of one {scope.value}."
        group = strawberry.type(types.new_class(name), name=name, description=says)
        grown[group] = [Asked(metric) for metric in there.values()]
        grown.setdefault(owners[scope], []).append(Group(family.value, group, says, _subject))
    return grown


def _its_subject(source: Any) -> Subject:
    subject: Subject = source.subject
    return subject


def _subject(source: Any, _info: Any) -> Subject:
    """A group itself is nothing but the subject its metrics are asked of."""
    return _its_subject(source)


def _argument(argument: Argument) -> StrawberryArgument:
    is_enum = issubclass(argument.type, Enum)
    kind = adopt(argument.type) if is_enum else argument.type
    return StrawberryArgument(
        argument.name,
        camel(argument.name),
        StrawberryAnnotation(kind),
        description=_says(argument),
        default=kind[argument.default.name] if is_enum else argument.default,
    )


def _says(argument: Argument) -> str:
    """What an argument means: what its type means, or its name in words."""
    if issubclass(argument.type, Enum) and (doc := inspect.getdoc(argument.type)):
        return doc
    return argument.name.replace("_", " ").capitalize() + "."


def _chosen(argument: Argument, value: Any) -> Any:
    """What the client chose, as the formula knows it."""
    return argument.type[value.name] if issubclass(argument.type, Enum) else value
