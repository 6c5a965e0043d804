"""How many word pieces a text has at most, where no tokenizer is installed.

Devlin et al., BERT, https://arxiv.org/abs/1810.04805: words are cut at blanks and punctuation,
then greedily into the longest pieces of a vocabulary. Without it: a letter of a script other
than Latin is a piece, numbers have one piece less than digits, a Latin word one for every two
letters. That is a bound for running text (about twice the count in English), not for random
letters; words without a vowel and words mixed with digits therefore count every character.
"""

import re
import unicodedata
from collections.abc import Sequence

SPECIAL_TOKENS = 2  # [CLS] and [SEP]

_RUN = re.compile(r"[^\W_]+|[^\s]", re.UNICODE)
_VOWEL = re.compile("[aeiouy]")


class WordPieceEstimate:
    """Counts like the tokenizer of all-MiniLM-L6-v2, never fewer on running text."""

    id = "word-piece-estimate"
    max_tokens = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return a bound on the word pieces of each text, special ones included."""
        return [SPECIAL_TOKENS + sum(map(_max_pieces, _RUN.findall(text))) for text in texts]


def _max_pieces(run: str) -> int:
    plain = [
        c for c in unicodedata.normalize("NFD", run.lower()) if unicodedata.category(c) != "Mn"
    ]
    word = "".join(plain)
    if not word.isascii():
        return max(1, len(word))
    if word.isdecimal():
        return max(1, len(word) - 1)
    if word.isalpha() and (_VOWEL.search(word) or len(word) == 1):
        return (len(word) + 1) // 2
    return max(1, len(word))
