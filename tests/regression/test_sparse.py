"""Sparse X: the same descents as on the dense matrix, without ever making one."""

import pickle
import tracemalloc
from itertools import cycle, product

import numpy as np
import pytest
from numpy.testing import assert_allclose

import numgrad as ng
from numgrad.regression import _check, _entries, _sparse
from numgrad.regression._problem import Model, read

sparse = pytest.importorskip("scipy.sparse")

FORMATS = (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array, sparse.coo_array)
MODELS = (
    {},
    {"fit_intercept": True},
    {"fit_intercept": True, "standardize": True},
    {"standardize": True},
    {"fit_intercept": True, "l2": 0.1},
    {"fit_intercept": True, "standardize": True, "l2": 0.1},
)
RULES = (
    {},
    {"learning_rate": "bb", "tol": 1e-6},
    {"learning_rate": "backtracking"},
    {"learning_rate": 0.01, "momentum": 0.5},
    {"learning_rate": "optimal", "momentum": "nesterov"},
)


def dense(m, n, seed=0, density=0.3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, n)) * (rng.random((m, n)) < density)


def rows_of(m, n, k, seed=0):
    """A CSR array of k entries a row."""
    rng = np.random.default_rng(seed)
    columns = np.sort(rng.random((m, n)).argpartition(k, axis=1)[:, :k]) if n < 100 else rng.integers(0, n, (m, k))
    X = sparse.csr_array((rng.standard_normal(m * k), columns.ravel(), np.arange(0, m * k + 1, k)), shape=(m, n))
    X.sum_duplicates()
    return X


@pytest.mark.filterwarnings("ignore:gradient_descent. of the features")
def test_the_table_of_options():
    """The iterates of the dense matrix, to rounding, for all models and rules, weights, formats, and both engines."""
    formats = cycle(FORMATS)
    for seed, (m, n, p) in enumerate([(60, 7, 0), (150, 12, 3), (8, 30, 0)]):
        rng = np.random.default_rng(seed)
        X, y = dense(m, n, seed), rng.standard_normal((m, p) if p else m)
        weights = rng.random(m) * (rng.random(m) < 0.8)
        for model, rule, method, weight in product(MODELS, RULES, ("fused", "modes"), (None, weights)):
            options = {**model, **rule, "method": method, "sample_weight": weight, "n_iter": 6, "record_theta": True}
            one, other = ng.gradient_descent(X, y, **options), ng.gradient_descent(next(formats)(X), y, **options)
            assert (other.method, other.end, other.n_iter) == (method, one.end, one.n_iter)
            assert np.allclose(one.theta_path, other.theta_path, rtol=0, atol=1e-9 * abs(one.theta_path).max())
            assert np.allclose(one.cost, other.cost, rtol=1e-9)
            assert np.isclose(one.learning_rate, other.learning_rate, rtol=1e-6)


def test_random_matrices():
    """The gradient and the cost of random matrices, with empty rows and columns and stored zeros, as by products."""
    rng = np.random.default_rng(5)
    for seed in range(40):
        m, n, p = (int(rng.integers(1, most)) for most in (40, 15, 4))
        X = dense(m, n, seed, rng.random())
        given = FORMATS[seed % 4](X)
        if given.nnz:
            X[given.data[0] == X] = 0
            given.data[0] = 0
        y, start = rng.standard_normal((m, p)), rng.standard_normal((n, p))
        run = ng.gradient_descent(given, y, start, learning_rate=0.5, n_iter=1, method="fused", on_divergence="ignore")
        loss = X @ start - y
        assert np.allclose(run.theta, start - 0.5 * (X.T @ loss / m), rtol=1e-12, atol=1e-13)
        assert np.isclose(run.cost[0], (loss**2).sum() / (2 * m), rtol=1e-12)


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_dtypes(index):
    X = dense(50, 6)
    y = X.sum(axis=1) + 1
    for dtype in ("f8", "f4", "i4", "u1", "?", "g"):
        there = abs(10 * X).astype(dtype)
        given = sparse.csr_array(there)
        given.indices, given.indptr = given.indices.astype(index), given.indptr.astype(index)
        run = ng.gradient_descent(given, y.astype("f4"), n_iter=5, method="fused")
        assert run.theta.dtype == ("f4" if dtype == "f4" else "f8")
        expected = ng.gradient_descent(there.astype("f8"), y.astype("f4"), n_iter=5, method="fused")
        assert np.allclose(run.theta, expected.theta, rtol=1e-5 if dtype == "f4" else 1e-12)


