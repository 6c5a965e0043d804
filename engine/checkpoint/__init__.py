"""Checkpoints by their files: whole, safe to load, and known without torch."""

__all__: list[str] = []
