"""From the name of a policy to the policy."""

from lcagent.engine.config import KVCacheConfig
from lcagent.engine.policies.full import FullPolicy
from lcagent.engine.policies.infllm import InfLLMPolicy
from lcagent.engine.policies.longheads import LongHeadsPolicy
from lcagent.engine.policies.policy import Policy
from lcagent.engine.policies.streaming import StreamingPolicy
from lcagent.engine.policies.window import WindowPolicy


def make_policy(config: KVCacheConfig, sliding_window: int | None) -> Policy:
    """Return the policy of a layer; a layer with a window of its own needs no layer."""
    if sliding_window is not None:
        return WindowPolicy(0, sliding_window, config.chunk_tokens)
    sizes = (config.init_tokens, config.window_tokens, config.chunk_tokens)
    match config.policy:
        case "infllm":
            return InfLLMPolicy(config)
        case "longheads":
            return LongHeadsPolicy(config)
        case "window":
            return WindowPolicy(*sizes)
        case "streaming":
            return StreamingPolicy(*sizes)
        case "full":
            return FullPolicy()
