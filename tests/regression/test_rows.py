"""CompressedRows and step_size: chunks, merges, weights, ill-conditioned data, the figures of the theory."""

import pickle
import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import numgrad as ng
from benchmarks import certified
from numgrad.regression import _check, _rows
from numgrad.regression._rows import triangle


def table(m, n, p=None, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((m, n)) * rng.random(n) * 10 + rng.standard_normal(n)
    return X, rng.standard_normal((m, p) if p else m)


def same_triangle(a, b, tolerance=1e-13):
    """R is unique but for the signs of its rows, where no diagonal element is small."""
    assert a.shape == b.shape
    gram, other = a.T @ a, b.T @ b
    scale = np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
    assert (abs(gram - other) <= tolerance * scale + 1e-300).all()


@pytest.fixture(params=[_rows.FEW, 0], ids=["few", "many"])
def few(request, monkeypatch):
    """The two ways of a decomposition: small data go the first one."""
    monkeypatch.setattr(_rows, "FEW", request.param)


@given(
    st.integers(1, 300), st.integers(1, 9), st.integers(0, 3), st.lists(st.integers(1, 299), max_size=4), st.booleans()
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("few")
def test_chunked_and_merged_equals_one_shot(m, n, p, cuts, has_weights):
    X, y = table(m, n, p, seed=m)
    w = np.random.default_rng(m).integers(0, 3, m) if has_weights else None  # zero for whole chunks, at times
    if w is not None:
        w[-1] = 1
    whole = ng.CompressedRows().update(X, y, w)
    edges = [0, *sorted({c for c in cuts if c < m}), m]
    chunked, merged = ng.CompressedRows(), ng.CompressedRows()
    for low, high in pairwise(edges):
        part = slice(low, high)
        chunk = X[part], y[part], None if w is None else w[part]
        assert chunked.update(*chunk) is chunked
        assert merged.merge(ng.CompressedRows().update(*chunk)) is merged
    A = np.column_stack([np.ones(m), X, y]) * np.sqrt(np.ones(m) if w is None else w)[:, None]
    for rows in (whole, chunked, merged):
        assert rows.n_rows == m
        assert np.isclose(rows.total_weight, m if w is None else w.sum(), rtol=1e-14)
        same_triangle(rows.R, np.linalg.qr(A, mode="r"))
        assert (np.tril(rows.R, -1) == 0).all()


def test_rows_serve_as_data():
    X, y = table(500, 4, 2)
    w = np.random.default_rng(1).random(500)
    rows = ng.CompressedRows().update(X[:200], y[:200], w[:200]).update(X[200:], y[200:], w[200:])
    for options in ({}, {"fit_intercept": True}, {"fit_intercept": True, "standardize": True, "l2": 0.1}):
        one = ng.gradient_descent(rows, n_iter=40, **options)
        other = ng.gradient_descent(X, y, sample_weight=w, n_iter=40, **options)
        assert one.method == "modes"
        assert np.allclose(one.theta, other.theta, rtol=1e-12, atol=1e-14)
        assert np.allclose(one.cost, other.cost, rtol=1e-12)
    a, b = ng.step_size(rows, l2=0.1), ng.step_size(X, sample_weight=w, l2=0.1)
    assert np.isclose(a.L, b.L, rtol=1e-13)
    assert np.isclose(a.kappa, b.kappa, rtol=1e-12)
    run = ng.gradient_descent(rows, n_iter=40)
    rows.update(X, y)  # what comes later does not change a run
    expected = ng.gradient_descent(X, y, sample_weight=w, n_iter=40).excess_cost
    assert np.allclose(run.excess_cost, expected, rtol=1e-9)


@pytest.mark.parametrize("method", ["fused", "modes"])
def test_weights_equal_repeated_rows(method):
    X, y = table(60, 3)
    k = np.random.default_rng(0).integers(0, 4, 60)
    options = {"n_iter": 50, "method": method, "fit_intercept": True, "standardize": True}
    one = ng.gradient_descent(X, y, sample_weight=k, **options)
    other = ng.gradient_descent(np.repeat(X, k, axis=0), np.repeat(y, k), **options)
    assert np.allclose(one.theta, other.theta, rtol=1e-12)
    assert np.allclose(one.cost, other.cost, rtol=1e-12)
    a, b = ng.CompressedRows().update(X, y, k), ng.CompressedRows().update(np.repeat(X, k, axis=0), np.repeat(y, k))
    assert np.allclose(a.solve(fit_intercept=True), b.solve(fit_intercept=True), rtol=1e-12)
    assert np.isclose(ng.step_size(X, sample_weight=k).L, ng.step_size(np.repeat(X, k, axis=0)).L, rtol=1e-13)


@pytest.mark.parametrize("p", [None, 2])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.5])
@pytest.mark.parametrize("shape", [(200, 5), (4, 7), (1, 1)])
def test_solve(shape, l2, intercept, p):
    X, y = table(*shape, p)
    rows = ng.CompressedRows().update(X, y)
    A = np.column_stack([np.ones(len(X)), X]) if intercept else X
    penalty = np.eye(A.shape[1])[int(intercept) :] * np.sqrt(l2 * len(X))
    stacked = np.vstack([A, penalty]) if l2 else A
    target = np.concatenate([y, np.zeros((len(penalty), *y.shape[1:]))]) if l2 else y
    expected = np.linalg.lstsq(stacked, target)[0]
    assert np.allclose(rows.solve(l2=l2, fit_intercept=intercept), expected, rtol=1e-9, atol=1e-12)


