"""`lcagent serve`: a local model behind OpenAI's interface, with the memories of the store."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lcagent.engine.engine import find_files, load_engine, open_checkpoint
from lcagent.errors import MissingExtra
from lcagent.local_options import LocalOptions
from lcagent.settings import load_settings


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where a server listens, and how its model runs.

    Attributes:
        api_key: What clients must send; a server that others can reach needs one.
        context_tokens: Prompt and reply together; by default what the model was trained for, but
            not less than our prompts need.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = field(default=None, repr=False)
    context_tokens: int | None = None
    local: LocalOptions = field(default_factory=LocalOptions)


def serve(model: str, options: ServeOptions, on_ready: Callable[[str, str], None]) -> None:
    """Serve a model until it is interrupted. Blocks.

    Args:
        model: A folder, a GGUF file or `hub:OWNER/NAME`, with or without "local:" before it.
        on_ready: Is told the name of the model and the URL when clients can connect.

    Raises:
        UsageError: The server may not listen there without a key, or the port is taken.
        ModelNotUsable: The engine cannot run the model.
        MissingExtra: What serves is not installed.
    """
    files = find_files(model.removeprefix("local:"))
    try:
        from lcagent.engine.server.running import (  # noqa: PLC0415 -- imports FastAPI and torch
            ServerSettings,
            run_server,
            take_port,
        )
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lcagent"):  # a mistake of ours
            raise
        raise MissingExtra("a server of a local model", "serve") from error
    settings = ServerSettings(options.host, options.port, options.api_key)
    local = replace(options.local, memories=load_settings().memories)
    checkpoint = open_checkpoint(files, local, context_tokens=options.context_tokens)
    with take_port(settings) as taken:
        engine = load_engine(checkpoint, settings.limits)
        run_server(engine, settings, taken, lambda url: on_ready(files.name, url))
