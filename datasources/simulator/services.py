"""The nine services and what each can be asked: a pure rendering of a campus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datasources.simulator import learning, paths, people, results
from datasources.simulator.reads import Payload, Read, Subject, about
from datasources.simulator.records import records_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datasources.simulator.campus import Campus
    from datasources.simulator.records import Records


def services(campus: Campus, key_set: Payload) -> Mapping[str, tuple[Read, ...]]:
    """Every read of every service by the service's name; `key_set` is what the auth service publishes."""
    records = records_of(campus)
    return {
        "directory": people.directory(records),
        "course": learning.course(records),
        "content": learning.content(records),
        "assessment": results.assessment(records),
        "skills": results.skills(records),
        "learner-ai": _learner_ai(records),
        "devlab": results.devlab(records),
        "rag": _rag(records),
        "auth": (Read("key-set", "/.well-known/jwks.json", lambda _: key_set, Subject.MARKET),),
    }


def _learner_ai(records: Records) -> tuple[Read, ...]:
    """No campus holds another model's opinions, so there are none; its learning paths follow from its records."""
    known = records.people.__contains__

    def nothing(name: str, path: str, payload: Payload) -> Read:
        return Read(name, path, about(known, lambda _: payload))

    return (
        nothing("suggestions", "/api/v1/recommendations/{id}", {"suggestions": []}),
        nothing("suggested-risk", "/api/v1/risk/{id}", {"risk": None}),
        nothing("suggested-forecast", "/api/v1/forecast/{id}", {"score": None}),
        Read(
            "learning-paths",
            "/api/v1/learning-paths/{id}",
            about(known, lambda key: paths.followed(records, key)),
        ),
    )


def _rag(records: Records) -> tuple[Read, ...]:
    """The simulated assistant keeps no history."""
    known = about(records.people.__contains__, lambda _: {"messages": []})
    return (Read("chat-history", "/api/v1/users/{id}/chat-history", known),)