def test_threads_and_pieces_change_no_bit(monkeypatch):
    monkeypatch.setattr(_rows, "PIECE", 1000)
    X, y = table(4000, 5)
    found = []
    for threads in (1, 2, 5):
        ng.set_num_threads(threads)
        found.append(ng.CompressedRows().update(X, y).R)
    ng.set_num_threads(None)
    assert all(np.array_equal(R, found[0]) for R in found)
    monkeypatch.setattr(_rows, "MEMORY", 1)  # one piece at a time
    assert np.array_equal(ng.CompressedRows().update(X, y).R, found[0])


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("factor", [1e-200, 1e200, 1e-160, 1e155])
def test_the_ends_of_the_range(factor):
    X, y = table(300, 3)
    expected = np.linalg.lstsq(X, y)[0]
    rows = ng.CompressedRows().update(X * factor, y)
    assert np.allclose(rows.solve() * factor, expected, rtol=1e-10)


def test_wide_data(monkeypatch):
    monkeypatch.setattr(_rows, "WIDE", 5)
    X, y = table(300, 8)
    rows = ng.CompressedRows().update(X[:2], y[:2]).update(X[2:200], y[2:200])
    rows.merge(ng.CompressedRows().update(X[200:], y[200:]))
    assert np.allclose(rows.solve(fit_intercept=True)[1:], np.linalg.lstsq(X - X.mean(0), y - y.mean())[0], rtol=1e-10)
    few = ng.CompressedRows().update(X[:4], y[:4])
    assert few.R.shape == (4, 10)
    assert np.allclose(few.solve(), np.linalg.lstsq(X[:4], y[:4])[0], rtol=1e-9)


@pytest.mark.parametrize("dtype", ["f4", "i4", "u1", "?", "f2", ">f8", "g"])
def test_dtypes(dtype):
    X = np.floor(np.random.default_rng(0).random((50, 3)) * 2).astype(dtype)
    y = X.astype(float) @ [1, 2, 3]
    assert np.allclose(ng.CompressedRows().update(X, y).solve(), [1, 2, 3], rtol=1e-6)
    assert np.allclose(ng.gradient_descent(X, y, n_iter=3000, method="fused").theta, [1, 2, 3], rtol=1e-4)


