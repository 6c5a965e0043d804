"""Readers: one module per format turns the bytes of a file into pages of text.

`base.py` says what a reader is, `formats.py` finds out what a file is, whatever its name says,
and `isolation.py` runs the readers in a process that can be killed and limited.
"""
