"""gradient_descent against the plain NumPy loop, its errors, its ends."""

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import tracemalloc
import warnings
import weakref
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from helpers import HANGS, LAYOUTS
from hypothesis import given, settings
from hypothesis import strategies as st

import numgrad as ng
from numgrad.regression import _check, _fused, _modes, _problem, _rows, _run, _step_size
from numgrad.regression._kernels import iteration, looks
from numgrad.regression._quadratic import ThetaCoordinates

JIT = os.environ.get("NUMBA_DISABLE_JIT") != "1"


def plain(X, y, theta, rate, n_iter, momentum=0.0, nesterov=False, w=None, penalty=0.0):
    """The four operations, one NumPy expression each."""
    w = np.ones(len(y)) if w is None else w
    m, cost, v = w.sum(), [], 0
    for _ in range(n_iter):
        hypothesis = X @ theta
        loss = hypothesis - y
        cost.append((w * (loss**2).T).sum() / (2 * m) + (penalty * (theta**2).T).sum() / 2)
        gradient = X.T @ (w * loss.T).T / m + (penalty * theta.T).T
        v = momentum * v + gradient
        theta = theta - rate * (gradient + momentum * v if nesterov else v)
    return theta, np.array(cost)


def line(m=100, bias=25, variance=10, seed=0):
    """The first classic."""
    i = np.arange(m, dtype=float)
    return np.column_stack([np.ones(m), i]), i + bias + variance * np.random.default_rng(seed).random(m)


def random_problem(m, n, dtype="f8", seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n))
    return X.astype(dtype), (X @ rng.standard_normal(n) + rng.standard_normal(m)).astype(dtype)


def agree(run, theta, cost, theta_tolerance=1e-12, cost_tolerance=1e-10):
    assert abs(run.theta - theta).max() <= theta_tolerance * abs(theta).max()
    # At the end of noise-free data, the cost is rounding errors of the hypothesis.
    assert (abs(run.cost - cost) <= cost_tolerance * cost + 1e-26 * cost[0]).all()


ENGINES = pytest.mark.parametrize("method", ["fused", "modes"])


WAYS = ["copied", "packed in each pass", "rows in place", "columns in place"]


def lay(X, way):
    """Return an array in the layout that is gone over in this way, where nothing is copied."""
    if way == "packed in each pass":
        return np.repeat(X, 2, axis=0)[::2]
    return np.asarray(X, order="F" if way == "columns in place" else "C")


def force(way, monkeypatch):
    """Let the fused engine go over data of `lay` in this way, but for the first one in many pieces."""
    if way in WAYS[1:]:
        monkeypatch.setattr(_fused, "COPY_LIMIT", 0)
        monkeypatch.setattr(_fused, "PIECE", (256, 256))
        monkeypatch.setattr(_fused, "SEVERAL", 128)


@pytest.fixture(params=WAYS)
def passes(request, monkeypatch):
    """The ways of the fused engine over the data."""
    force(request.param, monkeypatch)
    return request.param


@pytest.fixture(params=["modes", *WAYS])
def way(request, monkeypatch):
    """A method, and how X is laid out for it: all ways over the data."""
    force(request.param, monkeypatch)
    return "modes" if request.param == "modes" else "fused", request.param


CLASSIC = 100_000 if JIT else 100  # iterations


@cache
def first_classic():
    X, y = line()
    return X, y, plain(X, y, np.ones(2), 0.0005, CLASSIC)


@cache
def second_classic(m, variance):
    i = np.arange(1, m + 1, dtype=float)
    X, y = np.column_stack([np.ones(m), i]), 10 * i + 900 + variance * np.random.default_rng(1).random(m)
    return X, y, plain(X, y, np.zeros(2), 0.0001, CLASSIC)


@ENGINES
def test_first_classic(method):
    X, y, expected = first_classic()
    run = ng.gradient_descent(X, y, np.ones(2), learning_rate=0.0005, n_iter=CLASSIC, method=method)
    assert run.method == method
    agree(run, *expected)
    assert run.n_iter == CLASSIC == len(run.cost)
    assert run.stop_reason == f"completed {CLASSIC} iterations"
    assert run.theta.dtype == run.cost.dtype == np.float64
    assert (np.diff(run.cost) <= 1e-12).all()


@ENGINES
@pytest.mark.parametrize(("m", "variance"), [(50, 600), (50, 1000), (100, 200)])
def test_second_classic(m, variance, method):
    X, y, expected = second_classic(m, variance)
    run = ng.gradient_descent(X, y, learning_rate=0.0001, n_iter=CLASSIC, method=method)
    agree(run, *expected)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 33])
@pytest.mark.parametrize("m", [1, 2, 127, 128, 129, 300])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_any_shape(m, n, dtype, passes):
    X, y = random_problem(m, n, dtype)
    rate = 0.9 / np.linalg.eigvalsh(X.T.astype("f8") @ X / m)[-1]
    run = ng.gradient_descent(lay(X, passes), y, learning_rate=rate, n_iter=12, method="fused")
    theta, cost = plain(X.astype("f8"), y.astype("f8"), np.zeros(n), rate, 12)
    assert run.theta.dtype == dtype
    tolerance = 1e-12 if dtype == "f8" else 2e-5
    assert np.allclose(run.theta, theta, rtol=tolerance, atol=tolerance * abs(theta).max())
    # A single row is fitted exactly: rounding of h, relative to the first loss, is then what limits the cost.
    rounding = 32 * np.finfo(dtype).eps * np.sqrt(cost * cost[0]) + (32 * np.finfo(dtype).eps) ** 2 * cost[0]
    assert (abs(run.cost - cost) <= (1e-10 if dtype == "f8" else 1e-4) * cost + rounding).all()


def test_layouts_give_the_same_answer(way):
    method, layout = way
    X, y = random_problem(300, 5)
    X = lay(X, layout)
    expected = plain(X, y, np.zeros(5), 0.1, 50)
    frozen = X.copy()
    frozen.flags.writeable = False
    big_endian, unaligned = X.astype(">f8"), LAYOUTS["unaligned"](X)
    wide = np.full((310, 7), np.nan, order="F")
    wide[3:303, 1:6] = X
    many = [
        X,
        np.asfortranarray(X),
        frozen,
        np.repeat(X, 2, axis=0)[::2],
        X[:, ::-1],
        big_endian,
        unaligned,
        X.tolist(),
        wide[3:303, 1:6],
    ]
    for x in many:
        run = ng.gradient_descent(x, y, learning_rate=0.1, n_iter=50, method=method)
        agree(run if x is not many[4] else replace(run, theta=run.theta[::-1]), *expected)
    for target in (y.tolist(), np.repeat(y, 2)[::2], y.astype(">f8")):
        agree(ng.gradient_descent(X, target, learning_rate=0.1, n_iter=50, method=method), *expected)


AS_PYTHON = [
    ({"learning_rate": 0.05}, (0.0, False)),
    ({"learning_rate": 0.05, "momentum": 0.5}, (0.5, False)),
    ({"learning_rate": "optimal", "momentum": "nesterov"}, (None, True)),
    ({"learning_rate": "bb"}, None),
    ({"learning_rate": "backtracking"}, None),
]


@pytest.mark.parametrize(("options", "plainly"), AS_PYTHON, ids=lambda v: str(v)[:40])
def test_every_line_as_python(options, plainly, way):
    """Small enough for the interpreter, which runs this with NUMBA_DISABLE_JIT, too."""
    method, layout = way
    rng = np.random.default_rng(0)
    X, y, w = rng.standard_normal((14, 5)), rng.standard_normal((14, 2)), rng.random(14) + 0.1
    X = lay(X, layout)
    more = {"fit_intercept": True, "l2": 0.1, "record_theta": True, "sample_weight": w}
    run = ng.gradient_descent(X, y, n_iter=5, method=method, **options, **more)
    A, penalty = np.column_stack([np.ones(14), X]), np.array([0, 0.1, 0.1, 0.1, 0.1, 0.1])
    if plainly:
        momentum = run.momentum if plainly[0] is None else plainly[0]
        agree(run, *plain(A, y, np.zeros((6, 2)), run.learning_rate, 5, momentum, plainly[1], w, penalty))
    else:
        assert run.cost[-1] < run.cost[0]
        assert run.excess_cost[-1] < run.excess_cost[0]
    assert run.theta_path.shape == (5, 6, 2)
    for standardize in (False, True):
        again = ng.gradient_descent(X, y, tol=0.5, n_iter=40, method=method, standardize=standardize, **options)
        assert again.end == "converged"
    # Gradients too small to be squared are not zero.
    known, small = (
        ng.gradient_descent(X * s, y * s, tol=0.5, n_iter=2, method=method, **options) for s in (1, 2.0**-500)
    )
    assert small.stop_reason == known.stop_reason
    if options["learning_rate"] == 0.05:
        grown = ng.gradient_descent(X, y, learning_rate=9, n_iter=40, on_divergence="ignore", method=method)
        assert grown.end == "diverged"


def test_inputs_are_untouched():
    X, y = random_problem(50, 3)
    theta = np.ones(3)
    copies = X.copy(), y.copy()
    ng.gradient_descent(X, y, theta, learning_rate=0.1, n_iter=5)
    assert np.array_equal(X, copies[0])
    assert np.array_equal(y, copies[1])
    assert (theta == 1).all()


