"""Tasks: what is asked of lcagent, as values.

A task holds all that decides its result and nothing that belongs to one process: it can be stored,
sent to a worker, resumed, and described to a client by a JSON schema. Every default of the library,
of the command line and of requests stands here, or in the options of the method that it is of.

    AskTask(("book.pdf",), "Who kept the light?", strategy="chain")

A callback, an open session, a model that a program made, and a password do not travel: they are
arguments of `Session.run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Final, Self, TypeVar

from lcagent.credentials import BaseUrl
from lcagent.errors import UsageError
from lcagent.fields import (
    Flag,
    check_names,
    check_values,
    flags_of,
    json_schema_of,
    option,
    require,
    to_json,
    to_value,
)

OptionsT = TypeVar("OptionsT", bound="MethodOptions")

SCHEMA = "lcagent.task/1"

QUOTE: Final = "quote"
"""The model that is none, and the strategy that needs none: the documents are quoted."""


# No slots: the class attributes are the defaults, which signatures of the verbs refer to.
@dataclass(frozen=True)
class MethodOptions:
    """Options of one method; the method's own class is derived from this one.

    Attributes:
        method: The name of the method.
    """

    method: ClassVar[str] = ""
    known: ClassVar[dict[str, type["MethodOptions"]]] = {}
    """The options of every method that was imported, by its name."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Make the options known by the name of their method."""
        super().__init_subclass__(**more)
        MethodOptions.known[cls.method] = cls

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            UsageError: One has a wrong type or is out of range.
        """
        check_values(self)

    def as_json(self) -> dict[str, Any]:
        """Return the options as JSON knows them."""
        return {each.name: to_json(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the options that JSON describes; what is missing has its default.

        Raises:
            UsageError: A name or a value makes no sense.
        """
        check_names(f"the options of {cls.method}", given, cls)
        return cls(**{name: to_value(cls, name, value) for name, value in given.items()})

    @classmethod
    def flags(cls) -> Sequence[Flag]:
        """Return what a command line offers: by default each field that describes itself."""
        return flags_of(cls)

    @classmethod
    def from_flags(cls, given: Mapping[str, Any]) -> Self:
        """Return the options that flags of `flags` say.

        Raises:
            UsageError: A value makes no sense.
        """
        return cls(**given)


@dataclass(frozen=True)
class Task:
    """What all tasks have.

    Attributes:
        options: Of methods, at most one for each; a method without has its defaults.
    """

    verb: ClassVar[str] = ""

    _: KW_ONLY
    options: tuple[MethodOptions, ...] = ()
    pages: str | None = option(
        None, "Only these pages of each document.", flags=("--pages",), metavar="10-40"
    )
    ocr: bool | None = option(None, "Recognise text on pages that are pictures.")

    def __post_init__(self) -> None:
        """Bring values into their form, and refuse those that make no sense.

        Raises:
            UsageError: One has a wrong type, is out of range, or is missing.
        """
        given = self.options
        options = (given,) if isinstance(given, MethodOptions) else tuple(given)
        for each in options:
            require(each, MethodOptions, "options are such as ChainOptions(...)")
        object.__setattr__(self, "options", options)
        check_values(self)
        methods = [each.method for each in options]
        if len(set(methods)) < len(methods):
            raise UsageError(f"options are given twice: {', '.join(methods)}")

    @property
    def title(self) -> str:
        """What the run is listed by."""
        raise NotImplementedError

    @property
    def sources(self) -> tuple[str, ...]:
        """The documents: files, folders, globs, or ids of stored ones."""
        return getattr(self, "documents", ())

    def method_options(self, kind: type[OptionsT]) -> OptionsT:
        """Return the options of a method, its defaults where none are given."""
        return next((each for each in self.options if isinstance(each, kind)), kind())

    def as_json(self) -> dict[str, Any]:
        """Return the task as JSON knows it; `from_json` undoes it."""
        found = {each.name: to_json(getattr(self, each.name)) for each in fields(self)}
        options = {each.method: each.as_json() for each in self.options}
        return {"schema": SCHEMA, "verb": self.verb, **found, "options": options}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the task that JSON describes; what is missing has its default.

        Options of a method are understood once the method was imported, as `lcagent.read_task`
        sees to.

        Raises:
            UsageError: A name or a value makes no sense.
        """
        require(given, Mapping, "a task is a JSON object")
        found = {name: value for name, value in given.items() if name not in ("schema", "verb")}
        if given.get("schema", SCHEMA) != SCHEMA or given.get("verb", cls.verb) != cls.verb:
            what = f"{given.get('schema')} {given.get('verb')}"
            raise UsageError(f"expected {SCHEMA} {cls.verb}, not {what}")
        check_names(f"the task {cls.verb}", found, cls)
        options: Mapping[str, Any] = found.pop("options", {})
        require(options, Mapping, "options are a JSON object by method")
        check_names("options", options, MethodOptions.known)
        known = (MethodOptions.known[name].from_json(each) for name, each in options.items())
        values = {name: to_value(cls, name, value) for name, value in found.items()}
        for each in fields(cls):
            if each.default is MISSING and each.name not in values:
                raise UsageError(f"the task {cls.verb} lacks {each.name!r}")
        return cls(**values, options=tuple(known))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON schema of such tasks, with the options of every imported method."""
        schema = json_schema_of(cls)
        schema["properties"]["options"] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: json_schema_of(kind) for name, kind in sorted(MethodOptions.known.items())
            },
        }
        names = {"schema": {"const": SCHEMA}, "verb": {"const": cls.verb}}
        schema["properties"] = {**names, **schema["properties"]}
        return schema


