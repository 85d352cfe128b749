"""A smooth function with its errors: what can be asked of it anywhere."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numgrad._checks import integer, numbers, refuse_masked, refuse_units
from numgrad._system.callers import warn_caller
from numgrad._system.tables import ends, figures
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._read import Call, relative
from numgrad.smoothing._student import quantile, read_level
from numgrad.smoothing._turns import SignificantPoints, turns

# Beyond the ends by this part of the range is rounding.
ROUNDING = 1e-12
WHITE = "white, for all that can be seen"


@dataclass(frozen=True, eq=False, repr=False)
class SmoothFunction:
    """A smooth function, as `CompressedSamples.solve` finds it; `Smooth` is one that knows its samples, too.

    It can be called: ``found(x, n=1)`` is the first derivative at places x, nan where x lies beyond the samples.

    Attributes
    ----------
    noise, freedom, smoothing, order, knots, kinks, concerns
        As in `Smooth`.
    """

    noise: Any
    freedom: Any
    smoothing: Any
    order: Any
    knots: Any
    kinks: tuple[Any, ...]
    concerns: tuple[str, ...]
    _call: Call
    _fits: tuple[Fit, ...]

    def __call__(self, x: Any, n: int = 0) -> np.ndarray:
        """Return the n-th derivative at places, the same for all lines; their axis takes that of the samples."""
        return self._anywhere(x, n, "values")

    def error_at(self, x: Any, n: int = 0) -> np.ndarray:
        """Return the standard error of the n-th derivative at places.

        Parameters
        ----------
        x : array_like
            Coordinates.
        n : int, default 0
            From 0, the value, to ``order - 1``.

        Returns
        -------
        ndarray of float64
        """
        return self._anywhere(x, n, "errors")

    def band_at(self, x: Any, n: int = 0, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval that has the n-th derivative with some probability, at places.

        Parameters
        ----------
        x : array_like
            Coordinates.
        n : int, default 0
            From 0, the value, to ``order - 1``.
        level : float, default 0.95
            The probability.

        Returns
        -------
        low, high : ndarray of float64
        """
        reach = self._anywhere(x, n, "errors", self._times(level))
        return self(x, n) - reach, self(x, n) + reach

    def turning_points(self, level: float = 0.95) -> SignificantPoints:
        """Return the minima and maxima that are no work of the noise.

        Parameters
        ----------
        level : float, default 0.95
            The derivative must differ from 0 with this probability somewhere between a turning point and the next ones
            to both sides, and have other signs there.

        Returns
        -------
        SignificantPoints
            With the positions and their standard errors: that of the first derivative over the second one.
        """
        return turns(self._fits, self._times(level), self._call)

    def to_bspline(self) -> Any:
        """Return the function as a `scipy.interpolate.BSpline`; SciPy is imported here.

        Returns
        -------
        BSpline
            Of coordinates, or of what they are more than the smallest if they are integers; with ``share=True`` it has
            a column for each line.

        Raises
        ------
        ValueError
            If lines have splines of their own, or there are kinks.
        """
        from scipy.interpolate import BSpline

        first = self._fits[0]
        if any(fit.grid.low != first.grid.low or fit.grid.per_unit != first.grid.per_unit for fit in self._fits):
            raise ValueError("lines have knots of their own; smooth them with share=True, or one by one")
        d, grid = first.basis.degree, first.grid
        if any(fit.kinks is not None for fit in self._fits):
            raise ValueError("a function with kinks is no spline of even knots; call it, or smooth the pieces")
        places = grid.low + np.arange(-d, grid.spans + d + 1) / grid.per_unit
        columns = np.array([fit.coefficients / fit.grid.factor + fit.grid.shift for fit in self._fits]).T
        c = columns[:, 0] if len(self._call.shape) == 1 else columns.reshape((len(columns), *self._call.others))
        return BSpline(places, c, d, extrapolate="periodic" if grid.is_periodic else False)

    def warn(self) -> None:
        """Warn of what speaks against the bands."""
        if self.concerns:
            warn_caller("; and ".join(self.concerns))

    def summary(self) -> str:
        """Return in words what was found.

        Returns
        -------
        str
        """
        rows = [*self._figures(), ("residuals", "; ".join(self.concerns) or WHITE)]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name.ljust(width)}  {text}" for name, text in rows)

    def _figures(self) -> list[tuple[str, str]]:
        rows = [("samples", self._said([fit.samples for fit in self._fits], "d"))]
        noise = "residuals over sigma" if self._call.sigma is not None else "noise"
        rows += [(noise, self._said(self.noise)), ("degrees of freedom", self._said(self.freedom, ".1f"))]
        rows += [("order", self._said(self.order, "d")), ("spans of knots", self._said(self.knots, "d"))]
        return [*rows, ("smoothing", self._said(self.smoothing))]

    def _repr_html_(self) -> str:
        said = [("concern", text) for text in self.concerns] or [("residuals", WHITE)]
        rows = [("lines", f"{len(self._fits):,}")] * (len(self._fits) > 1) + self._figures()
        return figures(type(self).__name__, rows + [said[i] for i in ends(len(said))])

    def __repr__(self) -> str:
        lines = f" of {len(self._fits)} lines" if len(self._fits) > 1 else ""
        count = self._said([fit.samples for fit in self._fits], "d")
        doubt = "a concern" if len(self.concerns) == 1 else f"{len(self.concerns)} concerns"
        noise = "residuals over sigma" if self._call.sigma is not None else "noise"
        return (
            f"{type(self).__name__}: {count} samples{lines}, {noise} {self._said(self.noise)}\n"
            f"{self._said(self.freedom, '.1f')} degrees of freedom, order {self._said(self.order, 'd')}; "
            f"{doubt + ', see .concerns' if self.concerns else 'residuals are white'}"
        )

    def _said(self, given: Any, form: str = ".4g") -> str:
        low, high = (format(f(given), form) for f in (np.min, np.max))
        return low if low == high else f"{low} to {high}"

    def _read_n(self, given: Any) -> int:
        order: int = min(fit.basis.m for fit in self._fits)
        n = integer("n", given, 0)
        if n >= order:
            raise ValueError(f"`n` is {n}; order={order} has derivatives up to {order - 1}: smooth with order={n + 2}")
        return n

    def _times(self, level: Any) -> list[float]:
        level = read_level(level)
        return [quantile(level, fit.free) for fit in self._fits]

    def _anywhere(self, x: Any, n: Any, what: str, times: list[float] | None = None) -> np.ndarray:
        refuse_units(x, "x", "places are in the unit of the coordinates")
        refuse_masked(x, "x")
        n, given = self._read_n(n), np.asarray(x)
        if self._call.origin is not None:
            given = (
                relative(given, self._call.origin)[0] if given.dtype.kind in "iuO" else given - float(self._call.origin)
            )
        places = np.ascontiguousarray(numbers("x", given)).reshape(-1)
        rows = []
        for fit in self._fits:
            grid = fit.grid
            row = getattr(fit, what)(places if places.size != 1 else np.repeat(places, 2), max(places.size, 2), n)
            row = row[: places.size]
            if not grid.is_periodic:
                span = grid.spans / grid.per_unit
                beyond = (places < grid.low - ROUNDING * span) | (places > grid.low + span * (1 + ROUNDING))
                row[beyond] = np.nan
            rows.append(row)
        if times is not None:
            rows = [row * many for row, many in zip(rows, times, strict=True)]
        found = np.array(rows).reshape(self._call.others + given.shape)
        axis = self._call.axis
        return np.moveaxis(found, range(found.ndim - given.ndim, found.ndim), range(axis, axis + given.ndim))


def numbers_of(call: Call, fits: list[Fit], said: list[tuple[str, ...]]) -> dict[str, Any]:
    """Return what functions have in common, of each line."""

    def each(numbers: list[Any]) -> Any:
        return np.array(numbers).reshape(call.others) if call.others else numbers[0]

    origin = 0.0 if call.origin is None else float(call.origin)
    kinks = tuple(tuple(place + origin for place in fit.places) for fit in fits)
    several = len(said) > 1
    told = [f"line {row}: {text}" if several else text for row, texts in enumerate(said) for text in texts]
    return {
        "noise": each([fit.noise for fit in fits]),
        "freedom": each([fit.freedom for fit in fits]),
        "smoothing": each([fit.smoothing / fit.grid.per_unit ** (2 * fit.basis.m - 1) for fit in fits]),
        "order": each([fit.basis.m for fit in fits]),
        "knots": each([fit.grid.spans for fit in fits]),
        "kinks": kinks if call.others else kinks[0],
        "concerns": tuple(told),
        "_call": call,
        "_fits": tuple(fits),
    }
