"""The local engine: one decoder model over texts far beyond its window, with InfLLM memory."""

__all__: list[str] = []
