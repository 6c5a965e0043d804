r"""Record what a server replies to the checks of the contract, as a dialect that tests replay.

    .ci/real-models build/real-models
    cd build/real-models
    venv/bin/python ../../benchmarks/llama_server.py smollm2-135m.gguf &
    cd ../..
    python tests/contract/record_server.py http://127.0.0.1:8101/v1 smollm2-135m \
        "llama.cpp, of xllamacpp 2026.10.11549" --logprobs --window 8192 \
        > tests/contract/dialects/llama-cpp.txt

A check that the server does not pass is told on standard error, and recorded all the same.
"""

import argparse
import asyncio
import json
import os
import sys
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from server_checks import CHECKS, Check, Exchange, Traits, write_dialect

from lcagent.models.choose import find_card
from lcagent.models.remote import RemoteModel
from lcagent.testing import ScriptedCall, ScriptedReply, ScriptedServer

WINDOW = 100_000
"""What a model is believed to have, so that the server is the one to say that it has less."""


async def record(check: Check, url: str, name: str, traits: Traits) -> list[Exchange]:
    """Return what the server sent while a check was made of it."""
    sent: list[Exchange] = []

    def relay(call: ScriptedCall) -> ScriptedReply:
        # It blocks the loop, which has nothing else to do: the server is another process.
        status, content_type, body = _post(f"{url}/chat/completions", dict(call.body))
        sent.append(Exchange(status, content_type.split(";")[0], body.decode()))
        return ScriptedReply(status=status, sent=body, content_type=content_type)

    async with ScriptedServer(relay) as server:
        card = find_card(name, window_tokens=WINDOW)
        model = RemoteModel(card, base_url=server.base_url, api_key="none")
        try:
            await check(model, traits)
        except Exception as error:  # noqa: BLE001 -- what it sent is worth having
            sys.stderr.write(f"{check.__name__}: {type(error).__name__}: {error}\n")
        finally:
            await model.close()
    return sent


def _post(url: str, body: dict[str, object]) -> tuple[int, str, bytes]:
    key = os.environ.get("LCAGENT_API_KEY", "none")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = HttpRequest(url, json.dumps(body).encode(), headers)  # noqa: S310 -- asked for
    try:
        with urlopen(request) as response:  # noqa: S310
            return response.status, response.headers.get_content_type(), response.read()
    except HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read()


def main() -> None:
    """Record all checks, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="base URL of the server")
    parser.add_argument("model", help="as the server knows it")
    parser.add_argument("server", help="what the server is, with its version")
    parser.add_argument("--logprobs", action="store_true", help="it has log-probabilities")
    parser.add_argument("--json", default="json_schema", help="json_schema, json_object or none")
    parser.add_argument("--window", type=int, help="tokens, if its error tells them")
    given = parser.parse_args()
    traits = Traits(logprobs=given.logprobs, json=given.json, window=given.window)
    exchanges = {
        name: asyncio.run(record(check, given.url, given.model, traits))
        for name, check in CHECKS.items()
    }
    sys.stdout.write(write_dialect(given.server, traits, exchanges))


if __name__ == "__main__":
    main()
