"""Writing down what every endpoint answers, one file each: `<directory>/<service>/<read>.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from datasources.simulator.reads import Subject
from datasources.simulator.services import services

if TYPE_CHECKING:
    from pathlib import Path

    from datasources.simulator.campus import Campus
    from datasources.simulator.reads import Payload


def samples(campus: Campus, key_set: Payload) -> dict[str, bytes]:
    """The payload of every read by `<service>/<read>.json`, asked about the campus's cast and their course."""
    home = {person.id: person.organization for person in campus.people}
    learner = campus.cast["learner"]
    run = next(
        run for run in campus.courses for one in campus.registrations if (one.person, one.course) == (learner, run.id)
    )
    keys = {
        Subject.LEARNER: learner,
        Subject.TRAINER: campus.cast["trainer"],
        Subject.ORGANIZATION: home[learner],
        Subject.COURSE: run.id,
        Subject.CONTENT: run.items[0].id,
        Subject.MARKET: "",
    }
    written = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {
        f"{service}/{read.name}.json": orjson.dumps(read.answer(keys[read.subject]), option=written)
        for service, reads in services(campus, key_set).items()
        for read in reads
    }


def record(campus: Campus, key_set: Payload, directory: Path) -> int:
    """Write the samples, and say how many there are; other files in the directory stay."""
    found = samples(campus, key_set)
    for name, content in found.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(found)