def test_pandas():
    pandas = pytest.importorskip("pandas")
    X, y = random_problem(60, 3)
    frame, series = pandas.DataFrame(X, columns=list("abc")), pandas.Series(y, index=range(100, 160))
    agree(ng.gradient_descent(frame, series, learning_rate=0.1, n_iter=20), *plain(X, y, np.zeros(3), 0.1, 20))
    frame["a"] = np.arange(60)
    frame["b"] = True
    run = ng.gradient_descent(frame, series, learning_rate=1e-4, n_iter=20)
    agree(run, *plain(frame.to_numpy(float), y, np.zeros(3), 1e-4, 20))


def test_polars_and_pyarrow():
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    X, y = random_problem(60, 3)
    frame = pl.DataFrame(X, schema=list("abc"))
    for one, target in (
        (frame, pl.Series("y", y)), (pa.table(dict(zip("abc", X.T, strict=True))), pa.chunked_array([y]))
    ):  # fmt: skip
        run = ng.gradient_descent(one, target, learning_rate=0.1, n_iter=20)
        agree(run, *plain(X, y, np.zeros(3), 0.1, 20))
        assert run.names == ("a", "b", "c")
        assert ng.step_size(one).dominant in "abc"
        rows = ng.CompressedRows().update(one, target)
        assert ng.gradient_descent(rows, fit_intercept=True, n_iter=3).names == ("the intercept", "a", "b", "c")
    with pytest.raises(ValueError, match="give the same order"):
        rows.update(frame.select("b", "a", "c"), y)
    for kind, message in {
        pl.Datetime("us"): "has dtype Datetime.*seconds since the first",
        pl.Date: "has dtype Date; .*days since",
        pl.Duration("ns"): "has dtype Duration.*seconds",
        pl.Decimal(9, 2): "has dtype Decimal.*cast to float64",
        pl.String: "has dtype String; .*encode words",
        pl.Categorical: "has dtype Categorical.*encode words",
    }.items():
        column = pl.Series("b", ["1"] * 60) if kind in (pl.String, pl.Categorical) else pl.Series("b", [1] * 60)
        with pytest.raises(TypeError, match=rf"column 'b' of `X` {message}"):
            ng.gradient_descent(frame.with_columns(column.cast(kind)), y)
    with pytest.raises(ValueError, match=r"`X` has nan at \[7, 1\]"):
        ng.gradient_descent(frame.with_columns(b=pl.Series([1.0] * 7 + [None] + [1.0] * 52)), y)
    with pytest.raises(TypeError, match=r"`X` is a LazyFrame.*collect\(\)"):
        ng.gradient_descent(frame.lazy(), y)
    with pytest.raises(TypeError, match="column 'c' of `X` has dtype string"):
        ng.gradient_descent(pa.table({"c": ["1"] * 60}), y)


def test_integers_are_computed_in_double():
    X = np.column_stack([np.ones(5, int), np.arange(5)])
    run = ng.gradient_descent(X, [3, 5, 7, 9, 11], [0, 0], learning_rate=0.2, n_iter=1000)
    assert np.allclose(run.theta, [3, 2])
    assert ng.gradient_descent(X.astype("f4"), [3, 5, 7, 9, 11], learning_rate=0.2, n_iter=3).theta.dtype == np.float64


def test_without_a_record():
    X, y = line()
    run = ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=70, record=False)
    assert run.cost is None
    assert np.array_equal(run.theta, ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=70).theta)
    assert run.iterations is None
    assert run.excess_cost is None
    assert repr(run).splitlines()[0] == "Descent: completed 70 iterations (fused, learning rate 0.0005)"


def test_repr():
    X, y = line()
    run = ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=70)
    assert repr(run).startswith("Descent: cost ")
    assert len(repr(run).splitlines()) == 2
    with pytest.warns(RuntimeWarning, match="diverges"):
        run = ng.gradient_descent(X, y, learning_rate=0.001, n_iter=70)
    assert len(repr(run).splitlines()) == 2
    wide = ng.gradient_descent(*random_problem(20, 30), n_iter=5)
    assert len(repr(wide).splitlines()) == 2


@ENGINES
@pytest.mark.parametrize(("rate", "latest"), [(0.00061, 200), (0.001, 5), (1e3, 5), (1e300, 5)])
@pytest.mark.parametrize("record", [True, False])
def test_divergence(rate, latest, record, method):
    X, y = line()
    with pytest.warns(RuntimeWarning, match=r"2/L = 0\.00060896") as caught:
        run = ng.gradient_descent(X, y, np.ones(2), learning_rate=rate, n_iter=100_000, record=record, method=method)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert run.stop_reason.startswith("diverged in iteration")
    assert f"learning_rate={rate:.6g}, at or above the limit" in run.stop_reason
    assert run.n_iter <= latest
    if record:
        assert len(run.cost) == run.n_iter
        agree(run, *plain(X, y, np.ones(2), rate, run.n_iter)) if rate < 1e100 else None
        assert run.best_theta.shape == (2,)
        assert ((X @ run.best_theta - y) ** 2).sum() / 200 <= run.cost[0] * (1 + 1e-12)


def test_on_divergence(monkeypatch):
    X, y = line()
    with pytest.raises(ValueError, match=r"`learning_rate` is 0.00061, at or above the limit 2/L = 0.000608968"):
        ng.gradient_descent(X, y, learning_rate=0.00061, on_divergence="raise")
    run = ng.gradient_descent(X, y, learning_rate=0.00061, on_divergence="ignore", n_iter=10_000)
    assert run.end == "diverged"
    monkeypatch.setattr(_step_size, "EXACT", 1)  # so that the limit is not known for sure
    with pytest.raises(FloatingPointError, match="the cost grew from") as caught:
        ng.gradient_descent(X, y, learning_rate=0.001, on_divergence="raise", method="fused")
    assert caught.value.descent.n_iter < 10


def test_the_limit_is_sharp():
    """Just below 2/L the cost falls to the end; just above, growth is found though all stays finite."""
    X, y = line()
    limit = ng.step_size(X).limit
    run = ng.gradient_descent(X, y, np.ones(2), learning_rate=0.9999 * limit, n_iter=50_000)
    assert run.stop_reason == "completed 50000 iterations"
    with pytest.warns(RuntimeWarning, match="diverges"):
        run = ng.gradient_descent(X, y, np.ones(2), learning_rate=1.0001 * limit, n_iter=50_000)
    assert run.end == "diverged"
    assert np.isfinite(run.theta).all()
    with pytest.warns(RuntimeWarning, match="at or above the limit"):
        ng.gradient_descent(X, y, np.ones(2), learning_rate=limit, n_iter=5)


def test_rounding_is_no_divergence():
    """Noise-free data: the cost sinks to the level of rounding and jitters there, by more than a factor of two."""
    i = np.arange(100.0)
    X, y = np.column_stack([np.ones(100), i]), 3 + 2 * i
    for dtype in ("f8", "f4"):
        run = ng.gradient_descent(X.astype(dtype), y.astype(dtype), learning_rate=0.0006, n_iter=300_000)
        assert run.end == "completed"
        assert np.allclose(run.theta, [3, 2], rtol=1e-5)
    exact = ng.gradient_descent(X, y, [3, 2], learning_rate=0.0001, n_iter=10)
    assert not exact.cost.any()


SCALED = [
    ({"learning_rate": "auto"}, False),
    ({"learning_rate": "bb"}, False),
    ({"learning_rate": "backtracking"}, False),
    ({"learning_rate": "optimal", "momentum": "nesterov"}, False),
    ({"learning_rate": "bb", "standardize": True, "fit_intercept": True}, True),
]
POWERS = {
    "f8": [
        (-990, 0),
        (-990, 980),
        (-530, 20),
        (-270, -530),
        (-110, 110),
        (0, -1000),
        (270, 270),
        (990, -20),
        (990, 980),
    ],
    "f4": [(-120, 0), (-100, -100), (-70, 100), (-40, 40), (0, -84), (20, -120), (60, 60), (110, -10), (120, 120)],
}


