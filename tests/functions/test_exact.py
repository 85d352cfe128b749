"""Exact derivatives of jitted functions: against mathematics, against quotients, and forward against reverse mode."""

import gc
import json
import math
import pickle
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers import finish, start

import numgrad as ng
from benchmarks.functions import TABLE, Function
from numgrad.functions import (
    derivative,
    derivative_of,
    gradient,
    gradient_of,
    hessian,
    hessian_of,
    jacobian,
    rule,
    value_and_gradient,
)

numba = pytest.importorskip("numba")
if numba.config.DISABLE_JIT:
    pytest.skip("nothing is compiled", allow_module_level=True)

import idioms  # noqa: E402
from numba import njit  # noqa: E402

from numgrad.functions._exact import contents, derivatives, loops  # noqa: E402
from numgrad.functions._exact.loops import partial, value  # noqa: E402  # bound in what is compiled

EPS = 2.0**-52
X = np.array([0.7, 0.45, 0.9, 0.33, 0.62, 0.81])


def quotient(fun, x, order=1):
    """Central quotients of fourth order, to some ten digits."""
    h = 1e-5 if order == 1 else 1e-3
    value = lambda t, e: np.asarray(fun(x + t * e))  # noqa: E731
    if order == 1:
        rows = [
            (8 * (value(h, e) - value(-h, e)) - value(2 * h, e) + value(-2 * h, e)) / (12 * h) for e in np.eye(x.size)
        ]
        return np.moveaxis(np.array(rows), 0, -1)
    inner = gradient_of(fun)
    return quotient(inner, x)


# Truth


def indexed(formulas, names):
    """Formulas as one jitted function, of a number and the place of a formula: one compilation."""
    lines = [f"    if k == {k}: return {formula}" for k, formula in enumerate(formulas)]
    names = dict(names)
    exec("\n".join(["def formula(x, k):", *lines, "    return 0.0 * x"]), names)
    return njit(names["formula"])


def exact_of(function):
    """The derivatives of a function of the table, and how many units of the last place one unit of x changes them by.

    That, and one unit for the derivative's own rounding, is the least that a condition of a formula comes to.
    """
    exact = function.exact(function.points)
    if function.formula == "airyai(x)":  # of which SciPy's derivative is off by up to 24 units between 0 and 2.1
        from scipy.special import airy

        exact = np.where(function.points > 0, airy(function.points)[1], exact)
    return exact, 1 + abs(function.points * function.exact(function.points, 2) / exact)


def test_the_table():
    """Within four units of the last place, times the condition; the value has the bits of f(x); the bounds cover."""
    special = pytest.importorskip("special_functions")
    table = indexed([function.formula for function in TABLE], special.NAMES)
    assert len(TABLE) == 55
    kind, sizes = derivatives.Kind(table, np.dtype(float), np.dtype(float), ()), []
    of_numbers = cache(derivatives.of_numbers.__wrapped__)  # one of its own, which keeps values
    for k, function in enumerate(TABLE):
        points = function.points
        result = derivative(table, points, args=(k,), method="exact")
        exact, condition = exact_of(function)
        assert result.converged.all()
        error = abs(result.value - exact)
        assert (error <= 4 * condition * np.spacing(abs(exact))).all(), function.formula
        assert (error <= result.error).all(), function.formula
        sizes.append(np.median(result.error / (EPS * condition * abs(exact))))
        values, _ = with_value(of_numbers, kind, points[:, None], (k,), 1)
        assert (values == [table(x, k) for x in points]).all(), function.formula
    assert np.median(sizes) < 6  # units, times the condition: no bound that says nothing
    assert max(sizes) < 60


# Formulas, as SymPy and as Numba have them, and points where what their derivatives are computed by is close to zero.
HARD = [
    ("tanh(x)", "math.tanh(x)", [1e-9, 3, 15, 20, -30, 50]),
    ("exp(x) - 1", "math.expm1(x)", [1e-9, -20, -40, 700]),
    ("asinh(x)", "math.asinh(x)", [1e-9, 3, 1e100, -1e200]),
    ("asin(x)", "math.asin(x)", [1e-9, 0.4, 0.6, 1 - 1e-12]),
    ("atan2(1e150, x)", "math.atan2(1e150, x)", [3, 1e149, 1e151, -1e150]),
    ("log(exp(x) + exp(1000))", "np.logaddexp(x, 1e3)", [300, 950, 1050, 1120]),
    ("x**(1/3)", "np.cbrt(x)", [1e-100, 3, 1e100]),
]


def test_points_that_are_hard():
    """To all digits, of the first and the second derivative."""
    fun = indexed([ours for _, ours, _ in HARD], {"math": math, "np": np})
    for k, (formula, _, points) in enumerate(HARD):
        points = np.array(points, float)
        exact = [Function("", formula, 0, 1).exact(points, n) for n in (1, 2, 3)]
        for n in (1, 2):
            result = derivative(fun, points, n=n, args=(k,), method="exact")
            with np.errstate(invalid="ignore"):  # 0/0, where both are too small for a float
                condition = 1 + np.nan_to_num(abs(points * (exact[n] / exact[n - 1])))
            error = abs(result.value - exact[n - 1])
            assert (error <= 4 * condition * np.spacing(abs(exact[n - 1]))).all(), (formula, n)


