"""Weights and stencils: exact rationals, SymPy, moments, errors."""

from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import numgrad as ng
from numgrad import Stencil, weights

sympy = pytest.importorskip("sympy")


def exact(points, x0, n):
    """SymPy's weights, which are rationals, in its own order of the points."""
    found = sympy.finite_diff_weights(n, [sympy.Rational(Fraction(p)) for p in points], sympy.Rational(Fraction(x0)))
    return np.array([float(w) for w in found[n][-1]])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("accuracy", [2, 4, 8, 12, 20])
def test_integer_offsets_equal_sympy(n, accuracy):
    """Central, one-sided and in between: to the last bit."""
    count = n + accuracy
    for first in (0, -count + 1, -(count // 2), -1):
        points = range(first, first + count)
        assert np.array_equal(weights(points, 0, n), exact(points, 0, n))


def test_any_points_equal_sympy():
    points = np.random.default_rng(0).random(9) * 4
    for n in range(9):
        assert np.array_equal(weights(points, 0.3, n), exact(points, 0.3, n))


def test_many_formulas_at_once():
    rng = np.random.default_rng(1)
    points = np.cumsum(rng.random((20, 3, 7)) + 0.1, axis=-1)
    points = rng.permuted(points, axis=-1)
    x0 = points[..., 2] + 0.05
    for n in range(7):
        got = weights(points, x0, n)
        assert got.shape == points.shape
        for i in np.ndindex(20, 3):
            expected = exact(points[i], x0[i], n)
            assert np.allclose(got[i], expected, rtol=1e-12, atol=1e-13 * abs(expected).max())
    shared = weights(points[0, 0], [0.1, 0.2, 5.0], 2)
    assert shared.shape == (3, 7)
    assert np.allclose(shared[1], weights(points[0, 0], 0.2, 2), rtol=1e-12)


@pytest.mark.parametrize("start", [2**53 + 1, 17 * 10**17 + 1, -(2**63), 2**64 - 500, 2**70 + 1])
def test_large_integers_keep_their_digits(start):
    """Nanoseconds since 1970: what counts is the distance to x0, however the integers are given."""
    offsets, at = np.array([0, 100, 105, 300, 499]), 103
    points = [start + o for o in offsets.tolist()]
    forms = [points]
    if start < 2**70:
        forms.append(np.array(points, "u8" if start > 0 else "i8"))
    for n in (0, 1, 3):
        expected = weights(offsets, at, n)
        for form in forms:
            assert np.array_equal(weights(form, start + at, n), expected)
            many = weights([form, form], np.array([start + at, start + at], np.asarray(form).dtype), n)
            assert np.allclose(many, expected, rtol=1e-13, atol=1e-13 * abs(expected).max())
        # A number of floating point stands for itself.
        assert np.array_equal(weights(points, float(start), n), exact(points, float(start), n))


def test_floating_point_is_stable():
    """Where the system of the moments has no digits left."""
    points = np.linspace(-1, 1, 25)
    got = weights(points[None], [-1.0], 1)[0]
    expected = exact(points, -1.0, 1)
    assert abs(got - expected).max() < 1e-11 * abs(expected).max()
    vandermonde = np.linalg.solve(np.vander(points + 1, increasing=True).T, np.eye(25)[1])
    assert abs(vandermonde - expected).max() > 1e-6 * abs(expected).max()


def test_many_points_in_one_formula():
    """Beyond exact arithmetic: Chebyshev points, whose weights stay tame."""
    x = np.cos(np.arange(101) * np.pi / 100)
    assert abs(weights(x, 0.1, 1) @ np.sin(3 * x) - 3 * np.cos(0.3)) < 1e-10


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.integers(-30, 30), min_size=2, max_size=9, unique=True),
    st.integers(1, 8),
    st.lists(st.integers(-5, 5), min_size=1, max_size=9),
)
def test_exact_for_polynomials(points, n, coefficients):
    if n >= len(points):
        return
    p = np.polynomial.Polynomial(coefficients[: len(points)])
    got = sum(Fraction(w) * Fraction(int(p(x))) for w, x in zip(weights(points, 0, n), points, strict=True))
    scale = sum(abs(w) * abs(p(x)) for w, x in zip(weights(points, 0, n), points, strict=True))
    assert abs(float(got) - p.deriv(n)(0)) <= 1e-15 * len(points) * max(scale, 1e-300)


STENCILS = {
    Stencil.central(): ((-1, 1), (-0.5, 0.5), 2),
    Stencil.central(2): ((-1, 0, 1), (1, -2, 1), 2),
    Stencil.central(1, 4): ((-2, -1, 1, 2), (1 / 12, -2 / 3, 2 / 3, -1 / 12), 4),
    Stencil.central(3, 2): ((-2, -1, 1, 2), (-0.5, 1, -1, 0.5), 2),
    Stencil.forward(1, 1): ((0, 1), (-1, 1), 1),
    Stencil.forward(): ((0, 1, 2), (-1.5, 2, -0.5), 2),
    Stencil.backward(2, 1): ((-2, -1, 0), (1, -2, 1), 1),
    Stencil.from_offsets([1, 0, -1], 2): ((-1, 0, 1), (1, -2, 1), 2),
    Stencil.from_offsets([-0.5, 0.5]): ((-0.5, 0.5), (-1, 1), 2),
}


