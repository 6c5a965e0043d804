"""Runs commands in one process and prints whom they contact, as JSON, command by command.

Started by `test_contacted_hosts.py`, under variables that send something somewhere if a library of
ours heeds them. Every address that Python connects to or looks up counts, from all threads.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from lcagent.cli.app import run
from lcagent.testing import ScriptedServer, writer_script

PATIENCE_S = 60.0
_EVENTS = {"socket.connect": 1, "socket.getaddrinfo": 0, "socket.sendto": 1}

contacted: set[str] = set()


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS:
        address = arguments[_EVENTS[event]]
        contacted.add(f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address))


def _serving(ready: threading.Event, found: list[str]) -> None:
    async def serve() -> None:
        async with ScriptedServer(writer_script()) as server:
            found.append(server.base_url)
            ready.set()
            await asyncio.sleep(3600)

    asyncio.run(serve())


def model_server() -> str:
    """Start a scripted model's server in a thread and return its base URL."""
    ready, found = threading.Event(), list[str]()
    threading.Thread(target=_serving, args=(ready, found), daemon=True).start()
    ready.wait(PATIENCE_S)
    return found[0]


def client_of(port: int) -> Callable[[], None]:
    """Return what asks a server of ours for a reply, then ends it as Ctrl-C does."""

    def ask() -> None:
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        body = {"model": "any", "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}]}
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        give_up_at = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_at:
            try:
                opener.open(request, timeout=PATIENCE_S).read()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.2)
        time.sleep(0.5)  # exporters send in batches
        os.kill(os.getpid(), signal.SIGINT)

    return ask


def main() -> None:
    """Run each command of the JSON on standard input."""
    given = json.load(sys.stdin)
    server = model_server() if given["has_server"] else ""
    sys.addaudithook(_watch)
    told: list[list[Any]] = []
    for arguments in given["commands"]:
        contacted.clear()
        command = [each.replace("SERVER", server) for each in arguments]
        if command[0] == "serve" and "--port" in command:
            port = int(command[command.index("--port") + 1])
            threading.Thread(target=client_of(port), daemon=True).start()
        status = run(command)
        time.sleep(given["settle_s"])  # what is sent in the background
        own = server.removeprefix("http://").removesuffix("/v1")
        told.append([" ".join(arguments), status, sorted(contacted - {own, own.partition(":")[0]})])
    sys.stdout.flush()
    sys.stderr.write(f"\n{json.dumps(told)}\n")


if __name__ == "__main__":
    main()
