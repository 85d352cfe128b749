"""Displays, by what they have drawn."""

import sys

import numpy as np
import pytest

import numgrad as ng
from numgrad.plotting import ConvergenceDisplay, DescentPathDisplay, FitDisplay, SmoothDisplay

matplotlib = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _closed():
    before = dict(matplotlib.rcParams)
    yield
    plt.close("all")
    assert dict(matplotlib.rcParams) == before


@pytest.fixture(scope="module")
def classic():
    i = np.arange(100.0)
    return np.column_stack([np.ones(100), i]), i + 25 + 10 * np.random.default_rng(8).random(100)


def test_convergence(classic):
    runs = {r: ng.gradient_descent(*classic, learning_rate=r, n_iter=5000) for r in ("auto", "optimal", "bb")}
    display = ConvergenceDisplay.from_result(runs)
    assert display.ax_.get_yscale() == "log"
    assert display.figure_ is display.ax_.figure
    assert [line.get_label() for line in display.lines_] == ["auto", "optimal", "bb"]
    assert len(display.slopes_) == 2  # none for Barzilai and Borwein
    for run, line in zip(runs.values(), display.lines_, strict=True):
        t = np.asarray(line.get_xdata(), int)
        assert np.array_equal(line.get_ydata(), run.excess_cost[t])
    for run, slope in zip(runs.values(), display.slopes_, strict=False):
        t, y = slope.get_xdata(), slope.get_ydata()
        assert np.isclose(np.log(y[-1] / y[0]) / (t[-1] - t[0]), 2 * np.log(run.contraction), rtol=1e-9)
        assert np.isclose(y[-1], run.excess_cost[-1])
    # The run does fall as theory says in the long run.
    seen = np.log(runs["auto"].excess_cost[-1] / runs["auto"].excess_cost[-1000]) / 999
    assert np.isclose(seen, 2 * np.log(runs["auto"].contraction), rtol=1e-3)


def test_convergence_takes_one_run_a_list_and_axes(classic):
    figure, ax = plt.subplots()
    run = ng.gradient_descent(*classic, n_iter=50)
    display = ConvergenceDisplay.from_result(run, ax, line_kwargs={"color": "red"}, slope_kwargs={"linewidth": 7})
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.lines_[0].get_color() == "red"
    assert display.slopes_[0].get_linewidth() == 7
    assert display.lines_[0].get_label() == f"learning rate {run.learning_rate:.3g}"
    again = ng.gradient_descent(*classic, n_iter=50, momentum=0.9)
    labels = [line.get_label() for line in ConvergenceDisplay.from_result([run, again]).lines_]
    assert labels[1] == f"learning rate {run.learning_rate:.3g}, momentum 0.9"
    same = ConvergenceDisplay.from_result([run, run])
    assert [line.get_label() for line in same.lines_] == ["0", "1"]
    assert same.plot() is same
    with pytest.raises(TypeError, match="`runs` has a int; give what gradient_descent returned"):
        ConvergenceDisplay.from_result([3])
    with pytest.raises(ValueError, match="run it with record=True"):
        ConvergenceDisplay.from_result(ng.gradient_descent(*classic, record=False))


def test_a_diverging_run_can_be_shown(classic):
    run = ng.gradient_descent(*classic, learning_rate=1e3, n_iter=100, on_divergence="ignore")
    display = ConvergenceDisplay.from_result(run)
    assert (np.diff(display.lines_[0].get_ydata()) > 0).all()


def test_fit(classic):
    X, y = classic
    run = ng.gradient_descent(X, y, np.ones(2), learning_rate=0.0005, n_iter=1000)
    display = FitDisplay.from_result(run, X, y, descent_kwargs={"label": "mine"})
    assert np.array_equal(display.points_.get_xdata(), X[:, 1])  # the first feature that varies
    assert np.array_equal(display.points_.get_ydata(), y)
    grid = display.descent_.get_xdata()
    assert np.allclose(display.descent_.get_ydata(), run.theta[0] + run.theta[1] * grid)
    exact = np.linalg.lstsq(X, y)[0]
    assert np.allclose(display.least_squares_.get_ydata(), exact[0] + exact[1] * grid)
    assert [t.get_text() for t in display.ax_.get_legend().get_texts()] == ["data", "mine", "least squares"]
    assert display.ax_.get_xlabel() == "feature 1"


