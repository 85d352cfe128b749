"""Pictures of descents and of smoothed samples, in the manner of scikit-learn's displays (extra `plot`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from numgrad._checks import integer
from numgrad.regression import Descent, gradient_descent
from numgrad.smoothing._display import SmoothDisplay

__all__ = ["ConvergenceDisplay", "DescentPathDisplay", "FitDisplay", "SmoothDisplay"]

Style = dict[str, Any] | None


class ConvergenceDisplay:
    """Excess cost against the iteration, on a log axis, with the slope that theory promises.

    It is recommended to use `from_result` or `from_estimator` rather than the constructor.

    Parameters
    ----------
    iterations : list of ndarray
        The recorded iterations of each run.
    excess_cost : list of ndarray
        The cost above the least possible one.
    labels : list of str
        A name for each run.
    contraction : list of float
        The factor by which an iteration shrinks the error, in the long run; nan draws no slope.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    lines_, slopes_ : list of matplotlib Line2D
        The runs, and the slopes of those that have one.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> from numgrad.plotting import ConvergenceDisplay
    >>> X = np.column_stack([np.ones(50), np.linspace(-1, 2, 50)])
    >>> runs = {rate: ng.gradient_descent(X, X @ [1, 2], learning_rate=rate) for rate in ("auto", "bb")}
    >>> display = ConvergenceDisplay.from_result(runs)
    >>> display.ax_.get_yscale()
    'log'
    """

    def __init__(
        self,
        iterations: Sequence[np.ndarray],
        excess_cost: Sequence[np.ndarray],
        labels: Sequence[str],
        contraction: Sequence[float],
    ) -> None:
        self.iterations = list(iterations)
        self.excess_cost = list(excess_cost)
        self.labels = list(labels)
        self.contraction = list(contraction)

    @classmethod
    def from_result(
        cls, runs: Descent | Mapping[Any, Descent] | Sequence[Descent], ax: Any = None, **kwargs: Any
    ) -> "ConvergenceDisplay":
        """Draw one run, or several.

        Parameters
        ----------
        runs : Descent, sequence of Descent, or mapping of labels to Descent
            Runs with a record of their cost.
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        ConvergenceDisplay
        """
        if isinstance(runs, Descent):
            runs = [runs]
        if not isinstance(runs, Iterable):
            raise TypeError(f"`runs` is a {type(runs).__name__}; give what gradient_descent returned, one or several")
        if not isinstance(runs, Mapping):
            runs = list(runs)
            labels = [_label(run) if isinstance(run, Descent) else "" for run in runs]
            is_telling = len(set(labels)) == len(labels)
            runs = dict(zip(labels if is_telling else range(len(labels)), runs, strict=True))
        for label, run in runs.items():
            if not isinstance(run, Descent):
                raise TypeError(f"`runs` has a {type(run).__name__}; give what gradient_descent returned")
            if run.excess_cost is None:
                raise ValueError(f"`runs` has one without costs, {label!r}; run it with record=True")
        found = list(runs.values())
        excess = [run.excess_cost for run in found if run.excess_cost is not None]
        iterations = [run.iterations for run in found if run.iterations is not None]
        return cls(iterations, excess, [str(k) for k in runs], [run.contraction for run in found]).plot(ax, **kwargs)

    @classmethod
    def from_estimator(cls, estimator: Any, ax: Any = None, **kwargs: Any) -> "ConvergenceDisplay":
        """Draw the last fit of a GradientDescentRegressor.

        Parameters
        ----------
        estimator : GradientDescentRegressor
            A fitted one.
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        ConvergenceDisplay
        """
        return cls.from_result(_descent_of(estimator), ax, **kwargs)

    def plot(self, ax: Any = None, *, line_kwargs: Style = None, slope_kwargs: Style = None) -> "ConvergenceDisplay":
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        line_kwargs, slope_kwargs : dict, optional
            For the lines of the runs and those of the slopes, as matplotlib's `plot` takes them.

        Returns
        -------
        ConvergenceDisplay
            Itself, with `ax_`, `figure_`, `lines_` and `slopes_`.
        """
        self.ax_, self.figure_ = _axes(ax)
        self.lines_, self.slopes_ = [], []
        for t, excess, label, factor in zip(
            self.iterations, self.excess_cost, self.labels, self.contraction, strict=True
        ):
            is_shown = (excess > 0) & np.isfinite(excess)
            (line,) = self.ax_.plot(t[is_shown], excess[is_shown], **_style({"label": label}, line_kwargs))
            self.lines_.append(line)
            if not (factor > 0 and is_shown.sum() > 1):
                continue
            # Through the last point: the slope is that of the long run.
            last, at = t[is_shown][-1], np.linspace(t[is_shown][0], t[is_shown][-1], 200)
            exponent = 2 * (at - last) * np.log10(factor) + np.log10(excess[is_shown][-1])
            inside = exponent <= np.log10(excess[is_shown].max()) + 1
            style = {"color": line.get_color(), "linestyle": ":", "linewidth": 1.2, "label": "_slope"}
            (slope,) = self.ax_.plot(at[inside], 10.0 ** exponent[inside], **_style(style, slope_kwargs))
            self.slopes_.append(slope)
        self.ax_.set(xlabel="iteration", ylabel="excess cost", yscale="log")
        self.ax_.grid(alpha=0.3)
        self.ax_.legend()
        return self


