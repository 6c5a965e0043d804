"""Answers of models without marks: proved by program, or shown for what they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from lcagent.models.chat_model import Reply, Request, TokenLogprob
from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.answering.confirming import says_nothing_new
from lcagent.pipelines.answering.pipeline import DOUBTED
from lcagent.results import Answer
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

pytestmark = pytest.mark.anyio

QUESTION = "How many passengers does the Lady Annis carry?"


async def _answer(
    book: Path, session: Session, reply: str | Reply, question: str = QUESTION, **options: str
) -> tuple[Answer, ScriptedModel]:
    model = ScriptedModel(lambda _: reply)
    options = {"strategy": "rag", **options}
    return await ask_async(book, question, session=session, model=model, **options), model  # type: ignore[arg-type] -- names of options


def _doubted(text: str, logprob: float) -> Reply:
    tokens = (TokenLogprob(text[:3], -0.01), TokenLogprob(text[3:], logprob))
    return Reply(text, logprobs=tokens)


async def test_what_the_text_says_is_cited_by_lcagent_without_a_second_call(
    book: Path, session: Session
) -> None:
    answer, model = await _answer(book, session, "The Lady Annis carries 184 passengers.")
    assert answer.outcome == "answered"
    assert [claim.status for claim in answer.claims] == ["supported"]
    (citation,) = answer.citations
    assert (citation.found_by, citation.claimed_page, citation.section) == (
        *("lcagent", None, "The Ferry"),
    )
    assert len(model.requests) == 1


async def test_a_number_that_stands_nowhere_is_left_out_and_the_quotes_are_shown(
    book: Path, session: Session
) -> None:
    answer, _ = await _answer(book, session, "The Lady Annis carries 1,840 passengers.")
    assert (answer.outcome, answer.claims) == ("nearest", ())
    assert "1,840" not in answer.answer
    assert "184 passengers" in answer.answer
    assert any("1,840" in note for note in answer.notes)


async def test_a_number_in_another_spelling_stands_somewhere(book: Path, session: Session) -> None:
    answer, _ = await _answer(book, session, "The boat held 184.00 barrels of herring.")
    assert answer.outcome == "answered"
    assert [claim.status for claim in answer.claims] == ["quoted"]


@pytest.mark.parametrize(
    ("reply", "question", "place"),
    [
        ("184", "What is her capacity?", "184 passengers"),
        ("It takes 19 cars.", "What is the greatest load of the boat?", "19 cars"),
        ("Rather many, as Hector Vance knew.", "How is the crossing?", "Hector Vance"),
    ],
)
async def test_what_an_answer_names_is_shown_where_it_stands_for_a_person_to_judge(
    book: Path, session: Session, reply: str, question: str, place: str
) -> None:
    answer, _ = await _answer(book, session, _doubted(reply, -4.0), question)
    assert (answer.outcome, [claim.status for claim in answer.claims]) == ("answered", ["quoted"])
    assert answer.answer.endswith(("[1?]", "[1?]."))
    assert [each.found_by for each in answer.citations] == ["lcagent"]
    assert place in answer.citations[0].quote
    assert any("a quote that does not say all of it" in note for note in answer.notes)


@pytest.mark.parametrize(
    "reply", ["The Lady Annis, all in all.", "It goes far.", "Vance, or Brand.", "It holds 185 kg."]
)
async def test_no_place_is_shown_for_what_the_question_names_or_no_sentence_has_in_full(
    book: Path, session: Session, reply: str
) -> None:
    answer, _ = await _answer(book, session, reply)
    assert [claim.status for claim in answer.claims] in ([], ["unsupported"])


async def test_a_question_said_again_is_no_answer(book: Path, session: Session) -> None:
    answer, _ = await _answer(book, session, "The Lady Annis does carry passengers.")
    assert answer.outcome == "nearest"
    assert "184 passengers" in answer.answer


@pytest.mark.parametrize(("logprob", "outcome"), [(-0.2, "answered"), (-4.0, "nearest")])
async def test_an_answer_that_nothing_supports_counts_as_the_model_itself_is_sure_of_it(
    book: Path, session: Session, logprob: float, outcome: str
) -> None:
    said = "Rather many, whoever happens to be standing there."
    answer, _ = await _answer(book, session, _doubted(said, logprob))
    assert answer.outcome == outcome
    if outcome == "answered":
        assert [claim.status for claim in answer.claims] == ["unsupported"]
        assert any("184 passengers" in citation.quote for citation in answer.citations)
        assert any("nearest" in note for note in answer.notes)
    else:
        assert answer.answer.startswith(f"{DOUBTED} “Rather many")
        assert "184 passengers" in answer.answer
        assert not any("Rather many" in note for note in answer.notes)


async def test_some_word_of_a_long_answer_is_always_unlikely(book: Path, session: Session) -> None:
    said = "Rather many. Nobody ever counted those who came aboard without paying for it."
    answer, _ = await _answer(book, session, _doubted(said, -4.0))
    assert answer.outcome == "answered"
    assert [claim.status for claim in answer.claims] == ["unsupported", "unsupported"]


async def test_a_proved_answer_is_kept_however_much_the_model_doubts_it(
    book: Path, session: Session
) -> None:
    said = _doubted("The Lady Annis carries 184 passengers.", -6.0)
    answer, _ = await _answer(book, session, said)
    assert answer.outcome == "answered"


async def test_a_model_that_declines_what_stands_there_is_not_believed(
    book: Path, session: Session
) -> None:
    answer, _ = await _answer(book, session, "NOT_IN_DOCUMENT")
    assert answer.outcome == "nearest"
    assert "184 passengers" in answer.answer
    assert "Not in the document" not in answer.answer


async def test_a_model_that_declines_what_nothing_is_near_to_is_believed(
    book: Path, session: Session
) -> None:
    question = "Who painted the ceiling of the chapel beside the lighthouse in Rome?"
    answer, _ = await _answer(book, session, "NOT_IN_DOCUMENT", question, strategy="whole")
    assert answer.outcome == "not_mentioned"


@pytest.mark.parametrize("question", ["What is it about?", "Кто хранил маяк?"])
async def test_a_question_that_search_cannot_match_is_read_and_answered(
    book: Path, session: Session, question: str
) -> None:
    answer, model = await _answer(book, session, "Hector Vance kept the lighthouse.", question)
    assert "163 steps" in model.requests[0].messages[-1].text
    assert answer.outcome == "answered"
    assert any("no passage has words of the question" in note for note in answer.notes)


async def test_of_a_long_text_only_the_first_pages_are_read_then_which_is_said(
    session: Session, tmp_path: Path
) -> None:
    long = tmp_path / "long.md"
    chapters = (f"# Chapter {n}\n\n" + "The ferry went over the sea. " * 40 for n in range(60))
    long.write_text("\n\n".join(chapters))
    model = ScriptedModel(lambda _: "A ferry.", card=replace(SCRIPTED_CARD, window_tokens=4_000))
    answer = await ask_async(long, "О чём это?", strategy="rag", session=session, model=model)
    assert any("only the first" in note for note in answer.notes)
    assert "Chapter 59" not in model.requests[0].messages[-1].text


async def test_the_plain_prompt_has_nothing_that_could_be_taken_for_an_answer(
    book: Path, session: Session
) -> None:
    _, model = await _answer(book, session, "184.")
    (request,) = model.requests
    prompt = "\n".join(message.text for message in request.messages)
    assert "NOT_IN_DOCUMENT" not in prompt
    assert "bridge" not in prompt
    assert isinstance(request, Request)
    assert request.wants_logprobs


@pytest.mark.parametrize(
    ("claim", "question", "expected"),
    [
        ("The ferry did carry 2019.", "How many did the ferry carry in 2019?", True),
        ("The ferry carried 48,216 passengers.", "How many passengers did the ferry carry?", False),
        ("The ferry did not carry passengers.", "Did the ferry carry passengers?", False),
        ("The ferry carried passengers.", "Did the ferry carry passengers?", False),
        ("Die Fähre hat Autos.", "Hat die Fähre Autos?", False),
        ("London", "London or Rome?", False),
        ("The keeper was Hector Vance.", "Who was the keeper?", False),
        ("Vance lived longer, Brand.", "Who lived longer, Vance or Brand?", False),
        ("Vance lebte länger.", "Wer lebte länger, Vance oder Brand?", False),
        ("The bell rings at two o'clock.", "At what o'clock rings the bell at two?", True),
    ],
)  # fmt: skip
def test_only_what_adds_nothing_to_the_question_says_nothing_new(
    claim: str, question: str, *, expected: bool
) -> None:
    assert says_nothing_new(claim, question) is expected
