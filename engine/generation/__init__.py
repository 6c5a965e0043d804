"""Generation: from logits to tokens, from tokens to text, for several texts at once."""

__all__: list[str] = []