@ENGINES
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(("options", "has_intercept"), SCALED, ids=lambda v: str(v)[:40])
def test_any_scale(options, has_intercept, dtype, method):
    """Powers of two are exact: the same iterates, and what the result cannot hold is named."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((40, 3)) * 1000) / 1024
    y = np.round(X @ [1, -2, 3] * 64 + rng.standard_normal(40) * 10) / 64
    options = {**options, "n_iter": 30, "tol": 1e-5, "method": method}
    known = ng.gradient_descent(X.astype(dtype), y.astype(dtype), **options)
    kind = np.finfo(dtype)
    for a, b in POWERS[dtype]:
        power = np.array([b] * has_intercept + [b - a] * 3)
        with np.errstate(all="ignore"):
            theta = np.ldexp(known.theta.astype(float), power).astype(dtype)
            cost = np.ldexp(known.cost, 2 * b)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run = ng.gradient_descent(np.ldexp(X, a).astype(dtype), np.ldexp(y, b).astype(dtype), **options)
        said = " ".join(str(warning.message) for warning in caught)
        is_lost = bool((~np.isfinite(theta) | (abs(theta) < kind.tiny)).any())
        assert ("`theta`" in said) == is_lost
        assert run.stop_reason == known.stop_reason
        assert np.allclose(run.cost, cost, rtol=1e-9 if dtype == "f8" else 1e-3, atol=0)
        assert np.array_equal(np.isinf(run.theta), np.isinf(theta))
        good = np.isfinite(theta)
        rounding = 1e-12 if dtype == "f8" else 2e-3  # beyond 2**32 it is computed in double precision
        assert np.allclose(run.theta[good], theta[good], rtol=rounding, atol=kind.smallest_subnormal)
        with np.errstate(over="ignore"):
            rate = np.ldexp(known.learning_rate, -2 * a * (not has_intercept))
            least = np.ldexp(known.theta_least_squares, power)
        assert np.isclose(run.learning_rate, rate, rtol=rounding, atol=0)
        if np.isfinite(least).all() and (abs(least) > np.finfo(float).tiny).all():
            assert np.allclose(run.theta_least_squares, least, rtol=1e-11, atol=0)


def test_intercepts_penalties_and_starts_of_any_scale():
    """A column of ones, a penalty and a start have scales of their own."""
    X, y = random_problem(40, 3)
    for method in ("fused", "modes"):
        options = {"n_iter": 20, "method": method, "learning_rate": "bb"}
        for s in (2.0**600, 2.0**-600):
            A = np.column_stack([np.full(40, s), X * s])
            known = ng.gradient_descent(np.column_stack([np.ones(40), X]), y, **options)
            with np.errstate(over="ignore"), pytest.warns(RuntimeWarning, match="`learning_rate` of the result"):
                run = ng.gradient_descent(A, y, **options)
            assert np.allclose(run.theta * s, known.theta, rtol=1e-9)
            known = ng.gradient_descent(X, y, [1, 2, 3], l2=0.5, **options)
            with np.errstate(over="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the rate and the cost
                run = ng.gradient_descent(X, y * s, np.array([1, 2, 3]) * s, l2=0.5, **options)
            assert np.allclose(run.theta / s, known.theta, rtol=1e-9)
        run = ng.gradient_descent(X * 1e90, y, fit_intercept=True, learning_rate="auto", n_iter=3, method=method)
        loss = X @ (run.theta[1:] * 1e90) - y
        assert 0 < abs(run.theta[0]) < 1e-170  # one step of 1e-180 moves it by that much
        assert loss @ loss < y @ y


def test_what_has_no_square_is_refused_by_step_size():
    for scale in (1e200, 1e-170, 1e-155):
        X = np.array([[1.0, 2], [-1, 3]]) * scale
        with pytest.raises(ValueError, match=r"`X` has root mean squares from .* beyond the range"):
            ng.step_size(X)
        with pytest.warns(RuntimeWarning, match="`learning_rate` of the result is beyond the range of float64"):
            run = ng.gradient_descent(X, [1, 2])
        assert np.allclose(X @ run.theta, [1, 2], rtol=1e-3)
        assert "the squares of the features are beyond the range of numbers" in run.summary()
    with pytest.warns(RuntimeWarning, match=r"is 1, at or above the limit 2/L = 3\.\d+e-401, L = .*e\+400"):
        ng.gradient_descent(np.array([[1.0, 2], [-1, 3]]) * 1e200, [1, 2], learning_rate=1.0)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(30, 4), (5, 40)])
def test_the_limit_without_a_decomposition(shape, l2, intercept, monkeypatch):
    X, _ = random_problem(*shape)
    data = _check.data(X, None, np.arange(1.0, 1 + shape[0]))
    coordinates = ThetaCoordinates(np.zeros(shape[1]), np.ones(shape[1]), intercept)
    A = np.column_stack([np.ones(len(X)), X]) if intercept else X
    root = np.sqrt(data.weight / data.total)[:, None]
    penalty = np.full(A.shape[1], l2)
    penalty[: int(intercept)] = 0
    L = np.linalg.eigvalsh((A * root).T @ (A * root) + np.diag(penalty))[-1]
    inner = _step_size.Inner(data, coordinates, int(intercept))
    exact, _, is_exact = _step_size.extreme_eigenvalues(inner, l2)
    assert np.isclose(exact, L, rtol=1e-13)
    assert is_exact
    monkeypatch.setattr(_step_size, "EXACT", 1)
    estimate, _, is_exact = _step_size.extreme_eigenvalues(inner, l2)
    assert np.isclose(estimate, L, rtol=1e-3)
    assert not is_exact


def test_an_estimate_of_the_limit_hides_no_divergence(monkeypatch):
    """Power iteration approaches L from below: a rate between 2/L and 2 over the estimate must be found, too."""
    monkeypatch.setattr(_step_size, "EXACT", 1)
    scale = np.append(1.0, np.full(59, 0.9975))
    X = np.diag(np.sqrt(60 * scale))
    with pytest.warns(RuntimeWarning, match=r"learning_rate=2\.002 is above the limit 2/L, estimated") as caught:
        run = ng.gradient_descent(X, X @ np.ones(60), learning_rate=2.002, n_iter=10_000, method="fused")
    assert len(caught) == 1
    assert run.n_iter < 10_000


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize(("m", "n", "p"), [(300, 5, None), (300, 5, 3), (4, 6, 2)])
def test_options(m, n, p, l2, intercept, standardize, way):
    """Each combination against the plain loop on columns of ones, standardised by hand."""
    method, layout = way
    rng = np.random.default_rng(m + n)
    X = rng.standard_normal((m, n)) * np.arange(1, n + 1) + 3
    y = rng.standard_normal((m, p) if p else m)
    w = rng.random(m) + 0.1
    start = rng.standard_normal((n + intercept, p) if p else n + intercept)
    mean = np.average(X, axis=0, weights=w) if standardize and intercept else np.zeros(n)
    scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=w)) if standardize else np.ones(n)
    A = (X - mean) / scale
    inner = start.copy()
    inner[intercept:] = (start[intercept:].T * scale).T
    if intercept:
        A = np.column_stack([np.ones(m), A])
        inner[0] += mean @ start[1:]
    penalty = np.full(A.shape[1], l2)
    penalty[: int(intercept)] = 0
    run = ng.gradient_descent(
        lay(X, layout),
        y,
        start,
        n_iter=30,
        method=method,
        l2=l2,
        fit_intercept=intercept,
        standardize=standardize,
        sample_weight=w,
    )
    L = np.linalg.eigvalsh((A.T * w) @ A / w.sum() + np.diag(penalty))[-1]
    assert np.isclose(run.learning_rate, 1 / L, rtol=1e-12)
    theta, cost = plain(A, y, inner, run.learning_rate, 30, w=w, penalty=penalty)
    theta[intercept:] = (theta[intercept:].T / scale).T
    if intercept:
        theta[0] -= mean @ theta[1:]
    agree(run, theta, cost)
    assert run.theta.shape == start.shape
    assert np.shape(run.intercept) == start.shape[1:]
    assert run.coef.shape == (n, *start.shape[1:])


RULES = [(rate, m) for rate in (0.05, "auto", "optimal") for m in (None, 0.5, 0.9, "nesterov")]


@ENGINES
@pytest.mark.parametrize(("rate", "momentum"), RULES)
def test_rates_and_momenta(rate, momentum, method):
    X, y = random_problem(80, 5)
    values = np.linalg.eigvalsh(X.T @ X / 80)
    L, mu = values[-1], values[0]
    run = ng.gradient_descent(X, y, learning_rate=rate, momentum=momentum, n_iter=60, method=method, record_theta=True)
    m = {None: 0.0, "nesterov": run.momentum}.get(momentum, momentum)
    expected = {"auto": 1 / L, "optimal": 2 * (1 + m) / (L + mu)}.get(rate, rate)
    if momentum == "nesterov":
        expected = 4 / (3 * L + mu) if rate == "optimal" else expected
        root = np.sqrt(3 * L / mu + 1)
        q = np.sqrt(expected * mu)
        assert np.isclose(m, (root - 2) / (root + 2) if rate == "optimal" else (1 - q) / (1 + q), rtol=1e-12)
    assert np.isclose(run.learning_rate, expected, rtol=1e-12)
    theta, cost = plain(X, y, np.zeros(5), run.learning_rate, 60, m, momentum == "nesterov")
    agree(run, theta, cost)
    assert np.array_equal(run.theta_path[0], np.zeros(5))
    assert np.allclose(
        run.theta_path[-1], plain(X, y, np.zeros(5), run.learning_rate, 59, m, momentum == "nesterov")[0]
    )
    # The contraction is what is seen in the long run, over a whole period of a swing.
    long = ng.gradient_descent(
        X, y, learning_rate=rate, momentum=momentum, n_iter=400, method=method, record_theta=True
    )
    norms = np.linalg.norm(long.theta_path - long.theta_least_squares, axis=1)
    good = norms > 1e-11
    tops = np.maximum.accumulate(norms[good][::-1])[::-1]
    seen = (tops[-1] / tops[len(tops) // 2]) ** (1 / (len(tops) - 1 - len(tops) // 2))
    assert abs(seen - run.contraction) < 0.06


@ENGINES
@pytest.mark.parametrize(("momentum", "over"), [(0.5, 1.5), (0.9, 1.9), ("nesterov", None)])
def test_limits_with_momentum(momentum, over, method):
    """Just below the limit that the message names the error shrinks; just above it grows."""
    X, y = random_problem(80, 3)
    L = np.linalg.eigvalsh(X.T @ X / 80)[-1]
    m = momentum
    limit = 2 * over / L if over else None
    brentq = pytest.importorskip("scipy.optimize").brentq
    if limit is None:  # the momentum that suits a rate depends on the rate: m = (1 - q) / (1 + q), q = sqrt(rate mu)
        X[:, 0] *= 20
        values = np.linalg.eigvalsh(X.T @ X / 80)

        def over(rate):
            m = (1 - np.sqrt(rate * values[0])) / (1 + np.sqrt(rate * values[0]))
            return rate * values[-1] * (1 + 2 * m) / (2 + 2 * m) - 1

        limit = brentq(over, 1 / values[-1], 2 / values[-1])
    run = ng.gradient_descent(X, y, learning_rate=0.98 * limit, momentum=m, n_iter=5000, method=method)
    assert run.end == "completed"
    assert run.contraction < 1
    with pytest.warns(RuntimeWarning, match="at or above the limit"):
        run = ng.gradient_descent(X, y, learning_rate=1.02 * limit, momentum=m, n_iter=5000, method=method)
    assert run.end == "diverged"
    assert run.contraction > 1


def test_barzilai_borwein(way):
    method, layout = way
    X, y = random_problem(200, 6)
    X = lay(X, layout)
    theta, rate, path, cost, gradients = np.zeros(6), 1 / np.linalg.eigvalsh(X.T @ X / 200)[-1], [], [], []
    for t in range(12):
        gradients.append(X.T @ (X @ theta - y) / 200)
        path.append(theta)
        cost.append(((X @ theta - y) ** 2).sum() / 400)
        if t:
            s = theta - path[-2]
            rate = s @ s / (s @ (gradients[-1] - gradients[-2]))
        theta = theta - rate * gradients[-1]
    run = ng.gradient_descent(X, y, learning_rate="bb", n_iter=12, method=method, record_theta=True)
    assert np.allclose(run.theta_path, path, rtol=1e-9, atol=1e-12)
    assert np.allclose(run.cost, cost, rtol=1e-10, atol=0)
    costs = [((X @ t - y) ** 2).sum() for t in (*path, theta)]
    assert ((X @ run.theta - y) ** 2).sum() <= min(costs) * (1 + 1e-14)
    assert min(np.linalg.norm(run.theta - t) for t in (*path, theta)) < 1e-12
    assert np.array_equal(run.theta, run.best_theta)
    assert np.isclose(run.learning_rate, rate, rtol=1e-6)


def test_barzilai_borwein_keeps_the_best():
    """Its cost jumps on an ill-conditioned problem; wherever the run ends, theta is not worse than any before."""
    X, y = random_problem(60, 8)
    X = X * 10.0 ** np.arange(8)[None] ** 0.4
    for method in ("fused", "modes"):
        jumps = 0
        for n_iter in range(5, 40, 5):
            run = ng.gradient_descent(X, y, learning_rate="bb", n_iter=n_iter, method=method)
            jumps += (np.diff(run.cost) > 0).sum()
            assert ((X @ run.theta - y) ** 2).sum() / 120 <= run.cost.min() * (1 + 1e-12)
        assert jumps


def test_backtracking(way):
    method, layout = way
    X, y = random_problem(200, 6)
    X = lay(X, layout)
    theta, rate = np.zeros(6), 1.5 / np.linalg.eigvalsh(X.T @ X / 200)[-1]
    costs = []
    for t in range(12):
        rate *= 2 if t else 1

        def cost(theta):
            return ((X @ theta - y) ** 2).sum() / 400

        gradient = X.T @ (X @ theta - y) / 200
        costs.append(cost(theta))
        while cost(theta - rate * gradient) > cost(theta) - rate / 2 * gradient @ gradient:  # Armijo
            rate /= 2
        theta = theta - rate * gradient
    run = ng.gradient_descent(X, y, learning_rate="backtracking", n_iter=12, method=method)
    agree(run, theta, np.array(costs))
    assert (np.diff(run.cost) < 0).all()
    assert run.learning_rate == rate or np.isclose(run.learning_rate, rate, rtol=1e-12)


@pytest.mark.parametrize("rate", ["bb", "backtracking", "auto", 0.05])
def test_excess_cost(rate):
    """No cancellation: it goes on falling where the cost is all noise, and both engines agree."""
    X, y = random_problem(200, 4)
    runs = [ng.gradient_descent(X, y, learning_rate=rate, n_iter=25, method=m) for m in ("fused", "modes")]
    least = ((X @ np.linalg.lstsq(X, y)[0] - y) ** 2).sum() / 400
    for run in runs:
        plain_excess = run.cost - least
        good = plain_excess > 1e-8
        assert np.allclose(run.excess_cost[good], plain_excess[good], rtol=1e-6)
        assert np.allclose(run.theta_least_squares, np.linalg.lstsq(X, y)[0], rtol=1e-12)
    ok = runs[1].excess_cost > 1e-22 * runs[1].excess_cost[0]
    assert np.allclose(runs[0].excess_cost[ok], runs[1].excess_cost[ok], rtol=1e-6)
    long = ng.gradient_descent(X, y, learning_rate=0.05, n_iter=3000)
    assert 0 < long.excess_cost[-1] < 1e-100


def test_closed_form_of_the_modes():
    """An error along an eigenvector shrinks by 1 - rate s in each iteration."""
    X, y = random_problem(50, 4)
    values, vectors = np.linalg.eigh(X.T @ X / 50)
    star = np.linalg.lstsq(X, y)[0]
    rate = 1.7 / values[-1]
    for method in ("fused", "modes"):
        run = ng.gradient_descent(X, y, learning_rate=rate, n_iter=40, record_theta=True, method=method)
        t = run.iterations[:, None]
        expected = star + ((1 - rate * values) ** t * (-star @ vectors)) @ vectors.T
        assert np.allclose(run.theta_path, expected, rtol=1e-12, atol=1e-12)
        slow = ((1 - rate * values) ** (2 * t) * values * (star @ vectors) ** 2).sum(axis=1) / 2
        assert np.allclose(run.excess_cost, slow, rtol=1e-10, atol=0)


@ENGINES
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99, 0.9999])
def test_the_cost_is_monotone_below_the_limit(share, method):
    X, y = line()
    rate = share * ng.step_size(X).limit
    run = ng.gradient_descent(X, y, np.ones(2), learning_rate=rate, n_iter=3000, method=method)
    assert (np.diff(run.cost) <= 1e-14 * run.cost[0]).all()


@ENGINES
def test_records(method):
    X, y = line()
    full = ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=101, method=method, record_theta=True)
    assert np.array_equal(full.iterations, np.arange(101))
    for record in (7, "log", 1, np.int64(100), 1000):
        run = ng.gradient_descent(
            X, y, learning_rate=0.0005, n_iter=101, method=method, record=record, record_theta=True
        )
        assert run.iterations[0] == 0
        assert run.iterations[-1] == 100
        assert (np.diff(run.iterations) > 0).all()
        assert np.array_equal(run.cost, full.cost[run.iterations])
        assert np.array_equal(run.theta_path, full.theta_path[run.iterations])
        assert np.array_equal(run.excess_cost, full.excess_cost[run.iterations])
    assert len(ng.gradient_descent(X, y, n_iter=100_000, record="log", method=method).cost) < 300


@ENGINES
def test_tolerance(method):
    X, y = random_problem(100, 3)
    run = ng.gradient_descent(X, y, n_iter=10_000, tol=1e-6, method=method, record_theta=True)
    assert run.stop_reason.startswith(f"converged in iteration {run.n_iter}: the gradient is below tol=1e-06")
    gradients = np.array([np.linalg.norm(X.T @ (X @ t - y)) for t in run.theta_path])
    assert gradients[-1] <= 1e-6 * gradients[0] < gradients[-2]
    assert len(run.cost) == run.n_iter
    optimum = ng.gradient_descent(X, y, run.theta_least_squares, tol=1e-6, n_iter=100, method=method)
    assert optimum.n_iter == 1  # measured by the gradient at zero, too
    far = ng.gradient_descent(X, y, [1e6, 1e6, 1e6], tol=1e-6, n_iter=10_000, method=method, record_theta=True)
    gradients = np.array([np.linalg.norm(X.T @ (X @ t - y)) for t in far.theta_path])
    assert gradients[-1] <= 1e-6 * gradients[0] < gradients[-2]
    exact = ng.gradient_descent(np.eye(2), [1, 2], [1, 2], tol=1e-3, method=method)
    assert exact.n_iter <= 2


@ENGINES
def test_callback(method):
    X, y = line()
    states = []
    run = ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=1000, callback=states.append, method=method)
    assert len(states) >= 100
    assert [s.n_iter for s in states] == sorted(s.n_iter for s in states)
    assert all(len(s.cost) == s.n_iter for s in states)
    assert states[-1].n_iter == 1000
    assert np.array_equal(states[50].cost, run.cost[: states[50].n_iter])
    assert states[50].stop_reason == f"running, {states[50].n_iter} of 1000 iterations"
    for state in states:
        state.cost[:] = 0  # nobody else's
    assert run.cost.all()
    stopped = ng.gradient_descent(
        X, y, learning_rate=0.0005, n_iter=1000, callback=lambda state: state.n_iter >= 100, method=method
    )
    assert stopped.stop_reason == f"stopped by the callback after {stopped.n_iter} of 1000 iterations"
    assert 100 <= stopped.n_iter < 1000
    agree(stopped, *plain(X, y, np.zeros(2), 0.0005, stopped.n_iter))


@ENGINES
def test_a_callback_that_raises(method):
    X, y = line()
    copies = X.copy(), y.copy()

    def fail(state):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        ng.gradient_descent(X, y, callback=fail, method=method)
    assert caught.value.descent.n_iter == 10
    assert np.array_equal(X, copies[0])
    assert np.array_equal(y, copies[1])
    agree(
        ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=50, method=method), *plain(X, y, np.zeros(2), 5e-4, 50)
    )


def test_progress(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    ng.gradient_descent(*line(), n_iter=300, progress=True)
    assert "300/300" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"pip install 'numgrad\[progress\]'"):
        ng.gradient_descent(*line(), n_iter=300, progress=True)


@ENGINES
@pytest.mark.parametrize(("dtype", "order"), [("f8", "C"), ("f8", "F"), ("i4", "C")])
def test_memory(dtype, order, method):
    """The data plus 64 MiB, whether they are copied (the smaller ones), read in place, or packed in each pass."""
    for rows in (500_000, 1_000_000):
        X = np.asarray((np.random.default_rng(0).random((rows, 10)) * 100).astype(dtype), order=order)
        y = X.sum(axis=1)
        ng.gradient_descent(X[:1000], y[:1000], n_iter=2, method=method)
        tracemalloc.start()
        ng.gradient_descent(X, y, n_iter=2, method=method)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 64 * 2**20


def test_auto_takes_the_cheaper_engine():
    X, y = random_problem(5000, 20)
    assert ng.gradient_descent(X, y, n_iter=2).method == "fused"
    assert ng.gradient_descent(X, y, n_iter=2000).method == "modes"


def test_shared_passes_as_python(monkeypatch):
    """Threads take pieces by turns; who finds none waits until the next pass is opened, or told that there is none."""
    monkeypatch.setattr(_fused, "PARALLEL", 0)
    monkeypatch.setattr(_fused, "PIECE", (100, 100))
    X, y = random_problem(700, 3)
    runs = []
    for threads in (1, 3):
        ng.set_num_threads(threads)
        runs.append(ng.gradient_descent(X, y, n_iter=4, method="fused").theta)
    ng.set_num_threads(None)
    assert np.array_equal(*runs)
    turn = np.zeros(iteration.TURNS, np.int64)
    turn[iteration.OPENED], turn[iteration.TAKEN] = 1, 5
    other = threading.Timer(0.05, iteration.swap, (turn, iteration.OPENED, 1, -1))
    other.start()
    assert iteration.taken(turn, 5) == 5
    other.join()
    assert not iteration.swap(turn, iteration.OPENED, 1, 2)
    turn[iteration.OPENED] = 2
    assert [int(iteration.taken(turn, 5)) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert [bool(iteration.is_last(turn, 5)) for _ in range(5)] == [False, False, False, False, True]


def test_looks_as_python():
    """Of the same numbers the same sums, up to rounding, however they are cut into stretches."""
    x, found = np.random.default_rng(0).standard_normal(1000), np.empty(3)
    looks.look(x, _check._factors(64), _check.GOLDEN, found, 64, 1000)
    assert np.allclose(found[1:], [abs(x[64:]).sum(), (x[64:] ** 2).sum()], rtol=1e-12)
    before = found.copy()
    x[100], x[101] = x[101], x[100]
    looks.look(x, _check._factors(64), _check.GOLDEN, found, 64, 1000)
    assert before[0] != found[0]


def test_auto_does_not_depend_on_the_threads_that_are_set():
    """For then the bits of the result would."""
    X, y = random_problem(5000, 20)
    taken = []
    for threads in (1, 2, 16):
        ng.set_num_threads(threads)
        taken.append([ng.gradient_descent(X, y, n_iter=n).method for n in range(2, 800, 20)])
    ng.set_num_threads(None)
    assert taken[0] == taken[1] == taken[2]
    assert set(taken[0]) == {"fused", "modes"}


@pytest.mark.parametrize("layout", WAYS[1:])
def test_threads_change_no_bit(layout, monkeypatch):
    monkeypatch.setattr(_fused, "PARALLEL", 0)
    monkeypatch.setattr(_fused, "PIECE", (1000, 1000))
    monkeypatch.setattr(_fused, "SEVERAL", 128)
    X, y = random_problem(3000, 9)
    y = np.column_stack([y, -y])
    for limit in (0, 2**30):
        monkeypatch.setattr(_fused, "COPY_LIMIT", limit)
        runs = []
        for threads in (1, 2, 3, 16):
            ng.set_num_threads(threads)
            runs.append(ng.gradient_descent(lay(X, layout), y, n_iter=20, method="fused"))
        ng.set_num_threads(None)
        for run in runs[1:]:
            assert np.array_equal(run.theta, runs[0].theta)
            assert np.array_equal(run.cost, runs[0].cost)


@ENGINES
@pytest.mark.parametrize("rate", ["auto", "bb"])
@pytest.mark.filterwarnings("ignore:.* cannot be standardised")
def test_degenerate_data(method, rate):
    """Rank-deficient, constant, wide, a single row: all work, and say that kappa is inf."""
    rng = np.random.default_rng(0)
    deep = rng.standard_normal((40, 3))
    for X in (
        np.column_stack([deep, deep[:, 0] + deep[:, 1]]),
        np.column_stack([deep, np.full(40, 3.0), np.zeros(40)]),
        rng.standard_normal((1, 4)),
        rng.standard_normal((5, 9)),
    ):
        y = rng.standard_normal(len(X))
        for options in ({}, {"fit_intercept": True, "standardize": True}):
            start = rng.standard_normal(X.shape[1] + bool(options))
            run = ng.gradient_descent(X, y, start, learning_rate=rate, n_iter=4000, method=method, **options)
            assert run.end == "completed"
            assert run.step_size.kappa == np.inf
            assert "features depend on each other" in repr(run.step_size) or not run.step_size.L
            assert np.allclose(run.theta, run.theta_least_squares, atol=1e-6)  # nearest to the start
            assert run.excess_cost[-1] < 1e-12


@ENGINES
@pytest.mark.parametrize("rate", ["auto", "optimal", "bb", "backtracking", 0.1])
def test_nothing_moves_for_zeros(rate, method):
    run = ng.gradient_descent(np.zeros((3, 2)), [1.0, 2, 3], [4, 5], n_iter=5, learning_rate=rate, method=method)
    assert np.array_equal(run.theta, [4, 5])
    assert np.allclose(run.cost, 14 / 6)
    assert "any learning rate" in repr(run.step_size)
    assert "0 can still be gained" in run.summary()


@ENGINES
@pytest.mark.parametrize("rate", ["auto", "optimal", "bb", "backtracking"])
def test_at_the_solution_nothing_breaks(rate, method):
    """Thousands of iterations with a gradient of zero, from the start or soon."""
    X, _ = random_problem(50, 3)
    for x, y, start in (([[2.0]], [4.0], None), (X, np.zeros(50), None), (np.eye(3), [1.0, 2, 3], [1, 2, 3])):
        run = ng.gradient_descent(x, y, start, learning_rate=rate, n_iter=3000, method=method)
        assert run.stop_reason == "completed 3000 iterations"
        assert np.allclose(run.theta, np.linalg.lstsq(np.asarray(x), np.asarray(y))[0], atol=1e-14)


def test_swings_are_no_divergence():
    """The heavy ball, on data so large that L is estimated: its cost passes near zero and grows again."""
    X = np.random.default_rng(0).random((2100, 2050))
    run = ng.gradient_descent(X, X @ np.ones(2050), momentum=0.9, n_iter=20, method="fused")
    assert run.stop_reason == "completed 20 iterations"
    assert (np.diff(run.cost) > 0).any()


@ENGINES
def test_the_end_of_the_range_is_no_convergence(method):
    X, y = random_problem(50, 3)
    with pytest.warns(RuntimeWarning, match="`cost` of the result is beyond the range of float64"):
        run = ng.gradient_descent(X, y * 1e160, n_iter=300, tol=1e-8, method=method)
    assert np.allclose(run.theta, np.linalg.lstsq(X, y * 1e160)[0], rtol=1e-6)
    small = ng.gradient_descent(X * 1e-100, y * 1e-100, n_iter=300, tol=1e-8, method=method)
    assert np.allclose(small.theta, np.linalg.lstsq(X, y)[0], rtol=1e-6)


@ENGINES
def test_what_leaves_the_range_is_named(method):
    """Also what is asked for later; but no intercept that is zero since its terms cancel."""
    X, y = random_problem(50, 3)
    options = {"learning_rate": "bb", "n_iter": 60, "record_theta": True, "method": method}
    for x_scale, y_scale in ((1e-200, 1e160), (1e200, 1e-160)):
        with pytest.warns(RuntimeWarning, match="`theta` and `theta_path` and .* of the result are beyond the range"):
            run = ng.gradient_descent(X * x_scale, y * y_scale, **options)
        with pytest.warns(RuntimeWarning, match="`theta_least_squares` is beyond the range of float64"):
            assert not ((abs(run.theta_least_squares) > 0) & (abs(run.theta_least_squares) < np.inf)).any()
    y = X @ np.array([1.0, -2, 3])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        run = ng.gradient_descent(X * 1e-200, y, fit_intercept=True, standardize=True, **options)
        assert np.allclose(run.theta_least_squares, [0, 1e200, -2e200, 3e200])
    assert [str(w.message) for w in seen] == []


def test_the_optimal_rate_is_below_the_limit():
    X = np.diag([1, 1e-9]) * 2**0.5
    run = ng.gradient_descent(X, [1.0, 2], learning_rate="optimal", on_divergence="raise", n_iter=1000)
    assert run.end == "completed"
    Z = np.column_stack([1.7e9 + np.arange(200) * 60.0, np.random.default_rng(0).random(200)])
    run = ng.gradient_descent(Z, Z[:, 1], learning_rate="optimal", momentum=0.9, fit_intercept=True, n_iter=50)
    assert run.end == "completed"


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("standardize", [False, True])
def test_wide_data_with_a_penalty(standardize, intercept, monkeypatch):
    """As many modes as rows, and one for what they do not span, which shrinks by the penalty alone."""
    monkeypatch.setattr(_rows, "WIDE", 5)
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((6, 20)) + 1, rng.standard_normal((6, 2))
    start = rng.standard_normal((20 + intercept, 2))
    options = {"fit_intercept": intercept, "standardize": standardize, "l2": 0.2, "n_iter": 3000, "record_theta": True}
    for rate in ("auto", "bb"):
        options["learning_rate"] = rate
        one, other = (ng.gradient_descent(X, y, start, method=m, **options) for m in ("fused", "modes"))
        assert other._problem.quadratic.a.shape[1] <= 8
        if rate == "auto":
            agree(one, other.theta, other.cost, 1e-10)
            assert np.allclose(one.theta_path, other.theta_path, rtol=1e-9, atol=1e-11)
            above = other.cost - other.cost[-1] + other.excess_cost[-1]
            assert np.allclose(above, other.excess_cost, rtol=1e-6, atol=1e-12)
            continue
        assert np.allclose(other.theta, other.theta_least_squares, atol=1e-6)
        # The gradient of the cost as it is written down.
        theta = other._problem.coordinates.enter(other.theta_least_squares.T).T
        z = (X - other._problem.coordinates.shift) * other._problem.coordinates.factor
        A = np.column_stack([np.ones(6), z]) if intercept else z
        penalty = np.append(np.zeros(int(intercept)), np.full(20, 0.2))
        gradient = A.T @ (A @ theta - y) / 6 + (penalty * theta.T).T
        assert abs(gradient).max() < 1e-12
    step = one.step_size
    assert np.isclose(step.mu, np.linalg.eigvalsh(other._problem.quadratic.hessian)[0], rtol=1e-9)
    assert np.isclose(step.L, one._problem.largest[0], rtol=1e-12)


@ENGINES
@pytest.mark.parametrize("record", [7, 1000, "log"])
def test_the_end_is_recorded_wherever_it_comes(record, method):
    X, y = random_problem(100, 3)
    full = ng.gradient_descent(X, y, n_iter=5000, tol=1e-8, record_theta=True, method=method)
    thin = ng.gradient_descent(X, y, n_iter=5000, tol=1e-8, record=record, record_theta=True, method=method)
    assert thin.iterations[-1] == thin.n_iter - 1 == full.n_iter - 1
    assert np.array_equal(thin.cost, full.cost[thin.iterations])
    assert np.array_equal(thin.theta_path, full.theta_path[thin.iterations])
    assert np.array_equal(thin.excess_cost, full.excess_cost[thin.iterations])


@ENGINES
@pytest.mark.parametrize("scale", [1e-300, 1e-60, 1e80, 1e300])
def test_the_scale_of_weights_does_not_matter(scale, method):
    X, y = random_problem(50, 3, "f4")
    w = np.random.default_rng(0).random(50)
    one = ng.gradient_descent(X, y, sample_weight=w, n_iter=50, method=method)
    other = ng.gradient_descent(X, y, sample_weight=w * scale, n_iter=50, method=method)
    assert np.allclose(one.theta, other.theta, rtol=1e-5)
    assert np.allclose(one.cost, other.cost, rtol=1e-5)


def test_several_targets_are_fitted_at_once():
    X, y = random_problem(100, 3)
    both = np.column_stack([y, 2 * y + X[:, 0]])
    for method in ("fused", "modes"):
        run = ng.gradient_descent(X, both, learning_rate=0.1, n_iter=30, method=method)
        singles = [ng.gradient_descent(X, t, learning_rate=0.1, n_iter=30, method=method) for t in both.T]
        assert np.allclose(run.theta, np.column_stack([s.theta for s in singles]), rtol=1e-12)
        assert np.allclose(run.cost, sum(s.cost for s in singles), rtol=1e-12)


def test_what_changed_is_noticed():
    X, y = random_problem(30, 2)
    run = ng.gradient_descent(X, y, n_iter=5, method="fused")
    for change in (lambda: X.sort(axis=0), lambda: X.fill(np.nan)):
        change()
        with pytest.raises(RuntimeError, match="has changed since gradient_descent read it"):
            run.excess_cost
    again = pickle.loads(pickle.dumps(run))
    assert np.array_equal(again.theta, run.theta)
    X[...] = random_problem(30, 2)[0]
    run = ng.gradient_descent(X, y, n_iter=5, method="modes")
    X[3, 1] += 1
    assert run.excess_cost.shape == (5,)


def test_nothing_to_descend_on():
    for method in "fused", "modes":
        run = ng.gradient_descent(np.zeros((3, 2)), [1.0, 2, 3], tol=1e-3, n_iter=5, method=method)
        assert run.end == "converged"
        assert run.doubt == ""


def test_modes_keep_no_data():
    class Table(np.ndarray):
        pass

    X, y = random_problem(300, 2)
    table = X.view(Table)
    seen = weakref.ref(table)
    run = ng.gradient_descent(table, y, method="modes")
    del table
    gc.collect()
    assert seen() is None
    assert "feature 1" in run.summary()


@ENGINES
def test_pickle(method):
    run = ng.gradient_descent(*random_problem(3000, 2), n_iter=5, method=method)
    text = pickle.dumps(run)
    assert len(text) < 8000  # the data are not in it
    again = pickle.loads(text)
    assert np.array_equal(again.excess_cost, run.excess_cost)
    assert np.array_equal(again.theta_least_squares, run.theta_least_squares)
    assert again.step_size == run.step_size
    assert again.summary() == run.summary()


def test_summary():
    X, y = line()
    text = ng.gradient_descent(X, y, np.ones(2), learning_rate=0.0005, n_iter=100_000).summary()
    assert "82% of the limit 0.000608968; L = 3284.25, mu = 0.2537, kappa = 1.294e+04" in text
    assert "iterations for 6 digits of theta at this rate: 108901" in text
    assert "least squares" in text
    with pytest.warns(RuntimeWarning, match="diverges"):
        run = ng.gradient_descent(X, y, learning_rate=0.001)
    assert "diverged in iteration" in run.summary()


@given(
    st.integers(1, 40),
    st.integers(1, 6),
    st.integers(0, 3),
    st.sampled_from(["auto", "optimal", "backtracking", 0.01]),
    st.sampled_from([None, 0.5, "nesterov"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 0.1]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:.* cannot be standardised")
def test_both_engines_agree(m, n, p, rate, momentum, intercept, standardize, l2, has_weights, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((m, n)), rng.standard_normal((m, p) if p else m)
    momentum = None if rate == "backtracking" else momentum
    options = {"fit_intercept": intercept, "standardize": standardize, "l2": l2, "n_iter": 8}
    options["sample_weight"] = rng.random(m) + 0.01 if has_weights else None
    if rate == "backtracking" and m + n < 6:
        return  # with a single mode left, both ends of a step are equally good but for rounding
    one, other = (
        ng.gradient_descent(X, y, learning_rate=rate, momentum=momentum, method=e, on_divergence="ignore", **options)
        for e in ("fused", "modes")
    )
    assert one.n_iter == other.n_iter
    assert abs(one.theta - other.theta).max() <= 1e-10 * max(1, abs(other.theta).max())
    assert np.allclose(one.cost, other.cost, rtol=1e-10, atol=1e-13 * one.cost[0])


BAD = {
    "X 1-D": ({"X": [1.0, 2, 3]}, r"`X` has shape \(3,\); give \(rows, features\), for one feature X.reshape\(-1, 1\)"),
    "X empty": ({"X": np.empty((0, 2)), "y": []}, r"`X` has shape \(0, 2\), which is empty"),
    "X no features": ({"X": np.empty((3, 0))}, r"`X` has shape \(3, 0\), which is empty"),
    "X strings": ({"X": [["a"], ["b"], ["c"]]}, "`X` has dtype <U1; give real numbers"),
    "X complex": ({"X": np.ones((3, 2), complex)}, "`X` has dtype complex128"),
    "X ragged": ({"X": [[1, 2], [3], [4, 5]]}, "`X` is no array of real numbers"),
    "X objects": ({"X": np.array([[object()], [1], [2]])}, "`X` is no array of real numbers"),
    "X nan": ({"X": [[1, 2], [3, np.nan], [5, 6]]}, r"`X` has nan at \[1, 1\]; drop or fill"),
    "X inf": ({"X": [[1, 2], [3, 4], [np.inf, 6]]}, r"`X` has inf at \[2, 0\]"),
    "y 3-D": ({"y": np.ones((3, 1, 1))}, r"`y` has shape \(3, 1, 1\); give one value for each row, or a column"),
    "y no targets": ({"y": np.ones((3, 0))}, r"`y` has shape \(3, 0\); give one value for each row, or a column"),
    "y missing": ({"y": None}, "`y` is missing; give the observed values, or CompressedRows"),
    "y length": ({"y": [1.0, 2]}, "`y` has 2 values and `X` has 3 rows"),
    "y nan": ({"y": [1, 2, np.nan]}, r"`y` has nan at \[2\]"),
    "y scalar": ({"y": 3.0}, r"`y` has shape \(\)"),
    "y masked": ({"y": np.ma.masked_array([1.0, 2, 3], [0, 0, 1])}, "`y` is a masked array; drop the masked rows"),
    "theta0 length": ({"theta0": [1.0]}, r"`theta0` has shape \(1,\); give one value for each of the 2 parameters"),
    "theta0 targets": ({"theta0": [1, 2], "y": np.ones((3, 2))}, r"of the 2 parameters and 2 targets, shape \(2, 2\)"),
    "theta0 intercept": ({"theta0": [1, 2], "fit_intercept": True}, "each of the 3 parameters"),
    "theta0 nan": ({"theta0": [1, np.nan]}, r"`theta0` has nan at \[1\]"),
    "rate zero": ({"learning_rate": 0}, "`learning_rate` is 0; give a positive number"),
    "rate negative": ({"learning_rate": -0.1}, "`learning_rate` is -0.1"),
    "rate nan": ({"learning_rate": float("nan")}, "`learning_rate` is nan"),
    "rate inf": ({"learning_rate": np.inf}, "`learning_rate` is inf"),
    "rate beyond floats": ({"learning_rate": 10**400}, "`learning_rate` is 1000"),
    "rate string": (
        {"learning_rate": "fast"},
        "`learning_rate` is 'fast'; give a positive number, or one of 'auto', 'optimal', 'bb', 'backtracking'",
    ),
    "theta0 words": ({"theta0": ["a", "b"]}, "`theta0` has dtype <U1; give real numbers"),
    "rate list": ({"learning_rate": [0.1]}, r"`learning_rate` is \[0.1\]; give a positive number, below 2/L"),
    "record float": ({"record": 2.5}, "`record` is 2.5; give True, False, a stride like 10, or 'log'"),
    "record none": ({"record": None}, "`record` is None; give True"),
    "record negative": ({"record": -3}, "`record` is -3; give True"),
    "record theta number": ({"record_theta": 1}, "`record_theta` is 1; give True or False"),
    "momentum list": ({"momentum": [0.9]}, r"`momentum` is \[0.9\]; give a number of at least 0, below 1"),
    "momentum bool": ({"momentum": True}, "`momentum` is True"),
    "l2 word": ({"l2": "small"}, "`l2` is 'small'; give a number of at least 0"),
    "tol none": ({"tol": None}, "`tol` is None; give a number of at least 0"),
    "method number": ({"method": 1}, "`method` is 1; give one of 'auto', 'fused', 'modes'"),
    "divergence none": ({"on_divergence": None}, "`on_divergence` is None; give one of"),
    "weights words": ({"sample_weight": ["a", "b", "c"]}, "`sample_weight` has dtype <U1; give real numbers"),
    "rate bool": ({"learning_rate": True}, "`learning_rate` is True"),
    "rate none": ({"learning_rate": None}, "`learning_rate` is None"),
    "count zero": ({"n_iter": 0}, "`n_iter` is 0; give a positive integer"),
    "count negative": ({"n_iter": -5}, "`n_iter` is -5"),
    "count beyond integers": ({"n_iter": 10**19}, "`n_iter` is 10000000000000000000; give a positive integer"),
    "count float": ({"n_iter": 1e5}, r"`n_iter` is 100000.0; give a positive integer, like 1000 or int\(1e5\)"),
    "count bool": ({"n_iter": True}, "`n_iter` is True"),
    "record": ({"record": "all"}, "`record` is 'all'; give True, False, a stride like 10, or 'log'"),
    "record zero": ({"record": 0}, "`record` is 0; give True"),
    "record theta": ({"record_theta": True, "record": False}, "`record_theta` is True and `record` is False"),
    "method": ({"method": "svd"}, "`method` is 'svd'; give one of 'auto', 'fused', 'modes'"),
    "momentum": ({"momentum": "adam"}, "`momentum` is 'adam'; give None, a number of at least 0 and below 1, or"),
    "momentum one": ({"momentum": 1}, "`momentum` is 1; give a number of at least 0, below 1"),
    "momentum bb": ({"momentum": 0.9, "learning_rate": "bb"}, "`momentum` is 0.9 with learning_rate='bb', which finds"),
    "l2": ({"l2": -1}, "`l2` is -1; give a number of at least 0"),
    "tol": ({"tol": np.nan}, "`tol` is nan; give a number of at least 0"),
    "intercept": ({"fit_intercept": 1}, "`fit_intercept` is 1; give True or False"),
    "standardize": ({"standardize": "yes"}, "`standardize` is 'yes'; give True or False"),
    "divergence": ({"on_divergence": "stop"}, "`on_divergence` is 'stop'; give one of 'warn', 'raise', 'ignore'"),
    "callback": ({"callback": 3}, "`callback` is 3; give a function of one argument"),
    "progress": ({"progress": 3}, "`progress` is 3; give True or False"),
    "weights zero": ({"sample_weight": [0, 0, 0]}, "`sample_weight` is zero for all rows; give at least one row"),
    "weights negative": ({"sample_weight": [1, -2, 3]}, "`sample_weight` is -2 at 1; give weights of at least 0"),
    "weights length": (
        {"sample_weight": [1, 2]},
        r"`sample_weight` has shape \(2,\); give one value for each of the 3",
    ),
    "X beyond floats": ({"X": [[10**400], [1], [2]]}, "`X` is no array of real numbers"),
    "X longdouble": ({"X": np.array([["1e4000"]] * 3, np.longdouble)}, r"`X` has .* at \[0, 0\]"),
    "weights nan": ({"sample_weight": [1, np.nan, 3]}, r"`sample_weight` has nan at \[1\]"),
}


OF_ANOTHER_TYPE = {
    *("X strings", "X complex", "X objects", "y masked", "theta0 words", "rate bool", "rate none", "rate list"),
    *("count float", "count bool", "record float", "record none", "record theta number", "momentum list"),
    *("momentum bool", "l2 word", "tol none", "intercept", "standardize", "method number", "divergence none"),
    *("callback", "progress", "weights words"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    change, message = BAD[name]
    call = {"X": [[1.0, 2], [3, 4], [5, 6]], "y": [1.0, 2, 3], "learning_rate": 0.01, "n_iter": 5, **change}
    with pytest.raises(TypeError if name in OF_ANOTHER_TYPE else ValueError, match=message):
        ng.gradient_descent(call.pop("X"), call.pop("y"), call.pop("theta0", None), **call)


def test_names_are_keywords():
    with pytest.raises(TypeError):
        ng.gradient_descent([[1.0]], [1.0], None, 0.1, 5)
    with pytest.raises(TypeError):
        ng.gradient_descent([[1.0]], [1.0], learning_rate=0.1, n_iter=5, alpha=0.9)


INTERRUPT = """
import signal, sys, time
import numpy as np, numgrad as ng
from numgrad.regression import _rows, _run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
method, m, n = sys.argv[1], *map(int, sys.argv[2:])
X = np.random.default_rng(0).standard_normal((m, n))
y = X.sum(axis=1)
ng.gradient_descent(X[:1000], y[:1000], learning_rate=1e-6, n_iter=1, record=False, method=method)
looks = []
def clock():
    looks.append(1)
    if len(looks) == 9:  # two for each call of the kernel
        print("begun", flush=True)
    return time.perf_counter()
