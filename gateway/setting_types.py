"""The kinds of values that settings have beside numbers and words."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator


def names(said: Any) -> Any:
    """The names in a list by commas, in small letters; what is no text is left as it is."""
    if not isinstance(said, str):
        return said
    return tuple(name.strip().lower() for name in said.split(",") if name.strip())


def origins(said: tuple[str, ...]) -> tuple[str, ...]:
    """Origins of web pages.

    Raises:
        ValueError: one of them is none.
    """
    for one in said:
        parts = urlsplit(one)
        plain = one == f"{parts.scheme}://{parts.netloc}" and "*" not in one and "@" not in one
        if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
            message = "each must be an origin like https://app.example, without a path; there is no `*`"
            raise ValueError(message)
    return said


def web_address(url: str) -> str:
    """A URL we can call, without a slash at its end.

    Raises:
        ValueError: it is none, or it holds a password, which would end up in logs.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "it must be a URL like https://host:port"
        raise ValueError(message)
    if parts.username or parts.password:
        message = "it must not hold a user or password"
        raise ValueError(message)
    return url.rstrip("/")


Names = Annotated[tuple[str, ...], BeforeValidator(names)]
Origins = Annotated[Names, AfterValidator(origins)]
