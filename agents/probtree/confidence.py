"""Confidence: how sure a model is of an answer, measured in one of three ways.

From log-probabilities: the mean over the tokens of the explanation, not of the answer (Cao et al.,
https://arxiv.org/abs/2311.13982, section 3.3, and the authors' code); of an answer that was asked
for in plain words, and so has no explanation, the lowest. Where a server tells none:
how many of several samples agree with the answer, and else what the model itself says. The last two
are not in the paper.

All candidates of a question are measured in one way, so that what is compared can be compared, and
no question in a better way than those below it: their scores go into its own.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, get_args

import regex

from lcagent.agents.probtree.candidate_drafts import (
    CandidateDraft,
    ConfidencePrompt,
    LogprobClient,
    parse_answers,
)
from lcagent.agents.probtree.explained_replies import TextSpans
from lcagent.concurrency import gather
from lcagent.errors import ContextTooLong, UnusableReply
from lcagent.models.chat_model import Reply, Request, TokenLogprob

FAILED_SCORE = -100.0
"""The score of what is no answer: "Unknown", an error, an empty reply or one that was cut off."""

ConfidenceMethod: TypeAlias = Literal["logprobs", "samples", "stated"]
"""What a confidence was measured by, the most telling first."""

CONFIDENCE_METHODS: Final[tuple[ConfidenceMethod, ...]] = get_args(ConfidenceMethod)

MIN_STATED = 0.01
"""A model that says 0 % has an opinion on its answer, and no failure to answer."""

LOG_ONE_HALF = -0.6931471805599453
"""The logarithm of one half: what is taken, and said to be, where a model states nothing."""

NOTHING_STATED = "the model did not say how sure it is; one half was taken"

NO_EXPLANATION = "it explains nothing, so there is nothing to measure"


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure an answer is, by itself; `flags` say what was odd."""

    score: float
    flags: tuple[str, ...] = ()


def weaker_method(method: ConfidenceMethod, other: ConfidenceMethod) -> ConfidenceMethod:
    """Return the less telling of two methods."""
    methods: tuple[ConfidenceMethod, ...] = (method, other)
    return max(methods, key=CONFIDENCE_METHODS.index)


def mean_logprob(text: str, tokens: Sequence[TokenLogprob], spans: TextSpans) -> float | None:
    """Return the mean log-probability of the tokens that begin in `spans`; None without any.

    A token begins with its first character that is no space: " So" belongs to what "So" belongs to.

    Args:
        text: The reply.
        tokens: Those of the reply, perhaps after those of hidden reasoning.
        spans: In characters of `text`.
    """
    borders = _as_byte_spans(text, spans)
    return _mean(
        token.logprob
        for token, start, end in _locate_tokens(text, tokens)
        if any(first <= _first_byte(token, start, end) < last for first, last in borders)
    )


def lowest_logprob(text: str, tokens: Sequence[TokenLogprob], spans: TextSpans) -> float | None:
    """Return the lowest log-probability of a token that begins in `spans`; None without any."""
    borders = _as_byte_spans(text, spans)
    found = [
        token.logprob
        for token, start, end in _locate_tokens(text, tokens)
        if any(first <= _first_byte(token, start, end) < last for first, last in borders)
    ]
    return min(found, default=None)


def mean_logprob_over(
    text: str, tokens: Sequence[TokenLogprob], span: tuple[int, int]
) -> float | None:
    """Return the mean from the token that holds the first character of a span to that of its last.

    That is how a list of questions is scored, with its brackets.
    """
    ((first, last),) = _as_byte_spans(text, (span,))
    return _mean(
        token.logprob
        for token, start, end in _locate_tokens(text, tokens)
        if start < last and first < end
    )


def sample_agreement(answer: str, samples: Sequence[str]) -> float:
    """Return the logarithm of the share of samples that give this answer.

    Two more are counted, one for it and one against (Laplace): no finite number of samples makes
    an answer certain, or impossible.
    """
    wanted = normalize_answer(answer)
    agreeing = sum(normalize_answer(sample) == wanted for sample in samples)
    return math.log((agreeing + 1) / (len(samples) + 2))


def parse_stated_confidence(text: str) -> float | None:
    """Return the logarithm of the probability that a reply names, or None if it names none."""
    found = _NUMBER.search(text.translate(_DIGITS))
    if found is None:
        return None
    number = float(found["number"].replace(",", "."))
    is_percent = bool(found["percent"]) or number > 1
    share = number / 100 if is_percent else number
    return math.log(min(1.0, max(MIN_STATED, share))) if share <= 1 else None


def normalize_answer(answer: str) -> str:
    """Return an answer as it is compared: without case, punctuation and articles, as in SQuAD."""
    words = regex.sub(r"[\p{P}\p{S}]", " ", answer.casefold()).split()
    kept = [word for word in words if word not in _ARTICLES]
    return " ".join(kept) or " ".join(words) or answer.strip()


