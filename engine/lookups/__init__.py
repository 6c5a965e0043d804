"""Lookups: which blocks matter to a query. One way of comparing per module."""

__all__: list[str] = []
