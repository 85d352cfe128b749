"""Quantities are refused where results would lose units; NumPy's own gradient stays when np.gradient is replaced."""

import subprocess
import sys

import numpy as np
import pytest

import numgrad as ng
from numgrad import functions

X = np.arange(6.0) ** 2
A = np.arange(6.0)[:, None]


@pytest.mark.parametrize("library", ["astropy.units", "pint"])
def test_quantities(library):
    module = pytest.importorskip(library)
    m = module.UnitRegistry().m if library == "pint" else module.m
    q, h, v = X * m, 2.0 * m, np.array([np.outer(X, X)] * 2)
    for call in (
        lambda: ng.derivative(X, h),
        lambda: ng.derivative(X, (X + 1) * m, n=2),
        lambda: ng.derivative([1 * m, 2 * m, 3 * m]),
        lambda: ng.derivative([[1.0, 2.0], [3 * m, 2.0]]),
        lambda: ng.derivative(X, list(q)),
        lambda: ng.turning_points(q),
        lambda: ng.turning_points(X, q),
        lambda: ng.hessian(v[0], h),
        lambda: ng.jacobian(v, h, 1.0),
        lambda: ng.weights(q, 0, 1),
        lambda: ng.weights(list(q), 0, 1),
        lambda: ng.weights([0, 1], h, 1),
        lambda: ng.Stencil.from_offsets(q),
        lambda: functions.derivative(np.sin, h),
        lambda: functions.gradient(np.sum, q),
        lambda: functions.derivative(np.sin, 2.0, step=h),
        lambda: functions.derivative(np.sin, 2.0, bounds=(0 * h, 3.0)),
        lambda: functions.derivative(lambda t: t * h, 2.0),
        lambda: functions.derivative(lambda t: [t, t * h], X),
        lambda: functions.derivative(lambda t: t * h, X, vectorized=True),
        lambda: functions.hessian(lambda t: t[0] * h, X),
        lambda: ng.gradient_descent(A * m, X),
        lambda: ng.gradient_descent(A, q),
        lambda: ng.gradient_descent(A, list(q)),
        lambda: ng.gradient_descent([[1.0 * m], [2.0 * m]], [1.0, 2]),
        lambda: ng.gradient_descent(A, X, sample_weight=h),
        lambda: ng.gradient_descent(A, X, theta0=[h]),
        lambda: ng.CompressedRows().update(A, q),
        lambda: ng.step_size(A * m),
    ):
        with pytest.raises(TypeError, match=r"is in units of 'm.*by `.(value|magnitude)`, and multiply"):
            call()
    with pytest.raises(TypeError, match="out"):
        ng.derivative(X, n=2, out=q.copy())
    for given in (q,), (q, h), (X, h), (X, q + h):
        expected, got = np.gradient(*given), ng.gradient(*given)
        assert type(got) is type(expected)
        assert str(got) == str(expected)


@pytest.mark.parametrize(
    "first", ["import numgrad", "import numgrad.regression", "import numgrad._arrays.gradient", "pass"]
)
def test_np_gradient_may_be_replaced(first):
    code = f"""{first}
import numpy as np
def wrapper(*given, **options):
    import numgrad
    return numgrad.gradient(*given, **options)
np.gradient = wrapper
print(np.gradient(np.zeros(3, "f2")).dtype)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "float16"
