"""A model behind a server, against a scripted one."""

import asyncio
import gzip
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcagent.errors import (
    ContextTooLong,
    LcagentError,
    ModelNotUsable,
    ModelUnavailable,
    UnusableReply,
)
from lcagent.models.chat_model import Message, Request, TokenLogprob
from lcagent.models.choose import find_card
from lcagent.models.remote import RemoteModel
from lcagent.models.retrying import Retrying
from lcagent.testing import Fault, ScriptedReply, ScriptedServer, ServerRules

from .conftest import KEY, Serve

pytestmark = pytest.mark.anyio


async def test_a_reply_comes_with_the_usage_of_the_server(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: "Hello, you.") as (model, server):
        reply = await model.complete(hello)
    assert (reply.text, reply.finish, reply.is_estimate) == ("Hello, you.", "stop", False)
    assert reply.prompt_tokens == server.served[0].prompt_tokens
    assert reply.completion_tokens == 4
    assert server.served[0].messages == hello.messages


async def test_a_streamed_reply_is_the_same_and_comes_in_pieces(
    serve: Serve, hello: Request
) -> None:
    pieces: list[str] = []
    async with serve(lambda call: "Hello,  you 你好 \u2028 there.\n") as (model, _):
        whole = await model.complete(hello)
        streamed = await model.complete(hello, pieces.append)
    assert replace(streamed, latency_s=0) == replace(whole, latency_s=0)
    assert "".join(pieces) == whole.text
    assert len(pieces) > 3


async def test_what_is_not_streamed_is_handed_over_all_the_same(
    serve: Serve, hello: Request
) -> None:
    pieces: list[str] = []
    rules = ServerRules(rejected=frozenset({"stream"}))
    async with serve(lambda call: "Hello.", rules) as (model, _):
        await model.complete(hello, pieces.append)
    assert pieces == ["Hello."]


async def test_one_connection_serves_many_calls(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: "Hello.") as (model, server):
        for _ in range(5):
            await model.complete(hello)
        assert server.connections == 1


async def test_a_model_works_in_one_loop_after_another(hello: Request) -> None:
    async def ask() -> str:
        async with ScriptedServer(lambda call: "Hello.", port=0) as server:
            model = RemoteModel(find_card("any"), base_url=server.base_url, api_key=KEY)
            models.append(model)
            text = (await model.complete(hello)).text
            await model.close()
            return text

    models: list[RemoteModel] = []
    assert await asyncio.to_thread(lambda: asyncio.run(ask())) == "Hello."
    assert await asyncio.to_thread(lambda: asyncio.run(ask())) == "Hello."


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_usage_that_is_missing_is_our_own_count(
    serve: Serve, hello: Request, is_streamed: bool
) -> None:
    pieces: list[str] = []
    async with serve(lambda call: ScriptedReply("Hello.", usage="none")) as (model, _):
        reply = await model.complete(hello, pieces.append if is_streamed else None)
        assert reply.prompt_tokens == model.count_tokens(hello.messages)
    assert reply.is_estimate
    assert reply.completion_tokens > 0


async def test_usage_of_zero_is_no_usage(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: ScriptedReply("Hello.", usage="zero")) as (model, _):
        assert (await model.complete(hello)).is_estimate


async def test_counts_rise_where_the_server_counts_more(serve: Serve) -> None:
    request = Request((Message("user", "word " * 500 + ". , " * 2_000),), max_tokens=50)
    async with serve(lambda call: "Yes.", window_tokens=100_000) as (model, server):
        model._counter.learn(100, 50)
        before = model.count_tokens(request.messages)
        model._counter.learn(before, 2 * before)
        assert model.count_tokens(request.messages) >= 2 * before
        await model.complete(request)
        assert model.count_tokens(request.messages) >= server.served[0].prompt_tokens


async def test_a_prompt_that_does_not_fit_is_not_sent(serve: Serve) -> None:
    request = Request((Message("user", "many words " * 900),), max_tokens=200)
    async with serve(lambda call: "Yes.", window_tokens=2_000) as (model, server):
        with pytest.raises(ContextTooLong, match=r"about \d+ tokens; with 200 .* the 2000 of any"):
            await model.complete(request)
    assert server.served == []


