"""A paragraph on its way: what it still lacks, and what a reply makes of it.

Bai et al., LongWriter, https://arxiv.org/abs/2408.07055, strip the labels "paragraph k" from
replies; so does this, with other talk about the task. Unlike upstream, a paragraph is compared with
all earlier ones: eight words in a row that both have are no accident.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from lcagent.agents.marks import strip_marks
from lcagent.agents.write.word_count import count_words, split_words
from lcagent.models.chat_model import Reply
from lcagent.models.reasoning import strip_reasoning
from lcagent.retrieval.sentences import sentences

LENGTH_TOLERANCE = 0.1
"""How far a paragraph may be from the length asked for before it is changed, as a share of it."""

MIN_LENGTH_RATIO, MAX_LENGTH_RATIO = 0.4, 2.5
"""Of words written to words asked for, what is believed of a writer."""

NGRAM_WORDS = 8
"""As many words in a row that two paragraphs have are no accident."""

MAX_SHARED_NGRAMS = 0.05
"""The share of a paragraph's rows of words that may stand in an earlier one."""

MIN_OVERLAP, MAX_OVERLAP = 12, 400
"""Characters of its end that a model may repeat when it goes on."""


@dataclass(frozen=True, slots=True)
class ParagraphTask:
    """One paragraph that is to be written now.

    Attributes:
        place: In the plan, from 0.
        words: How long it should be; by the plan, and by what earlier ones lack.
        ratio: How many words the writer writes for one that is asked for, as far as is known.
        earlier: All paragraphs before it, without marks.
        summary, written: What the writer is shown of those.
        sources: The passages to write from, as they are shown.
    """

    place: int
    words: int
    ratio: float = 1.0
    earlier: tuple[str, ...] = ()
    summary: str = ""
    written: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, with its marks.

    Attributes:
        asked, drafted: Words asked for at first, and those that came; 0 where it was cut off.
        flags: What the user should know about it.
    """

    text: str
    asked: int = 0
    drafted: int = 0
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class ParagraphDraft:
    """A paragraph as far as it is written.

    `next_change` says what to ask the writer for, `words_to_ask` how many words of it, and `take`
    works the reply in, until nothing has to be changed or the calls are used up.

    Attributes:
        is_cut: Its last reply was cut off.
        ratio: Words written for one that is asked for.
        asked, drafted: Words asked for at first, and those that came.
    """

    text: str = ""
    is_cut: bool = False
    ratio: float = 1.0
    asked: int = 0
    drafted: int = 0

    def next_change(self, task: ParagraphTask) -> str:
        """Return what has to be done with it next; nothing if it is as it should be."""
        if not self.text:
            return "draft"
        if self.is_cut:
            return "continue"
        if find_repetition(self.text, task.earlier) is not None:
            return "rewrite"
        words = count_text_words(self.text)
        if words < (1 - LENGTH_TOLERANCE) * task.words:
            return "expand"
        return "shorten" if words > (1 + LENGTH_TOLERANCE) * task.words else ""

    def words_to_ask(self, change: str, task: ParagraphTask) -> int:
        """Return how many words to ask for, so that the writer writes as many as are wanted."""
        words = float(task.words)
        if change in ("continue", "expand"):
            words = max(0.1 * task.words, task.words - count_text_words(self.text))
        asked = max(10, round(words / self.ratio / 10) * 10)
        if change == "draft":
            self.asked = asked
        return asked

    def take(self, change: str, reply: Reply, task: ParagraphTask) -> None:
        """Make of a reply what it was asked for."""
        text, is_cut = clean_reply(reply.text), reply.finish in ("length", "unknown")
        if reply.finish == "loop":  # what comes next would be the same again
            text = drop_cut_sentence(text)
        if change == "draft":
            self.text, self.is_cut = text, is_cut
            self.drafted = count_text_words(text) if reply.finish == "stop" else 0
            self.ratio = (
                clamp_length_ratio(self.asked, self.drafted) if self.drafted else self.ratio
            )
        elif change == "continue":
            self.text, self.is_cut = join_continuation(self.text, text), is_cut
        elif change == "expand":
            # Asked for more, models like to say again what they said; such an addition is dropped.
            if find_repetition(text, [*task.earlier, self.text]) is None:
                self.text, self.is_cut = append_sentences(self.text, text), is_cut
        else:
            text = drop_cut_sentence(text) if is_cut else text
            if change == "rewrite" or _distance(text, task) < _distance(self.text, task):
                self.text = text

    def cut_to_length(self, task: ParagraphTask) -> None:
        """Leave out the sentences at the end that are more than was wanted; one stays."""
        spans = sentences(self.text)
        while len(spans) > 1 and count_text_words(self.text) > (1 + LENGTH_TOLERANCE) * task.words:
            spans = spans[:-1]
            self.text = self.text[: spans[-1][1]].rstrip()
            self.is_cut = False

    def finished(self, task: ParagraphTask, flags: list[str]) -> Paragraph:
        """Return the paragraph as it is, and what is still wrong with it."""
        text = drop_cut_sentence(self.text) if self.is_cut else self.text
        if self.is_cut:
            flags.append("cut off by the model; it ends at its last whole sentence")
        clash = find_repetition(text, task.earlier)
        if clash is not None:
            flags.append(f"{clash.share:.0%} of it repeat paragraph {clash.earlier + 1}")
        if not text:
            flags.append("not written")
        return Paragraph(text, self.asked, self.drafted, tuple(dict.fromkeys(flags)))


@dataclass(frozen=True, slots=True)
class Repetition:
    """An earlier paragraph that a new one repeats, and the share of the new one that does."""

    earlier: int
    share: float


def count_text_words(text: str) -> int:
    """Return how many words a paragraph has without its marks."""
    return count_words(strip_marks(text))


def clamp_length_ratio(asked: int, drafted: int) -> float:
    """Return how many words a writer writes for one asked for, within reason."""
    if not asked or not drafted:
        return 1.0
    return min(MAX_LENGTH_RATIO, max(MIN_LENGTH_RATIO, drafted / asked))


def find_repetition(text: str, earlier: Sequence[str]) -> Repetition | None:
    """Return the earlier paragraph that `text` repeats most, or None if it repeats none."""
    new = word_ngrams(text)
    if not new:
        return None
    shares = [len(new & word_ngrams(other)) / len(new) for other in earlier]
    worst = max(range(len(shares)), key=shares.__getitem__, default=None)
    if worst is None or shares[worst] <= MAX_SHARED_NGRAMS:
        return None
    return Repetition(worst, shares[worst])


@lru_cache(maxsize=512)
def word_ngrams(text: str) -> frozenset[tuple[str, ...]]:
    """Return the rows of eight words of a text, marks and letter case left out.

    Kept for the paragraphs of a text, each of which is compared with every later one.
    """
    words = [word.casefold() for word in split_words(strip_marks(text))]
    return frozenset(
        tuple(words[start : start + NGRAM_WORDS]) for start in range(len(words) - NGRAM_WORDS + 1)
    )


def clean_reply(reply: str) -> str:
    """Return what of a reply belongs into the text."""
    text = strip_reasoning(reply).strip()
    fenced = _FENCED.fullmatch(text)
    text = (fenced["body"] if fenced else text).strip()
    text = _PREAMBLE.sub("", text, count=1)
    text = _LABEL.sub("", text, count=1)
    text = _CLOSING.sub("", text)
    return _WORD_COUNT.sub("", text).strip()


def join_continuation(text: str, continuation: str) -> str:
    """Return a text that was cut off with what goes on from there, its overlap left out."""
    added = strip_reasoning(continuation).lstrip("\n")
    for size in range(min(len(text), len(added), MAX_OVERLAP), MIN_OVERLAP - 1, -1):
        if text.endswith(added[:size]):
            return text + added[size:]
    needs_blank = text[-1:].isalnum() and added[:1].isalnum() and text[-1:].isascii()
    return text + (" " if needs_blank else "") + added


def append_sentences(text: str, addition: str) -> str:
    """Return a text with sentences added to its end."""
    is_unspaced = _UNSPACED_END.search(text) is not None
    return f"{text}{'' if is_unspaced else ' '}{addition}".strip()


def drop_cut_sentence(text: str) -> str:
    """Return a text without the sentence at its end that was cut off."""
    ends = [end for _, end in sentences(text) if _STOP.search(text[:end])]
    return text[: ends[-1]].rstrip() if ends else text.rstrip()


def _distance(text: str, task: ParagraphTask) -> int:
    return abs(count_text_words(text) - task.words)


_FENCED = regex.compile(r"```(?:markdown|md|text)?\n(?P<body>.*?)\n?```", regex.DOTALL)
_PREAMBLE = regex.compile(
    r"""\A(?:(?:sure|certainly|of\scourse|okay|ok|gerne|natürlich|bien\ssûr|claro|好的)[^\n]{0,200}[:!.：]
    |here(?:\sis|['’]s)\s[^\n]{0,200}:|hier\sist\s[^\n]{0,200}:|voici\s[^\n]{0,200}:
    |aquí\s(?:está|tienes)\s[^\n]{0,200}:|以下是[^\n]{0,100}[:：])\s*\n+""",
    regex.VERBOSE | regex.IGNORECASE,
)
_LABEL = regex.compile(
    r"""\A(?:[#>*_\s]*)(?:paragraph|absatz|paragraphe|párrafo|абзац|段落|第)\s*
    (?:\d+|[一二三四五六七八九十百]+)\s*(?:of\s\d+)?\s*段?
    (?:(?:\s*[-–—:.：]\s*(?:main\spoint\s*:[^\n]*|[^\n]{0,120}(?=\n)))?[*_]*\s*\n+|[*_]*\s*[-–—:：][*_]*\s*)""",
    regex.VERBOSE | regex.IGNORECASE,
)
_CLOSING = regex.compile(
    r"""\n+\s*(?:let\sme\sknow\b|please\slet\sme\b|would\syou\slike\b|i\shope\sthis\b|feel\sfree\b
    |\[?\(?\s*(?:end\sof\sparagraph|to\sbe\scontinued|continued\sin)\b)[^\n]*\Z""",
    regex.VERBOSE | regex.IGNORECASE,
)
_WORD_COUNT = regex.compile(
    r"\s*[\[(*_]*(?:word\scount|words|字数)\s*[:：=]\s*[\d,.]+(?:\s*words)?[\])*_]*(?=\s*\Z)",
    regex.IGNORECASE,
)
_STOP = regex.compile(r"[.!?。！？؟…]['\"”’»)\]*_]*\s*\Z")
_UNSPACED_END = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}。！？”」』]\s*\Z")
