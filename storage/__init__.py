"""The store: documents, chunks, terms, vectors, replies and runs, kept between runs.

SQLite in lcagent's home folder by default, PostgreSQL by URL, with the same code for both. There is
one class for each kind of row, over one open `Database`. All methods block; async code calls them
through `asyncio.to_thread`.
"""
