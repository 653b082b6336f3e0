"""How the edge says no: a status, headers, and GraphQL errors that each carry a code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.policy import Viewer


class Refused(Exception):  # noqa: N818  (it is a verdict about a request, not a fault of ours)
    """A request that is not executed.

    `errors` are ready for the response: `{"message", "extensions": {"code", ...}}`, at least one. A
    request that is `well_formed`, and fails only for what its document says, answers 200 where the client
    asked for plain `application/json`, and `status` where it asked for `application/graphql-response+json`.
    `viewer` is who is refused, where a good token says so.
    """

    def __init__(
        self,
        status: int,
        errors: Iterable[dict[str, Any]],
        *,
        headers: Mapping[str, str] | None = None,
        well_formed: bool = False,
    ) -> None:
        self.status = status
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.well_formed = well_formed
        self.viewer: Viewer | None = None
        super().__init__(self.errors[0]["message"])

    @property
    def code(self) -> str:
        """The code of the first error."""
        code: str = self.errors[0]["extensions"]["code"]
        return code


def error(code: str, message: str, **more: Any) -> dict[str, Any]:
    """One error of a response, with `more` beside its code."""
    return {"message": message, "extensions": {"code": code, **more}}


def refuse(status: int, code: str, message: str, **headers: str) -> Refused:
    """A refusal of the request itself; header names are written with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refused(status, [error(code, message)], headers=named)


def refuse_document(code: str, message: str, **more: Any) -> Refused:
    """A refusal of a well-formed request, for what its document says."""
    return Refused(400, [error(code, message, **more)], well_formed=True)
