"""Attention in parts: which keys each query sees, each part's result, and their merger."""

__all__: list[str] = []
