"""Summaries: of chapters or chunks, noted with quotes, then written to a length; or quoted."""
