"""A smooth function that was found through noisy samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numgrad._checks import integer, numbers
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._read import Call, relative
from numgrad.smoothing._student import quantile, read_level
from numgrad.smoothing._turns import SignificantPoints, turns

# Beyond the ends by this part of the range is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class Smooth:
    """A smooth function through noisy samples, as `smooth` finds it.

    It can be called: ``found(x, n=1)`` is the first derivative at places x, nan where x lies beyond the samples.

    Attributes
    ----------
    value : ndarray of float64, of y's shape
        The function at the samples.
    residuals : ndarray of float64, of y's shape
        The samples less that.
    noise : float or ndarray
        The standard deviation of the noise, of a sample of weight 1; with `sigma` by how much that is to be multiplied
        for the residuals to agree with it; with ``robust=True`` that of the samples but outliers. Of N-d samples one
        for each line, as all numbers here.
    freedom : float or ndarray
        The effective degrees of freedom: how many parameters would make a fit as flexible.
    smoothing : float or ndarray
        The factor of the penalty.
    order : int or ndarray
        The order of the derivative whose square is penalised.
    knots : int or ndarray
        The number of spans between knots.
    kinks : tuple of float, or of tuples
        Where derivatives may jump.
    concerns : tuple of str
        What is to be said against the bands, such as correlated residuals; empty if all is well.
    """

    value: np.ndarray
    residuals: np.ndarray
    noise: Any
    freedom: Any
    smoothing: Any
    order: Any
    knots: Any
    kinks: tuple[Any, ...]
    concerns: tuple[str, ...]
    _call: Call
    _fits: tuple[Fit, ...]

    @property
    def x(self) -> np.ndarray:
        """The coordinates of the samples; of lines that have their own, those of the first."""
        places = self._call.place(0)
        if places.size == 1:
            places = places * np.arange(self._call.rows.shape[1])
        return places.astype(np.float64) + (0.0 if self._call.origin is None else float(self._call.origin))

    def line(self, number: int) -> "Smooth":
        """Return one line of N-d samples.

        Parameters
        ----------
        number : int
            As it is counted with the axis of the samples away.

        Returns
        -------
        Smooth
        """
        count = len(self._fits)
        row = integer("number", number, -count, count - 1) % count
        call = self._call
        own = call._replace(
            rows=call.rows[row : row + 1],
            places=[call.place(row)],
            shape=call.rows.shape[1:],
            axis=0,
            weight=call.weight[row : row + 1] if len(call.weight) > 1 else call.weight,
        )
        values = self.value if self.value.ndim == 1 else np.moveaxis(self.value, call.axis, -1).reshape(count, -1)[row]
        said = [text for text in self.concerns if count == 1 or text.startswith(f"line {row}: ")]
        said = [text.removeprefix(f"line {row}: ") for text in said]
        return made(own, [self._fits[row]], values[None], call.rows[row] - values[None], [tuple(said)])

    def derivative(self, n: int = 1) -> np.ndarray:
        """Return the n-th derivative at the samples.

        Parameters
        ----------
        n : int, default 1
            From 0, the value, to ``order - 1``.

        Returns
        -------
        ndarray of float64, of y's shape
        """
        n = self._read_n(n)
        return self._at_samples([fit.values(x, size, n) for fit, x, size in self._lines()]) if n else self.value

    def error(self, n: int = 0) -> np.ndarray:
        """Return the standard error of the n-th derivative at the samples.

        Parameters
        ----------
        n : int, default 0
            From 0, the value, to ``order - 1``.

        Returns
        -------
        ndarray of float64, of y's shape
        """
        n = self._read_n(n)
        return self._at_samples([fit.errors(x, size, n) for fit, x, size in self._lines()])

    def band(self, n: int = 1, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval that has the n-th derivative with some probability, at each sample.

        Parameters
        ----------
        n : int, default 1
            From 0, the value, to ``order - 1``.
        level : float, default 0.95
            The probability, over all samples on average.

        Returns
        -------
        low, high : ndarray of float64, of y's shape
        """
        times, middle, error = self._times(level), self.derivative(n), self.error(n)
        shape = [1 if axis == self._call.axis else size for axis, size in enumerate(self._call.shape)]
        reach = error * np.reshape(times, shape)
        return middle - reach, middle + reach

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
        c = columns[:, 0] if len(self._call.shape) == 1 else columns.reshape((len(columns), *self._others()))
        return BSpline(places, c, d, extrapolate="periodic" if grid.is_periodic else False)

    def summary(self) -> str:
        """Return in words what was found.

        Returns
        -------
        str
        """
        rows = [("samples", self._said([fit.samples for fit in self._fits], "d"))]
        noise = "residuals over sigma" if self._call.sigma is not None else "noise"
        rows += [(noise, self._said(self.noise)), ("degrees of freedom", self._said(self.freedom, ".1f"))]
        rows += [("order", self._said(self.order, "d")), ("spans of knots", self._said(self.knots, "d"))]
        rows += [("smoothing", self._said(self.smoothing))]
        rows += [("residuals", "; ".join(self.concerns) or "white, for all that can be seen")]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name.ljust(width)}  {text}" for name, text in rows)

    def __repr__(self) -> str:
        lines = f" of {len(self._fits)} lines" if len(self._fits) > 1 else ""
        count = self._said([fit.samples for fit in self._fits], "d")
        doubt = "a concern" if len(self.concerns) == 1 else f"{len(self.concerns)} concerns"
        noise = "residuals over sigma" if self._call.sigma is not None else "noise"
        return (
            f"Smooth: {count} samples{lines}, {noise} {self._said(self.noise)}\n"
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

    def _lines(self) -> list[tuple[Fit, np.ndarray, int]]:
        size = self._call.rows.shape[1]
        return [(fit, self._call.place(row), size) for row, fit in enumerate(self._fits)]

    def _at_samples(self, rows: list[np.ndarray]) -> np.ndarray:
        return along(self._call, np.array(rows))

    def _others(self) -> tuple[int, ...]:
        return tuple(s for axis, s in enumerate(self._call.shape) if axis != self._call.axis)

    def _anywhere(self, x: Any, n: Any, what: str, times: list[float] | None = None) -> np.ndarray:
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
        found = np.array(rows).reshape(self._others() + given.shape)
        axis = self._call.axis
        return np.moveaxis(found, range(found.ndim - given.ndim, found.ndim), range(axis, axis + given.ndim))


def along(call: Call, rows: np.ndarray) -> np.ndarray:
    """Return rows in the shape of the samples."""
    others = [s for axis, s in enumerate(call.shape) if axis != call.axis]
    return np.moveaxis(rows.reshape(*others, call.rows.shape[1]), -1, call.axis)


def made(
    call: Call, fits: list[Fit], values: np.ndarray, residuals: np.ndarray, said: list[tuple[str, ...]]
) -> Smooth:  # fmt: skip
    """Return the result of a call."""
    others = [s for axis, s in enumerate(call.shape) if axis != call.axis]

    def each(numbers: list[Any]) -> Any:
        return np.array(numbers).reshape(others) if others else numbers[0]

    origin = 0.0 if call.origin is None else float(call.origin)
    kinks = tuple(tuple(place + origin for place in fit.places) for fit in fits)
    several = len(said) > 1
    told = [f"line {row}: {text}" if several else text for row, texts in enumerate(said) for text in texts]
    return Smooth(
        along(call, values),
        along(call, residuals),
        each([fit.noise for fit in fits]),
        each([fit.freedom for fit in fits]),
        each([fit.smoothing / fit.grid.per_unit ** (2 * fit.basis.m - 1) for fit in fits]),
        each([fit.basis.m for fit in fits]),
        each([fit.grid.spans for fit in fits]),
        kinks if others else kinks[0],
        tuple(told),
        call,
        tuple(fits),
    )