def test_pickle_and_repr():
    X, y = table(40, 2)
    rows = ng.CompressedRows()
    assert repr(rows) == "CompressedRows: empty"
    rows.update(X, y)
    again = pickle.loads(pickle.dumps(rows))
    assert repr(again) == "CompressedRows: 40 rows of 2 features and 1 target"
    assert np.array_equal(again.update(X, y).R, rows.update(X, y).R)


def test_errors():
    X, y = table(40, 2)
    empty = ng.CompressedRows()
    with pytest.raises(ValueError, match="no rows yet; call `update` first"):
        empty.solve()
    with pytest.raises(ValueError, match="`X` is CompressedRows without rows"):
        ng.gradient_descent(empty)
    with pytest.raises(ValueError, match="no rows yet"):
        ng.step_size(empty)
    rows = ng.CompressedRows().update(X, y)
    R = rows.R.copy()
    with pytest.raises(ValueError, match="`X` has 3 features and 1 targets, and there were 2 and 1 before"):
        rows.update(np.ones((4, 3)), np.ones(4))
    with pytest.raises(ValueError, match=r"`X` has nan at \[1, 0\]"):
        rows.update([[1, 2], [np.nan, 3]], [1, 2])
    with pytest.raises(ValueError, match="`other` has 2 features and 2 targets"):
        rows.merge(ng.CompressedRows().update(X, np.column_stack([y, y])))
    with pytest.raises(TypeError, match="`other` is a ndarray; give CompressedRows"):
        rows.merge(X)
    assert np.array_equal(rows.R, R)  # nothing half-read
    assert rows.n_rows == 40
    assert rows.merge(empty).n_rows == 40
    for name, value in (("y", y), ("sample_weight", np.ones(40))):
        with pytest.raises(ValueError, match=f"`{name}` is given with CompressedRows, which have theirs"):
            ng.gradient_descent(rows, **{name: value})
    with pytest.raises(ValueError, match="`sample_weight` is given with CompressedRows"):
        ng.step_size(rows, sample_weight=np.ones(40))
    with pytest.raises(ValueError, match="`method` is 'fused', and CompressedRows have no rows to go over"):
        ng.gradient_descent(rows, method="fused")
    with pytest.raises(ValueError, match="`l2` is -1"):
        rows.solve(l2=-1)
    with pytest.raises(TypeError, match="`fit_intercept` is 'yes'"):
        rows.solve(fit_intercept="yes")


@pytest.mark.usefixtures("few")
def test_badly_scaled_and_deficient():
    """Rank is judged for columns of norm 1, and the solution is a minimum nevertheless."""
    t = 1.7e18 + np.arange(50) * 1e9
    d = np.random.default_rng(0).random(50)
    X = np.column_stack([t, d, 1 - d])
    y = 3 * d + (t - t[0]) / 1e9
    rows = ng.CompressedRows().update(X, y)
    theta = rows.solve(fit_intercept=True)
    scaled = np.column_stack([np.ones(50), (t - t.mean()) / 1e9, d])
    best = ((scaled @ np.linalg.lstsq(scaled, y)[0] - y) ** 2).sum()
    # The hypothesis is a sum of terms of 1e18 / 1e9.
    assert ((np.column_stack([np.ones(50), X]) @ theta - y) ** 2).sum() <= best + 50 * (1e-5) ** 2


def test_zero_weights_and_forms_of_y():
    X, y = table(40, 2)
    rows = ng.CompressedRows().update(X, y, np.zeros(40))
    with pytest.raises(ValueError, match="the weights of all rows are zero"):
        rows.solve()
    with pytest.raises(ValueError, match="the weights of all rows are zero"):
        ng.gradient_descent(rows)
    rows.update(X, y[:, None])
    assert rows.solve().shape == (2,)  # as y was at first
    assert np.allclose(rows.solve(), np.linalg.lstsq(X, y)[0])
    with pytest.raises(ValueError, match="`y` is None"):
        rows.update(X, None)
    with pytest.raises(ValueError, match="`sample_weight` has the sum inf; give smaller weights"):
        rows.update(X, y, np.full(40, 1.7e308))
    assert rows.n_rows == 80


