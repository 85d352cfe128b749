"""Samples that stream by, kept as their moments, from which a smooth function follows."""

from dataclasses import replace
from math import isfinite, sqrt
from typing import Any

import numpy as np

from numgrad._arrays.plan.options import read_samples
from numgrad._checks import integer, number
from numgrad._system.tables import figures
from numgrad._system.threads import one_thread
from numgrad.smoothing._basis import Basis, basis
from numgrad.smoothing._diagnosis import CHANCE, CORRELATION, suspicions
from numgrad.smoothing._fit import EPS, FEWEST, Samples, best_order, finished, unrolled
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._function import SmoothFunction, numbers_of
from numgrad.smoothing._moments import Grid, Line, Moments, gather, survey
from numgrad.smoothing._pyramid import Pyramid
from numgrad.smoothing._read import HIGHEST, ORDERS, Call, even_spans, read_weights
from numgrad.smoothing._search import refined

# Spans, and the most of them.
KNOTS, MOST = 1024, 2**16
# Blocks that one task of dask merges.
FAN_IN = 8


class CompressedSamples:
    """Noisy samples, read once by chunks and kept as their moments between even knots.

    `update` takes chunks, in any order, `merge` takes what was read elsewhere, `from_dask` takes arrays of dask: so a
    file larger than memory, or many workers, need memory for one chunk and the moments only. `solve` returns the smooth
    function, as `smooth` finds it.

    Parameters
    ----------
    low, high : float
        The range of the coordinates.
    knots : int, default 1024
        The number of spans of even knots at most: fewer are tried by halving it again and again. Twice as many as there
        are degrees of freedom in the function are enough.
    order : int, optional
        As in `smooth`.
    period : float, optional
        The distance after which the function repeats, from `low` on; `high` is left away then.

    Attributes
    ----------
    n_samples : int
        Samples read, but for those that were missing.
    knots : int
        The number of spans.

    Notes
    -----
    A sample goes into sums of its weight and its value with Chebyshev polynomials of its place in the span, so what is
    kept does not grow. It depends, in its last bits, on how samples were cut into chunks, never on the number of
    threads. Noise of less than 3e-7 of the size of the samples is not told from the rounding of the sums.

    Residuals cannot be looked at one by one; their sums over spans have to be as large as those of white noise.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> rng, kept = np.random.default_rng(0), ng.CompressedSamples(0, 10)
    >>> for _ in range(100):
    ...     x = rng.random(1000) * 10
    ...     _ = kept.update(np.sin(x) + 0.1 * rng.standard_normal(1000), x)
    >>> found = kept.solve()
    >>> round(found.noise, 3), bool(abs(found(5.0, 1) - np.cos(5.0)) < 0.02)
    (0.1, True)
    """

    def __init__(
        self, low: Any, high: Any = None, *, knots: int = KNOTS, order: int | None = None, period: float | None = None
    ) -> None:  # fmt: skip
        low = number("low", low)
        if (high is None) == (period is None):
            raise ValueError(f"`high` is {high!r} and `period` is {period!r}; give one of them")
        if period is None:
            span = number("high", high, f"a number above low={low}", above=low) - low
        else:
            span = number("period", period, "a number above 0", above=0.0)
        self._orders = ORDERS if order is None else (integer("order", order, 2, HIGHEST),)
        least = 2 * max(self._orders) if period is not None else FEWEST
        spans = even_spans(integer("knots", knots, least, MOST), least)
        self._grid = Grid(low, spans / span, spans, period is not None)
        self._span, self._period = span, period
        self._held: Moments | None = None
        self._largest = 0.0

    @property
    def n_samples(self) -> int:
        return 0 if self._held is None else self._held.count

    @property
    def knots(self) -> int:
        return self._grid.spans

    def __repr__(self) -> str:
        return f"CompressedSamples: {self.n_samples:,d} samples {self._where()}, in {self.knots:,d} spans"

    def _repr_html_(self) -> str:
        rows = [("samples", f"{self.n_samples:,}"), ("range", self._where()), ("spans of knots", f"{self.knots:,}")]
        return figures("CompressedSamples", rows)

    def _where(self) -> str:
        low = self._grid.low
        return f"from {low:g} to {low + self._span:g}" if self._period is None else f"of period {self._period:g}"

    def update(self, y: Any, x: Any, *, weights: Any = None) -> "CompressedSamples":
        """Read more samples.

        Parameters
        ----------
        y : array_like, shape (n,)
            Samples; NaN is missing.
        x : array_like, shape (n,)
            Their coordinates, in any order.
        weights : float or array_like, shape (n,), optional
            Weights of at least 0, as in `smooth`.

        Returns
        -------
        CompressedSamples
            Itself.

        Raises
        ------
        TypeError, ValueError
            For samples that `smooth` would not take, and coordinates outside the range. Nothing is read then.
        """
        y, x = read_samples(y, "y", real=True), read_samples(x, "x", real=True)
        if y.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"`y` has shape {y.shape} and `x` {x.shape}; give one coordinate for each sample")
        (weight,), _ = read_weights(None, weights, y, 0)
        if not y.size:
            return self
        y, x = (np.ascontiguousarray(a, a.dtype if a.dtype.kind == "f" else np.float64) for a in (y, x))
        if x.size == 1:  # a single number would be the distance of even samples
            x, y, weight = x.repeat(2), np.array([y[0], np.nan], y.dtype), weight[:1]
        line = Line(x, y, weight)
        seen = survey(line)
        if not seen.is_real:
            raise ValueError("`y` has infinite samples; give finite ones, and NaN for what is missing")
        if not seen.is_finite:
            raise ValueError("`x` has coordinates that are not finite")
        low, high = self._grid.low, self._grid.low + self._span
        if self._period is None and seen.count and not (low <= seen.low and seen.high <= high):
            raise ValueError(f"`x` goes from {seen.low} to {seen.high}, beyond the range from {low} to {high}")
        if not seen.count:
            return self
        if self._held is None:
            self._grid = self._grid._replace(shift=seen.mean)
        found = gather(line, self._grid, self._top, seen.rises and self._period is None)
        return self._take(found, max(abs(seen.least), abs(seen.most)))

    def merge(self, other: "CompressedSamples") -> "CompressedSamples":
        """Take over all samples that another one has read; that one stays as it is.

        Parameters
        ----------
        other : CompressedSamples
            Of the same range, knots, order and period.

        Returns
        -------
        CompressedSamples
            Itself.
        """
        if not isinstance(other, CompressedSamples):
            raise TypeError(f"`other` is a {type(other).__name__}; give CompressedSamples")
        if other._grid._replace(shift=0.0) != self._grid._replace(shift=0.0) or other._orders != self._orders:
            raise ValueError(f"`other` is {other!r}, this is {self!r}; give the same range, knots, order and period")
        if other._held is None:
            return self
        if self._held is None:
            self._grid = other._grid
        return self._take(_shifted(other._held, self._grid.shift - other._grid.shift, self._top), other._largest)

    @classmethod
    def from_dask(
        cls, y: Any, x: Any, low: Any, high: Any = None, *, weights: Any = None, compute: bool = True, **options: Any
    ) -> Any:  # fmt: skip
        """Read arrays of dask, each chunk by a task of its own, and merge what they give.

        Parameters
        ----------
        y, x : dask array, shape (n,)
            Samples and their coordinates; those of `x` are cut as those of `y`.
        low, high : float
            The range of the coordinates.
        weights : dask array, shape (n,), optional
            Weights of at least 0.
        compute : bool, default True
            Whether to compute it now; False for a `Delayed` of the CompressedSamples.
        **options : dict
            Those of the constructor.

        Returns
        -------
        CompressedSamples or Delayed
            The same, bit for bit, for any scheduler and any number of workers.
        """
        from dask.delayed import delayed

        if not hasattr(y, "chunks"):
            raise TypeError(f"`y` is a {type(y).__name__}; give a dask array, and what is in memory to `update`")
        empty = cls(low, high, **options)
        arrays = [a if a is None else a.rechunk(y.chunks) for a in (x, weights)]
        blocks = [y, *arrays]
        parts = [[None] * y.numblocks[0] if a is None else np.ravel(a.to_delayed()).tolist() for a in blocks]
        read, merge = delayed(_read_block, pure=False), delayed(_merge_blocks, pure=False)
        level = [read(empty, *block) for block in zip(*parts, strict=True)]
        while len(level) > 1:
            level = [merge(empty, level[low : low + FAN_IN]) for low in range(0, len(level), FAN_IN)]
        return level[0].compute() if compute else level[0]

    def solve(self) -> SmoothFunction:
        """Return the smooth function through all samples.

        Returns
        -------
        SmoothFunction
            With the noise, and the function, its derivatives and their errors at any place.

        Raises
        ------
        ValueError
            If there are samples in too few spans.

        Warns
        -----
        UserWarning
            As `smooth` does, if what is left is not white.
        """
        held = self._held
        used = 0 if held is None else int(np.count_nonzero(held.rows[:, 0]))
        least = min(self._orders) + 1
        if held is None or used < least:
            raise ValueError(f"there are samples in {used} spans of {self.knots}; order={least - 1} needs {least}")
        floor = max(held.mass * (self._largest * EPS) ** 2, 1e-290)
        # The line is not there any more; what is known of it is in the moments.
        nothing = Samples(Line(np.ones(1), np.empty(0), np.ones(1)), self._grid, True, None, floor, used)
        orders = tuple(m for m in self._orders if m < used)
        search, (best,) = best_order([Pyramid(held, self._grid, self._top)], [nothing], orders)
        fit = finished(search, [best], [best.solution.coefficients], [self._grid])[0]
        said = (*_of_sums(fit, best.solution.coefficients, held, self._grid), *suspicions(fit, 0.0))
        call = Call(
            np.empty((1, 0)), [], None, [], None, (0,), 0, self._period, orders, self.knots, False
        )  # fmt: skip
        result = SmoothFunction(**numbers_of(call, [fit], [said]))
        result.warn()
        return result

    @property
    def _top(self) -> Basis:
        return basis(max(self._orders))

    def _take(self, found: Moments, largest: float) -> "CompressedSamples":
        held = self._held
        if held is not None:
            found = Moments(
                held.rows + found.rows, held.square + found.square, held.mass + found.mass, held.count + found.count
            )  # fmt: skip
        if not isfinite(found.square):
            raise ValueError("the squares of `y` are beyond the range of numbers; scale it down")
        self._held, self._largest = found, max(self._largest, largest)
        return self


