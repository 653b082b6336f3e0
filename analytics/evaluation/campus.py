"""The generated campus beside the real sample, figure by figure, and the size of the sample itself."""

from analytics.evaluation.document import Section, Table, figure, whole
from datasources.simulator.campus import Campus
from datasources.simulator.generated import generate
from datasources.simulator.moments import REAL, moments

PUBLISHED_SIZE = {
    "registrations": 3_315,
    "learners": 3_271,
    "pieces of work handed in": 20_157,
    "learner-item-days": 534_911,
    "clicks": 2_426_657,
}


def size(campus: Campus) -> Section:
    """How much the sample holds, beside what its data sheet says."""
    clicks = [click for one in campus.registrations for click in one.clicks]
    counted = (
        len(campus.registrations),
        len({one.person for one in campus.registrations}),
        sum(len(one.submissions) for one in campus.registrations),
        len(clicks),
        sum(actions for _, _, actions in clicks),
    )
    return Section(
        "The sample",
        [
            Table(
                ("", "here", "data sheet"),
                [
                    [name, whole(found), whole(said)]
                    for (name, said), found in zip(PUBLISHED_SIZE.items(), counted, strict=True)
                ],
            )
        ],
    )


def generated(campus: Campus) -> Section:
    """The figures of the real sample and of the campus that the demo generates."""
    real, made = moments(campus), moments(generate())
    return Section(
        "The generated campus beside the real one",
        [
            """The demo's campus of made-up learners is drawn to behave like real ones. Each figure is explained in
            `datasources/simulator/moments.py`; a test holds the generated one within the tolerance.""",
            Table(
                ("Figure", "real, recomputed", "real, as committed", "generated", "tolerance", "within"),
                [
                    [
                        name.replace("_", " "),
                        figure(real[name]),
                        figure(moment.real),
                        figure(made[name]),
                        figure(moment.within),
                        "yes" if abs(made[name] - moment.real) <= moment.within else "**no**",
                    ]
                    for name, moment in REAL.items()
                ],
            ),
        ],
    )
