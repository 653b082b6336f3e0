"""What is brought in and what must not be: known vulnerabilities of what the lock files name, and secrets in our files.

`make check` runs it. A vulnerability or a secret that nobody has looked at fails it. Where the advisory service cannot
be reached, or knows nothing of a package, it says so and goes on: a check must not depend on somebody else's day.

A finding that is no secret is written down: `.venv/bin/detect-secrets scan --baseline .secrets.baseline`, whose
difference is reviewed like code.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection

ROOT = Path(__file__).parents[1]
BASELINE = ROOT / ".secrets.baseline"
LOCKS = ("requirements.lock", "requirements-dev.lock")
SECONDS = 120
SHOWN = 5


def vulnerable(lock: str) -> bool:
    """Whether a lock file names a package with a known vulnerability; each is printed."""
    program = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--disable-pip", "--require-hashes"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            [*program, "--format", "json", "--progress-spinner", "off"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        audited: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError) as problem:
        print(f"{lock}: not audited, the advisory service cannot be reached ({type(problem).__name__}).")
        return False
    for package in audited:
        for one in package.get("vulns", ()):
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            print(f"{lock}: {package['name']} {package['version']} has {one['id']}; mended in {mended}.")
    unknown = [package["name"] for package in audited if "skip_reason" in package]
    if unknown:
        few = ", ".join(unknown[:SHOWN]) + (" ..." if len(unknown) > SHOWN else "")
        print(f"{lock}: {len(unknown)} of {len(audited)} packages are not known to the advisory service: {few}")
    return any(package.get("vulns") for package in audited)


def leaking() -> bool:
    """Whether a file of ours holds something like a secret that the baseline does not know; each place is printed."""
    written = baseline.load(json.loads(BASELINE.read_text()), str(BASELINE))
    known = {(name, secret.secret_hash) for name, secret in written}
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - the git of whoever checks
    if listed.returncode:
        print("Not scanned for secrets: this is no working copy of git.")
        return False
    found = SecretsCollection(root=str(ROOT))
    found.scan_files(*(name for name in listed.stdout.split("\0") if name and name != BASELINE.name))
    new = [(name, secret) for name, secret in found if (name, secret.secret_hash) not in known]
    for name, secret in new:
        print(f"{name}:{secret.line_number}: this looks like a secret ({secret.type}). Take it out, and change it.")
    return bool(new)


def main() -> int:
    """Look at everything, and say whether something must be done."""
    results = [vulnerable(lock) for lock in LOCKS] + [leaking()]
    return int(any(results))


if __name__ == "__main__":
    sys.exit(main())