def choose_method(
    drafts: Sequence[CandidateDraft], best: ConfidenceMethod, samples: int
) -> ConfidenceMethod:
    """Return the most telling method that all drafts can be measured by, `best` at best.

    Args:
        samples: How many may be drawn; with none, the model is asked.
    """
    replies = [draft.reply for draft in drafts if draft.says_something and draft.reply is not None]
    if best == "logprobs" and any(reply.logprobs is None for reply in replies):
        best = "samples"
    return "stated" if best == "samples" and not samples else best


async def measure_confidence(
    drafts: Sequence[CandidateDraft],
    question: str,
    method: ConfidenceMethod,
    client: LogprobClient,
    *,
    samples: int,
    temperature: float,
) -> list[Confidence]:
    """Return how sure each draft is; one without an answer has failed, and costs nothing.

    Args:
        samples, temperature: Of what is drawn for each draft, where the method is "samples".
    """

    async def measure(draft: CandidateDraft) -> Confidence:
        if not draft.is_usable or draft.reply is None or draft.request is None:
            return Confidence(FAILED_SCORE)
        if method == "logprobs":
            return _by_logprobs(draft, draft.reply)
        if method == "samples":
            drawn = await _draw_samples(draft.request, client, samples, temperature)
            return Confidence(
                sample_agreement(draft.read.answer, parse_answers(drawn, is_plain=draft.is_plain))
            )
        return await _by_statement(draft, draft.reply, question, client)

    return await gather([measure(draft) for draft in drafts])


def _locate_tokens(
    text: str, tokens: Sequence[TokenLogprob]
) -> Iterator[tuple[TokenLogprob, int, int]]:
    """Yield the tokens of a text with the bytes they stand for, from and to.

    Bytes and not characters, because a token may end in the middle of a character. Hidden reasoning
    comes first where a server tells its tokens, too; it stands before byte 0. Where the tokens do
    not spell the text, nothing is yielded.
    """
    bare = text.lstrip()
    spelled = b"".join(_bytes(token) for token in tokens)
    # The last place: reasoning may have spelled the very reply that follows it.
    before = spelled.rfind(bare.encode("utf-8", "replace"))
    start = _byte_length(text) - _byte_length(bare) - before
    for token in tokens if before >= 0 else ():
        end = start + len(_bytes(token))
        yield token, start, end
        start = end


def _bytes(token: TokenLogprob) -> bytes:
    return token.data or token.text.encode("utf-8", "replace")


def _first_byte(token: TokenLogprob, start: int, end: int) -> int:
    """Return where a token begins without its spaces; one of spaces alone, where it begins."""
    bare = _bytes(token).lstrip()
    return end - len(bare) if bare else start


def _as_byte_spans(text: str, spans: TextSpans) -> TextSpans:
    """Return spans of characters as spans of bytes."""
    return tuple((_byte_length(text[:start]), _byte_length(text[:end])) for start, end in spans)


def _byte_length(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _mean(logprobs: Iterator[float]) -> float | None:
    found = list(logprobs)
    return sum(found) / len(found) if found else None


def _by_logprobs(draft: CandidateDraft, reply: Reply) -> Confidence:
    # A plain reply explains nothing. Of the answer itself its least likely word tells more than the
    # mean does (docs/decisions/0018).
    measure = lowest_logprob if draft.is_plain else mean_logprob
    found = measure(reply.text, reply.logprobs or (), draft.read.explanation)
    return Confidence(FAILED_SCORE, (NO_EXPLANATION,)) if found is None else Confidence(found)


async def _draw_samples(
    request: Request, client: LogprobClient, samples: int, temperature: float
) -> list[Reply]:
    """Return several replies to a request; one that cannot be used counts as an empty one."""

    async def draw(number: int) -> Reply:
        again = replace(
            request,
            temperature=temperature,
            sample=number,
            wants_logprobs=False,
            purpose=f"sample {number}, {request.purpose}",
        )
        try:
            return await client.complete(again)
        except UnusableReply:
            return Reply("")

    return await gather([draw(number) for number in range(1, samples + 1)])


async def _by_statement(
    draft: CandidateDraft, reply: Reply, question: str, client: LogprobClient
) -> Confidence:
    prompt = ConfidencePrompt(question, draft.material or "(none)", reply.text)
    purpose = f"confidence, {draft.request.purpose}" if draft.request else "confidence"
    request = replace(client.request(prompt, purpose), wants_logprobs=False)
    try:
        found = parse_stated_confidence((await client.complete(request)).text)
    except (UnusableReply, ContextTooLong):
        found = None
    return Confidence(LOG_ONE_HALF, (NOTHING_STATED,)) if found is None else Confidence(found)


_ARTICLES = frozenset(("a", "an", "the"))
_NUMBER = regex.compile(
    r"(?<![\w.,])(?<number>\d{1,3}(?:[.,]\d+)?)\s*(?<percent>%|percent|\u066a|\uff05)?"
)
_DIGITS = {0x660 + digit: str(digit) for digit in range(10)}
