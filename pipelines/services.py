"""What a session works with, built from the settings once: the composition root.

Nothing above hands settings on, and nothing below reads them.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO, cast, get_args

from lcagent.credentials import BaseUrl, Secret
from lcagent.documents import Document, Documents, DocumentSource, NamedText
from lcagent.errors import UsageError
from lcagent.local_options import LocalOptions
from lcagent.models.chat_model import ChatModel
from lcagent.models.choose import choose_model, close_model, is_local
from lcagent.models.limits import Budget, Budgeted, RateLimited, RateLimiter
from lcagent.retrieval.embedding.choose import EmbedderChoice, choose_embedder
from lcagent.retrieval.embedding.embedder import Embedder
from lcagent.retrieval.indexing import Indexer
from lcagent.retrieval.library import Collection, Library, ReadingProgress
from lcagent.retrieval.reading.reader import ReadingLimits
from lcagent.retrieval.search.retriever import Retriever, VectorUse
from lcagent.retrieval.sources import resolve
from lcagent.settings import Settings, config_path
from lcagent.storage.database import Database, open_database
from lcagent.storage.document_store import DocumentStore
from lcagent.storage.output_store import OutputStore
from lcagent.storage.profile_store import ProfileStore
from lcagent.storage.reply_store import ReplyStore
from lcagent.storage.run_store import RunStore
from lcagent.storage.search_store import SearchStore
from lcagent.tasks import QUOTE

if TYPE_CHECKING:
    from lcagent.models.profile import ModelProfile


@dataclass(frozen=True)
class Services:
    """The stores, the reader, the retriever and the models of one session.

    The store is opened when it is first used, so that a task that makes no sense writes nothing.

    Attributes:
        models: Models of the caller's by the names that tasks call them.
        store, embedder, retriever: The caller's, in place of those that the settings name.
    """

    settings: Settings
    models: Mapping[str, ChatModel] = field(default_factory=dict[str, ChatModel])
    store: Database | None = None
    embedder: Embedder | None = None
    retriever: Retriever | None = None
    _models: dict[tuple[str, Secret, int | None], ChatModel] = field(
        default_factory=dict[tuple[str, Secret, int | None], ChatModel]
    )

    @cached_property
    def database(self) -> Database:
        """The store.

        Raises:
            StorageError: It cannot be read or written.
        """
        return self.store or open_database(self.settings.store_url)

    @cached_property
    def documents(self) -> DocumentStore:
        """The documents in the store."""
        return DocumentStore(self.database)

    @cached_property
    def runs(self) -> RunStore:
        """The runs in the store."""
        return RunStore(self.database)

    @cached_property
    def outputs(self) -> OutputStore:
        """The files that runs wrote."""
        return OutputStore(self.database)

    @cached_property
    def replies(self) -> ReplyStore:
        """The replies of models in the store."""
        return ReplyStore(self.database)

    @cached_property
    def profiles(self) -> ProfileStore:
        """What models were seen to do, in the store."""
        return ProfileStore(self.database)

    def profile(self, model: str, base_url: str | None = None) -> "ModelProfile":
        """Return what a model was seen to do; nothing is known of one that was not tried."""
        from lcagent.models.profile import ModelProfile  # noqa: PLC0415 -- not to search

        return ModelProfile.from_json(self.profiles.load(model, self.server(base_url)) or {})

    def server(self, base_url: str | None = None) -> str:
        """Return the server of a model as profiles know it, without what is secret of it."""
        from lcagent.models.endpoints import OPENAI_URL, without_credentials  # noqa: PLC0415

        return without_credentials(base_url or self.settings.model_url or OPENAI_URL)

    @cached_property
    def library(self) -> Library:
        """Reads documents."""
        limits = ReadingLimits(
            memory_bytes=self.settings.reading_memory_mb * 1_000_000,
            characters=self.settings.reading_text_mb * 1_000_000,
        )
        return Library(self.documents, limits, self.settings.concurrency, self.settings.reader)

    @cached_property
    def indexer(self) -> Indexer:
        """Builds the indexes of documents, and keeps them."""
        limit = self.settings.index_cache_mb * 1_000_000
        return Indexer(self.documents, SearchStore(self.database), self.choose_embedder, limit)

    @cached_property
    def rate_limiter(self) -> RateLimiter:
        """The rates that calls of all runs keep to together."""
        settings = self.settings
        return RateLimiter(
            settings.model_concurrency, settings.requests_per_minute, settings.tokens_per_minute
        )

    def retriever_of(self, documents: Sequence[Document]) -> Retriever:
        """Return what searches some documents: the caller's, else their index."""
        return self.retriever or self.indexer.over(documents)

    def close(self) -> None:
        """Close the store, if it was opened here."""
        if "database" in self.__dict__ and self.store is None:
            self.database.close()

    async def close_models(self) -> None:
        """Close the connections that were opened in this event loop."""
        for model in self._models.values():
            await close_model(model)

    def model(  # noqa: PLR0913 -- all that lies between a model and a run
        self,
        model: str | ChatModel,
        *,
        base_url: str | None = None,
        window_tokens: int | None = None,
        budget: Budget | None = None,
        parent: Budget | None = None,
        namespace: str = "",
        key_over_http: bool = False,
    ) -> ChatModel:
        """Return a model as a run uses it: cached, tried again, and within limits.

        Args:
            model: How it is called, or a model of your own.
            budget: What the run may spend; by default as much as it likes.
            parent: What the run may spend of what is shared with others.
            namespace: Keeps the replies of a run apart from those of others.
            key_over_http: Send a key over http to where others on the way can read it.

        Raises:
            ModelNotUsable: There is no such model, or no key for it.
        """
        # What no search needs is imported where a model is asked for.
        from lcagent.agents.quoting_model import QuotingModel  # noqa: PLC0415
        from lcagent.models.cached import Cached  # noqa: PLC0415
        from lcagent.models.control_tokens import SpellsOutTokens  # noqa: PLC0415
        from lcagent.models.endpoints import OPENAI_URL, without_credentials  # noqa: PLC0415
        from lcagent.models.retrying import Retrying  # noqa: PLC0415

        budget = budget or Budget()
        if model == QUOTE:
            return Budgeted(QuotingModel(), budget)
        server, runs_here = "", False
        if isinstance(model, str) and model in self.models:
            model = self.models[model]
        elif isinstance(model, str):
            runs_here = is_local(model)
            if not runs_here:
                server = self._whole(base_url) or self.settings.model_url or OPENAI_URL
            model = self._limited(model, server, window_tokens, key_over_http=key_over_http)
        if not runs_here:  # the engine encodes a chat template and what is said apart
            model = SpellsOutTokens(model)
        if parent is not None:
            model = Budgeted(model, parent)
        retrying = Retrying(Budgeted(model, budget), time_left_s=budget.time_left_s)
        return Cached(
            retrying, self.replies, namespace=namespace, server=without_credentials(server)
        )

    def _whole(self, base_url: str | None) -> str | None:
        """Return a base URL with what the settings prove the user by, if it is theirs.

        A stored task has lost it.
        """
        own = self.settings.model_url
        return own if own is not None and base_url == own else base_url

    def _limited(
        self, name: str, server: str, window_tokens: int | None, *, key_over_http: bool
    ) -> ChatModel:
        """Return a model whose calls, of all runs together, keep to the rates that are set."""
        key = (name, BaseUrl(server).whole, window_tokens)
        if key not in self._models:
            chosen = named_model(
                name, self.settings, server, window_tokens, key_over_http=key_over_http
            )
            self._models[key] = RateLimited(chosen, self.rate_limiter)
        return self._models[key]

    def choose_embedder(self) -> EmbedderChoice:
        """Return what makes vectors, or why nothing does.

        Only an embedder that was asked for by name may be fetched from the network.
        """
        if self.embedder is not None:
            return EmbedderChoice(self.embedder)
        wanted = self.settings.embedder
        return choose_embedder(wanted, may_download=wanted != "auto")

    def vector_use(self, wanted: str | None, *, by_default: VectorUse) -> VectorUse:
        """Return how vectors are used: as asked for, else as set, else `by_default`.

        Raises:
            UsageError: There is no such use.
        """
        chosen = wanted or self.settings.vectors
        if chosen == "auto":
            return by_default
        if chosen not in get_args(VectorUse):
            known = ", ".join(("auto", *get_args(VectorUse)))
            raise UsageError(f"no use of vectors is called {chosen!r}; there are: {known}")
        return cast("VectorUse", chosen)

    async def collect(
        self,
        documents: Documents,
        *,
        password: str | None = None,
        ocr: bool | None = None,
        progress: ReadingProgress | None = None,
    ) -> Collection:
        """Read documents: files, folders, globs, ids of stored ones, or what is in memory.

        Raises:
            UsageError: A name means nothing, or none of them can be read.
        """
        reading = {"password": password, "progress": progress}
        names = await self.names_of(documents, ocr=ocr, **reading)
        sources = await asyncio.to_thread(resolve, names, self.documents)
        return await self.library.collect(
            sources,
            password=password,
            ocr=self.settings.ocr if ocr is None else ocr,
            progress=progress,
        )

    async def names_of(self, documents: Documents, **reading: Any) -> tuple[str, ...]:
        """Return documents as a task names them; what is in memory is stored first.

        Args:
            reading: As of `collect`.

        Raises:
            UsageError: What is in memory cannot be read.
        """
        is_one = isinstance(documents, str | bytes) or not isinstance(documents, Sequence)
        listed = [documents] if is_one else documents
        named = cast("Sequence[DocumentSource]", listed)
        return tuple([await self._name_of(each, reading) for each in named])

    async def _name_of(self, document: DocumentSource, reading: Mapping[str, Any]) -> str:
        if isinstance(document, str | Path):
            return str(document)
        if not isinstance(document, bytes | NamedText) and not hasattr(document, "read"):
            kinds = "a path, an id, bytes, an open file, or a NamedText"
            raise UsageError(f"a document is {kinds}, not {document!r:.80}")
        # Readers run in a process of their own, which is given a file.
        with TemporaryDirectory(prefix="lcagent-") as folder:
            path = Path(folder) / _file_name(document)
            await asyncio.to_thread(path.write_bytes, _content(document))
            (read,) = (await self.collect(path, **reading)).documents
        return read.id


