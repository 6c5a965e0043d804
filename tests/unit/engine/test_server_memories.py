"""What was read is not read again: memories by name, and beginnings of earlier prompts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from recalling import BOOK, MEMORY, NOISE, save_recalling
from served import Running, load_recalling

from lcagent.engine.loading import LoadedModel, load_model
from lcagent.engine.memories import memory_files
from lcagent.engine.server.server_settings import ServerSettings

pytestmark = pytest.mark.slow

ANSWERS = {"baksha": " bavsha bavthe", "dekthe": " devvik devzor"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load_recalling(tmp_path_factory.mktemp("models"))


@pytest.fixture
def url(loaded: LoadedModel, tmp_path: Path) -> Iterator[str]:
    with Running(loaded, ServerSettings(), tmp_path / "memories") as address:
        yield address


def _make(url: str, text: str = BOOK, **more: str) -> dict[str, Any]:
    answer = httpx.post(f"{url}/v1/memories", json={"text": text, "title": "book", **more})
    made: dict[str, Any] = answer.raise_for_status().json()
    return made


def _ask(url: str, prompt: str, **more: Any) -> httpx.Response:
    body = {"model": "recall-model", "prompt": prompt, "temperature": 0, **more}
    return httpx.post(f"{url}/v1/completions", json=body)


def _text(answer: httpx.Response) -> str:
    text: str = answer.raise_for_status().json()["choices"][0]["text"]
    return text


def _cached(answer: httpx.Response) -> int:
    usage = answer.raise_for_status().json()["usage"]
    cached: int = usage["prompt_tokens_details"]["cached_tokens"]
    return cached


def _figure(url: str, name: str) -> int:
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return int(float(next(line for line in lines if line.startswith(f"{name} ")).split()[1]))


def test_ten_questions_on_a_memory_cost_one_reading(url: str) -> None:
    made = _make(url)
    whole_chunks = (made["tokens"] - 1) // MEMORY.chunk_tokens * MEMORY.chunk_tokens
    for number in range(10):
        key = list(ANSWERS)[number % 2]
        answer = _ask(url, f" KEY {key}", memory=made["id"])
        assert _text(answer) == ANSWERS[key]
        assert _cached(answer) == whole_chunks
    read = _figure(url, "lcagent_prompt_tokens_total") - _figure(url, "lcagent_reused_tokens_total")
    assert read == 10 * (made["tokens"] + 2 - whole_chunks)


def test_a_memory_survives_a_restart(loaded: LoadedModel, url: str, tmp_path: Path) -> None:
    made = _make(url)
    before = _ask(url, " KEY baksha", memory=made["id"], logprobs=3).json()["choices"]
    with Running(loaded, ServerSettings(), tmp_path / "memories") as again:
        for extra in ({"memory": made["id"]}, {}):
            prompt = " KEY baksha" if extra else f"{BOOK} KEY baksha"
            answer = _ask(again, prompt, logprobs=3, **extra)
            assert answer.json()["choices"] == before
            assert _cached(answer) > 300


def test_a_memory_is_listed_found_and_deleted(url: str) -> None:
    made = _make(url, id="isle")
    assert httpx.get(f"{url}/v1/memories").json()["data"] == [made]
    assert httpx.get(f"{url}/v1/memories/isle").json() == made
    assert made == {
        "id": "isle", "object": "memory", "title": "book", "tokens": made["tokens"], "fault": "",
    }  # fmt: skip
    assert httpx.delete(f"{url}/v1/memories/isle").json()["deleted"]
    for gone in (httpx.get, httpx.delete):
        assert gone(f"{url}/v1/memories/isle").status_code == 404
    assert _ask(url, "a", memory="isle").status_code == 404


def test_a_conversation_goes_on_from_a_memory_of_its_beginning(url: str) -> None:
    said = [{"role": "user", "content": BOOK}]
    made = httpx.post(f"{url}/v1/memories", json={"messages": said}).raise_for_status().json()
    question = {"role": "user", "content": " KEY dekthe"}
    body = {"model": "recall-model", "messages": [*said, question], "temperature": 0}
    answer = httpx.post(f"{url}/v1/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == " devvik devzor"
    cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert cached == (made["tokens"] - 1) // MEMORY.chunk_tokens * MEMORY.chunk_tokens


def test_a_chat_goes_on_from_a_memory_by_id(url: str) -> None:
    made = _make(url)
    body = {
        "model": "recall-model",
        "messages": [{"role": "user", "content": " KEY dekthe"}],
        "temperature": 0,
        "memory": made["id"],
    }
    answer = httpx.post(f"{url}/v1/chat/completions", json=body).json()
    assert answer["choices"][0]["message"]["content"] == " devvik devzor"
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] > 300


def test_a_prompt_goes_on_from_an_earlier_one(loaded: LoadedModel) -> None:
    with Running(loaded, ServerSettings(cached_prefixes=0)) as url:
        alone = _ask(url, f"{BOOK} KEY dekthe", logprobs=3).json()["choices"]
        assert _cached(_ask(url, f"{BOOK} KEY dekthe")) == 0
    with Running(loaded, ServerSettings()) as url:
        assert _cached(_ask(url, f"{BOOK} KEY baksha")) == 0
        second = _ask(url, f"{BOOK} KEY dekthe", logprobs=3)
        assert second.json()["choices"] == alone
        assert _cached(second) > 300
        assert _cached(_ask(url, f" ba{BOOK} KEY dekthe")) == 0


def test_a_beginning_that_two_prompts_share_serves_the_third(loaded: LoadedModel) -> None:
    with Running(loaded, ServerSettings()) as url:
        cached = [_cached(_ask(url, f"{BOOK}{word * 150} KEY baksha")) for word in "xyz"]
    assert cached[:2] == [0, 0]
    assert cached[2] > 300


def test_readings_used_long_ago_are_dropped(loaded: LoadedModel) -> None:
    with Running(loaded, ServerSettings(cached_prefixes=1)) as url:
        for prompt in (BOOK, f"x{BOOK}"):
            assert _cached(_ask(url, prompt)) == 0
        assert _cached(_ask(url, BOOK)) == 0


def test_a_full_disk_leaves_the_old_memory_whole(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _make(url, id="isle")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(memory_files, "save_layer", no_space)
        answer = httpx.post(f"{url}/v1/memories", json={"text": NOISE, "id": "isle"})
    assert answer.status_code == 503
    assert "No space left" in answer.json()["error"]["message"]
    assert httpx.get(f"{url}/v1/memories").json()["data"] == [made]
    assert _text(_ask(url, " KEY baksha", memory="isle")) == ANSWERS["baksha"]


@pytest.mark.parametrize("damage", ["cut", "altered", "missing"])
def test_a_damaged_memory_is_told_and_others_are_not_harmed(
    loaded: LoadedModel, tmp_path: Path, damage: str
) -> None:
    with Running(loaded, ServerSettings(), tmp_path) as url:
        _make(url, id="isle")
        _make(url, f"{NOISE}{BOOK}", id="other")
    (path,) = (tmp_path / "isle").glob("part-*/layer-0001.safetensors")
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if damage == "cut" else content[:-1] + b"\7")
    with Running(loaded, ServerSettings(), tmp_path) as url:
        answer = _ask(url, " KEY baksha", memory="isle")
        assert answer.status_code == 503
        assert "damaged" in answer.json()["error"]["message"]
        faults = [card["fault"] for card in httpx.get(f"{url}/v1/memories").json()["data"]]
        assert ["damaged" in fault for fault in faults] == [damage != "altered", False]
        assert _text(_ask(url, " KEY baksha", memory="other")) == ANSWERS["baksha"]
        assert httpx.delete(f"{url}/v1/memories/isle").status_code == 200


def test_a_memory_of_another_model_is_refused(loaded: LoadedModel, tmp_path: Path) -> None:
    save_recalling(tmp_path / "recall-model", seed=1)
    other = load_model(str(tmp_path / "recall-model"))
    with Running(loaded, ServerSettings(), tmp_path / "memories") as url:
        _make(url, id="isle")
    with Running(other, ServerSettings(), tmp_path / "memories") as url:
        answer = _ask(url, " KEY baksha", memory="isle")
        assert answer.status_code == 400
        assert "another model" in answer.json()["error"]["message"]
        assert _cached(_ask(url, f"{BOOK} KEY baksha")) == 0
        (card,) = httpx.get(f"{url}/v1/memories").json()["data"]
        assert "another model" in card["fault"]


def test_a_server_without_a_folder_keeps_no_memories(loaded: LoadedModel) -> None:
    with Running(loaded, ServerSettings()) as url:
        answer = httpx.post(f"{url}/v1/memories", json={"text": "a"})
        assert answer.status_code == 404
        assert "folder" in answer.json()["error"]["message"]
