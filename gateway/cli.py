"""The command `gateway`."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gateway import settings as settings_module
from gateway.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    help="Learning analytics as one GraphQL schema: serve it, try it, look after it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
account = typer.Typer(help="Accounts of our own, for where there is no auth service.", no_args_is_help=True)
app.add_typer(account, name="account")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ROOT = Path(__file__).parents[1]


def settings() -> Settings:
    """The settings of this process, or an end with everything that is wrong with them."""
    for remark in settings_module.unknown(os.environ):
        err.print(f"[yellow]{remark}[/yellow]")
    with complaints():
        return settings_module.read(os.environ)


def no_production() -> None:
    """End at once where a demo has no place."""
    if os.environ.get("GATEWAY_ENVIRONMENT") == "production":
        err.print("There is no demo in production, and there are no demo accounts.", style="red")
        raise typer.Exit(1)


@contextmanager
def complaints() -> Iterator[None]:
    """What people can mend ends the command with its message and status 1, without a traceback."""
    from datasources.postgres.connection import DatabaseError  # noqa: PLC0415 - commands start without the database
    from gateway.accounts import NoDemoError  # noqa: PLC0415 - each command imports what it needs
    from gateway.cluster import EmbeddedError  # noqa: PLC0415 - each command imports what it needs
    from gateway.demo import DemoError  # noqa: PLC0415 - each command imports what it needs
    from gateway.forgetting import ForgetError  # noqa: PLC0415 - each command imports what it needs
    from gateway.local_accounts import AccountError  # noqa: PLC0415 - each command imports what it needs
    from gateway.ports import PortError  # noqa: PLC0415 - each command imports what it needs
    from gateway.trusted import TrustError  # noqa: PLC0415 - each command imports what it needs

    try:
        yield
    except (
        AccountError,
        SettingsError,
        DatabaseError,
        EmbeddedError,
        DemoError,
        ForgetError,
        NoDemoError,
        PortError,
        TrustError,
    ) as problem:
        err.print(str(problem), markup=False, style="red")
        raise typer.Exit(1) from problem


@app.command()
def demo() -> None:
    """Start everything: nine simulated services, the gateway and its worker. Ctrl-C stops all of it."""
    from gateway import demo as running  # noqa: PLC0415 - each command imports what it needs
    from gateway.welcome import welcome  # noqa: PLC0415 - each command imports what it needs

    no_production()
    chosen = settings()
    started: list[running.Stoppable] = []
    try:
        with complaints(), running.interruptible():
            begun = running.start(chosen, os.environ, lambda what: err.print(f"  [dim]{what} ...[/dim]"), started)
            welcome(out, chosen, begun)
            begun.wait()
    except KeyboardInterrupt:
        err.print("\n  [dim]Stopping ...[/dim]")
    finally:
        running.stop(started)


@app.command()
def serve(workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that serve.")] = None) -> None:
    """Serve the graph at /graphql, with /livez and /readyz beside it."""
    from gateway.serving import run  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    with complaints():
        started = run(chosen.model_copy(update={"workers": workers}) if workers else chosen)
    raise typer.Exit(0 if started else 3)


@app.command()
def worker() -> None:
    """Do what nobody waits for: refreshes, the nightly batch, reports, and letting go of what is past its term."""
    from gateway.worker import work  # noqa: PLC0415 - each command imports what it needs

    with complaints():
        asyncio.run(work(settings()))


@app.command()
def forget(user: Annotated[str, typer.Argument(help="The id of a user, a UUID.")]) -> None:
    """Remove a person from everything that is kept, in every organization, and tell every process."""
    from gateway import forgetting  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    with complaints():
        asyncio.run(forgetting.forget(chosen, user, lambda said: out.print(said, markup=False)))


@app.command()
def migrate() -> None:
    """Bring the database up to date. Needs GATEWAY_OWNER_DATABASE_URL, unless the database is embedded."""
    from gateway import database  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    with complaints():
        database.migrate_only(chosen, err.print)


@app.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when the file is not current.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Write the schema's SDL to schema.graphql, whose diff is the review of the API."""
    from gateway.generated import current, schema_file  # noqa: PLC0415 - each command imports what it needs

    raise typer.Exit(0 if current(schema_file(ROOT), err.print, check=check) else 1)


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a file is not current.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Write the generated pages of docs/: metrics, services and settings."""
    from gateway.generated import current, pages  # noqa: PLC0415 - each command imports what it needs

    raise typer.Exit(0 if current(pages(ROOT), err.print, check=check) else 1)


@app.command()
def operations(
    directories: Annotated[list[Path], typer.Argument(help="Directories with .graphql files, one document in each.")],
    output: Annotated[Path, typer.Option(help="The list to write, for GATEWAY_TRUSTED_DOCUMENTS.")],
) -> None:
    """List the documents of a frontend, so that a gateway executes these and no others."""
    from gateway import trusted  # noqa: PLC0415 - each command imports what it needs
    from gateway.app import SCHEMA  # noqa: PLC0415 - likewise
    from gateway.endpoint import documents  # noqa: PLC0415 - likewise

    chosen = settings()
    with complaints():
        files = trusted.collected(directories)
        output.write_bytes(trusted.listed(files, documents(chosen, SCHEMA)))
    out.print(f"{len(files)} documents in {output}", markup=False)


@app.command()
def token(account: Annotated[str, typer.Argument(help="learner, trainer, org-admin or stranger")]) -> None:
    """Print a ready token of a demo account, and nothing else, on standard output."""
    from gateway import accounts  # noqa: PLC0415 - each command imports what it needs

    no_production()
    chosen = settings()
    with complaints():
        found = accounts.read(chosen.home).accounts
        if account not in found:
            msg = f"There is no demo account {account!r}; there are: {', '.join(found)}."
            raise accounts.NoDemoError(msg)
        sys.stdout.write(accounts.token(chosen, found[account], datetime.now(UTC)) + "\n")


@app.command()
def doctor() -> None:
    """Look at configuration, database, migrations, services and page, and say what to do about each finding."""
    from gateway.doctor import examine  # noqa: PLC0415 - each command imports what it needs

    raise typer.Exit(asyncio.run(examine(os.environ, out)))


@account.command()
def add(
    email: Annotated[str, typer.Argument(help="The address somebody signs in with.")],
    organization: Annotated[str, typer.Option(help="The id of their organization, a UUID.")],
    user: Annotated[str, typer.Option(help="Their user id in the directory, a UUID.")],
    role: Annotated[list[str], typer.Option(help="learner, trainer or org-admin; once for each.")],
    name: Annotated[str, typer.Option(help="What they are called.")] = "",
) -> None:
    """Make an account; its password is asked for, or read from standard input."""
    from datasources.postgres.local_accounts import LocalAccount  # noqa: PLC0415 - each command imports what it needs
    from gateway import local_accounts  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with complaints():
        made = LocalAccount(organization, user, email, name or email, tuple(role), "")
        asyncio.run(local_accounts.add(chosen, made, password))
    out.print(f"{email} can sign in.", markup=False)


@account.command(name="list")
def list_accounts(organization: Annotated[str, typer.Argument(help="The id of an organization, a UUID.")]) -> None:
    """Show the accounts of an organization."""
    from gateway import local_accounts  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    with complaints():
        found = asyncio.run(local_accounts.listed(chosen, organization))
    for one in found:
        state = "disabled" if one.disabled else "open"
        out.print(f"{one.email}  {one.person}  {', '.join(one.roles)}  {state}", markup=False)


@account.command()
def disable(email: Annotated[str, typer.Argument(help="The address somebody signs in with.")]) -> None:
    """Let nobody sign in with an account any more; whoever is signed in with it is signed out."""
    from gateway import local_accounts  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    with complaints():
        asyncio.run(local_accounts.disable(chosen, email, lambda said: out.print(said, markup=False)))


@app.command()
def revoke(user: Annotated[str, typer.Argument(help="The id of a user, a UUID.")]) -> None:
    """Make void, in every process, all tokens and sessions that a user was given until now."""
    from gateway import local_accounts  # noqa: PLC0415 - each command imports what it needs

    chosen = settings()
    with complaints():
        asyncio.run(local_accounts.revoke(chosen, user, lambda said: out.print(said, markup=False)))


@app.command()
def key() -> None:
    """Print a fresh key for GATEWAY_ENCRYPTION_KEYS, and nothing else, on standard output."""
    from gateway.sessions.sealing import new_key  # noqa: PLC0415 - each command imports what it needs

    sys.stdout.write(new_key() + "\n")


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
