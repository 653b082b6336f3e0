"""What other processes say, heard: memory drops what is no longer so, and whoever waits for it looks again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analytics.watching import answers_key, job_key
from datasources.postgres import answers, breakers, erasure, jobs, roster, sessions

if TYPE_CHECKING:
    from collections.abc import Hashable
    from contextlib import AsyncExitStack

    from analytics.world import World
    from datasources.postgres.listening import Callback


async def hear(world: World, stack: AsyncExitStack) -> None:
    """Hear every channel until the stack is closed. Where news may have been missed, everything may have changed.

    Raises:
        DatabaseError: there is no connection to begin with.
    """
    ears: dict[str, Callback] = {
        answers.CHANNEL: partial(_answers, world),
        erasure.CHANNEL: partial(_erasure, world),
        jobs.CHANNEL: partial(_job, world),
        breakers.CHANNEL: partial(_breaker, world),
        roster.CHANNEL: world.roster.forget,
    }
    if world.standings is not None:
        ears[sessions.CHANNEL] = world.standings.heard
    await stack.enter_async_context(world.database.hear(ears))


def _answers(world: World, payload: str | None) -> None:
    """Newer answers were kept, or some let go of: what this process has of them is not the newest."""
    if payload is None:
        world.changed()
        world.memory.clear()
        world.hub.publish_where(lambda key: _about("answers", key), None)
        return
    told = answers.changed(payload)
    ours, organization, questions = told.by == world.database.name, told.organization, told.questions
    subjects = told.subjects if questions is None else {one.subject for one in questions}
    world.changed(organization, subjects)
    if ours:
        pass  # this process has what it kept
    elif questions is not None:
        world.drop(organization, questions)
    elif subjects is not None:
        world.memory.drop_where(lambda key: key[0] == organization and key[1].subject in subjects)
    else:
        world.memory.drop_where(lambda key: key[0] == organization)
    if subjects is None:
        world.hub.publish_where(lambda key: _about("answers", key, organization), None)
    else:
        for subject in subjects:
            world.hub.publish(answers_key(organization, subject), None)


def _erasure(world: World, payload: str | None) -> None:
    """Somebody is forgotten. Whether that was missed is not known after a while without news: see `let_go_of_all`."""
    if payload is None:
        world.let_go_of_all()
    else:
        world.let_go(*erasure.told(payload))


def _job(world: World, payload: str | None) -> None:
    if payload is None:
        world.hub.publish_where(lambda key: _about("job", key), None)
    else:
        world.hub.publish(job_key(*jobs.changed(payload)), None)


def _breaker(world: World, payload: str | None) -> None:
    """A service is to be asked again. One that was missed finds a probe by itself."""
    if payload is not None:
        world.ask_again(payload)


def _about(kind: str, key: Hashable, organization: str | None = None) -> bool:
    """Whether a key of the hub is one of these, of this organization or of any."""
    return isinstance(key, tuple) and key[0] == kind and organization in {None, key[1]}
