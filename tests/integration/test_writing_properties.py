"""AgentWrite against a scripted server: what each paragraph is written from, and how long it gets.

A word of its own in every reply proves which reply reached which prompt, and which place in the
text.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lcagent.agents.write.paragraph_draft import word_ngrams
from lcagent.pipelines import Session, write_async
from lcagent.results import Article
from lcagent.testing import (
    Script,
    ScriptedCall,
    ScriptedReply,
    ScriptedServer,
    ServedCall,
    ServerRules,
    writer_script,
)
from lcagent.testing.stand_ins import write_text as scripted

pytestmark = pytest.mark.anyio

INSTRUCTION = "Write the history of the ferry for its passengers"
PLAN = "\n".join(
    f"Paragraph {number} - Main Point: {point} - Word Count: 250 words"
    for number, point in enumerate(
        ["how it began", "the first boat", "the storm of 1911", "the storm of 1911", "today"], 1
    )
)
ROOMY = 200_000
_NONCE = re.compile(r"zq\d{4}k")
_DRAFT = re.compile(r"Write paragraph (\d+) of (\d+) now")


def _server(script: Script, window: int = ROOMY) -> ScriptedServer:
    return ScriptedServer(script, ServerRules(window_tokens=window, has_nonces=True))


async def _write(server: ScriptedServer, *documents: Path, **options: Any) -> Article:
    async with Session.open() as session:
        return await write_async(
            options.pop("instruction", INSTRUCTION),
            documents,
            session=session,
            model="openai:scripted",
            base_url=server.base_url,
            window=options.pop("window", ROOMY),
            **options,
        )


def _drafts(server: ScriptedServer) -> list[ServedCall]:
    return [call for call in server.served if _DRAFT.search(call.prompt)]


def _number(call: ServedCall) -> int:
    found = _DRAFT.search(call.prompt)
    assert found is not None
    return int(found[1])


def _paragraphs(article: Article) -> list[str]:
    return article.text.split("\n\n")


async def test_each_planned_paragraph_is_asked_for_once_in_order() -> None:
    async with _server(writer_script()) as server:
        await _write(server, plan=PLAN)
    assert [_number(call) for call in _drafts(server)] == [1, 2, 3, 4, 5]
    assert server.calls == 5


async def test_the_text_is_each_paragraph_once_in_order_and_lines_alike_are_written_apart() -> None:
    async with _server(writer_script()) as server:
        article = await _write(server, plan=PLAN)
    assert [_NONCE.findall(one) for one in _paragraphs(article)] == [
        [call.nonce] for call in _drafts(server)
    ]
    assert len({*_paragraphs(article)}) == 5


async def test_every_paragraph_is_written_knowing_all_before_it() -> None:
    async with _server(writer_script()) as server:
        await _write(server, plan=PLAN)
    drafts = _drafts(server)
    for place, call in enumerate(drafts):
        assert _NONCE.findall(call.prompt) == [one.nonce for one in drafts[:place]]


async def test_where_the_text_has_no_room_a_summary_and_the_last_paragraph_are_shown() -> None:
    async with _server(writer_script(), window=3_000) as server:
        await _write(server, plan=f"{PLAN}\n{PLAN}".replace("250", "400"), window=3_000)
    assert set(server.statuses) == {200}
    known = {call.nonce: call for call in server.served}
    for call in _drafts(server)[4:]:
        shown = [known[nonce] for nonce in _NONCE.findall(call.prompt)]
        assert "keep track" in shown[0].prompt
        assert _number(shown[-1]) == _number(call) - 1


async def test_paragraphs_in_parallel_know_none_and_the_text_says_so() -> None:
    async with _server(writer_script()) as server:
        article = await _write(server, plan=PLAN, is_parallel=True)
    drafts = _drafts(server)
    assert sorted(_number(call) for call in drafts) == [1, 2, 3, 4, 5]
    assert not any(_NONCE.search(call.prompt) for call in drafts)
    assert article.strategy == "parallel"
    assert any("less coherent" in note for note in article.notes)
    by_number = {_number(call): call.nonce for call in drafts}
    assert _NONCE.findall(article.text) == [by_number[number] for number in range(1, 6)]


async def test_every_prompt_holds_the_instruction_and_the_whole_plan() -> None:
    async with _server(writer_script(0.6)) as server:
        await _write(server, plan=PLAN)
    assert len(server.served) > 5
    for call in server.served:
        assert INSTRUCTION in call.prompt
        assert PLAN in call.prompt


async def test_labels_preambles_and_closings_of_replies_stay_out_of_the_text() -> None:
    def chatty(call: ScriptedCall) -> str:
        said = scripted(call.prompt)
        found = _DRAFT.search(call.prompt)
        if found is None:
            return f"Sure! Here is a plan of 1,500 words:\n\n{said}\n\nLet me know if it suits you."
        return (
            f"Certainly, here it is:\n\n**Paragraph {found[1]} - Main Point: it began**\n\n"
            f"{said}\n\n(Word Count: 250)"
        )

    async with ScriptedServer(chatty) as server:
        article = await _write(server, words=1_500)
    assert len(article.plan) == 3
    for word in ("Sure", "Certainly", "Paragraph", "Main Point", "Word Count", "Let me know"):
        assert word not in article.text


async def test_what_went_wrong_on_the_way_is_never_written_into_the_text() -> None:
    def failing(call: ScriptedCall) -> ScriptedReply | str:
        faults = {
            1: ScriptedReply("Max tries. Failed.", status=500),
            3: ScriptedReply("I'm sorry, I cannot."),
        }
        return faults.get(call.number) or scripted(call.prompt)

    async with ScriptedServer(failing) as server:
        article = await _write(server, plan=PLAN)
    assert "Failed" not in article.text
    assert "sorry" not in article.text
    assert [one.words > 200 for one in article.plan] == [True] * 5


@pytest.mark.parametrize("share", [0.6, 1.0, 1.8])
@pytest.mark.parametrize("words", [5_000, 20_000])
@pytest.mark.parametrize("parallel", [False, True], ids=["sequential", "parallel"])
async def test_the_target_is_met_whoever_writes_within_a_fixed_number_of_calls(
    share: float, words: int, parallel: bool
) -> None:
    async with ScriptedServer(writer_script(share)) as server:
        article = await _write(server, words=words, is_parallel=parallel)
    assert abs(article.words - words) <= 0.1 * words
    assert article.S_l >= 94
    assert server.calls <= 1 + 3 * len(article.plan)
    assert set(server.statuses) == {200}


async def test_a_plan_that_adds_up_to_less_is_made_to_fit_the_target() -> None:
    def modest(call: ScriptedCall) -> str:
        if "You plan long texts" not in call.prompt:
            return scripted(call.prompt)
        points = ("one sea", "two hulls", "three masts", "four crews", "five storms", "six ports")
        counts = (400, 600, 700, 500, 800, 400)
        return "\n".join(
            f"Paragraph {at} - Main Point: {point} - Word Count: {count} words"
            for at, (point, count) in enumerate(zip(points, counts, strict=True), 1)
        )

    async with ScriptedServer(modest) as server:
        article = await _write(server, words=5_000)
    assert sum(one.planned_words for one in article.plan) == 5_000
    assert abs(article.words - 5_000) <= 500


@pytest.mark.parametrize("reply", ["Five words are quite enough.", "word " * 3_000, "..."])
async def test_a_writer_that_never_obeys_costs_three_calls_a_paragraph_at_most(reply: str) -> None:
    async with ScriptedServer(lambda _: reply) as server:
        article = await _write(server, plan=PLAN)
    assert server.calls <= 3 * 5
    assert any("paragraph 1" in note for note in article.notes) or len(reply) > 10


async def test_what_planning_by_chapters_costs_is_within_the_number_of_calls() -> None:
    def obstinate(call: ScriptedCall) -> str:
        return scripted(call.prompt) if "You plan" in call.prompt else "It was so. It was not so."

    async with ScriptedServer(obstinate) as server:
        article = await _write(server, words=20_000)
    assert server.calls <= 1 + 3 * len(article.plan)


async def test_a_paragraph_that_comes_again_is_written_anew() -> None:
    first: list[str] = []

    def forgetful(call: ScriptedCall) -> str:
        said = scripted(call.prompt)
        if (found := _DRAFT.search(call.prompt)) is None:
            return said
        if found[1] == "2":
            first.append(said)
        return first[0] if found[1] == "5" else said

    async with ScriptedServer(forgetful) as server:
        article = await _write(server, plan=PLAN)
    shown = [call.prompt for call in server.served if "It says again" in call.prompt]
    assert len(shown) == 1
    assert first[0] in shown[0]
    rows = [word_ngrams(one) for one in _paragraphs(article)]
    assert not rows[4] & rows[1]
    assert rows[1] == word_ngrams(first[0])


async def test_a_reply_that_was_cut_off_is_continued() -> None:
    def cut(call: ScriptedCall) -> ScriptedReply | str:
        said = scripted(call.prompt)
        return ScriptedReply(said[: len(said) // 2], finish="length") if _is_draft(call) else said

    async with ScriptedServer(cut) as server:
        article = await _write(server, plan=PLAN)
    continued = [call for call in server.served if "It was cut off" in call.prompt]
    assert len(continued) == 5
    assert all(one.rstrip().endswith(".") for one in _paragraphs(article))
    assert abs(article.words - 1_250) <= 125


async def test_where_every_reply_is_cut_off_paragraphs_end_at_a_whole_sentence() -> None:
    def always(call: ScriptedCall) -> ScriptedReply:
        return ScriptedReply(scripted(call.prompt)[:-20], finish="length")

    async with ScriptedServer(always) as server:
        article = await _write(server, plan=PLAN)
    assert all(one.rstrip().endswith(".") for one in _paragraphs(article))
    assert all("cut off" in one.flags[0] for one in article.plan)


@pytest.mark.parametrize("share", [0.6, 1.0, 1.8])
async def test_prompt_and_reply_fit_a_window_of_4000_in_every_call(share: float) -> None:
    async with _server(writer_script(share), window=4_000) as server:
        article = await _write(server, words=20_000, window=4_000)
    assert set(server.statuses) == {200}
    assert all(call.prompt_tokens + _limit(call) <= 4_000 for call in server.served)
    assert abs(article.words - 20_000) <= 2_000
    assert server.calls <= 1 + 3 * len(article.plan)


def _limit(call: ServedCall) -> int:
    limits = ("max_tokens", "max_completion_tokens")
    return next(call.parameters[name] for name in limits if name in call.parameters)


def _is_draft(call: ScriptedCall) -> bool:
    return _DRAFT.search(call.prompt) is not None


async def test_the_longest_reply_does_not_depend_on_the_words_that_are_asked_for() -> None:
    limits: list[set[int]] = []
    for words in (250, 900):
        async with ScriptedServer(writer_script()) as server:
            await _write(server, plan=PLAN.replace("250", str(words)))
        limits.append({_limit(call) for call in server.served})
    assert limits[0] == limits[1]


BOOK = """# The Light

