"""What lcagent remembers between runs: documents, chunks, vectors, indexes and runs.

SQLite in lcagent's home folder by default, PostgreSQL by URL, the same code for both. The
functions here are synchronous; callers in async code use `asyncio.to_thread`.
"""
