"""What a second question costs that differs from the first in its last word: the prefix cache.

    python benchmarks/engine_prefix.py [--model examples/recall-model] [--tokens 8600]

Both prompts go through `-m local:` (each question in an event loop of its own, as scripts ask) and
through `lcagent serve`; printed are CPU seconds of the process that runs the model, on one thread:
threads of OpenMP spin while they wait, which on a busy machine counts as work.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from lcagent.concurrency import run_sync
from lcagent.models.chat_model import Message, Request
from lcagent.models.local import open_local

RECALL_MODEL = Path(__file__).parents[1] / "examples" / "recall-model"
WORDS = (" ba", " de", " fi", " go")
LAST_WORDS = ("baksha", "dekthe")
REPLY_TOKENS = 4


def main() -> None:
    """Print the CPU seconds of both questions, asked in both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=str(RECALL_MODEL))
    parser.add_argument("--tokens", type=int, default=8_600)
    options = parser.parse_args()
    window = 2 * options.tokens
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, here and by the server
    text = "".join(WORDS[number * number % 7 % 4] + "nvik" for number in range(options.tokens))
    prompts = [f"{text} KEY {word}" for word in LAST_WORDS]
    for name, costs in (
        ("-m local:", ask_in_process(options.model, prompts, window)),
        ("serve", ask_server(options.model, prompts, window)),
    ):
        first, second = costs
        print(f"{name:10} first {first:.2f} CPU s, second {second:.2f}: {second / first:.3f} of it")


def ask_in_process(model: str, prompts: list[str], window: int) -> list[float]:
    """Return the CPU seconds of each prompt, asked of a model in this process."""
    local = open_local(model, window_tokens=window)
    run_sync(local.complete(_request("KEY")))  # loads the weights
    requests = [_request(prompt) for prompt in prompts]
    print(f"{local.count_tokens(requests[0].messages):,} tokens in the first prompt")
    return [_cpu_s(lambda each=each: run_sync(local.complete(each))) for each in requests]


def ask_server(model: str, prompts: list[str], window: int) -> list[float]:
    """Return the CPU seconds that a server takes for each prompt."""
    command = [sys.executable, "-m", "lcagent", "serve", model, "--port", "0"]
    with subprocess.Popen([*command, "--context", str(window)], stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        url = server.stderr.readline().decode().split()[4]
        try:
            _post(url, Path(model).name, "KEY")
            costs = []
            for prompt in prompts:
                before = _used_s(server.pid)
                _post(url, Path(model).name, prompt)
                costs.append(_used_s(server.pid) - before)
            return costs
        finally:
            server.terminate()


def _request(text: str) -> Request:
    return Request((Message("user", text),), max_tokens=REPLY_TOKENS)


def _cpu_s(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def _post(url: str, model: str, text: str) -> None:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": REPLY_TOKENS,
        "temperature": 0,
    }
    content, headers = json.dumps(body).encode(), {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", content, headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310 -- our own server
        answer.read()


def _used_s(pid: int) -> float:
    """Return the CPU seconds that a process has used; Linux counts them in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
