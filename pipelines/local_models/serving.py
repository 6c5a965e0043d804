"""`lcagent serve`: a local model behind OpenAI's interface, with the memories of the store."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lcagent.errors import MissingExtra
from lcagent.models.chat_model import DEFAULT_WINDOW_TOKENS
from lcagent.models.local_options import LocalOptions
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
    api_key: str | None = None
    context_tokens: int | None = None
    local: LocalOptions = field(default_factory=LocalOptions)


def serve(model: str, options: ServeOptions, on_ready: Callable[[str, str], None]) -> None:
    """Serve a model until it is interrupted. Blocks.

    Args:
        model: A folder or a hub id, with or without "local:" before it.
        on_ready: Is told the name of the model and the URL when clients can connect.

    Raises:
        UsageError: The server may not listen there without a key, or the port is taken.
        ModelNotUsable: The engine cannot run the model.
        MissingExtra: What serves is not installed.
    """
    from lcagent.engine.loading.files import find_files  # noqa: PLC0415
    from lcagent.engine.server.settings import ServerSettings  # noqa: PLC0415

    settings = ServerSettings(
        host=options.host,
        port=options.port,
        api_key=options.api_key,
        memories=load_settings().memories,
    )
    files = find_files(model.removeprefix("local:"))
    try:
        from lcagent.engine.loading.checkpoint import (  # noqa: PLC0415 -- imports torch
            check_placing,
            open_weights,
        )
        from lcagent.engine.memory_options import fitting_policy, layout  # noqa: PLC0415
        from lcagent.engine.model import LocalModel  # noqa: PLC0415
        from lcagent.engine.server.running import run_server, take_port  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("lcagent"):  # a mistake of ours
            raise
        raise MissingExtra("a server of a local model", "serve") from error
    check_placing(options.local.device, options.local.dtype)
    with take_port(settings) as taken:
        opened = open_weights(files, device=options.local.device, dtype=options.local.dtype)
        own = files.shape.window_tokens
        context = options.context_tokens or max(own, DEFAULT_WINDOW_TOKENS)
        memory = layout(
            opened.model.config,
            policy=fitting_policy(options.local.policy, context_tokens=context, own_tokens=own),
            store=options.local.store,
            store_dtype=options.local.store_dtype,
        )
        served = LocalModel(opened, memory, context)
        run_server(served, settings, taken, lambda url: on_ready(files.name, url))
