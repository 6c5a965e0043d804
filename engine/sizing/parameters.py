"""How many parameters a model has, by its shape.

All families that the engine is tested with have the same skeleton: embeddings, and layers of
attention with grouped heads and of a gated network. They differ in biases and norms.
"""

from lcagent.engine.sizing.shape import Shape

KNOWN_FAMILIES = frozenset(
    {
        *("llama", "mistral", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text"),
        *("gpt_oss", "olmo2", "glm4", "granite", "smollm3", "mixtral", "qwen3_moe"),
    }
)
"""Whose parameters are counted exactly; others have about so many."""

_FOUR_NORMS = ("gemma2", "gemma3_text", "glm4")
_NORMS_PER_HEAD = ("qwen3", "qwen3_moe", "gemma3_text")
_BIASED_UNLESS_SAID = ("gpt_oss", "glm4")
_BIASED_BUT_FOR_OUTPUT = ("qwen2", "glm4")


def count_parameters(shape: Shape) -> int:
    """Return the number of parameters; tied embeddings count once."""
    embeddings = shape.vocab_size * shape.hidden_size
    layer = _attention(shape) + _network(shape) + _norms(shape)
    return embeddings * (1 if shape.is_tied else 2) + len(shape.windows) * layer + shape.hidden_size


def _attention(shape: Shape) -> int:
    queries = shape.num_heads * shape.head_dim
    keys = shape.num_kv_heads * shape.head_dim
    weights = shape.hidden_size * (2 * queries + 2 * keys)
    sinks = shape.num_heads if shape.family == "gpt_oss" else 0
    is_biased = shape.config.get("attention_bias", shape.family in _BIASED_UNLESS_SAID)
    if shape.family != "qwen2" and not is_biased:
        return weights + sinks
    on_output = 0 if shape.family in _BIASED_BUT_FOR_OUTPUT else shape.hidden_size
    return weights + sinks + queries + 2 * keys + on_output


def _network(shape: Shape) -> int:
    told, hidden = shape.config, shape.hidden_size
    experts = int(told.get("num_local_experts") or told.get("num_experts") or 0)
    width = int((experts and told.get("moe_intermediate_size")) or shape.intermediate_size)
    biases = 2 * width + hidden if told.get("mlp_bias") or shape.family == "gpt_oss" else 0
    network = 3 * hidden * width + biases
    if not experts:
        return network
    router = hidden * experts + (experts if shape.family == "gpt_oss" else 0)
    return experts * network + router


def _norms(shape: Shape) -> int:
    norms = (4 if shape.family in _FOUR_NORMS else 2) * shape.hidden_size
    if shape.family in _NORMS_PER_HEAD:
        norms += 2 * shape.head_dim
    if shape.family == "olmo2":
        norms += (shape.num_heads + shape.num_kv_heads) * shape.head_dim
    return norms
