"""Run a scripted server in a process of its own: `python -m lcagent.testing --script facts`.

It prints its URL, and lives until it is terminated.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lcagent.errors import UsageError
from lcagent.testing.scripted_server import ScriptedServer, ServerRules
from lcagent.testing.scripts import Script, built_in


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a built-in script until the process is terminated."""
    parser = argparse.ArgumentParser(prog="python -m lcagent.testing")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--script", default="fixed", help="fixed, facts or writer")
    parser.add_argument("--options", type=json.loads, default={}, help="of the script, as JSON")
    parser.add_argument("--window", type=int, default=1_000_000, help="tokens")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each reply")
    parser.add_argument("--nonces", action="store_true", help="mark each reply by a unique word")
    parser.add_argument(
        "--reject", action="append", default=[], help="a parameter; may be repeated"
    )
    parser.add_argument("--transcript", type=Path, help="file for a line of JSON per request")
    given = parser.parse_args(arguments)
    rules = ServerRules(
        window_tokens=given.window,
        latency_s=given.latency,
        has_nonces=given.nonces,
        rejected=frozenset(given.reject),
        transcript=given.transcript,
    )
    try:
        script = built_in(given.script, given.options)
    except UsageError as error:
        parser.error(str(error))
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(script, rules, given.port))
    return 0


async def _serve(script: Script, rules: ServerRules, port: int) -> None:
    async with ScriptedServer(script, rules, port) as server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    sys.exit(main())
