"""What the nodes of one run share.

It is not in the graph's state because a checkpointer saves the whole state after every step;
the state holds ids, offsets and short texts, the documents are here.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lcagent.documents import Document, Page, Span
from lcagent.errors import ModelNotUsable
from lcagent.models.chat_model import ChatModel
from lcagent.models.limits import Budget, Metered
from lcagent.pipelines.run_log import RunLog
from lcagent.retrieval.library import Collection
from lcagent.retrieval.search.retriever import Retriever, VectorUse
from lcagent.selection import ALL_PAGES, PageSelection
from lcagent.tasks import QUOTE, MethodOptions, Task

if TYPE_CHECKING:
    from lcagent.agents.citations import LinesLoader
    from lcagent.agents.support import SourcePage
    from lcagent.models.profile import ModelProfile
    from lcagent.pipelines.output_files import OutputFile

EVIDENCE_TOKENS = 8_000
"""The most passages that an answer is written from; a small window holds fewer."""

OptionsT = TypeVar("OptionsT", bound=MethodOptions)
SharedT = TypeVar("SharedT")


def _without_lines(_: str, page: Page) -> Page:
    return page


@dataclass(frozen=True, slots=True)
class RunContext:
    """The task of a run, its documents, what searches them, and who answers.

    Attributes:
        pages: Those of each document that may be read.
        retriever: Searches the documents of the collection.
        with_lines: Loads the printed lines of a page, which say where a quote stands on it.
        model: None for quoting.
        model_name: As it was asked for, such as "openai:NAME".
        budget: What the run may spend, the same that bounds the model.
        log: The steps that ended.
        evidence_tokens: The most tokens of passages that an answer is written from.
        profile: What the model was seen to do (`lcagent doctor --ask-model`).
        output: The file for the text, where one was asked for.
        shared: What methods keep between their steps, by keys of their own; see `once`.
    """

    task: Task
    collection: Collection
    retriever: Retriever
    pages: PageSelection = ALL_PAGES
    vectors: VectorUse = "none"
    with_lines: "LinesLoader" = _without_lines
    model: ChatModel | None = None
    model_name: str = QUOTE
    budget: Budget = field(default_factory=Budget)
    log: RunLog = field(default_factory=RunLog)
    evidence_tokens: int = EVIDENCE_TOKENS
    profile: "ModelProfile | None" = None
    output: "OutputFile | None" = None
    shared: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any])

    @property
    def documents(self) -> dict[str, Document]:
        """The documents by their ids, in order."""
        return {document.id: document for document in self.collection.documents}

    @property
    def top_k(self) -> int:
        """How many passages a step may draw on."""
        return getattr(self.task, "top_k", 1)

    @property
    def reply_tokens(self) -> int:
        """What is reserved for the answer."""
        from lcagent.agents.token_budget import answer_reply_tokens  # noqa: PLC0415 -- not to search

        return answer_reply_tokens(self.chat_model)

    @property
    def chat_model(self) -> ChatModel:
        """The model.

        Raises:
            ModelNotUsable: There is none.
        """
        if self.model is None:
            raise ModelNotUsable(
                "this method needs a language model: name one with --model or LCAGENT_MODEL"
            )
        return self.model

    def options(self, kind: type[OptionsT]) -> OptionsT:
        """Return the options of a method, its defaults where the task gives none."""
        return self.task.method_options(kind)

    @property
    def asked_pages(self) -> "list[SourcePage]":
        """The pages that the task is about and that have text."""
        from lcagent.agents.support import SourcePage  # noqa: PLC0415 -- what has no model needs none

        return [
            SourcePage(Span(document.id, page.index), page.text)
            for document in self.collection.documents
            for page in document.pages
            if page.index + 1 in self.pages and page.text.strip()
        ]

    @property
    def gives_marks(self) -> bool:
        """Whether the model is known to mark its statements with exact quotes."""
        return self.profile is not None and self.profile.gives_marks is True

    def metered(self) -> Metered:
        """Return the model as one step uses it."""
        return Metered(self.chat_model)

    def once(self, key: Hashable, make: Callable[[], SharedT]) -> SharedT:
        """Return what `make` returns for a key, made at the first call for it in this run.

        What takes long is best a future, so that steps at the same time wait for one of it.
        """
        if key not in self.shared:
            self.shared[key] = make()
        made: SharedT = self.shared[key]
        return made