def test_fit_of_one_of_many():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(rng.random((40, 3)), columns=list("abc"))
    y = rng.random((40, 2))
    run = ng.gradient_descent(frame, y, fit_intercept=True, n_iter=50)
    display = FitDisplay.from_result(run, frame, y, feature=2, target=1)
    assert display.ax_.get_xlabel() == "c"
    assert np.array_equal(display.points_.get_ydata(), y[:, 1])
    mean = frame.to_numpy().mean(0)
    a, *b = run.theta[:, 1]
    expected = a + b[0] * mean[0] + b[1] * mean[1] + b[2] * display.descent_.get_xdata()
    assert np.allclose(display.descent_.get_ydata(), expected)
    for change, error, message in (
        ({"feature": 3}, ValueError, "`feature` is 3; give an integer from -3 to 2"),
        ({"target": "y"}, TypeError, "`target` is 'y'"),
    ):
        with pytest.raises(error, match=message):
            FitDisplay.from_result(run, frame, y, **change)
    with pytest.raises(ValueError, match="give those of the descent"):
        FitDisplay.from_result(run, frame[["a"]], y)
    with pytest.raises(TypeError, match="`run` is a str"):
        FitDisplay.from_result("run", frame, y)


def test_path(classic):
    X, y = classic
    run = ng.gradient_descent(X, y, np.ones(2), learning_rate=0.0006, n_iter=2000, record_theta=True)
    display = DescentPathDisplay.from_result(run)
    assert display.ax_.get_aspect() == 1
    assert np.allclose(np.diag(display.hessian), 1)
    drawn = np.column_stack(display.path_.get_data())
    assert len(drawn) <= 200
    scale = np.sqrt(np.diag(X.T @ X / 100))
    expected = (run.theta_path - run.theta_least_squares) * scale
    assert np.allclose(drawn[0], expected[0])
    assert np.allclose(drawn[-1], expected[-1])
    assert np.array_equal(np.column_stack(display.minimum_.get_data()), [[0, 0]])
    levels = display.contours_.levels
    assert np.allclose(levels[1:] / levels[:-1], levels[1] / levels[0])
    # The contours are those of the cost: constant along each.
    u, v = display.contours_.get_paths()[-2].vertices.T
    cost = (u**2 + v**2 + 2 * display.hessian[0, 1] * u * v) / 2
    assert np.ptp(cost) < 0.01 * cost.mean()
    excess = ((expected @ display.hessian) * expected).sum(axis=1) / 2
    assert np.allclose(excess, run.excess_cost, rtol=1e-9)


def test_path_in_standardised_coordinates_and_for_targets(classic):
    X, y = classic
    run = ng.gradient_descent(
        X[:, 1:],
        np.column_stack([y, -y]),
        fit_intercept=True,
        standardize=True,
        learning_rate=0.3,
        n_iter=30,
        record_theta=True,
    )
    display = DescentPathDisplay.from_result(run, target=1, path_kwargs={"color": "k"})
    assert np.allclose(display.hessian, np.eye(2))
    assert display.path_.get_color() == "k"
    assert display.names == ("the intercept", "feature 0")
    # All directions have the same curvature: straight to the minimum.
    drawn = np.column_stack(display.path_.get_data())
    assert np.allclose(drawn[:, 0] * drawn[0, 1], drawn[:, 1] * drawn[0, 0])


def test_path_errors(classic):
    X, y = classic
    run = ng.gradient_descent(X, y, n_iter=5)
    with pytest.raises(ValueError, match="run gradient_descent with record_theta=True"):
        DescentPathDisplay.from_result(run)
    run = ng.gradient_descent(X[:, 1:], y, n_iter=5, record_theta=True)
    with pytest.raises(ValueError, match="one parameter only"):
        DescentPathDisplay.from_result(run)
    run = ng.gradient_descent(np.column_stack([X, np.zeros(100)]), y, n_iter=5, record_theta=True)
    with pytest.raises(ValueError, match=r"`parameters` is \(1, 1\); give two different ones"):
        DescentPathDisplay.from_result(run, parameters=(1, 1))
    with pytest.raises(ValueError, match="the cost does not depend on one of them"):
        DescentPathDisplay.from_result(run, parameters=(0, 2))