class FitDisplay:
    """The data against one feature, with the line of the descent and the least-squares line.

    Where there are more features, the lines are those of the others at their means.

    Parameters
    ----------
    x, y : ndarray, shape (m,)
        The feature and the target.
    grid : ndarray
        Where the lines are drawn.
    descent, least_squares : ndarray
        The two hypotheses on the grid.
    feature_name, target_name : str
        For the axes.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    points_, descent_, least_squares_ : matplotlib Line2D
        What was drawn.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> from numgrad.plotting import FitDisplay
    >>> x = np.arange(20.0).reshape(-1, 1)
    >>> y = 3 + 2 * x[:, 0]
    >>> run = ng.gradient_descent(x, y, fit_intercept=True, standardize=True)
    >>> FitDisplay.from_result(run, x, y).ax_.get_xlabel()
    'feature 0'
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        grid: np.ndarray,
        descent: np.ndarray,
        least_squares: np.ndarray,
        feature_name: str = "x",
        target_name: str = "y",
    ) -> None:
        self.x, self.y, self.grid = x, y, grid
        self.descent, self.least_squares = descent, least_squares
        self.feature_name, self.target_name = feature_name, target_name

    @classmethod
    def from_result(
        cls, run: Descent, X: Any, y: Any, ax: Any = None, *, feature: int | None = None, target: int = 0, **kwargs: Any
    ) -> "FitDisplay":
        """Draw a run on its data.

        Parameters
        ----------
        run : Descent
            What `gradient_descent` returned.
        X, y : array_like, shapes (m, n) and (m,) or (m, p)
            The features and the targets given to it.
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        feature : int, optional
            The column of X on the horizontal axis; by default the first one that is not constant.
        target : int, default 0
            The column of y.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        FitDisplay
        """
        if not isinstance(run, Descent):
            raise TypeError(f"`run` is a {type(run).__name__}; give what gradient_descent returned")
        names = [str(c) for c in X.columns] if hasattr(X, "columns") else None
        x_array, y_array = np.asarray(X, float), np.asarray(y, float)
        is_known = x_array.ndim == 2 and y_array.ndim and y_array.shape == (len(x_array), *run.theta.shape[1:])
        if not is_known or x_array.shape[1] != len(run.coef):
            raise ValueError(f"`X` has shape {x_array.shape} and `y` {y_array.shape}; give those of the descent")
        varies = np.ptp(x_array, axis=0) > 0
        chosen = int(np.argmax(varies)) if feature is None else _column("feature", feature, x_array.shape[1])
        y_array = y_array.reshape(len(y_array), -1)
        which = _column("target", target, y_array.shape[1])
        grid = np.linspace(x_array[:, chosen].min(), x_array[:, chosen].max(), 100)
        at = np.repeat(x_array.mean(axis=0)[None], len(grid), axis=0)
        at[:, chosen] = grid
        has_intercept = len(run.theta) > x_array.shape[1]
        at = np.column_stack([np.ones(len(grid)), at]) if has_intercept else at
        lines = [at @ theta.reshape(len(theta), -1)[:, which] for theta in (run.theta, run.theta_least_squares)]
        name = names[chosen] if names else f"feature {chosen}"
        return cls(x_array[:, chosen], y_array[:, which], grid, lines[0], lines[1], name).plot(ax, **kwargs)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, ax: Any = None, **kwargs: Any) -> "FitDisplay":
        """Draw the last fit of a GradientDescentRegressor on its data.

        Parameters
        ----------
        estimator : GradientDescentRegressor
            A fitted one.
        X, y : array_like, shapes (m, n) and (m,) or (m, p)
            The features and the targets given to it.
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        **kwargs : dict
            Passed to `from_result`.

        Returns
        -------
        FitDisplay
        """
        return cls.from_result(_descent_of(estimator), X, y, ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        point_kwargs: Style = None,
        descent_kwargs: Style = None,
        least_squares_kwargs: Style = None,
    ) -> "FitDisplay":
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        point_kwargs, descent_kwargs, least_squares_kwargs : dict, optional
            For the data and the two lines, as matplotlib's `plot` takes them.

        Returns
        -------
        FitDisplay
            Itself, with `ax_`, `figure_`, `points_`, `descent_` and `least_squares_`.
        """
        self.ax_, self.figure_ = _axes(ax)
        points = _style({"color": "0.45", "marker": ".", "linestyle": "", "label": "data"}, point_kwargs)
        wide = _style({"color": "C0", "linewidth": 4, "alpha": 0.5, "label": "gradient descent"}, descent_kwargs)
        thin = _style({"color": "C3", "linestyle": "--", "label": "least squares"}, least_squares_kwargs)
        (self.points_,) = self.ax_.plot(self.x, self.y, **points)
        (self.descent_,) = self.ax_.plot(self.grid, self.descent, **wide)
        (self.least_squares_,) = self.ax_.plot(self.grid, self.least_squares, **thin)
        self.ax_.set(xlabel=self.feature_name, ylabel=self.target_name)
        self.ax_.legend()
        return self


