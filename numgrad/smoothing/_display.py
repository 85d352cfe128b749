"""A picture of a smooth function through noisy samples; `numgrad.plotting` has it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numgrad.smoothing._result import Smooth

Style = dict[str, Any] | None
# Samples that are drawn, and places of the curve.
MANY, FINE = 20_000, 1000


class SmoothDisplay:
    """Samples with the function through them and its band, and derivatives with theirs, one above the other.

    It is recommended to use `from_result` rather than the constructor.

    Parameters
    ----------
    x, y : ndarray
        The samples.
    grid : ndarray
        Where the curves are known.
    curves : dict of int to ndarray, shape (3, len(grid))
        Of each order of the derivative the low end of the band, the curve, and the high end.

    Attributes
    ----------
    axes_, figure_ : ndarray of matplotlib Axes, and Figure
        Where it was drawn.
    samples_ : matplotlib Line2D, or None
        The samples, if the function itself is drawn.
    lines_, bands_ : list of matplotlib Line2D, and of FillBetweenPolyCollection
        The curves, and their bands.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> from numgrad.plotting import SmoothDisplay
    >>> x = np.linspace(0, 10, 300)
    >>> found = ng.smooth(np.sin(x) + 0.1 * np.random.default_rng(0).standard_normal(300), x)
    >>> display = SmoothDisplay.from_result(found, n=(0, 1, 2))
    >>> len(display.axes_), len(display.bands_)
    (3, 3)
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, grid: np.ndarray, curves: dict[int, np.ndarray]) -> None:
        self.x, self.y, self.grid, self.curves = x, y, grid, curves

    @classmethod
    def from_result(
        cls, found: Smooth, axes: Any = None, *, n: Sequence[int] = (0, 1), level: float = 0.95, line: int = 0,
        **kwargs: Any,
    ) -> "SmoothDisplay":  # fmt: skip
        """Draw what `smooth` returned.

        Parameters
        ----------
        found : Smooth
            The function.
        axes : sequence of matplotlib Axes, optional
            Where to draw, one for each of `n`; on a new figure by default.
        n : sequence of int, default (0, 1)
            Which derivatives; 0 is the function, with its samples.
        level : float, default 0.95
            That of the bands.
        line : int, default 0
            Which line of N-d samples, by its number.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        SmoothDisplay
        """
        if not isinstance(found, Smooth):
            raise TypeError(f"`found` is a {type(found).__name__}; give what numgrad.smooth returned")
        if not isinstance(n, Sequence) or isinstance(n, str):
            raise TypeError(f"`n` is {n!r}; give a sequence of orders, such as (0, 1)")
        one = found.line(line)
        x, y = one.x, one.value + one.residuals
        grid = np.linspace(x.min(), x.max(), FINE)
        curves = {}
        for order in n:
            low, high = one.band_at(grid, order, level)
            curves[order] = np.array([low, one(grid, order), high])
        return cls(x, y, grid, curves).plot(axes, **kwargs)

    def plot(
        self, axes: Any = None, *, sample_kwargs: Style = None, line_kwargs: Style = None, band_kwargs: Style = None
    ) -> "SmoothDisplay":  # fmt: skip
        """Draw.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, optional
            Where to draw, one for each curve; on a new figure by default.
        sample_kwargs, line_kwargs, band_kwargs : dict, optional
            For the samples and the curves, as matplotlib's `plot` takes them, and the bands, as `fill_between` does.

        Returns
        -------
        SmoothDisplay
            Itself, with `axes_`, `figure_`, `samples_`, `lines_` and `bands_`.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise ImportError("displays need matplotlib: pip install 'numgrad[plot]'") from None
        count = len(self.curves)
        if axes is None:
            _, axes = plt.subplots(count, 1, sharex=True, squeeze=False, layout="constrained")
        self.axes_ = np.ravel(np.array(axes, dtype=object))
        if len(self.axes_) != count:
            raise ValueError(f"`axes` has {len(self.axes_)} axes; give one for each of {count} curves")
        self.figure_, self.samples_ = self.axes_[0].figure, None
        self.lines_, self.bands_ = [], []
        for ax, (order, (low, middle, high)) in zip(self.axes_, self.curves.items(), strict=True):
            if order == 0:
                step = -(-len(self.x) // MANY)
                style = {"color": "0.6", "marker": ".", "markersize": 3, "linestyle": "", "label": "samples"}
                (self.samples_,) = ax.plot(self.x[::step], self.y[::step], **style | (sample_kwargs or {}))
            band = {"color": "C0", "alpha": 0.3, "linewidth": 0, "label": "band"}
            self.bands_.append(ax.fill_between(self.grid, low, high, **band | (band_kwargs or {})))
            (curve,) = ax.plot(self.grid, middle, **{"color": "C0", "label": "smooth"} | (line_kwargs or {}))
            self.lines_.append(curve)
            ax.set_ylabel({0: "value", 1: "derivative"}.get(order, f"derivative {order}"))
        self.axes_[-1].set_xlabel("x")
        self.axes_[0].legend()
        return self
