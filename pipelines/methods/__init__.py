"""The methods, a folder each: its options, its steps, its graph, its cost, and its result.

Each folder exports one `METHOD`, which `pipelines.registry` lists; docs/architecture.md tells how
to add one.
"""
