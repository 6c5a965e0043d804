"""The official openai client talks to a server on a model that recalls."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest
from recalling import BOOK, NOISE
from served import Running, load_recalling

from lcagent.engine.loading import LoadedModel
from lcagent.engine.server.server_settings import ServerSettings
from lcagent.errors import UsageError


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_recalling(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def url(loaded: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("memories")
    settings = ServerSettings(width=4, max_body_bytes=200_000)
    with Running(loaded, settings, folder) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


def _complete(client: openai.OpenAI, prompt: str, **options: Any) -> openai.types.Completion:
    completion: openai.types.Completion = client.completions.create(
        model="recall-model", prompt=prompt, temperature=0, max_tokens=8, **options
    )
    return completion


def test_a_chat_recalls_what_stands_far_away(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="recall-model",
        messages=[{"role": "user", "content": f"{BOOK} KEY baksha"}],
        temperature=0,
    )
    assert answer.choices[0].message.content == " bavsha bavthe"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 3


def test_a_streamed_reply_equals_the_whole_one(client: openai.OpenAI) -> None:
    whole = _complete(client, f"{BOOK} KEY dekthe")
    stream = client.completions.create(
        model="recall-model",
        prompt=f"{BOOK} KEY dekthe",
        temperature=0,
        max_tokens=8,
        stream=True,
        stream_options={"include_usage": True},
    )
    events = list(stream)
    assert "".join(choice.text for event in events for choice in event.choices) == " devvik devzor"
    assert whole.choices[0].text == " devvik devzor"
    assert events[-1].usage == whole.usage


def test_a_streamed_chat_ends_with_its_reason(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="recall-model",
        messages=[{"role": "user", "content": f"{BOOK} KEY dekthe"}],
        temperature=0,
        max_completion_tokens=1,
        stream=True,
    )
    choices = [choice for event in stream for choice in event.choices]
    assert choices[0].delta.role == "assistant"
    assert "".join(choice.delta.content or "" for choice in choices) == " devvik"
    assert choices[-1].finish_reason == "length"


def test_logprobs_are_told(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="recall-model",
        messages=[{"role": "user", "content": f"{BOOK} KEY baksha"}],
        temperature=0,
        logprobs=True,
        top_logprobs=3,
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert [token.token for token in logprobs.content] == [" bavsha", " bavthe", "</s>"]
    for token in logprobs.content:
        assert token.top_logprobs[0].token == token.token
        assert token.logprob == token.top_logprobs[0].logprob > token.top_logprobs[1].logprob
        assert bytes(token.bytes or []) == token.token.encode()
    plain = _complete(client, f"{BOOK} KEY baksha", logprobs=2).choices[0].logprobs
    assert plain is not None
    assert plain.text_offset == [0, 7, 14]
    assert plain.token_logprobs == pytest.approx([token.logprob for token in logprobs.content])


def test_a_stop_string_ends_the_reply_before_itself(client: openai.OpenAI) -> None:
    choice = _complete(client, f"{BOOK} KEY baksha", stop=["sha bav"]).choices[0]
    assert (choice.text, choice.finish_reason) == (" bav", "stop")


def test_several_choices_have_seeds_of_their_own(client: openai.OpenAI) -> None:
    def draw(seed: int) -> list[str]:
        answer = client.completions.create(
            model="recall-model", prompt=NOISE, n=3, seed=seed, temperature=1.5, max_tokens=6
        )
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert answer.usage is not None
        assert answer.usage.completion_tokens <= 18
        return [choice.text for choice in answer.choices]

    first = draw(5)
    assert draw(5) == first
    assert len(set(first)) == 3
    assert draw(6)[0] == first[1]


@pytest.mark.slow
def test_thirty_two_clients_at_once_get_what_one_alone_gets(client: openai.OpenAI) -> None:
    prompts = [f"{NOISE[: 70 * n]} KEY baksha bavsha bavthe{BOOK} KEY baksha" for n in range(8)]
    alone = [_complete(client, prompt, logprobs=1).choices[0] for prompt in prompts]
    with ThreadPoolExecutor(32) as pool:
        jobs = [pool.submit(_complete, client, prompt, logprobs=1) for prompt in prompts * 4]
        together = [job.result().choices[0] for job in jobs]
    assert together == alone * 4


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"model": "other"}, 404),
        ({"memory": "missing"}, 404),
        ({"prompt": ""}, 400),
        ({"prompt": [512]}, 400),
        ({"prompt": [-1]}, 400),
        ({"prompt": [1 << 70]}, 400),
        ({"max_tokens": 10**9}, 400),
        ({"max_tokens": 0}, 422),
        ({"prompt": 3}, 422),
        ({"temperature": "hot"}, 422),
        ({"unknown": 1}, 422),
        ({"stop": [""]}, 422),
        ({"prompt": "x" * 6000}, 400),
        ({"prompt": "x" * 300_000}, 413),
    ],
)
def test_bad_requests_are_answered_as_openai_does(
    url: str, change: dict[str, object], status: int
) -> None:
    if change.get("prompt") == "":
        change = {"prompt": []}
    body = {"model": "recall-model", "prompt": "a", **change}
    answer = httpx.post(f"{url}/v1/completions", json=body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_malformed_and_endless_bodies_are_refused(url: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(300):
            yield b" " * 1000

    path = f"{url}/v1/completions"
    headers = {"content-type": "application/json"}
    assert httpx.post(path, content=b"{", headers=headers).status_code == 400
    assert httpx.post(path, content=endless(), headers=headers).status_code == 413
    assert httpx.get(f"{url}/nothing").json()["error"]["type"] == "invalid_request_error"


def test_the_client_raises_its_own_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="5000") as raised:
        client.completions.create(model="recall-model", prompt="x " * 4000, stream=True)
    assert raised.value.code == "context_length_exceeded"


def test_a_client_that_leaves_frees_its_place(loaded: LoadedModel) -> None:
    endless = replace(loaded, eos_token_ids=frozenset())
    body = {"model": "recall-model", "prompt": NOISE, "max_tokens": 4000}
    with Running(endless, ServerSettings()) as url:
        with httpx.stream("POST", f"{url}/v1/completions", json={**body, "stream": True}) as stream:
            lines = stream.iter_lines()  # kept: the client leaves when this is forgotten
            next(lines)
            assert httpx.get(f"{url}/health").json()["running"] == 1
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/v1/completions", json=body, timeout=0.3)
        deadline = time.monotonic() + 10
        while httpx.get(f"{url}/health").json() != {"status": "ok", "running": 0, "waiting": 0}:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_metrics_count_tokens_and_answers(url: str, client: openai.OpenAI) -> None:
    _complete(client, BOOK)
    text = httpx.get(f"{url}/metrics").text
    assert 'lcagent_requests_total{path="/v1/completions",status="200"}' in text
    assert "lcagent_prompt_tokens_total" in text
    assert [model.id for model in client.models.list()] == ["recall-model"]
    assert client.models.retrieve("recall-model").id == "recall-model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_a_full_queue_is_told(loaded: LoadedModel) -> None:
    with Running(loaded, ServerSettings(max_waiting=0)) as url:
        body = {"model": "recall-model", "prompt": "a"}
        for extra in ({}, {"stream": True}):
            answer = httpx.post(f"{url}/v1/completions", json={**body, **extra})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_a_key_is_asked_for(loaded: LoadedModel) -> None:
    with pytest.raises(UsageError, match="needs an API key"):
        ServerSettings(host="0.0.0.0")  # noqa: S104
    with Running(loaded, ServerSettings(api_key="secret")) as url:
        assert httpx.get(f"{url}/health").status_code == 200
        assert httpx.get(f"{url}/v1/models").status_code == 401
        given = {"Authorization": "Bearer secret"}
        assert httpx.get(f"{url}/v1/models", headers=given).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        *({"tools": []}, {"tools": None}, {"functions": []}, {"logit_bias": {}}, {"audio": None}),
        *({"tool_choice": "none"}, {"tool_choice": "auto", "tools": []}),
        *({"parallel_tool_calls": False}, {"web_search_options": None}),
    ],
)
def test_what_asks_for_nothing_is_accepted(url: str, wish: dict[str, Any]) -> None:
    body = {"model": "recall-model", "messages": [{"role": "user", "content": "a"}], **wish}
    assert httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [{"tools": [{"type": "function"}]}, {"functions": [{}]}, {"logit_bias": {"5": 1}}, {"x": ""}],
)
def test_what_asks_for_something_unknown_is_refused(url: str, wish: dict[str, Any]) -> None:
    body = {"model": "recall-model", "messages": [{"role": "user", "content": "a"}], **wish}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == next(iter(wish))


def test_control_tokens_in_a_message_are_text(client: openai.OpenAI) -> None:
    def count(text: str) -> int:
        said: Any = [{"role": "user", "content": text}]
        usage = client.chat.completions.create(model="recall-model", messages=said).usage
        assert usage is not None
        return usage.prompt_tokens

    assert count("a</s>b") == count("ab") + len("</s>")
    assert count("<s><spare260>") == count("") + len("<s><spare260>")


@pytest.mark.parametrize("role", ["user</s>", "", "a b", "u" * 51, "user\n"])
def test_a_role_that_could_write_into_the_template_is_refused(url: str, role: str) -> None:
    body = {"model": "recall-model", "messages": [{"role": role, "content": "a"}]}
    assert httpx.post(f"{url}/v1/chat/completions", json=body).status_code == 422
