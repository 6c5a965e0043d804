"""Counting words: in any script, and as LongBench-Write does.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055. Its counter knows Chinese characters and
words of plain Latin letters only ("café" has none, "don't" has two), so it serves its own score
and nothing else.
"""

from functools import lru_cache

import regex


def split_words(text: str) -> list[str]:
    """Return the words of a text; of scripts without blanks, each character is one.

    Thai, Lao and Khmer have no blanks either, but count as if they had.
    """
    return _WORD.findall(text)


@lru_cache(maxsize=512)
def count_words(text: str) -> int:
    """Return how many words a text has; kept, for a text is counted again after each paragraph."""
    return sum(1 for _ in _WORD.finditer(text))


def count_words_as_longbench(text: str) -> int:
    """Return how many words LongBench-Write counts in a text."""
    return len(_UPSTREAM_HAN.findall(text)) + len(_UPSTREAM_LATIN.findall(text))


def length_score(required: int, written: int) -> float:
    """Return S_l of LongBench-Write: 100 for the length required, 0 from 4 times or a third of it.

    Upstream divides by the words written; without any, the score is 0 here.
    """
    if required <= 0 or written <= 0:
        return 0.0
    if written > required:
        return 100 * max(0.0, 1 - (written / required - 1) / 3)
    return 100 * max(0.0, 1 - (required / written - 1) / 2)


_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc"
_PART = rf"(?:(?![{_UNSPACED}])[\p{{L}}\p{{N}}\p{{M}}])+"
_WORD = regex.compile(rf"[{_UNSPACED}]|{_PART}(?:['’.,\-\u2010\u2011]{_PART})*")
_UPSTREAM_HAN = regex.compile(r"[\u4e00-\u9fff]")
_UPSTREAM_LATIN = regex.compile(r"\b[a-zA-Z]+\b")
