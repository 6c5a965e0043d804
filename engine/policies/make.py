"""From the name of a policy to the policy."""

from lcagent.engine.config import MemoryConfig
from lcagent.engine.policies.base import Policy
from lcagent.engine.policies.full import Full
from lcagent.engine.policies.infllm import InfLLM
from lcagent.engine.policies.longheads import LongHeads
from lcagent.engine.policies.streaming import Streaming
from lcagent.engine.policies.window import Window


def make_policy(config: MemoryConfig, sliding_window: int | None) -> Policy:
    """Return the policy of a layer; a layer with a window of its own needs no memory."""
    if sliding_window is not None:
        return Window(0, sliding_window, config.chunk_tokens)
    sizes = (config.init_tokens, config.window_tokens, config.chunk_tokens)
    match config.policy:
        case "infllm":
            return InfLLM(config)
        case "longheads":
            return LongHeads(config)
        case "window":
            return Window(*sizes)
        case "streaming":
            return Streaming(*sizes)
        case "full":
            return Full()
