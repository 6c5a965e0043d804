"""What a question tree costs at most."""

from lcagent.agents.probtree.beam_search import max_beam_calls
from lcagent.agents.probtree.candidate_drafts import (
    MULTI_HOP_TASK,
    ChildAggregatingPrompt,
    ClosedBookPrompt,
    DecomposerPrompt,
    OpenBookPrompt,
)
from lcagent.agents.probtree.question_tree import MAX_NODES
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.cost import Cost
from lcagent.pipelines.methods.tree.options import TreeOptions
from lcagent.pipelines.methods.tree.steps import answer_tokens, room_for_passages


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