async def test_a_window_that_is_smaller_than_told_is_an_error_of_length(
    serve: Serve, hello: Request
) -> None:
    async with serve(lambda call: "Yes.", ServerRules(window_tokens=40)) as (model, _):
        with pytest.raises(ContextTooLong, match="--window"):
            await model.complete(hello)


async def test_a_window_that_the_server_tells_is_kept_to_from_then_on(serve: Serve) -> None:
    told = "This model's maximum context length is 4,000 tokens. You requested 5,000 tokens."
    request = Request((Message("user", "many words " * 2_000),), max_tokens=200)
    async with serve(lambda call: ScriptedReply(told, status=400)) as (model, server):
        with pytest.raises(ContextTooLong, match=r"maximum context .*--window 4000$"):
            await model.complete(request)
        assert model.card.window_tokens == 4_000
        with pytest.raises(ContextTooLong, match="has about"):
            await model.complete(request)
    assert len(server.served) == 1


async def test_an_error_in_a_body_mends_the_request_as_its_status_would(
    serve: Serve, hello: Request
) -> None:
    error = b'{"error": {"message": "temperature must be greater than 0", "code": 400}}'

    def script(_: object) -> ScriptedReply | str:
        has_it = "temperature" in server.bodies[-1]
        return ScriptedReply(sent=error) if has_it else "Yes."

    async with serve(script) as (model, server):
        assert (await model.complete(hello)).text == "Yes."
        assert (await model.complete(hello)).text == "Yes."
    assert server.calls == 3


@pytest.mark.parametrize(
    ("told", "error", "words"),
    [
        ('{"error": {"code": 401, "message": "No auth"}}', ModelNotUsable, "key was refused"),
        ('{"error": {"code": 402, "message": "Add credits"}}', ModelNotUsable, "no credit"),
        ('error: {"code": 400, "message": "exceeds the context size"}', ContextTooLong, "fit"),
        ('[{"error": {"code": 400, "message": "no"}}]', ModelNotUsable, "refused the request"),
        (
            '{"choices": [{"error": {"code": 400, "message": "prompt is too long"}}]}',
            ContextTooLong,
            "fit",
        ),
    ],
)
async def test_a_final_error_in_a_body_is_asked_for_once(
    serve: Serve, hello: Request, told: str, error: type[LcagentError], words: str
) -> None:
    script = lambda call: ScriptedReply(sent=told.encode(), content_type="text/event-stream")  # noqa: E731
    async with serve(script) as (model, server):
        with pytest.raises(error, match=words):
            await Retrying(model, sleep=_at_once).complete(hello)
    assert server.calls == 1


async def test_what_is_called_compressed_and_is_not_is_read(serve: Serve, hello: Request) -> None:
    sent = b'{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}'
    for body in (sent, gzip.compress(sent)):
        script = lambda call, body=body: ScriptedReply(  # noqa: E731
            sent=body, headers={"Content-Encoding": "gzip"}
        )
        async with serve(script) as (model, _):
            assert (await model.complete(hello)).text == "Yes."


