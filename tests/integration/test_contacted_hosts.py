"""Whatever the environment says, nobody is contacted but the server of the model."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK = str(ROOT / "examples" / "sample" / "03-ferry.md")
LETTER = str(ROOT / "examples" / "sample" / "letter.md")
RECALL_MODEL = str(ROOT / "examples" / "recall-model")
RUNNER = str(Path(__file__).with_name("contacted_hosts.py"))

ELSEWHERE = "http://127.0.0.2:9"
"""Where variables send something to: this machine, and not the model's server."""

_TOLD_TO_SEND = {
    **dict.fromkeys(
        [
            "LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2",
            "LANGSMITH_OTEL_ENABLED", "LANGSMITH_GATEWAY", "FASTAPI_OTEL_AUTO_CONFIGURE",
            "LANGFUSE_ENABLED", "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
        ],
        "true",
    ),
    **dict.fromkeys(
        [
            "LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT", "LANGCHAIN_BASE_URL", "LANGGRAPH_API_URL",
            "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "HF_ENDPOINT", "HF_INFERENCE_ENDPOINT", "LLAMA_CLOUD_BASE_URL", "NLTK_DOWNLOAD_URL",
            "LANGFUSE_HOST", "WANDB_BASE_URL", "MLFLOW_TRACKING_URI", "PHOENIX_COLLECTOR_ENDPOINT",
            "AZURE_OPENAI_ENDPOINT", "AWS_BEDROCK_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY",
        ],
        ELSEWHERE,
    ),
    **dict.fromkeys(
        [
            "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
            "LLAMA_CLOUD_API_KEY", "AZURE_OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "COHERE_API_KEY",
        ],
        "a-key-of-somebody",
    ),
    **dict.fromkeys(["LANGSMITH_PROJECT", "LANGCHAIN_PROJECT", "OPENAI_ORG_ID"], "theirs"),
    **dict.fromkeys(
        ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"], "otlp"
    ),
    "LANGCHAIN_TRACING": "true",
    "LANGCHAIN_HANDLER": "langchain",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_METRIC_EXPORT_INTERVAL": "100",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "HF_HUB_DISABLE_TELEMETRY": "0",
    "PYTHONWARNINGS": "ignore",
}  # fmt: skip
"""What makes a library of ours, or one that is often beside it, send something somewhere."""

SERVED = ("--model", "openai:scripted", "--base-url", "SERVER", "--window", "6000")
ASK = ("ask", BOOK, "How many passengers does the ferry carry?")

WITHOUT_A_MODEL = [
    ("docs", "add", BOOK), ("docs", "ls"), ("docs", "verify"), ("search", BOOK, "the ferry"), ASK,
    ("summarize", BOOK, "--words", "60"), ("runs", "ls"), ("config", "show"),
    ("config", "prompts"), ("doctor",),
]  # fmt: skip
WITH_A_MODEL = [
    *((*ASK, *SERVED, "-s", method) for method in ("rag", "whole", "chain", "tree", "auto")),
    ("summarize", BOOK, "--words", "60", *SERVED),
    ("write", "A note on the ferry", "--words", "120", *SERVED),
    ("write", "A note on the ferry", "--from", BOOK, "--words", "120", *SERVED),
    ("docs", "rm", BOOK),
]  # fmt: skip
LOCAL = ("--model", f"local:{RECALL_MODEL}")
WITH_A_LOCAL_MODEL = [
    ("ask", LETTER, "Who wrote it?", *LOCAL, "-s", "whole"), ("memorize", LETTER, *LOCAL),
    ("memories", "ls"), ("memories", "verify"), ("doctor", *LOCAL),
    ("serve", "--plan", RECALL_MODEL),
]  # fmt: skip


def _contacted(
    commands: list[tuple[str, ...]],
    *,
    has_server: bool = False,
    settle_s: float = 0.0,
    may_say_nothing: bool = False,
) -> dict[str, list[str]]:
    """Return whom each command contacted besides its model's server, as this prints it, too."""
    given = {"commands": commands, "has_server": has_server, "settle_s": settle_s}
    done = subprocess.run(
        [sys.executable, RUNNER],
        input=json.dumps(given),
        env={**os.environ, **_TOLD_TO_SEND, "LCAGENT_EMBEDDER": "auto"},
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    told = json.loads(next(line for line in done.stderr.splitlines() if line.startswith("[[")))
    for command, status, hosts in told:
        sys.stdout.write(f"{command}: {', '.join(hosts) or 'nobody'}\n")
        assert status == 0 or (may_say_nothing and "wrote nothing" in done.stderr), done.stderr
    return {command: hosts for command, _, hosts in told if hosts}


@pytest.mark.slow
def test_only_the_server_of_the_model_is_contacted(tmp_path: Path) -> None:
    job = ("batch", "run", "ask", BOOK, "How many passengers does the ferry carry?", "-o")
    batch = [
        (*job, str(tmp_path / "quotes.jsonl")),
        (*job, str(tmp_path / "answers.jsonl"), *SERVED, "-s", "rag", "--yes"),
        ("batch", "status"),
    ]
    commands = [*WITHOUT_A_MODEL, *WITH_A_MODEL, *batch]
    assert _contacted(commands, has_server=True, settle_s=0.3) == {}


@pytest.mark.slow
def test_with_a_model_that_runs_here_nobody_is_contacted() -> None:
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("what runs local models is not installed")
    commands = list(WITH_A_LOCAL_MODEL)
    if importlib.util.find_spec("uvicorn") is not None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        commands.append(("serve", RECALL_MODEL, "--port", port))
    found = _contacted(commands, settle_s=0.3, may_say_nothing=True)
    served = {f"127.0.0.1:{commands[-1][-1]}", "127.0.0.1"}
    assert {command: hosts for command, hosts in found.items() if set(hosts) - served} == {}
