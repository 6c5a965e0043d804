"""How a proof looks: the tree of its questions, each with its answers and how sure they are."""

from collections.abc import Iterator, Mapping
from typing import Any

from lcagent.proofs import Proof, ProofCandidate, ProofNode

NO_ANSWER = -100.0

KINDS = {
    "closed_book": "own knowledge",
    "open_book": "passages",
    "child_aggregating": "from below",
}
"""Where an answer is from, in the words of the screen."""

MEASURES = {
    "logprobs": "log-probability of its explanation",
    "samples": "logarithm of the share of samples that agree",
    "stated": "logarithm of the probability that the model states",
}


def proof_of(stored: Mapping[str, Any]) -> Proof:
    """Return a proof as it was stored with a run."""
    from pydantic import TypeAdapter  # noqa: PLC0415 -- `--help` must not wait for it

    return TypeAdapter(Proof).validate_python(stored)


def proof_lines(proof: Proof) -> Iterator[str]:
    """Yield the lines of the tree."""
    if not proof.nodes:
        return
    measures = dict.fromkeys(MEASURES[node.confidence] for node in proof.nodes)
    yield f"how it was found (* is taken; the number is the {' or the '.join(measures)}):"
    yield from _branch(proof, proof.nodes[0], "", "")
    yield from (f"! {flag}" for flag in proof.flags)


def _branch(proof: Proof, node: ProofNode, first: str, rest: str) -> Iterator[str]:
    yield f"{first}{node.asked}"
    below = [one for one in proof.nodes if one.parent == node.id]
    stem = f"{rest}{'│' if below else ' '}  "
    has_choice_below = sum(bool(one.below) for one in node.candidates) > 1
    for candidate in node.candidates:
        yield f"{stem}{'*' if candidate is node.taken else ' '} {_line(candidate)}"
        if candidate.below and has_choice_below:
            yield f"{stem}      of {'; '.join(_on_a_line(one.answer) for one in candidate.below)}"
        yield from (f"{stem}      ! {flag}" for flag in candidate.flags)
    yield from (f"{stem}! {flag}" for flag in node.flags)
    for one in below:
        is_last = one is below[-1]
        branch, further = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _branch(proof, one, f"{rest}{branch}", f"{rest}{further}")


def _line(candidate: ProofCandidate) -> str:
    score = "none" if candidate.score <= NO_ANSWER else f"{candidate.score:.2f}"
    cited = f" [{', '.join(candidate.evidence)}]" if candidate.evidence else ""
    answer = _on_a_line(candidate.answer)
    return f"{KINDS[candidate.kind]:13} {score:>6}  {answer}{cited}".rstrip()


def _on_a_line(answer: str) -> str:
    return " ".join(answer.split())