Hector Vance kept the lighthouse from 1907 until he retired in the spring of 1938.
The stair inside has 163 steps, and he counted them aloud on every single evening.

# The Ferry

The ferry Lady Annis carries 184 passengers and 19 cars across the narrow sound.
She does not sail when the wind blows at more than 45 knots from the north.
"""
GROUNDED = """Paragraph 1 - Main Point: the lighthouse and who kept it - Word Count: 60 words
Paragraph 2 - Main Point: zyxwv qwfpg - Word Count: 60 words
Paragraph 3 - Main Point: the ferry and its passengers - Word Count: 60 words"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a small document with two sections."""
    path = tmp_path / "book.md"
    path.write_text(BOOK, encoding="utf-8")
    return path


def _quoting(
    share_invented: float = 0.0,
) -> Callable[[ScriptedCall], str]:
    return lambda call: scripted(call.prompt, 1.0, share_invented)


async def test_written_from_documents_every_statement_is_cited_and_checked(book: Path) -> None:
    async with ScriptedServer(_quoting()) as server:
        article = await _write(server, book, plan=GROUNDED)
    assert article.citations
    assert {one.status for one in article.citations} == {"exact"}
    # Its words are drawn by lot: the quotes are real, and do not say what it writes.
    assert {one.status for one in article.claims} == {"quoted"}
    assert "(not confirmed: it does not say all of it)" in article.text
    assert re.search(r"\w \[1\]\.", article.text)
    assert "## Sources\n\n[1] book.md, The " in article.text
    assert not re.search(r"\[S\d", article.text)
    assert article.coverage.pages_read == article.coverage.pages == 2