def decompose(*given):
    print("begun", flush=True)
    return triangle(*given)
triangle = _rows.triangle
if n < 300:
    assert _run.perf_counter is time.perf_counter
    _run.perf_counter = clock
else:
    _rows.triangle = decompose
try:
    ng.gradient_descent(X, y, learning_rate=1e-6, n_iter=10**12, record=False, method=method)
except KeyboardInterrupt as interrupt:
    run = getattr(interrupt, "descent", None)
    print(run and run.n_iter, run and run.stop_reason, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("method", "shape"),
    [("fused", (100, 2)), ("modes", (100, 2)), ("fused", (300_000, 60)), ("modes", (50_000, 300))],
    ids=["short iterations", "modes", "long iterations", "decomposition"],
)
def test_ctrl_c(method, shape):
    """It ends what would take years, in the middle. How soon is measured in benchmarks/RESULTS.md, 0.03 s."""
    command = [sys.executable, "-c", INTERRUPT, method, *map(str, shape)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        try:
            done, reason = process.communicate(timeout=HANGS)[0].split(" ", 1)
        finally:
            process.kill()
    assert process.returncode == 0
    if shape[1] < 300:
        assert reason == f"interrupted after {done} of 1000000000000 iterations\n"
        assert int(done) > (1000 if shape[0] < 1000 else 0)


@ENGINES
def test_no_call_of_the_kernel_is_long(monkeypatch, method):
    """Neither the first, whose speed is unknown, nor a later one runs past its budget of products or of time."""
    calls = []
    engine = {"fused": _fused.Fused, "modes": _run.Modes}[method]
    run = engine.run
    monkeypatch.setattr(engine, "run", lambda self, end: (calls.append((end - self.done) * self.work), run(self, end)))
    ticks = iter(range(1000))

    def clock():
        if len(calls) > 3:
            raise KeyboardInterrupt
        return next(ticks) * 0.5  # every call seems to take half a second

    monkeypatch.setattr(_run, "perf_counter", clock)
    X, y = random_problem(2000, 7)
    with pytest.raises(KeyboardInterrupt):
        ng.gradient_descent(X, y, learning_rate=0.01, n_iter=10**9, record=False, method=method)
    assert calls[0] < 1.1 * _run.FIRST_BUDGET
    assert len(calls) > 2
    assert calls[1] < 0.2 * calls[0]


def test_interrupted_in_the_first_iteration(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "perf_counter", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        ng.gradient_descent(*line(), learning_rate=0.0005, n_iter=10)
    assert repr(caught.value.descent).startswith("Descent: interrupted after 0 of 10 iterations")


@ENGINES
def test_why_a_run_ends(method):
    """`end` says it for programs, and the sentence begins with it."""
    X, y = random_problem(60, 3)
    states = []
    options = {
        "completed": {"n_iter": 2},
        "converged": {"tol": 1e-3},
        "stopped": {"callback": lambda state: states.append(state) or len(states) == 3},
        "diverged": {"learning_rate": 100, "on_divergence": "ignore"},
    }
    for end, more in options.items():
        run = ng.gradient_descent(X, y, method=method, **more)
        assert run.end == end
        assert run.stop_reason.startswith(end)
        assert pickle.loads(pickle.dumps(run)).end is run.end
    assert {state.end for state in states} == {"running"}
    with pytest.raises(ZeroDivisionError) as caught:
        ng.gradient_descent(X, y, method=method, callback=lambda state: 1 / 0)
    assert caught.value.descent.end == "interrupted"


def test_what_is_doubtful_is_said_apart():
    X, y = line()
    X[:, 1] *= 1e9
    run = ng.gradient_descent(X, y, tol=1e-6, learning_rate="auto")
    assert run.end == "converged"
    assert run.doubt.startswith("With kappa = ")
    assert run.stop_reason.endswith(f". {run.doubt}")
    assert ng.gradient_descent(X, y, tol=1e-6, learning_rate="auto", standardize=True).doubt == ""


def test_an_interrupted_run_keeps_what_it_has(monkeypatch):
    X, y = line()
    calls = []

    def clock():
        calls.append(1)
        if len(calls) > 6:
            raise KeyboardInterrupt
        return float(len(calls))

    monkeypatch.setattr(_run, "perf_counter", clock)
    with pytest.raises(KeyboardInterrupt) as caught:
        ng.gradient_descent(X, y, learning_rate=0.0005, n_iter=10_000_000)
    run = caught.value.descent
    assert 0 < run.n_iter < 10_000_000
    agree(run, *plain(X, y, np.zeros(2), 0.0005, run.n_iter))


@pytest.mark.parametrize("method", ["fused", "modes"])
def test_gradients_too_small_to_be_squared_as_python(method):
    """They are not taken for zero: the descent goes on."""
    rate, X = 0.5, np.ones((4, 1))
    run = ng.gradient_descent(X, np.zeros(4), theta0=[1.0], learning_rate=rate, n_iter=600, method=method)
    assert run.n_iter == 600
    assert run.theta[0] == (1 - rate) ** 600
    assert "converged" not in run.stop_reason


# ----------------------------------------------------------------------------------------------------------- the tiers


def same_bits(a, b):
    """All that is in two results, and their dtypes."""
    for name in ("theta", "cost", "iterations", "best_theta", "theta_path", "excess_cost", "theta_least_squares"):
        one, other = getattr(a, name), getattr(b, name)
        assert (one is None) == (other is None)
        if one is not None:
            assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), name
    for name in ("n_iter", "end", "stop_reason", "doubt", "method", "learning_rate", "momentum"):
        assert getattr(a, name) == getattr(b, name), name


TIERS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.3, "l2": 0.1, "learning_rate": 0.02},
    {"momentum": "nesterov"},
    {"momentum": "nesterov", "learning_rate": "optimal", "standardize": True},
    {"learning_rate": "bb", "fit_intercept": True},
    {"learning_rate": "bb", "tol": 1e-9, "weights": True},
    {"learning_rate": "backtracking"},
    {"learning_rate": "backtracking", "tol": 1e-4, "standardize": True, "fit_intercept": True},
    {"tol": 1e-2, "theta0": True},
    {"record_theta": True, "fit_intercept": True, "standardize": True, "l2": 0.01},
    {"record_theta": True, "record": 7, "learning_rate": "bb"},
    {"record": "log", "learning_rate": 0.05},
    {"record": False, "momentum": 0.5},
    {"learning_rate": 3.0, "on_divergence": "ignore"},
    {"learning_rate": 1e200, "on_divergence": "ignore", "record_theta": True},
    {"weights": True, "l2": 2.0, "learning_rate": "optimal"},
    {"tol": 1e-3, "scale": 2.0**-500},  # gradients too small to be squared
    {"scale": 1e170, "learning_rate": "bb"},
    {"method": "fused", "learning_rate": "bb"},  # whose excess cost is replayed
]


