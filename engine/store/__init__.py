"""Where keys and values of blocks are kept: beside the model, in memory, or in mapped files."""

__all__: list[str] = []
