"""Scripts: what a scripted server replies, and how it counts tokens.

A script is a function from a call to a reply, so a test writes what it needs in Python. The
built-in scripts have names, for servers in processes of their own.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias

from lcagent.errors import UsageError
from lcagent.models.chat_model import Message, TokenLogprob
from lcagent.testing.stand_ins import read_facts, write_text

Fault: TypeAlias = Literal[
    "cut_before",  # the connection closes before a byte of the reply
    "cut_within",  # ... within the body, at half its length
    "half_body",  # half of it, sent as if it were the whole
    "garbage",  # a body that is no JSON
    "html",  # a page with status 200
    "no_choices",
    "null_choices",
]

_TOKEN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]|\w{1,16}|[^\w\s]+")
_PIECE = re.compile(r"\s*\S+\s*\Z|\s*\S+|\s+")


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A request as it reached the server.

    Attributes:
        number: Calls before it, refused ones included.
        body: The JSON that was sent.
    """

    number: int
    messages: tuple[Message, ...]
    body: Mapping[str, Any]

    @property
    def prompt(self) -> str:
        """The texts of all messages."""
        return "\n".join(message.text for message in self.messages)


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """A reply of the server, an error, or a fault.

    Attributes:
        finish: As the body says it; None for what `max_tokens` makes of it.
        status: Other than 200, `text` is the message of an error and `code` its code.
        refusal: A refusal in place of the text.
        usage: Where the usage is reported: "none", "zero", or as asked for.
        prompt_tokens: What is reported, in place of the server's count.
        logprobs: In place of made-up ones.
        ignores_max_tokens: The text is not cut.
        error: The whole body of an error, where it is not OpenAI's.
        sent: The body as it is to be sent, whatever else is said here, with the status and
            `content_type`: what another server was seen to send.
    """

    text: str = ""
    finish: str | None = None
    status: int = 200
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: Fault | None = None
    refusal: str | None = None
    usage: Literal["asked", "none", "zero"] = "asked"
    prompt_tokens: int | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    has_logprobs: bool = True
    ignores_max_tokens: bool = False
    latency_s: float = 0.0
    error: Mapping[str, Any] | None = None
    sent: bytes | None = None
    content_type: str = "application/json"


Script: TypeAlias = Callable[[ScriptedCall], ScriptedReply | str]


def count_tokens(text: str) -> int:
    """Count as the server does: words of up to 16 characters, ideographs, runs of other signs."""
    return sum(1 for _ in _TOKEN.finditer(text))


def split_pieces(text: str) -> list[str]:
    """Split a text into the pieces that the server streams."""
    return _PIECE.findall(text)


def first_tokens(text: str, limit: int) -> str:
    """Return the first `limit` tokens of a text."""
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number == limit:
            return text[: match.start()].rstrip()
    return text


def fixed(text: str = "Yes.") -> Script:
    """Always reply with the same text."""
    return lambda _: text


def with_faults(script: Script, faults: Mapping[int, ScriptedReply]) -> Script:
    """Reply to the calls with these numbers, from 0, with a fault; else as `script` does."""
    return lambda call: faults.get(call.number) or script(call)


def built_in(name: str, options: Mapping[str, Any]) -> Script:
    """Return the script of a name, as the command line of the server takes it.

    `options["faults"]` maps the number of a call to the fields of a `ScriptedReply`.

    Raises:
        UsageError: There is no such script, or it has no such option.
    """
    arguments = {key: value for key, value in options.items() if key != "faults"}
    makers: dict[str, Callable[..., Script]] = {
        "fixed": fixed,
        "facts": fact_script,
        "writer": writer_script,
    }
    if name not in makers:
        raise UsageError(f"no script {name!r}; there are: {', '.join(makers)}")
    known = {each.name for each in fields(ScriptedReply)}
    faults: dict[int, ScriptedReply] = {}
    for number, values in dict(options.get("faults", {})).items():
        if unknown := set(values) - known:
            raise UsageError(f"a fault has no {min(unknown)!r}; it has: {sorted(known)}")
        faults[int(number)] = replace(ScriptedReply(), **values)
    try:
        return with_faults(makers[name](**arguments), faults)
    except TypeError as error:
        raise UsageError(f"script {name!r}: {error}") from error


def fact_script(cap: int = 8) -> Script:
    """Collect and follow facts as `stand_ins.read_facts` does, at most `cap` a worker."""
    return lambda call: read_facts(call.prompt, cap)


def writer_script(share: float = 1.0, invented: float = 0.0) -> Script:
    """Plan and write as `stand_ins.write_text` does."""
    return lambda call: write_text(call.prompt, share, invented)