@pytest.mark.parametrize("targets", [None, 3])
def test_the_tiers_agree_to_the_last_bit(monkeypatch, targets):
    """Also where a run changes from one to the other in its course."""
    monkeypatch.setattr(_modes, "AT_A_TIME", 100)  # iterations go in many calls
    rng = np.random.default_rng(0)
    for dtype in ("f8", "f4"):
        X = rng.standard_normal((40, 4)) * [1, 2, 0.5, 1] + 1
        y = rng.standard_normal((40, targets) if targets else 40) + X[:, :1].reshape(-1, *[1] * bool(targets))
        for case in TIERS:
            options = {"n_iter": 150, "method": "modes", **case}
            scale, has_start = options.pop("scale", 1.0), options.pop("theta0", False)
            if scale != 1 and dtype == "f4":
                continue
            if options.pop("weights", False):
                options["sample_weight"] = rng.random(40)
            if has_start:
                options["theta0"] = np.ones((4, targets) if targets else 4)
            arrays = (X * scale).astype(dtype), (y * scale).astype(dtype)
            found, said = [], []
            for tiers in ("0", "1", "01"):
                monkeypatch.setenv("NUMGRAD_TIER", tiers[0])
                calls = []

                def change(state, tiers=tiers, calls=calls):
                    calls.append(state.n_iter)
                    monkeypatch.setenv("NUMGRAD_TIER", tiers[len(calls) > 3 and len(tiers) > 1])

                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    found.append(ng.gradient_descent(*arrays, callback=change, **options))
                    found[-1].excess_cost  # is replayed in this tier
                said.append([str(w.message) for w in caught])
            for other in found[1:]:
                same_bits(found[0], other)
            assert said[0] == said[1] == said[2]


