"""Readers: one module per format turns the bytes of a file into pages of text.

`reader.py` says what a reader is and names them all, `formats.py` finds out what a file is,
whatever its name says, and `isolation.py` runs the readers in a process that can be killed.
"""