def _shifted(held: Moments, by: float, top: Basis) -> Moments:
    """Return the moments of samples less a number."""
    if not by:
        return held
    rows, wide, d = held.rows.copy(), top.width, top.degree
    sums = float(rows[:, wide].sum())
    rows[:, wide:] -= by * rows[:, : d + 1]
    return replace(held, rows=rows, square=held.square - 2 * by * sums + by * by * held.mass)


def _of_sums(fit: Fit, c: np.ndarray, held: Moments, grid: Grid) -> tuple[str, ...]:
    """Return what is to be said against residuals by their sums in spans: those of white ones are as their number."""
    spans, own = fit.grid.spans, fit.basis
    while spans < grid.spans:
        c, spans = refined(c, own.degree, grid.is_periodic), 2 * spans
    c = unrolled(c, own, grid)
    parts = np.array([c[a : a + spans] for a in range(own.degree + 1)]).T @ own.chebyshev
    weight = held.rows[:, 0]
    there = weight > 0
    wide = (2 * held.rows.shape[1] - 1) // 3
    left = held.rows[:, wide] - (parts * held.rows[:, : own.degree + 1]).sum(1)
    squares = float((left[there] ** 2 / weight[there]).sum()) / fit.noise**2
    expected = np.count_nonzero(there) - fit.freedom
    if expected < 1 or fit.noise == 0 or held.count < 2 * np.count_nonzero(there):
        return ()
    excess, score = squares / expected - 1, (squares - expected) / sqrt(2 * expected)
    if excess > 2 * CORRELATION and score > CHANCE:
        return (
            f"sums of residuals in spans are {1 + excess:.2f} times as large as those of white noise "
            f"({score:.0f} standard deviations): the noise is correlated, or there is more in the samples than the "
            "knots can follow; bands are too narrow: give more `knots`, or take means of neighbouring samples",
        )
    return ()


def _read_block(empty: CompressedSamples, y: Any, x: Any, weights: Any) -> CompressedSamples:
    with one_thread():
        return _like(empty).update(y, x, weights=weights)


def _merge_blocks(empty: CompressedSamples, parts: list[CompressedSamples]) -> CompressedSamples:
    whole = _like(empty)
    for part in parts:
        whole.merge(part)
    return whole


def _like(empty: CompressedSamples) -> CompressedSamples:
    """Return one that has read nothing."""
    found = CompressedSamples.__new__(CompressedSamples)
    found.__dict__.update(empty.__dict__)
    return found