def test_names_of_columns():
    pandas = pytest.importorskip("pandas")
    X, y = table(40, 2)
    frame = pandas.DataFrame(X * [1, 100], columns=["a", "b"])
    rows = ng.CompressedRows().update(frame, y)
    assert ng.step_size(rows).dominant == "b"
    assert ng.gradient_descent(frame, y, fit_intercept=True, n_iter=3).names == ("the intercept", "a", "b")
    rows.update(frame.to_numpy(), y)  # without names
    with pytest.raises(ValueError, match="give the same order"):
        rows.update(frame[["b", "a"]], y)


# ---------------------------------------------------------------------------------------------- ill-conditioned data


def exact(A, y):
    """The least-squares solution in rational numbers."""
    n = A.shape[1]
    A = [[Fraction(float(v)) for v in row] for row in A]
    y = [Fraction(float(v)) for v in y]
    rows = [
        [sum(r[i] * r[j] for r in A) for j in range(n)] + [sum(r[i] * v for r, v in zip(A, y, strict=True))]
        for i in range(n)
    ]
    for i in range(n):
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[n] / row[i] for i, row in enumerate(rows)]


def digits(theta, certified):
    """Correct digits of the worst coefficient, as NIST counts them."""
    errors = [abs((Fraction(float(t)) - c) / c) for t, c in zip(theta, certified, strict=True)]
    return -np.log10(max(float(max(errors)), 1e-16))


def longley():
    datasets = pytest.importorskip("statsmodels.datasets")
    data = datasets.longley.load()
    return np.asarray(data.exog, float), np.asarray(data.endog, float)


def wampler(delta, shrinking=False):
    """NIST's Wampler sets: a polynomial of degree 5 at 0 to 20, exact or with large residuals."""
    e = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048]
    e = np.array([*e, 2048, *e[::-1]], float)
    x = np.arange(21.0)
    X = x[:, None] ** np.arange(1, 6)
    y = 1 + X @ (0.1 ** np.arange(1, 6)) if shrinking else 1 + X.sum(axis=1)
    return X, y + delta * e


def polynomial():
    """As ill-conditioned as NIST's Filip: degree 10 on [-9, -3]."""
    x = np.linspace(-9, -3, 82)
    return x[:, None] ** np.arange(1, 11), np.round(0.8 + 0.05 * np.cos(x) + 0.02 * x, 6)


def calibration():
    """Like NIST's Pontius: a quadratic over loads up to 3e6."""
    x = np.arange(1, 41) * 75000.0
    return np.column_stack([x, x**2]), np.round(0.0005 + 7.3e-7 * x - 3e-15 * x * x, 5)


