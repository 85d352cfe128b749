"""The same bits, whatever the number of threads, be it more than there are cores."""

import numpy as np
import pytest
from helpers import same_bits

import numgrad as ng
from numgrad._arrays.run import flat

RNG = np.random.default_rng(0)
F = RNG.standard_normal((60, 70, 300))
X = np.cumsum(RNG.random(300) + 0.1)
ROWS = RNG.standard_normal((60_000, 10))
FORMULA = ng.symbolic.compile("x^2 sin(y)", "x y")
CASES = {
    "gradient": lambda: ng.gradient(F),
    "gradient, coordinates": lambda: ng.gradient(F, X, axis=2),
    "gradient, not compact": lambda: ng.gradient(F[:, ::-1, ::2]),
    "derivative": lambda: ng.derivative(F, 0.1, axis=0, accuracy=4),
    "laplacian": lambda: ng.laplacian(F),
    "smooth": lambda: ng.smooth(F[:2].ravel()).value,
    "descent": lambda: ng.gradient_descent(ROWS, ROWS[:, 0], n_iter=5, learning_rate=0.1, method="fused").theta,
    "rows": lambda: ng.CompressedRows().update(ROWS, ROWS[:, 0]).solve(),
    "formula": lambda: FORMULA(F[0], F[1])[1],
}


@pytest.mark.parametrize("name", CASES)
def test_any_number_of_threads(name, monkeypatch):
    monkeypatch.setattr(flat, "PARALLEL", 1)
    found = {}
    try:
        for threads in (1, 2, 3, 5, 8, 16):
            ng.set_num_threads(threads)
            result = CASES[name]()
            found[threads] = (
                list(map(np.asarray, result)) if isinstance(result, (tuple, list)) else [np.asarray(result)]
            )
    finally:
        ng.set_num_threads(None)
    for threads, results in found.items():
        assert all(map(same_bits, found[1], results)), threads
