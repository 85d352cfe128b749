"""Derivatives of functions by difference quotients: against exact ones, plain, vectorised and compiled."""

import gc
import math
import re
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from decimal import Decimal
from fractions import Fraction
from functools import cache, wraps
from threading import Barrier

import numpy as np
import pytest
from helpers import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st

import numgrad as ng
from benchmarks.functions import TABLE
from numgrad import functions
from numgrad.functions import Derivative, _calls, _problem, _quotients
from numgrad.functions._kernels import calls as samples
from numgrad.functions._kernels import layout

EPS = 2.0**-52
SMOOTH = [f for f in TABLE if f.group in ("polynomial", "trigonometric", "exponential")]
HIGHER = ["x**10", "(x - 1)**7", "x/(1 + x**2)", "sin(x)", "cos(x)", "tan(x)", "atan(x)", "exp(x)", "exp(-x**2)"]
HIGHER += ["tanh(x)", "log(x)", "exp(sin(x))", "asinh(x)"]
EASY = ["3*x - 7", "x**2", "sin(x)", "cos(x)", "atan(x)", "exp(x)", "tanh(x)", "asinh(x)", "1/(1 + exp(-x))"]


def by_quotients(function):
    """A function that takes quotients of jitted functions, too."""

    @wraps(function)
    def call(*given, **options):
        return function(*given, **{"method": "quotients", **options})

    return call


derivative, gradient, jacobian, hessian = map(
    by_quotients, (functions.derivative, functions.gradient, functions.jacobian, functions.hessian)
)


# NumPy's numbers warn where compiled code computes inf or nan in silence.
quiet = np.errstate(all="ignore")


def same(a: Derivative, b: Derivative) -> bool:
    """Equal in every bit of every field."""
    names = "value", "error", "step", "n_eval", "converged"
    pairs = [(np.asarray(getattr(a, name)), np.asarray(getattr(b, name))) for name in names]
    return all(p.dtype == q.dtype and p.shape == q.shape and same_bits(p, q) for p, q in pairs)


def covered(result: Derivative, exact: np.ndarray) -> float:
    """The share of numbers that are as near to the exact ones as is said."""
    return float(np.mean(abs(np.asarray(result) - exact) <= result.error))


@cache
def exact_values(function, n=1):
    return function.exact(function.points, n)


@cache
def jitted(fun):
    numba = pytest.importorskip("numba")
    if numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled")
    return numba.njit(fun)


@pytest.fixture
def threads(monkeypatch):
    """A function that sets how many threads share any work, however small."""
    monkeypatch.setattr(_calls, "WORTHWHILE", 0)
    yield ng.set_num_threads
    ng.set_num_threads(None)


# The table


@pytest.mark.parametrize("function", TABLE, ids=lambda f: f"{f.formula} on {f.low}..{f.high}")
def test_the_table(function):
    """As accurate as two thirds of the digits; less only where x or f(x), rounded, does not know the derivative better.

    A relative change of x by half a unit of the last place changes f' by eps |x f''| / 2, and f(x) is rounded itself.
    """
    points = function.points
    exact, curvature = exact_values(function), exact_values(function, 2)
    result = derivative(function.fun, points, vectorized=True)
    error = abs(result.value - exact)
    possible = 2e-13 * abs(exact) + 4 * EPS * (abs(points * curvature) + abs(function.fun(points)))
    assert np.median(error / possible) <= 1
    assert (error <= 8 * possible).all()
    assert result.converged.all()
    assert (error <= 10 * result.error).all()


def test_error_of_the_table():
    """The estimates cover at least 95 % of all errors, and are not so large as to say nothing."""
    shares, sizes = [], []
    for function in TABLE:
        points = function.points
        exact = exact_values(function)
        result = derivative(function.fun, points, vectorized=True)
        shares.append(covered(result, exact))
        sizes.append(np.median(result.error / abs(exact)))
    assert len(shares) == 55
    assert np.mean(shares) >= 0.95
    assert np.median(sizes) <= 1e-11


@pytest.mark.parametrize("n", [2, 3, 4])
def test_higher_orders(n):
    shares, errors = [], []
    for function in SMOOTH:
        if function.formula in HIGHER:
            points = function.points[::3]
            exact = function.exact(points, n)
            result = derivative(function.fun, points, n=n, vectorized=True)
            shares.append(covered(result, exact))
            errors.append(np.median(abs(result.value - exact) / abs(exact)))
    assert len(shares) == len(HIGHER)
    assert np.mean(shares) >= 0.95
    assert np.median(errors) <= {2: 2e-12, 3: 1e-10, 4: 5e-9}[n]


# Polynomials


def horner(coefficients, x):
    total = 0.0
    for c in coefficients[::-1]:
        total = total * x + c
    return total


def exact_polynomial(coefficients, x, n):
    terms = (math.perm(k, n) * c * Fraction(x) ** (k - n) for k, c in enumerate(coefficients) if k >= n)
    return float(sum(terms, Fraction(0)))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.floats(-3, 3), st.integers(1, 4))
def test_polynomials(coefficients, x, n):
    exact, terms = exact_polynomial(coefficients, x, n), horner([abs(c) for c in coefficients], abs(x) + 1)
    found = derivative(lambda x: horner(coefficients, x), x, n=n)
    assert abs(found.value - exact) <= found.error
    assert abs(found.value - exact) <= 128 * n**2 * EPS * terms


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=9), st.floats(-3, 3), st.integers(1, 4))
def test_polynomials_with_a_step(coefficients, x, n):
    """Exact but for rounding, which a step of 1/4 makes 4^n times larger."""
    exact, terms = exact_polynomial(coefficients, x, n), horner([abs(c) for c in coefficients], abs(x) + 1)
    found = derivative(lambda x: horner(coefficients, x), x, n=n, step=0.25)
    assert abs(found.value - exact) <= 16 * 4**n * EPS * terms


# Steps that are given


@pytest.mark.parametrize("accuracy", [2, 4, 6])
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("bounds", [None, (1.0, np.inf), (-np.inf, 1.0)], ids=["central", "forward", "backward"])
def test_order_of_convergence(accuracy, n, bounds):
    exact = [math.cos(1), -math.sin(1)][n - 1]
    steps = [2.0**-k for k in ((3, 4, 5) if accuracy == 6 else (5, 6, 7))]
    errors = [
        abs(derivative(math.sin, 1.0, n=n, step=h, accuracy=accuracy, bounds=bounds).value - exact) for h in steps
    ]
    observed = math.log2(errors[0] / errors[2]) / 2
    assert observed == pytest.approx(accuracy, abs=0.1 if bounds is None else 0.8)


@pytest.mark.parametrize("call", [derivative, gradient, jacobian, hessian])
def test_a_step_says_where_samples_lie(call):
    seen = []

    def fun(x):
        seen.append(np.ravel(x)[0])
        return np.sum(x**3)

    found = call(fun, 1.0 if call is derivative else [1.0, 2.0], step=0.125, accuracy=4)
    offsets = np.unique(abs(np.array(seen) - 1.0) / 0.125)
    assert {0, 1, 2} < {*offsets} < {0, 1, 2, 4, 8, *offsets[offsets < 1]}
    assert (np.asarray(found.step) == 0.125).all()


def test_a_step_for_each_point():
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert (derivative(np.sin, x, step=x / 16).step == x / 16).all()
    assert (gradient(lambda x: x[0] * x[1], x, step=[0.5, 0.25]).step == [[0.5] * 3, [0.25] * 3]).all()


def test_an_unfit_step_is_no_success():
    found = derivative(lambda x: math.sin(9 * x), 1.0, step=1.0)
    assert not found.converged


# Compiled functions


def rational(x):
    return x * x / (x * x * x + x)


