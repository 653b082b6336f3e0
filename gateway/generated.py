"""Files that are written from the code: the SDL and the generated pages of docs. Committed, marked, and compared."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from datasources.catalog import SERVICES
from gateway.access_page import access
from gateway.cells import cell
from gateway.metrics_page import metrics
from gateway.models_page import models
from gateway.settings import table
from resolvers.schema import sdl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from datasources.declare import Endpoint, Service

MARK = "<!-- Written by `gateway docs` from the code; change it there. -->\n\n"
DIFFERENCE = 40
"""The most lines of a difference that are shown."""


def current(files: Mapping[Path, str], say: Callable[[str], Any], *, check: bool) -> bool:
    """Write each file that is not as it should be, or with `check` show the difference; whether all were current."""
    stale = {path: text for path, text in files.items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        if check:
            before = path.read_text().splitlines() if path.exists() else []
            shown = difflib.unified_diff(before, text.splitlines(), str(path), "as the code says", lineterm="")
            say("\n".join([*list(shown)[:DIFFERENCE], f"{path.name} is not current: run make generate"]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            say(f"wrote {path.name}")
    return not (check and stale)


def schema_file(root: Path) -> dict[Path, str]:
    """The SDL."""
    from gateway.app import SCHEMA  # noqa: PLC0415 - building the schema takes a moment, and pages do not need it

    return {root / "schema.graphql": sdl(SCHEMA)}


def pages(root: Path) -> dict[Path, str]:
    """The generated pages of docs/."""
    return {
        root / "docs" / "access.md": MARK + access(),
        root / "docs" / "metrics.md": MARK + metrics(),
        root / "docs" / "models.md": MARK + models(),
        root / "docs" / "services.md": MARK + services(),
        root / "docs" / "settings.md": MARK + settings(),
    }


def services() -> str:
    """The nine services: where they are, what is asked of them, and when we stop asking."""
    lines = ["# Services", "", "What the gateway asks of the platform's services, as `datasources/` declares it.", ""]
    for service in SERVICES:
        lines += [
            f"## {service.name}",
            "",
            _patience(service),
            "",
            "| fact | read | batch twin |",
            "|---|---|---|",
            *(f"| {e.fact.__name__} | `GET {e.path}` | {_batch(e)} |" for e in service.endpoints),
            *(f"| {c.answer.__name__} | `POST {c.path}` | |" for c in service.calls),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def settings() -> str:
    """Every environment variable there is."""
    lines = [
        "# Settings",
        "",
        "Read once at start, from the environment. Secrets also come from a file: `NAME_FILE=/path`.",
        "",
    ]
    lines += ["| variable | default | what it is |", "|---|---|---|"]
    for row in table():
        name = f"`{row.variable}`{' (secret)' if row.secret else ''}"
        lines.append(f"| {name} | {f'`{row.default}`' if row.default else ''} | {cell(row.description)} |")
    return "\n".join(lines) + "\n"


def _patience(service: Service) -> str:
    seconds, rests = service.timeout.total_seconds(), service.breaker
    return (
        f"`{service.variable}`. {seconds:g} s for a read, {service.attempts} attempts inside it, each half of that at "
        f"most. The breaker opens after {rests.failures_in_a_row} failures in a row or {rests.failed_share:.0%} of the "
        f"last {rests.window} calls, and rests {rests.rest.total_seconds():g} s, twice as long each time, up to "
        f"{rests.longest_rest.total_seconds():g} s."
    )


def _batch(endpoint: Endpoint) -> str:
    return f"`POST {endpoint.batch_path}`, {endpoint.at_most} ids" if endpoint.batched else ""
