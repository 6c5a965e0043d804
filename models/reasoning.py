"""Reasoning that is left in the text of a reply, in the tags of the model that wrote it.

Servers with a reasoning parser send it in a field of its own; others leave it at the beginning of
the text, with its tags, or with the closing one only where the prompt's template ends with the
opening one. It is paid for, but no part of the reply: neither its words nor its log-probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import regex

from lcagent.models.chat_model import OnText, RestartableText, TokenLogprob
from lcagent.models.loops import LoopWatch

CLOSE = "</think>"
"""The commonest end; the chat template of a model that reasons has it."""

_XML = r"(?:[a-z]+[:_])?(?:ant)?(?:think|thinking|thoughts?|reasoning|reflection|scratchpad)"
_BARRED = r"(?:think|thinking|thought|reasoning)"
_FINAL = r"<\|channel\|>final(?:(?!<\|message\|>).){0,40}<\|message\|>"
_TAGS = (
    (rf"(?i:<{_XML}(?:\s[^<>]*)?>)", rf"(?i:</{_XML}\s*>)"),
    (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
    (r"◁think▷", r"◁/think▷"),  # Kimi
    (r"<\|channel>\s*(?:thought|analysis)\b", r"<channel\|>"),  # Gemma
    (
        rf"<\|(?:{_BARRED}|{_BARRED}_start|begin_of_{_BARRED}|inner_prefix)\|>",
        rf"<\|(?:/{_BARRED}|{_BARRED}_end|end_of_{_BARRED}|inner_suffix)\|>",
    ),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command
    (r"<unused94>", r"<unused95>"),  # MedGemma
    (r"<details\s[^<>]*type=\W?reasoning[^<>]*>", r"</details\s*>"),  # Open WebUI
)
_FORMS = (
    *_TAGS,
    # Harmony has channels; the reply is what comes in the final one.
    (r"(?:<\|start\|>assistant)?<\|channel\|>(?!final)\w[^<]*<\|message\|>", _FINAL),
    (rf"(?:<\|start\|>assistant)?{_FINAL}", ""),
    (r"<\|(?:begin_of_solution|START_RESPONSE|begin_of_box)\|>", ""),
    (r"analysis(?=[A-Z])", r"assistant\s*final(?=\P{Ll})"),  # a server removed the special tokens
    (r"Here(?: is|'s) my thought process:", r"Here(?: is|'s) my response:"),  # Granite
    (r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
)
_HEAD = (  # of a turn, which a server may leave before the reasoning
    r"(?:<\|im_start\|>\s*assistant\b|<\|start_header_id\|>assistant<\|end_header_id\|>|"
    r"<\|assistant\|>|\[\|assistant\|\]|<start_of_turn>model\b)"
)
_OPEN = regex.compile(
    rf"\s*(?:{_HEAD}\s*)?(?:"
    + "|".join(f"(?P<f{form}>{opening})" for form, (opening, _) in enumerate(_FORMS))
    + ")"
)
_CLOSES = [regex.compile(closing) for _, closing in _FORMS]
_TAG = regex.compile(
    f"(?P<close>{'|'.join(closing for _, closing in (*_TAGS, _FORMS[len(_TAGS)]))})|"
    + "|".join(opening for opening, _ in _TAGS)
)
_MARKUP = "<[◁"
"""With which every tag begins."""
_LONGEST_TAG = 80
_BLOCK = regex.compile(
    "|".join(f"{opening}.*?(?:{closing}|$)" for opening, closing in _TAGS), regex.DOTALL
)
_SENTENCE_ENDS = "\n.!?…。！？:)"


def strip_reasoning(text: str) -> str:
    """Return a complete text without its reasoning, wherever in the text that is."""
    said = ReplyText()
    said.feed(text)
    said.end()
    return _BLOCK.sub("", said.text)


@dataclass(slots=True)
class ReasoningStripper:
    """Removes the reasoning from the beginning of a text that arrives in pieces.

    A piece may end within a tag, so what might be the beginning of one is held back.

    Attributes:
        has_reasoning: Some was removed.
        is_void: What `feed` returned before its last call was reasoning, too: only then came a
            closing tag, without an opening one.
    """

    has_reasoning: bool = False
    is_void: bool = False
    _held: str = ""
    _form: int | None = None
    _is_text: bool = False
    _has_opened: bool = False
    _is_trimming: bool = False
    _line: str = ""  # the last character of the line that was returned last, if it has any

    def feed(self, piece: str) -> str:
        """Add a piece; return what is now known to be a part of the reply, and is new."""
        self.is_void = False
        self._held += piece
        return self._read(is_end=False)

    def end(self) -> str:
        """Return what was held back, as the text is complete; unclosed reasoning is dropped."""
        self.is_void = False
        return self._read(is_end=True)

    def _read(self, *, is_end: bool) -> str:
        while not self._is_text:
            if not (self._skip() if self._form is not None else self._begin(is_end=is_end)):
                return ""
        if self.has_reasoning:
            return self._trimmed(self._taken(len(self._held)))
        return self._until_lone_close(is_end=is_end)

    def _begin(self, *, is_end: bool) -> bool:
        """Say whether it is known by what the text begins."""
        found = _OPEN.match(self._held, partial=not is_end)
        if found is None:
            self._is_text = True
        elif found.partial:
            return False
        else:
            self._form = int(str(found.lastgroup)[1:])
            self._held = self._held[found.end() :]
            self.has_reasoning = True
        return True

    def _skip(self) -> bool:
        """Drop reasoning; say whether it is closed, after which there may be more of it."""
        assert self._form is not None
        found = _CLOSES[self._form].search(self._held)
        if found is None:
            self._held = self._held[-_LONGEST_TAG:]
            return False
        self._form, self._is_trimming = None, True
        self._held = self._held[found.end() :].lstrip()
        return True

    def _until_lone_close(self, *, is_end: bool) -> str:
        for found in _TAG.finditer(self._held) if not self._has_opened else ():
            before, after = self._line + self._held[: found.start()], self._held[found.end() :]
            if found["close"] is None:
                self._has_opened = True
                break
            if not after.strip(" ") and not is_end:
                return self._taken(found.start())
            if not found[0].startswith("</") or _ends_reasoning(before, after):
                self.has_reasoning = self.is_void = self._is_trimming = True
                self._held, self._is_text = after.lstrip(), False
                return self._read(is_end=is_end)
        return self._taken(len(self._held) if is_end or self._has_opened else self._known())

    def _known(self) -> int:
        """Return how much of what is held cannot be the beginning of a tag."""
        first = max(0, len(self._held) - _LONGEST_TAG)
        for place in range(first, len(self._held)):
            is_markup = self._held[place] in _MARKUP
            if is_markup and _TAG.fullmatch(self._held, place, partial=True):
                return place
        return len(self._held)

    def _taken(self, size: int) -> str:
        taken, self._held = self._held[:size], self._held[size:]
        self._line = (self._line + taken).rpartition("\n")[2].rstrip(" ")[-1:]
        return taken

    def _trimmed(self, piece: str) -> str:
        """Return a piece without the blank lines between the reasoning and the reply."""
        if self._is_trimming:
            piece = piece.lstrip()
            self._is_trimming = not piece
        return piece


def _ends_reasoning(before: str, after: str) -> bool:
    """Say whether a closing tag ends reasoning, and is not what a sentence speaks of."""
    line = before.rpartition("\n")[2].rstrip(" ")
    ends_line = not after.strip(" ") or after.lstrip(" ").startswith("\n")
    return not line or line[-1] in _SENTENCE_ENDS or ends_line


@dataclass(slots=True)
class ReplyText:
    """The text of a reply that arrives in pieces, without the reasoning before it.

    Attributes:
        text: What of the reply is known so far.
        on_text: Is given each piece of it.
        repetition: What was taken off at its end, because it was said before.
    """

    on_text: OnText | None = None
    text: str = ""
    repetition: str = ""
    _stripper: ReasoningStripper = field(default_factory=ReasoningStripper)
    _watch: LoopWatch = field(default_factory=LoopWatch)
    _is_over: bool = False

    @property
    def has_reasoning(self) -> bool:
        """Whether reasoning was removed from it."""
        return self._stripper.has_reasoning

    def feed(self, piece: str) -> None:
        """Add a piece as it came from the model."""
        self._add(self._stripper.feed(piece))

    def end(self) -> None:
        """Add what was held back, as the reply is complete."""
        self._add(self._stripper.end())

    def ends_in_loop(self) -> bool:
        """Say whether the text ends in a loop, of which only the first round is then kept.

        Who was given all rounds and cannot take any back keeps them.
        """
        if self._is_over or not self._watch.sees_loop(self.text):
            return False
        self._is_over = True
        if self.on_text is None or isinstance(self.on_text, RestartableText):
            kept = self.text[: self._watch.start].rstrip()
            self.repetition = self.text[len(kept) :]
            self._restart()
            self._say(kept)
        return True

    def _add(self, piece: str) -> None:
        if self._is_over:
            return
        if self._stripper.is_void:
            self._restart()
        self._say(piece)

    def _say(self, piece: str) -> None:
        if piece:
            self.text += piece
            if self.on_text is not None:
                self.on_text(piece)

    def _restart(self) -> None:
        if self.text and isinstance(self.on_text, RestartableText):
            self.on_text.restart()
        self.text = ""
        self._watch = LoopWatch()


def align_logprobs(
    tokens: Sequence[TokenLogprob], text: str, repetition: str = ""
) -> tuple[TokenLogprob, ...] | None:
    """Return the tokens at the end of `tokens` that spell `text`, or None if there are none.

    Tokens of the reasoning, which the text no longer has, may come before them, and those of a
    repetition behind them. Blanks at the beginning do not count: they were removed from the text,
    and are often part of a token.
    """
    left = len(repetition.encode())
    while tokens and left > 0:
        left -= len(tokens[-1].data)
        tokens = tokens[:-1]
    first, spelled, wanted = len(tokens), b"", text.encode()
    while first and len(spelled) < len(wanted):
        first -= 1
        spelled = tokens[first].data + spelled
    is_whole = spelled.decode("utf-8", "replace").lstrip() == text.lstrip()
    return tuple(tokens[first:]) if is_whole else None
