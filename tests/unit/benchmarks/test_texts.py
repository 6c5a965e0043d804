"""What the benchmark of texts counts."""

from texts import measured

from lcagent.results import Article, Claim, Coverage


def test_repetition_leftovers_and_proof_are_counted() -> None:
    said = "The lighthouse was lit in 1881."
    article = Article(
        run_id="1",
        strategy="sequential",
        model="m",
        coverage=Coverage(0, 0),
        claims=(Claim(said, (), "supported"), Claim(said, (), "unsupported")),
        instruction="Write.",
        text=f"# Light\n\n{said} {said} It shone.<|im_end|>",
        plan=(),
        words=10,
        target_words=20,
        S_l=0,
    )
    row = measured("one", article)
    assert (row.claims, row.supported, row.repeated, row.leftovers) == (2, 1, 1, 1)
    assert (row.headings, row.score) == (1, 50)
