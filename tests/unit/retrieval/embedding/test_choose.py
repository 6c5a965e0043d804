"""From a name to an embedder."""

import pytest

from lcagent.errors import ModelError, UsageError
from lcagent.retrieval.embedding import choose_embedder
from lcagent.retrieval.embedding.llama_index_embedder import LlamaIndexEmbedder
from lcagent.retrieval.embedding.minilm import MiniLM

MOCK = "llama-index:llama_index.core.embeddings:MockEmbedding?embed_dim=8"


def test_none_means_words_only_and_says_so() -> None:
    assert choose_embedder("none").embedder is None
    assert choose_embedder("none").reason == "no embedder was wanted"


def test_the_default_is_minilm(minilm: MiniLM) -> None:
    found = choose_embedder("auto", may_download=False).embedder
    assert found == choose_embedder("minilm").embedder == minilm


def test_an_unknown_name_is_a_usage_error_that_lists_the_known() -> None:
    with pytest.raises(UsageError, match="minilm, none and llama-index"):
        choose_embedder("word2vec")


def test_an_embedding_of_llama_index_serves(minilm: MiniLM) -> None:
    pytest.importorskip("llama_index.core")
    embedder = choose_embedder(MOCK).embedder
    assert embedder is not None
    assert embedder.id != minilm.id
    assert embedder.dimension == 8
    assert embedder.embed(["one", "two"]).shape == (2, 8)
    assert embedder.embed([]).shape == (0, 8)
    assert embedder.embed_query("one") @ embedder.embed_query("one") == pytest.approx(1)


@pytest.mark.parametrize(
    "ref",
    [
        "llama-index:no.such.module:Class",
        "llama-index:llama_index.core.embeddings:NoSuchClass",
        "llama-index:llama_index.core.embeddings:MockEmbedding",
        "llama-index:pathlib:Path",
        "llama-index:",
    ],
)
def test_what_is_no_embedding_is_a_usage_error(ref: str) -> None:
    pytest.importorskip("llama_index.core")
    with pytest.raises(UsageError):
        choose_embedder(ref)


@pytest.mark.parametrize(
    "reply", [[], [[1.0, 2.0, 3.0]], [[0.0, 0.0]], [[float("nan"), 1.0]], [[1.0], [1.0, 2.0]]]
)
def test_a_reply_that_is_no_vector_is_a_model_error(reply: list[list[float]]) -> None:
    class Strange:
        model_name = "strange"

        def get_query_embedding(self, query: str) -> list[float]:
            return [1.0] * len(query[:2])

        def get_text_embedding_batch(self, texts: list[str]) -> list[list[float]]:
            return reply if texts else []

    with pytest.raises(ModelError, match="strange"):
        LlamaIndexEmbedder("llama-index:x", Strange()).embed(["text"])
