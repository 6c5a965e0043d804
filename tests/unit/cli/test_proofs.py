"""A proof drawn as a tree."""

from dataclasses import asdict

from lcagent.cli.printing import proof_lines, proof_of
from lcagent.proofs import Proof, ProofCandidate, ProofNode, ProofStep

PROOF = Proof(
    (
        ProofNode(
            0, None, "Where?", "Where?",
            (
                ProofCandidate("closed_book", "Paris", -0.9, "I think so."),
                ProofCandidate("open_book", "Unknown", -100.0, "Nothing."),
                ProofCandidate("child_aggregating", "Cork", -0.2, "So it is.", ("1",), (1, 2)),
            ),
            "child_aggregating", "logprobs", -0.1, ("two answers are nearly equally sure",),
        ),
        ProofNode(
            1, 0, "Who?", "Who?", (ProofCandidate("open_book", "Jane", -0.1, "Yes.", ("1",)),),
            "open_book", "logprobs", None,
        ),
        ProofNode(
            2, 0, "Where was #1?", "Where was Jane?",
            (ProofCandidate("closed_book", "Cork", -0.3, "", (), (), ("not marked",)),),
            "closed_book", "logprobs", None,
        ),
    ),
    ("two lists for one question",),
)  # fmt: skip


def test_a_proof_is_drawn_with_all_answers_and_the_one_taken() -> None:
    assert "\n".join(proof_lines(PROOF)) == (
        "how it was found (* is taken; the number is the log-probability of its explanation):\n"
        "Where?\n"
        "│    own knowledge  -0.90  Paris\n"
        "│    passages        none  Unknown\n"
        "│  * from below     -0.20  Cork [1]\n"
        "│  ! two answers are nearly equally sure\n"
        "├─ Who?\n"
        "│     * passages       -0.10  Jane [1]\n"
        "└─ Where was Jane?\n"
        "      * own knowledge  -0.30  Cork\n"
        "            ! not marked\n"
        "! two lists for one question"
    )


def test_a_proof_is_the_same_after_it_was_stored() -> None:
    assert proof_of(asdict(PROOF)) == PROOF


def test_nothing_is_drawn_where_nothing_was_answered() -> None:
    assert list(proof_lines(Proof(()))) == []


def test_answers_from_below_are_told_apart_by_what_they_were_put_together_from() -> None:
    def below(answer: str, score: float, *answers: str) -> ProofCandidate:
        steps = tuple(ProofStep(at, "?", one, -0.1) for at, one in enumerate(answers, 1))
        return ProofCandidate("child_aggregating", answer, score, "", below=steps)

    candidates = (below("Wick", -0.9, "Jim", "Wick"), below("Cork", -0.2, "Jane", "Cork"))
    node = ProofNode(
        0, None, "Where?", "Where?", candidates, "child_aggregating", "logprobs", None, nth=1
    )
    assert list(proof_lines(Proof((node,))))[2:] == [
        "     from below     -0.90  Wick",
        "         of Jim; Wick",
        "   * from below     -0.20  Cork",
        "         of Jane; Cork",
    ]
