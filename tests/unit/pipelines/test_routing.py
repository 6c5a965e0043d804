"""Which question goes where, and why."""

import pytest

from lcagent.errors import UsageError
from lcagent.pipelines.answering.plan import choose
from lcagent.pipelines.registry import check_task
from lcagent.tasks import AskTask


@pytest.mark.parametrize(
    "question",
    [
        "List all the captains of the ferry.",
        "How many chapters mention the lighthouse?",
        "Summarize the report.",
        "What are the main themes?",
        "Nenne alle Personen, die auf der Insel leben.",
        "Fasse den Bericht zusammen: eine Zusammenfassung bitte.",
        "Liste tous les capitaines du ferry : tous les noms.",
        "列出所有提到的人物。",
        "すべての登場人物は？",
        "اذكر جميع الشخصيات",
        "Перечисли всех капитанов.",
    ],
)
def test_a_question_that_needs_a_lot_of_evidence_reads_everything(question: str) -> None:
    assert choose("auto", "m", question, fits_window=False).strategy == "chain"


@pytest.mark.parametrize(
    "question",
    [
        "Who was Anders Quill?",
        "What was the net revenue in 2022?",
        "When did it open?",
        "Wer hielt den Leuchtturm?",
        "谁写了这本书？",
        "Which captain was called Allan?",
    ],
)
def test_a_question_for_a_fact_looks_it_up(question: str) -> None:
    route = choose("auto", "m", question, fits_window=False)
    assert (route.strategy, route.is_open) == ("rag", False)


@pytest.mark.parametrize(
    "question",
    [
        "Compare the two proposals.",
        "How many employees did the company have?",  # a number that stands there, or a count
        "Why did Ahab hunt the whale?",
        "Where was the director of The Ferry born?",
        "Who is the mother of the director of the film?",
        "When was the author's mother's house built?",
        "Which ferry is older, the Lady Annis or the Grey Tern?",
        "Who wrote the letter that Hector Vance burned?",
        "他的母亲的名字叫什么？",
        "Welche Farbe hat das Haus des Bruders der Wirtin?",
    ],
)
def test_what_words_do_not_tell_is_left_open(question: str) -> None:
    route = choose("auto", "m", question, fits_window=False)
    assert (route.strategy, route.is_open) == ("rag", True)


def test_what_takes_no_choice_is_never_open() -> None:
    for wanted, fits in (("chain", False), ("auto", True)):
        assert not choose(wanted, "m", "Why?", fits_window=fits).is_open


def test_what_fits_is_read_whole_whatever_is_asked() -> None:
    route = choose("auto", "m", "List all captains.", fits_window=True)
    assert (route.strategy, "window" in route.reason) == ("whole", True)


def test_without_a_model_the_answer_is_quoted_unless_a_method_is_asked_for() -> None:
    assert choose("auto", "quote", "Who?", fits_window=False).strategy == "quote"
    assert choose("chain", "quote", "Who?", fits_window=False).strategy == "chain"


def test_a_method_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="auto, quote, whole, rag, chain"):
        check_task(AskTask(("a.md",), "Who?", strategy="guess"))