def test_a_callback_sees_the_same_in_both_tiers(monkeypatch):
    """As often as it is promised, and so it ends the run at the same iteration."""
    X, y = random_problem(50, 3)
    seen = {}
    for tier in "01":
        monkeypatch.setenv("NUMGRAD_TIER", tier)
        states = seen[tier] = []

        def look(state, states=states):
            states.append((state.n_iter, state.theta.tobytes(), state.cost[-1]))
            return state.n_iter >= 500

        run = ng.gradient_descent(X, y, n_iter=1000, method="modes", callback=look)
        assert run.end == "stopped"
        assert run.n_iter == 500
    assert seen["0"] == seen["1"]


def test_ctrl_c_between_any_two_lines_of_a_plain_kernel(monkeypatch):
    """The state reached is that of a whole number of iterations."""
    monkeypatch.setenv("NUMGRAD_TIER", "0")
    monkeypatch.setattr(_modes, "AT_A_TIME", 24)
    X, y = random_problem(30, 3)
    code = {iteration.modes.__code__, iteration.tally.__code__}
    options = {"momentum": 0.5, "method": "modes", "record": 7, "record_theta": True}
    for stop in range(300, 500, 7):
        lines = 0

        def trace(frame, event, argument, stop=stop):
            nonlocal lines
            if frame.f_code not in code:
                return None
            lines += event == "line"
            if lines == stop:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            with pytest.raises(KeyboardInterrupt) as caught:
                ng.gradient_descent(X, y, n_iter=50, **options)
        finally:
            sys.settrace(before)
        state = caught.value.descent
        assert 0 < state.n_iter < 50
        whole = ng.gradient_descent(X, y, n_iter=state.n_iter, **options)
        for name in ("theta", "cost", "theta_path", "excess_cost", "iterations"):
            assert np.array_equal(getattr(state, name), getattr(whole, name)), name