async def test_invented_quotes_are_marked_in_the_text_and_in_the_claims(book: Path) -> None:
    async with ScriptedServer(_quoting(1.0)) as server:
        article = await _write(server, book, plan=GROUNDED)
    assert {one.status for one in article.citations} == {"not_found"}
    assert {one.status for one in article.claims} == {"unsupported"}
    assert "(these words were not found in the sources)" in article.text


async def test_a_paragraph_without_evidence_says_so_and_costs_nothing(book: Path) -> None:
    async with ScriptedServer(_quoting()) as server:
        article = await _write(server, book, plan=GROUNDED)
    assert 2 not in [_number(call) for call in _drafts(server)]
    assert "*[Nothing was found in the sources on: zyxwv qwfpg]*" in article.text
    assert article.plan[1].flags == ("the sources say nothing on it",)
    assert article.plan[1].passages == 0


async def test_a_writer_that_cannot_plan_is_asked_plainly_and_its_statements_are_proved(
    book: Path,
) -> None:
    said = "The ferry Lady Annis carries 184 passengers and 19 cars. It is made of cheese."

    async with _server(lambda _: said) as server:
        article = await _write(
            server, book, instruction="Write a 20-word report on the ferry", words=20
        )
    assert not _drafts(server)
    assert article.text.startswith("The ferry Lady Annis carries 184 passengers and 19 cars [1].")
    assert [claim.status for claim in article.claims] == ["supported", "unsupported"]
    assert [one.found_by for one in article.citations] == ["lcagent"]