def test_the_gamma_function_far_to_the_left():
    import mpmath

    fun = njit(lambda x: math.lgamma(x))
    for x in (-3.7, -20.3, -33.5, -1e9 - 0.25):
        with mpmath.workdps(40):  # by reflection, for Mpmath takes long to come to it
            first = float(mpmath.psi(0, 1 - mpmath.mpf(x)) - mpmath.pi * mpmath.cot(mpmath.pi * x))
            second = float((mpmath.pi / mpmath.sin(mpmath.pi * x)) ** 2 - mpmath.psi(1, 1 - mpmath.mpf(x)))
        assert float(derivative(fun, x, method="exact")) == pytest.approx(first, rel=1e-14)
        assert float(derivative(fun, x, n=2, method="exact")) == pytest.approx(second, rel=1e-13)


def test_remainders_have_the_quotient_of_the_value():
    """Where a / b is rounded to a whole number, though it is less."""
    fun = njit(lambda x: np.fmod(x[0], x[1]) + x[0] % x[1])
    for a, b in ((0.9, 0.3), (5.7, 1.9), (1.1, 0.1), (-0.9, 0.3), (7.0, 2.0)):
        times = -sum(round((Fraction(a) - Fraction(y)) / Fraction(b)) for y in (math.fmod(a, b), a % b))
        assert gradient(fun, [a, b], method="exact").value.tolist() == [2, times]


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_higher_orders(n):
    import mpmath

    cases = [
        (lambda x: math.exp(-(x**2)) * math.sin(3 * x), lambda x: mpmath.exp(-(x**2)) * mpmath.sin(3 * x)),
        (lambda x: math.sqrt(x) / (1 + x**2), lambda x: mpmath.sqrt(x) / (1 + x**2)),
    ]
    for fun, exact in cases:
        with mpmath.workdps(60):
            points = np.array([0.3, 0.7, 1.1])
            wanted = np.array([float(mpmath.diff(exact, mpmath.mpf(x), n)) for x in points])
        result = derivative(njit(fun), points, n=n, method="exact")
        assert np.allclose(result.value, wanted, rtol=1e-11, atol=0)
        if n == 3:
            assert (abs(result.value - wanted) <= result.error).all()
            assert (result.error <= 1e-12 * abs(wanted)).all()


# Idioms


def keep_with_value(y, is_here, p, first, count, out):
    """Keep what `loops.keep_number` does, and the value behind it."""
    out[p, 0, out.shape[2] - 1] = value(y)
    for j in range(count):
        out[p, 0, first + j] = partial(y, j)


def keep_adjoints_with_value(v, is_here, p, n, adjoints, out):
    out[p, 0, n] = v
    for i in range(n):
        out[p, 0, i] = adjoints[i + 1]


