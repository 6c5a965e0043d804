"""Text to tokens and back, with the model's own tokenizer and chat template.

What is said in a conversation is text: a control token that stands in it, such as `</s>` or
`<|im_end|>` in a document, is spelled like any other word. Only the template writes control tokens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lcagent.errors import ContextTooLong, ModelNotUsable, UsageError

SLICE_LETTERS, LETTERS_PER_TOKEN = 50_000, 2
"""What is counted at once; and of texts with fewer letters for each token that is allowed, most are
not too long, so that they are not counted before they are encoded."""

TOKENS_PER_CUT = 4
"""How many more tokens a text may seem to have for each slice that it is counted in."""

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class ChatMessage(Protocol):
    """One message of a conversation."""

    @property
    def role(self) -> str:
        """Who says it: "system", "user" or "assistant"."""
        ...

    @property
    def text(self) -> str:
        """What is said."""
        ...


@dataclass(frozen=True, slots=True)
class ChatTokenizer:
    """A tokenizer of transformers, checked against its model."""

    tokenizer: Any

    def encode(self, text: str) -> list[int]:
        """Return tokens, with what the model begins every text with."""
        tokens: list[int] = self.tokenizer.encode(text)
        return tokens

    def encode_continuation(self, text: str) -> list[int]:
        """Return tokens of a text that continues another."""
        tokens: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def encode_chat(self, messages: Sequence[ChatMessage], *, is_open: bool = True) -> list[int]:
        """Return the tokens of a conversation, up to where the assistant begins to speak.

        Args:
            is_open: The assistant speaks next; else the conversation breaks off.

        Raises:
            UsageError: The model has no chat template, or it does not allow these messages.
        """
        if not self.tokenizer.chat_template:
            raise UsageError("this model has no chat template; use a plain completion")
        said = [{"role": message.role, "content": message.text} for message in messages]
        try:
            tokens: list[int] = self.tokenizer.apply_chat_template(
                said,
                add_generation_prompt=is_open,
                sanitize_control_tokens=True,
                return_dict=False,
            )
        except Exception as error:  # templates are programs and raise anything
            raise UsageError(f"the chat template refuses these messages: {error}") from error
        return list(tokens)

    def refuse_longer(self, text: str, most_tokens: int) -> None:
        """Refuse a text that certainly has more tokens, at the cost of one that has so many.

        Encoding takes a hundred times the memory of a text, and seconds for each few megabytes.

        Raises:
            ContextTooLong: It has more.
        """
        if len(text) <= LETTERS_PER_TOKEN * most_tokens:
            return
        count = 0
        for start in range(0, len(text), SLICE_LETTERS):
            count += len(self.encode_continuation(text[start : start + SLICE_LETTERS]))
            count -= TOKENS_PER_CUT
            if count > most_tokens:
                raise ContextTooLong(
                    f"a text of {len(text)} letters has more than {most_tokens} tokens, which is "
                    "the limit"
                )

    def decode(self, tokens: Sequence[int]) -> str:
        """Return text without special tokens."""
        text: str = self.tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def token_text(self, token: int) -> str:
        """Return the text of one token, special or not."""
        text: str = self.tokenizer.decode([token], clean_up_tokenization_spaces=False)
        return text

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes of one token, which may be a part of a character."""
        text, piece = self.token_text(token), str(self.tokenizer.convert_ids_to_tokens(token))
        if found := _BYTE_TOKEN.fullmatch(piece):
            return bytes([int(found[1], 16)])
        if "\N{REPLACEMENT CHARACTER}" in text and all(letter in _LETTERS for letter in piece):
            return bytes(_LETTERS[letter] for letter in piece)
        return text.encode()

    def check(self, vocabulary: int) -> None:
        """Refuse a tokenizer whose tokens the model does not have.

        Raises:
            ModelNotUsable: It makes tokens beyond the model's vocabulary.
        """
        if len(self.tokenizer) > vocabulary:
            raise ModelNotUsable(
                f"the tokenizer does not fit: it has {len(self.tokenizer)} tokens, the model "
                f"{vocabulary}"
            )


def _byte_letters() -> dict[str, int]:
    """Return the byte behind each letter of byte-level tokens, as GPT-2 chose them."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return {chr(byte if byte in printable else next(others)): byte for byte in range(256)}


_LETTERS = _byte_letters()
