"""What kind of evidence a question needs: by its words, and where they do not tell by a model.

The two axes are those of Goldman et al., "Is It Really Long Context if All You Need Is Retrieval?",
https://arxiv.org/abs/2407.00402: how much evidence there is, and how hard it is to find. Words tell
the first in many languages and the second in none, so what they leave open is said to be open, and
a model can be asked.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, cast, get_args

import regex

from lcagent.agents.prompt_templates import Prompt
from lcagent.agents.reply_json import extract_json_object
from lcagent.agents.token_budget import answer_reply_tokens
from lcagent.errors import ContextTooLong, UnusableReply
from lcagent.models.chat_model import ChatModel, Request

MAX_FACT_QUESTION_CHARACTERS = 120
"""A longer question says more than one thing."""

MAX_CLASS_TOKENS = 32
"""Of the classifier's reply; models that reason before they reply get more."""

EvidenceNeed: TypeAlias = Literal["passage", "steps", "everything"]
"""One place; several facts one after the other or beside each other; all of the text."""

CLASSIFIER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"takes": {"type": "string", "enum": list(get_args(EvidenceNeed))}},
    "required": ["takes"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """What the words of a question tell.

    Attributes:
        kind: "wide" asks for more than some passages can tell, "fact" for one thing that stands
            somewhere; "open" may be either, or a matter of several steps.
        words: Those that tell.
        likely: What an open question most likely needs, where no model says.
    """

    kind: Literal["wide", "fact", "open"]
    words: str = ""
    likely: EvidenceNeed = "passage"


@dataclass(frozen=True)
class ClassifierPrompt(Prompt):
    """Asks what evidence a question needs."""

    template: ClassVar[str] = "routing/sorter.md"
    question: str


def classify_by_words(question: str) -> QuestionForm:
    """Classify a question by its words, in the languages of the rules below."""
    wide = _WIDE.search(question)
    if wide is not None:
        return QuestionForm("wide", wide.group().strip())
    fact, steps = _FACT.search(question), _STEPS.search(question)
    is_long = len(question) > MAX_FACT_QUESTION_CHARACTERS
    if steps is not None:
        return QuestionForm("open", steps.group().strip(), "steps")
    if fact is None or is_long or _SEVERAL.search(question) is not None:
        return QuestionForm("open")
    return QuestionForm("fact", fact.group().strip())


async def classify_by_model(question: str, model: ChatModel) -> EvidenceNeed | None:
    """Ask a model what evidence a question needs; None if it does not say."""
    try:
        reply = await model.complete(classifier_request(question, model))
    except (ContextTooLong, UnusableReply):
        return None
    found = extract_json_object(reply.text)
    said = str(found.get("takes", "")) if found is not None else reply.text
    needs = {need for need in get_args(EvidenceNeed) if regex.search(rf"\b{need}\b", said.lower())}
    return cast("EvidenceNeed", needs.pop()) if len(needs) == 1 else None


def classifier_request(question: str, model: ChatModel) -> Request:
    """Return the request that `classify_by_model` makes, so that its cost can be estimated."""
    return Request(
        ClassifierPrompt(question).messages(),
        max_tokens=answer_reply_tokens(model, MAX_CLASS_TOKENS),
        schema=CLASSIFIER_SCHEMA,
        purpose="choosing the method",
    )


_WIDE = regex.compile(
    r"""\b(?:
    how\s+often|how\s+many\s+(?:times|chapters|sections|parts|pages|paragraphs|articles)
    |(?:list|enumerate|count)\b|(?:all|every|each)\s+(?:of\s+)?(?:the\s+|those\s+)?\p{L}+
    |summari[sz]e|summary|overview|(?:main|key|principal|central)\s+\p{L}+
    |throughout|in\s+total|most\s+often|taken\s+together|on\s+the\s+whole|overall
    |^\W*(?:describe|outline|sketch|recount|retell)|^\W*what\s+happens\s+in
    |^\W*what\s+(?:is|are|was)\s+(?:\p{L}+\s+){1,3}about(?=\W*$)
    |^\W*how\s+(?:does|did|do|has|have)\s.+\b(?:change[ds]?|develop\w*|evolve[ds]?)
    |^\W*(?:on|in|at)\s+(?:which|what)\s+(?:pages|chapters|sections|places)
    |^\W*how\s+many\s+\p{L}+\s+(?:have|has|are\s+(?:there|named|mentioned))
    |alle[rns]?|jede[rsnm]?|sämtliche\w*|aufzähl\w*|zusammenfass\w*|wie\s+oft|liste
    |tou(?:te)?s\s+les|résum\w*|combien\s+de\s+fois
    |todos\s+los|todas\s+las|resum\w*|cuántas\s+veces
    |все[хм]?|перечисл\w*|сколько\s+раз|кратк\w+\s+содержан\w*
    )(?=\b|\s|$)
    |总结|概括|概述|列出|所有|全部|多少次|几次|まとめ|要約|すべて|全て|何回|一覧
    |لخص|ملخص|جميع|كل\s|اذكر|كم\s+مرة
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""What asks for a lot of evidence: all of something, how often, what the whole is about."""

_FACT = regex.compile(
    r"""^\W*(?:(?:in|on|at|from|to|by|for|of|with|an|am|im|seit|à|en|de|в|на)\s+)?(?:
    who|whom|whose|when|where|which|what(?!\s+(?:happen|if))|how\s+(?:old|long|tall|high|far|much|big|large|deep|heavy)
    |wer|wen|wem|wann|wo|woher|welche\w*|was(?!\s+(?:passiert|geschieht))|wie\s+(?:heißt|alt|lang|hoch|viel|groß|weit)
    |qui|quand|où|quel\w*|quién|cuándo|dónde|cuál|кто|когда|где|как(?:ой|ая|ое|ие)
    )\b
    |谁|何时|何地|哪里|哪儿|哪年|哪一年|什么时候|什么地方|叫什么|誰|いつ|どこ|何年|何歳
    |^\W*(?:من|متى|أين|في\s+أي)\s
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""What asks for one thing. "How many" is not among it: it may mean a number that stands there or
one that has to be counted."""

_SEVERAL = regex.compile(
    r"""^\W*(?:which|what)\s+(?:people|men|women|children|\p{L}{3,}[^\W\dusi_]s)\b
    |^\W*(?:who|what|which)\s+(?:are|were)\b
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""What asks for several things, in English: they may stand in one place or all over the text."""

_STEPS = regex.compile(
    r"""\bof\s+the\s+(?:\p{L}+\s+){1,4}of\b
    |.{12}\b(?:who|that|which|whose|whom)\b
    |^\W*(?:which|who)\s+of\s+the\s+(?:two|three)\b
    |\b(?:more|less|fewer)\b.+\bthan\b|\b(?!rather|other)\p{L}{2,}er\s+(?:\p{L}+\s+){0,2}than\b
    |['’]s\s+(?:\p{L}+\s+){0,3}\p{L}+['’]s\b|\bof\b.+['’]s\b|['’]s\b.+\bof\b
    |(?<!^\W*wh(?:o|at)\s+(?:is|was|are|were)\s+)\bthe\s+\p{L}*(?:or|er|ist|ian|wife|husband|son|child|sibling)\s+of\b
    |\b(?:older|younger|larger|smaller|bigger|longer|shorter|earlier|later|higher|lower|more|less|fewer|better|first)\b.+\bor\b|,.+\bor\b
    |\b(?:both|same|common|compare|compared|difference|versus|vs)\b|\band\s+(?:who|what|when|where|which|how|why)\b
    |\b(?:de[sr]|vo[nm])\s+(?:\p{L}+\s+){1,4}(?:de[sr]|vo[nm]|die|der|das)\b|\boder\b|\bund\s+w(?:er|as|ann|o|ie|elche\w*)\b
    |\bcompar\w*|\bvergleich\w*|\bunterschied\w*|\bсравн\w*
    |的[^的]{1,12}的|比较|还是|区别|比較|違い|قارن|الفرق
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""Signs that one thing has to be found before another, or two beside each other."""
