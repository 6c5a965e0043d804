"""Summaries: every chapter is read once, the length is met, and no invented quote passes."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lcagent.errors import BudgetExceeded
from lcagent.pipelines import Session, resume_async, summarize_async, summarize_each_async
from lcagent.pipelines.methods.summarize.result import BASELESS
from lcagent.results import Summary
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

SAMPLE = Path(__file__).parents[2] / "examples" / "sample.pdf"
WINDOW = 6_000
_ID = re.compile(r"\[\[S\d+\]\]")
_IS_READER = "You are one of several readers"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Return a book of five chapters whose sentences have ids."""
    path = tmp_path / "book.md"
    path.write_text(_chapters(0, 5), encoding="utf-8")
    return path


def _chapters(first: int, last: int) -> str:
    return "\n\n".join(
        f"# Chapter {chapter}\n\n"
        + " ".join(
            f"[[S{chapter * 40 + at:05}]] Old ferry number {chapter * 40 + at} crossed a grey sea."
            for at in range(40)
        )
        for chapter in range(first, last)
    )


async def _summarize(server: ScriptedServer, *documents: Path, **options: Any) -> Summary:
    async with Session.open() as session:
        return await summarize_async(documents, session=session, **_model(server), **options)


def _model(server: ScriptedServer) -> dict[str, Any]:
    return {"model": "openai:scripted", "base_url": server.base_url, "window": WINDOW}


def _server(script: Script) -> ScriptedServer:
    return ScriptedServer(script, ServerRules(window_tokens=WINDOW))


def _readers(server: ScriptedServer) -> list[ServedCall]:
    return [call for call in server.served if _IS_READER in call.prompt]


@pytest.mark.parametrize("parallel", [False, True], ids=["chain", "parallel"])
@pytest.mark.parametrize("by", ["chapters", "chunks"])
async def test_every_sentence_is_read_exactly_once_and_no_reader_reads_over_a_chapters_end(
    book: Path, by: str, parallel: bool
) -> None:
    async with _server(writer_script()) as server:
        summary = await _summarize(server, book, words=200, by=by, is_parallel=parallel)
    part = re.compile(r"(?s).*<part \w+>\n(.*?)\n</part.*")
    parts = [part.sub(r"\1", call.prompt) for call in _readers(server)]
    read = Counter(found for part in parts for found in _ID.findall(part))
    assert read == {f"[[S{at:05}]]": 1 for at in range(200)}
    if by == "chapters":
        assert sorted(part.count("# Chapter ") for part in parts) == [1] * 5
    assert summary.coverage.pages_read == summary.coverage.pages
    assert summary.strategy == ("parallel" if parallel else "chain")
    assert sum(one.points for one in summary.sections) > 5
    assert set(server.statuses) == {200}


async def test_readers_of_a_chain_know_what_was_noted_and_parallel_ones_do_not(book: Path) -> None:
    for parallel in (False, True):
        async with _server(writer_script()) as server:
            await _summarize(server, book, words=200, is_parallel=parallel)
        notes = [re.search(r"(?s)<notes \w+>\n(.*?)\n</notes", c.prompt) for c in _readers(server)]
        assert all(found and ("[F1]" in found[1]) is (not parallel) for found in notes[1:])


@pytest.mark.parametrize("share", [0.6, 1.0, 1.8])
@pytest.mark.parametrize("words", [150, 900])
async def test_the_length_is_met_whoever_writes_with_two_repairs_at_most(
    book: Path, share: float, words: int
) -> None:
    async with _server(writer_script(share)) as server:
        summary = await _summarize(server, book, words=words)
    assert abs(summary.words - words) <= 0.1 * words
    assert server.calls - len(_readers(server)) <= 3


async def test_a_writer_that_never_obeys_is_named(book: Path) -> None:
    def short(call: ScriptedCall) -> str:
        return scripted(call.prompt) if _IS_READER in call.prompt else "Ferries crossed [F1]."

    async with _server(short) as server:
        summary = await _summarize(server, book, words=200)
    assert server.calls == 5 + 3
    assert "the summary has 2 words instead of 200" in summary.notes


async def test_statements_are_cited_by_page_and_checked() -> None:
    async with _server(writer_script()) as server:
        summary = await _summarize(server, SAMPLE, words=200)
    assert summary.citations
    assert {one.status for one in summary.citations} == {"exact"}
    # Its words are drawn by lot: the quotes are real, and do not say what it writes.
    assert {one.status for one in summary.claims} == {"quoted"}
    assert all(one.page for one in summary.citations)
    assert not re.search(r"\[F\d", summary.text)


async def test_a_reader_that_invents_its_quotes_is_asked_to_copy_and_none_of_them_passes(
    book: Path,
) -> None:
    async with _server(writer_script(1.0, 1.0)) as server:
        summary = await _summarize(server, book, words=200)
    assert {one.status for one in summary.citations} == {"exact"}
    assert {one.status for one in summary.claims} == {"quoted"}
    assert any("cannot take notes" in note for note in summary.notes)
    assert any("a quote that does not say all of it" in note for note in summary.notes)


async def test_where_the_text_says_nothing_of_a_summary_an_extract_takes_its_place(
    book: Path,
) -> None:
    def invents(call: ScriptedCall) -> str:
        is_reader = _IS_READER in call.prompt
        return scripted(call.prompt) if is_reader else "A brig of 200 tons took cotton to Bristol."

    async with _server(invents) as server:
        summary = await _summarize(server, book, words=60)
    assert summary.strategy == "extract"
    assert "cotton" not in summary.text
    assert {claim.status for claim in summary.claims} == {"supported"}
    assert summary.notes[0] == BASELESS
    assert summary.usage.calls == server.calls


