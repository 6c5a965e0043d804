"""Why a reply ended: the words of servers, in ours.

OpenAI's are `stop`, `length`, `content_filter` and `tool_calls`. Others send those of the model
behind them in upper case (Gemini's `MAX_TOKENS`), or tell of their own trouble (DeepSeek's
`insufficient_system_resource`, OpenRouter's `error`, SGLang's `abort`).
"""

from typing import Final, Literal, TypeAlias

Finish: TypeAlias = Literal["stop", "length", "filtered", "loop", "unknown"]
"""Only "stop" is a whole reply; see `Reply`."""

BROKEN: Final = "broken"
"""Of a reply that its server gave up; the same request may be answered the next time."""


def read_finish(told: str | None) -> Finish | Literal["broken"] | None:
    """Return why a reply ended; None where the server has not said that it did."""
    bare = _bare(told)
    if not bare:
        return None
    return _FINISHES.get(bare) or "unknown"


def cut_notes(finish: Finish) -> list[str]:
    """Return what is to be said of a text that ended so; nothing where it is whole."""
    why = _WHY_CUT.get(finish)
    return [f"the answer is cut off: {why}"] if why else []


def worse_finish(told: str | None, native: str | None) -> str | None:
    """Return which of two words to believe: the model's own, where the server calls it a stop.

    Args:
        native: `native_finish_reason`, with which OpenRouter passes on the word of the model.
    """
    is_known = _FINISHES.get(_bare(native), "stop") != "stop"
    return native if is_known and read_finish(told) == "stop" else told


def _bare(told: str | None) -> str:
    """Return a word without its enumeration ("FinishReason.MAX_TOKENS") and its case."""
    bare = (told or "").strip().rpartition(".")[2].lower().replace("-", "_").replace(" ", "_")
    return bare.removeprefix("finish_reason_")


_WHY_CUT: dict[Finish, str] = {
    "length": "it reached the longest reply that was allowed",
    "filtered": "the server withheld the rest",
    "loop": "the model repeated itself, and was stopped",
    "unknown": "the server ended it for a reason of its own",
}
_WORDS: dict[Finish | Literal["broken"], str] = {
    "stop": "stop stopped eos eos_token end_turn end stop_sequence stop_word stop_token complete "
    "completed done finish finished normal success",
    "length": "length max_tokens model_length max_length max_output_tokens max_new_tokens "
    "max_completion_tokens token_limit limit incomplete truncated context_length "
    "context_length_exceeded model_context_window_exceeded",
    "filtered": "content_filter content_filtered filtered filter safety recitation blocklist "
    "prohibited_content spii language image_safety refusal guardrail guardrail_intervened "
    "sensitive moderation blocked",
    "broken": "error abort aborted cancel cancelled canceled insufficient_system_resource "
    "network_error server_error internal_error timeout timed_out eos_error "
    "malformed_function_call unexpected_tool_call overloaded interrupted",
}
_FINISHES: dict[str, Finish | Literal["broken"]] = {
    word: finish for finish, words in _WORDS.items() for word in words.split()
}
