"""The text of a reply that is made here, and the log-probabilities that belong to it."""

from typing import TYPE_CHECKING

from lcagent.models.chat_model import OnText, TokenLogprob
from lcagent.models.reasoning import ReasoningStripper

if TYPE_CHECKING:
    from lcagent.engine.generation.sequences import Sequence
    from lcagent.engine.loading.text import Text


class Written:
    """The text of a reply as it comes, without the reasoning before it."""

    def __init__(self, on_text: OnText | None) -> None:
        self.text = ""
        self._on_text = on_text
        self._thoughts = ReasoningStripper()

    def take(self, piece: str) -> None:
        """Add a piece."""
        self._add(self._thoughts.feed(piece))

    def end(self) -> None:
        """Add what was held back."""
        self._add(self._thoughts.end())

    def _add(self, piece: str) -> None:
        if piece:
            self.text += piece
            if self._on_text is not None:
                self._on_text(piece)


def logprobs_of(reply: "Sequence", spoken: "Text", text: str) -> tuple[TokenLogprob, ...] | None:
    """Return the log-probabilities of the last tokens, if these spell the text and nothing else."""
    told: list[TokenLogprob] = []
    spelled = b""
    for choice in reversed(reply.choices):
        if choice.token in reply.order.ends:
            continue
        if len(spelled) >= len(text.encode()):  # reasoning may come before it
            break
        data = spoken.token_bytes(choice.token)
        told.append(TokenLogprob(spoken.token_text(choice.token), choice.logprob or 0.0, data))
        spelled = data + spelled
    is_whole = spelled.decode("utf-8", "replace").lstrip() == text.lstrip()
    return tuple(reversed(told)) if is_whole else None