async def test_a_label_that_no_writer_was_shown_is_no_source(book: Path) -> None:
    async with ScriptedServer(lambda _: 'It is old [S99 "Hector Vance kept the light"].') as server:
        article = await _write(server, book, plan=GROUNDED)
    assert all(one.status in ("misattributed", "not_found") for one in article.citations)
    assert all(one.status == "unsupported" for one in article.claims)


async def test_the_file_grows_by_paragraphs_and_is_never_half_written(tmp_path: Path) -> None:
    output, seen = tmp_path / "text.md", list[str]()

    def watching(call: ScriptedCall) -> str:
        seen.append(output.read_text(encoding="utf-8") if output.exists() else "")
        return scripted(call.prompt)

    async with ScriptedServer(watching) as server:
        article = await _write(server, plan=PLAN, output=output)
    assert [len(one.split("\n\n")) if one else 0 for one in seen] == [0, 1, 2, 3, 4]
    final = output.read_text(encoding="utf-8")
    assert final == article.text + "\n"
    assert all(final.startswith(one.rstrip()) for one in seen)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["text.md"]


async def test_a_very_long_text_is_planned_by_chapters_which_head_its_parts() -> None:
    async with ScriptedServer(writer_script()) as server:
        article = await _write(server, words=20_000)
    assert sum("You plan one chapter" in call.prompt for call in server.served) == 5
    assert re.findall(r"^## (.*)$", article.text, re.MULTILINE) == [
        f"Part {number}" for number in range(1, 6)
    ]
    assert sum(one.planned_words for one in article.plan) == 20_000