def with_value(make, kind, x, args, *which):
    """Return the values of a derived function at points, and its derivatives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loops, "keep_number", keep_with_value)
        patch.setattr(loops, "keep_adjoints", keep_adjoints_with_value)
        found = derivatives._found(make, kind, x, args, (x.shape[1] + 1,), 1, *which).derivatives[:, 0]
    return found[:, -1], found[:, :-1]


def both_modes(functions, x):
    """Derive functions in forward and in reverse mode, all in one compilation each; compare. Return the former."""
    names = {f"f{k}": njit(fun) for k, fun in enumerate(functions)}
    lines = [f"    if k == {k}: return f{k}(x)" for k in range(len(functions))]
    exec("\n".join(["def chosen(x, k):", *lines, "    return 0.0 * x[0]"]), names)
    kind = derivatives.Kind(njit(names["chosen"]), np.dtype(float), np.dtype(float), ())
    made = []
    for k, fun in enumerate(functions):
        (own,), (forward,) = with_value(derivatives.forward, kind, x[None], (k,), x.size)
        (other,), (reverse,) = with_value(derivatives._reversed, kind, x[None], (k,))
        assert own == other, fun.__name__
        assert np.allclose(reverse, forward, rtol=1e-13, atol=1e-14), fun.__name__
        made.append((own, forward))
    return made


FORWARD_ONLY = [idioms.complex_numbers, idioms.complex_functions]
IN_BOTH = [idiom for idiom in idioms.IDIOMS if idiom not in FORWARD_ONLY]


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPerformanceWarning")
@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPendingDeprecationWarning")
@pytest.mark.parametrize("part", range(4))
def test_idioms(part, monkeypatch):
    """The value is what Python makes of them; forward and reverse mode agree to rounding, and with a quotient.

    Which derivatives are formed is decided before LLVM optimizes, which takes a third of the time if it does all.
    """
    monkeypatch.setattr(numba.config, "OPT", type(numba.config.OPT)(1))
    some = IN_BOTH[part::4]
    for idiom, (own, slope) in zip(some, both_modes(some, X), strict=True):
        assert np.isclose(own, idiom(X), rtol=4 * EPS, atol=0), idiom.__name__
        assert np.allclose(slope, quotient(idiom, X), rtol=1e-8, atol=1e-8), idiom.__name__


@pytest.mark.parametrize("idiom", FORWARD_ONLY, ids=lambda f: f.__name__)
def test_idioms_in_forward_mode(idiom):
    kind = derivatives.Kind(njit(idiom), np.dtype(float), np.dtype(float), ())
    (own,), (slope,) = with_value(derivatives.forward, kind, X[None], (), 6)
    assert np.isclose(own, idiom(X), rtol=4 * EPS, atol=0)
    assert np.allclose(slope, quotient(idiom, X), rtol=1e-8, atol=1e-8)
    with pytest.raises(derivatives.NoRule):
        derivatives._found(derivatives._reversed, kind, X[None], (), (6,), 1)


@njit
def itself(a):
    return a


def seen_in_a_copy(x):
    s = x[0] * x[1]
    t = s
    s += x[2]
    return s * t


def seen_in_a_swap(x):
    s, a = x[0] * x[1], x[2]
    for i in range(3):
        a, s = s, s + x[i]
    return a * s


def seen_through_a_function(x):
    s = x[0] * x[1]
    t = itself(s)
    s -= x[2]
    u = np.where(x[0] > 0, s, t)
    s += x[3]
    return s * t + u


def seen_in_arrays_and_lists(x):
    a, b, s = np.zeros(6), [x[0]], 0.0
    for i in range(6):
        s += x[i] * x[i]
        a[i] = s
        b.append(s)
        s += x[i]
    return (a * a).sum() + b[3] * b[4] + s


def begun_by_another(x):
    a = x * x
    s = a[5]
    s += x[0]
    t = x[5]
    t += x[1]
    u = s
    u += x[2]
    return s * a[5] * t * x[5] * u


def seen_on_one_way(x):
    s, t = x[0] * x[1], 0.0
    for i in range(6):
        if i == 3:
            t = s
        s += x[i]
    return s * t


def added_to_itself(x):
    s = x[0] * x[1]
    s += s * x[2]
    s -= s
    s += x[3] - 2 * x[4]
    s += s
    return s * s


def two_at_once(x):
    s, t = 0.0, 0.0
    for i in range(6):
        s += x[i] * x[0]
        t -= x[i] * s
        s = s + x[1] * x[1]
        t = t - 3.0 * x[2]
    return s * t


def seen_outside(x):
    def total(n):
        s = 0.0
        for i in range(n):
            s += x[i] * x[0]
        return s

    a = total(3)
    b = a
    b += total(5)
    a -= x[4]
    return a * b


def kept_in_a_tuple(x):
    s, pair = x[0] * x[1], (0.0, 0.0)
    for i in range(4):
        pair = (pair[1], s)
        s += x[i]
    return pair[0] * pair[1] * s


def a_sum_of_many_terms(x):
    s = x[0] * x[1]
    s += x[0] * x[1] + x[2] * x[3] + x[4] * x[5] + x[0] * x[2] + x[1] * x[3] + x[2] * x[4] + x[3] * x[5] + x[0] * x[5]
    s += x[0]
    return s * x[1]


def test_what_is_added_up():
    """In reverse mode an addition goes on with the last record, where nothing else has got hold of what it adds to."""
    some = [
        seen_in_a_copy, seen_in_a_swap, seen_through_a_function, seen_in_arrays_and_lists, begun_by_another,
        seen_on_one_way, added_to_itself, two_at_once, seen_outside, kept_in_a_tuple, a_sum_of_many_terms,
    ]  # fmt: skip
    for fun, (_, slope) in zip(some, both_modes(some, X), strict=True):
        assert np.allclose(slope, quotient(fun, X), rtol=1e-8, atol=1e-8), fun.__name__


def test_a_sum_is_one_record():
    @njit
    def dot(x):
        s = 0.0
        for i in range(x.size):
            s += x[i] ** 2
        return s

    x = np.random.default_rng(0).random(100)
    kind = derivatives.Kind(dot, np.dtype(float), np.dtype(float), ())
    derivatives._found(derivatives._reversed, kind, x[None], (), (100,), 1)
    words = derivatives._tapes[-1].words
    assert (words[3], words[4]) == (101, 1)  # a weight each, one of the zero that it begins with, in one record


VECTOR = np.cos(np.arange(40.0))
SQUARE = np.sin(np.arange(1600.0)).reshape(40, 40)


def products_of_vectors(x):
    return np.dot(x, x) + x @ VECTOR + np.dot(VECTOR, np.sqrt(x)) + np.dot(x[::2].copy(), x[1::2].copy())


def products_with_matrices(x):
    return ((SQUARE @ x) * (x @ SQUARE) * np.dot(np.zeros((40, 40)), x + 1) + np.dot(SQUARE, VECTOR) * x).sum()


def products_with_variable_matrices(x):
    a = np.outer(x, VECTOR) + SQUARE
    return np.dot(a, VECTOR).sum() + np.dot(x, a)[3] * np.dot(a, x)[4]


def products_of_what_is_constant(x):
    a, b = np.zeros(40), np.ones(40)
    return np.dot(a, b) + np.dot(VECTOR, a) + (SQUARE @ b)[0] + x[0] + np.dot(x[:0].copy(), x[:0].copy())


def test_products():
    """Of constants, of variables, and of both, in reverse mode as in forward mode."""
    x = np.random.default_rng(3).random(40)
    some = [
        products_of_vectors, products_with_matrices, products_with_variable_matrices, products_of_what_is_constant,
    ]  # fmt: skip
    for fun, (own, slope) in zip(some, both_modes(some, x), strict=True):
        assert np.isclose(own, fun(x), rtol=1e-13, atol=0), fun.__name__
        assert np.allclose(slope, quotient(fun, x), rtol=1e-7, atol=1e-7), fun.__name__


def test_second_derivatives_of_products():
    fun = njit(lambda x: np.dot(x, x) * np.dot(x, VECTOR[:3]))
    x = np.array([1.0, 2.0, 3.0])
    outer = np.outer(2 * x, VECTOR[:3])
    exact = 2 * np.eye(3) * (x @ VECTOR[:3]) + outer + outer.T
    assert np.allclose(hessian(fun, x, method="exact").value, exact, rtol=1e-14)
    line = njit(lambda t: np.dot(np.array([t, t * t, 2.0]), np.array([t, t, 3.0])))
    assert [float(derivative(line, 2.0, n=n, method="exact").value) for n in (1, 2, 3)] == [16, 14, 6]


def test_a_class_as_an_argument():
    from numba import float64
    from numba.experimental import jitclass

    @jitclass([("rate", float64), ("weights", float64[:])])
    class Model:
        def __init__(self, rate, weights):
            self.rate = rate
            self.weights = weights

    fun = njit(lambda x, model: model.rate * x[0] ** 2 + (model.weights * x).sum())
    result = gradient(fun, X, args=(Model(0.5, np.arange(6.0)),), method="exact")
    assert np.allclose(result.value, np.arange(6.0) + np.array([X[0], 0, 0, 0, 0, 0]), rtol=4 * EPS)


# Shapes, dtypes, points


@njit
def rosenbrock(x):
    s = 0.0
    for i in range(x.size - 1):
        s += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return s


@njit
def pair(x, a):
    return np.array([[x[0] * x[1], a * x[1]], [1.0, x[0] ** 2]])


@njit
def wave(t, a):
    return np.array([math.sin(a * t), math.exp(t)])


@pytest.mark.parametrize("n", [2, 8, 9, 40])
def test_gradient_at_many_points(n):
    x = np.random.default_rng(0).random((n, 3, 2))
    result, by_quotients = gradient(rosenbrock, x), gradient(rosenbrock, x, method="quotients")
    assert (result.method, by_quotients.method) == ("exact", "quotients")
    assert result.value.shape == result.error.shape == result.step.shape == result.converged.shape == x.shape
    assert result.n_eval.shape == (3, 2)
    assert (abs(result.value - by_quotients.value) <= 10 * by_quotients.error + result.error).all()
    assert result.converged.all()
    assert np.isnan(result.step).all()


def test_jacobian_of_arrays():
    x = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    result = jacobian(pair, x, args=(3.0,))
    assert result.value.shape == (2, 2, 2, 3)
    zero = np.zeros(3)
    assert (result.value == [[[x[1], x[0]], [zero, zero + 3]], [[zero, zero], [2 * x[0], zero]]]).all()
    assert (jacobian(rosenbrock, x[:, 0]).value == gradient(rosenbrock, x[:, 0]).value).all()
    with pytest.raises(ValueError, match=r"`fun` returned an array of shape \(2, 2\).*use `jacobian`"):
        gradient(pair, x, args=(3.0,), method="exact")


def test_derivative_of_arrays():
    t = np.linspace(0, 1, 10_000).reshape(100, 100)
    for n in (1, 3):
        result = derivative(wave, t, n=n, args=(2.0,))
        assert result.value.shape == (2, 100, 100)
        assert np.allclose(result.value[0], -((-1) ** ((n + 1) // 2)) * 2.0**n * np.cos(2 * t), rtol=1e-14)
        assert np.allclose(result.value[1], np.exp(t), rtol=1e-15)


def test_hessian():
    x = np.random.default_rng(1).random((11, 2))
    result = hessian(rosenbrock, x)
    assert result.value.shape == (11, 11, 2)
    assert (result.value == np.swapaxes(result.value, 0, 1)).all()
    for p in range(2):
        assert np.allclose(result.value[..., p], quotient(gradient_of(rosenbrock), x[:, p]), rtol=1e-8, atol=1e-6)
    assert (hessian(pair, [1.0, 2.0], args=(3.0,)).value[1, 1] == [[2, 0], [0, 0]]).all()


def test_second_derivatives_of_linear_algebra():
    fun = njit(lambda x: np.linalg.inv(np.array([[2.0 + x[0], x[1]], [0.5, 3.0 * x[1]]]))[0, 1])
    result = hessian(fun, [0.4, 0.8], method="exact")
    assert np.allclose(result.value, hessian(fun, [0.4, 0.8], method="quotients").value, rtol=1e-8)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_dtypes(dtype):
    x = X.astype(dtype)
    fun = njit(lambda x: x[0] * x[1] + x[2] * x[3])
    result = gradient(fun, x)
    assert result.value.dtype == dtype
    assert (result.value[:4] == x[[1, 0, 3, 2]]).all()
    assert derivative(njit(lambda t: t * t), x).value.dtype == dtype
    assert gradient(rosenbrock, np.tile(x, 3)).value.dtype == "f8"  # which has constants of float64
    assert gradient(fun, [1, 2, 3, 4]).value.tolist() == [2, 1, 4, 3]


def test_complex_values():
    fun = njit(lambda t: np.exp(1j * t))
    result = derivative(fun, 0.3)
    assert result.method == "exact"
    assert result.value == pytest.approx(1j * np.exp(0.3j), rel=1e-15)
    result = gradient(njit(lambda x: (x[0] + 1j * x[1]) ** 2), [1.0, 2.0])
    assert np.allclose(result.value, [2 + 4j, -4 + 2j], rtol=4 * EPS)
    made = njit(lambda x: complex(x[0], x[1]) * complex(x[1]) + complex(3.0, 4.0).conjugate())
    assert np.allclose(gradient(made, [1.0, 2.0], method="exact").value, [2, 1 + 4j], rtol=4 * EPS)


def test_values_that_do_not_depend_on_x():
    assert derivative(njit(lambda t: 3.0), [1.0, 2.0]).value.tolist() == [0, 0]
    assert gradient(njit(lambda x: 3), X).value.tolist() == [0] * 6
    assert gradient(njit(lambda x: 3.0), np.ones(20)).value.tolist() == [0] * 20


def test_what_is_not_finite():
    fun = njit(lambda t: 1 / t if t != 1 else t, error_model="numpy")
    result = derivative(fun, [0.0, 2.0, np.nan, np.inf])
    assert result.method == "exact"
    assert result.value[1] == -0.25
    assert np.isnan(result.value[[0, 2, 3]]).all()
    assert result.converged.tolist() == [False, True, False, False]
    assert np.isinf(result.error[[0, 2, 3]]).all()


# Kinks, steps, and what is silent


def test_kinks_have_the_derivative_of_the_branch():
    assert float(derivative(njit(lambda t: abs(t)), 0.0)) == 1
    assert float(derivative(njit(lambda t: max(t, 0.0)), 0.0)) == 1
    assert float(derivative(njit(lambda t: min(t, 0.0)), 0.0)) == 1
    assert float(derivative(njit(lambda t: t if t > 0 else 2 * t), 0.0)) == 2
    assert derivative(njit(lambda t: abs(t)), 0.0).method == "exact"


def test_steps_are_flat_and_explained():
    fun = njit(lambda x: int(x[0] * 3) * x[1] + math.floor(x[2]))
    assert gradient(fun, [1.1, 2, 3.5]).value.tolist() == [0, 3, 0]
    text = str(ng.explain(gradient, fun, [1.1, 2, 3.5]))
    assert text.startswith("exact, by forward mode, 3 variables at a time\n")
    assert "the derivative of int in line" in text
    assert "the derivative of floor in line" in text


def test_what_loses_derivatives_is_found_out():
    """A value that goes through an integer of its bits has a derivative of which no rule knows."""

    @njit
    def silent(t):
        kept = np.zeros(1, np.int64)
        kept[0] = int(t * 2.0**40)
        return kept[0] / 2.0**40 + t

    result = derivative(silent, 1.3)
    assert result.method == "quotients"
    assert result.value == pytest.approx(2, rel=1e-3)
    assert "differs from a quotient" in str(ng.explain(derivative, silent, 1.3))
    assert derivative(silent, 1.3, method="exact").value == 1


# What has no rule


@njit
def singular(x):
    return np.linalg.svd(x.reshape(2, 3))[1][0]


def test_no_rule():
    result = gradient(singular, X)
    assert result.method == "quotients"
    text = str(ng.explain(gradient, singular, X))
    assert text.startswith("quotients, because `singular` has no exact derivative: there is no rule for `svd`")
    assert "np.linalg.svd(x.reshape(2, 3))" in text
    assert "method='quotients'" in text
    with pytest.raises(TypeError, match=r"`method` is 'exact', but `singular` has no exact derivative: .*`svd`"):
        gradient(singular, X, method="exact")
    with pytest.raises(numba.core.errors.TypingError, match="no rule for `svd`"):
        gradient_of(singular)(X)


@njit
def even(x, n):
    if n == 0:
        return 1.0
    return x * odd(x, n - 1)


@njit
def odd(x, n):
    if n == 0:
        return 0.5
    return x * even(x, n - 1)


def test_functions_that_call_each_other():
    """Numba itself mistakes what they return, if that is a number here, and one that carries derivatives there."""
    fun = njit(lambda x: even(x, 4))
    assert derivative(fun, 1.5).method == "quotients"
    assert "functions that call each other in a circle" in str(ng.explain(derivative, fun, 1.5))


@pytest.mark.parametrize(
    ("fun", "options", "error", "message"),
    [
        (math.sin, {}, TypeError, "which Numba has not jitted; decorate it with @numba.njit"),
        (njit(lambda t: t), {"step": 0.1}, ValueError, "`step`, or `accuracy`, is given, which quotients have"),
        (njit(lambda t: t), {"accuracy": 4}, ValueError, "`step`, or `accuracy`, is given, which quotients have"),
        (njit(lambda t: t), {"vectorized": True}, TypeError, "`fun` is vectorized"),
    ],
)
def test_what_cannot_be_exact(fun, options, error, message):
    with pytest.raises(error, match=message):
        derivative(fun, 0.5, method="exact", **options)
    assert derivative(fun, 0.5, **options).method == "quotients"
    assert "quotients, because" in str(ng.explain(derivative, fun, 0.5, **options))


def test_unknown_method():
    with pytest.raises(ValueError, match="`method` is 'best'; give one of 'auto', 'exact', 'quotients'"):
        derivative(math.sin, 0.5, method="best")
    with pytest.raises(TypeError, match="`method` is None"):
        derivative(math.sin, 0.5, method=None)


def test_errors_of_the_function_come_out_as_they_are():
    @njit
    def fragile(x):
        if x[0] > 1:
            raise ZeroDivisionError("division by nobody")
        return x.sum()

    for x in (np.array([2.0, 1.0]), np.full(30, 2.0)):
        for call in (gradient, hessian):
            with pytest.raises(ZeroDivisionError, match=r"^division by nobody$"):
                call(fragile, x)
        with pytest.raises(ZeroDivisionError, match=r"^division by nobody$"):
            value_and_gradient(fragile)(x)
    assert (gradient(fragile, np.ones(30)).value == 1).all()


def test_bounds_are_kept():
    """An exact derivative asks for nothing outside of them."""
    result = derivative(njit(lambda t: math.sqrt(t)), 0.0001, bounds=(0, np.inf))
    assert (result.method, result.value) == ("exact", 50)
    with pytest.raises(ValueError, match="outside of `bounds`"):
        derivative(njit(lambda t: t), 2.0, bounds=(0, 1))


def test_errors_are_those_of_the_point_that_was_given():
    """They are computed when they are asked for, which may be after x has been written over."""
    fun = njit(lambda x: x[0] ** 3 * x[1])
    for call, one in ((gradient, fun), (derivative, njit(lambda t: t**3))):
        x = np.array([1.0, 2.0])
        expected, result = call(one, x).error.copy(), call(one, x)
        x[:] = 1e9
        assert (result.error == expected).all()


def test_derivatives_are_pickled():
    result = pickle.loads(pickle.dumps(derivative(njit(lambda t: t * t), [1.0, 2.0])))
    assert result.value.tolist() == [2, 4]
    assert (result.error > 0).all()
    assert result.method == "exact"


# As jitted functions


def test_value_and_gradient():
    both, slope = value_and_gradient(rosenbrock), gradient_of(rosenbrock)
    for n in (2, 30, 1000):  # of which the last does not fit the first tape
        x = np.random.default_rng(n).random(n)
        value, found = both(x)
        assert value == rosenbrock(x)
        assert np.allclose(found, gradient(rosenbrock, x).value, rtol=1e-14)
        assert (slope(x) == found).all()
    assert both(np.ones(3, np.float32))[1].dtype == np.float32
    assert both(np.array([1, 2, 3]))[1].dtype == np.float64
    assert both.__name__ == "value_and_gradient_rosenbrock"


def test_inside_other_functions():
    slope, bend = gradient_of(rosenbrock), hessian_of(rosenbrock)

    @njit
    def newton(x):
        for _ in range(20):
            x = x - np.linalg.solve(bend(x), slope(x))
        return x

    assert np.allclose(newton(np.full(4, 0.9)), 1, rtol=1e-14)


def test_arguments_pass_through():
    fun = njit(lambda x, a, b: (a * x).sum() * b)
    a = np.arange(3.0)
    assert value_and_gradient(fun)(np.ones(3), a, 2.0)[1].tolist() == [0, 2, 4]
    assert hessian_of(fun)(np.ones(3), a, 2.0).tolist() == np.zeros((3, 3)).tolist()
    assert derivative_of(njit(lambda t, k: t**3 * k), 2)(2.0, 5.0) == 60


def test_complex_functions_go_forward():
    fun = njit(lambda x: abs(x[0] + 1j * x[1]) ** 2)
    assert np.allclose(gradient_of(fun)(np.array([1.0, 2.0])), [2, 4], rtol=1e-15)


def test_minimize():
    from scipy.optimize import minimize

    result = minimize(value_and_gradient(rosenbrock), np.full(30, 0.5), jac=True, method="BFGS")
    assert np.allclose(result.x, 1, atol=1e-5)


def test_what_is_no_jitted_function():
    for make in (value_and_gradient, gradient_of, hessian_of, derivative_of):
        with pytest.raises(TypeError, match=r"`fun` is <built-in function abs>, which Numba has not jitted"):
            make(abs)
    with pytest.raises(ValueError, match="`n` is 11"):
        derivative_of(rosenbrock, 11)
    with pytest.raises(numba.core.errors.TypingError, match="`x` is float64; give a vector of floats"):
        gradient_of(rosenbrock)(1.0)


def test_threads():
    both = value_and_gradient(rosenbrock)
    points = np.random.default_rng(0).random((64, 50))
    expected = [both(x) for x in points]
    with ThreadPoolExecutor(8) as pool:
        for (value, slope), (wanted, wanted_slope) in zip(pool.map(both, points), expected, strict=True):
            assert value == wanted
            assert (slope == wanted_slope).all()
        results = list(pool.map(lambda x: gradient(rosenbrock, x).value, points))
    assert all((a == b[1]).all() for a, b in zip(results, expected, strict=True))


def test_calls_leak_nothing():
    """Of 1e5 calls from Python, and of as many from compiled code: not a byte each."""
    both, x = value_and_gradient(rosenbrock), np.random.default_rng(0).random(50)

    @njit
    def many(x, count):
        for _ in range(count):
            both(x)

    def memory():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 if Path("/proc/self/statm").exists() else 0

    many(x, 1000), gradient(rosenbrock, x)
    before = memory()
    many(x, 100_000)
    assert memory() - before < 1 << 20
    tracemalloc.start()
    for _ in range(10):
        gradient(rosenbrock, x)
    gc.collect()
    first = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        gradient(rosenbrock, x)
    gc.collect()
    assert tracemalloc.get_traced_memory()[0] - first < 10_000
    tracemalloc.stop()


# Rules of one's own


def test_rule():
    @njit
    def root(x):
        y = x
        for _ in range(60):
            y = (y + x / y) / 2
        return y

    fun = njit(lambda x: root(x) + 1)
    before = derivative(fun, 4.0).error
    rule(root, njit(lambda x: 0.5 / root(x)))
    result = derivative(fun, 4.0)
    assert result.value == 0.25
    assert result.error < before / 100
    for n, wanted in ((2, -1 / 32), (3, 3 / 256), (4, -15 / 2048)):
        assert derivative(fun, 4.0, n=n).value == pytest.approx(wanted, rel=1e-15)


def test_rule_of_vectors_and_numbers():
    @njit
    def distance(x, y):
        return math.hypot(x[0] - y, x[1])

    @njit
    def slope(x, y):
        r = math.hypot(x[0] - y, x[1])
        return np.array([x[0] - y, x[1]]) / r, (y - x[0]) / r

    rule(distance, slope)
    fun = njit(lambda x: distance(x, x[0] * x[1]))
    x = [1.0, 2.0]  # where it is hypot(x0 - x0 x1, x1), with x0 - x0 x1 = -1
    assert np.allclose(gradient(fun, x).value, np.array([1, 3]) / 5**0.5, rtol=4 * EPS)
    assert np.allclose(hessian(fun, x).value, np.array([[0.8, 1.4], [1.4, 0.2]]) / 5**0.5, rtol=1e-14)
    assert np.allclose(gradient_of(fun)(np.array(x)), np.array([1, 3]) / 5**0.5, rtol=4 * EPS)
    with pytest.raises(ValueError, match="a rule returned a vector of another size"):
        gradient(njit(lambda x: distance(x, 1.0)), [1.0, 2.0, 3.0], method="exact")


def test_rule_of_a_function_that_numba_cannot_look_into():
    import ctypes

    from numba.extending import get_cython_function_address

    j0, j1 = (
        ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(
            get_cython_function_address("scipy.special.cython_special", name)
        )
        for name in ("j0", "j1")
    )
    from scipy import special

    fun = njit(lambda t: j0(2 * t))
    assert derivative(fun, 0.7).method == "quotients"
    rule(j0, njit(lambda t: -j1(t)))
    result = derivative(fun, 0.7)
    assert result.method == "exact"
    assert result.value == pytest.approx(-2 * special.j1(1.4), rel=1e-15)
    assert result.error == np.inf  # for how well j1 knows it, its derivative would say
    rule(j1, njit(lambda t: j0(t) - j1(t) / t))
    result = derivative(fun, 0.7)
    assert result.error < 1e-14
    assert derivative(fun, 0.7, n=2).value == pytest.approx(4 * special.jvp(0, 1.4, 2), rel=1e-14)


def test_what_is_no_rule():
    with pytest.raises(TypeError, match="`fun` is 3, which cannot be called"):
        rule(3, njit(lambda x: x))
    with pytest.raises(TypeError, match=r"`derivative` is <function .*>, which Numba has not jitted"):
        rule(math.sin, lambda x: x)


# What is kept on disk

HELPER = """
from numba import njit

