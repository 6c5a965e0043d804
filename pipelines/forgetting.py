"""What `lcagent docs rm` does: forget a document, and say or remove what else knows it.

A document leaves traces: runs with its quotes, replies of models that read it, vectors of its
chunks, and memories of local models. A reply that no run names is a trace of any document, as of
a run that was killed or failed before its step had ended.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lcagent.documents import Document
from lcagent.engine.engine import list_folder, remove_from_folder
from lcagent.errors import UsageError
from lcagent.pipelines.services import Services
from lcagent.pipelines.session import Session
from lcagent.retrieval.library import content_hash
from lcagent.retrieval.search.vectors import text_hash
from lcagent.retrieval.sources import StoredId, resolve
from lcagent.storage.search_store import SearchStore

_FULL_ID = re.compile(r"[0-9a-f]{64}")
_ENDS_WITH_AN_ID = re.compile(r"-([0-9a-f]{8})(?:[-.]|\Z)")


@dataclass(frozen=True, slots=True)
class Traces:
    """What else knows a document.

    Attributes:
        runs: Ids of runs that were about it.
        replies: Keys of replies of models in them.
        memories: Names of what local models have read of it.
    """

    runs: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say what it is."""
        counted = [
            f"{len(found)} {name if len(found) == 1 else names}"
            for name, names, found in (
                ("run", "runs", self.runs),
                ("reply of a model", "replies of models", self.replies),
                ("memory", "memories", self.memories),
            )
            if found
        ]
        return ", ".join(counted)


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that was removed.

    Attributes:
        name: Empty where only its traces were left.
        traces: What else knew it; that is gone, too, where all was to be removed.
    """

    id: str
    name: str
    traces: Traces


def remove_documents(names: Sequence[str | Path], *, everything: bool = False) -> list[Removed]:
    """Remove documents from the store, named by id or by their file; return what was found.

    Args:
        everything: Remove what else knows them, too: runs, replies of models, vectors, memories.
            Then a document that was removed before may be named by its file or its whole id.

    Raises:
        UsageError: A name means no stored document; nothing is removed.
    """
    with Session.open() as session:
        services = session.services
        found = [_found(name, services, everything=everything) for name in names]
        return [
            _remove(key, document, services, everything=everything)
            for key, document in dict(pair for pairs in found for pair in pairs).items()
        ]


def _found(
    name: str | Path, services: Services, *, everything: bool
) -> list[tuple[str, Document | None]]:
    """Return the documents that a name means by their ids; None for one that is not stored."""
    if everything and _FULL_ID.fullmatch(str(name)):
        return [(str(name), services.documents.load(str(name)))]
    pairs: list[tuple[str, Document | None]] = []
    for source in resolve([name], services.documents):
        key = source.document_id if isinstance(source, StoredId) else content_hash(source)
        document = services.documents.load(key)
        if document is None and not everything:
            raise UsageError(f"{source} is not in the store")
        pairs.append((key, document))
    return pairs


def _remove(
    key: str, document: Document | None, services: Services, *, everything: bool
) -> Removed:
    name = "" if document is None else document.name
    traces = traces_of(key, name, services)
    if everything:
        _remove_traces(document, traces, services)
    if document is not None:
        services.documents.remove(key)
    return Removed(key, name, traces)


def traces_of(document_id: str, name: str, services: Services) -> Traces:
    """Return what else knows a document; a memory is known by the id or the name in its title."""
    runs = services.runs.about(document_id)
    replies = services.runs.reply_keys(runs) & services.replies.keys()
    memories = {
        # An interrupted one lies in a folder whose name has a dot before and something behind it.
        memory.id.removeprefix(".").partition(".")[0]: None
        for memory in list_folder(services.settings.memories)
        if _is_of(memory.id, memory.title, document_id, name)
    }
    return Traces(tuple(runs), tuple(sorted(replies)), tuple(memories))


def _is_of(memory: str, title: str, document_id: str, name: str) -> bool:
    """Say whether a memory is of a document; one that bears another's id is not, by any title."""
    ids = _ENDS_WITH_AN_ID.findall(memory)
    return document_id[:8] in ids if ids else bool(name) and title == name


def _remove_traces(document: Document | None, traces: Traces, services: Services) -> None:
    if document is not None:
        chunks = services.indexer.preparation.chunks(document)
        SearchStore(services.database).discard_vectors([text_hash(each.text) for each in chunks])
    services.runs.remove(traces.runs)
    left = services.runs.reply_keys(services.runs.ids())
    services.replies.discard(*traces.replies, *(services.replies.keys() - left))
    if traces.memories:
        remove_from_folder(services.settings.memories, traces.memories)
