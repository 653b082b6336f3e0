"""Whatever has an id, by it: null where there is nothing of it that the viewer may know of."""

from analytics.policy import NotAllowed, NotFound
from resolvers.context import Info
from resolvers.ids import GlobalId
from resolvers.subjects import Learner, Organization, Trainer, to_learner, to_organization, to_trainer


async def node_of(info: Info, wanted: GlobalId) -> Learner | Trainer | Organization | None:
    """The subject with this id; those that are asked for together are looked up together."""
    finds = info.context.subjects
    try:
        match wanted.type:
            case "Learner":
                return to_learner(await finds.learner(wanted.uuid))
            case "Trainer":
                return to_trainer(await finds.trainer(wanted.uuid))
            case "Organization":
                return to_organization(await finds.organization(wanted.uuid))
    except (NotFound, NotAllowed):
        pass
    return None
