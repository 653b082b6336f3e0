"""In which of their roles somebody speaks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from analytics.declare import Role
from analytics.policy import Viewer
from gateway.refusal import Refused, error

if TYPE_CHECKING:
    from gateway.auth import Verified

LEAST_FIRST = (Role.LEARNER, Role.TRAINER, Role.ORG_ADMIN)
"""The active role of somebody who names none is the first of these they have: the one that sees least."""


@functools.cache
def shared(roles: frozenset[Role]) -> frozenset[Role]:
    """The same set for all who have these roles: there are few, and thousands who have one."""
    return roles


def viewer_of(verified: Verified, asked: str | None) -> Viewer:
    """Who shows a good token and asks to speak in a role; whom it is refused, as they are without asking.

    Raises:
        Refused: as `active_role`.
    """
    who = verified.user, verified.organization, verified.roles
    try:
        return Viewer(*who, active_role(verified.roles, asked), verified.name, operator=verified.operator)
    except Refused as no:
        no.viewer = Viewer(*who, active_role(verified.roles, None))
        raise


def active_role(roles: frozenset[Role], asked: str | None) -> Role:
    """The role that speaks: the one asked for, or the least of those there are.

    Raises:
        Refused: 403, the token does not have the role.
    """
    if asked is None:
        return next(role for role in LEAST_FIRST if role in roles)
    for role in roles:
        if role.value == asked.strip().lower():
            return role
    message = "X-Active-Role must be one of the token's roles: " + ", ".join(sorted(roles)) + "."
    raise Refused(403, [error("FORBIDDEN", message)])