FACTOR = 3.0

@njit(cache=True)
def helped(x):
    return FACTOR * x * x
"""
KEPT = """
import sys
import numpy as np
from numba import njit
import helper
from numgrad.functions import derivative, gradient, hessian, value_and_gradient
from numgrad.functions._exact import derivatives

@njit(cache=True)
def number(x):
    return helper.helped(x) + x

@njit(cache=True)
def vector(x):
    s = 0.0
    for v in x:
        s += helper.helped(v)
    return s

both = value_and_gradient(vector)
few, many = np.arange(1.0, 4.0), np.arange(1.0, 41.0)
print(derivative(number, 2.0).value, *gradient(vector, few).value, gradient(vector, many).value[1], *both(few)[1])
kind = derivatives.Kind(number, np.dtype(float), np.dtype(float), ())
of_vector = kind._replace(fun=vector)
loops = derivatives.of_numbers(kind, 1), derivatives.forward(of_vector, 3), derivatives.reverse(of_vector), both
print(*(sum(f.stats.cache_hits.values()) for f in loops))
"""


def test_what_is_kept_on_disk(tmp_path):
    """A second process compiles nothing; one whose function calls another one, that has changed, all of it."""

    def run(factor):
        if factor == 5:  # Numba itself does not see that what a function calls has changed
            (tmp_path / "kept.py").write_text(KEPT + "\n")
        (tmp_path / "helper.py").write_text(HELPER.replace("3.0", f"{factor:.1f}"))
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import kept"
        slopes, hits = finish(start(code=code, cache=tmp_path / "cache")).splitlines()
        assert [float(s) for s in slopes.split()] == [
            2 * factor * x + i for x, i in ((2, 1), (1, 0), (2, 0), (3, 0), (2, 0), (1, 0), (2, 0), (3, 0))
        ]
        return hits.split()

    (tmp_path / "kept.py").write_text(KEPT)
    assert run(3) == ["0"] * 4
    assert run(3) == ["1"] * 4
    assert run(5) == ["0"] * 4


FACTOR = 2.0


def test_what_a_function_says():
    """All that its derivative depends on; nothing if it names what only this process knows."""
    table = np.arange(3.0)

    def made(factor, default=1.0, **options):
        @njit(**options)
        def inner(x):
            return factor * x

        @njit(**options)
        def fun(x, y=default):
            return inner(x) * y + FACTOR * math.cos(x) + np.sin(x) + table[0]

        return fun

    global FACTOR
    said = contents.words(made(1))
    assert said == contents.words(made(1)) is not None
    others = [made(2), made(1.0), made(1, 2.0), made(1, fastmath=True), made(1, error_model="numpy")]
    assert said not in map(contents.words, others)
    FACTOR = 3.0
    assert contents.words(made(1)) != said
    FACTOR = 2.0
    table[0] = 1
    assert contents.words(made(1)) != said
    plain, stack = math.dist, [1]
    assert contents.words(njit(lambda x: made(x))) is None
    assert contents.words(njit(lambda x: stack[0] * x)) is not None
    assert contents.words(njit(lambda x: keep_with_value(x) + plain(x))) is None


# Others' code


def test_others_programs_stay_as_they_are(tmp_path):
    """After exact derivatives: what they return, what is compiled for them, and hits of their cache; Numba's tables."""
    lines = ["import numba", "@numba.njit(cache=True)", "def cached(x):", "    return (x * x + 1.0).sum()"]
    (tmp_path / "cached.py").write_text("\n".join(lines))
    code = Path(__file__).with_name("others.py").read_text()
    found = json.loads(finish(start(str(tmp_path), code=code, cache=tmp_path)))
    _, hits, counted = found["before"]
    assert hits == [1, 0]
    assert sum(counted.values()) > 300
    assert found["after"] == found["before"]
    assert found["changed"] == []


def test_the_import_of_numgrad_registers_nothing():
    code = "import numgrad, numgrad.functions, sys; assert 'numba' not in sys.modules; import numba; " + (
        "assert not [m for m in sys.modules if m.startswith('numgrad.functions._exact.')]"
    )
    finish(start(code=code))


if sys.platform == "win32":
    del test_rule_of_a_function_that_numba_cannot_look_into