def wave(x):
    return math.sin(x) * x


def spiral(x):
    return complex(math.sin(x), x * x)


def curve(x):
    return np.array([math.sin(x), x * x, x])


def table(x):
    return np.array([[complex(x, x * x), complex(1.0, x)]])


def scaled(x, a, b):
    return a * x * x + b[1] * x


def three(x):
    return x[0] * x[0] * x[1] + x[2] * x[1] / x[0]


def weighed(x, a, b):
    return a * x[0] * x[1] + b[1] * x[1] * x[1]


def complex_three(x):
    return complex(x[0] * x[1], x[2] / x[0])


def pair(x):
    return np.array([x[0] * x[1], x[2] / x[0]])


def complex_pair(x):
    return np.array([complex(x[0] * x[1], x[2]), complex(x[2] / x[0], 1.0)])


LINE = np.linspace(0.3, 2, 10)
GRID = np.linspace(0.3, 2, 12).reshape(3, 4)
COMPILED = [
    (derivative, rational, LINE, {}),
    (derivative, rational, LINE, {"n": 2}),
    (derivative, rational, LINE, {"n": 3, "accuracy": 4}),
    (derivative, rational, LINE, {"step": 0.01}),
    (derivative, rational, LINE, {"bounds": (0.3, 2.0)}),
    (derivative, rational, 0.7, {}),
    (derivative, rational, LINE.astype("f4"), {}),
    (derivative, wave, LINE.reshape(5, 2), {}),
    (derivative, spiral, LINE, {}),
    (derivative, curve, LINE.reshape(5, 2), {"n": 2}),
    (derivative, table, LINE, {}),
    (derivative, scaled, LINE, {"args": (2.0, np.array([1.0, 3.0]))}),
    (gradient, three, GRID, {}),
    (gradient, three, GRID[:, 0], {"bounds": (GRID[:, 0], 9.0)}),
    (gradient, three, GRID.astype("f4"), {}),
    (gradient, weighed, GRID[:2], {"args": (0.5, np.array([1.0, 3.0]))}),
    (gradient, complex_three, GRID, {}),
    (jacobian, pair, GRID, {}),
    (jacobian, complex_pair, GRID, {}),
    (hessian, three, GRID, {}),
    (hessian, three, GRID.astype("f4"), {}),
    (hessian, pair, GRID, {"step": 0.01}),
]


@pytest.mark.parametrize(
    ("call", "fun", "x", "options"),
    COMPILED,
    ids=[f"{c.__name__}-{f.__name__}-{x.dtype if np.ndim(x) else 'one'}-{'-'.join(o)}" for c, f, x, o in COMPILED],
)
def test_jitted_is_plain(call, fun, x, options):
    """The same operations, so the same bits."""
    plain, compiled = call(fun, x, **options), call(jitted(fun), x, **options)
    assert same(plain, compiled), f"\n{plain!r}\n{compiled!r}"


@pytest.mark.parametrize(
    ("call", "fun", "x", "options"),
    [
        (derivative, rational, LINE, {}),
        (derivative, rational, LINE.reshape(2, 5), {"n": 2}),
        (derivative, rational, LINE.astype("f4"), {}),
        (derivative, lambda x, a, b: a * x + b * x * x, LINE, {"args": (2.0, 3)}),
        (gradient, three, GRID, {}),
        (gradient, three, GRID.astype("f4"), {}),
        (jacobian, lambda x: np.stack([x[0] * x[1], x[2] / x[0]]), GRID, {}),
        (hessian, three, GRID.reshape(3, 2, 2), {}),
    ],
)
def test_vectorized_is_plain(call, fun, x, options):
    assert same(call(fun, x, **options), call(fun, x, vectorized=True, **options))


def test_vectorized_with_an_argument_for_each_point():
    """It follows its point, wherever that is sampled."""
    a = np.arange(1.0, 11).reshape(2, 5)
    found = derivative(lambda x, a: a * x * x, LINE.reshape(2, 5), vectorized=True, args=(a,))
    assert found.value == pytest.approx(2 * a * LINE.reshape(2, 5), rel=1e-13)
    found = gradient(lambda x, a: a * x[0] * x[1], GRID, vectorized=True, args=(a[0, :4],))
    assert found.value == pytest.approx(a[0, :4] * np.stack([GRID[1], GRID[0], 0 * GRID[0]]), rel=1e-13, abs=1e-13)


def test_many_points_are_each_the_same():
    """Results do not depend on the points beside, though they are searched for in blocks and chunks."""
    x = np.modf(np.arange(5000) * 0.618)[0] + 0.1
    whole = derivative(np.sqrt, x, vectorized=True)
    for i in (0, 127, 128, 4095, 4096, 4999):
        one = derivative(np.sqrt, x[i : i + 1], vectorized=True)
        assert one.value[0] == whole.value[i]
        assert one.n_eval[0] == whole.n_eval[i]


@pytest.mark.parametrize("count", [2, 3])
def test_threads_are_serial(threads, count):
    fun, x = jitted(wave), np.modf(np.arange(20_000) * 0.618)[0] * 9
    vectors = x.reshape(2, -1)[:, :3000] + 0.5
    results = []
    for n in (1, count):
        threads(n)
        results.append((derivative(fun, x), hessian(jitted(product), vectors)))
    for serial, parallel in zip(*results, strict=True):
        assert same(serial, parallel)


def product(x):
    return x[0] * x[1] * math.sin(x[0])


def test_threads_of_the_caller(threads):
    """From 16 threads at once, with functions that are not compiled yet."""
    numba = pytest.importorskip("numba")
    if numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled")
    threads(2)
    x, barrier = np.linspace(0.5, 2, 300), Barrier(16)
    fresh, fresh2 = numba.njit(lambda x: x * x * x), numba.njit(lambda x: x[0] * x[1] * x[1])
    tasks = [
        lambda: derivative(fresh, x),
        lambda: gradient(fresh2, x.reshape(2, -1)),
        lambda: derivative(wave, x),
        lambda: derivative(np.sqrt, x, vectorized=True),
    ]

    def work(i):
        barrier.wait()
        return [tasks[(i + k) % 4]() for k in range(4)]

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(work, range(16)))
    serial = [task() for task in tasks]
    for i, found in enumerate(results):
        assert all(same(f, serial[(i + k) % 4]) for k, f in enumerate(found))


def test_compiled_once():
    event = pytest.importorskip("numba.core.event")
    from numba import njit

    fun = njit(lambda x: x * x * x)
    derivative(fun, 1.0)
    derivative(fun, 1.0, bounds=(0, 9))
    with event.install_recorder("numba:compile") as recorder:
        derivative(fun, 2.0)
        derivative(fun, LINE, n=2)
        derivative(fun, LINE, step=0.1, accuracy=4, bounds=(0, 9))
    assert not recorder.buffer
    with event.install_recorder("numba:compile") as recorder:
        derivative(fun, np.float32(2))
    assert recorder.buffer


def test_no_more_functions_are_kept_than_so_many():
    assert _calls._sampling.cache_info().maxsize == 64


def test_kernels_see_one_signature():
    """House rule of numgrad._jit: what is cached on disk is compiled for one type of each argument, always."""
    numba = pytest.importorskip("numba")
    if numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled")
    derivative(math.sin, 1.0)
    derivative(jitted(rational), LINE.astype("f4"), bounds=(0, 9))
    derivative(jitted(curve), LINE, step=0.1)
    derivative(curve, LINE)
    derivative(lambda x: np.broadcast_to(1.0, x.shape), LINE, vectorized=True)
    hessian(three, np.asfortranarray(GRID))
    assert {d.name: len(d.compiled.signatures) for d in _quotients.drafts() if len(d.compiled.signatures) != 1} == {}


