"""Search: from the pages of documents to the passages that fit a question.

`words` and `layout` say what is indexed, `lexical` ranks by words, `dense` by meaning, `fusion`
puts both together, and `retriever` is what the rest of lcagent calls.
"""
