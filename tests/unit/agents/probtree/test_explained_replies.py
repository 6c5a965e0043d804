"""Replies are read in the forms that models give them, and references are filled with answers."""

import pytest

from lcagent.agents.probtree.explained_replies import (
    clean_answer,
    parse_explained_reply,
    parse_plain_reply,
)
from lcagent.agents.probtree.question_tree import (
    find_references,
    insertable_answer,
    substitute_references,
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It is there. So the answer is: Cork.", "Cork"),
        ("It is there. so, the answer is Cork", "Cork"),
        ("It is there.\n**So the answer is:** Cork", "Cork"),
        ("It is there.\nThe final answer is: “Cork”.", "Cork"),
        ("Thus the answer is: Cork\nI hope this helps.", "Cork"),
        ('In Cork [S1 "born in Cork, they say"]. So the answer is: Cork [S1].', "Cork"),
        ("So the answer is: no. But wait. So the answer is: yes.", "yes"),
        ('{"explanation": "a \\"b\\"", "answer": "Cork \\u2013 city"}', "Cork – city"),
        ('```json\n{"reasoning": "a", "answer": "Cork"}\n```', "Cork"),
        ("Sie kam aus Cork. Die Antwort lautet: Cork.", "Cork"),
        ("她生于科克。所以答案是：科克。", "科克"),
        ("ولدت في كورك. إذن الجواب هو: كورك", "كورك"),
        ("It is there. So the answer is: the U.S.", "the U.S."),
    ],
)
def test_the_answer_is_what_follows_the_marker(text: str, answer: str) -> None:
    read = parse_explained_reply(text)
    assert (read.answer, read.has_marker) == (answer, True)


def test_a_reply_without_a_marker_explains_from_end_to_end() -> None:
    read = parse_explained_reply("The answer is likely to be found elsewhere.")
    assert (read.answer, read.has_marker) == ("", False)
    assert read.explanation == ((0, 43),)


@pytest.mark.parametrize(
    ("answer", "inserted"),
    [
        ("Football Associations (UEFA).", "Football Associations (UEFA)"),
        ("", "unknown"),
        ("Unknown.", "unknown"),
        ("“Cork”!", "Cork"),
        ("科克。", "科克"),
        ("Washington D.C.", "Washington D.C."),
    ],
)  # fmt: skip
def test_an_answer_is_put_into_a_question_without_its_stop_and_never_empty(
    answer: str, inserted: str
) -> None:
    assert insertable_answer(answer) == inserted
    assert substitute_references("Who ran #1 then?", {"#1": answer}) == f"Who ran {inserted} then?"


def test_references_of_both_forms_are_found_and_all_places_filled() -> None:
    question = "Is <1> older than #2, and was <1> there? C#1 and x#1 and a href=#12a are none"
    assert find_references(question) == {"<1>": 1, "#2": 2}
    filled = substitute_references(
        "Is <1> older than #2, and was <1> there?", {"<1>": "#2", "#2": "Bo"}
    )
    assert filled == "Is #2 older than Bo, and was #2 there?"


def test_cleaning_takes_one_pair_of_quotation_marks() -> None:
    assert clean_answer('"The Salt Barges".') == "The Salt Barges"
    assert clean_answer("'t Hooft") == "'t Hooft"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("It was built in Tolquay. It was built in Tolquay.", "It was built in Tolquay"),
        ("The answer to the question is: Tolquay.", "Tolquay"),
        ("The answer is as follows:\n\nTolquay", "Tolquay"),
        ("<passages 3f9a11c2>\nIt was Tolquay.", "It was Tolquay"),
    ],
)
def test_of_a_plain_reply_the_first_sentence_is_the_answer_and_is_measured(
    reply: str, answer: str
) -> None:
    read = parse_plain_reply(reply)
    assert read.answer == answer
    assert any(answer in reply[start:end] for start, end in read.explanation)
