"""Gradient descent as an estimator of scikit-learn (extra `sklearn`)."""

import warnings
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
    from sklearn.callback import CallbackSupportMixin, with_callbacks
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(f"numgrad.sklearn needs scikit-learn 1.9: pip install 'numgrad[sklearn]' ({error})") from error

from numgrad._checks import flag, integer, not_negative
from numgrad.regression import CompressedRows, Descent, End, _check, gradient_descent

__all__ = ["GradientDescentRegressor"]


SPARSE = ["csr", "csc"]  # others become the first


class _Named(np.ndarray[Any, Any]):
    """An array with the names of its columns, as data frames have them."""

    columns: Any


def _named(estimator: Any, X: np.ndarray) -> np.ndarray:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or not isinstance(X, np.ndarray):  # sparse
        return X
    named = X.view(_Named)
    named.columns = names
    return named


def _refuse(name: str, given: Any) -> None:
    """Refuse what scikit-learn would take for an array of numbers, or not name."""
    _check.refuse_lazy(name, given)
    _check.refuse_units(name, given)
    if _check.names_of(given) is not None:
        _check.refuse_columns(name, given)


class GradientDescentRegressor(CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Linear regression by batch gradient descent.

    Samples may be a matrix or an array of scipy.sparse, which is never made dense, not even by `standardize`; then
    `partial_fit`, and ``method="modes"``, take up to about 2000 features.

    Parameters
    ----------
    learning_rate : float or {"auto", "optimal", "bb", "backtracking"}, default "auto"
        As in `numgrad.gradient_descent`; on standardised features, if `standardize`.
    max_iter : int, default 1000
        The most iterations.
    method : {"auto", "fused", "modes"}, default "auto"
        The engine of `fit`; `partial_fit` compresses the samples, which is "modes".
    momentum : float or "nesterov", optional
        The momentum.
    alpha : float, default 0.0
        The penalty ``alpha * sum(coef**2) / 2`` beside the mean of the squared loss over two; on the coefficients of
        standardised features, if `standardize`.
    fit_intercept : bool, default True
        Whether to fit an intercept.
    standardize : bool, default True
        Whether to descend in features of mean 0 and standard deviation 1. The coefficients are those of the features as
        given.
    tol : float, default 1e-6
        End when the norm of the gradient is at most `tol` of what it was at the start; 0 to do all iterations. With
        ``learning_rate="bb"`` and float64 the fit goes on to ``tol**2``, but not below 1e-12 unless `tol` is: its
        gradient jumps, and rounding would decide which jump is the first below `tol`.
    warm_start : bool, default False
        Whether `fit` starts from the last coefficients rather than from zeros.
    on_divergence : {"warn", "raise", "ignore"}, default "warn"
        What to do when the rate is at or above the limit.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,) or (n_targets, n_features)
        The coefficients, in the dtype of X.
    intercept_ : float or ndarray, shape (n_targets,)
        The intercept, 0 if none was fitted.
    n_iter_ : int
        Iterations done.
    loss_curve_ : ndarray of float64, shape (`n_iter_`,)
        The cost at the start of each iteration.
    learning_rate_ : float
        The rate used; the last one, if it was found anew in each iteration.
    stop_reason_ : str
        Why the last fit ended, in words.
    descent_ : Descent
        All that the last fit found.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of str
        The names of the features, if X has some.

    Examples
    --------
    >>> import numpy as np
    >>> from numgrad.sklearn import GradientDescentRegressor
    >>> x = np.arange(5.0).reshape(-1, 1)
    >>> model = GradientDescentRegressor().fit(x, 3 + 2 * x[:, 0])
    >>> model.predict([[10.0]]).round(6)
    array([23.])
    >>> model.stop_reason_
    'converged in iteration 2: the gradient is below tol=1e-06 of what it was at the start'
    """

    def __init__(
        self,
        learning_rate: float | str = "auto",
        max_iter: int = 1000,
        *,
        method: str = "auto",
        momentum: float | str | None = None,
        alpha: float = 0.0,
        fit_intercept: bool = True,
        standardize: bool = True,
        tol: float = 1e-6,
        warm_start: bool = False,
        on_divergence: str = "warn",
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.method = method
        self.momentum = momentum
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.tol = tol
        self.warm_start = warm_start
        self.on_divergence = on_divergence

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "GradientDescentRegressor":
        """Fit the model.

        Parameters
        ----------
        X : array_like or sparse, shape (n_samples, n_features)
            The features.
        y : array_like, shape (n_samples,) or (n_samples, n_targets)
            The targets.
        sample_weight : float or array_like, shape (n_samples,), optional
            Weights of at least 0, one number for all or one for each; a weight of k is as good as k equal samples.

        Returns
        -------
        GradientDescentRegressor
            Itself.
        """
        task = {"estimator": self, "X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
        X, y = self._validated(X, y, True)
        start = self._theta(y) if flag("warm_start", self.warm_start) and hasattr(self, "coef_") else None
        self._descend(task, start, _named(self, X), y=y, sample_weight=sample_weight)
        self._rows: CompressedRows | None = None
        return self

    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "GradientDescentRegressor":
        """Add samples, and go on from the present coefficients, on all samples of the calls of `partial_fit` so far.

        Memory is needed for the samples of one call. After a `fit`, whose samples are not kept, it begins anew, from
        the coefficients found.

        Parameters
        ----------
        X : array_like or sparse, shape (n_samples, n_features)
            The features.
        y : array_like, shape (n_samples,) or (n_samples, n_targets)
            The targets.
        sample_weight : float or array_like, shape (n_samples,), optional
            Weights of at least 0, one number for all or one for each.

        Returns
        -------
        GradientDescentRegressor
            Itself.
        """
        task = {"estimator": self, "X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
        is_first = not hasattr(self, "coef_")
        X, y = self._validated(X, y, is_first)
        rows = copy(getattr(self, "_rows", None) or CompressedRows())
        rows.update(_named(self, X), y, sample_weight)
        self._descend(task, None if is_first else self._theta(y), rows, method="modes")
        self._rows = rows  # only now: nothing is counted twice if the descent has failed
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets of samples.

        Parameters
        ----------
        X : array_like or sparse, shape (n_samples, n_features)
            The features.

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_targets)
        """
        check_is_fitted(self)
        _refuse("X", X)
        X = validate_data(self, X, accept_sparse=SPARSE, dtype=[np.float64, np.float32], reset=False)
        return np.asarray(X @ self.coef_.T + self.intercept_)

    def _validated(self, X: Any, y: Any, is_first: bool) -> tuple[np.ndarray, np.ndarray]:
        for name, given in (("X", X), ("y", y)):
            _refuse(name, given)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=SPARSE,
            dtype=[np.float64, np.float32],
            multi_output=True,
            y_numeric=True,
            reset=is_first,
        )
        self._dtype = X.dtype
        return X, y.astype(X.dtype, copy=False)

    def _theta(self, y: np.ndarray) -> np.ndarray:
        """Return the end of the last fit, in the form of a start for `gradient_descent`."""
        coef = np.atleast_2d(self.coef_).T
        if coef.shape != (self.n_features_in_, y.size // len(y)):
            raise ValueError(
                f"`coef_` of the last fit has shape {self.coef_.shape}, and now there are {self.n_features_in_} "
                f"features and y of shape {y.shape}; a start from there needs the same, warm_start=False starts anew"
            )
        intercept = np.atleast_1d(self.intercept_)[None]
        theta = np.concatenate([intercept, coef]) if self.fit_intercept else coef
        return theta if y.ndim == 2 else theta[:, 0]

    def _descend(self, task: dict[str, Any], start: Any, data: Any, **more: Any) -> None:
        """Run, with the hooks of callbacks for `task`, which has the samples as given."""
        context = self._init_callback_context(max_subtasks=None)
        context.call_on_fit_task_begin(**task)

        def report(run: Descent) -> bool:
            part = context.subcontext(task_name="iterations")
            part.call_on_fit_task_begin(**task)
            return bool(part.call_on_fit_task_end(**task, reconstruction_attributes=lambda: self._found(run)))

        callback = report if hasattr(self, "_skl_callbacks") else None
        run = gradient_descent(data, theta0=start, callback=callback, **{**self.descent_options(), **more})
        if start is not None and run.n_iter == 1 and run.end is End.CONVERGED:
            run = replace(run, theta=start.astype(run.theta.dtype))  # the start has been good enough
        for name, value in self._found(run).items():
            setattr(self, name, value)
        doubt = run.doubt
        if self.tol > 0 and run.end is End.COMPLETED:
            faster = "" if self.learning_rate == "bb" else ", or a faster learning_rate, like 'bb'"
            faster += "" if self.standardize else ", or standardize=True"
            doubt = (
                f"max_iter={self.max_iter} iterations did not shrink the gradient to tol={self._tolerance():g} of its "
                f"start; give more{faster}"
            )
        if doubt:
            warnings.warn(doubt, ConvergenceWarning, stacklevel=4)
        context.call_on_fit_task_end(**task, reconstruction_attributes=dict)

    def descent_options(self) -> dict[str, Any]:
        """Return the keyword arguments of `gradient_descent` that the parameters stand for.

        Returns
        -------
        dict
        """
        same = ("learning_rate", "method", "momentum", "fit_intercept", "standardize", "on_divergence")
        return {
            **{name: getattr(self, name) for name in same},
            "tol": self._tolerance(),
            "n_iter": integer("max_iter", self.max_iter, 1, 2**62, "a positive integer, like 1000 or int(1e5)"),
            "l2": not_negative("alpha", self.alpha),
        }

    def _tolerance(self) -> float:
        """Return what the gradient is to shrink to; more where it jumps, as rounding decides which jump is the last."""
        tol = not_negative("tol", self.tol)
        is_single = getattr(self, "_dtype", np.float64) == np.float32
        return tol if self.learning_rate != "bb" or is_single else max(tol**2, min(tol, 1e-12))

    def _found(self, run: Descent) -> dict[str, Any]:
        dtype = self._dtype
        return {
            "coef_": np.array(run.coef.T, dtype),
            "intercept_": np.array(run.intercept, dtype)[()],
            "n_iter_": run.n_iter,
            "loss_curve_": run.cost,
            "learning_rate_": run.learning_rate,
            "stop_reason_": run.stop_reason,
            "descent_": run,
        }