async def test_a_statement_without_a_label_is_proved_by_program(book: Path) -> None:
    def unmarked(call: ScriptedCall) -> str:
        is_reader = _IS_READER in call.prompt
        return scripted(call.prompt) if is_reader else "Old ferry number 47 crossed a grey sea."

    async with _server(unmarked) as server:
        summary = await _summarize(server, book, words=20)
    assert summary.strategy == "chain"
    assert [claim.status for claim in summary.claims] == ["supported"]
    assert [(one.found_by, "number 47" in one.quote) for one in summary.citations] == [
        ("lcagent", True)
    ]


async def test_no_chapter_is_lost_where_the_points_have_no_room(book: Path) -> None:
    async with _server(writer_script()) as server:
        await _summarize(server, book, words=2_000)
    (writer,) = [call for call in server.served if "You write summaries" in call.prompt]
    shown = {int(found[3:-2]) // 40 for found in _ID.findall(writer.prompt)}
    assert "== Chapter 0" in writer.prompt
    assert "== Chapter 4" in writer.prompt
    assert shown <= {0, 1, 2, 3, 4}


async def test_a_focus_reaches_every_reader_and_the_writer(book: Path) -> None:
    async with _server(writer_script()) as server:
        await _summarize(server, book, words=100, focus="the weather on the crossing")
    assert all("the weather on the crossing" in call.prompt for call in server.served)


async def test_documents_are_summarized_together_or_each(book: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.md"
    other.write_text(_chapters(5, 8), encoding="utf-8")
    async with _server(writer_script()) as server, Session.open() as session:
        together = await summarize_async([book, other], session=session, **_model(server))
        each = await summarize_each_async([book, other], session=session, **_model(server))
    assert together.documents == ("book.md", "other.md")
    assert [one.documents for one in each] == [("book.md",), ("other.md",)]
    assert len(together.sections) == sum(len(one.sections) for one in each) == 8


async def test_a_stopped_summary_goes_on_without_reading_twice(book: Path) -> None:
    async with _server(writer_script()) as server:
        with pytest.raises(BudgetExceeded) as stopped:
            await _summarize(server, book, words=200, max_calls=3)
        run_id = stopped.value.go_on_with.split()[-1]
        async with Session.open() as session:
            summary = await resume_async(run_id, session=session, max_calls=100)
    assert isinstance(summary, Summary)
    assert len(_readers(server)) == 5
    assert summary.usage.calls == server.calls


async def test_a_reader_that_declines_leaves_its_pages_unread_in_the_report(book: Path) -> None:
    def declining(call: ScriptedCall) -> ScriptedReply | str:
        if "[[S00045]]" in call.prompt and _IS_READER in call.prompt:
            return ScriptedReply("I'm sorry, I can't help with that.")
        return scripted(call.prompt)

    async with _server(declining) as server:
        summary = await _summarize(server, book, words=100, is_parallel=True)
    assert [one.section for one in summary.coverage.left_out] == ["Chapter 1"]


async def test_without_a_model_central_sentences_are_quoted(tmp_path: Path) -> None:
    output = tmp_path / "summary.md"
    summary = await summarize_async(SAMPLE, words=300, output=output)
    assert summary.strategy == "extract"
    assert abs(summary.words - 300) <= 30
    assert {one.status for one in summary.citations} == {"exact"}
    assert all(one.page for one in summary.citations)
    assert len(re.findall("^## ", summary.text, re.MULTILINE)) >= 5
    assert "this is an extract" in summary.notes[0]
    assert summary.usage.calls == 0
    assert output.read_text(encoding="utf-8").startswith("# sample.pdf\n\n## ")


@pytest.mark.parametrize("words", [50, 60, 80, 100, 150, 250, 400, 1_000])
async def test_an_extract_has_the_length_that_was_asked_for(words: int) -> None:
    summary = await summarize_async(SAMPLE, words=words)
    assert abs(summary.words - words) <= 0.1 * words


async def test_a_focus_changes_what_is_quoted() -> None:
    plain = await summarize_async(SAMPLE, words=100)
    focused = await summarize_async(SAMPLE, words=100, focus="porpoises and seals")
    assert "porpoise" in focused.text
    assert plain.text != focused.text


@pytest.mark.parametrize("words", [200, 800])
async def test_a_novel_is_extracted_to_its_length(shared_data: Path, words: int) -> None:
    summary = await summarize_async(shared_data / "books" / "moby_dick_en.epub", words=words)
    assert abs(summary.words - words) <= 0.1 * words
    assert {one.status for one in summary.citations} == {"exact"}
    assert all(one.page is None and one.section for one in summary.citations)


async def test_a_novel_is_summarized_chapter_by_chapter(shared_data: Path) -> None:
    async with _server(writer_script(0.6)) as server:
        summary = await _summarize(
            server, shared_data / "books" / "moby_dick_en.epub", words=800, is_parallel=True
        )
    assert abs(summary.words - 800) <= 80
    assert len(summary.sections) == len(_readers(server)) >= 135
    assert json.loads(json.dumps(summary.as_json()))["schema"] == "lcagent.summary/1"


@pytest.mark.parametrize(
    "text",
    ["The ferry sailed.", "He sailed " + "on and on over the grey sea " * 12 + "and home."],
    ids=["short", "long"],
)
async def test_a_chapter_of_short_or_long_sentences_only_is_quoted_all_the_same(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "one.md"
    path.write_text(f"# One\n\n{text}\n", encoding="utf-8")
    async with Session.open() as session:
        summary = await summarize_async(path, session=session, model="quote", words=100)
    assert [one.quote for one in summary.citations] == [text]
    assert not any("no sentence" in note for note in summary.notes)
