"""A model round another: what it does not change is the other's."""

from collections.abc import Sequence

from lcagent.models.base import ChatModel, Message, ModelCard


class Wrapping:
    """The part that all models round another share."""

    model: ChatModel

    @property
    def card(self) -> ModelCard:
        """What is known about the model."""
        return self.model.card

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count as the model does."""
        return self.model.count_tokens(messages)
