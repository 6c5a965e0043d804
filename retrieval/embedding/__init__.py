"""Embedders: texts as vectors, so that passages are found by what they mean.

`embedder.py` says what an embedder is and `choose.py` builds one from its name. The default,
all-MiniLM-L6-v2, is in the `minilm*.py` modules. Nothing heavy is imported before it is used.
"""

from lcagent.retrieval.embedding.choose import EmbedderChoice, choose_embedder
from lcagent.retrieval.embedding.embedder import Embedder

__all__ = ["Embedder", "EmbedderChoice", "choose_embedder"]