SETS = {
    "Longley": longley,
    "Wampler 1": lambda: wampler(0),
    "Wampler 2": lambda: wampler(0, True),
    "Wampler 3": lambda: wampler(1),
    "Wampler 4": lambda: wampler(100),
    "Wampler 5": lambda: wampler(10_000),
    "degree 10": polynomial,
    "calibration": calibration,
}


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", SETS)
def test_ill_conditioned(name):
    X, y = SETS[name]()
    A = np.column_stack([np.ones(len(X)), X])
    certified = exact(A, y)
    n = A.shape[1]
    r = np.linalg.qr(np.column_stack([A, y]), mode="r")
    by_householder = digits(np.linalg.solve(r[:n, :n], r[:n, n]), certified)
    solved = digits(ng.CompressedRows().update(X, y).solve(fit_intercept=True), certified)
    assert int(solved) >= int(by_householder)
    if name == "Longley":
        assert solved >= 10
        merged = ng.CompressedRows()
        for low in range(0, len(X), 5):
            merged.merge(ng.CompressedRows().update(X[low : low + 5], y[low : low + 5]))
        assert digits(merged.solve(fit_intercept=True), certified) >= 10
        normal = digits(np.linalg.solve(A.T @ A, A.T @ y), certified)
        assert normal < 8  # the sets can tell
        run = ng.gradient_descent(X, y, fit_intercept=True, standardize=True, learning_rate="bb", n_iter=2000)
        assert digits(run.theta_least_squares, certified) >= 10
        assert digits(run.theta, certified) >= 9


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", certified.SETS)
def test_certified(name):
    """At most half a digit behind QR with pivoting, and ahead where both have enough."""
    pytest.importorskip("scipy")
    rows = certified.SETS[name]
    exact = certified.solve(rows)
    for value, known in zip(exact, certified.CERTIFIED.get(name, exact), strict=True):
        assert float(value) == pytest.approx(float(known), rel=1e-13)
    X, y, has_ones = certified.arrays(rows)
    solved = certified.digits(ng.CompressedRows().update(X, y).solve(fit_intercept=has_ones), exact)
    by_scipy = certified.digits(certified.by_scipy(X, y, has_ones, True), exact)
    assert solved >= by_scipy - (0 if name in ("Norris", "Pontius", "Longley") else 0.5)


def test_a_gradient_that_says_nothing_is_said_to():
    """Converged by the gradient, without a correct digit: the reason has kappa."""
    for name in ("Filip", "Wampler1", "Wampler5"):
        X, y, _ = certified.arrays(certified.SETS[name])
        exact = certified.solve(certified.SETS[name])
        for method in ("fused", "modes"):
            run = ng.gradient_descent(
                X, y, fit_intercept=True, learning_rate="bb", n_iter=5000, tol=1e-6, method=method
            )
            assert run.end == "converged"
            assert "says nothing of theta" in run.stop_reason
            assert "theta_least_squares, or descend with standardize=True" in run.stop_reason
            assert certified.digits(run.theta, exact) < 1
            assert certified.digits(run.theta_least_squares, exact) > 6
    X, y, _ = certified.arrays(certified.SETS["Norris"])
    deficient = np.column_stack([X, X])
    for x in (X, deficient):
        run = ng.gradient_descent(x, y, standardize=True, fit_intercept=True, tol=1e-6, n_iter=5000, method="fused")
        assert run.stop_reason.endswith("of what it was at the start")


