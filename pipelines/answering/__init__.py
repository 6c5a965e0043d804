"""Answering a question: the choice of a method, its cost, the graph, and the answer."""
