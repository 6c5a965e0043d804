"""The methods: each module is one way to read long texts, as plain functions.

A role of a method (a quoter, a worker, a manager) is a function here, testable without
LangGraph; `pipelines/` makes graphs of them.
"""