# Evaluations


class Counter:
    def __init__(self, fun):
        self.fun, self.seen = fun, []

    def __call__(self, x):
        self.seen.append(np.array(x))
        return self.fun(x)


@pytest.mark.parametrize("fun", [math.sin, abs, lambda x: math.sin(100 * x), lambda x: 1.0, lambda x: x**3])
@pytest.mark.parametrize("options", [{}, {"n": 2}, {"step": 0.1}, {"bounds": (0.0, 1.0)}], ids=str)
@pytest.mark.parametrize("x", [0.0, 0.3])
def test_evaluations_are_counted(fun, options, x):
    counter = Counter(fun)
    found = derivative(counter, x, **options)
    assert type(found.n_eval) is int
    assert found.n_eval == len(counter.seen)


@pytest.mark.parametrize("call", [gradient, jacobian, hessian])
def test_evaluations_are_counted_of_vectors(call):
    counter = Counter(three)
    found = call(counter, GRID)
    assert found.n_eval.shape == (4,)
    assert found.n_eval.sum() == len(counter.seen)
    counter = Counter(three)
    assert call(counter, GRID, vectorized=True).n_eval.sum() == sum(s.shape[1] for s in counter.seen)


def test_evaluations_are_counted_of_arrays():
    counter = Counter(np.sin)
    found = derivative(counter, LINE, vectorized=True)
    assert found.n_eval.sum() == sum(s.size for s in counter.seen)
    counter = Counter(math.sin)
    assert (found.n_eval == derivative(counter, LINE).n_eval).all()
    assert found.n_eval.sum() == len(counter.seen)


@pytest.mark.parametrize("formula", EASY)
def test_smooth_functions_need_few_evaluations(formula):
    (function,) = (f for f in SMOOTH if f.formula == formula)
    assert derivative(function.fun, function.points, vectorized=True).n_eval.max() <= 25


# Bounds and domains


@pytest.mark.parametrize("x", [0.0, 1e-9, 1e-3, 0.5, 1 - 1e-3, 1 - 2**-53, 1.0])
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("step", [None, 1e-5])
def test_samples_keep_to_the_bounds(x, n, step):
    counter = Counter(math.exp)
    found = derivative(counter, x, n=n, bounds=(0, 1), step=step)
    assert min(counter.seen) >= 0
    assert max(counter.seen) <= 1
    assert abs(found.value - math.exp(x)) <= found.error


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.floats(-1e5, 1e5), st.floats(-6, 6), st.floats(0, 1), st.integers(1, 4), st.sampled_from([None, 1e-4, 1e-2]))
def test_samples_keep_to_any_bounds(low, size, place, n, step):
    high = low + 10**size
    x = min(max(low + place * (high - low), low), high)
    counter = Counter(math.sin)
    try:
        derivative(counter, x, n=n, bounds=(low, high), step=None if step is None else step * 10**size)
    except ValueError as error:
        assert re.search("no room|nothing beside|give positive", str(error))  # noqa: PT017
    assert low <= min(counter.seen, default=low)
    assert max(counter.seen, default=high) <= high


@pytest.mark.parametrize(("x", "n", "most"), [(0.0, 1, 1e-11), (1.0, 1, 1e-11), (0.0, 2, 1e-7), (1e-9, 1, 1e-7)])
def test_at_a_bound(x, n, most):
    found = derivative(math.exp, x, n=n, bounds=(0, 1))
    assert found.value == pytest.approx(math.exp(x), rel=most)
    assert found.converged


def test_beside_a_bound_it_is_worth_looking_to_the_other_side():
    """On the one side there is no room to speak of, on the other there is plenty."""
    assert derivative(math.exp, 1e-9, n=2, bounds=(0, 1)).value == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("call", [gradient, hessian])
@pytest.mark.parametrize("x", [[0, 1, 3], [0, 0, 0], [1, 2, 3], [0.5, 1e-3, 1.5]], ids=str)
def test_bounds_for_each_variable(call, x):
    low, high = np.zeros(3), np.array([1.0, 2.0, 3.0])
    counter = Counter(lambda x: math.exp(x[0]) * math.sin(x[1] + 1) + x[2] ** 3 + x[0] * x[2])
    found = call(counter, x, bounds=(low, high))
    assert ((low <= counter.seen) & (counter.seen <= high)).all()
    a, b, c = x
    e, s, t = math.exp(a), math.sin(b + 1), math.cos(b + 1)
    slope = np.array([e * s + c, e * t, 3 * c**2 + a])
    matrix = np.array([[e * s, e * t, 1], [e * t, -e * s, 0], [1, 0, 6 * c]])
    assert found.value == pytest.approx(slope if call is gradient else matrix, abs=2e-6)
    assert covered(found, slope if call is gradient else matrix) >= (1 if call is gradient else 7 / 9)


@pytest.mark.parametrize(
    ("fun", "x", "exact"),
    [
        (np.log, 1e-3, 1e3),
        (np.log, 1e-8, 1e8),
        (np.sqrt, 1e-4, 50.0),
        (np.arcsin, 1 - 1e-3, 1 / math.sqrt(1 - (1 - 1e-3) ** 2)),
        (lambda x: x * np.log(x), 0.01, math.log(0.01) + 1),
        (lambda x: np.exp(x) if x >= 2 else np.nan, 2.0, math.exp(2)),
        (lambda x: np.exp(x) if x <= 2 else np.nan, 2.0, math.exp(2)),
        (lambda x: np.exp(x) if x >= 2 else np.inf, 2.0, math.exp(2)),
        (lambda x: np.exp(x) if x >= 2 else np.nan, 2.001, math.exp(2.001)),
    ],
)
def test_near_the_edge_of_the_domain(fun, x, exact):
    found = derivative(fun, x)
    assert found.converged
    assert abs(found.value - exact) <= found.error
    assert found.value == pytest.approx(exact, rel=1e-10)


def test_at_the_corner_of_a_domain():
    def fun(x):
        return np.exp(x[0] + 2 * x[1]) if (x >= 0).all() else np.nan

    assert gradient(fun, [0.0, 0.0]).value == pytest.approx([1, 2], rel=1e-10)
    assert hessian(fun, [0.0, 0.0]).value == pytest.approx(np.array([[1, 2], [2, 4]]), rel=1e-6)


def test_an_isolated_value_has_no_derivative():
    found = derivative(lambda x: 1.0 if x == 2 else math.nan, 2.0)
    assert math.isnan(found.value)
    assert found.error == math.inf
    assert not found.converged


@pytest.mark.parametrize(
    ("fun", "x"),
    [
        (abs, 0.0),
        (lambda x: abs(x - 0.3), 0.3),
        (np.floor, 1.0),
        (np.sign, 0.0),
        (lambda x: float(x >= 0.3), 0.3),
        (np.cbrt, 0.0),
        (lambda x: abs(x) ** 0.5, 0.0),
        (lambda x: abs(x) + x, 0.0),
    ],
)
def test_kinks_and_jumps_do_not_converge(fun, x):
    found = derivative(fun, x)
    assert not found.converged
    assert found.error >= 0.5
    assert found.error >= abs(found.value)


@pytest.mark.parametrize("frequency", [1e3, 2 * math.pi * 256, 2 * math.pi * 4096, 1e6])
@pytest.mark.parametrize("x", [0.3, 0.7, 1.0])
def test_oscillations_are_seen(frequency, x):
    """No step that is tried is a multiple of their period."""
    found = derivative(lambda x: math.sin(frequency * x), x)
    # frequency * x is rounded, by half a unit
    exact = frequency * math.cos(frequency * x)
    assert abs(found.value - exact) <= found.error + EPS * frequency**2 * x
    assert found.error <= 1e-6 * frequency


# Noise, and nothing


