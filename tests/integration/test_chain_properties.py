"""Chain-of-Agents against a scripted server: who reads what, in which order, within which window.

The server collects facts from what it is shown and follows them, so an answer proves that the facts
were handed on; a word of its own in every reply proves which reply reached which prompt.
"""

import itertools
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lcagent.pipelines import Session, ask_async
from lcagent.pipelines.methods.chain.options import ChainOptions
from lcagent.results import Answer
from lcagent.testing import (
    Script,
    ScriptedCall,
    ScriptedReply,
    ScriptedServer,
    ServedCall,
    ServerRules,
    fact_script,
    with_faults,
)

pytestmark = pytest.mark.anyio

WINDOW = 2_000
HOPS = ("anna --mother--> berta", "berta --city--> cork", "cork --river--> lee")
QUESTION = "What is it? [[Q anna mother city river]]"
FAITHFUL = ChainOptions.preset("faithful")
DEFAULT = ChainOptions()
_ID = re.compile(r"\[\[S\d+\]\]")
_NONCE = re.compile(r"zq\d{4}k")


def _sentences(many: int, seed: int = 7) -> list[str]:
    words = [
        "the",
        "old",
        "ferry",
        "went",
        "slowly",
        "over",
        "a",
        "grey",
        "sea",
        "while",
        "nobody",
        "on",
        "land",
        "looked",
        "up",
    ]
    chance = random.Random(seed)  # noqa: S311
    return [
        f"[[S{number:05}]] " + " ".join(chance.choices(words, k=14)) + "." for number in range(many)
    ]


def _book(folder: Path, many: int = 300, facts: Sequence[str] = HOPS) -> Path:
    """Write a book whose facts stand at its beginning, in its middle, and at its end."""
    sentences = _sentences(many)
    for number, fact in enumerate(facts):
        place = 3 + number * (many - 6) // max(1, len(facts) - 1)
        sentences[place] = sentences[place][:-1] + f" and {fact}."
    path = folder / "book.txt"
    path.write_text(" ".join(sentences), encoding="utf-8")
    return path


async def _ask(
    server: ScriptedServer, document: Path, chain: ChainOptions = FAITHFUL, **options: Any
) -> Answer:
    async with Session.open() as session:
        return await ask_async(
            document,
            options.pop("question", QUESTION),
            session=session,
            strategy="chain",
            model="openai:scripted",
            base_url=server.base_url,
            window=options.pop("window", WINDOW),
            options=chain,
            **options,
        )


def _workers(server: ScriptedServer) -> list[ServedCall]:
    return [call for call in server.served if call.status == 200 and _ID.search(call.prompt)]


def _others(server: ScriptedServer) -> list[ServedCall]:
    return [call for call in server.served if call.status == 200 and not _ID.search(call.prompt)]


def _facts(**rules: Any) -> ScriptedServer:
    given = {"window_tokens": WINDOW, "has_nonces": True, **rules}
    return ScriptedServer(fact_script(), ServerRules(**given))


async def test_every_sentence_is_read_by_exactly_one_worker_in_order(tmp_path: Path) -> None:
    async with _facts() as server:
        await _ask(server, _book(tmp_path))
    read = [found for call in _workers(server) for found in _ID.findall(call.prompt)]
    assert read == [f"[[S{number:05}]]" for number in range(300)]
    assert len(_workers(server)) > 3


@pytest.mark.parametrize("order", ["rtl", "random"])
async def test_another_order_reads_the_same_chunks_and_can_be_repeated(
    tmp_path: Path, order: Any
) -> None:
    chain = ChainOptions(takes_notes=False, reasks=False, rereads=0, orders=(order,))
    first: list[list[str]] = []
    for _ in range(2):
        async with _facts() as server:
            await _ask(server, _book(tmp_path), chain, use_cache=False)
        first.append([_ID.findall(call.prompt)[0] for call in _workers(server)])
    assert first[0] == first[1] != sorted(first[0])
    if order == "rtl":
        assert first[0] == sorted(first[0], reverse=True)


