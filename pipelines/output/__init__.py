"""Texts as files: Markdown, DOCX, HTML."""
