"""What a reply says, without what models wrap it in, and whether it says anything.

Small models repeat their prompt and themselves, large ones reply in JSON that nobody asked for;
servers leave tokens of the chat template in the text. Only what is wrapped round the words is taken
away: what stands in quotation marks, or in the material that the model was shown, is content.

Zhang et al., Chain of Agents, https://arxiv.org/abs/2406.02818, appendix F.4, calls what happens if
a reply that carries nothing is handed on a collapse: each worker repeats it to the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from lcagent.agents.marks import find_marks, mark_spans, strip_marks
from lcagent.agents.refusals import MAX_REFUSAL_CHARACTERS, declines, finds_nothing
from lcagent.agents.reply_json import answer_in_json
from lcagent.agents.reply_wrapping import (
    ANSWER_KEY,
    BARE_LABELS,
    BREAKS,
    CONTROLS,
    EMPHASIS,
    ENCLOSED,
    ENCLOSING_LINES,
    ESCAPES,
    FENCE,
    HEADING,
    IN_QUOTES,
    INST,
    LABEL,
    LABEL_LINE,
    NEXT_TURN,
    NOT_THERE,
    NOT_THERE_ALONE,
    NOT_THERE_LAST,
    OPEN_MARK,
    PLAN_LINE,
    QUESTION_ANSWER,
    SOURCE_LINES,
    TAGS,
    TEMPLATE_TOKEN,
    TURN_BEGINS,
    TURN_ENDS,
    WRAPPERS,
)
from lcagent.models.loops import loop_start
from lcagent.models.reasoning import strip_reasoning
from lcagent.retrieval.sentences import sentences

NOT_FOUND = "NOT_IN_DOCUMENT"
"""What a model is asked to reply where its material does not hold the answer."""


@dataclass(frozen=True, slots=True)
class CleanReply:
    """What a reply says.

    Attributes:
        text: With its marks; empty where it says nothing that could be an answer.
        abstains: It says, perhaps beside an answer, that there is none or that it gives none.
    """

    text: str
    abstains: bool = False


def clean_reply(text: str, question: str = "", shown: Sequence[str] = ()) -> CleanReply:
    """Return what a reply says, and whether it abstains; who can prove the text decides between.

    Args:
        question: It is no part of the answer where the reply begins with it.
        shown: The material that the model was shown. What stands there is content, whatever it
            looks like.
    """
    material = _folded("\n".join(shown))
    bare = _unwrapped(text, question, material)
    bare, says_so = _without_not_found(bare, material)
    kept, refuses = _without_refusals(_without_loops(bare), material)
    says_anything = regex.search(r"[\p{L}\p{N}]", strip_marks(kept)) is not None
    return CleanReply(kept if says_anything else _quoted(kept), says_so or refuses)


def clean_prose(text: str, prompt: str = "") -> str:
    """Return what of a reply is to be read as a text: Markdown stays, the wrapping goes.

    Args:
        prompt: What the model was asked. A sentence of it outside of the enclosed material is no
            part of the text, and neither are the lines that enclose that.
    """
    bare = _without_fence(_without_template(strip_reasoning(_printable(text)), "").strip())
    bare = ENCLOSING_LINES.sub("", _without_fence(bare))
    lines = {_copied(line) for line in ENCLOSED.sub("", prompt).splitlines()}
    asked = _copied(ENCLOSED.sub("", prompt))
    bare = "\n".join(
        line
        for line in bare.splitlines()
        if not PLAN_LINE.match(line) and not (line.strip() and _copied(line) in lines)
    )
    for first, last in reversed(sentences(bare)):
        words = _copied(bare[first:last])
        if len(words) >= LONG_ENOUGH and words in asked:
            bare = bare[:first] + bare[last:]
    return _without_loops(bare)


def _copied(text: str) -> str:
    """Return a text as it is compared with a prompt: models count its numbers on."""
    return regex.sub(r"\p{N}+", "0", _folded(text)).strip(" .:")


def says_not_found(text: str) -> bool:
    """Say whether a reply is that the answer is not there, with next to nothing besides."""
    bare = strip_marks(text).strip(" \t\n.\"'`*")
    if NOT_THERE.match(bare):
        return True
    return len(bare) < MAX_REFUSAL_CHARACTERS and NOT_THERE_LAST.search(bare) is not None


def carries_nothing(text: str) -> bool:
    """Say whether a worker's reply carries nothing that could be handed on."""
    if is_refusal(text) or says_not_found(text):
        return True
    return len(text) <= MAX_REFUSAL_CHARACTERS and finds_nothing(_first_sentence(text))


