"""Every service, listed once."""

from __future__ import annotations

from typing import Any

from datasources import assessment, auth, content, course, devlab, directory, learner_ai, rag, skills
from datasources.declare import Endpoint, Service  # noqa: TC001 - the annotations are read at run time

SERVICES: tuple[Service, ...] = (
    directory.SERVICE,
    course.SERVICE,
    content.SERVICE,
    assessment.SERVICE,
    skills.SERVICE,
    learner_ai.SERVICE,
    devlab.SERVICE,
    rag.SERVICE,
    auth.SERVICE,
)

SOURCES: dict[type[Any], tuple[Service, Endpoint]] = {
    endpoint.fact: (service, endpoint) for service in SERVICES for endpoint in service.endpoints
}
