"""The moments of samples in spans of all sizes."""

import numpy as np

from numgrad.smoothing._basis import Basis
from numgrad.smoothing._moments import Grid, Moments, halved


class Pyramid:
    """The moments of samples in spans of all sizes, which all orders up to that of `top` share.

    `behind` has for each kink, a coordinate, the moments of the samples behind it in its span of the smallest.
    """

    def __init__(self, moments: Moments, grid: Grid, top: Basis) -> None:
        self.moments, self.grid, self.top = moments, grid, top
        self.behind: dict[float, np.ndarray] = {}
        self._rows = {grid.spans: moments.rows}

    def rows(self, spans: int) -> np.ndarray:
        if spans not in self._rows:
            self._rows[spans] = halved(self.rows(2 * spans), self.top)
        return self._rows[spans]

    def own_rows(self, spans: int, basis: Basis) -> np.ndarray:
        """Return the moments that an order needs."""
        return self._own(self.rows(spans), basis)

    def own_behind(self, spans: int, basis: Basis) -> dict[float, np.ndarray]:
        """Return for each kink, a place in units of so many spans, the moments behind it in its span."""
        grid = self.grid.at(spans)
        return {
            (place - grid.low) * grid.per_unit: self._own(self._behind(place, spans)[None], basis)[0]
            for place in self.behind
        }

    @property
    def pieces(self) -> tuple[float, float]:
        """The shortest and the longest piece between kinks, as parts of the range."""
        ends = sorted(
            [0.0, 1.0, *((place - self.grid.low) * self.grid.per_unit / self.grid.spans for place in self.behind)]
        )
        lengths = np.diff(ends)
        return float(lengths.min()), float(lengths.max())

    @property
    def gap(self) -> tuple[float, float]:
        """The ends of the longest part of the range without samples, to a span."""
        there = np.concatenate([[-1], np.flatnonzero(self.moments.rows[:, 0]), [self.grid.spans]])
        at = int(np.argmax(np.diff(there)))
        low, per_unit = self.grid.low, self.grid.per_unit
        return low + float(there[at] + 1) / per_unit, low + float(there[at + 1]) / per_unit

    def sizes(self, least: int) -> list[int]:
        """Return the numbers of spans, from the fewest, of at least so many, to the most."""
        found = [self.grid.spans]
        while found[-1] % 2 == 0 and found[-1] // 2 >= least:
            found.append(found[-1] // 2)
        return found[::-1]

    def _behind(self, place: float, spans: int) -> np.ndarray:
        if spans == self.grid.spans:
            return self.behind[place]
        grid, part = self.grid.at(2 * spans), self._behind(place, 2 * spans)
        span = int((place - grid.low) * grid.per_unit)
        pair = [np.zeros_like(part), part] if span % 2 else [part, self.rows(2 * spans)[span + 1]]
        found: np.ndarray = halved(np.array(pair), self.top)[0]
        return found

    def _own(self, rows: np.ndarray, basis: Basis) -> np.ndarray:
        if basis is self.top:
            return rows
        wide = self.top.width
        return np.concatenate([rows[:, : basis.width], rows[:, wide : wide + basis.degree + 1]], axis=1)
