"""The engine over the OpenAI API: chat, completions, memories, metrics."""

__all__: list[str] = []
