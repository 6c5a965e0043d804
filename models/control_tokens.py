"""What is said to a server is text, whatever stands in it: no control token of a chat template.

A server joins messages by tokens such as `<|im_end|>`, and most read such tokens in the messages,
too: a document could end the user's turn and begin one of the system's. So the sign with which
what may be such a token begins is replaced by one that looks alike and is none. A quote is found
all the same, since both are one character to Unicode's NFKC, and in replies it is put back.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lcagent.models.chat_model import (
    ChatModel,
    Message,
    OnText,
    Reply,
    Request,
    RestartableText,
    TokenLogprob,
    WrapperModel,
)

_ALIKE = {"<": "\ufe64", "[": "\ufe47"}
_BACK = {ord(alike): sign for sign, alike in _ALIKE.items()}

_BEGINS = re.compile(
    r"""<(?=[|\uff5c])                            # <|im_end|>, DeepSeek's with a wide bar
    |   <(?=/?[\w\u2581][\w.:=\u2581-]{0,47}>)   # <s>, </s>, <end_of_turn>, <0x0A>, <think>
    |   <(?=</?\w{1,48}>>)                        # <<SYS>>
    |   \[(?=/?(?:[A-Z][A-Z_]+|[gs]?MASK)\]|\|)   # [INST], [/TOOL_RESULTS], [gMASK], [|user|]
    """,
    re.VERBOSE,
)
"""Where there may be a token of some template. More is taken for one than is: it does no harm."""


def spelled_out(text: str) -> str:
    """Return a text of the same length in which no control token of a template begins."""
    return _BEGINS.sub(lambda match: _ALIKE[match[0]], text)


def put_back(text: str) -> str:
    """Return a text with the signs that `spelled_out` replaced."""
    return text.translate(_BACK)


@dataclass(slots=True)
class SpellsOutTokens(WrapperModel):
    """A model behind a server, to whom control tokens in messages are spelled out."""

    model: ChatModel

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count what is sent."""
        return self.model.count_tokens(_spelled(messages))

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return the reply, with the signs of the texts that it repeats."""
        sent = replace(request, messages=_spelled(request.messages))
        tell = None if on_text is None else _putting_back(on_text)
        reply = await self.model.complete(sent, tell)
        logprobs = reply.logprobs and tuple(map(_token_back, reply.logprobs))
        return replace(reply, text=put_back(reply.text), logprobs=logprobs)


def _spelled(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(Message(each.role, spelled_out(each.text)) for each in messages)


def _putting_back(on_text: OnText) -> OnText:
    if isinstance(on_text, RestartableText):
        return _PutsBack(on_text)
    return lambda piece: on_text(put_back(piece))


@dataclass(frozen=True, slots=True)
class _PutsBack:
    """Hands pieces on with their signs put back, and what it is told of a new beginning."""

    on_text: RestartableText

    def __call__(self, piece: str) -> None:
        self.on_text(put_back(piece))

    def restart(self) -> None:
        """Let what is told discard all pieces so far."""
        self.on_text.restart()


def _token_back(token: TokenLogprob) -> TokenLogprob:
    """Return a token as it stands in the text; a sign may be split over several."""
    data = token.data
    for sign, alike in _ALIKE.items():
        data = data.replace(alike.encode(), sign.encode())
    return replace(token, text=put_back(token.text), data=data)
