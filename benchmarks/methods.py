"""What each method costs on one book: calls, tokens, and how many calls wait for one another.

    python benchmarks/methods.py ../shared/data/books/moby_dick_en.txt

The model is scripted, so the figures say what is sent, not how good the answers are. Its readers
note one fact in every fourth part, which decides how long the notes grow. Calls of one round
overlap only if a call takes longer than a search: on a busy machine, raise `--latency`.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lcagent.models.chat_model import Message, ModelCard, OnText, Reply, Request, TokenLogprob
from lcagent.pipelines import Runtime, ask_async, plan_async
from lcagent.pipelines.ask_options import AskOptions
from lcagent.settings import load_settings
from lcagent.testing import SCRIPTED_CARD, ScriptedModel

QUESTION = "Why did the captain hunt the white whale, and what became of his ship?"
CHARACTERS_PER_TOKEN = 4
WAYS: tuple[tuple[str, AskOptions], ...] = (
    ("quote", {"strategy": "quote"}),
    ("rag", {"strategy": "rag"}),
    ("tree", {"strategy": "tree"}),
    ("chain, fast", {"strategy": "chain", "preset": "fast"}),
    ("chain", {"strategy": "chain"}),
    ("chain, thorough", {"strategy": "chain", "preset": "thorough"}),
    ("whole", {"strategy": "whole"}),
)
TREE = json.dumps(
    {
        QUESTION: [
            "Why did the captain hunt the white whale?",
            "What was the captain's ship called?",
            "What became of #2?",
        ]
    }
)


@dataclass
class Watched:
    """A scripted model that knows how many calls had to end before each of its calls."""

    card: ModelCard
    latency_s: float
    depth: int = 0
    _script: ScriptedModel = field(default_factory=lambda: ScriptedModel(_reply))
    _read: int = 0

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Count four characters as a token."""
        return sum(len(message.text) for message in messages) // CHARACTERS_PER_TOKEN

    async def complete(self, request: Request, on_text: OnText | None = None) -> Reply:
        """Reply after a moment, so that calls made together overlap."""
        depth = self.depth + 1
        await asyncio.sleep(self.latency_s)
        self.depth = max(self.depth, depth)
        said = await self._script.complete(request, on_text)
        return replace(
            said,
            prompt_tokens=self.count_tokens(request.messages),
            completion_tokens=len(said.text) // CHARACTERS_PER_TOKEN,
            logprobs=(TokenLogprob(said.text, -0.2, said.text.encode()),),
        )


def _reply(request: Request) -> str:
    prompt = request.messages[-1].text
    if "tree of simpler questions" in prompt:
        return TREE
    if "JSON object" in prompt:
        notes = len(prompt) % 4 == 0
        words = prompt.split()
        said = f"A whale was seen: {' '.join(words[80:100])}"
        fact = {"text": said, "quote": " ".join(words[80:92])}
        return json.dumps({"facts": [fact] * notes, "open_questions": [], "answer": ""})
    return "He hunted it for his leg, and it sank his ship. So the answer is: it sank."


async def _measure(book: Path, latency_s: float, method: str | None) -> None:
    with tempfile.TemporaryDirectory() as home:
        settings = load_settings(home=Path(home), embedder="none")
        async with Runtime.open(settings) as runtime:
            card = replace(SCRIPTED_CARD, window_tokens=8_000)
            planned = await plan_async(book, QUESTION, runtime=runtime, model=Watched(card, 0))
            print(f"{book.name}: about {planned.document_tokens:,} tokens; a window of 8,000\n")
            print("| method | calls | one after the other | tokens read | tokens written |")
            print("|---|---|---|---|---|")
            for name, options in (way for way in WAYS if method in (None, way[0])):
                window = 2_000_000 if name == "whole" else 8_000
                model = Watched(replace(SCRIPTED_CARD, window_tokens=window), latency_s)
                given: AskOptions = {"runtime": runtime, "model": model, "use_cache": False}
                answer = await ask_async(book, QUESTION, **{**options, **given})
                used = answer.usage
                print(
                    f"| {name} | {used.calls} | {model.depth} | {used.prompt_tokens:,} "
                    f"| {used.completion_tokens:,} |"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("book", type=Path)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds that a call takes")
    parser.add_argument("--method", help="measure this one only")
    given = parser.parse_args()
    asyncio.run(_measure(given.book, given.latency, given.method))
