"""Policies: what a query sees of tokens that left its window. One published method per module."""

__all__: list[str] = []
