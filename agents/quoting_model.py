"""A stand-in for a language model: it answers every prompt of ours by quoting its material.

With it all methods run without a language model: nothing is put into other words, and what it
replies can be checked like any other reply.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from lcagent.agents.quoting import GOOD_LENGTH
from lcagent.agents.replies import NOT_FOUND
from lcagent.models.chat_model import Message, ModelCard, OnText, Reply, Request
from lcagent.retrieval.quotes.checking import is_evidence
from lcagent.retrieval.search.analysis import Analyzer, detect_language, stop_terms
from lcagent.retrieval.sentences import sentences
from lcagent.tasks import QUOTE

QUOTING_MODEL_CARD = ModelCard(
    name=QUOTE,
    window_tokens=16_000,
    usd_per_million_prompt=0.0,
    usd_per_million_completion=0.0,
    is_known=True,
)
MIN_TERM_SHARE = 0.34
"""The share of the question's words that a sentence must have to be quoted."""

MAX_REPLY_QUOTES = 3


class QuotingModel:
    """Quotes the sentences of the fenced material that share most words with the question."""

    card = QUOTING_MODEL_CARD

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count four characters as a token; there is no real window to fill."""
        return sum(len(message.text) // 4 + 1 for message in messages)

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Return quotes, in the form that the prompt asks for."""
        text = _reply(request.messages[-1].text)
        if on_text is not None:
            on_text(text)
        return Reply(text)


@dataclass(frozen=True, slots=True)
class _Found:
    share: float
    label: str
    sentence: str


def _reply(prompt: str) -> str:
    materials = [(found["kind"], found["text"]) for found in _MATERIAL.finditer(prompt)]
    kinds = {kind for kind, _ in materials}
    question = _QUESTION.findall(_MATERIAL.sub("", prompt))[-1:]
    found = _best(question[0] if question else "", materials)
    if "part" in kinds and "notes" in kinds:
        facts = [{"text": each.sentence, "quote": each.sentence} for each in found]
        return json.dumps({"facts": facts, "open_questions": [], "answer": ""}, ensure_ascii=False)
    if not found:
        return NOT_FOUND
    return "\n".join(map(_marked, found))


def _marked(found: _Found) -> str:
    if found.label.startswith("S"):
        return f'{found.sentence} [{found.label} "{found.sentence}"]'
    return f"{found.sentence} [{found.label}]" if found.label else found.sentence


def _best(question: str, materials: Sequence[tuple[str, str]]) -> list[_Found]:
    texts = [text for kind, text in materials if kind in _READ]
    analyzer = Analyzer(detect_language("\n".join(texts)[:10_000]))
    wanted = set(analyzer.terms(question)) - stop_terms(analyzer.language)
    found = [
        _Found(share, label, sentence)
        for text in texts
        for label, sentence in _said(text)
        if (share := _share(wanted, sentence, analyzer)) >= MIN_TERM_SHARE
    ]
    return sorted(found, key=lambda each: -each.share)[:MAX_REPLY_QUOTES]


def _share(wanted: set[str], sentence: str, analyzer: Analyzer) -> float:
    """Return how many of the words wanted a sentence has; a short one says less."""
    if not wanted:
        return 0.0
    shared = len(wanted & set(analyzer.terms(sentence))) / len(wanted)
    return shared * min(1.0, 0.8 + 0.2 * len(sentence) / GOOD_LENGTH)


def _said(text: str) -> list[tuple[str, str]]:
    """Return the sentences of some material with its labels: of a passage, or of each note."""
    notes = _NOTE.findall(text)
    if notes:
        return [(label, said) for label, said in notes]
    passage = _PASSAGE.match(text)
    body = text[passage.end() :] if passage else text
    label = passage[1] if passage else ""
    said = (" ".join(body[start:end].split()) for start, end in sentences(body))
    return [(label, sentence) for sentence in said if is_evidence(sentence)]


_READ = frozenset(["passage", "part", "notes", "summary", "team"])
_MATERIAL = regex.compile(
    r"<(?<kind>\w+) (?<mark>[0-9a-f]{8})>\n(?<text>.*?)\n</(?P=kind) (?P=mark)>", regex.DOTALL
)
_QUESTION = regex.compile(r"^Question: (.*)$", regex.MULTILINE)
_PASSAGE = regex.compile(r"(S\d+)(?: \|[^\n]*)?\n")
_NOTE = regex.compile(r"^\[(\p{Lu}\d+)\] (.*?)(?: -- \"[^\n]*)?(?: \([^()]*\))?$", regex.MULTILINE)
