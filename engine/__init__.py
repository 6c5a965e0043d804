"""The local engine: one decoder model over texts far beyond its window, with InfLLM memory.

`model.LocalModel` is what the rest of lcagent uses; `server.serve` is the same over the OpenAI API.
Xiao et al., InfLLM, NeurIPS 2024, https://arxiv.org/abs/2402.04617.
"""

__all__: list[str] = []
