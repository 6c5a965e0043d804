"""What writing a text will take, and the most it can cost."""

from math import ceil

from lcagent.agents.token_budget import prose_prompt_tokens, prose_reply_tokens
from lcagent.agents.write.article_plan import ArticlePlan, PlannedParagraph
from lcagent.agents.write.article_planner import CHAPTER_WORDS, PARAGRAPH_WORDS
from lcagent.agents.write.paragraph_writer import CALLS_PER_PARAGRAPH
from lcagent.pipelines.context import RunContext
from lcagent.pipelines.writing.options import Assignment
from lcagent.pipelines.writing.run import WriteRun
from lcagent.results import Plan

WORDS_WHERE_UNKNOWN = 3_000
"""What is planned with where nobody says how long the text should be."""


def plan_of(assignment: Assignment, run: RunContext) -> Plan:
    """Return what writing will take, if each paragraph takes as many calls as it may."""
    writing, model = WriteRun(assignment, run.record), run.chat_model
    plan = _expected(writing)
    number = len(plan.paragraphs)
    planning = 0 if assignment["plan"] else 1
    if writing.has_chapters:
        planning += max(2, round(writing.target_words / CHAPTER_WORDS))
    drafts = 0 if assignment["plan_only"] else number
    most = planning + CALLS_PER_PARAGRAPH * drafts
    reply = most * prose_reply_tokens(model, ())
    prompt = most * _longest_prompt(plan, prose_prompt_tokens(model))
    parallel = assignment["is_parallel"]
    usd = model.card.usd(prompt, reply)
    texts = [page.text for document in run.collection.documents for page in document.pages]
    return Plan(
        question=assignment["instruction"],
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
    if writing.assignment["plan"]:
        return writing.users_plan()
    target = writing.target_words or WORDS_WHERE_UNKNOWN
    low, high = writing.limits.fewest_words, writing.limits.most_words
    words = min(high, max(low, PARAGRAPH_WORDS))
    number = max(1, round(target / words))
    return ArticlePlan((PlannedParagraph("", round(target / number)),) * number)


def _longest_prompt(plan: ArticlePlan, room: int) -> int:
    """Return the tokens of a prompt that holds the whole text, its plan and passages, at most."""
    return min(room, 10_000 + 3 * plan.words + 60 * len(plan.paragraphs))