# ------------------------------------------------------------------------------------------------------------ offsets


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("offset", [0.1, 1e3, 1e8, 1e12, 1e15, -3e15])
def test_an_offset_is_no_constant(offset):
    """All digits of the spread that the entries have."""
    x = offset + np.arange(50.0)
    y = 3 * (x - x[0]) + 1
    for method in ("fused", "modes"):
        run = ng.gradient_descent(
            x[:, None], y, fit_intercept=True, standardize=True, learning_rate="bb", n_iter=50, method=method
        )
        assert run.cost[-1] <= 1e-12
        assert np.isclose(run.theta[1], 3, rtol=1e-9)
    chunks = ng.CompressedRows().update(x[:20, None], y[:20])
    chunks.merge(ng.CompressedRows().update(x[20:, None], y[20:]))
    assert np.isclose(chunks.solve(fit_intercept=True)[1], 3, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8"])
@pytest.mark.parametrize("value", [0.1, 1.0, 1e15, 1.0 / 3, 1e-300, 1e300])
def test_constant_to_rounding_is_dropped_by_name(value, dtype):
    pandas = pytest.importorskip("pandas")
    if (dtype == "f4" and not 1e-30 < value < 1e30) or (dtype == "i8" and value not in (1.0, 1e15)):
        return
    rng = np.random.default_rng(0)
    column = np.full(400, value).astype(dtype)
    if dtype != "i8":
        column[::3] = np.nextafter(column[::3], np.inf, dtype=column.dtype)
    frame = pandas.DataFrame({"dull": column, "good": rng.standard_normal(400).astype("f4" if dtype == "f4" else "f8")})
    y = 2 * frame["good"] + 1
    rows = ng.CompressedRows()
    for low in range(0, 400, 50):  # merged, each with an origin of its own
        rows.merge(ng.CompressedRows().update(frame[low : low + 50], y[low : low + 50]))
    for data, target in ((frame, y), (rows, None)):
        with pytest.warns(RuntimeWarning, match="'dull' cannot be standardised, being constant to the rounding"):
            run = ng.gradient_descent(data, target, fit_intercept=True, standardize=True, learning_rate="bb", n_iter=30)
        assert np.allclose(run.theta, [1, 0, 2], rtol=1e-5)


def test_weights_of_one_number():
    X, y = table(30, 2)
    for weight in (2, 0.5, np.float32(3)):
        one = ng.gradient_descent(X, y, sample_weight=weight, n_iter=5)
        assert np.allclose(one.theta, ng.gradient_descent(X, y, sample_weight=np.full(30, weight), n_iter=5).theta)
        assert ng.CompressedRows().update(X, y, weight).total_weight == 30 * weight
    with pytest.raises(ValueError, match="`sample_weight` is -1 at 0"):
        ng.step_size(X, sample_weight=-1)


def test_what_is_no_number_is_named():
    pandas = pytest.importorskip("pandas")
    good = np.arange(4.0)
    days = pandas.date_range("2020", periods=4)
    bad = {
        "column 'c' of `X` has dtype datetime64": pandas.DataFrame({"a": good, "c": days}),
        "column 'c' of `X` has dtype timedelta64": pandas.DataFrame({"a": good, "c": days - days[0]}),
        "column 'c' of `X` has dtype period": pandas.DataFrame({"a": good, "c": days.to_period("D")}),
        "column 'c' of `X` has dtype category": pandas.DataFrame({"c": pandas.Categorical(list("abcd"))}),
        "column 'c' of `X` has dtype str": pandas.DataFrame({"a": good, "c": pandas.array(list("1234"), "string")}),
        "column 'c' of `X` has dtype interval": pandas.DataFrame({"a": good, "c": pandas.interval_range(0, 4)}),
        "`X` has <NA> at [2, 1]; drop or fill": pandas.DataFrame({"a": good, "c": pandas.array([1, 2, None, 4])}),
        "`X` has None at [1, 0]; drop or fill": np.array([[1], [None], [2], [3]], object),
        "`X` has text among its objects": np.array([["1"], ["2"], [3], [4]], object),
        "`X` has dates among its objects": np.array([[day] for day in days], object),
    }
    for message, X in bad.items():
        for call in (
            ng.step_size,
            lambda X: ng.gradient_descent(X, good),
            lambda X: ng.CompressedRows().update(X, good),
        ):
            with pytest.raises(ValueError if "fill" in message else TypeError, match=f"^{re.escape(message)}"):
                call(X)
    with pytest.raises(TypeError, match=r"`y` has dtype datetime64.*; give real numbers, like the seconds"):
        ng.gradient_descent(np.eye(4), days)
    for y, message in (
        (days.to_period("D"), r"period\[D\]; give real numbers, like its ordinals"),
        (pandas.interval_range(0, 4), "interval.*, like the middles"),
        (pandas.CategoricalIndex(list("abca")), "category; give real numbers, and drop or encode words"),
    ):
        for one in (y, y.array, pandas.Series(y)):
            with pytest.raises(TypeError, match=f"^`y` has dtype {message}"):
                ng.gradient_descent(np.eye(4), one)
    # Numbers they are, whatever pandas calls them.
    for y in (pandas.Categorical(good), pandas.arrays.SparseArray(good), pandas.array(good), pandas.RangeIndex(4)):
        assert ng.gradient_descent(np.eye(4), y, learning_rate="bb").theta.tolist() == good.tolist()
    assert ng.step_size(pandas.DataFrame({"a": pandas.array([1, 2, 3], "Int64"), "b": [True, False, True]})).L > 0


# -------------------------------------------------------------------------------------------------------- step sizes


def classic():
    return np.column_stack([np.ones(100), np.arange(100)])


def test_step_size_of_the_first_classic():
    """The numbers of the theory."""
    step = ng.step_size(classic())
    values = np.linalg.eigvalsh(classic().T @ classic() / 100)
    assert np.isclose(step.L, values[1], rtol=1e-14)
    assert np.isclose(step.mu, values[0], rtol=1e-12)
    assert np.isclose(step.kappa, 12945, rtol=1e-4)
    assert np.isclose(step.standardized_kappa, 1, rtol=1e-12)
    assert step.limit == 2 / step.L
    assert step.safe == 1 / step.L
    assert step.optimal == 2 / (step.L + step.mu)
    assert step.dominant == "feature 1"
    assert step.share > 0.99
    assert np.allclose(step.sizes, [1, np.sqrt((np.arange(100) ** 2).mean())])
    assert np.isclose(step.iterations(1e-6, 0.0005), 108_900, rtol=1e-3)
    assert np.isclose(step.iterations(1e-6), 178_832, rtol=1e-3)
    assert np.isclose(step.iterations(1e-6, step.optimal), 89_420, rtol=1e-3)
    assert step.iterations(1e-6, 0.00061) == np.inf
    assert "feature 1, 100% of the direction of L" in repr(step)
    assert "2/L = 0.000608968" in repr(step)
    assert "standardize=True would give kappa = 1" in repr(step)


def test_iterations_are_those_of_a_run():
    X, _ = table(50, 3)
    step = ng.step_size(X)
    slow = np.linalg.eigh(X.T @ X)[1][:, 0]
    for rate in (None, step.optimal, 0.3 * step.safe):
        count = step.iterations(1e-4, rate)
        run = ng.gradient_descent(
            X, np.zeros(50), slow, learning_rate=rate or step.safe, n_iter=count + 1, record_theta=True
        )
        error = np.linalg.norm(run.theta_path, axis=1)
        assert error[count] <= 1e-4 * (1 + 1e-9)
        assert error[count - 1] > 1e-4 * (1 - 1e-9)


def test_step_size_of_special_data():
    zero = ng.step_size(np.zeros((3, 2)))
    assert (zero.L, zero.limit, zero.safe, zero.optimal) == (0, np.inf, np.inf, np.inf)
    assert zero.iterations(0.1) == 0
    assert "all features are zero" in repr(zero)
    X, _ = table(30, 2)
    deficient = ng.step_size(np.column_stack([X, X[:, 0]]))
    assert deficient.kappa == np.inf
    assert deficient.mu == 0
    assert "features depend on each other" in repr(deficient)
    assert deficient.optimal < deficient.limit
    assert 0 < deficient.iterations(0.1) < np.inf
    one = ng.step_size([[3.0]])
    assert (one.L, one.kappa) == (9, 1)
    assert "steepest" not in repr(one)
    penalised = ng.step_size(np.column_stack([X, X[:, 0]]), l2=0.5)
    assert np.isclose(penalised.mu, 0.5)
    assert np.allclose(penalised.sizes, deficient.sizes)
    for bad in (0, 1, -1, "small"):
        with pytest.raises(TypeError if bad == "small" else ValueError, match="`eps` is"):
            one.iterations(bad)
    with pytest.raises(ValueError, match="`rate` is 0"):
        one.iterations(0.1, 0)


def test_the_kernels_as_python(monkeypatch):
    """Odd and even numbers of columns, few enough for the interpreter, with NUMBA_DISABLE_JIT."""
    monkeypatch.setattr(_rows, "FEW", 0)
    for n in (2, 3):
        X, y = table(140, n)
        X[:, 1] = 0
        data = _check.data(X, y)
        A = np.column_stack([np.ones(140), X, y])
        same_triangle(triangle(data, np.zeros(n + 1)), np.linalg.qr(A, mode="r"))
