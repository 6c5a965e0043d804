"""Choosing the method that answers a question."""
