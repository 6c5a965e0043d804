"""What a model is seen to do, and that it is asked accordingly."""

import json

import pytest

from lcagent.models.chat_model import Reply, Request, TokenLogprob
from lcagent.models.profile import ModelProfile, try_model
from lcagent.testing import ScriptedModel

pytestmark = pytest.mark.anyio

RYE = 'Fifty-two [S2 "the miller sold fifty-two sacks of rye"].'
HERON = 'In August [S1 "leaves in the second week of August"].'


def _able(request: Request) -> str:
    asked = request.messages[-1].text.rpartition("Question: ")[2]
    if "JSON" in asked:
        return '```json\n{"answer": "52", "passage": "S2"}\n```'
    if "daughter" in asked:
        return "NOT_IN_DOCUMENT"
    return RYE if "rye" in asked else HERON


async def test_a_model_that_does_all_of_it_is_seen_to() -> None:
    model = ScriptedModel(lambda request: Reply(_able(request), logprobs=(TokenLogprob("a", 0),)))
    assert await try_model(model) == ModelProfile(
        gives_marks=True, declines=True, keeps_json=True, has_logprobs=True
    )
    assert len(model.requests) <= 5


@pytest.mark.parametrize(
    "reply",
    [
        "Fifty-two.",
        'Fifty-two [S1 "the miller sold fifty-two sacks of rye"].',
        'Fifty-two [S2 "the miller sold fifty two sacks of wheat"].',
        'Fifty-two [S2 "In June the miller"].',
        'Fifty-two [LABEL "WORDS"].',
    ],
)
async def test_marks_without_the_words_of_the_right_passage_are_none(reply: str) -> None:
    model = ScriptedModel(lambda request: reply if _able(request) == RYE else _able(request))
    profile = await try_model(model)
    assert (profile.gives_marks, profile.declines) == (False, True)


async def test_who_declines_everything_does_not_tell_what_is_not_there() -> None:
    profile = await try_model(ScriptedModel(lambda _: "NOT_IN_DOCUMENT"))
    assert profile == ModelProfile(
        gives_marks=False, declines=False, keeps_json=False, has_logprobs=False
    )


def test_a_profile_of_another_version_is_read_as_far_as_it_is_known() -> None:
    stored = json.loads(json.dumps({**ModelProfile(gives_marks=True).as_json(), "sings": True}))
    assert ModelProfile.from_json(stored) == ModelProfile(gives_marks=True)
    assert str(ModelProfile()) == "not tried"
