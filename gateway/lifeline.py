"""Run a module that ends with whoever started it: `python -m gateway.lifeline MODULE ARGUMENTS...`.

The parent holds the other end of our standard input. When it closes, because the parent closed it or
died in whatever way, we are told to terminate as if by hand.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Watch the line, and be the module."""
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), daemon=True).start()
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _watch(line: int) -> None:
    while os.read(line, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
