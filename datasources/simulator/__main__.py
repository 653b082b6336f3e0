"""`python -m datasources.simulator serve` runs the nine services; `record DIR` writes down what they answer."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from datasources.simulator.accounts import Issuer, key_set
from datasources.simulator.generated import generate
from datasources.simulator.oulad import import_oulad
from datasources.simulator.oulad_files import OuladError
from datasources.simulator.record import record
from datasources.simulator.server import SimulatorServer, create_simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasources.simulator.campus import Campus

SAMPLE_KEY = bytes(32)
"""The seed of the key whose public half stands in the recorded samples; it signs nothing."""


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; 0 when it worked, 2 when the campus cannot be read."""
    asked = _parser().parse_args(arguments)
    try:
        campus = _campus(asked)
    except OuladError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(
            f"{error.filename} cannot be read: {error.strerror}. Let this user read it, or name another.\n"
        )
        return 2
    if asked.command == "record":
        public = key_set(Ed25519PrivateKey.from_private_bytes(SAMPLE_KEY))
        sys.stdout.write(f"{record(campus, public, asked.directory)} samples in {asked.directory}\n")
        return 0
    issuer = Issuer(asked.issuer, asked.audience)
    app = create_simulator(campus, token=asked.token, password=asked.password, issuer=issuer)
    config = uvicorn.Config(app, host=asked.host, port=asked.port, log_level="warning", timeout_graceful_shutdown=5)
    SimulatorServer(config).run()
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser("python -m datasources.simulator", description="The nine services over real HTTP.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the nine services, each under its name, until stopped")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8100)
    serve.add_argument(
        "--token",
        default=os.environ.get("SIMULATOR_TOKEN", "simulator"),
        help="the service token that callers must show; SIMULATOR_TOKEN where nobody should read it off the process",
    )
    serve.add_argument("--password", default="demo", help="the password of every demo account")
    serve.add_argument("--issuer", default=Issuer().issuer, help="who its access tokens are said to be from")
    serve.add_argument("--audience", default=Issuer().audience, help="whom its access tokens are said to be for")
    record_to = commands.add_parser("record", help="write a sample of every endpoint")
    record_to.add_argument("directory", type=Path)
    for command in (serve, record_to):
        source = command.add_mutually_exclusive_group()
        source.add_argument("--data", type=Path, help="a directory of OULAD files; without it a campus is generated")
        source.add_argument("--campus", metavar="MODULE:FUNCTION", help="a function that makes a campus")
        command.add_argument("--learners", type=int, default=600, help="of a generated campus")
        command.add_argument("--seed", type=int, default=7, help="of a generated campus")
    return parser


def _campus(asked: Namespace) -> Campus:
    if asked.data:
        if not asked.data.is_dir():
            msg = f"{asked.data} is no directory: name one that holds OULAD data"
            raise OuladError(msg)
        return import_oulad(asked.data)
    if asked.campus:
        module, _, function = asked.campus.partition(":")
        made: Campus = getattr(import_module(module), function)()
        return made
    return generate(asked.learners, asked.seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