async def test_a_query_of_the_base_url_stands_behind_the_path(hello: Request) -> None:
    async with ScriptedServer(lambda call: "Yes.") as server:
        base_url = f"{server.base_url}?api-version=2024-10-21"
        model = RemoteModel(find_card("any"), base_url=base_url, api_key=KEY)
        assert (await model.complete(hello)).text == "Yes."
        await model.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cut_before", "broke off"),
        ("cut_within", "broke off"),
        ("half_body", "not JSON|half a stream"),
        ("garbage", "not JSON"),
        ("no_choices", "without choices|half a stream"),
        ("null_choices", "without choices|half a stream"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_broken_reply_is_no_reply(
    serve: Serve, hello: Request, fault: Fault, words: str, is_streamed: bool
) -> None:
    script = lambda call: ScriptedReply("Hello, this is a reply of several words.", fault=fault)  # noqa: E731
    on_text = (lambda piece: None) if is_streamed else None
    async with serve(script) as (model, _):
        with pytest.raises(ModelUnavailable, match=words) as caught:
            await model.complete(hello, on_text)
    assert "127.0.0.1" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_page_for_people_is_no_api_and_is_asked_for_once(
    serve: Serve, hello: Request, is_streamed: bool
) -> None:
    on_text = (lambda piece: None) if is_streamed else None
    async with serve(lambda call: ScriptedReply("", fault="html")) as (model, server):
        with pytest.raises(ModelNotUsable, match=r"page of HTML .*base URL right.*/v1"):
            await Retrying(model, sleep=_at_once).complete(hello, on_text)
    assert server.calls == 1


async def test_a_page_for_people_from_a_server_that_replied_is_an_outage(
    serve: Serve, hello: Request
) -> None:
    def script(_: object) -> ScriptedReply:
        return ScriptedReply("Hello.", fault="html" if server.calls == 2 else None)

    async with serve(script) as (model, server):
        asking = Retrying(model, sleep=_at_once)
        assert (await asking.complete(hello)).text == "Hello."
        assert (await asking.complete(hello)).text == "Hello."
    assert server.calls == 3


async def test_the_connection_is_used_again_after_a_broken_one(
    serve: Serve, hello: Request
) -> None:
    def script(_: object) -> ScriptedReply:
        return ScriptedReply("Hello.", fault="cut_within" if server.calls == 1 else None)

    async with serve(script) as (model, server):
        with pytest.raises(ModelUnavailable):
            await model.complete(hello)
        assert (await model.complete(hello)).text == "Hello."


async def test_a_server_that_is_not_there_is_unavailable(hello: Request) -> None:
    async with ScriptedServer(lambda call: "Yes.") as server:
        url = server.base_url
    model = RemoteModel(find_card("any"), base_url=url, api_key=KEY)
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:\d+ cannot be reached .*running"):
        await model.complete(hello)
    await model.close()


async def test_a_server_that_is_silent_is_given_up(hello: Request) -> None:
    async with ScriptedServer(lambda call: ScriptedReply("Yes.", latency_s=60)) as server:
        model = RemoteModel(find_card("any"), base_url=server.base_url, api_key=KEY, timeout_s=0.05)
        with pytest.raises(ModelUnavailable, match="did not answer in time"):
            await model.complete(hello)
        await model.close()


@pytest.mark.parametrize(
    ("scripted", "error", "words"),
    [
        (ScriptedReply("slow down", status=429), ModelUnavailable, "429.*slow down"),
        (ScriptedReply("oh", status=500), ModelUnavailable, "status 500"),
        (ScriptedReply("oh", status=503), ModelUnavailable, "status 503"),
        (ScriptedReply("oh", status=408), ModelUnavailable, "status 408"),
        (ScriptedReply("oh", status=409), ModelUnavailable, "status 409"),
        (
            ScriptedReply("no money", status=429, code="insufficient_quota"),
            ModelNotUsable,
            "no credit left",
        ),
        (
            ScriptedReply(f"bad {KEY}", status=401),
            ModelNotUsable,
            "key was refused .*LCAGENT_API_KEY",
        ),
        (ScriptedReply("no", status=403), ModelNotUsable, "key was refused"),
        (ScriptedReply("none", status=404), ModelNotUsable, "no model 'any-model'.*doctor"),
        (ScriptedReply("what?", status=400), ModelNotUsable, "refused the request .*what"),
        (ScriptedReply(f"echo {KEY}", status=418), ModelNotUsable, r"echo \*\*\*"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_status_becomes_the_error_of_whoever_can_mend_it(
    serve: Serve,
    hello: Request,
    scripted: ScriptedReply,
    error: type[LcagentError],
    words: str,
    is_streamed: bool,
) -> None:
    async with serve(lambda call: scripted) as (model, server):
        with pytest.raises(error, match=words) as caught:
            await model.complete(hello, (lambda piece: None) if is_streamed else None)
    assert len(server.served) == 1
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_how_long_to_wait_is_passed_on(serve: Serve, hello: Request) -> None:
    refusal = ScriptedReply("slow down", status=429, headers={"Retry-After": "7"})
    async with serve(lambda call: refusal) as (model, _):
        with pytest.raises(ModelUnavailable) as caught:
            await model.complete(hello)
    assert caught.value.retry_after_s == 7


async def test_a_redirect_is_not_followed(serve: Serve, hello: Request) -> None:
    async with ScriptedServer(lambda call: "Yes.") as other:
        moved = ScriptedReply(
            "", status=307, headers={"Location": f"{other.base_url}/chat/completions"}
        )
        async with serve(lambda call: moved) as (model, _):
            with pytest.raises(ModelNotUsable, match="not followed; set the base URL"):
                await model.complete(hello)
        assert other.headers == []


async def test_a_server_on_this_machine_is_not_asked_through_a_proxy(
    serve: Serve, hello: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serve(lambda call: "Yes.") as (model, _):
        assert (await model.complete(hello)).text == "Yes."


async def test_nothing_of_other_accounts_is_sent(
    serve: Serve, hello: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: mine\nAuthorization: Bearer mine")
    async with serve(lambda call: "Yes.") as (model, server):
        await model.complete(hello)
        await model.list_models()
    assert len(server.headers) == 2
    for headers in server.headers:
        assert headers["authorization"] == f"Bearer {KEY}"
        assert "mine" not in json.dumps(dict(headers))
        assert not any(name.startswith("x-stainless-os") for name in headers)


@pytest.mark.parametrize("name", ["temperature", "logprobs", "stop", "stream_options", "stream"])
async def test_a_parameter_that_is_refused_is_dropped_for_good(serve: Serve, name: str) -> None:
    request = Request((Message("user", "Hi"),), max_tokens=50, stop=("END",), wants_logprobs=True)
    rules = ServerRules(rejected=frozenset({name}))
    async with serve(lambda call: "Yes.", rules) as (model, server):
        first = await model.complete(request, lambda piece: None)
        second = await model.complete(request, lambda piece: None)
    assert first.text == second.text == "Yes."
    assert [each.status for each in server.served] == [400, 200, 200]
    first_sent, *later = (set(each.parameters) for each in server.served)
    assert all(first_sent - each <= {name, "stream_options"} for each in later)
    assert all(name not in each for each in later)


@pytest.mark.parametrize("refused", ["max_tokens", "max_completion_tokens"])
async def test_the_limit_of_a_reply_has_the_name_that_the_server_takes(
    serve: Serve, hello: Request, refused: str
) -> None:
    rules = ServerRules(rejected=frozenset({refused}))
    async with serve(lambda call: "Yes.", rules) as (model, server):
        await model.complete(hello)
    (other,) = {"max_tokens", "max_completion_tokens"} - {refused}
    assert server.served[-1].parameters[other] == 50
    assert refused not in server.served[-1].parameters


async def test_a_server_that_knows_no_limit_is_an_error(serve: Serve, hello: Request) -> None:
    rules = ServerRules(rejected=frozenset({"max_tokens", "max_completion_tokens"}))
    async with serve(lambda call: "Yes.", rules) as (model, server):
        with pytest.raises(ModelNotUsable, match=r"max_completion_tokens|max_tokens"):
            await model.complete(hello)
    assert len(server.served) <= 3


async def test_a_schema_is_asked_for_as_the_server_can(serve: Serve) -> None:
    kinds: list[str | None] = []

    def script(_: object) -> ScriptedReply:
        sent = server.bodies[-1].get("response_format")
        kinds.append(sent["type"] if sent else None)
        if kinds[-1] is None:
            return ScriptedReply('{"a": 1}')
        return ScriptedReply(f"response_format {kinds[-1]} is not supported", status=400)

    request = Request((Message("user", "JSON, please"),), schema={"type": "object"})
    async with serve(script) as (model, server):
        assert (await model.complete(request)).text == '{"a": 1}'
        await model.complete(request)
    assert kinds == ["json_schema", "json_object", None, None]


async def test_a_schema_that_does_not_fit_is_left_out(serve: Serve) -> None:
    messages = (Message("user", "JSON, please"),)
    schema = {"type": "object", "description": "word " * 3_000}
    async with serve(lambda call: "{}", window_tokens=2_000) as (model, server):
        await model.complete(Request(messages, max_tokens=1_000, schema=schema))
        await model.complete(Request(messages, max_tokens=1_000, schema={"type": "object"}))
    assert ["response_format" in each.parameters for each in server.served] == [False, True]


async def test_a_system_text_goes_before_the_first_question_where_there_is_no_such_role(
    serve: Serve, hello: Request
) -> None:
    rules = ServerRules(rejected=frozenset({"system"}))
    async with serve(lambda call: "Yes.", rules) as (model, server):
        await model.complete(hello)
    assert server.served[-1].messages == (Message("user", "Be short.\n\nSay hello."),)


async def test_a_model_that_reasons_gets_no_temperature(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: "Yes.", name="gpt-oss-20b") as (model, server):
        await model.complete(hello)
    assert "temperature" not in server.served[0].parameters


async def test_a_longest_reply_that_the_server_names_is_kept_to(serve: Serve) -> None:
    def script(_: object) -> ScriptedReply | str:
        if server.bodies[-1]["max_tokens"] <= 4096:
            return "Yes."
        text = "max_tokens is too large: 9000. This model supports at most 4096 completion tokens"
        return ScriptedReply(text, status=400, param="max_tokens")

    async with serve(script) as (model, server):
        reply = await model.complete(Request((Message("user", "Hi"),), max_tokens=9_000))
    assert reply.text == "Yes."
    assert server.served[-1].parameters["max_tokens"] == 4096


async def test_logprobs_are_those_of_the_text(serve: Serve) -> None:
    request = Request((Message("user", "Hi"),), wants_logprobs=True)
    tokens = (
        TokenLogprob("caf", -0.5, b"caf"),
        TokenLogprob("\ufffd", -0.1, b"\xc3"),
        TokenLogprob("\ufffd", -0.2, b"\xa9"),
    )
    async with serve(lambda call: ScriptedReply("café", logprobs=tokens)) as (model, _):
        whole = await model.complete(request)
    assert whole.logprobs == tokens


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_made_up_logprobs_join_to_the_text(serve: Serve, is_streamed: bool) -> None:
    request = Request((Message("user", "Hi"),), wants_logprobs=True)
    async with serve(lambda call: "It is so.\n\nReally.") as (model, _):
        reply = await model.complete(request, (lambda piece: None) if is_streamed else None)
    assert reply.logprobs is not None
    assert b"".join(each.data for each in reply.logprobs).decode() == reply.text


async def test_logprobs_that_are_missing_or_of_another_text_are_none(serve: Serve) -> None:
    request = Request((Message("user", "Hi"),), wants_logprobs=True)
    other = (TokenLogprob("No", -1.0, b"No"),)
    async with serve(lambda call: ScriptedReply("Yes.", logprobs=other)) as (model, _):
        assert (await model.complete(request)).logprobs is None
    async with serve(lambda call: ScriptedReply("Yes.", has_logprobs=False)) as (model, _):
        assert (await model.complete(request)).logprobs is None


async def test_a_refusal_is_filtered_and_says_why(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: ScriptedReply(refusal="I cannot say that.")) as (model, _):
        whole = await model.complete(hello)
        streamed = await model.complete(hello, lambda piece: None)
    assert (whole.text, whole.finish) == ("I cannot say that.", "filtered")
    assert (streamed.text, streamed.finish) == ("I cannot say that.", "filtered")


async def test_what_a_content_filter_stopped_is_filtered(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: ScriptedReply("Half", finish="content_filter")) as (model, _):
        assert (await model.complete(hello)).finish == "filtered"


async def test_a_reply_that_is_cut_says_so(serve: Serve) -> None:
    request = Request((Message("user", "Hi"),), max_tokens=3)
    async with serve(lambda call: "one two three four five") as (model, _):
        reply = await model.complete(request)
    assert (reply.text, reply.finish) == ("one two three", "length")


async def test_a_reply_that_is_longer_than_allowed_is_kept(serve: Serve) -> None:
    request = Request((Message("user", "Hi"),), max_tokens=3)
    scripted = ScriptedReply("one two three four five", ignores_max_tokens=True)
    async with serve(lambda call: scripted) as (model, _):
        reply = await model.complete(request)
    assert (reply.text, reply.finish) == ("one two three four five", "stop")


async def test_reasoning_that_used_up_the_reply_is_unusable(serve: Serve, hello: Request) -> None:
    async with serve(lambda call: ScriptedReply("", finish="length")) as (model, _):
        with pytest.raises(UnusableReply, match="50 tokens before it wrote anything"):
            await model.complete(hello)


@pytest.mark.parametrize(
    ("scripted", "words"),
    [
        (ScriptedReply(""), "its reply is empty"),
        (ScriptedReply(" \n"), "its reply is empty"),
        (ScriptedReply("", finish="SAFETY"), "withheld its reply .*SAFETY"),
        (ScriptedReply("", finish="content_filter"), "withheld its reply"),
        (ScriptedReply("", finish="weary"), "ended with .weary"),
        (ScriptedReply("<think>It was lit by Osla Brand"), "all reasoning"),
        (ScriptedReply("It was lit by Osla Brand.</think>"), "all reasoning"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_an_empty_reply_is_unusable_and_says_why(
    serve: Serve, hello: Request, scripted: ScriptedReply, words: str, is_streamed: bool
) -> None:
    async with serve(lambda call: scripted) as (model, _):
        with pytest.raises(UnusableReply, match=f"any-model wrote nothing: .*{words}"):
            await model.complete(hello, (lambda piece: None) if is_streamed else None)


@pytest.mark.parametrize("finish", ["error", "abort", "insufficient_system_resource"])
async def test_a_reply_that_its_server_gave_up_is_asked_for_again(
    serve: Serve, hello: Request, finish: str
) -> None:
    shown: list[str] = []

    def script(_: object) -> ScriptedReply | str:
        return ScriptedReply("Half a", finish=finish) if server.calls == 1 else "Whole."

    async with serve(script) as (model, server):
        reply = await Retrying(model, sleep=_at_once).complete(hello, shown.append)
    assert (reply.text, reply.finish, shown) == ("Whole.", "stop", ["Whole."])


async def _at_once(_: float) -> None: ...


async def test_half_characters_are_replaced_before_they_are_sent(serve: Serve) -> None:
    async with serve(lambda call: "Yes.") as (model, server):
        await model.complete(Request((Message("user", "odd \ud83d text"),)))
    assert server.served[0].messages[0].text == "odd ? text"


async def test_a_call_that_is_cancelled_leaves_a_model_that_works(
    serve: Serve, hello: Request
) -> None:
    arrived = asyncio.Event()

    def script(_: object) -> ScriptedReply:
        arrived.set()
        return ScriptedReply("Yes.", latency_s=60 if server.calls == 1 else 0)

    async with serve(script) as (model, server):
        task = asyncio.create_task(model.complete(hello))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await model.complete(hello)).text == "Yes."


LANGUAGES = st.sampled_from(
    [
        "The quick brown fox jumps over the lazy dog. ",
        "Все люди рождаются свободными и равными. ",
        "人生而自由，在尊严和权利上一律平等。",
        "すべての人間は、生まれながらにして自由であり、",
        "모든 인간은 태어날 때부터 자유로우며 ",
        "มนุษย์ทั้งหลายเกิดมามีอิสระ ",
        "سب انسان آزاد اور حقوق و عزت کے اعتبار سے برابر ",
        "1,234.5 (6,789) 2019-12-31 | ",
        "def f(x):\n        return {'a': x}\n",
        "😀🎉👩‍👩‍👧 ",
        "......... ----- ",
    ]
)


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(LANGUAGES | st.text(max_size=30), max_size=40), max_tokens=st.integers(1, 900)
)
async def test_prompt_and_reply_never_exceed_the_window(parts: list[str], max_tokens: int) -> None:
    window = 1_200
    request = Request((Message("user", "".join(parts)),), max_tokens=max_tokens)
    async with ScriptedServer(lambda call: "Yes.", ServerRules(window_tokens=window)) as server:
        card = find_card("any", window_tokens=window)
        model = RemoteModel(card, base_url=server.base_url, api_key=KEY)
        try:
            await model.complete(request)
        except ContextTooLong as error:
            assert "has about" in str(error)  # noqa: PT017 -- ours, not the server's
        finally:
            await model.close()
    assert 400 not in server.statuses
