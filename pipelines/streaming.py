"""Events out of nodes: the custom stream of LangGraph carries those of a run."""

import regex
from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from lcagent.agents.marks import strip_marks
from lcagent.agents.replies import clean_reply
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.events import AnswerText, StepDone


def emit_step(runtime: Runtime[RunContext], what: str, done: int, total: int, where: str) -> None:
    """Emit that a step ended."""
    usage = runtime.context.log.usage
    tokens = usage.prompt_tokens + usage.completion_tokens
    runtime.stream_writer(StepDone(what, done, total, where, usage.calls, tokens, usage.usd))


class AnswerStreamer:
    """Streams the answer as it is written, sentence by sentence, without marks.

    Each sentence is cleaned with all before it, so that nothing is shown that would have to be
    taken back: a refusal, a second round of a loop, what is wrapped round an answer. A reply that
    begins again restarts what was shown only if it takes another way.
    """

    def __init__(self, write: StreamWriter, question: str = "") -> None:
        self._write = write
        self._question = question
        self._said = ""
        self._shown = ""

    def __call__(self, piece: str) -> None:
        """Take the next piece of the reply."""
        self._said += piece
        if _SENTENCE_END.search(piece):
            ends = list(_SENTENCE_END.finditer(self._said))
            self._show(self._said[: ends[-1].end()], is_whole=False)

    def restart(self) -> None:
        """Forget what came so far: the reply broke off and begins again."""
        self._said = ""

    def close(self) -> None:
        """Show the rest, as the reply is complete."""
        self._show(self._said, is_whole=True)

    def _show(self, said: str, *, is_whole: bool) -> None:
        text = strip_marks(clean_reply(said, self._question).text)
        if not text.startswith(self._shown):
            if not is_whole and self._shown.startswith(text):
                return
            self._write(AnswerText("", is_restart=True))
            self._shown = ""
        if len(text) > len(self._shown):
            self._write(AnswerText(text[len(self._shown) :]))
            self._shown = text


_SENTENCE_END = regex.compile(r"[.!?。！？؟…][\s\])\"'”»）】]|[。！？\n]|[.!?]$")