def hashed(x):
    """Noise from -1/2 to 1/2 with no pattern: the bits of x, mixed (those of SplitMix64)."""
    bits = np.asarray(x, float).view(np.uint64)
    for shift, factor in ((31, 0x9E3779B97F4A7C15), (29, 0xBF58476D1CE4E5B9)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return (bits ^ (bits >> np.uint64(32))) / 2.0**64 - 0.5


@pytest.mark.parametrize("noise", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12])
def test_noise_is_covered(noise):
    x = np.linspace(0.1, 3, 200)
    found = derivative(lambda x: np.sin(x) + noise * hashed(x), x, vectorized=True)
    assert covered(found, np.cos(x)) >= 0.75
    assert np.median(found.error) <= 1e4 * noise


def test_noise_that_sizes_do_not_show():
    """f is small where it is the difference of large numbers."""
    x = np.linspace(-1e-2, 1e-2, 41)
    found = derivative(lambda x: np.exp(x) - 1 - x, x, vectorized=True)
    assert covered(found, np.expm1(x)) >= 0.9


def test_a_narrow_peak_is_seen():
    x = 1.000033928182437
    found = derivative(lambda x: np.cos(x) + np.exp(-((1e5 * (x - 1)) ** 2)), x)
    exact = -math.sin(x) - 2e10 * (x - 1) * math.exp(-((1e5 * (x - 1)) ** 2))
    assert abs(found.value - exact) <= found.error <= 1e-6


def test_a_function_that_returns_the_same_array_each_time():
    result = np.empty(2)

    def fun(x):
        result[0], result[1] = x[0] * x[1], x[0] ** 2
        return result

    assert jacobian(fun, [1.0, 2.0]).value.round(9).tolist() == [[2, 1], [2, 0]]


def test_arguments_are_let_go_of_when_a_jitted_function_raises():
    njit = pytest.importorskip("numba").njit

    @njit
    def fragile(x, a):
        if x > 1:
            raise ValueError("beyond")
        return x * a[0]

    a = np.ones(3)
    for _ in range(20):
        with pytest.raises(ValueError, match="beyond"):
            derivative(fragile, 0.99, args=(a,))
    alive = weakref.ref(a)
    del a
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("frequency", [1e6, 1e8, 1e10])
def test_fast_oscillations_are_no_noise(frequency):
    x = np.linspace(0.1, 3, 200)
    found = derivative(lambda x: np.sin(x) + 1e-8 * np.sin(frequency * x), x, vectorized=True)
    # frequency * x is rounded, by half a unit
    rounded = 1e-8 * frequency * EPS * frequency * x
    error = abs(found.value - np.cos(x) - 1e-8 * frequency * np.cos(frequency * x))
    assert (error <= found.error + rounded)[found.converged].all()
    assert np.mean(error <= found.error + rounded) >= 0.98


@pytest.mark.parametrize(("fun", "x"), [(lambda x: 3.7, 0.3), (math.cos, 0.0), (lambda x: x * x, 0.0)])
def test_exactly_zero(fun, x):
    found = derivative(fun, x)
    assert found.value == 0
    assert found.converged
    assert found.n_eval <= 20
    assert found.error <= 1e-12


# What is said of the result must be true


def ripples(count, seed):
    """Amplitudes and frequencies, both log-uniform, phases and points of ripples that rounding does not hide."""
    rng = np.random.default_rng(seed)
    frequency, amplitude = 10 ** rng.uniform(0.5, 5, count), 10 ** rng.uniform(-10, -1, count)
    return amplitude, frequency, rng.uniform(0, 6, count), rng.uniform(-2, 2, count)


def rippled(x, a, w, p):
    return np.sin(x) + a * np.sin(w * x + p)


def outside(found, exact, rounded):
    """Converged results that are farther off than they say and than rounding of the phase explains, and how many."""
    error = abs(np.asarray(found) - exact) - rounded
    return int((found.converged & (error > found.error)).sum()), int(found.converged.sum())


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_ripples(n):
    a, w, p, x = ripples(4000, n)
    found = derivative(rippled, x, n=n, vectorized=True, args=(a, w, p))
    turn = n * math.pi / 2
    exact = np.sin(x + turn) + a * w**n * np.sin(w * x + p + turn)
    wrong, right = outside(found, exact, EPS * a * w**n * abs(w * x + p))
    assert right >= 3900
    assert wrong <= 4


def test_ripples_of_plain_and_jitted_functions():
    pytest.importorskip("numba")
    for a, w, p, x in zip(*ripples(30, 9), strict=True):
        found = derivative(rippled, x, args=(a, w, p))
        assert same(derivative(jitted(rippled), x, args=(a, w, p)), found)
        assert same(derivative(rippled, x, args=(a, w, p), vectorized=True), found)


def test_ripples_of_several_variables():
    a, w, p, x = ripples(1000, 5)
    points = np.stack([x, x[::-1]])
    u = w * points[0] + 2 * points[1] + p

    def fun(x, a, w, p):
        return np.sin(x[0]) * x[1] + a * np.sin(w * x[0] + 2 * x[1] + p)

    found = gradient(fun, points, vectorized=True, args=(a, w, p))
    exact = np.stack([np.cos(points[0]) * points[1] + a * w * np.cos(u), np.sin(points[0]) + 2 * a * np.cos(u)])
    rounded = EPS * a * abs(u) * np.stack([w, np.full_like(w, 2)])
    assert outside(found, exact, rounded)[0] <= 1
    curved = hessian(fun, points, vectorized=True, args=(a, w, p))
    mixed = np.cos(points[0]) - 2 * a * w * np.sin(u)
    exact = np.array([[-np.sin(points[0]) * points[1] - a * w * w * np.sin(u), mixed], [mixed, -4 * a * np.sin(u)]])
    rounded = EPS * a * abs(u) * np.array([[w * w, 2 * w], [2 * w, np.full_like(w, 4)]])
    assert outside(curved, exact, rounded)[0] <= 4


def test_a_ripple_that_steps_of_powers_of_two_do_not_see():
    found = derivative(lambda t: t + 1e-3 * math.sin(1000 * t), 1.0)
    assert found.converged
    assert abs(found.value - 1 - math.cos(1000)) <= found.error <= 1e-6


@pytest.mark.parametrize("n", [5, 7, 8, 9, 10])
def test_highest_orders(n):
    """Far better than a tenth, and never said to have converged where they are not."""
    for formula in ("sin(x)", "exp(x)", "x/(1 + x**2)", "exp(-x**2)", "atan(x)"):
        (function,) = (f for f in SMOOTH if f.formula == formula)
        x = function.points[::4]
        exact = function.exact(x, n)
        found = derivative(function.fun, x, n=n, vectorized=True)
        error, scale = abs(found.value - exact), abs(exact).max()
        assert (error <= found.error).all()
        assert (found.error[found.converged] <= 0.1 * scale).all()
        assert np.median(error) <= {5: 1e-7, 7: 1e-5, 8: 1e-5, 9: 1e-4, 10: 1e-3}[n] * scale


@pytest.mark.parametrize("shape", ["cos", "square", "peak", "rational", "fourth", "lopsided"])
def test_extrema(shape):
    rng = np.random.default_rng(1)
    x, w, c = rng.uniform(-3, 3, 100), 10 ** rng.uniform(-3, 3, 100), rng.normal(size=100)
    fun = {
        "cos": lambda u: np.cos(u),
        "square": lambda u: u * u,
        "peak": lambda u: np.exp(-u * u),
        "rational": lambda u: 1 / (1 + u * u),
        "fourth": lambda u: u**4,
        "lopsided": lambda u: u * u * np.exp(-u),
    }[shape]
    found = derivative(lambda t, x, w, c: fun(w * (t - x)) + c, x, vectorized=True, args=(x, w, c))
    assert found.converged.all()
    assert (abs(found.value) <= found.error).all()
    assert (found.error <= 1e-8 * (1 + w)).all()
    assert derivative(np.sin, math.pi / 2).converged