SMALL_WORK = """
import sys
import numpy as np
import numgrad as ng
rng = np.random.default_rng(0)
for m, n in ((100, 2), (300, 11), (150, 30)):
    X, y = rng.standard_normal((m, n)), rng.standard_normal(m)
    step = ng.step_size(X)
    runs = [ng.gradient_descent(X, y, n_iter=k, learning_rate=rate) for k, rate in ((1000, "auto"), (300, "bb"))]
    rows = ng.CompressedRows().update(X, y)
    rows.update(X, y).merge(rows)
    print(step.L.hex(), rows.R.sum().hex(), *(run.theta.sum().hex() for run in runs))
assert "numba" not in sys.modules
"""


def test_small_work_needs_no_compiler():
    """Nor do its bits depend on the number of threads of BLAS."""
    found = []
    for threads in ("1", "4"):
        own = {"NUMGRAD_TIER": "", "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", SMALL_WORK]
        found.append(subprocess.run(command, env={**os.environ, **own}, check=True, capture_output=True).stdout)
    assert found[0] == found[1] != b""


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_what_is_surely_below_the_limit_is(dtype, l2):
    """Rates around 2/L and far below, on data alike in all directions and in one, with weights and intercepts."""
    rng, said = np.random.default_rng(0), []
    for m, n in ((30, 3), (500, 40), (600, 130), (3000, 130), (200, 300), (2000, 256)):
        for kind in ("even", "one direction", "one column", "shifted"):
            X = rng.standard_normal((m, n))
            if kind == "one direction":
                X += 9 * rng.standard_normal((m, 1))
            elif kind == "one column":
                X[:, n // 2] *= 30
            elif kind == "shifted":
                X += 5
            X = X.astype(dtype)
            weight = rng.random(m) if m % 3 == 0 else None
            for first in (False, True):
                problem = _problem.read(X, X[:, 0], weight, _problem.Model(l2, first, False), "fused")
                problem.prepare(np.zeros((1, n + first)))
                z = np.hstack([np.ones((m, int(first))), X.astype("f8")])
                w = np.ones(m) if weight is None else weight
                hessian = (z.T * w) @ z / w.sum() + l2 * np.diag([0.0] * first + [1.0] * n)
                L = np.linalg.eigvalsh(hessian)[-1] * problem.scale.curvature(1.0)
                assert not any(problem.is_surely_below(L * part) for part in (0.5, 0.99, 1.0, 1 + 1e-7))
                said.append([problem.is_surely_below(L * times) for times in (1.5, 4, 1000)])
    found = np.mean(said, axis=0)
    assert found[-1] == 1
    assert 0 < found[0] < found[1]
