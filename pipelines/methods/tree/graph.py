"""The graph of a question tree and its nodes: each question is a step, logged and resumed.

START -> decompose -> gather -> question (all that are ready, at the same time) -> gather -> ...
      -> conclude -> END. In lazy mode the root is tried before the tree is made.
"""

import operator
from typing import Annotated, TypeAlias, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from lcagent.agents.probtree.beam_search import max_beam_calls
from lcagent.agents.probtree.candidate_drafts import (
    MULTI_HOP_TASK,
    ChildAggregatingPrompt,
    ClosedBookPrompt,
    DecomposerPrompt,
    OpenBookPrompt,
)
from lcagent.agents.probtree.passage_retriever import BudgetedRetriever
from lcagent.agents.probtree.question_tree import MAX_NODES
from lcagent.agents.token_budget import (
    MARGIN_TOKENS,
    answer_reply_tokens,
    token_counter,
)
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.methods.chain.graph import Question
from lcagent.pipelines.methods.rag.steps import ANSWER
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.pipelines.methods.tree.result import Findings
from lcagent.pipelines.methods.tree.run import TreeRun
from lcagent.pipelines.methods.tree.tree_log import PLAN
from lcagent.pipelines.state import MethodOutput
from lcagent.pipelines.streaming import AnswerStreamer, emit_step
from lcagent.storage.run_store import StoredStep

LONGEST_ANSWER = 512
"""Tokens of an answer with its explanation; the paper allows 256, without quotes."""


class StepsTaken(TypedDict):
    """Steps that were taken; what came of them is in the log of the run."""

    taken: Annotated[list[str], operator.add]


class TreeState(Question, StepsTaken, MethodOutput):
    """A question tree."""


class ReadyStep(TypedDict):
    """A step that is ready."""

    question: str
    step: str


def tree_of(question: str, run: RunContext) -> TreeRun:
    """Return the tree for a question, the same throughout a run."""
    return run.once(
        ("tree", question),
        lambda: TreeRun(
            question,
            run.chat_model,
            _passages(run),
            run.options(TreeOptions),
            run.log,
            answer_tokens(run),
        ),
    )


def next_steps(state: TreeState, runtime: Runtime[RunContext]) -> list[Send] | str:
    """Return a task for each step that is ready."""
    asked = state["question"]
    ready = tree_of(asked, runtime.context).ready()
    if not ready:
        return "conclude"
    nodes = (("decompose" if step == PLAN else "question", step) for step in ready)
    return [Send(node, ReadyStep(question=asked, step=step)) for node, step in nodes]


async def decompose(state: ReadyStep, runtime: Runtime[RunContext]) -> StepsTaken:
    """Make the tree."""
    asked = await tree_of(state["question"], runtime.context).take(state["step"])
    emit_step(runtime, "decomposition", 0, 0, asked)
    return {"taken": [state["step"]]}


async def question(state: ReadyStep, runtime: Runtime[RunContext]) -> StepsTaken:
    """Answer a question, or try to."""
    tree = tree_of(state["question"], runtime.context)
    asked = await tree.take(state["step"])
    emit_step(runtime, "question", *tree.known.progress(), asked)
    return {"taken": [state["step"]]}


def gather(state: TreeState) -> StepsTaken:
    """Wait for all steps that were taken at the same time, and add none."""
    return {"taken": state["taken"][:0]}


async def conclude(state: TreeState, runtime: Runtime[RunContext]) -> MethodOutput:
    """Make the answer of the answers to all questions of the tree."""
    run, question = runtime.context, state["question"]
    findings = Findings.of(tree_of(question, run).known)
    reply = findings.reply()
    if reply:
        on_text = AnswerStreamer(runtime.stream_writer)
        on_text(reply)
        on_text.close()
    await run.log.add(StoredStep(ANSWER, {"reply": reply}, []))
    searched = await run.retriever.search(question, top_k=1, pages=run.pages, vectors=run.vectors)
    return MethodOutput(
        reply=reply,
        finish="complete",
        sources=findings.sources(),
        unread=[],
        notes=[*findings.notes(), *searched.notes],
        chunks=searched.chunks,
        chunks_read=searched.chunks_read,
    )


def room_for_passages(question: str, run: RunContext) -> int:
    """Return how many tokens of passages fit the window beside the question and the reply."""
    model = run.chat_model
    empty = model.count_tokens(OpenBookPrompt(question, (), MULTI_HOP_TASK).messages())
    return model.card.window_tokens - empty - answer_tokens(run) - MARGIN_TOKENS


def answer_tokens(run: RunContext) -> int:
    """Return what is reserved for the answer to one question."""
    return answer_reply_tokens(run.chat_model, LONGEST_ANSWER)


def _passages(run: RunContext) -> BudgetedRetriever:
    return BudgetedRetriever(
        run.retriever,
        run.documents,
        room=lambda question: min(run.evidence_tokens, room_for_passages(question, run)),
        count=token_counter(run.chat_model),
        pages=run.pages,
        vectors=run.vectors,
    )


def cost(question: str, run: RunContext) -> Cost:
    """Return the cost of the largest tree there may be; questions of the paper take about 10."""
    options = run.options(TreeOptions)
    reply, count = answer_tokens(run), run.chat_model.count_tokens
    evidence = max(0, min(run.evidence_tokens, room_for_passages(question, run)))
    prompts = (
        ClosedBookPrompt(question),
        OpenBookPrompt(question, (), MULTI_HOP_TASK),
        ChildAggregatingPrompt(question, ()),
    )
    each = sum(count(prompt.messages()) for prompt in prompts) + evidence + MAX_NODES * reply
    is_lazy, calls = options.accept_at is not None, max_beam_calls(options.beam)
    wordings = options.beam * MAX_NODES
    return Cost(
        calls=calls,
        depth=1 + MAX_NODES * (2 if is_lazy else 1),
        prompt_tokens=count(DecomposerPrompt(question).messages()) + wordings * each,
        completion_tokens=calls * reply,
    )


TreeGraph: TypeAlias = CompiledStateGraph[TreeState, RunContext, Question, MethodOutput]


def tree_graph() -> TreeGraph:
    """Return the compiled graph of a question tree."""
    targets = ["decompose", "question", "conclude"]
    return (
        StateGraph(
            TreeState, context_schema=RunContext, input_schema=Question, output_schema=MethodOutput
        )
        .add_node("decompose", decompose)
        .add_node("question", question)
        .add_node("gather", gather)
        .add_node("conclude", conclude)
        .add_conditional_edges(START, next_steps, targets)
        .add_edge("decompose", "gather")
        .add_edge("question", "gather")
        .add_conditional_edges("gather", next_steps, targets)
        .add_edge("conclude", END)
        .compile(name="tree")
    )
