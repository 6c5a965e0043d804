"""A paragraph on its way: what it still lacks, and what a reply makes of it."""

from dataclasses import dataclass

from lcagent.agents.agent_write.cleaning import appended, clean, joined, whole_sentences
from lcagent.agents.agent_write.repetition import find_clash
from lcagent.agents.agent_write.words import count_words
from lcagent.agents.marks import without_marks
from lcagent.models.base import Reply

TOLERANCE = 0.1
"""How far a paragraph may be from its length before it is changed."""

LEAST_RATIO, MOST_RATIO = 0.4, 2.5
"""Of words written to words asked for, what is believed of a writer."""


@dataclass(frozen=True, slots=True)
class Task:
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
class Written:
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
class Draft:
    """A paragraph as far as it is written.

    Attributes:
        is_cut: Its last reply was cut off.
    """

    text: str = ""
    is_cut: bool = False
    ratio: float = 1.0
    asked: int = 0
    drafted: int = 0

    def next_change(self, task: Task) -> str:
        """Return what has to be done with it next; nothing if it is as it should be."""
        if not self.text:
            return "draft"
        if self.is_cut:
            return "continue"
        if find_clash(self.text, task.earlier) is not None:
            return "rewrite"
        words = text_words(self.text)
        if words < (1 - TOLERANCE) * task.words:
            return "expand"
        return "shorten" if words > (1 + TOLERANCE) * task.words else ""

    def words_to_ask(self, change: str, task: Task) -> int:
        """Return how many words to ask for, so that the writer writes as many as are wanted."""
        words = float(task.words)
        if change in ("continue", "expand"):
            words = max(0.1 * task.words, task.words - text_words(self.text))
        asked = max(10, round(words / self.ratio / 10) * 10)
        if change == "draft":
            self.asked = asked
        return asked

    def take(self, change: str, reply: Reply, task: Task) -> None:
        """Make of a reply what it was asked for."""
        text, is_cut = clean(reply.text), reply.finish == "length"
        if change == "draft":
            self.text, self.is_cut = text, is_cut
            self.drafted = 0 if is_cut else text_words(text)
            self.ratio = believed_ratio(self.asked, self.drafted) if self.drafted else self.ratio
        elif change == "continue":
            self.text, self.is_cut = joined(self.text, text), is_cut
        elif change == "expand":
            if find_clash(text, [*task.earlier, self.text]) is None:
                self.text, self.is_cut = appended(self.text, text), is_cut
        else:
            text = whole_sentences(text) if is_cut else text
            if change == "rewrite" or _distance(text, task) < _distance(self.text, task):
                self.text = text

    def finished(self, task: Task, flags: list[str]) -> Written:
        """Return the paragraph as it is, and what is still wrong with it."""
        text = whole_sentences(self.text) if self.is_cut else self.text
        if self.is_cut:
            flags.append("cut off by the model; it ends at its last whole sentence")
        clash = find_clash(text, task.earlier)
        if clash is not None:
            flags.append(f"{clash.share:.0%} of it repeat paragraph {clash.earlier + 1}")
        if not text:
            flags.append("not written")
        return Written(text, self.asked, self.drafted, tuple(dict.fromkeys(flags)))


def text_words(text: str) -> int:
    """Return how many words a paragraph has without its marks."""
    return count_words(without_marks(text))


def believed_ratio(asked: int, drafted: int) -> float:
    """Return how many words a writer writes for one asked for, within reason."""
    if not asked or not drafted:
        return 1.0
    return min(MOST_RATIO, max(LEAST_RATIO, drafted / asked))


def _distance(text: str, task: Task) -> int:
    return abs(text_words(text) - task.words)