@pytest.mark.parametrize("stencil", STENCILS, ids=repr)
def test_known_stencils(stencil):
    offsets, expected, accuracy = STENCILS[stencil]
    assert stencil.offsets == offsets
    assert stencil.weights == expected
    assert stencil.accuracy == accuracy


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("accuracy", [2, 4, 6, 8, 14, 20])
def test_width_and_order_of_accuracy(n, accuracy):
    central, forward, backward = (make(n, accuracy) for make in (Stencil.central, Stencil.forward, Stencil.backward))
    assert len(forward.offsets) == n + accuracy
    assert backward.offsets == tuple(-o for o in reversed(forward.offsets))
    assert max(central.offsets) == (n + 1) // 2 + accuracy // 2 - 1
    assert (0 in central.offsets) == (n % 2 == 0), "no weight at the point for odd n"
    for stencil in (central, forward, backward):
        assert (stencil.n, stencil.accuracy) == (n, accuracy)
        if n + accuracy > 9:
            continue  # where h is small enough for the order to be seen, rounding hides it
        errors = []
        for h in (0.1, 0.05):
            samples = np.exp(np.array(stencil.offsets) * h)
            errors.append(abs(np.dot(stencil.weights, samples) / h**n - 1))
        if errors[1] > 1e-11:
            assert abs(np.log2(errors[0] / errors[1]) - accuracy) < 0.5


def test_representation():
    assert repr(Stencil.central(3)) == "f''' = (-1/2 f[-2] + 1 f[-1] - 1 f[1] + 1/2 f[2]) / h^3 + O(h^2)"
    assert repr(Stencil.forward(4, 1)) == "f^(4) = (1 f[0] - 4 f[1] + 6 f[2] - 4 f[3] + 1 f[4]) / h^4 + O(h)"
    assert repr(Stencil.from_offsets([-0.5, 0.25])) == "f' = (-4/3 f[-0.5] + 4/3 f[0.25]) / h + O(h)"


def test_it_is_a_value():
    a, b = Stencil.central(1, 4), Stencil.central(1, 4)
    assert a == b
    assert hash(a) == hash(b)
    with pytest.raises(FrozenInstanceError):
        a.n = 2


BAD = {
    "negative n": (lambda: weights([0, 1], 0, -1), ValueError, "`n` is -1; give an integer of at least 0"),
    "n of a float": (lambda: weights([0, 1], 0, 1.0), TypeError, "`n` is 1.0; give an integer"),
    "too few points": (lambda: weights([0, 1], 0, 2), ValueError, "has 2 points .* n=2 needs at least 3"),
    "no points": (lambda: weights(3.0, 0, 0), ValueError, "has no points"),
    "repeated": (lambda: weights([0, 1, 1], 0, 1), ValueError, "`points` repeat"),
    "repeated in one line": (lambda: weights([[0, 1, 2], [0, 1, 1]], 0, 1), ValueError, "`points` repeat"),
    "not finite": (lambda: weights([0, np.inf], 0, 1), ValueError, "`points` has values that are not finite"),
    "complex": (lambda: weights([0, 1j], 0, 1), TypeError, "`points` has dtype complex128"),
    "x0 of a string": (lambda: weights([0, 1], "a", 1), TypeError, "`x0` has dtype"),
    "shapes": (lambda: weights([[0, 1], [0, 2]], [0, 1, 2], 1), ValueError, r"`x0` has shape \(3,\)"),
    "odd accuracy": (lambda: Stencil.central(1, 3), ValueError, "`accuracy` is 3; .* give 4"),
    "no derivative": (lambda: Stencil.central(0), ValueError, "`n` is 0; give an integer of at least 1"),
    "no accuracy": (lambda: Stencil.forward(1, 0), ValueError, "`accuracy` is 0; give an integer of at least 1"),
    "one offset": (lambda: Stencil.from_offsets([1]), ValueError, "needs 2 to 64 numbers"),
    "same offsets": (lambda: Stencil.from_offsets([0, 0, 1]), ValueError, "repeat"),
    "lengths": (lambda: Stencil((0, 1), (1.0,), 1, 1), ValueError, "`offsets` has 2 numbers and `weights` 1"),
    "descending": (lambda: Stencil((1, 0), (1.0, -1.0), 1, 1), ValueError, "ascending"),
    "nan": (lambda: Stencil((0, 1), (np.nan, 1.0), 1, 1), ValueError, "finite"),
    "wrong weights": (lambda: Stencil((-1, 1), (-0.5, 0.6), 1, 2), ValueError, "moment 0 equal to 0, this one has 0.1"),
    "less accurate": (lambda: Stencil((0, 1), (-1.0, 1.0), 1, 2), ValueError, "moment 2 equal to 0, this one has 0.5"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call()


def test_public():
    assert ng.weights is weights
