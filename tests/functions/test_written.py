"""The quotients of derivatives of functions, as `explain` prints them."""

import numpy as np
import pytest

import numgrad as ng
from numgrad.functions import derivative, gradient, hessian, jacobian

pytestmark = pytest.mark.tier(0)


def check(explained, fun, x):
    """Each quotient is that of the function, and their weighted sum is the derivative."""
    n = explained.name.count("'")
    for h, quotient in zip(explained.steps, explained.quotients, strict=True):
        wanted = (fun(x + h) - fun(x - h)) / (2 * h) if n == 1 else (fun(x + h) - 2 * fun(x) + fun(x - h)) / h**2
        assert quotient == pytest.approx(wanted, rel=1e-9)
    total = sum([float(w) * d for w, d in zip(explained.weights, explained.quotients, strict=True)])
    assert total == pytest.approx(explained.value, abs=max(explained.error, 1e-12))
    assert float(sum(explained.weights)) == pytest.approx(1)
    shown = [float(line.split("= ")[1]) for line in repr(explained).splitlines() if line.startswith("  sum")]
    assert shown == [pytest.approx(explained.value, rel=1e-4, abs=explained.error)]


def test_quotients():
    for fun, slope in (np.sin, np.cos), (np.exp, np.exp), (np.tanh, lambda x: 1 / np.cosh(x) ** 2):
        (one,) = ng.explain(derivative, fun, 0.5, at=0)
        check(one, fun, 0.5)
        assert one.value == pytest.approx(slope(0.5), rel=1e-12)
        assert one.value == derivative(fun, 0.5).value
    for options in {"n": 2}, {"accuracy": 4, "step": 0.1}, {"accuracy": 2}:
        (one,) = ng.explain(derivative, np.exp, [0.0, 1.0], at=-1, **options)
        assert one.value == derivative(np.exp, [0.0, 1.0], **options).value[1]
        check(one, np.exp, 1.0)


def test_ends_and_what_has_none():
    (end,) = ng.explain(derivative, np.exp, 0.0, bounds=(0, 1), at=())
    assert "D(h) = (fun(x + h) - fun(x)) / h" in repr(end)
    (lost,) = ng.explain(derivative, np.log, -1.0, at=0)
    assert "no step gave a number" in repr(lost)


def test_several_variables():
    x = np.array([1.0, 2.0])
    slopes = ng.explain(gradient, lambda v: v[0] ** 2 * v[1], x, at=0)
    assert [one.name for one in slopes] == ["dfun/dx0 at [1, 2]", "dfun/dx1 at [1, 2]"]
    assert [one.value for one in slopes] == pytest.approx([4, 1])
    both = ng.explain(jacobian, lambda v: np.array([v[0] * v[1], v[0]]), np.array([[1.0, 3], [2, 5]]), at=1)
    assert [one.value for one in both] == pytest.approx([5, 3, 1, 0], abs=1e-12)
    assert both[0].name == "dfun[0]/dx0 at [3, 5]"
    second = ng.explain(hessian, lambda v: v[0] ** 2 * v[1], x, at=0)
    assert [one.value for one in second] == pytest.approx([4, 2, 2, 0], abs=1e-9)
    assert "/ (4 h k)" in repr(second[1])


def test_complex_and_vectorized():
    (one,) = ng.explain(derivative, lambda t: np.exp(1j * t), 0.5, at=0)
    assert one.value == pytest.approx(1j * np.exp(0.5j))
    assert "j)" in repr(one)
    scale = np.array([1.0, 2.0, 3.0])
    (one,) = ng.explain(derivative, lambda t, a: a * t**2, np.arange(3.0), vectorized=True, args=(scale,), at=2)
    assert one.value == pytest.approx(12)


@pytest.mark.tier(1)
def test_exact_derivatives_have_no_quotient():
    numba = pytest.importorskip("numba")
    (one,) = ng.explain(derivative, numba.njit(lambda t: t * t), 2.0, at=0)
    assert one.value == 4
    assert "without a quotient" in repr(one)


def test_wrong_places():
    with pytest.raises(IndexError, match="axis 0 of `x` has 2 points"):
        ng.explain(derivative, np.sin, [1.0, 2.0], at=2)
    with pytest.raises(IndexError, match="`x` has 0 dimensions"):
        ng.explain(derivative, np.sin, 1.0, at=1)