@dataclass(frozen=True)
class ModelTask(Task):
    """What tasks have that a model may answer.

    Attributes:
        base_url: Kept as a `BaseUrl`: with its user name, password and key beside it, not in it.
        max_usd, max_calls, max_time_s: Limits that are exceeded by nothing but calls in flight.
    """

    _: KW_ONLY
    model: str | None = option(
        None,
        "What answers; by default the setting `model`, which is quote: no language model.",
        flags=("-m", "--model"),
        metavar="openai:NAME|local:PATH|quote",
    )
    base_url: str | None = option(None, "Where the model's server is.", metavar="URL")
    key_over_http: bool = option(
        False, "Send a key to a server over http, where others on the way can read it."
    )
    window: int | None = option(
        None, "Tokens of the model's window, if it is not known.", metavar="N", minimum=256
    )
    max_usd: float | None = option(None, "Dollars to spend at most.", metavar="N", minimum=0)
    max_calls: int | None = option(None, "Calls to make at most.", metavar="N", minimum=0)
    max_time_s: float | None = option(
        None,
        "Begin no call after so long.",
        flags=("--max-time",),
        metavar="SECONDS",
        minimum=0,
    )
    use_cache: bool = option(
        True,
        "Take replies that were paid for in other runs.",
        flags=("--no-cache",),
        off_help="Take no reply that was paid for in another run.",
    )

    def __post_init__(self) -> None:
        """Take what proves the caller out of the base URL; refuse what makes no sense."""
        super().__post_init__()
        if self.base_url is not None:
            object.__setattr__(self, "base_url", BaseUrl(self.base_url))


TOP_K = option(
    12, "How many passages.", flags=("-k", "--top-k"), metavar="N", minimum=1, maximum=1_000
)
VECTORS = option(
    None,
    "Search by meaning too: never, with stored vectors, or computing those needed.",
    metavar="none|stored|needed",
    choices=("auto", "none", "stored", "needed"),
)


@dataclass(frozen=True)
class AskTask(ModelTask):
    """A question about documents.

    Attributes:
        strategy: The method, or "auto" to let lcagent choose.
        top_k: How many passages the answer may draw on.
    """

    verb: ClassVar[str] = "ask"

    documents: tuple[str, ...]
    question: str
    _: KW_ONLY
    strategy: str = option("auto", "How to answer.", flags=("-s", "--strategy"))
    top_k: int = TOP_K
    vectors: str | None = VECTORS

    def __post_init__(self) -> None:
        """Refuse what cannot be answered."""
        _settle(self, "question")
        super().__post_init__()

    @property
    def title(self) -> str:
        """The question."""
        return self.question


@dataclass(frozen=True)
class SearchTask(Task):
    """A search for passages of documents."""

    verb: ClassVar[str] = "search"

    documents: tuple[str, ...]
    query: str
    _: KW_ONLY
    top_k: int = option(
        10, "How many passages.", flags=("-k", "--top-k"), metavar="N", minimum=1, maximum=1_000
    )
    vectors: str | None = VECTORS

    def __post_init__(self) -> None:
        """Refuse what cannot be searched for."""
        _settle(self, "query")
        super().__post_init__()

    @property
    def title(self) -> str:
        """The query."""
        return self.query


@dataclass(frozen=True)
class SummarizeTask(ModelTask):
    """A summary of documents.

    Attributes:
        focus: A question, or what else it should be about; empty for everything.
    """

    verb: ClassVar[str] = "summarize"

    documents: tuple[str, ...]
    _: KW_ONLY
    focus: str = option("", "What it should be about.", metavar="QUESTION")

    def __post_init__(self) -> None:
        """Refuse what cannot be summarized."""
        _settle(self, "focus", may_be_empty=True)
        super().__post_init__()

    @property
    def title(self) -> str:
        """The documents and the focus."""
        names = ", ".join(self.documents)
        return f"{names}: {self.focus}" if self.focus else names


@dataclass(frozen=True)
class WriteTask(ModelTask):
    """A long text by a plan, from documents or from none.

    Attributes:
        instruction: What to write, and for whom.
        documents: What to write from, every statement cited; none to write without sources.
        top_k: How many passages a paragraph may draw on.
    """

    verb: ClassVar[str] = "write"

    instruction: str
    documents: tuple[str, ...] = ()
    _: KW_ONLY
    top_k: int = TOP_K
    vectors: str | None = VECTORS

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        _settle(self, "instruction", needs_documents=False)
        super().__post_init__()

    @property
    def title(self) -> str:
        """The instruction."""
        return self.instruction


TASKS: dict[str, type[Task]] = {
    kind.verb: kind for kind in (AskTask, SearchTask, SummarizeTask, WriteTask)
}
"""Every kind of task by its verb."""


def _settle(
    task: Any, asked: str, *, needs_documents: bool = True, may_be_empty: bool = False
) -> None:
    """Bring the documents and what is asked of them into their form; the rest is checked later.

    Raises:
        UsageError: There is no document, or nothing is asked.
    """
    named = task.documents
    listed = [named] if isinstance(named, str | Path) else list(named or ())
    for each in listed:
        require(each, (str, Path), "a document is named by a text")
    object.__setattr__(task, "documents", tuple(map(str, listed)))
    if needs_documents and not listed:
        raise UsageError("no document is named: give a file, a folder, a glob, or an id")
    text = getattr(task, asked)
    if isinstance(text, str):
        # Bytes in no encoding, which a shell passes on as lone surrogates, cannot be stored.
        text = text.encode("utf-8", "replace").decode().strip("\ufeff")
        object.__setattr__(task, asked, text)
    if not may_be_empty and not str(text).strip():
        raise UsageError(f"the {asked} is empty")
