"""The engine over the OpenAI API: chat, completions, memories, metrics.

`serving.serve` is what the command calls; `app.make_app` is the application without its sockets.
"""

__all__: list[str] = []
