"""Writing as a pipeline: what is checked, what it costs, what runs, and what comes of it."""

import asyncio
from functools import cache
from math import ceil

from lcagent.agents.token_budget import prose_prompt_tokens, prose_reply_tokens
from lcagent.agents.write.article_plan import ArticlePlan, PlannedParagraph
from lcagent.agents.write.article_planner import CHAPTER_WORDS, PARAGRAPH_WORDS
from lcagent.agents.write.paragraph_writer import CALLS_PER_PARAGRAPH
from lcagent.errors import ModelNotUsable
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.method import Graph
from lcagent.pipelines.methods.write.graph import WriteState
from lcagent.pipelines.methods.write.options import WriteOptions
from lcagent.pipelines.methods.write.result import article_of, plan_text
from lcagent.pipelines.methods.write.run import WriteRun, writing_of
from lcagent.pipelines.run_log import RunLog
from lcagent.pipelines.text_files import check_output
from lcagent.results import Article, Plan
from lcagent.tasks import WriteTask

WORDS_WHERE_UNKNOWN = 3_000
"""What is planned with where nobody says how long the text should be."""


def plan_of(run: RunContext) -> Plan:
    """Return what writing will take, if each paragraph takes as many calls as it may."""
    writing, model = writing_of(run), run.chat_model
    options = writing.options
    plan = _expected(writing)
    number = len(plan.paragraphs)
    planning = 0 if options.plan else 1
    if writing.has_chapters:
        planning += max(2, round(writing.target_words / CHAPTER_WORDS))
    drafts = 0 if options.plan_only else number
    most = planning + CALLS_PER_PARAGRAPH * drafts
    reply = most * prose_reply_tokens(model, ())
    prompt = most * _longest_prompt(plan, prose_prompt_tokens(model))
    parallel = options.is_parallel
    usd = model.card.usd(prompt, reply)
    texts = [page.text for document in run.collection.documents for page in document.pages]
    return Plan(
        question=writing.task.instruction,
        strategy="write",
        reason=f"about {number} paragraphs of {plan.words:,} words together"
        + (", at the same time" if parallel else ", one after the other"),
        model=model.card.name,
        window_tokens=model.card.window_tokens,
        documents=len(run.collection.documents),
        pages=len(texts),
        document_tokens=ceil(sum(map(len, texts)) / 4),
        calls=planning + drafts,
        depth=planning + (min(drafts, 1) if parallel else drafts),
        prompt_tokens=prompt,
        completion_tokens=reply,
        usd=None if usd is None else round(usd, 6),
        notes=(
            f"at most {most} calls, where paragraphs have to be continued, shortened or rewritten",
        ),
    )


def _expected(writing: WriteRun) -> ArticlePlan:
    if writing.options.plan:
        return writing.users_plan()
    target = writing.target_words or WORDS_WHERE_UNKNOWN
    low, high = writing.limits.fewest_words, writing.limits.most_words
    words = min(high, max(low, PARAGRAPH_WORDS))
    number = max(1, round(target / words))
    return ArticlePlan((PlannedParagraph("", round(target / number)),) * number)


def _longest_prompt(plan: ArticlePlan, room: int) -> int:
    """Return the tokens of a prompt that holds the whole text, its plan and passages, at most."""
    return min(room, 10_000 + 3 * plan.words + 60 * len(plan.paragraphs))


NEEDS_MODEL = (
    "writing needs a language model: name one with --model or LCAGENT_MODEL "
    "(without one, `lcagent summarize` makes an extract of documents)"
)


class WritePipeline:
    """AgentWrite: a plan, then paragraph by paragraph."""

    def check(self, task: WriteTask, *, has_model: bool) -> None:
        """Refuse an output or a plan that cannot be used, and writing without a model."""
        options = task.method_options(WriteOptions)
        if options.output is not None:
            check_output(options.output)
        if options.plan is not None:
            WriteRun(task, RunLog()).users_plan()
        if not has_model:
            raise ModelNotUsable(NEEDS_MODEL)

    def title(self, run: RunContext) -> str:
        """Return the instruction."""
        return run.task.title

    def strategy(self, task: WriteTask) -> str:
        """Return how paragraphs are written."""
        return "parallel" if task.method_options(WriteOptions).is_parallel else "sequential"

    async def plan(self, run: RunContext) -> Plan:
        """Return what writing will take."""
        return await asyncio.to_thread(plan_of, run)

    def graph(self) -> Graph:
        """Return the graph."""
        return _graph()

    def initial_state(self, run: RunContext) -> WriteState:  # noqa: ARG002 -- as all pipelines
        """Return the state before the plan."""
        return WriteState(chapters=0, chapter=0, position=0, ended=[])

    async def without_graph(self, run: RunContext) -> None:
        """Do nothing: writing asks a model, and so needs the graph."""

    def result(self, state: WriteState, run: RunContext, timings_s: dict[str, float]) -> Article:  # noqa: ARG002 -- the text is in the log
        """Return the text, and save it where it was asked for."""
        article = article_of(run, timings_s)
        if run.output is not None:
            is_plan = run.options(WriteOptions).plan_only
            run.output.save(plan_text(article) if is_plan else article.text)
        return article


@cache
def _graph() -> Graph:
    """Return the compiled graph; compiling takes far longer than a run through it."""
    from lcagent.pipelines.methods.write.graph import write_graph  # noqa: PLC0415 -- LangGraph

    return write_graph()
