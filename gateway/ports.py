"""Where we listen: whether we can, and how others reach it."""

from __future__ import annotations

import errno
import socket


class PortError(RuntimeError):
    """We cannot listen there; the message says why and what to do."""


def address(host: str, port: int) -> str:
    """The URL under which this machine reaches who listens there."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only looked for
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"


def check_port(host: str, port: int) -> int:
    """The port, or for 0 one that is free; refused early when somebody listens there already.

    Raises:
        PortError: with another port to try.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            advice = f"Stop what uses it, or take another port, like GATEWAY_PORT={port + 1}."
            if error.errno in {errno.EACCES, errno.EPERM}:
                advice = "Ports below 1024 are for root: take another, like GATEWAY_PORT=8000."
            elif error.errno != errno.EADDRINUSE:
                advice = "GATEWAY_HOST must be an address of this machine, like 127.0.0.1."
            msg = f"Cannot listen on {host}:{port}: {error.strerror}. {advice}"
            raise PortError(msg) from error
        return int(trial.getsockname()[1])


def free_port() -> int:
    """A port of 127.0.0.1 that nobody used a moment ago."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
