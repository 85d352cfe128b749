"""A smooth function that was found through noisy samples."""

from dataclasses import dataclass

import numpy as np

from numgrad._checks import integer
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._function import SmoothFunction, numbers_of
from numgrad.smoothing._read import Call


@dataclass(frozen=True, eq=False, repr=False)
class Smooth(SmoothFunction):
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

    def _lines(self) -> list[tuple[Fit, np.ndarray, int]]:
        size = self._call.rows.shape[1]
        return [(fit, self._call.place(row), size) for row, fit in enumerate(self._fits)]

    def _at_samples(self, rows: list[np.ndarray]) -> np.ndarray:
        return along(self._call, np.array(rows))


def along(call: Call, rows: np.ndarray) -> np.ndarray:
    """Return rows in the shape of the samples."""
    return np.moveaxis(rows.reshape(*call.others, call.rows.shape[1]), -1, call.axis)


def made(
    call: Call, fits: list[Fit], values: np.ndarray, residuals: np.ndarray, said: list[tuple[str, ...]]
) -> Smooth:  # fmt: skip
    """Return the result of a call."""
    return Smooth(value=along(call, values), residuals=along(call, residuals), **numbers_of(call, fits, said))
