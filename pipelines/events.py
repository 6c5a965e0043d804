"""What a run tells whoever watches it while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lcagent.results import Plan, Result, SearchResult


@dataclass(frozen=True, slots=True)
class Planned:
    """What the run may take is known, and its method unless the model is asked for that."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class MethodChosen:
    """The method is chosen."""

    strategy: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step ended.

    Attributes:
        done, total: Of the steps of its kind; `total` is 0 where it is not known.
        where: What it read, in words ("p. 12-15"), or an empty string.
        calls, tokens, usd: Of the run so far; cached calls are not counted.
    """

    what: str
    done: int
    total: int
    where: str
    calls: int
    tokens: int
    usd: float | None


@dataclass(frozen=True, slots=True)
class AnswerText:
    """A piece of the answer as it is written, without marks: nothing in it is checked yet.

    Attributes:
        is_restart: What was shown before is void: the call is tried again.
    """

    text: str
    is_restart: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has ended; the last event of `Session.events`."""

    result: Result | SearchResult


Event: TypeAlias = Planned | MethodChosen | StepDone | AnswerText | Finished
OnEvent: TypeAlias = Callable[[Event], None]
