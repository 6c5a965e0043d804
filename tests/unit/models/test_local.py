"""A model in this process keeps the promises of every model."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from lcagent.engine.adapters import AdaptedModel
from lcagent.errors import ContextTooLong, ModelError, ModelNotUsable, ModelUnavailable
from lcagent.local_options import LocalOptions
from lcagent.models.cached import Cached
from lcagent.models.chat_model import Message, Request
from lcagent.models.choose import choose_model
from lcagent.models.local import LocalModel, open_local

RECALL_MODEL = Path(__file__).parents[3] / "examples" / "recall-model"
FACTS = "".join(f" KEY {word} bavsha bavthe" for word in ("baksha", "dekthe", "devvik"))
LONG = f"{FACTS * 10} KEY baksha"


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return open_local(str(RECALL_MODEL))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the model that a test may spoil."""
    return Path(shutil.copytree(RECALL_MODEL, tmp_path / "model"))


def _asks(text: str = f"{FACTS} KEY baksha", **given: Any) -> Request:
    return Request((Message("user", text),), **{"max_tokens": 8, **given})


@pytest.mark.anyio
async def test_a_reply_counts_the_tokens_that_were_promised_and_costs_nothing(
    model: LocalModel,
) -> None:
    request = _asks()
    reply = await model.complete(request)
    assert reply.text.startswith(" bavsha")
    assert reply.prompt_tokens == model.count_tokens(request.messages)
    assert (reply.usd, model.card.usd(10**6, 10**6), reply.is_estimate) == (0.0, 0.0, False)


@pytest.mark.anyio
async def test_the_pieces_of_a_reply_are_its_text(model: LocalModel) -> None:
    pieces: list[str] = []
    reply = await model.complete(_asks(), pieces.append)
    assert len(pieces) > 1
    assert "".join(pieces) == reply.text


@pytest.mark.anyio
async def test_log_probabilities_are_those_of_the_text(model: LocalModel) -> None:
    reply = await model.complete(_asks(wants_logprobs=True))
    assert reply.logprobs is not None
    assert b"".join(token.data for token in reply.logprobs).decode() == reply.text
    assert all(token.logprob <= 0 for token in reply.logprobs)
    assert (await model.complete(_asks())).logprobs is None


@pytest.mark.anyio
async def test_replies_at_the_same_time_are_those_that_come_alone(model: LocalModel) -> None:
    requests = [_asks(f"{FACTS} KEY {word}") for word in ("baksha", "dekthe", "devvik")] * 2
    alone = [(await model.complete(request)).text for request in requests]
    together = await asyncio.gather(*(model.complete(request) for request in requests))
    assert [reply.text for reply in together] == alone


@pytest.mark.anyio
async def test_a_call_that_is_cancelled_frees_its_place(model: LocalModel) -> None:
    scheduler = model.load().core.scheduler
    long = asyncio.create_task(model.complete(_asks(FACTS * 200)))
    while not scheduler.running:  # noqa: ASYNC110 -- a thread sets no event
        await asyncio.sleep(0.001)
    (sequence,) = scheduler.running
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    while scheduler.has_work:  # noqa: ASYNC110 -- the step that was under way ends first
        await asyncio.sleep(0.001)
    assert (sequence.finish, sequence.tokens, sequence.state) == ("cancelled", [], None)


