"""The machine that measured, as far as it matters for the numbers; nothing that names it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def described(postgres: str, load_before: float) -> dict[str, str | int | float]:
    """What a reader must know to compare: processor, memory, system, versions, and whether others used it before."""
    return {
        "processor": _said("cpuinfo", "model name"),
        "processors": os.cpu_count() or 0,
        "memory_gib": round(int(_said("meminfo", "MemTotal").split()[0]) / 2**20),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "postgres": postgres,
        "load_before": round(load_before, 1),
    }


def _said(name: str, key: str) -> str:
    lines = Path("/proc", name).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "0 unknown")
