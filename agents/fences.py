"""Fences: lines round text of documents, which that text cannot contain."""

import hashlib


def fence(text: str, name: str) -> str:
    """Return `text` between two lines that it cannot contain.

    They hold a digest of the text, so a document cannot close its own fence.
    """
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    return f"<{name} {mark}>\n{text.strip()}\n</{name} {mark}>"