class DescentPathDisplay:
    """The way of two parameters over the contours of the cost.

    The coordinates have the minimum at 0 and, along each axis, the curvature 1: ``(theta - minimum) * sqrt(H[j, j])``
    in the coordinates of the descent, H being the Hessian. The other parameters are at their minimum for the contours.

    Parameters
    ----------
    path : ndarray, shape (k, 2)
        The parameters in those coordinates.
    hessian : ndarray, shape (2, 2)
        The Hessian in those coordinates; its diagonal is 1.
    names : tuple of str
        The two parameters.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it was drawn.
    contours_ : matplotlib QuadContourSet
        The contours, at excess costs that grow by a constant factor.
    path_, minimum_ : matplotlib Line2D
        The path, thinned, and the minimum.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> from numgrad.plotting import DescentPathDisplay
    >>> X = np.column_stack([np.ones(50), np.linspace(-1, 2, 50)])
    >>> run = ng.gradient_descent(X, X @ [1, 2], learning_rate="optimal", record_theta=True)
    >>> DescentPathDisplay.from_result(run).ax_.get_aspect()
    1.0
    """

    def __init__(self, path: np.ndarray, hessian: np.ndarray, names: tuple[str, str]) -> None:
        self.path, self.hessian, self.names = path, hessian, names

    @classmethod
    def from_result(
        cls, run: Descent, ax: Any = None, *, parameters: tuple[int, int] = (0, 1), target: int = 0, **kwargs: Any
    ) -> "DescentPathDisplay":
        """Draw two parameters of a run.

        Parameters
        ----------
        run : Descent
            With a `theta_path`.
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        parameters : tuple of two int, default (0, 1)
            Which elements of theta.
        target : int, default 0
            Of which target.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        DescentPathDisplay
        """
        if not isinstance(run, Descent):
            raise TypeError(f"`run` is a {type(run).__name__}; give what gradient_descent returned")
        if run.theta_path is None:
            raise ValueError("`run` has no theta_path; run gradient_descent with record_theta=True")
        if len(run.theta) < 2:
            raise ValueError("`run` has one parameter only, and a path is drawn over two")
        if not isinstance(parameters, Sequence):
            raise TypeError(f"`parameters` is {parameters!r}; give two different ones")
        chosen = [_column("parameters", k, len(run.theta)) for k in parameters]
        if len(chosen) != 2 or chosen[0] == chosen[1]:
            raise ValueError(f"`parameters` is {parameters!r}; give two different ones")
        paths, hessian = run.inner_path()
        which = _column("target", target, paths.shape[1])
        some = hessian[np.ix_(chosen, chosen)]
        scale = np.sqrt(np.diag(some))
        if not scale.all():
            raise ValueError(f"`parameters` is {parameters!r}, and the cost does not depend on one of them")
        names = run.names[chosen[0]], run.names[chosen[1]]
        path = paths[:, which, chosen] * scale
        return cls(path, some / np.outer(scale, scale), names).plot(ax, **kwargs)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, ax: Any = None, *, sample_weight: Any = None, **kwargs: Any
    ) -> "DescentPathDisplay":
        """Run the descent of a GradientDescentRegressor again, from zero, with its path, and draw that.

        Parameters
        ----------
        estimator : GradientDescentRegressor
            A fitted one.
        X, y : array_like, shapes (m, n) and (m,) or (m, p)
            The features and the targets.
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        sample_weight : array_like, shape (m,), optional
            The weights.
        **kwargs : dict
            Passed to `from_result`.

        Returns
        -------
        DescentPathDisplay
        """
        _descent_of(estimator)
        options = estimator.descent_options()
        run = gradient_descent(X, y, record_theta=True, sample_weight=sample_weight, **options)
        return cls.from_result(run, ax, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        points: int = 200,
        contour_kwargs: Style = None,
        path_kwargs: Style = None,
        minimum_kwargs: Style = None,
    ) -> "DescentPathDisplay":
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; on a new figure by default.
        points : int, default 200
            The most points of the path to draw, log-spaced in the iteration.
        contour_kwargs : dict, optional
            For the contours, as matplotlib's `contour` takes them.
        path_kwargs, minimum_kwargs : dict, optional
            For the path and the minimum, as matplotlib's `plot` takes them.

        Returns
        -------
        DescentPathDisplay
            Itself, with `ax_`, `figure_`, `contours_`, `path_` and `minimum_`.
        """
        points = integer("points", points, 2)
        self.ax_, self.figure_ = _axes(ax)
        shown = self.path[np.isfinite(self.path).all(axis=1)]
        if len(shown) > points:
            shown = shown[np.unique(np.round(np.geomspace(1, len(shown), points)).astype(int)) - 1]
        reach = 1.15 * float(abs(shown).max(initial=0.0)) or 1.0
        u, v = np.meshgrid(*2 * [np.linspace(-reach, reach, 201)])
        cost = (u**2 + v**2 + 2 * self.hessian[0, 1] * u * v) / 2
        levels = cost.max() * np.geomspace(1e-4, 1, 13)[:-1]
        plain = {} if "cmap" in (contour_kwargs or {}) else {"colors": "0.7"}
        contours = {"levels": levels, "linewidths": 0.8, **plain, **(contour_kwargs or {})}
        self.contours_ = self.ax_.contour(u, v, cost, **contours)
        path = {"color": "C0", "marker": ".", "markersize": 4, "linewidth": 1, "label": "descent"}
        star = {"color": "C3", "marker": "*", "markersize": 12, "linestyle": "", "label": "minimum"}
        (self.path_,) = self.ax_.plot(shown[:, 0], shown[:, 1], **_style(path, path_kwargs))
        (self.minimum_,) = self.ax_.plot([0], [0], **_style(star, minimum_kwargs))
        labels = [f"{name}, from its minimum, scaled" for name in self.names]
        self.ax_.set(xlabel=labels[0], ylabel=labels[1], aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        self.ax_.legend()
        return self


def _axes(ax: Any) -> tuple[Any, Any]:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError("displays need matplotlib: pip install 'numgrad[plot]'") from None
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    return ax, ax.figure


def _style(ours: dict[str, Any], given: Style) -> dict[str, Any]:
    """Return our keywords for a line, overruled by those given, be they aliases."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return {**ours, **normalize_kwargs(given or {}, Line2D)}


def _label(run: Descent) -> str:
    momentum = f", momentum {run.momentum:.3g}" if run.momentum else ""
    return f"learning rate {run.learning_rate:.3g}{momentum}"


def _descent_of(estimator: Any) -> Descent:
    run = getattr(estimator, "descent_", None)
    if not isinstance(run, Descent):
        kind = ValueError if hasattr(type(estimator), "descent_options") else TypeError
        raise kind(f"`estimator` is {estimator!r}; give a fitted GradientDescentRegressor")
    return run


def _column(name: str, value: Any, count: int) -> int:
    """Return the number of a column, which may be counted from the last."""
    return integer(name, value, -count, count - 1) % count