def test_read_in_place_or_put_in_order():
    X = sparse.csr_array(dense(30, 9))
    X.data.flags.writeable = False
    found = _entries.read(X)
    assert np.shares_memory(found.values, X.data)
    assert np.shares_memory(found.columns, X.indices)
    assert not found.columns.flags.writeable
    assert np.array_equal(found[3:21:4], X.toarray()[3:21:4])
    assert np.array_equal(found[2:9, 1:5], X.toarray()[2:9, 1:5])
    # Twice the entries, each a half, backwards; and room behind the last.
    twice = sparse.csr_array(X.toarray())
    order = np.concatenate([np.arange(a, b)[::-1].repeat(2) for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)])
    room = np.zeros(7)
    twice = sparse.csr_array((30, 9))
    twice.indptr = 2 * X.indptr
    twice.indices, twice.data = np.append(X.indices[order], room.astype("i4")), np.append(X.data[order] / 2, room)
    twice.has_canonical_format = True  # which is not so
    for method in ("fused", "modes"):
        kept = twice.indices.copy()
        one, other = (ng.gradient_descent(x, np.arange(30.0), n_iter=9, method=method) for x in (X, twice))
        assert np.array_equal(one.theta, other.theta)
        assert np.array_equal(kept, twice.indices)


def test_errors():
    y = np.ones(4)
    X = sparse.csr_array(dense(4, 3, density=1))
    broken = X.copy()
    broken.indices[2] = 99
    upside = sparse.csc_array(X)
    upside.indices[2] = -1
    short = X.copy()
    short.indptr = short.indptr[:-1]
    for bad, kind, message in (
        (X * 1j, TypeError, "`X` has dtype complex128; give real numbers"),
        (broken, ValueError, r"`X` is a csr_array of shape \(4, 3\) whose indptr and indices do not fit"),
        (upside, ValueError, "`X` is a csc_array .* do not fit"),
        (short, ValueError, "`X` is a csr_array .* do not fit"),
        (X[:0], ValueError, r"`X` has shape \(0, 3\), which is empty"),
        (X[:3], ValueError, "`y` has 4 values and `X` has 3 rows"),
        (sparse.coo_array(y), ValueError, r"`X` has shape \(4,\); give \(rows, features\)"),
    ):
        with pytest.raises(kind, match=f"^{message}"):
            ng.gradient_descent(bad, y)
    operator = pytest.importorskip("scipy.sparse.linalg").aslinearoperator(X)
    with pytest.raises((TypeError, ValueError), match=r"^`X` "):
        ng.gradient_descent(operator, y)
    with pytest.raises(TypeError, match=r"^`y` is sparse, a csr_array; give y.toarray\(\)"):
        ng.gradient_descent(X.toarray(), X)
    for value, kind in ((np.nan, sparse.csr_array), (np.inf, sparse.csc_array)):
        far = X.toarray()
        far[2, 1] = value
        with pytest.raises(ValueError, match=rf"^`X` has {value} at \[2, 1\]; drop or fill what is not finite"):
            ng.gradient_descent(kind(far), y)