@pytest.mark.parametrize(
    "text",
    [
        "[[S00001]] " + "word " * 3_000,
        "[[S00001]]" + "紅樓夢裡沒有空格" * 800,
        "[[S00001]] def f(x):\n    return {'a': [x, (x+1)*2]}\n" * 300,
        "[[S00001]] " + "x" * 20_000,
        "[[S00001]] Анна жила в Корке. " * 600,
    ],
    ids=["one long sentence", "Chinese", "code", "no blanks at all", "Russian"],
)
@pytest.mark.parametrize("chain", [FAITHFUL, DEFAULT], ids=["faithful", "default"])
async def test_prompt_and_reply_fit_the_window_in_every_call(
    tmp_path: Path, text: str, chain: ChainOptions
) -> None:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    async with _facts() as server:
        await _ask(server, path, chain)
    assert set(server.statuses) == {200}
    assert all(call.prompt_tokens + _limit(call) <= WINDOW for call in server.served)


def _limit(call: ServedCall) -> int:
    limits = ("max_tokens", "max_completion_tokens")
    return next(call.parameters[name] for name in limits if name in call.parameters)


async def test_a_worker_that_ignores_max_tokens_breaks_nothing(tmp_path: Path) -> None:
    def chatty(call: ScriptedCall) -> ScriptedReply:
        found = fact_script()(call)
        return ScriptedReply(f"{found} " + "and so on " * 900, ignores_max_tokens=True)

    async with ScriptedServer(chatty, ServerRules(window_tokens=WINDOW)) as server:
        answer = await _ask(server, _book(tmp_path))
    assert set(server.statuses) == {200}
    assert "lee" in answer.answer


