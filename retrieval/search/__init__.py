"""Search: from the pages of documents to the passages that fit a question.

`index` builds what is searched and answers; `retriever` is what the rest of lcagent asks, whatever
is behind it. Below them, `analysis` and `layout` say what is indexed, `bm25` and `vectors` compare,
and `ranking` puts their scores together.
"""
