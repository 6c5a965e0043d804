"""Keeping numpy on one thread."""

import pytest

from lcagent.retrieval.embedding.minilm_numpy import _find_openblas, one_blas_thread


def test_one_thread_inside_and_as_many_as_before_outside() -> None:
    blas = _find_openblas()
    if blas is None:
        pytest.skip("this numpy has no OpenBLAS")
    library, name = blas
    get_num_threads = library[name.format("get")]
    before = get_num_threads()
    with one_blas_thread():
        assert get_num_threads() == 1
    assert get_num_threads() == before
