"""What the demo prints once it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway import accounts, tabs

if TYPE_CHECKING:
    from rich.console import Console

    from gateway.demo import Running
    from gateway.settings import Settings


def welcome(console: Console, settings: Settings, running: Running) -> None:
    """The address, the accounts with ready tokens, and the query to paste."""
    demo = running.demo
    document = tabs.documents().get("learner-dashboard")
    if document:
        console.print("\n[bold]The learner dashboard[/bold] (tests/operations/learner-dashboard.graphql):\n")
        console.print(document, markup=False)
    console.print(f"Learners: {demo.source}. The platform's clock stands at {demo.as_of:%Y-%m-%d %H:%M} UTC.\n")
    for name, account in demo.accounts.items():
        console.print(f"[bold]{name}[/bold]  {account.name}", markup=True)
        console.print(f"  Authorization: Bearer {accounts.token(settings, account, datetime.now(UTC))}", style="dim")
    console.print("[bold]signIn[/bold] takes the address of any of them, with the password demo:", style="dim")
    console.print("  " + ", ".join(account.email for account in demo.accounts.values()), markup=False, style="dim")
    console.print("\n[bold]Ask it from a shell[/bold]:\n")
    console.print(
        f"  curl -sG {running.url} --data-urlencode query@tests/operations/learner-dashboard.graphql \\\n"
        '    -H "Authorization: Bearer $(.venv/bin/gateway token learner)"\n',
        markup=False,
    )
    console.print("[bold]Break a service[/bold] (ok, slow, failing, hanging or nonsense), and look at `services`:\n")
    console.print(
        f"  curl -s {running.simulator}/switches -H 'Content-Type: application/json' "
        '-d \'{"service": "content", "mode": "failing"}\'\n',
        markup=False,
    )
    console.print(f"[bold]{running.url}[/bold]   open it in a browser, or ask it over HTTP")
    console.print("Ctrl-C stops everything.", style="dim")
