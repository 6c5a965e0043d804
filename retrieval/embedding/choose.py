"""From the name of an embedder (the setting `embedder`) to the embedder."""

from dataclasses import dataclass
from importlib.util import find_spec

from lcagent.errors import MissingExtra, UsageError
from lcagent.retrieval.embedding.embedder import Embedder


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """An embedder, or the reason why search is by words only. One of the two is None."""

    embedder: Embedder | None
    reason: str | None = None


def choose_embedder(ref: str, *, may_download: bool = True) -> EmbedderChoice:
    """Find the embedder that `ref` names.

    Args:
        ref: "auto" (MiniLM if it is installed), "minilm", "none" (search by words only) or
            "llama-index:dotted.path:Class".
        may_download: Fetch the default's weights from the hub where this machine has none.

    Raises:
        MissingExtra: "minilm" was asked for by name and is not installed.
        UsageError: There is no such embedder.
    """
    if ref == "none":
        return EmbedderChoice(None, "no embedder was wanted")
    if ref in ("auto", "minilm"):
        return _choose_minilm(may_download=may_download, is_required=ref == "minilm")
    if ref.startswith("llama-index:"):
        return _choose_llama_index(ref)
    raise UsageError(
        f"no embedder is called {ref!r}; there are auto, minilm, none and "
        "llama-index:dotted.path:Class"
    )


def _choose_minilm(*, may_download: bool, is_required: bool) -> EmbedderChoice:
    from lcagent.retrieval.embedding.minilm_weights import find_model_files  # noqa: PLC0415 -- lazy

    if find_spec("tokenizers") is None:
        return _missing("the package tokenizers is not installed", "offline", is_required)
    files = find_model_files(may_download=may_download)
    if files is None:
        return _missing("the weights of all-MiniLM-L6-v2 are not here", "offline", is_required)
    from lcagent.retrieval.embedding.minilm import MiniLM  # noqa: PLC0415 -- lazy

    return EmbedderChoice(MiniLM(files))


def _missing(reason: str, extra: str, is_required: bool) -> EmbedderChoice:
    if is_required:
        raise MissingExtra(f"the embedder minilm ({reason})", extra)
    return EmbedderChoice(None, f"{reason} (pip install 'lcagent[{extra}]')")


def _choose_llama_index(ref: str) -> EmbedderChoice:
    if find_spec("llama_index") is None:
        raise UsageError(f"{ref!r} needs llama-index-core: pip install llama-index-core")
    from lcagent.retrieval.embedding.llama_index_embedder import load_llama_index  # noqa: PLC0415 -- 1 CPU s

    return EmbedderChoice(load_llama_index(ref))
