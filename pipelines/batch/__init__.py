"""Batch jobs: one task over thousands of documents, which goes on where it was stopped.

The database is the truth: items are rows, claimed by workers with a lease, and every item is a run
as any other. `planning` makes a job of what was asked for; `runner` carries it out, with `worker`
at its items and `output` writing their results; `estimate` says what it will take.
"""
