"""How true answers are: methods and plain baselines, the same questions, one model.

    python benchmarks/answers.py RESULTS.jsonl -m smollm2 --base-url http://127.0.0.1:8101/v1 \
        --methods rag plain-passages --groups sample --window 2048
    python benchmarks/answers.py RESULTS.jsonl --real-models FOLDER --data ../shared/data
    python benchmarks/answers.py RESULTS.jsonl --table [--before OLDER.jsonl]

Each answer is a line of RESULTS; what stands there is not asked again, so an interrupted run goes
on. Replies of other runs are not used. `--table` scores what is there (`answer_scores.py`).
Questions and their answers are described in `answer_questions.py`.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from answer_baselines import BASELINES, PlainReader
from answer_metrics import years_in
from answer_questions import Question, all_questions
from answer_scores import tables
from llama_server import RunningServer, serving

from lcagent.errors import LcagentError
from lcagent.models.choose import choose_model
from lcagent.pipelines import Session
from lcagent.results import Answer
from lcagent.settings import load_settings
from lcagent.tasks import AskTask

METHODS = ("quote", "rag", "whole", "chain", "tree", *BASELINES)
METHODS_OF_LONG_TEXTS = ("quote", "rag", "plain-passages")
GROUPS = ("sample", "chapter", "multihop", "novel", "filing")


@dataclass(frozen=True)
class Asker:
    """Asks questions by methods, and notes what came of it."""

    session: Session
    model: str
    base_url: str | None
    window: int | None
    server: RunningServer | None

    async def ask(self, question: Question, method: str) -> dict[str, Any]:
        """Return the line of one answer; an error of lcagent is one, too."""
        cpu_s, wall_s = self._cpu_s(), time.perf_counter()
        try:
            ask = self._plain if method in BASELINES else self._by_lcagent
            found = await ask(question, method)
        except (LcagentError, ValueError) as error:
            found = {"answer": "", "error": f"{type(error).__name__}: {error}"}
        said = years_in(found["answer"]) & _years_of_prompts()
        return {
            "question": question.id,
            "method": method,
            "model": self.model,
            "window": self.window,
            "date": datetime.now(UTC).date().isoformat(),
            **found,
            "prompt_years": sorted(said - years_in(question.question)),
            "cpu_s": round(self._cpu_s() - cpu_s, 2),
            "wall_s": round(time.perf_counter() - wall_s, 2),
        }

    def _cpu_s(self) -> float:
        return time.process_time() + (self.server.cpu_s if self.server else 0.0)

    async def _by_lcagent(self, question: Question, method: str) -> dict[str, Any]:
        task = AskTask(
            (str(question.document),),
            question.question,
            strategy=method,
            model="quote" if method == "quote" else self.model,
            base_url=self.base_url,
            window=self.window,
            vectors="none",
            use_cache=False,
        )
        return _noted(await self.session.run(task))

    async def _plain(self, question: Question, method: str) -> dict[str, Any]:
        model = choose_model(self.model, base_url=self.base_url, window_tokens=self.window)
        reader = PlainReader(model)
        text = await BASELINES[method](reader, self.session, question.question, question.document)
        return {
            "answer": text,
            "finish": "cut" if reader.is_cut else "complete",
            "calls": reader.calls,
            "prompt_tokens": reader.prompt_tokens,
            "completion_tokens": reader.completion_tokens,
        }


def _noted(answer: Answer) -> dict[str, Any]:
    """Return what is kept of an answer; older versions of lcagent lack some of it."""
    outcome = "not_mentioned" if getattr(answer, "abstained", False) else "answered"
    return {
        "answer": answer.answer,
        "outcome": getattr(answer, "outcome", outcome),
        "finish": getattr(answer, "finish", None),
        "citations": [
            {
                "page": one.page,
                "section": one.section,
                "quote": one.quote,
                "status": one.status,
                "found_by": getattr(one, "found_by", "model"),
            }
            for one in answer.citations
        ],
        "claims": [{"text": one.text, "status": one.status} for one in answer.claims],
        "notes": list(answer.notes),
        "calls": answer.usage.calls,
        "prompt_tokens": answer.usage.prompt_tokens,
        "completion_tokens": answer.usage.completion_tokens,
    }


def _years_of_prompts() -> set[str]:
    """Return the years that stand in lcagent's own prompts, as examples."""
    prompts = Path(str(files("lcagent.agents"))) / "prompts"
    return set[str]().union(*(years_in(p.read_text("utf-8")) for p in prompts.rglob("*.md")))


def selected(questions: Sequence[Question], given: argparse.Namespace) -> Iterator[Question]:
    """Yield the questions that are wanted, at most the first of each group."""
    counts = dict.fromkeys(GROUPS, 0)
    for question in questions:
        if question.group not in given.groups or (given.kind and question.kind != given.kind):
            continue
        if given.ids and question.id not in given.ids:
            continue
        counts[question.group] += 1
        if given.first is None or counts[question.group] <= given.first:
            yield question


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of results; a last one that was cut off is left out."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


async def _measure(given: argparse.Namespace, asker: Asker, questions: Sequence[Question]) -> None:
    asked = {(row["question"], row["method"]) for row in read_results(given.results)}
    with given.results.open("a", encoding="utf-8") as results:
        for question in questions:
            for method in given.methods:
                is_too_long = question.group in ("novel", "filing")
                if is_too_long and method not in METHODS_OF_LONG_TEXTS:
                    continue
                if (question.id, method) not in asked:
                    row = await asker.ask(question, method)
                    print(json.dumps(row, ensure_ascii=False), file=results, flush=True)
                    print(f"{question.id} {method} {row['cpu_s']} s: {row['answer'][:80]!r}")


async def _run(given: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = None
        if given.real_models is not None:
            server = stack.enter_context(serving(given.real_models, folder / "server.log"))
        settings = load_settings(embedder="none", **({} if given.home else {"home": folder}))
        async with Session.open(settings) as session:
            asker = Asker(
                session,
                server.name if server else given.model or settings.model,
                server.base_url if server else given.base_url or settings.base_url,
                given.window or settings.window,
                server,
            )
            questions = all_questions(given.data, folder)
            await _measure(given, asker, list(selected(questions, given)))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a file of JSON lines, made or gone on with")
    parser.add_argument("-m", "--model", help="as lcagent takes it")
    parser.add_argument("--base-url", help="as lcagent takes it")
    parser.add_argument("--window", type=int, help="as lcagent takes it")
    parser.add_argument("--real-models", type=Path, help="serve the model of this folder, too")
    parser.add_argument("--data", type=Path, help="the folder of the data sets")
    parser.add_argument("--home", action="store_true", help="use the store of the settings")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS[:2]))
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--kind", help="only questions of this kind")
    parser.add_argument("--ids", nargs="+", help="only these questions")
    parser.add_argument("--first", type=int, help="only so many of each group")
    parser.add_argument("--table", action="store_true", help="ask nothing; print what was found")
    parser.add_argument("--before", type=Path, help="results to compare with, question by question")
    return parser.parse_args(arguments)


def main() -> None:
    """Ask what is missing, or print the tables."""
    given = parse()
    if not given.table:
        asyncio.run(_run(given))
        return
    with tempfile.TemporaryDirectory() as folder:
        questions = {each.id: each for each in all_questions(given.data, Path(folder))}
    before = read_results(given.before) if given.before else []
    print(tables(read_results(given.results), before, questions))


if __name__ == "__main__":
    main()
