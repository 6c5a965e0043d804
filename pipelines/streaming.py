"""Events out of nodes: the custom stream of LangGraph carries those of a run."""

from langgraph.runtime import Runtime
from langgraph.types import StreamWriter

from lcagent.agents.citations import MarkStream
from lcagent.agents.replies import NOT_FOUND
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.events import AnswerText, StepDone


def emit_step(runtime: Runtime[RunContext], what: str, done: int, total: int, where: str) -> None:
    """Emit that a step ended."""
    usage = runtime.context.log.usage
    tokens = usage.prompt_tokens + usage.completion_tokens
    runtime.stream_writer(StepDone(what, done, total, where, usage.calls, tokens, usage.usd))


class AnswerStreamer:
    """Streams the answer as it is written, without marks.

    What may yet turn out to say that there is no answer is held back.
    """

    def __init__(self, write: StreamWriter) -> None:
        self._write = write
        self._marks = MarkStream()
        self._held: str | None = ""

    def __call__(self, piece: str) -> None:
        """Take the next piece of the reply."""
        if self._held is not None:
            self._held += piece
            bare = self._held.lstrip()
            if NOT_FOUND.startswith(bare[: len(NOT_FOUND)]):
                return
            piece, self._held = self._held, None
        shown = self._marks.feed(piece)
        if shown:
            self._write(AnswerText(shown))

    def restart(self) -> None:
        """Forget what came so far: the reply broke off and begins again."""
        self._write(AnswerText("", is_restart=True))
        self._marks = MarkStream()
        self._held = ""