@pytest.mark.parametrize("n", [1, 2, 3])
def test_beside_a_pole(n):
    """The scale of a function there is the distance to it, whatever its size: t^2 + c / t at its minimum."""
    c = 10.0 ** np.arange(-24, 1, 0.5)
    x = np.cbrt(c / 2)
    factor, smooth = {1: (-1, 2 * x), 2: (2, 2), 3: (-6, 0)}[n]
    exact = factor * c / x ** (n + 1) + smooth
    found = derivative(lambda t, c: t * t + c / abs(t), x, n=n, vectorized=True, args=(c,))
    assert found.converged.all()
    assert (abs(found.value - exact) <= found.error + 4 * EPS * abs(c / x ** (n + 1))).all()


@pytest.mark.parametrize(
    ("fun", "x", "exact"),
    [
        (math.log, 0.3, 1 / 0.3),
        (math.sqrt, 1e-3, 0.5 / math.sqrt(1e-3)),
        (math.asin, 0.999, 1 / math.sqrt(1 - 0.999**2)),
        (math.acosh, 1.01, 1 / math.sqrt(1.01**2 - 1)),
        (lambda t: 1 / (t - 1) if t > 1 else 1 / 0, 1.5, -4.0),
        (lambda t: [math.log(t), 2 * t][0] * 1j, 0.3, 1j / 0.3),
    ],
)
def test_functions_that_raise_outside_of_their_domain(fun, x, exact):
    found = derivative(fun, x)
    assert found.converged
    assert abs(found.value - exact) <= found.error


def test_what_is_raised_at_a_point_comes_out():
    with pytest.raises(ValueError, match="math domain error"):
        derivative(math.log, [1.0, -1.0])


@quiet
def test_a_bad_point_or_number_does_not_lose_the_others():
    for options in ({}, {"vectorized": True}, {"step": 0.01}, {"bounds": (-2, np.inf)}):
        found = derivative(np.log, [1.0, -1.0, np.nan, 2.0], **options)
        assert found.value[[0, 3]] == pytest.approx([1, 0.5], rel=1e-6)
        assert np.isnan(found.value[[1, 2]]).all()
        assert np.isinf(found.error[[1, 2]]).all()
        assert not found.converged[[1, 2]].any()
    found = jacobian(lambda x: np.array([x[0] * x[1], np.log(-x[0])]), [1.0, 2.0])
    assert found.value[0].round(9).tolist() == [2, 1]
    assert np.isnan(found.value[1]).all()
    assert not found.converged[1].any()
    found = hessian(lambda x: x[0] * x[1] ** 2, [[1.0, np.inf], [2.0, 1.0]])
    assert found.value[..., 0].round(6).tolist() == [[0, 4], [4, 2]]
    assert np.isnan(found.value[..., 1]).all()
    assert math.isnan(derivative(np.log, -1.0).value)


def test_numbers_of_other_kinds():
    mpmath, sympy = pytest.importorskip("mpmath"), pytest.importorskip("sympy")
    for kind in (Fraction, mpmath.mpf, sympy.Float, Decimal):
        assert derivative(lambda t, kind=kind: kind(float(t)) ** 2, 1.5).value == pytest.approx(3, rel=1e-12)
    found = derivative(lambda t: [Fraction(float(t)), Decimal(float(t)) ** 2], 1.5)
    assert found.value == pytest.approx([1, 3], rel=1e-12)


def test_format():
    found = derivative(math.sin, 1.0)
    assert f"{found:.3f}" == "0.540"
    assert f"{found}" == repr(found)


def test_memory_of_a_jacobian():
    """At most four times what is returned."""
    size = 400
    factors = np.arange(1.0, size + 1)
    jacobian(np.sin, [1.0])  # compiles
    tracemalloc.start()
    try:
        found = jacobian(lambda x: np.sin(x) * factors, np.linspace(0, 1, size))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.converged.all()
    assert peak <= 4 * (found.value.nbytes + found.error.nbytes + found.step.nbytes + found.converged.nbytes)


# What is refused


def returns(*values):
    """A function that is the first value at 1, the next at all other points."""
    return lambda x: values[0] if np.all(x == 1) else values[-1]


REFUSED = [
    (lambda: derivative(np.exp, []), r"`x` has shape \(0,\); give at least one point"),
    (lambda: gradient(np.sum, []), r"`x` has shape \(0,\); give at least one variable"),
    (lambda: gradient(np.sum, np.empty((2, 0))), r"`x` has shape \(2, 0\); give at least one point"),
    (lambda: gradient(np.sum, np.empty((0, 2))), r"`x` has shape \(0, 2\); give at least one variable"),
    (lambda: gradient(np.sum, 1.0), "`x` is a number; give a vector"),
    (lambda: hessian(np.sum, 1.0), "`x` is a number; give a vector"),
    *[(lambda n=n: derivative(np.exp, 1.0, n=n), f"`n` is {n!r}; give an integer from 1 to 10") for n in (0, -1, 11)],
    *[
        (lambda a=a: derivative(np.exp, 1.0, accuracy=a), f"`accuracy` is {a!r}; give an integer from 2 to 20")
        for a in (0, 22)
    ],
    (lambda: derivative(np.exp, 1.0, accuracy=3), "`accuracy` is 3; .* even"),
    *[
        (lambda s=s: derivative(np.exp, 1.0, step=s), f"`step` is {s}; give positive numbers")
        for s in (0.0, -1.0, np.nan, np.inf)
    ],
    (lambda: derivative(np.exp, 1.0, step=1e-17), "`step` is 1e-17, which is nothing beside `x` = 1.0"),
    (lambda: derivative(np.exp, np.float32(1), step=1e-9), "`step` is 1e-09, which is nothing beside `x` = 1.0"),
    (lambda: derivative(np.exp, [1.0, 2.0], step=[1, 1, 1]), r"`step` has shape \(3,\), which does not fit"),
    (lambda: derivative(np.exp, [1.0, 2.0], bounds=([0, 0, 0], 9)), r"`bounds` has shape \(3,\), which does not fit"),
    (lambda: derivative(np.exp, 1.0, bounds=[[0, 1], [2]]), "`bounds` has shape"),
    (lambda: derivative(np.exp, 1.0, step=[[0, 1], [2]]), "`step` is .*; give numbers"),
    (lambda: derivative(np.exp, 1.0, bounds=(0, 1, 2)), r"`bounds` is \(0, 1, 2\); give a pair"),
    (lambda: derivative(np.exp, 1.0, bounds=(2, 0)), "`bounds`: the lower bound 2.0 is not below the upper one"),
    (lambda: derivative(np.exp, 1.0, bounds=(0, np.nan)), "`bounds`: the lower bound 0.0 is not below"),
    (lambda: derivative(np.exp, [1.0, 3.0], bounds=(0, 2)), "`x` is 3.0 at index 1, which is outside of `bounds`"),
    (lambda: derivative(np.exp, 1.0, bounds=(1, 1)), "`bounds` leave no room .* `x` = .1.0. .*give wider bounds$"),
    (lambda: derivative(np.exp, 1.0, bounds=(1 - 1e-15, 1 + 1e-15)), "`bounds` leave no room"),
    (lambda: gradient(np.sum, [1.0, 2.0], bounds=([0, 2], [3, 2])), "`bounds` leave no room"),
    (lambda: derivative(np.exp, 1.0, step=0.1, bounds=(0.95, 1.05)), "no room .*wider bounds, or a smaller `step`"),
    (lambda: gradient(lambda x: x, [1.0, 2.0]), r"`fun` returned an array of shape \(2,\); `gradient` .* `jacobian`"),
    (lambda: derivative(lambda x: "a", 1.0), "`fun` returned <U1; it must return real or complex"),
    (lambda: derivative(lambda x: None, 1.0), "`fun` returned an object of type None"),
    (lambda: derivative(lambda x: [None, 1], [1.0, 2.0]), "`fun` returned an object"),
    (lambda: derivative(lambda x: np.longdouble(x), 1.0), "`fun` returned .*at most 64 bits"),
    (lambda: derivative(lambda x: np.ones(int(x)), [1.0, 2.0]), "`fun` returned the shapes"),
    (lambda: derivative(returns(np.ones(1), np.ones(2)), 1.0), "`fun` returned the shapes"),
    (lambda: derivative(returns(np.ones((2, 3)), np.ones((3, 2))), 1.0), "`fun` returned the shapes"),
    (lambda: derivative(returns(1.0, np.ones(1)), 1.0), "`fun` returned the shapes"),
    (lambda: derivative(returns(1.0, 1j), 1.0), "`fun` returned"),
    (lambda: derivative(returns(1.0, "a"), 1.0), "`fun` returned <U1"),
    (lambda: derivative(lambda x: 1.0, [1.0, 2.0], vectorized=True), r"returned shape \(\) .* \(2,\).*2 points"),
    (lambda: gradient(lambda x: x, np.ones((2, 3)), vectorized=True), "use `jacobian`"),
    (lambda: derivative(lambda x: np.stack([x, x], -1), LINE, vectorized=True), "last axis must be that of the 10 po"),
]


