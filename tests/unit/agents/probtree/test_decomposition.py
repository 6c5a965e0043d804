"""Whatever a decomposer replies, a tree comes of it that can be answered."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lcagent.agents.probtree.candidate_drafts import DecomposerPrompt
from lcagent.agents.probtree.decomposition import UNREADABLE_TREE, build_tree
from lcagent.agents.probtree.question_tree import MAX_DEPTH, MAX_NODES, QuestionTree
from lcagent.models.chat_model import Reply, TokenLogprob

Q = "Where was the director of The Ferry born?"
A, B = "Who directed The Ferry?", "Where was #1 born?"


def _tree(text: str) -> QuestionTree:
    return build_tree(Q, Reply(text))


def _shape(tree: QuestionTree) -> list[tuple[str, int | None]]:
    return [(one.text, one.parent) for one in tree.questions]


PLAIN = [(Q, None), (A, 0), (B, 0)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({Q: [A, B]}),
        f"Sure, here it is:\n```json\n{json.dumps({Q: [A, B]}, indent=1)}\n```\nI hope it helps.",
        json.dumps({Q: [A, B]}) + ".",
        f'{{"{Q}": ["{A}", "{B}",],}}',
        f'{{"{Q}": ["{A}", "{B}"',
        json.dumps({Q.lower().rstrip("?"): [A, B]}),
        json.dumps({"Where was she born who directed The Ferry?": [A, B]}),
        json.dumps({A: [], Q: [A, B]}),
    ],
    ids=["plain", "prose", "stop", "commas", "cut", "case", "reworded", "empty lists"],
)
def test_a_tree_is_found_in_what_surrounds_it(text: str) -> None:
    tree = _tree(text)
    assert _shape(tree) == PLAIN
    assert tree.questions[2].needs == (1,)
    assert tree.questions[2].resolve({1: "Jane Doe."}) == "Where was Jane Doe born?"
    assert tree.flags == ()


@pytest.mark.parametrize(
    "text", ["", "I cannot do that.", '["a", "b"]', '{"q": {"a": []}}', '{"q": "a"}']
)
def test_what_cannot_be_read_leaves_the_question_alone_and_says_so(text: str) -> None:
    tree = _tree(text)
    assert _shape(tree) == [(Q, None)]
    assert tree.flags == (UNREADABLE_TREE,)


@pytest.mark.parametrize("text", ["{}", "```json\n{ }\n```"])
def test_an_empty_decomposition_is_no_fault(text: str) -> None:
    assert (_shape(_tree(text)), _tree(text).flags) == ([(Q, None)], ())


def test_the_form_of_the_prompt_is_no_tree() -> None:
    prompt = DecomposerPrompt(Q).messages()[-1].text
    (form,) = re.findall(r"^\{.*\}$", prompt, re.MULTILINE)
    assert _shape(_tree(form)) == [(Q, None)]
    assert _shape(_tree(form.replace("a question about #1", B))) == [(Q, None), (B, 0)]


def test_of_two_lists_for_one_question_the_first_is_taken() -> None:
    tree = _tree(f'{{"{Q}": ["{A}", "{B}"], "{Q}": ["x", "y"]}}')
    assert _shape(tree) == PLAIN
    assert "two lists" in tree.flags[0]


def test_a_question_made_of_itself_is_a_leaf() -> None:
    tree = _tree(json.dumps({Q: [A, B], A: [A, "Who else?"]}))
    assert _shape(tree) == PLAIN
    assert "made of itself" in tree.questions[1].flags[0]
    assert _shape(_tree(json.dumps({Q: [Q, A]}))) == [(Q, None)]


def test_a_circle_ends_where_it_closes() -> None:
    tree = _tree(json.dumps({Q: [A], A: [Q, B]}))
    assert _shape(tree) == [(Q, None), (A, 0), (Q, 1), (B, 1)]
    assert "below itself" in tree.questions[2].flags[0]


def test_references_to_later_or_missing_questions_are_flagged_and_filled() -> None:
    tree = _tree(json.dumps({Q: ["Who is #2?", "Where is #2?", "Is <9> near #1?"]}))
    first, second, third = tree.questions[1:]
    for one in (first, second, third):
        assert "not answered before it" in one.flags[0]
    assert first.resolve({}) == "Who is unknown?"
    assert third.resolve({1: "Bo"}) == "Is unknown near Bo?"


def test_what_looks_like_a_reference_in_the_question_asked_is_none() -> None:
    question = "Who wrote the #1 song of 1911?"
    reply = Reply(json.dumps({question: ["Which was the #1 song of 1911?", "Who wrote #1?"]}))
    tree = build_tree(question, reply)
    assert tree.questions[1].resolve({}) == "Which was the #1 song of 1911?"
    assert tree.questions[1].flags == ()
    assert tree.questions[2].needs == (1,)


def test_a_part_of_a_part_refers_to_its_own_list_first_and_then_to_that_above() -> None:
    age = "How old was the mother of #1?"
    tree = _tree(json.dumps({Q: [A, age], age: ["Who was the mother of #1?", "How old was #1?"]}))
    mother, old = tree.questions[3], tree.questions[4]
    assert mother.needs == (1,)  # its own place in the list, so it means what its parent means
    assert old.needs == (mother.index,)


def test_a_tree_of_thirty_questions_and_one_of_ten_levels_are_cut_to_the_limits() -> None:
    wide = _tree(json.dumps({Q: [f"q{n}?" for n in range(29)]}))
    assert _shape(wide) == [(Q, None)]
    assert "more than 15" in wide.questions[0].flags[0]
    nested = {Q: ["l1?"], **{f"l{n}?": [f"l{n + 1}?"] for n in range(1, 10)}}
    deep = _tree(json.dumps(nested))
    assert len(deep.questions) == MAX_DEPTH
    assert "deeper" in deep.questions[-1].flags[0]


def test_a_list_is_as_sure_as_its_tokens() -> None:
    pieces = [
        ("{", -9.0),
        (json.dumps(Q), -9.0),
        (": [", -0.1),
        (json.dumps(A), -0.2),
        ("]", -0.3),
        ("}", -9),
    ]
    text = "".join(piece for piece, _ in pieces)
    tokens = tuple(TokenLogprob(piece, p, piece.encode()) for piece, p in pieces)
    tree = build_tree(Q, Reply(text, logprobs=tokens))
    assert tree.root.score == pytest.approx(-0.2)
    assert tree.questions[1].score is None
    assert _tree(text).root.score is None


NAMES = [f"q{n}" for n in range(6)]
TREES = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from([*NAMES, "a #1", "b #2 and <1>", "c <3>", ""]), max_size=5),
    max_size=6,
)


@given(lists=TREES, cut=st.integers(0, 400))
def test_any_reply_gives_a_tree_within_limits_whose_questions_can_all_be_answered(
    lists: dict[str, list[str]], cut: int
) -> None:
    text = json.dumps(lists)
    for reply in (text, text[:cut], f"{text} {text}"):
        tree = build_tree("q0", Reply(reply))
        assert 1 <= len(tree.questions) <= MAX_NODES
        answers: dict[int, str] = {}
        while len(answers) < len(tree.questions):
            ready = [
                one
                for one in tree.questions
                if one.index not in answers and answers.keys() >= {*one.needs, *one.children}
            ]
            assert ready, "no question can be answered next"
            for one in ready:
                assert "#" not in one.resolve(answers)
                assert "<" not in one.resolve(answers)
                answers[one.index] = f"x{one.index}"
        assert max(len(list(_path(tree, one.index))) for one in tree.questions) <= MAX_DEPTH
        assert QuestionTree.from_json(json.loads(json.dumps(tree.as_json()))) == tree


def _path(tree: QuestionTree, index: int | None) -> list[int]:
    return [] if index is None else [index, *_path(tree, tree.questions[index].parent)]