def _file_name(document: bytes | BinaryIO | NamedText) -> str:
    """Return the name of a document in memory, as a file can have it."""
    named = document.name if isinstance(document, NamedText) else getattr(document, "name", "")
    return Path(str(named)).name or "document"


def _content(document: bytes | BinaryIO | NamedText) -> bytes:
    if isinstance(document, NamedText):
        return document.text.encode()
    content: Any = document if isinstance(document, bytes) else document.read()
    return content.encode() if isinstance(content, str) else bytes(content)


def named_model(
    name: str,
    settings: Settings,
    server: str = "",
    window_tokens: int | None = None,
    *,
    key_over_http: bool = False,
) -> ChatModel:
    """Return a model by its name, as the settings describe it where nothing else is said.

    Raises:
        ModelNotUsable: There is no such model, or no key for it.
    """
    return choose_model(
        name,
        base_url=server or settings.model_url,
        window_tokens=window_tokens or settings.window,
        user_table=config_path().with_name("models.toml"),
        local=local_options(settings),
        key_over_http=key_over_http or settings.key_over_http,
    )


def local_options(settings: Settings) -> LocalOptions:
    """Return how local models run, by the settings."""
    return LocalOptions(
        device=settings.local_device,
        dtype=settings.local_dtype,
        store=settings.local_store,
        store_dtype=settings.local_store_dtype,
        policy=settings.local_policy,
        memories=settings.memories,
    )