OF_ANOTHER_TYPE = [
    (lambda: derivative(3, 1.0), "`fun` is 3, which cannot be called"),
    (lambda: derivative(np.exp, 1j), "`x` has dtype complex128; give real"),
    (lambda: derivative(np.exp, None), "`x` has dtype object"),
    (lambda: derivative(np.exp, np.float16(1)), "`x` has dtype float16"),
    (lambda: derivative(np.exp, 1.0, bounds=3), "`bounds` is 3; give a pair"),
    (lambda: derivative(np.exp, 1.0, args=3), r"`args` is 3; give a tuple, \(3,\)"),
    (lambda: derivative(np.exp, 1.0, args=[3]), r"`args` is \[3\]; give a tuple"),
    *[
        (lambda n=n: derivative(np.exp, 1.0, n=n), f"`n` is {n!r}; give an integer from 1 to 10")
        for n in (1.5, True, None)
    ],
    *[
        (lambda a=a: hessian(np.sum, [1.0], accuracy=a), f"`accuracy` is {a!r}; give an integer from 2 to 20")
        for a in (True, 4.0)
    ],
    *[
        (lambda s=s: gradient(np.sum, [1.0], step=s), "`step` is .*; give numbers")
        for s in ("small", "0.1", 0.1j, True, [0.1, None], [np.datetime64("2020-01-01")])
    ],
    *[
        (lambda b=b: jacobian(np.sum, [1.0], bounds=b), "`bounds` is .*; give ")
        for b in ({0: 1, 1: 2}, "ab", (None, 1), (0, "1"), (0j, 1), np.array(1.0))
    ],
    (lambda: derivative(np.exp, 1.0, vectorized=1), "`vectorized` is 1; give True or False"),
    (lambda: derivative(np.exp, 1.0, vectorized=None), "`vectorized` is None; give True or False"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), OF_ANOTHER_TYPE, ids=[m for _, m in OF_ANOTHER_TYPE])
def test_arguments_of_another_type_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def growing(x):
    return np.ones(1 if x <= 1 else 2)


def transposed(x):
    return np.ones((2, 3)) if x <= 1 else np.ones((3, 2))


def complex_growing(x):
    return np.full(1 if x <= 1 else 2, 1j)


def text(x):
    return "a"


@pytest.mark.parametrize(
    ("fun", "message"),
    [
        (growing, "`fun` returned arrays of different shapes"),
        (complex_growing, "`fun` returned arrays of different shapes"),
        (transposed, "`fun` returned .*different"),
        (text, "`fun` returned <U1; it must"),
    ],
)
def test_what_is_refused_of_jitted_functions(fun, message):
    with pytest.raises(ValueError, match=message):
        derivative(jitted(fun), 1.0)


@pytest.mark.parametrize("is_vectorized", [False, True])
@pytest.mark.parametrize("late", [0, 1])
def test_errors_of_functions_come_out_untouched(is_vectorized, late):
    error, calls = RuntimeError("division by nobody"), []

    def fun(x):
        calls.append(x)
        if len(calls) > late:
            raise error
        return x * x

    with pytest.raises(RuntimeError) as caught:
        derivative(fun, LINE if is_vectorized else 1.0, vectorized=is_vectorized)
    assert caught.value is error
    assert caught.value.args == ("division by nobody",)


def fragile(x):
    if x > 1.5:
        raise ZeroDivisionError("division by nobody")
    return x * x


def fragile_three(x):
    if x[1] > 1.5:
        raise ZeroDivisionError("division by nobody")
    return x[0] * x[1]


@pytest.mark.parametrize("count", [1, 3])
def test_errors_of_jitted_functions_come_out_untouched(threads, count):
    threads(count)
    x = np.linspace(0, 1.499, 5000)
    for call, fun, points in [
        (derivative, fragile, 2.0),
        (derivative, fragile, 1.4999),
        (derivative, fragile, x),
        (gradient, fragile_three, np.stack([x, x])),
        (hessian, fragile_three, np.stack([x, x])),
    ]:
        with pytest.raises(ZeroDivisionError, match=r"^division by nobody$") as caught:
            call(jitted(fun), points)
        assert caught.type is ZeroDivisionError
    assert derivative(jitted(fragile), 0.5).value == pytest.approx(1)


# What comes out


def test_the_result_cannot_be_changed():
    found = derivative(math.sin, 1.0)
    with pytest.raises(FrozenInstanceError):
        found.value = 3.0


def test_what_is_printed():
    number = r"-?[\d.]+(e-\d+)?"
    found = repr(derivative(math.sin, 1.0))
    assert re.fullmatch(rf"Derivative: {number} \+- {number} \(converged, step {number}, \d+ evaluations\)", found)
    assert "(not converged, " in repr(derivative(abs, 0.0))
    found = repr(derivative(np.sin, LINE))
    assert re.match(
        rf"Derivative of shape \(10,\): error at most {number}, all converged, \d+ evaluations\n  \[", found
    )
    found = repr(derivative(abs, np.append(np.zeros(2), np.ones(1500))))
    assert re.match(r".*: error at most .*, 2 of 1,502 not converged, \d\d,\d\d\d evaluations\n", found)
    assert len(found) < 400


def test_asarray():
    found = derivative(np.sin, LINE)
    assert np.asarray(found).dtype == np.float64
    assert np.asarray(found, "f4").dtype == np.float32
    assert (np.asarray(found) == found.value).all()
    assert np.array(derivative(math.sin, 1.0)).shape == ()


@pytest.mark.parametrize("x", [1, 1.0, np.float64(1), np.array(1.0), np.array(1, "u1"), True], ids=repr)
def test_of_a_number(x):
    found = derivative(np.exp, x)
    assert found.value == pytest.approx(math.e, rel=1e-13)
    assert type(found.value) is type(found.error) is type(found.step) is np.float64
    assert type(found.n_eval) is int
    assert type(found.converged) is bool


def test_of_a_number_in_single_precision():
    found = derivative(np.exp, np.float32(1))
    assert type(found.value) is np.float32
    assert abs(float(found.value) - math.e) <= found.error <= 1e-4


