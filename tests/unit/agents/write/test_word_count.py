"""Words are counted in any script; S_l is LongBench-Write's, to the digit."""

import pytest

from lcagent.agents.write.word_count import count_words, count_words_as_longbench, length_score


@pytest.mark.parametrize(
    ("text", "words", "upstream"),
    [
        ("café naïve", 2, 0),
        ("don't", 1, 2),
        ("well-known 3.5 1,000", 3, 2),
        ("你好，世界", 4, 4),
        ("東京タワー", 5, 2),
        ("안녕하세요 세계", 2, 0),
        ("Привет, мир", 2, 0),
        ("مرحبا بالعالم", 2, 0),
        ("In 2024 it's 你好", 5, 5),
        ("", 0, 0),
        ("--- ...", 0, 0),
    ],
)
def test_words_of_any_script(text: str, words: int, upstream: int) -> None:
    assert count_words(text) == words
    assert count_words_as_longbench(text) == upstream


@pytest.mark.parametrize(
    ("written", "score"),
    [
        (500, 50.0), (800, 87.5), (900, 94.44), (1_000, 100.0), (1_100, 96.67), (1_200, 93.33),
        (1_500, 83.33), (2_000, 66.67), (2_500, 50.0), (4_000, 0.0), (5_000, 0.0), (333, 0.0),
        (0, 0.0),
    ],
)  # fmt: skip
def test_the_length_score_is_that_of_the_paper(written: int, score: float) -> None:
    assert round(length_score(1_000, written), 2) == score
