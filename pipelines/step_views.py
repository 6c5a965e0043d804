"""Steps of a run as they are shown, whatever their method: by `runs show`, and by a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lcagent.storage.run_store import StoredStep


@dataclass(frozen=True, slots=True)
class StepFact:
    """A statement that a step noted, with its quote looked up.

    Attributes:
        status: Of the quote, as that of a citation.
    """

    label: str
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as it is shown, whatever its method.

    Attributes:
        pages: What it read: ids of documents, and places of pages in them, from 0.
        texts: What it handed on, each with a name; that of a reply is empty.
        calls: What each of its calls to a model cost.
    """

    key: str
    title: str
    pages: tuple[tuple[str, int], ...] = ()
    facts: tuple[StepFact, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    calls: tuple[Mapping[str, Any], ...] = ()


def view_of(step: "StoredStep", title: str, **more: Any) -> StepView:
    """Return a step as it is shown, its pages, reply and flags as all methods store them."""
    detail = step.detail
    texts = [(name, str(detail[key])) for name, key in _TEXTS if detail.get(key)]
    shown: dict[str, Any] = {
        "pages": tuple((document, page) for document, page in detail.get("pages", ())),
        "texts": tuple(texts),
        "flags": tuple(detail.get("flags", ())),
        "calls": tuple(step.calls),
    }
    return StepView(step.key, title, **{**shown, **more})


def describe_answer(step: "StoredStep") -> StepView | None:
    """Return the step that writes an answer, or chooses the method, as it is shown."""
    kind = step.key.partition("/")[0]
    return view_of(step, step.key) if kind in ("answer", "route") else None


_TEXTS = (("message", "message"), ("", "reply"))