def test_nothing_is_dense():
    """Memory in proportion to the entries: 20,000 x 5,000 has 4 MB of them, and would have 800 MB."""
    X, y = rows_of(20_000, 5_000, 12), np.random.default_rng(1).standard_normal(20_000)
    assert ng.gradient_descent(X[:9], y[:9], n_iter=2, method="fused").n_iter == 2  # compiles
    for given in (X, X.tocsc()):
        tracemalloc.start()
        run = ng.gradient_descent(given, y, fit_intercept=True, standardize=True, learning_rate="bb", n_iter=5)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert run.method == "fused"
        assert run.cost[-1] < run.cost[0]
        assert peak < 60e6
    narrow = rows_of(200_000, 60, 2)
    tracemalloc.start()
    ng.CompressedRows().update(narrow, np.ones(200_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.9 * narrow.shape[0] * narrow.shape[1] * 8


def test_any_number_of_threads():
    X, y = rows_of(50_000, 300, 8), np.random.default_rng(1).standard_normal((50_000, 2))
    found = []
    try:
        for threads in (1, 2, 5):
            ng.set_num_threads(threads)
            options = {"fit_intercept": True, "standardize": True, "method": "fused", "n_iter": 6}
            found.append(ng.gradient_descent(X, y, learning_rate="bb", **options))
    finally:
        ng.set_num_threads(None)
    for run in found[1:]:
        assert np.array_equal(run.theta, found[0].theta)
        assert np.array_equal(run.cost, found[0].cost)


def test_too_wide_to_be_decomposed():
    X, y = rows_of(4000, 3000, 20), np.random.default_rng(2).standard_normal(4000)
    words = "`X` is sparse, and its QR decomposition, R of 3,000 x 3,000 elements, would be dense"
    for call in (
        lambda: ng.gradient_descent(X, y, method="modes"),
        lambda: ng.gradient_descent(X, y, learning_rate="optimal"),
        lambda: ng.gradient_descent(X, y, momentum="nesterov"),
        lambda: ng.step_size(X),
        lambda: ng.CompressedRows().update(X, y),
        lambda: ng.CompressedRows().update(X[:1000], y[:1000]).update(X[1000:2000], y[1000:2000]),
    ):
        with pytest.raises(ValueError, match=f"^{words.replace('3,000 x', '[23],000 x')}"):
            call()
    run = ng.gradient_descent(X, y, n_iter=10**6, tol=1e-3, fit_intercept=True, standardize=True)
    assert (run.method, run.end, run.doubt) == ("fused", "converged", "")
    for one in (run, pickle.loads(pickle.dumps(run))):
        for ask in ("excess_cost", "step_size", "theta_least_squares", "contraction"):
            with pytest.raises(RuntimeError, match=f"^{words}"):
                getattr(one, ask)
    diverged = ng.gradient_descent(X, y, learning_rate=100, n_iter=1000, on_divergence="ignore", method="fused")
    assert diverged.end == "diverged"
    assert "estimated" in diverged.stop_reason or "above the limit" in diverged.stop_reason


def test_compressed_rows_are_those_of_the_dense_matrix():
    for m, n in ((300, 8), (20, 40), (3000, 30)):
        X, y = dense(m, n), np.arange(float(m))
        one, other = (ng.CompressedRows().update(x, y) for x in (X, sparse.csc_array(X)))
        assert np.array_equal(one.R, other.R)
        assert repr(ng.step_size(X)) == repr(ng.step_size(sparse.csr_array(X)))
    large = rows_of(150_000, 40, 3)
    y = np.arange(150_000.0)
    assert np.allclose(ng.CompressedRows().update(large, y).solve(), np.linalg.lstsq(large.toarray(), y)[0])


def test_blocks_of_dask():
    da = pytest.importorskip("dask.array")
    X, y = dense(90, 5), np.arange(90.0)
    lazy = da.from_array(X, chunks=(40, 5)).map_blocks(sparse.csr_array)
    found = ng.CompressedRows.from_dask(lazy, da.from_array(y, chunks=30))
    assert np.array_equal(found.R, ng.CompressedRows.from_dask(da.from_array(X, chunks=(40, 5)), y).R)


def test_results_after_a_fused_run():
    X, y = dense(80, 5), np.arange(80.0)
    given = sparse.csr_array(X)
    options = {"method": "fused", "n_iter": 30, "fit_intercept": True, "standardize": True}
    one, other = (ng.gradient_descent(x, y, **options) for x in (X, given))
    assert np.allclose(one.excess_cost, other.excess_cost)
    assert np.allclose(one.theta_least_squares, other.theta_least_squares)
    assert other.summary().replace("-0 ", " 0 ").split()[:8] == one.summary().split()[:8]
    for change in (lambda: given.data.__setitem__(3, 9.0), lambda: given.indices.__setitem__(0, 4)):
        run = ng.gradient_descent(given, y, n_iter=3, method="fused")
        change()
        with pytest.raises(RuntimeError, match="`X` or `y` has changed"):
            _ = run.theta_least_squares


def test_options_of_a_run():
    X, y = rows_of(3000, 50, 4), np.arange(3000.0)
    seen = []
    run = ng.gradient_descent(
        X, y, n_iter=500, method="fused", callback=lambda run: seen.append(run.n_iter) or len(seen) == 3, record="log"
    )
    assert run.end == "stopped"
    assert seen == sorted(seen)
    assert run.n_iter == seen[-1]
    assert len(run.iterations) == len(run.cost) <= run.n_iter
    warm = ng.gradient_descent(X, y, run.theta, method="fused", n_iter=20)
    assert warm.cost[0] <= run.cost[-1]
    assert ng.gradient_descent(X, y, method="fused", n_iter=2, record=False).cost is None
    with pytest.warns(RuntimeWarning, match="at or above the limit 2/L"):
        ng.gradient_descent(X, y, learning_rate=1e6, method="fused")


def test_auto_takes_the_cheaper_engine():
    y = np.arange(20_000.0)
    assert ng.gradient_descent(rows_of(20_000, 20, 4), y, n_iter=10_000).method == "modes"
    assert ng.gradient_descent(rows_of(20_000, 20, 4), y, n_iter=3).method == "fused"
    assert ng.gradient_descent(rows_of(20_000, 900, 4), y, n_iter=200).method == "fused"


@pytest.mark.parametrize("intercept", [False, True])
def test_coordinates_without_a_decomposition(intercept):
    """Those of the decomposition: also with weights, far from zero, for columns of any scale, and constant ones."""
    rng = np.random.default_rng(3)
    X = dense(200, 7)
    X[:, 1] = 1e6 + rng.standard_normal(200)
    X[:, 2] *= 1e200
    X[:, 3] *= 1e-200
    X[:, 4] = 0.1
    X[::3, 4] = np.nextafter(0.1, 1)
    X[:, 5] = 0
    weight = rng.random(200) * (rng.random(200) < 0.7)
    X[weight == 0, 4] = 0
    for w in (None, weight):
        data = _check.data(sparse.csr_array(X), np.ones(200), w)
        rows = ng.CompressedRows().read(_check.data(X, np.ones(200), w))
        found = _sparse.standardising(data, intercept)
        expected = rows.quadratic(0.0, intercept, True).coordinates
        chosen = slice(None) if w is not None or not intercept else [0, 1, 2, 3, 5, 6]  # 0.1 and zeros are not constant
        assert np.allclose(found.factor[chosen], expected.factor[chosen], rtol=1e-9, atol=0)
        assert np.allclose(found.shift, expected.shift, rtol=1e-12, atol=0)


@pytest.mark.filterwarnings("ignore:gradient_descent. .* of the result")  # whose rate and cost are beyond numbers
@pytest.mark.parametrize(("x", "y"), [(1e40, 1.0), (1e200, 1.0), (1e-200, 1e-150), (1.0, 1e180)])
def test_any_scale(x, y):
    X, target = dense(100, 5) * x, np.arange(100.0) * y
    for model in MODELS[:4]:
        unit = np.append([y] * model.get("fit_intercept", False), np.full(5, y / x))
        options = {**model, "theta0": 3 * unit, "n_iter": 20, "method": "fused"}
        one, other = (ng.gradient_descent(a, target, **options) for a in (X, sparse.csr_array(X)))
        assert np.allclose(one.theta / unit, other.theta / unit, rtol=1e-9, atol=1e-11)
        assert np.allclose(one.cost, other.cost, rtol=1e-9, atol=0)


def test_the_largest_eigenvalue_by_lanczos():
    for model in (Model(0.0, False, False), Model(0.3, True, False), Model(0.3, True, True)):
        for m, n in ((60, 8), (30, 90), (500, 200)):
            X = dense(m, n, m)
            problem = read(sparse.csr_array(X), np.ones(m), np.arange(1.0, m + 1), model, "fused")
            problem.prepare(np.zeros((1, n + model.fit_intercept)))
            found, least, is_exact = _sparse.largest_eigenvalue(problem.inner, model.l2)
            assert not is_exact
            assert np.isnan(least)
            exact = float(problem.compress().eigenvalues()[0])
            assert 0.99 * exact <= found <= (1 + 1e-12) * exact
            assert np.isclose(problem.ends[0], exact, rtol=1e-9)


def test_explain_shows_the_rows_that_are_given():
    X = sparse.random_array((30, 4), density=0.5, rng=np.random.default_rng(3), format="csr")
    y = X @ np.arange(4.0)
    run = ng.gradient_descent(X, y, n_iter=3, method="fused", theta0=np.ones(4))
    shown = run.explain(1)
    assert_allclose(shown.theta_next, shown.theta - shown.learning_rate * shown.gradient, rtol=1e-12)
    assert "run.explain(iteration, X, y)" in repr(shown)
    assert_allclose(run.explain(1, X.toarray(), y).loss[0], (X @ shown.theta - y)[0], rtol=1e-12)
    with pytest.raises(TypeError, match=r"`X` is sparse, .* X.toarray\(\)"):
        run.explain(0, X, y)
