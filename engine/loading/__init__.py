"""Loading: a checkpoint and its tokenizer, checked before anything large is read."""

__all__: list[str] = []