@pytest.mark.parametrize("call", [lambda f, x: derivative(lambda v: f([v, v]), x[0]), gradient])
def test_of_a_complex_number(call):
    found = call(lambda x: complex(x[0], x[1] ** 2), [1.0, 2.0])
    assert found.value.dtype == np.complex128
    assert found.error.dtype == found.step.dtype == np.float64
    assert covered(found, 1 + 2j if found.value.ndim == 0 else np.array([1, 4j])) == 1
    assert (found.error > 0).all()


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_dtypes_of_values(dtype):
    x = LINE.astype("f4" if dtype in ("f4", "c8") else "f8")
    found = derivative(lambda x: x.astype(dtype) ** 2, x, vectorized=True)
    assert found.value.dtype == dtype
    assert covered(found, 2 * x.astype(float)) >= 0.95


@pytest.mark.parametrize("fun", [np.sin, lambda x: np.sin(x.astype(float))], ids=["single", "double"])
def test_points_of_single_precision(fun):
    """They are rounded wherever they are; what the function makes of them may be more exact."""
    x = np.linspace(0.1, 3, 200, dtype="f4")
    found = derivative(fun, x, vectorized=True)
    assert covered(found, np.cos(x.astype(float))) >= 0.95
    assert np.median(abs(found.value - np.cos(x.astype(float)))) <= 1e-5


def test_points_of_single_precision_jitted():
    found = derivative(jitted(rational), LINE.astype("f4"))
    assert found.value.dtype == np.float32
    assert found.converged.all()


@pytest.mark.parametrize(("call", "inner"), [(derivative, ()), (gradient, (3,)), (hessian, (3, 3))])
@pytest.mark.parametrize("points", [(), (1,), (4,), (2, 3)])
@quiet
def test_axes_of_numbers_python(call, inner, points):
    """Also of the kernels as Python, in the run without the compiler."""
    x = np.random.default_rng(0).random((3, *points) if inner else points) + 1
    found = call((lambda x: x[0] * x[1] * x[2]) if inner else (lambda x: x * x), x)
    assert np.shape(found.value) == np.shape(found.error) == np.shape(found.converged) == inner + points
    assert np.shape(found.n_eval) == points
    if call is hessian:
        expected = np.zeros((3, 3, *points))
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            expected[i, j] = expected[j, i] = x[k]
        assert found.value == pytest.approx(expected, rel=1e-10, abs=1e-10)
    else:
        expected = np.stack([x[1] * x[2], x[0] * x[2], x[0] * x[1]]) if inner else 2 * x
        assert found.value == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("points", [(), (4,), (2, 3)])
@quiet
def test_axes_of_arrays_python(points):
    x = np.random.default_rng(0).random((3, *points)) + 1
    found = jacobian(lambda x: [[x[0] * x[1], x[2], 1.0]], x)
    assert found.value.shape == (1, 3, 3, *points)
    zero, one = np.zeros(points), np.ones(points)
    expected = [[[x[1], x[0], zero], [zero, zero, one], [zero, zero, zero]]]
    assert found.value == pytest.approx(np.array(expected), abs=1e-12)
    found = derivative(lambda x: [x, x * x], x)
    assert found.value == pytest.approx(np.stack([np.ones_like(x), 2 * x]), abs=1e-12)
    assert hessian(lambda x: [x[0] * x[1], x[2]], x).value.shape == (2, 3, 3, *points)


def doubling(x):
    for i in range(x.size):
        x[i] = 2 * x[i]
    return x[0] * x[1]


@pytest.mark.parametrize("call", [gradient, hessian])
@pytest.mark.parametrize("how", ["plain", "vectorised", "jitted"])
def test_functions_may_write_to_their_argument(call, how):
    def vectorised(x):
        x *= 2
        return x[0] * x[1]

    x = GRID[:2].copy()
    expected = call(lambda x: 4 * x[0] * x[1], x)
    if how == "jitted":
        found = call(jitted(doubling), x)
    else:
        found = call(doubling if how == "plain" else vectorised, x, vectorized=how == "vectorised")
    assert found.value == pytest.approx(expected.value, rel=1e-12, abs=1e-12)
    assert (x == GRID[:2]).all()


def test_vectorised_functions_of_numbers_may_write_to_their_argument():
    def fun(x):
        x *= 2
        return x * x

    x = LINE.copy()
    assert derivative(fun, x, vectorized=True).value == pytest.approx(8 * LINE, rel=1e-12)
    assert (x == LINE).all()


@pytest.mark.parametrize("is_jitted", [False, True])
def test_layouts_of_points(is_jitted):
    fun = jitted(three) if is_jitted else three
    expected = gradient(fun, GRID)
    read_only = GRID.copy()
    read_only.flags.writeable = False
    for x in (read_only, np.asfortranarray(GRID), np.repeat(GRID, 2, axis=1)[:, ::2], GRID.tolist(), [*GRID]):
        assert same(gradient(fun, x), expected)
    assert same(gradient(fun, GRID[:, ::-1]), gradient(fun, GRID[:, ::-1].copy()))


# Larger functions


@pytest.mark.parametrize("is_vectorized", [False, True])
def test_rosenbrock(is_vectorized):
    optimize = pytest.importorskip("scipy.optimize")
    x = np.random.default_rng(0).uniform(-2, 2, (100, 1))
    found = gradient(optimize.rosen, x if is_vectorized else x[:, 0], vectorized=is_vectorized)
    exact = optimize.rosen_der(x if is_vectorized else x[:, 0])
    assert covered(found, exact) >= 0.95
    assert abs(found.value - exact).max() <= 1e-13 * abs(exact).max()
    assert found.converged.all()


def test_rosenbrock_hessian():
    optimize = pytest.importorskip("scipy.optimize")
    x = np.random.default_rng(0).uniform(-2, 2, 5)
    found, exact = hessian(optimize.rosen, x), optimize.rosen_hess(x)
    assert covered(found, exact) >= 0.95
    assert abs(found.value - exact).max() <= 1e-13 * abs(exact).max()
    assert (found.value == found.value.T).all()


def test_rastrigin():
    x = np.random.default_rng(0).uniform(-5, 5, 20)
    found = gradient(lambda x: 10 * x.size + np.sum(x**2 - 10 * np.cos(2 * np.pi * x)), x)
    exact = 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)
    assert covered(found, exact) >= 0.95
    assert found.value == pytest.approx(exact, abs=1e-10)


# Weights


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("accuracy", [4, 6])
def test_weights_are_those_of_fornberg(n, accuracy):
    """Of all nodes together, exactly: the extrapolated quotient is the one quotient of this order on these nodes."""
    sympy = pytest.importorskip("sympy")
    quotient = _quotients.central(n)
    powers = [p for p in quotient.powers if p < accuracy]
    weights = _quotients.limit(tuple(powers), tuple(Fraction(2**j) for j in range(len(powers) + 1)))
    nodes = {0: Fraction(0)}
    assert sum(weights) == 1
    for j, weight in enumerate(weights):
        factor = Fraction(weight) * math.factorial(n) / 2 ** (j * n)
        nodes[0] += factor * Fraction(quotient.center)
        for offset, part in zip(quotient.offsets, quotient.part, strict=True):
            nodes[int(offset) * 2**j] = factor * Fraction(part)
    order = sorted(nodes)
    expected = sympy.finite_diff_weights(n, order, 0)[n][-1]
    for node, exact in zip(order, expected, strict=True):
        assert float(nodes[node]) == pytest.approx(float(exact), rel=4 * EPS, abs=4 * EPS)


QUOTIENTS = [
    *[_quotients.central(n) for n in range(1, 11)],
    *[_quotients.one_sided(n, side) for n in range(1, 5) for side in (1, -1)],
    _quotients.mixed(),
    *[_quotients.mixed_one_sided(a, b) for a in (1, -1) for b in (1, -1)],
]


