"""The network in numpy."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lcagent.retrieval.embedding.minilm_numpy import erf, gelu


@given(st.floats(-20, 20, width=32))
def test_erf_is_the_error_function(x: float) -> None:
    assert abs(float(erf(np.array([x], np.float32))[0]) - math.erf(x)) < 1e-6


def test_gelu_is_the_exact_one_and_not_its_tanh_approximation() -> None:
    x = np.linspace(-6, 6, 1001, dtype=np.float32)
    exact = [v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x.tolist()]
    np.testing.assert_allclose(gelu(x), exact, atol=3e-6)
