"""The default embedder with its real weights."""

import subprocess
import sys

import numpy as np
import pytest

from lcagent.errors import UsageError
from lcagent.retrieval.embedding.minilm import FEW_TEXTS, MiniLM

TEXTS = [
    "Net revenue of Frito-Lay North America rose 7 percent in 2022.",
    "The snacks division sold more than in the year before.",
    "Der Hund schläft unter dem Küchentisch.",
    "",
]


def test_vectors_have_length_one(minilm: MiniLM) -> None:
    vectors = minilm.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), minilm.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_texts_of_like_meaning_are_near(minilm: MiniLM) -> None:
    revenue, snacks, dog, _ = minilm.embed(TEXTS)
    assert revenue @ snacks > revenue @ dog + 0.2


def test_a_question_and_a_text_of_the_same_words_have_the_same_vector(minilm: MiniLM) -> None:
    assert minilm.embed_query(TEXTS[0]) @ minilm.embed(TEXTS[:1])[0] > 0.999


def test_a_text_beyond_the_limit_is_refused_with_its_length(minilm: MiniLM) -> None:
    with pytest.raises(UsageError, match="text 1 has 302 word pieces"):
        minilm.embed(["short", "word " * 300])


def test_a_text_of_exactly_the_limit_is_embedded(minilm: MiniLM) -> None:
    text = "word " * 254
    assert minilm.count_tokens([text]) == [256]
    assert minilm.embed([text]).shape == (1, 384)


def test_the_end_of_a_long_question_counts(minilm: MiniLM) -> None:
    filler = "the " * 300
    ends = [minilm.embed_query(filler + end) for end in ("revenue in 2022", "a sleeping dog")]
    assert ends[0] @ ends[1] < 0.99


def test_progress_ends_with_all_texts(minilm: MiniLM) -> None:
    seen: list[tuple[int, int]] = []
    minilm.embed(TEXTS, progress=lambda embedded, total: seen.append((embedded, total)))
    assert seen[-1] == (len(TEXTS), len(TEXTS))
    assert seen == sorted(seen)


def test_no_texts_have_no_vectors(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, 384)


def test_a_question_in_a_new_process_imports_no_torch(minilm: MiniLM) -> None:
    assert minilm.files.exist()
    program = (
        "import sys; from lcagent.retrieval.embedding import choose_embedder;"
        "choose_embedder('minilm').embedder.embed_query('how much?');"
        "sys.exit(bool({'torch', 'transformers', 'huggingface_hub', 'scipy'} & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", program], check=False)
    assert finished.returncode == 0


def test_few_and_many_texts_get_interchangeable_vectors(minilm: MiniLM) -> None:
    pytest.importorskip("torch")
    texts = [f"{TEXTS[i % 3]} Note {i}." for i in range(FEW_TEXTS + 8)]
    many = minilm.embed(texts)
    few = np.array([minilm.embed_query(text) for text in texts])
    assert np.sum(many * few, axis=1).min() > 0.999
