"""The page: everything in it is served from here, whatever stands in the documents it opens with."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from gateway import build_page, page
from gateway.page import ASSETS, POLICY, Tab

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

NASTY = "</script><script>alert(1)</script> <!-- <script> {settings} {notice} %s \u2028 \\ \" '"
REFERS = {"src", "href", "srcset", "action", "data", "poster", "formaction", "background", "ping"}


class Reader(HTMLParser):
    """What a browser sees in the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.scripts: list[Mapping[str, str | None]] = []
        self.inline: dict[str, str] = {}
        self.texts: list[str] = []
        self.handlers: list[str] = []
        self._script = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in REFERS]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name in {"style", "nonce"}]
        if tag == "script":
            self.scripts.append(dict(attrs))
            self._script = dict(attrs).get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = ""

    def handle_data(self, data: str) -> None:
        if self._script:
            self.inline[self._script] = self.inline.get(self._script, "") + data
        elif data.strip():
            self.texts.append(data.strip())


def shown(tabs: Sequence[Tab] = (), headers: Mapping[str, str] | None = None, module: Any = page) -> Reader:
    return Reader(bytes(module.page(tabs, headers or {}).body).decode())


def policy() -> dict[str, set[str]]:
    directives = (directive.split() for directive in POLICY.split(";"))
    return {name: set(values) for name, *values in directives}


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """The text of every asset that is text, by its name."""
    assert (ASSETS / "main.js").exists(), "The page's assets are not built: run make setup, then test again."
    return {path.name: path.read_text() for path in ASSETS.iterdir() if path.suffix in {".js", ".css"}}


def test_everything_it_refers_to_is_served_from_here(built: dict[str, str]) -> None:
    seen = shown([Tab("{ a }")])
    assert sorted(seen.references) == ["/graphql/assets/main.css", "/graphql/assets/main.js", "data:,"]
    assert {name.rpartition("/")[2] for name in seen.references if name.startswith("/")} <= set(built)


def test_nothing_in_it_runs_but_the_one_script() -> None:
    seen = shown([Tab(NASTY, NASTY)], {"X": NASTY})
    assert seen.scripts == [
        {"type": "application/json", "id": "page"},
        {"type": "module", "src": "/graphql/assets/main.js"},
    ]
    assert seen.handlers == []
    assert seen.texts == ["Learning Analytics Gateway"]


def test_a_document_may_hold_anything() -> None:
    tabs = [Tab(NASTY, headers=NASTY, variables=NASTY), Tab("{ plain }")]
    assert json.loads(shown(tabs, {"Authorization": NASTY}).inline["page"]) == {
        "tabs": [
            {"query": NASTY, "headers": NASTY, "variables": NASTY},
            {"query": "{ plain }", "headers": None, "variables": None},
        ],
        "headers": {"Authorization": NASTY},
    }


def test_its_policy_allows_what_is_from_here_and_nothing_else() -> None:
    found = policy()
    for closed in ("default-src", "base-uri", "form-action", "frame-ancestors"):
        assert found.pop(closed) == {"'none'"}
    for ours in ("script-src", "worker-src", "connect-src"):
        assert found.pop(ours) == {"'self'"}
    # Styles are written by the editor as it runs; pictures and letters come inside its style sheet.
    assert found == {
        "style-src": {"'self'", "'unsafe-inline'"},
        "font-src": {"'self'", "data:"},
        "img-src": {"'self'", "data:"},
    }


def test_it_says_its_policy_and_is_never_kept() -> None:
    headers = page.page([], {}).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    # Where a demo runs it holds tokens.
    assert headers["cache-control"] == "no-store"


def elsewhere(module: Any, directory: Path, name: str) -> Any:
    """A module of ours as it is in a clone where nothing was built."""
    copy = directory / f"{name}.py"
    shutil.copyfile(module.__file__, copy)
    spec = importlib.util.spec_from_file_location(name, copy)
    assert spec
    assert spec.loader
    fresh = importlib.util.module_from_spec(spec)
    sys.modules[name] = fresh
    try:
        spec.loader.exec_module(fresh)
    finally:
        del sys.modules[name]
    return fresh


def test_without_its_assets_it_says_what_to_do(tmp_path: Path) -> None:
    seen = shown([Tab("{ a }")], module=elsewhere(page, tmp_path, "page_not_built"))
    assert seen.texts[-1] == "The page's assets are not built: run make setup."


def test_a_build_that_fails_says_what_to_do_and_leaves_what_was_there(tmp_path: Path) -> None:
    shutil.copyfile(build_page.__file__, tmp_path / "build_page.py")
    (tmp_path / "static" / "page").mkdir(parents=True)
    (tmp_path / "static" / "page" / "package.json").write_text("no json")
    (tmp_path / "static" / "assets").mkdir()
    (tmp_path / "static" / "assets" / "main.js").write_text("the old one")
    told = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, tmp_path / "build_page.py"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "The page could not be built" in told.stderr
    assert "runs without the page" in told.stderr
    assert "Traceback" not in told.stderr
    assert (tmp_path / "static" / "assets" / "main.js").read_text() == "the old one"


def test_its_style_sheet_fetches_from_nowhere_else(built: dict[str, str]) -> None:
    urls = re.findall(r"""url\(\s*["']?([^"')]*)""", built["main.css"])
    assert urls
    fetched = {url.partition("?")[0].removeprefix("./") for url in urls if not url.startswith(("data:", "#"))}
    assert {name for name in fetched if not (ASSETS / name).is_file() or "/" in name} == set()
    assert "@import" not in built["main.css"]


def test_its_workers_are_files_from_here(built: dict[str, str]) -> None:
    made = re.findall(r"new (?:Shared)?Worker\((.{0,60})", built["main.js"])
    ours = [argument for argument in made if argument.startswith("new URL(`./worker-${")]
    assert len(ours) == 1
    # What is left takes its address from what it is given, and the policy allows no worker from elsewhere.
    assert [argument for argument in made if argument not in ours and re.match(r"""["'`]""", argument)] == []
    assert {"worker-editor.js", "worker-json.js", "worker-graphql.js"} <= set(built)


# Ways to load something whose address stands right there, and what each looks like.
LOADS = {
    "by a call": (
        r"""\b(?:fetch|import|importScripts|EventSource|WebSocket|sendBeacon|createScriptURL)\(\s*["'`](?:\w+:)?//""",
        'fetch("https://cdn.example/x")',
    ),
    "by an import": (r"""\b(?:import|from)\s*["'](?:https?:)?//""", 'import x from"//cdn.example/x"'),
    "by setting it": (r"""\.(?:src|href|action)\s*=\s*["'`](?:https?:)?//""", 'a.src="https://cdn.example/x"'),
    "by an element": (
        r"""["'`]?\b(?:src|srcSet|poster)["'`]?\s*[:=]\s*["'`](?:https?:)?//""",
        'jsx("img",{src:"https://cdn.example/x"})',
    ),
    "by a style": (r"""url\(\s*["']?(?:https?:)?//""", "url('https://cdn.example/x')"),
}


@pytest.mark.parametrize("way", LOADS)
def test_its_scripts_load_nothing_by_an_address_elsewhere(built: dict[str, str], way: str) -> None:
    loads, example = LOADS[way]
    assert re.search(loads, example)
    found = {name: re.findall(loads + ".{0,60}", text) for name, text in built.items() if name.endswith(".js")}
    assert {name: calls for name, calls in found.items() if calls} == {}