def is_refusal(text: str) -> bool:
    """Say whether a reply is empty or declines to do what it was asked; it says nothing then.

    Unlike "nothing is said of it", which is what a reader may rightly find.
    """
    return regex.search(r"[\p{L}\p{N}]", text) is None or declines(text)


def _unwrapped(text: str, question: str, material: str) -> str:
    """Take off what is wrapped round the words, layer by layer, until nothing changes."""
    bare = _printable(text)
    if "<think" not in material:
        bare = strip_reasoning(bare)
    for _ in range(6):
        before = bare
        bare = _without_template(bare, material)
        bare = _without_fence(bare)
        bare = _without_json(bare, material)
        bare = _without_markup(bare, material)
        bare = _without_echo(bare, question, material)
        bare = OPEN_MARK.sub("", bare.strip()).strip()
        if bare == before:
            break
    return bare


_BLANKS = regex.compile(r"[^\S\n]{40,}+")
_EMPTY_LINES = regex.compile(r"\n(?:[^\S\n]*+\n){3,}+")


def _printable(text: str) -> str:
    """Take out what controls a terminal, and what a model that loops writes: blanks without end.

    The time that patterns take on a run of blanks grows with the square of its length.
    """
    plain = CONTROLS.sub("", ESCAPES.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    return _EMPTY_LINES.sub("\n\n\n", _BLANKS.sub(" ", plain))


def _without_template(text: str, material: str) -> str:
    """Take out tokens of chat templates; a turn that the model made up behind its own is none."""
    begun = text if "[/inst]" in material else INST.sub("", text)
    begun = TURN_BEGINS.sub("", begun)
    for pattern in (TURN_ENDS, NEXT_TURN):
        for found in _outside_quotes(pattern, begun):
            before, after = begun[: found.start()].strip(), begun[found.end() :].strip()
            is_attached = not before or not begun[found.start() - 1].isspace()
            is_last = not after and (is_attached or before.endswith(_ENDS))
            if is_last or not _is_content(found[0], material):
                begun = before or after
                break
    return _removed(TEMPLATE_TOKEN, begun, material).strip()


def _without_fence(text: str) -> str:
    whole = FENCE.fullmatch(text.strip())
    return whole["inner"] if whole else text


def _without_json(text: str, material: str) -> str:
    bare = text.strip()
    if not (bare.startswith(("{", "[{")) or ANSWER_KEY.search(bare)):
        return text
    answer = answer_in_json(bare)
    is_content = answer is None or (bool(material) and _folded(bare) in material)
    return text if is_content or answer is None else answer


def _without_markup(text: str, material: str) -> str:
    bare = text.strip()
    for wrapper in WRAPPERS:
        whole = wrapper.search(bare)
        if whole is not None and not _is_content(whole[0], material):
            bare = f"{bare[: whole.start()]}{whole['inner']}{bare[whole.end() :]}"
    bare = _removed(BREAKS, bare, material, "\n")
    bare = _removed(TAGS, bare, material)
    bare = _removed(HEADING, bare, "")
    return _removed(EMPHASIS, bare, material)


def _without_echo(text: str, question: str, material: str) -> str:
    """Take off what the prompt has: the question, labels round it, headers of passages."""
    bare = SOURCE_LINES.sub("", text).strip()
    turn = QUESTION_ANSWER.search(bare)
    if turn is not None:
        bare = turn["answer"].strip() or bare
    echo = _asked(question)
    if echo is not None and echo.fullmatch(bare):
        return ""
    for pattern in (echo, LABEL_LINE, LABEL):
        found = pattern.match(bare) if pattern is not None else None
        rest = bare[found.end() :].strip() if found is not None else ""
        if found is not None and rest and not _is_content(found[0], material):
            bare = rest
    return BARE_LABELS.sub("", bare).strip()


def _asked(question: str) -> regex.Pattern[str] | None:
    asked = question.split()
    if len(asked) < _FEW_WORDS:
        return None
    words = r"\s+".join(map(regex.escape, asked))
    return regex.compile(rf"\W*(?:\w+\s*[:：]\s*)?{words}[*\"”»]*\s*(?=\S|$)", regex.IGNORECASE)


def _without_loops(text: str) -> str:
    """Return a text that says everything once."""
    start = loop_start(text)
    bare = text if start is None else text[:start].rstrip()
    said: set[str] = set()
    kept, at = "", 0
    for first, last in sentences(bare):
        words = _folded(bare[first:last])
        is_again = words in said and len(words) > _SHORT
        kept += bare[at:first] if not is_again else ""
        kept += bare[first:last] if not is_again else ""
        said.add(words)
        at = last
    return (kept + bare[at:]).strip()


def _without_not_found(text: str, material: str) -> tuple[str, bool]:
    """Take out NOT_IN_DOCUMENT, in any spelling; say whether it was there."""
    if NOT_THERE_ALONE.fullmatch(text):
        return "", True
    found = _outside_quotes(NOT_THERE, text)
    if not found or (NOT_FOUND.casefold() in material):
        return text, bool(found) and says_not_found(text)
    for each in reversed(found):
        text = f"{text[: each.start()].rstrip()} {text[each.end() :].lstrip(' .:;,!*`')}".strip()
    return text if regex.search(r"[\p{L}\p{N}]", text) else "", True


def _without_refusals(text: str, material: str) -> tuple[str, bool]:
    """Take off the sentences that say that there is no answer; say whether there were any.

    One that the material has, or that quotes it, is an answer. So is all that stands beside it.
    """
    if declines(strip_marks(text)):
        return "", True
    parts = [text[first:last] for first, last in sentences(text)]
    refusing = [part for part in parts if _refuses(part, material)]
    if not refusing:
        return text, False
    rest = [part for part in parts if part not in refusing]
    is_short = len(text) <= MAX_REFUSAL_CHARACTERS
    says_more = any(regex.search(r"\p{N}|[\[【]", part) for part in rest)
    if parts[0] in refusing and is_short and not says_more:
        return "", True
    return (" ".join(part.strip() for part in rest) if rest else ""), parts[0] in refusing


def _refuses(sentence: str, material: str) -> bool:
    bare = strip_marks(sentence)
    words = _folded(bare).strip(" .!?。")
    is_content = len(words.split()) > _FEW_WORDS and words in material
    has_quote = any(mark.quote for mark in find_marks(sentence))
    return not is_content and not has_quote and finds_nothing(IN_QUOTES.sub("…", bare))


def _quoted(text: str) -> str:
    """Return the first quote of a reply that is marks and nothing else, as its statement."""
    mark = next((mark for mark in find_marks(text) if mark.quote), None)
    return "" if mark is None else f"{mark.quote.rstrip('.')} {text[slice(*mark_spans(text)[0])]}."


def _first_sentence(text: str) -> str:
    spans = sentences(text.strip())
    return text.strip()[slice(*spans[0])] if spans else text


def _removed(pattern: regex.Pattern[str], text: str, material: str, put: str = "") -> str:
    """Return a text without what a pattern finds, except in quotes and where it is content."""
    for found in reversed(_outside_quotes(pattern, text)):
        if not _is_content(found[0], material):
            inner = found.groupdict().get("inner")
            text = f"{text[: found.start()]}{put if inner is None else inner}{text[found.end() :]}"
    return text


def _outside_quotes(pattern: regex.Pattern[str], text: str) -> list[regex.Match[str]]:
    """Return what a pattern finds that neither a mark nor quotation marks enclose."""
    kept = [*mark_spans(text), *(found.span() for found in IN_QUOTES.finditer(text))]
    return [
        found
        for found in pattern.finditer(text)
        if not any(start <= found.start() and found.end() <= end for start, end in kept)
    ]


def _is_content(text: str, material: str) -> bool:
    return bool(material) and _folded(text) in material


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


_ENDS = (".", "!", "?", "。", "]", ")", '"', "”")
_FEW_WORDS = 3
LONG_ENOUGH = 30
"""Characters; so long a run of words is in the prompt and in a reply by copying only."""
_SHORT = 12
"""Characters; what is so short may well be said twice ("Yes."), or stand anywhere."""