@pytest.fixture
def prefilled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the sizes of the chunks that models prefill."""
    sizes: list[int] = []
    forward = AdaptedModel.forward

    def counted(self: AdaptedModel, tokens: Any, *given: Any, **named: Any) -> Any:
        if len(tokens) == 1:  # decoding has a batch of fixed width
            sizes.append(tokens.shape[1])
        return forward(self, tokens, *given, **named)

    monkeypatch.setattr(AdaptedModel, "forward", counted)
    return sizes


def test_a_prompt_continues_from_an_earlier_one_that_began_alike(prefilled: list[int]) -> None:
    first, second = (_asks(f"{FACTS * 80} KEY {word}") for word in ("baksha", "dekthe"))
    alone = asyncio.run(open_local(str(RECALL_MODEL)).complete(second)).text
    model = open_local(str(RECALL_MODEL))
    chunk = model.cache_config.chunk_tokens
    prefilled.clear()
    asyncio.run(model.complete(first))
    assert sum(prefilled) == model.count_tokens(first.messages) > 10 * chunk
    prefilled.clear()
    # Another event loop, as each call of a synchronous verb has one of its own.
    assert asyncio.run(model.complete(second)).text == alone
    assert sum(prefilled) <= chunk


def test_a_prompt_that_begins_otherwise_is_read_anew(prefilled: list[int]) -> None:
    model = open_local(str(RECALL_MODEL))
    asyncio.run(model.complete(_asks(LONG)))
    prefilled.clear()
    other = _asks(f"x{LONG}")
    asyncio.run(model.complete(other))
    assert sum(prefilled) == model.count_tokens(other.messages)


def test_a_prompt_that_ran_out_of_memory_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, prefilled: list[int]
) -> None:
    model = open_local(str(RECALL_MODEL))
    asyncio.run(model.complete(_asks(LONG)))

    def fails(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("lcagent.engine.generation.scheduler.prefill_chunk", fails)
        with pytest.raises(ModelError):
            asyncio.run(model.complete(_asks(FACTS * 10 + LONG)))
    prefilled.clear()
    asyncio.run(model.complete(_asks(LONG)))
    assert sum(prefilled) == model.count_tokens(_asks(LONG).messages)


@pytest.mark.anyio
async def test_a_draw_is_the_same_when_it_is_made_again(model: LocalModel) -> None:
    draws = [_asks(temperature=5.0, sample=number) for number in (1, 1, 2)]
    first, again, other = [(await model.complete(draw)).text for draw in draws]
    assert first == again != other


@pytest.mark.anyio
async def test_what_does_not_fit_the_window_is_refused(model: LocalModel) -> None:
    with pytest.raises(ContextTooLong, match="8192 of recall-model"):
        await model.complete(_asks(max_tokens=8_192))


@pytest.mark.anyio
async def test_what_ran_out_of_memory_is_not_tried_again(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("lcagent.engine.generation.scheduler.prefill_chunk", fails)
    with pytest.raises(ModelError, match="smaller --window") as caught:
        await model.complete(_asks())
    assert not isinstance(caught.value, ModelUnavailable)


def test_the_window_is_the_models_own_unless_that_is_too_small_or_another_is_wanted() -> None:
    assert open_local(str(RECALL_MODEL)).card.window_tokens == 8_192
    assert open_local(str(RECALL_MODEL), window_tokens=50_000).card.window_tokens == 50_000


def test_up_to_its_own_window_a_model_sees_all_and_past_it_what_is_looked_up() -> None:
    within = open_local(str(RECALL_MODEL), window_tokens=256)
    past = open_local(str(RECALL_MODEL), window_tokens=257)
    assert (within.cache_config.policy, past.cache_config.policy) == ("full", "infllm")


def test_options_reach_the_memory() -> None:
    options = LocalOptions(store="disk", store_dtype="int8", policy="streaming")
    config = open_local(str(RECALL_MODEL), options=options).cache_config
    assert (config.place, config.store_dtype, config.policy) == ("disk", "int8", "streaming")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "chat_template.jinja"])
def test_another_checkpoint_at_the_same_place_has_replies_of_its_own(copy: Path, name: str) -> None:
    def key() -> str:
        return Cached(open_local(str(copy)), store=None).key(_asks())  # type: ignore[arg-type]

    before = key()
    assert key() == before
    content = (copy / name).read_bytes()
    changed = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    if name == "tokenizer.json":
        changed = content + b"\n"
    if name == "chat_template.jinja":
        changed = b"x" + content
    (copy / name).write_bytes(changed)
    assert key() != before


def test_another_memory_has_replies_of_its_own() -> None:
    keys = {
        Cached(open_local(str(RECALL_MODEL), options=options), store=None).key(_asks())  # type: ignore[arg-type]
        for options in (LocalOptions(), LocalOptions(policy="window"), LocalOptions(store="disk"))
    }
    assert len(keys) == 3  # where it is kept decides how it is looked up


def test_a_template_without_the_role_system_gets_its_text_with_the_first_question(
    copy: Path,
) -> None:
    path = copy / "chat_template.jinja"
    refusal = "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}"
    path.write_text(refusal + path.read_text(encoding="utf-8"), encoding="utf-8")
    model = open_local(str(copy))
    joined = model.count_tokens((Message("user", "Be short.\n\nWho?"),))
    assert model.count_tokens((Message("system", "Be short."), Message("user", "Who?"))) == joined


def test_a_model_without_a_chat_template_is_refused(copy: Path) -> None:
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(ModelNotUsable, match="no chat template"):
        open_local(str(copy))


def test_a_tokenizer_that_does_not_fit_is_refused(copy: Path) -> None:
    path = copy / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, "vocab_size": 300}), encoding="utf-8")
    with pytest.raises(ModelNotUsable, match="the tokenizer does not fit"):
        open_local(str(copy))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory")])
def test_weights_that_do_not_fit_are_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("lcagent.engine.loading.load_model", fails)
    with pytest.raises(ModelNotUsable, match="recall-model cannot be loaded: out of memory"):
        open_local(str(RECALL_MODEL)).load()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (LocalOptions(device="nowhere"), "the device nowhere is not here"),
        (LocalOptions(dtype="int3"), "int3 is no type to compute in: auto, float32"),
    ],
)
def test_a_device_or_a_type_that_is_none_is_refused(options: LocalOptions, says: str) -> None:
    with pytest.raises(ModelNotUsable, match=says):
        open_local(str(RECALL_MODEL), options=options)


def test_half_characters_are_counted_as_they_are_sent(model: LocalModel) -> None:
    assert model.count_tokens((Message("user", "a\udc80b"),)) > 0


def test_a_reference_to_a_folder_is_a_local_model() -> None:
    chosen = choose_model(f"local:{RECALL_MODEL}", base_url="http://127.0.0.1:1/v1")
    assert isinstance(chosen, LocalModel)
