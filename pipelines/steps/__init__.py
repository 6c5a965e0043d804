"""The steps of each method: small state in, small changes out, without LangGraph.

`graphs/` makes graphs of them. Each step is a plain function, so that it can be tested, and run,
alone.
"""
