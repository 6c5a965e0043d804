"""Counting tokens before a request is sent, so that prompt and reply fit into the window.

Counts are exact for OpenAI's tokenizers. For any other model they are estimates, too high rather
than too low (measured in `docs/models.md`), and they rise when a server reports more than was
counted.

Nothing is ever fetched. The files of tiktoken are looked for where the user says
(`TIKTOKEN_CACHE_DIR`), else in what llama-index-core brings along; where none is found, or it is
damaged, counts are estimates.
"""

import hashlib
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from lcagent.models.chat_model import Message

Encode: TypeAlias = Callable[[str], list[int]]

MESSAGE_TOKENS = 8
"""What a chat template puts around one message, at most."""

PROMPT_TOKENS = 96
"""What a chat template puts around all of them: some add a system text of their own."""

_PIECE = 4_000
_REMEMBERED = 500
_MOST_REMEMBERED = 4_096
_LEAST_FACTOR = 1.2
_LEARNING_MARGIN = 1.02
_MOST_FACTOR = 4.0
_LONG_PROMPT = 1_000
_CHEAP_TO_SPLIT = re.compile(r"(?<=\S) (?=[^\W\d_])")  # where OpenAI's tokenizers split anyway
_EXTRAS = (  # what other tokenizers need more of than cl100k_base, and how many tokens each
    (re.compile("[0-9]"), 0.5),  # one by one
    (re.compile("[\u00c0-\u024f\u1e00-\u1eff]"), 0.7),  # letters with accents
    (re.compile("[\u0370-\u06ff]"), 0.1),  # Greek to Arabic
    (re.compile("[\u0b80-\u0eff]"), 0.65),  # Tamil to Thai and Lao
    (re.compile("[\U00010000-\U0010ffff]"), 1.0),  # emoji in bytes
    (re.compile(r"([\W_])(?=\1)"), 0.25),  # rows of dots, rules, blanks
    (re.compile("[A-Z](?=[A-Z])"), 0.1),
)
_FILES = {  # name of the file in a cache of tiktoken, and SHA-256 of its content
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}
_FOLDER_VARIABLES = ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")


class Calibration:
    """How many more tokens a server counted than we did, at most; it only rises.

    In a short prompt the difference is what the server adds to each prompt, such as a system text
    of its own; in a long one it is the error of our estimate.
    """

    def __init__(self) -> None:
        self.factor = 1.0
        self.added = 0

    def learn(self, counted: int, reported: int) -> None:
        """Take in what a server reported of a prompt for which our count was `counted`."""
        if reported <= counted:
            return
        if counted < _LONG_PROMPT:
            self.added += reported - counted
        else:
            raised = self.factor * reported / counted * _LEARNING_MARGIN
            self.factor = min(_MOST_FACTOR, raised)


class TokenCounter:
    """Counts as one tokenizer does: "o200k_base", "cl100k_base", or "unknown" for an estimate.

    Where a tokenizer cannot be loaded offline, an estimate takes its place.
    """

    def __init__(self, tokenizer: str = "unknown") -> None:
        self._tokenizer = tokenizer
        self._calibration = Calibration()
        self._counted: dict[tuple[int, int], float] = {}

    def count_text(self, text: str) -> int:
        """Return the tokens of a text; the sum over its pieces is as many, or a few more."""
        return math.ceil(self._count(text) * self._calibration.factor)

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the tokens of a prompt, with what a chat template adds."""
        around = PROMPT_TOKENS + MESSAGE_TOKENS * len(messages)
        counted = sum(self._count(message.text) for message in messages) + around
        return math.ceil(counted * self._calibration.factor) + self._calibration.added

    def learn(self, counted: int, reported: int) -> None:
        """Count more from now on where a server reported more than was counted."""
        self._calibration.learn(counted, reported)

    def _count(self, text: str) -> float:
        """Count, remembering long texts: a prompt is counted where it is made, paid and sent."""
        if len(text) < _REMEMBERED:
            return self._count_anew(text)
        key = (len(text), hash(text))
        if key not in self._counted:
            if len(self._counted) >= _MOST_REMEMBERED:
                self._counted.clear()
            self._counted[key] = self._count_anew(text)
        return self._counted[key]

    def _count_anew(self, text: str) -> float:
        encode = encoder(self._tokenizer) if self._tokenizer != "unknown" else None
        if encode is not None:
            return _encoded(text, encode)
        encode = encoder("cl100k_base")
        return _counted_without_tokenizer(text) if encode is None else _estimated(text, encode)


def _encoded(text: str, encode: Encode) -> int:
    return sum(len(encode(piece)) for piece in _pieces(text))


def _estimated(text: str, encode: Encode) -> float:
    """Return more than the count of cl100k_base, which has more tokens than newer ones.

    Compared with six tokenizers in 28 languages and kinds of text (docs/models.md).
    """
    extra = sum(sum(1 for _ in pattern.finditer(text)) * each for pattern, each in _EXTRAS)
    return _encoded(text, encode) * _LEAST_FACTOR + extra


def _counted_without_tokenizer(text: str) -> float:
    """Return an upper bound but for odd vocabularies: no tokenizer needs more than a byte each."""
    letters = sum(1 for _ in re.finditer("[A-Za-z]", text))
    return len(text.encode("utf-8", "surrogatepass")) - letters / 2


def _pieces(text: str) -> Iterator[str]:
    """Cut long texts: tokenizers take quadratic time over long runs of one kind of character."""
    start = 0
    while len(text) - start > _PIECE:
        cut = _CHEAP_TO_SPLIT.search(text, start + _PIECE - 200, start + _PIECE)
        end = cut.start() if cut else start + _PIECE
        yield text[start:end]
        start = end
    yield text[start:] if start else text


@cache
def encoder(name: str) -> Encode | None:
    """Return what turns text into tokens, or None where it cannot be had offline.

    Costs 0.1 to 0.2 s of CPU at the first call. What looks like a special token is plain text.
    """
    folder = next((place for place in _folders() if _holds(place, name)), None)
    if folder is None:
        return None
    with _cache_folder(folder):
        import tiktoken  # noqa: PLC0415 -- not needed by whoever only quotes

        return tiktoken.get_encoding(name).encode_ordinary


def _folders() -> Iterator[Path]:
    for variable in _FOLDER_VARIABLES:
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    spec = find_spec("llama_index")  # the namespace only: its packages are slow to import
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "core" / "_static" / "tiktoken_cache"


def _holds(folder: Path, name: str) -> bool:
    file_name, expected = _FILES[name]
    try:
        content = (folder / file_name).read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == expected


@contextmanager
def _cache_folder(folder: Path) -> Iterator[None]:
    """Let tiktoken find its file, then leave the environment as it was."""
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before
