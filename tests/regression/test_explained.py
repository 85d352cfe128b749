"""The four operations of an iteration: as the run has them, and as they are printed."""

import gc
import itertools
import pickle
import re

import numpy as np
import pytest

import numgrad as ng
from numgrad._compile import jit

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((30, 3)), RNG.standard_normal((30, 2))
LINE = [[1, 0], [1, 1], [1, 2]], [3, 5, 7]


def numbers_of(text):
    """Evaluate what is printed: what is computed, what it is said to be, and the place of its last digit."""
    for line in re.sub(r"\n +=", " =", text).splitlines():
        parts = [part.strip() for part in re.sub(r"  \(w\[.*", "", line).split(" = ")]
        parts = [part for part in parts[1:] if not re.search(r"[a-z]{2}|theta|\.\.\.|, ", part)]
        if len(parts) == 2:
            digits = re.fullmatch(r"-?\d+(?:\.(\d+))?(?:e([-+]\d+))?", parts[1])
            yield eval(parts[0]), float(parts[1]), 10.0 ** (int(digits[2] or 0) - len(digits[1] or ""))


def check(run, k, target=0, rtol=1e-12):
    """The numbers are those of the run, and what is printed is what they are."""
    found = run.explain(k, target=target)
    k %= run.n_iter
    problem = run._problem
    inner = np.zeros((problem.n_targets, found.theta.size))

    def given(theta):
        inner[target] = theta
        return problem.coordinates.leave(inner)[target]

    path = run.theta_path.reshape(len(run.theta_path), -1, problem.n_targets)[..., target]
    assert np.array_equal(given(found.theta), path[k])
    assert found.cost == run.cost[k]
    if k + 1 < run.n_iter:
        assert np.array_equal(given(found.theta_next), path[k + 1])
    step = found.gradient if found.velocity is None else found.velocity
    np.testing.assert_allclose(found.theta - found.learning_rate * step, found.theta_next, rtol=rtol, atol=rtol)
    pairs = list(numbers_of(repr(found)))
    assert len(pairs) > 4
    for computed, shown, place in pairs:
        assert abs(computed - shown) <= 0.51 * place + 1e-14 * abs(computed)
    return found


def test_the_four_operations_by_hand():
    run = ng.gradient_descent(*LINE, learning_rate=0.5, n_iter=9, record_theta=True)
    first = check(run, 0)
    assert first.hypothesis.tolist() == [0, 0, 0]
    assert first.loss.tolist() == [-3, -5, -7]
    assert first.cost == pytest.approx(83 / 6, rel=1e-15)
    assert first.gradient == pytest.approx([-5, -19 / 3], rel=1e-15)
    assert first.theta_next == pytest.approx([2.5, 19 / 6], rel=1e-15)
    assert "g[1] = (0 * (-3) + 1 * (-5) + 2 * (-7)) / 3 = -6.33333333333333" in repr(first)
    assert check(run, -1).iteration == 8


@pytest.mark.parametrize("method", ["fused", "modes"])
def test_all_options(method):
    weights = RNG.random(30) + 0.1
    for rate, more, model, w in itertools.product(
        ("auto", "optimal", "bb", "backtracking", 0.05),
        ({}, {"momentum": 0.8}, {"momentum": "nesterov"}),
        ({}, {"fit_intercept": True, "l2": 0.3}, {"standardize": True, "fit_intercept": True}, {"standardize": True}),
        (None, weights),
    ):
        if more and (rate in ("bb", "backtracking") or not model):
            continue
        run = ng.gradient_descent(
            X, Y, learning_rate=rate, n_iter=12, method=method, sample_weight=w, record_theta=True, **more, **model
        )
        for k in (0, 7) if w is None else (11,):
            check(run, k, target=k % 2, rtol=1e-9)


