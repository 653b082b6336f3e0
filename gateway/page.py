"""The page at /graphql in a browser: GraphiQL, served whole from here under a strict policy."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ASSETS = Path(__file__).parent / "static" / "assets"

# The editor writes its theme into style elements as it runs, and takes no nonce for them: hence 'unsafe-inline'.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Learning Analytics Gateway</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/graphql/assets/main.css">
<script type="application/json" id="page">{settings}</script>
<script type="module" src="/graphql/assets/main.js"></script>
</head>
<body><div id="graphiql">{notice}</div></body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Tab:
    """One document the page opens with; headers and variables as JSON text, shown in its editors."""

    query: str
    headers: str | None = None
    variables: str | None = None


def assets() -> StaticFiles:
    """The built assets; missing files answer 404."""
    return StaticFiles(directory=ASSETS, check_dir=False)


def page(tabs: Sequence[Tab], headers: Mapping[str, str]) -> HTMLResponse:
    """The page, opening with these tabs; `headers` is what a new tab starts with."""
    # In a JSON block only "<" could end the element early.
    settings = orjson.dumps({"tabs": [asdict(tab) for tab in tabs], "headers": dict(headers)}).decode()
    notice = "" if (ASSETS / "main.js").exists() else html.escape("The page's assets are not built: run make setup.")
    return HTMLResponse(PAGE.format(settings=settings.replace("<", "\\u003c"), notice=notice), headers=HEADERS)
