"""What the page opens with: the dashboard documents, and in a demo the tokens to ask them with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from gateway import accounts
from gateway.page import Tab, page

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.settings import Settings

OPERATIONS = Path(__file__).parents[1] / "tests" / "operations"
"""The dashboards as the frontend asks for them: examples, smoke test and opening tabs in one."""
ASKERS = {"learner-dashboard": "learner", "trainer-dashboard": "trainer", "organization-dashboard": "org-admin"}
WELCOME = "# Say who you are in Headers, then ask.\n{ viewer { name activeRole organization { name } } }\n"


def documents() -> dict[str, str]:
    """The dashboard documents by name, the learner's first; none where only the package is installed."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(OPERATIONS.glob("*.graphql"))}
    return {name: found[name] for name in (*ASKERS, *found) if name in found}


def opening(settings: Settings, now: Callable[[], datetime]) -> ASGIApp:
    """The page as an ASGI application; where a demo runs, each tab carries the token of its reader."""

    async def show(scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(settings, now())
        learner = headers.get("learner", {"Authorization": "Bearer TOKEN"})
        tabs = [
            Tab(text, orjson.dumps(headers.get(ASKERS.get(name, ""), learner), option=orjson.OPT_INDENT_2).decode())
            for name, text in documents().items()
        ]
        await page(tabs or [Tab(WELCOME)], learner)(scope, receive, send)

    return show


def _headers(settings: Settings, now: datetime) -> dict[str, dict[str, str]]:
    if settings.production:
        return {}
    try:
        demo = accounts.read(settings.home)
    except accounts.NoDemoError:
        return {}
    return {
        name: {"Authorization": f"Bearer {accounts.token(settings, account, now)}"}
        for name, account in demo.accounts.items()
    }
