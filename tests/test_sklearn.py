"""The estimator: scikit-learn's own checks, and what they do not look at."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.callback import FitCallback
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import numgrad as ng
from numgrad.sklearn import GradientDescentRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks(
    [
        GradientDescentRegressor(),
        GradientDescentRegressor("optimal", method="fused", standardize=False),
        GradientDescentRegressor(warm_start=True),
        GradientDescentRegressor("bb", standardize=False),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True, as_frame=True)


@pytest.mark.parametrize("targets", [1, 2])
def test_agrees_with_least_squares(diabetes, targets):
    X, y = diabetes
    y = y.to_numpy() if targets == 1 else np.column_stack([y, X["bmi"] * 100 - y])
    model = GradientDescentRegressor("bb", max_iter=5000, tol=1e-12).fit(X, y)
    exact = LinearRegression().fit(X, y)
    assert model.coef_.shape == exact.coef_.shape
    assert np.allclose(model.coef_, exact.coef_, rtol=1e-6)
    assert np.allclose(model.intercept_, exact.intercept_, rtol=1e-9)
    assert np.allclose(model.predict(X), exact.predict(X), rtol=1e-7)
    assert model.descent_.end == "converged"
    assert model.n_iter_ == len(model.loss_curve_)
    assert model.learning_rate_ == model.descent_.learning_rate
    assert list(model.feature_names_in_) == list(X.columns)


def test_the_penalty_is_that_of_ridge(diabetes):
    X, y = diabetes
    scaled = StandardScaler().fit_transform(X)
    model = GradientDescentRegressor("bb", alpha=0.3, tol=1e-13, max_iter=5000).fit(X, y)
    ridge = Ridge(alpha=0.3 * len(X)).fit(scaled, y)
    assert np.allclose(model.predict(X), ridge.predict(scaled), rtol=1e-7)


def test_partial_fit_sees_all_samples(diabetes):
    X, y = (np.asarray(a) for a in diabetes)
    w = np.random.default_rng(0).random(len(y))
    model = GradientDescentRegressor("bb", max_iter=3000, tol=1e-10)
    for part in np.array_split(np.arange(len(y)), 4):
        model.partial_fit(X[part], y[part], w[part])
    whole = GradientDescentRegressor("bb", max_iter=3000, tol=1e-10).fit(X, y, w)
    assert np.allclose(model.predict(X), whole.predict(X), rtol=1e-6)
    with pytest.raises(ValueError, match="expecting 10 features"):
        model.partial_fit(X[:, :3], y)
    again = pickle.loads(pickle.dumps(model))
    again.partial_fit(X, y)
    assert np.array_equal(again.predict(X), model.partial_fit(X, y).predict(X))


def test_warm_start(diabetes):
    X, y = diabetes
    cold = GradientDescentRegressor(max_iter=20, tol=0).fit(X, y)
    warm = GradientDescentRegressor(max_iter=10, tol=0, warm_start=True)
    warm.fit(X, y)
    first = warm.loss_curve_[-1]
    warm.fit(X, y)
    assert warm.loss_curve_[0] < first
    assert np.allclose(warm.coef_, cold.coef_, rtol=1e-9)
    none = clone(warm).set_params(fit_intercept=False).fit(X, y).fit(X, y)
    assert none.intercept_ == 0


def test_a_refit_of_what_has_converged_is_short(diabetes):
    model = GradientDescentRegressor(max_iter=5000, warm_start=True).fit(*diabetes)
    assert model.descent_.end == "converged"
    assert model.fit(*diabetes).n_iter_ == 1


def test_a_failed_partial_fit_counts_nothing(diabetes):
    model = GradientDescentRegressor("fast")
    with pytest.raises(ValueError, match="`learning_rate` is 'fast'"):
        model.partial_fit(*diabetes)
    model.set_params(learning_rate="bb").partial_fit(*diabetes)
    assert model._rows.n_rows == 442
    with pytest.raises(ValueError, match="`max_iter` is 0"):
        model.set_params(max_iter=0).partial_fit(*diabetes)
    assert model._rows.n_rows == 442


def test_float32_stays(diabetes):
    X, y = diabetes[0].to_numpy("f4"), diabetes[1].to_numpy("f4")
    for model in (GradientDescentRegressor("bb").fit(X, y), GradientDescentRegressor("bb").partial_fit(X, y)):
        assert model.coef_.dtype == model.intercept_.dtype == model.predict(X).dtype == np.float32


def test_a_start_of_another_shape_is_refused(diabetes):
    X, y = diabetes
    model = GradientDescentRegressor(warm_start=True, max_iter=5).fit(X, np.column_stack([y, y]))
    for x, target in ((X, y), (X[["age"]], np.column_stack([y, y]))):
        with pytest.raises(ValueError, match=r"`coef_` of the last fit has shape \(2, 10\)"):
            model.fit(x, target)


def test_names_reach_the_diagnosis(diabetes):
    model = GradientDescentRegressor(max_iter=5).fit(*diabetes)
    assert model.descent_.names == ("the intercept", *diabetes[0].columns)
    assert model.descent_.step_size.dominant in diabetes[0].columns
    model = GradientDescentRegressor(max_iter=5).partial_fit(*diabetes)
    assert "bmi" in model.descent_.summary()


def test_without_convergence_it_says_so(diabetes):
    with pytest.warns(
        ConvergenceWarning, match="max_iter=5 iterations did not shrink the gradient to tol=1e-06"
    ) as caught:
        GradientDescentRegressor(max_iter=5).fit(*diabetes)
    assert caught[0].filename == __file__


def test_the_advice_is_not_what_one_does(diabetes):
    with pytest.warns(ConvergenceWarning, match="give more$"):
        GradientDescentRegressor("bb", max_iter=2).fit(*diabetes)
    with pytest.warns(ConvergenceWarning, match="give more, or standardize=True$"):
        GradientDescentRegressor("bb", max_iter=2, standardize=False).fit(*diabetes)
    x = np.arange(21.0)[:, None] ** np.arange(1, 6)
    with pytest.warns(ConvergenceWarning, match="says nothing of theta"):
        GradientDescentRegressor(standardize=False, tol=1e-3).fit(x, 1 + x.sum(axis=1))


def test_a_number_weighs_all_samples(diabetes):
    one, other = (GradientDescentRegressor(max_iter=50).fit(*diabetes, w) for w in (2.0, np.full(442, 2.0)))
    assert np.array_equal(one.coef_, other.coef_)


def test_in_a_pipeline_and_a_grid(diabetes):
    X, y = diabetes
    pipe = make_pipeline(StandardScaler().set_output(transform="pandas"), GradientDescentRegressor(standardize=False))
    assert pipe.fit(X, y).score(X, y) > 0.5
    assert list(pipe[-1].feature_names_in_) == list(X.columns)
    grid = GridSearchCV(
        GradientDescentRegressor(max_iter=50), {"learning_rate": ["auto", "bb"], "alpha": [0, 1.0]}, cv=3
    )
    assert grid.fit(X, y).best_score_ > 0.4
    parallel = GridSearchCV(GradientDescentRegressor(max_iter=50), {"alpha": [0, 1.0]}, cv=2, n_jobs=2)
    assert parallel.fit(X, y).best_estimator_.coef_.shape == (10,)


def test_polars(diabetes):
    pl = pytest.importorskip("polars")
    X, y = diabetes
    frame = pl.from_pandas(X)
    model = GradientDescentRegressor(max_iter=50).fit(frame, pl.Series(np.asarray(y)))
    assert np.array_equal(model.coef_, GradientDescentRegressor(max_iter=50).fit(X, y).coef_)
    assert list(model.feature_names_in_) == list(X.columns)
    assert model.descent_.names[1:] == tuple(X.columns)
    assert np.allclose(model.predict(frame), model.predict(X), rtol=1e-13)  # BLAS sums up another layout
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame.select(reversed(X.columns)))
    with pytest.raises(TypeError, match=r"collect\(\)"):
        model.predict(frame.lazy())
    with pytest.raises(TypeError, match="column 'age' of `X` has dtype Date"):
        GradientDescentRegressor().fit(frame.with_columns(age=pl.lit(0).cast(pl.Date)), y)


BAD = {
    "max_iter": ({"max_iter": 0}, "`max_iter` is 0; give a positive integer"),
    "alpha": ({"alpha": -1}, "`alpha` is -1; give a number of at least 0"),
    "rate": ({"learning_rate": "fast"}, "`learning_rate` is 'fast'; give a positive number, or one of 'auto'"),
    "warm_start": ({"warm_start": 3}, "`warm_start` is 3; give True or False"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name, diabetes):
    options, message = BAD[name]
    with pytest.raises(TypeError if name == "warm_start" else ValueError, match=message):
        GradientDescentRegressor(**options).fit(*diabetes)
    with pytest.raises(NotFittedError):
        GradientDescentRegressor().predict(diabetes[0])


def test_divergence_warns(diabetes):
    with pytest.warns(RuntimeWarning, match="at or above the limit"):
        model = GradientDescentRegressor(5.0, tol=0).fit(*diabetes)
    assert model.descent_.end == "diverged"


class Recorder:
    """A callback that stops after a number of tasks."""

    def __init__(self, last=10**6):
        self.events, self.scores, self.last = [], [], last

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        if context.task_name == "iterations":
            self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) >= self.last


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_callbacks_of_scikit_learn(diabetes, method):
    recorder = Recorder()
    assert isinstance(recorder, FitCallback)
    model = GradientDescentRegressor(max_iter=200, tol=0).set_callbacks(recorder)
    getattr(model, method)(*diabetes)
    assert recorder.events[:2] == ["setup", "begin fit"]
    assert recorder.events[-2:] == ["end fit", "teardown"]
    assert recorder.events.count("begin iterations") == recorder.events.count("end iterations") >= 100
    assert recorder.scores == sorted(recorder.scores)
    assert recorder.scores[-1] == model.score(*diabetes)
    stopper = Recorder(7)
    model = GradientDescentRegressor(max_iter=200, tol=0).set_callbacks(stopper)
    getattr(model, method)(*diabetes)
    assert len(stopper.scores) == 7
    assert model.stop_reason_ == f"stopped by the callback after {model.n_iter_} of 200 iterations"
    assert model.n_iter_ == 14


def test_a_failing_callback_is_torn_down(diabetes):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise KeyError("mine")

    recorder = Failing()
    with pytest.raises(KeyError, match="mine"):
        GradientDescentRegressor().set_callbacks(recorder).fit(*diabetes)
    assert recorder.events[-1] == "teardown"


def test_the_progress_bar_of_scikit_learn(diabetes, capfd):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    GradientDescentRegressor(max_iter=200).set_callbacks(ProgressBar()).fit(*diabetes)
    assert "GradientDescentRegressor" in capfd.readouterr().out


def test_no_data_in_a_pickle(diabetes):
    X, y = (np.asarray(a) for a in diabetes)
    X = np.repeat(X, 50, axis=0)
    model = GradientDescentRegressor(max_iter=2, method="fused").fit(X, np.repeat(y, 50))
    assert len(pickle.dumps(model)) < 20_000
    X *= 2
    assert np.array_equal(pickle.loads(pickle.dumps(model)).coef_, model.coef_)
    assert isinstance(model.descent_, ng.Descent)


def test_quantities_keep_their_unit_to_themselves():
    m = pytest.importorskip("astropy.units").m
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    model = GradientDescentRegressor().fit(X, y)
    for call in (lambda: model.fit(X * m, y), lambda: model.partial_fit(X, y * m), lambda: model.predict(X * m)):
        with pytest.raises(TypeError, match=r"is in units of 'm'.*unit of y over that of its column"):
            call()


@pytest.mark.parametrize("kind", ["csr_array", "csc_matrix"])
def test_sparse_samples(kind):
    """The same model as of the dense samples, whole and in parts, also after a data frame with names."""
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((90, 6)) * (rng.random((90, 6)) < 0.4)
    y, w = np.column_stack([dense.sum(axis=1), dense[:, 0] + 1]), rng.random(90)
    X = getattr(sparse, kind)(dense)
    for options in ({}, {"learning_rate": "bb", "standardize": False, "method": "fused"}, {"alpha": 0.1}):
        one, other = (GradientDescentRegressor(**options).fit(x, y, w) for x in (dense, X))
        assert np.allclose(one.coef_, other.coef_, rtol=1e-5)
        predicted = other.predict(X)
        assert type(predicted) is np.ndarray
        assert np.allclose(predicted, one.predict(dense), rtol=1e-5)
        one, other = (GradientDescentRegressor(**options) for _ in range(2))
        for part in (slice(50), slice(50, 90)):
            one.partial_fit(dense[part], y[part])
            other.partial_fit(X[part], y[part])
        assert np.allclose(one.coef_, other.coef_, rtol=1e-5)
    small = GradientDescentRegressor().fit(X.astype("f4"), y)
    assert small.coef_.dtype == small.predict(X.astype("f4")).dtype == np.float32
    assert GradientDescentRegressor().fit(sparse.lil_array(dense), y).n_features_in_ == 6
