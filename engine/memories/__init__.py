"""Memories: readings that are kept in folders, checked when they are opened, and named."""

__all__: list[str] = []
