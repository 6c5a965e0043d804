"""What it means when the model fails: our own errors stay, and memory may come free again."""

import torch

from lcagent.errors import LcagentError, ModelUnavailable

OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")


def as_lcagent_error(error: Exception) -> LcagentError:
    """Return the error that tells who can mend this one."""
    if isinstance(error, LcagentError):
        return error
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    is_memory = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    if is_memory or any(words in str(error) for words in OUT_OF_MEMORY):
        return ModelUnavailable(f"out of memory: {reason}", retry_after_s=5.0)
    return ModelUnavailable(f"the model failed: {type(error).__name__}: {reason}")