async def test_chunks_are_filled(tmp_path: Path) -> None:
    book = _book(tmp_path)
    async with _facts() as server:
        await _ask(server, book)
    tokens = sum(
        sum(len(re.findall(r"\w+|[^\w\s]+", one)) for one in [book.read_text(encoding="utf-8")])
        for _ in range(1)
    )
    assert len(_workers(server)) <= -(-tokens // (0.45 * WINDOW)) + 1


async def test_each_worker_gets_the_message_of_the_one_before_and_no_other(
    tmp_path: Path,
) -> None:
    async with _facts() as server:
        await _ask(server, _book(tmp_path))
    workers = _workers(server)
    assert _NONCE.findall(workers[0].prompt) == []
    for before, after in itertools.pairwise(workers):
        assert _NONCE.findall(after.prompt) == [before.nonce]


async def test_the_manager_sees_the_last_message_and_the_question_and_no_text(
    tmp_path: Path,
) -> None:
    async with _facts() as server:
        answer = await _ask(server, _book(tmp_path))
    (manager,) = _others(server)
    assert _NONCE.findall(manager.prompt) == [_workers(server)[-1].nonce]
    assert QUESTION in manager.prompt
    assert manager.number == max(call.number for call in server.served)
    assert answer.answer.startswith("lee")


async def test_every_worker_is_told_the_question(tmp_path: Path) -> None:
    async with _facts() as server:
        await _ask(server, _book(tmp_path))
    assert all(QUESTION in call.prompt for call in _workers(server))


@pytest.mark.parametrize(
    "chain",
    [
        FAITHFUL,
        DEFAULT,
        ChainOptions.preset("fast"),
        ChainOptions.preset("thorough"),
        ChainOptions(orders=("ltr", "rtl", "random"), combine="vote"),
        ChainOptions(orders=("similarity",)),
    ],
    ids=["faithful", "default", "fast", "thorough", "vote", "similarity"],
)
async def test_a_chain_of_three_facts_across_a_book_is_followed(
    tmp_path: Path, chain: ChainOptions
) -> None:
    async with _facts(has_nonces=False) as server:
        answer = await _ask(server, _book(tmp_path), chain)
    assert answer.answer.removesuffix(" [no proof]") == "lee"
    assert set(server.statuses) == {200}


async def test_the_merge_baseline_misses_it(tmp_path: Path) -> None:
    async with _facts(has_nonces=False) as server:
        answer = await _ask(server, _book(tmp_path), ChainOptions(baseline="merge"))
    assert "lee" not in answer.answer


async def test_the_hierarchical_baseline_reads_at_once_and_gives_all_to_the_manager(
    tmp_path: Path,
) -> None:
    async with _facts() as server:
        answer = await _ask(server, _book(tmp_path), ChainOptions(baseline="hierarchical"))
    (manager,) = _others(server)
    assert set(_NONCE.findall(manager.prompt)) == {call.nonce for call in _workers(server)}
    assert answer.answer.startswith("lee")


FAULTS = {
    "429": ScriptedReply("slow down", status=429, headers={"Retry-After": "0"}),
    "500": ScriptedReply("oh", status=500),
    "cut before": ScriptedReply(fault="cut_before"),
    "cut within": ScriptedReply("half a reply", fault="cut_within"),
    "half a body": ScriptedReply("half a reply", fault="half_body"),
    "garbage": ScriptedReply(fault="garbage"),
    "a page": ScriptedReply(fault="html"),
    "no choices": ScriptedReply(fault="no_choices"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_in_the_middle_changes_nothing(tmp_path: Path, fault: ScriptedReply) -> None:
    script = with_faults(fact_script(), {2: fault})
    async with ScriptedServer(script, ServerRules(window_tokens=WINDOW)) as server:
        answer = await _ask(server, _book(tmp_path))
    assert answer.answer.removesuffix(" [no proof]") == "lee"
    good = [call for call in _workers(server) if call.finish in ("stop", "length")]
    read = [found for call in good for found in _ID.findall(call.prompt)]
    assert read == [f"[[S{number:05}]]" for number in range(300)]


async def test_a_server_with_a_smaller_window_than_it_said_is_read_in_halves(
    tmp_path: Path,
) -> None:
    async with _facts(window_tokens=1_000, has_nonces=False) as server:
        answer = await _ask(server, _book(tmp_path), window=WINDOW)
    assert answer.answer.removesuffix(" [no proof]") == "lee"
    read = [found for call in _workers(server) for found in _ID.findall(call.prompt)]
    assert read == [f"[[S{number:05}]]" for number in range(300)]
    assert server.statuses[400] > 0


@pytest.mark.parametrize("chain", [FAITHFUL, DEFAULT], ids=["faithful", "default"])
@pytest.mark.parametrize(
    "nothing",
    [
        ScriptedReply(""),
        ScriptedReply("I don't know."),
        ScriptedReply("", refusal="I cannot help with that."),
        ScriptedReply("No changes needed to the original summary."),
        ScriptedReply("x", finish="content_filter"),
    ],
    ids=["empty", "does not know", "refuses", "about the task", "filtered"],
)
async def test_a_reply_that_carries_nothing_does_not_end_the_chain(
    tmp_path: Path, chain: ChainOptions, nothing: ScriptedReply
) -> None:
    def script(call: ScriptedCall) -> ScriptedReply | str:
        is_the_one = "[[S00150]]" in call.prompt and "berta --city--> cork" not in call.prompt
        return nothing if is_the_one else fact_script()(call)

    book = _book(tmp_path, facts=[HOPS[0], HOPS[2]])
    text = book.read_text(encoding="utf-8")
    book.write_text(text.replace("[[S00290]]", f"[[S00290]] {HOPS[1]} and", 1), encoding="utf-8")
    async with ScriptedServer(script, ServerRules(window_tokens=WINDOW)) as server:
        answer = await _ask(server, book, chain)
    assert answer.answer.removesuffix(" [no proof]") == "lee"
    says_so = nothing.text.startswith(("I don't know", "No changes"))
    assert bool(answer.coverage.left_out) != says_so


async def test_votes_are_counted_without_case_and_stops(tmp_path: Path) -> None:
    answers = iter(["Cork", "cork.", "Bray", "Bray", "the Cork"])

    def script(call: ScriptedCall) -> str:
        return next(answers) if not _ID.search(call.prompt) else "zq some fact"

    chain = ChainOptions(
        takes_notes=False, rereads=0, orders=("ltr",) * 5, temperature=0.7, combine="vote"
    )
    rules = ServerRules(window_tokens=WINDOW, latency_s=0.01)
    async with ScriptedServer(script, rules) as server:
        answer = await _ask(server, _book(tmp_path, 100), chain)
    assert answer.answer.replace(" [no proof]", "") in ("Cork", "cork.", "the Cork")
    assert max(call.in_flight for call in server.served) >= 2


async def test_the_judge_sees_the_last_message_of_each_path_only(tmp_path: Path) -> None:
    chain = ChainOptions(takes_notes=False, rereads=0, orders=("ltr", "rtl"), combine="judge")
    async with _facts() as server:
        await _ask(server, _book(tmp_path), chain)
    (judge,) = _others(server)
    last = {
        order: max(
            (call for call in _workers(server) if is_first(call.prompt)),
            key=lambda call: call.number,
        ).nonce
        for order, is_first in (
            ("ltr", lambda prompt: "[[S00299]]" in prompt),
            ("rtl", lambda prompt: "[[S00000]]" in prompt),
        )
    }
    assert set(_NONCE.findall(judge.prompt)) == set(last.values())


async def test_two_runs_send_the_same_bytes(tmp_path: Path) -> None:
    sent: list[list[tuple[Any, ...]]] = []
    for _ in range(2):
        async with _facts() as server:
            await _ask(server, _book(tmp_path), DEFAULT, use_cache=False)
        sent.append([(call.messages, sorted(call.parameters)) for call in server.served])
    assert sent[0] == sent[1]


def _note_taker(facts: Callable[[ScriptedCall], str]) -> Script:
    def script(call: ScriptedCall) -> str:
        if _ID.search(call.prompt):
            return facts(call)
        return "Hector kept the light [F1]. Nobody slept [F2]. It rained [F9]."

    return script


async def test_an_invented_quote_of_a_worker_is_flagged_and_a_real_one_has_its_place(
    tmp_path: Path,
) -> None:
    path = tmp_path / "book.txt"
    path.write_text(
        "[[S00001]] Hector Vane kept the light until 1938. [[S00002]] Then it was dark.",
        encoding="utf-8",
    )
    reply = (
        '{"facts": [{"text": "Hector kept it", "quote": "Hector Vane kept the light until 1938"},'
        ' {"text": "Nobody slept", "quote": "not a soul in the village slept that night"}],'
        ' "open_questions": [], "answer": ""}'
    )
    async with ScriptedServer(_note_taker(lambda _: reply)) as server:
        answer = await _ask(server, path, DEFAULT)
    real, invented, unknown = answer.citations
    text = path.read_text(encoding="utf-8")
    assert (real.status, text[real.start : real.end]) == (
        "exact",
        "Hector Vane kept the light until 1938",
    )
    assert (invented.status, invented.start) == ("not_found", None)
    assert (unknown.status, unknown.quote) == ("not_found", "")
    assert [claim.status for claim in answer.claims] == [
        "supported",
        "unsupported",
        "unsupported",
    ]
    assert answer.answer == (
        "Hector kept the light [1]. Nobody slept [2: no proof]. It rained [3: no proof]."
    )


@pytest.mark.parametrize(
    ("name", "window"), [("war_and_peace_en.epub", 4_096), ("hongloumeng_zh.gbk.txt", 8_192)]
)
async def test_a_whole_novel_is_read_sentence_by_sentence(
    shared_data: Path, name: str, window: int
) -> None:
    async with _facts(window_tokens=window) as server, Session.open() as session:
        book = shared_data / "books" / name
        (document,) = (await session.collect(book)).documents
        answer = await ask_async(
            book, "Who is meant? [[Q anna mother]]", session=session, strategy="chain",
            model="openai:scripted", base_url=server.base_url, window=window, options=FAITHFUL,
        )  # fmt: skip
    assert set(server.statuses) == {200}
    parts = [found for call in server.served for found in _PART.findall(call.prompt)]
    assert len(parts) == answer.coverage.chunks > 100
    read = "".join("".join(parts).split())
    assert read == "".join("".join(page.text for page in document.pages).split())


_PART = re.compile(r"<part [0-9a-f]{8}>\n(.*?)\n</part", re.DOTALL)


async def test_a_model_that_cannot_take_notes_is_asked_to_copy_and_answers_from_what_is_found(
    tmp_path: Path,
) -> None:
    """It says the same whatever it is asked, so what its manager sees was found by the program."""
    path = tmp_path / "book.txt"
    said = [f"In the year of the {n}th storm nobody crossed the sound at all." for n in range(120)]
    said[70] = "The keeper of the northern light was Hector Vane."
    path.write_text(" ".join(said), encoding="utf-8")

    def script(call: ScriptedCall) -> str:
        asked_to_copy = "Copy the sentence" in call.prompt
        return "The light is a light." if asked_to_copy or "JSON" in call.prompt else "Hector Vane"

    question = "Who was the keeper of the northern light?"
    async with ScriptedServer(script, ServerRules(window_tokens=1_000)) as server:
        answer = await _ask(server, path, DEFAULT, question=question, window=1_000)
    kinds = ["JSON" in call.prompt for call in server.served]
    assert kinds == [True, *[False] * (len(kinds) - 1)]
    assert len(kinds) > 4
    assert "- The keeper of the northern light was Hector Vane." in server.served[-1].prompt
    assert "The light is a light" not in server.served[-1].prompt
    assert answer.answer.startswith("Hector Vane")