def test_the_gradient_is_that_of_numpy():
    w = RNG.random(30) + 0.5
    run = ng.gradient_descent(X, Y[:, 0], n_iter=9, sample_weight=w, l2=0.2, momentum=0.5)
    found = run.explain(4)
    loss = X @ found.theta - Y[:, 0]
    gradient = X.T @ (w * loss) / w.sum() + 0.2 * found.theta
    assert found.gradient == pytest.approx(gradient, rel=1e-12)
    assert found.rows.tolist() == [0, 1, 2, 29]
    assert found.loss == pytest.approx(loss[found.rows], rel=1e-12)
    assert "velocity v = momentum v + g, momentum = 0.5" in repr(found)


def test_narrow_data_and_extreme_ones():
    run = ng.gradient_descent(X.astype("f4"), Y.astype("f4"), n_iter=5, method="fused", record_theta=True)
    assert "the run has computed in float32" in repr(check(run, 3, rtol=1e-5))
    check(ng.gradient_descent(X * 1e70, Y * 1e-60, n_iter=5, record_theta=True, l2=1e130), 3)


@pytest.mark.parametrize("method", ["fused", "modes"])
def test_rows_that_are_gone(method):
    x = RNG.standard_normal((2000, 3))
    y = x.sum(axis=1)
    run = ng.gradient_descent(x, y, n_iter=5, method=method)
    text = repr(run.explain(2))
    assert "h[1999] = " in text
    before = x[0].copy()
    x[0] += 1
    with pytest.raises(RuntimeError, match="has changed since gradient_descent read it"):
        run.explain(2)
    x[0] = before
    again = pickle.loads(pickle.dumps(run))
    assert repr(again.explain(2, x, y)) == text
    if method == "modes":
        del x
        gc.collect()
        said = repr(run.explain(2))
        assert "h and l are of the rows, which are not kept; give them: run.explain(iteration, X, y)" in said
        assert "gradient g = X' l / m" in said
        assert run.explain(2).gradient == pytest.approx(again.explain(2).gradient)
    else:
        with pytest.raises(RuntimeError, match="needs the rows of this run"):
            again.explain(2)


def test_compressed_rows():
    rows = ng.CompressedRows().update(X, Y)
    for model in {}, {"l2": 0.1, "fit_intercept": True}:
        run = ng.gradient_descent(rows, n_iter=8, record_theta=True, **model)
        whole = ng.gradient_descent(X, Y, n_iter=8, learning_rate=run.learning_rate, **model)
        found = run.explain(3, target=1)
        assert found.gradient == pytest.approx(whole.explain(3, target=1).gradient, rel=1e-9, abs=1e-12)
        assert len(found.rows) == 0


def test_names_and_long_rows():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(RNG.standard_normal((8, 7)), columns=list("abcdefg"))
    text = repr(ng.gradient_descent(table, np.arange(8.0), n_iter=5, fit_intercept=True).explain(2))
    assert "theta is of the intercept, a, b, ... and g" in text
    assert "theta[0] is the intercept" in text
    assert len(text.splitlines()) < 40


BAD = {
    "late": (lambda run: run.explain(9), ValueError, "`iteration` is 9; give an integer from -9 to 8"),
    "early": (lambda run: run.explain(-10), ValueError, "`iteration` is -10"),
    "no integer": (lambda run: run.explain(1.5), TypeError, "`iteration` is 1.5"),
    "target": (lambda run: run.explain(0, target=1), ValueError, "`target` is 1"),
    "other data": (lambda run: run.explain(0, X, Y), ValueError, "which are not those of the run"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call(ng.gradient_descent(*LINE, n_iter=9))


def test_kernels_are_those_of_runs():
    """The copy that is explained has the types of data: two signatures of a kernel would spoil its cache."""
    ng.gradient_descent(X, Y, n_iter=5, method="fused").explain(2)
    ng.gradient_descent(X, Y, n_iter=5, method="fused", learning_rate="optimal").explain(2)  # its rows are let go of
    assert [kernel for kernel in jit._compiled.values() if len(getattr(kernel, "signatures", ())) > 1] == []
