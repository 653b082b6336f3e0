"""What the cards of the platform's dashboards read, and where the graph has it, or why it has it not."""

from resolvers.cards.declare import Card
from resolvers.cards.learner import CARDS as LEARNER
from resolvers.cards.organization import CARDS as ORGANIZATION
from resolvers.cards.prediction import CARDS as PREDICTION
from resolvers.cards.trainer import CARDS as TRAINER

__all__ = ["CARDS", "Card"]

CARDS: tuple[Card, ...] = (*LEARNER, *TRAINER, *ORGANIZATION, *PREDICTION)
