"""all-MiniLM-L6-v2 in numpy: for a question, where importing torch costs more than the answer.

Wang et al., MiniLM, https://arxiv.org/abs/2002.10957 (a BERT of 6 layers, 384 wide), with the
masked mean pooling of Reimers and Gurevych, Sentence-BERT, https://arxiv.org/abs/1908.10084.
One text at a time, so there is no padding and no mask. float32 throughout.


Keeping the matrix products of numpy on one thread.

OpenBLAS spins while its threads wait for each other: on a busy machine of two cores that made
a text of 256 word pieces cost 0.75 CPU seconds instead of 0.15. Its own switch is in no API of
numpy; the package threadpoolctl finds it in the same way.
"""

import ctypes
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module

import numpy as np

from lcagent.retrieval.embedding.embedder import Vectors, unit

NUM_LAYERS = 6
NUM_HEADS = 12
HEAD_DIM = 32
HIDDEN = NUM_HEADS * HEAD_DIM
LAYER_NORM_EPS = 1e-12


def embed_ids(weights: dict[str, Vectors], ids: Sequence[int]) -> Vectors:
    """Return the normalised vector of one text, shape (384,).

    Args:
        ids: Word pieces with [CLS] and [SEP]; at most 512, the positions the model has.
    """
    hidden = _embed_words(weights, ids)  # (T, 384)
    with one_blas_thread():
        for layer in range(NUM_LAYERS):
            hidden = _apply_layer(weights, f"encoder.layer.{layer}.", hidden)
    return unit(hidden.mean(axis=0))


def gelu(x: Vectors) -> Vectors:
    """Return x * Phi(x), exact to float32: the model was trained with erf, not with tanh."""
    return x * np.float32(0.5) * (1 + erf(x * np.float32(0.5**0.5)))


def erf(x: Vectors) -> Vectors:
    """Return the error function; absolute error below 1e-6 in float32.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; numpy has no erf.
    """
    size: Vectors = np.abs(x)
    t: Vectors = np.reciprocal(1 + np.float32(0.3275911) * size)
    series: Vectors = np.full_like(t, 1.061405429, dtype=np.float32)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(coefficient)
    signed: Vectors = np.copysign(1 - series * t * np.exp(-size * size), x)
    return signed


def _embed_words(weights: dict[str, Vectors], ids: Sequence[int]) -> Vectors:
    words = weights["embeddings.word_embeddings.weight"][list(ids)]  # (T, 384)
    positions = weights["embeddings.position_embeddings.weight"][: len(ids)]
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    return _normalise(weights, "embeddings.LayerNorm", words + positions + segment)


def _apply_layer(weights: dict[str, Vectors], layer: str, hidden: Vectors) -> Vectors:
    attended = _attend(weights, layer + "attention.self.", hidden)
    attended = _project(weights, layer + "attention.output.dense", attended)
    hidden = _normalise(weights, layer + "attention.output.LayerNorm", hidden + attended)
    inner = gelu(_project(weights, layer + "intermediate.dense", hidden))  # (T, 1536)
    outer = _project(weights, layer + "output.dense", inner)
    return _normalise(weights, layer + "output.LayerNorm", hidden + outer)


def _attend(weights: dict[str, Vectors], layer: str, hidden: Vectors) -> Vectors:
    query, key, value = (
        _project(weights, layer + part, hidden).reshape(-1, NUM_HEADS, HEAD_DIM).swapaxes(0, 1)
        for part in ("query", "key", "value")
    )  # (H, T, D) each
    scores: Vectors = query @ key.swapaxes(1, 2) * np.float32(HEAD_DIM**-0.5)  # (H, T, T)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    attended: Vectors = (scores @ value).swapaxes(0, 1).reshape(-1, HIDDEN)
    return attended


def _project(weights: dict[str, Vectors], name: str, x: Vectors) -> Vectors:
    projected: Vectors = x @ weights[name + ".weight"].T + weights[name + ".bias"]
    return projected


def _normalise(weights: dict[str, Vectors], name: str, x: Vectors) -> Vectors:
    centred: Vectors = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    scaled: Vectors = centred / np.sqrt(variance + np.float32(LAYER_NORM_EPS))
    return scaled * weights[name + ".weight"] + weights[name + ".bias"]


_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Let OpenBLAS use one thread inside the block, in the whole process; else do nothing."""
    blas = _find_openblas()
    if blas is None:
        yield
        return
    library, name = blas
    before = library[name.format("get")]()
    library[name.format("set")](1)
    try:
        yield
    finally:
        library[name.format("set")](before)


def _find_openblas() -> tuple[ctypes.CDLL, str] | None:
    try:
        # A look-up in the extension finds the symbols of the libraries it is linked to.
        library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except (ImportError, OSError):
        return None
    return next(((library, n) for n in _NAMES if hasattr(library, n.format("set"))), None)
