"""Keeping the matrix products of numpy on one thread.

OpenBLAS spins while its threads wait for each other: on a busy machine of two cores that made
a text of 256 word pieces cost 0.75 CPU seconds instead of 0.15. Its own switch is in no API of
numpy; the package threadpoolctl finds it in the same way.
"""

import ctypes
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module

_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)


@contextmanager
def one_blas_thread() -> Generator[None]:
    """Let OpenBLAS use one thread inside the block, in the whole process; else do nothing."""
    blas = _find_openblas()
    if blas is None:
        yield
        return
    library, name = blas
    before = library[name.format("get")]()
    library[name.format("set")](1)
    try:
        yield
    finally:
        library[name.format("set")](before)


def _find_openblas() -> tuple[ctypes.CDLL, str] | None:
    try:
        # A look-up in the extension finds the symbols of the libraries it is linked to.
        library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except (ImportError, OSError):
        return None
    return next(((library, n) for n in _NAMES if hasattr(library, n.format("set"))), None)
