"""Asking: the choice of a method, what that costs, the graph, and the answer that comes of it."""
