"""What `--tree` says."""

import pytest

from lcagent.errors import UsageError
from lcagent.pipelines.methods.tree.options import TreeOptions, parse_switches
from lcagent.pipelines.registry import check_task
from lcagent.tasks import AskTask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("beam=2", TreeOptions(beam=2)),
        ("lazy=-0.1,samples=0", TreeOptions(accept_at=-0.1, samples=0)),
        (" beam = 3 , top_k=7,top_k_below=0", TreeOptions(beam=3, top_k=7, top_k_below=0)),
        ("samples=2,temperature=1", TreeOptions(samples=2, temperature=1.0)),
    ],
)
def test_the_parts_are_the_switches(text: str, expected: TreeOptions) -> None:
    assert parse_switches(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no part ''"),
        ("beam", "beam takes a whole number, not ''"),
        ("beams=2", "no part 'beams=2': NAME=N with lazy, beam, samples"),
        ("beam=2,", "no part ''"),
        ("beam=2,beam=3", "beam twice"),
        ("beam=2.5", "beam takes a whole number, not '2.5'"),
        ("samples=1_0", "samples takes a whole number, not '1_0'"),
        ("beam=0", "beam is 1 to 8, not 0"),
        ("lazy=0.2", "0 or less, not 0.2"),
        ("lazy=nan", "lazy takes a number, not 'nan'"),
        ("temperature=inf", "temperature takes a number, not 'inf'"),
        ("samples=-1", "samples is 0 or more, not -1"),
        ("lazy=-0.1,beam=2", "leave one of the two out"),
        ("samples=0,temperature=0.7", "nothing that a temperature is for"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_switches(text)


def test_another_method_has_no_tree() -> None:
    task = AskTask(("a.md",), "Who?", strategy="rag", options=(parse_switches("beam=2"),))
    with pytest.raises(UsageError, match="-s tree and -s auto, not for -s rag"):
        check_task(task)