def test_keywords_of_every_form(classic):
    X, y = classic
    run = ng.gradient_descent(X, y, n_iter=50, record_theta=True)
    display = ConvergenceDisplay.from_result((r for r in [run]), slope_kwargs={"lw": 3, "label": "theory"})
    assert display.slopes_[0].get_linewidth() == 3
    assert display.ax_.get_legend().get_texts()[1].get_text() == "theory"
    assert FitDisplay.from_result(run, X, y, point_kwargs={"c": "r"}).points_.get_color() == "r"
    DescentPathDisplay.from_result(run, contour_kwargs={"cmap": "viridis"})
    with pytest.raises(TypeError, match="`runs` is a NoneType"):
        ConvergenceDisplay.from_result(None)
    with pytest.raises(TypeError, match="`parameters` is 3; give two different ones"):
        DescentPathDisplay.from_result(run, parameters=3)
    with pytest.raises(ValueError, match="`points` is 0; give an integer of at least 2"):
        DescentPathDisplay.from_result(run, points=0)
    with pytest.raises(ValueError, match="give those of the descent"):
        FitDisplay.from_result(run, X, np.column_stack([y, y]), target=1)
    with pytest.raises(ValueError, match="give those of the descent"):
        FitDisplay.from_result(run, X, 3)
    # A run that never moves.
    still = ng.gradient_descent(X, np.zeros(100), n_iter=50, record_theta=True)
    DescentPathDisplay.from_result(still)
    ConvergenceDisplay.from_result(still)


def test_displays_of_an_estimator(classic):
    pytest.importorskip("sklearn")
    from numgrad.sklearn import GradientDescentRegressor

    X, y = classic
    model = GradientDescentRegressor(learning_rate=0.5).fit(X[:, 1:], y)
    assert np.array_equal(ConvergenceDisplay.from_estimator(model).lines_[0].get_xdata(), np.arange(model.n_iter_))
    fit = FitDisplay.from_estimator(model, X[:, 1:], y)
    assert np.allclose(fit.descent_.get_ydata(), model.predict(fit.grid[:, None]))
    path = DescentPathDisplay.from_estimator(model, X[:, 1:], y)
    assert len(path.path) == model.n_iter_
    w = np.append(np.ones(50), np.zeros(50))
    path = DescentPathDisplay.from_estimator(model, X[:, 1:], y, sample_weight=w)
    expected = GradientDescentRegressor(learning_rate=0.5).fit(X[:, 1:], y, w).descent_
    assert len(path.path) == expected.n_iter
    with pytest.raises(ValueError, match="give a fitted GradientDescentRegressor"):
        ConvergenceDisplay.from_estimator(GradientDescentRegressor())
    with pytest.raises(TypeError, match="`estimator` is 3; give a fitted GradientDescentRegressor"):
        ConvergenceDisplay.from_estimator(3)


def test_without_matplotlib(classic, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'numgrad\[plot\]'"):
        ConvergenceDisplay.from_result(ng.gradient_descent(*classic, n_iter=5))


def test_smooth():
    x = np.linspace(0, 10, 200)
    y = np.stack([np.sin(x), np.cos(x)]) + 0.1 * np.random.default_rng(0).standard_normal((2, 200))
    found = ng.smooth(y, x)
    display = SmoothDisplay.from_result(found, n=(0, 1), line=1, line_kwargs={"color": "red"})
    assert np.array_equal(display.samples_.get_ydata(), display.y)
    assert np.allclose(display.y, y[1], atol=1e-12)
    assert display.lines_[0].get_color() == "red"
    grid, curve = display.lines_[1].get_data()
    assert np.allclose(curve, found(grid, 1)[1])
    assert display.axes_[1].get_ylabel() == "derivative"
    _, axes = plt.subplots(3)
    assert SmoothDisplay.from_result(found, axes, n=(1, 0, 2)).figure_ is axes[0].figure
    with pytest.raises(ValueError, match="give one for each of 2 curves"):
        SmoothDisplay.from_result(found, axes)
    with pytest.raises(ValueError, match="number"):
        SmoothDisplay.from_result(found, line=2)
    with pytest.raises(TypeError, match=r"numgrad\.smooth"):
        SmoothDisplay.from_result(y)
