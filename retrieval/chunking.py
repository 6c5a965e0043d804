"""Cutting pages into chunks that an embedder reads whole.

Chunks cover every character of their page and join back to it; none reaches over a page border,
so a chunk always has one page to cite. Their size is counted in tokens of the embedder, which
drops without a word what it cannot read (MiniLM: beyond 256 word pieces). A tokenizer works
within words, so each distinct word is counted once: ten times faster than tokenizing the text.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from lcagent.documents import Chunk, Document, Span
from lcagent.retrieval.embedding.embedder import Tokenizer

MAX_TOKENS = 220
"""Tokens a chunk may hold; MiniLM reads 254 and its two special ones."""

_RUN = re.compile(r"[^\W_]+|\S")
_BORDERS = (
    re.compile(r"\n[ \t]*\n+"),
    re.compile(r"(?<=[.!?:;؟])[\"'”’»)\]]*[ \t]*\n|(?<=[。！？])[」』”）]*\n?"),
    re.compile(r"(?<=[.!?؟])[\"'”’»)\]]*\s+"),
    re.compile(r"\n"),
    re.compile(r"\s+"),
)
"""Where to cut, the best first: paragraph, sentence at a line end, sentence, line, word."""

_FULL_ENOUGH = 0.6


def chunker_id(tokenizer: Tokenizer) -> str:
    """Name the rule by which `cut_chunks` cuts, for the store."""
    return f"{tokenizer.id}-{MAX_TOKENS}/1"


def cut_chunks(document: Document, tokenizer: Tokenizer) -> list[Chunk]:
    """Return the chunks of a document, in order."""
    runs = [[match.span() for match in _RUN.finditer(page.text)] for page in document.pages]
    texts = [page.text for page in document.pages]
    # Tokenizers cut at blanks and punctuation first: the tokens of a text are those of its words.
    words = list({text[a:b] for text, page in zip(texts, runs, strict=True) for a, b in page})
    special, *counts = tokenizer.count_tokens(["", *words])
    sizes = {word: count - special for word, count in zip(words, counts, strict=True)}
    chunks: list[Chunk] = []
    for page, spans in zip(document.pages, runs, strict=True):
        tokens = list(accumulate(sizes[page.text[start:end]] for start, end in spans))
        for start, end in _cut_page(page.text, spans, tokens):
            text = page.text[start:end]
            span = Span(document.id, page.index, start, end)
            chunks.append(Chunk(span, len(chunks), text))
    return chunks


def _cut_page(
    text: str, runs: Sequence[tuple[int, int]], tokens: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the chunks of a page; `tokens` counts them up to and with each run."""
    spans: list[tuple[int, int]] = []
    start = first = 0
    while start < len(text):
        before = tokens[first - 1] if first else 0
        beyond = bisect_left(tokens, before + MAX_TOKENS + 1, lo=first)
        if beyond >= len(runs):
            end = len(text)
        else:
            limit = runs[max(beyond, first + 1)][0] if beyond > first else runs[first][1]
            end = _best_cut(text, start, limit)
        spans.append((start, end))
        start = end
        first = bisect_left(runs, (start, 0))
    return spans


def _best_cut(text: str, start: int, limit: int) -> int:
    """Return the best place to cut in the last part of `text[start:limit]`."""
    # A better border far up would leave a short chunk, which ranks too high: its few words are all
    # of it. So borders count in the last part only, the best kind first, then the last of its kind.
    earliest = start + int((limit - start) * _FULL_ENOUGH)
    for border in _BORDERS:
        end = max((match.end() for match in border.finditer(text, earliest, limit)), default=0)
        if end > start:
            return end
    return limit