@pytest.mark.parametrize("quotient", QUOTIENTS, ids=lambda q: f"{q.offsets}-{q.n}")
@pytest.mark.parametrize("is_fixed", [False, True])
@pytest.mark.parametrize("accuracy", [2, 4, 10])
def test_weights_remove_the_powers(quotient, is_fixed, accuracy):
    """Those of the levels of each row sum to 1, and to 0 times the powers that the row is there to remove."""
    kind = _quotients.kind_of(quotient, accuracy, is_fixed)
    rows = kind.facts[2][layout.ALL_LEVELS : layout.ALL_BUT_TWO + 1]
    steps = [kind.ratio**j for j in range(kind.levels)]
    for row in rows:
        exact = [Fraction(w) for w in row]
        used = sum(w != 0 for w in row)
        assert len(row) == kind.levels + 1
        for p in (0, *quotient.powers[: used - 1]):
            terms = [w * s**p for w, s in zip(exact, steps, strict=False)]
            assert abs(sum(terms) - (p == 0)) <= 8 * EPS * sum(map(abs, terms))
    # What the probe would change is nothing where the powers that the levels remove are all there is.
    probe = [Fraction(w) for w in kind.facts[2][layout.PROBE]]
    for p in (0, *quotient.powers[: kind.levels - 1]):
        terms = [w * s**p for w, s in zip(probe, [*steps, _quotients.PROBE], strict=True)]
        assert abs(sum(terms)) <= 8 * EPS * sum(map(abs, terms))
    assert probe[-1] != 0
    # The quotient that is given out removes all powers below the accuracy.
    given_out = rows[1] if is_fixed else rows[0]
    assert sum(w != 0 for w in given_out) >= 1 + sum(p < accuracy for p in quotient.powers)


@pytest.mark.parametrize("quotient", QUOTIENTS, ids=lambda q: f"{q.offsets}-{q.n}")
def test_quotients_have_the_powers_that_they_claim(quotient):
    """Of x^a y^b, which contributes h^(a + b): nothing, the derivative, or a power that is on the list."""
    if quotient.offsets2:
        for a in range(6):
            for b in range(6):
                pairs = zip(quotient.offsets, quotient.offsets2, quotient.part, strict=True)
                total = sum(p * u**a * v**b for u, v, p in pairs) + (quotient.center if a + b == 0 else 0)
                if (a, b) == (1, 1):
                    assert total == 1
                elif total:
                    assert a + b - 2 in quotient.powers
        return
    for k in range(20):
        total = sum(p * u**k for u, p in zip(quotient.offsets, quotient.part, strict=True))
        total += quotient.center if k == 0 else 0
        assert (total != 0) == (k == quotient.n or k - quotient.n in quotient.powers)
        assert k != quotient.n or total == 1


# The kernels as Python


@pytest.mark.parametrize(
    ("fun", "options"),
    [
        (np.sin, {}),
        (np.sin, {"n": 2}),
        (np.sin, {"step": 0.01}),
        (np.sin, {"bounds": (0.1, 2.0)}),
        (abs, {}),
        (lambda x: np.sin(300 * x), {"n": 3}),
        (lambda x: np.sqrt(abs(x)), {}),
        (lambda x: [np.sin(99 * x), x], {}),
    ],
)
@quiet
def test_search_in_python(fun, options):
    """Many points are what each of them is, also where they are looked at in different blocks, and in turns."""
    x = np.concatenate([np.linspace(0.1, 2, 150), [0.1, 2.0]])
    x = x if "bounds" in options else np.append(x, 0.0)
    whole = derivative(fun, x, **options)
    assert whole.value.shape[-1] == x.size
    for i in (0, 100, 130, x.size - 1):
        one = derivative(fun, x[i], **options)
        assert (one.value == whole.value[..., i]).all()
        assert (one.error == whole.error[..., i]).all()
        assert one.n_eval == whole.n_eval[i]


@pytest.mark.parametrize("bounds", [None, (0.0, 3.0), ([0.0, 0.0], [1.0, 4.0])], ids=str)
@pytest.mark.parametrize("step", [None, 2.0**-11])
@quiet
def test_mixed_partials_in_python(bounds, step):
    found = hessian(lambda x: np.exp(30 * x[0]) * np.sin(x[1]), [[0.0, 0.5], [0.0, 1.0]], bounds=bounds, step=step)
    e, s, c = np.exp([0, 15]), np.sin([0, 1]), np.cos([0, 1])
    exact = np.array([[900 * e * s, 30 * e * c], [30 * e * c, -e * s]])
    assert abs(found.value - exact).max() <= 1e-6 * abs(exact).max()


@pytest.mark.parametrize(
    ("call", "fun", "x", "keep"),
    [
        (derivative, rational, LINE, "real"),
        (derivative, spiral, LINE, "complex"),
        (derivative, curve, LINE, "array"),
        (derivative, table, LINE, "complex_array"),
        (derivative, lambda x, a: a * x * x, LINE, "real"),
        (gradient, three, np.linspace(0.3, 2, 450).reshape(3, 150), "real"),
        (jacobian, pair, GRID, "array"),
        (jacobian, complex_pair, GRID, "complex_array"),
        (hessian, three, GRID, "real"),
    ],
)
@quiet
def test_samples_in_python(monkeypatch, call, fun, x, keep):
    """What is compiled with a function does in Python what calling it directly does."""

    class Caller(_calls.PlainCaller):
        def search(self, kind, tasks, problem, numbers, found):
            model, sample = self.model, samples.sample
            monkeypatch.setattr(samples, "each", samples.each_vector if model.is_vector else samples.each_scalar)
            second = np.empty(0, np.int64) if tasks.second is None else tasks.second
            context = np.ascontiguousarray(model.points.T), tasks.point, tasks.first, second
            scratch = kind.scratch(numbers[2], min(layout.BLOCK, tasks.point.size), model.is_vector)
            functions = *[d.compiled for d in _quotients.drafts()], sample
            total = tasks.point.size
            samples.search(
                functions, scratch, problem, tuple(found), numbers, kind.arrays, context, model.args, 0, total
            )
            indices = np.arange(model.points.shape[1])
            lanes = np.empty(self.values.lanes.shape)
            context = context[0], indices, np.zeros_like(indices), second[:0]
            samples.centers(sample, model.points[0], indices, lanes.reshape(-1), context, model.args)
            assert (lanes == self.values.lanes).all()

    args = (2.0,) if fun.__code__.co_argcount == 2 else ()
    expected = call(fun, x, args=args)
    shape = np.shape(fun(x[:, 0] if x.ndim == 2 else x[0], *args))
    keeping = getattr(samples, f"keep_{keep}")
    for name, value in {"fun": fun, "SHAPE": shape, "keep": keeping, "value_at": lambda args: args}.items():
        monkeypatch.setattr(samples, name, value)
    monkeypatch.setattr(_problem, "caller_of", Caller)
    assert same(call(fun, x, args=args), expected)


@pytest.mark.parametrize("keep", [samples.keep_array, samples.keep_complex_array])
@quiet
def test_samples_of_other_sizes_in_python(keep):
    with pytest.raises(ValueError, match="arrays of different shapes"):
        keep(np.empty(9), 3, 0, np.ones(2))


@quiet
def test_the_stand_in_for_a_function_in_python():
    assert samples.fun(3.0) == 3.0


def test_further_arguments_in_python():
    assert samples.value_at(0) == ()
    seen = []
    samples.hold(lambda *given: seen.append(given), (1, 2), (3.0,), (4,))
    assert seen == [(1, 2, (3.0,), 4)]
