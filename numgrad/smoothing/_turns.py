"""Minima and maxima of a smooth function that the noise does not explain."""

from dataclasses import dataclass

import numpy as np

from numgrad._system.tables import Table, text
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._read import Call

# Places in each span that are looked at, and halvings of the distance between two of them.
LOOKS, HALVINGS = 8, 60


@dataclass(frozen=True, eq=False)
class SignificantPoints:
    """Minima and maxima whose change of sign is significant, sorted by line and position; prints as a table.

    Attributes
    ----------
    position, error : ndarray of float64
        Where the derivative is zero, and the standard error of that.
    value : ndarray of float64
        The function there.
    kind : ndarray of str
        "minimum" or "maximum".
    line : ndarray of int, of shape (len(self), y.ndim - 1)
        The indices along the other axes.
    """

    position: np.ndarray
    error: np.ndarray
    value: np.ndarray
    kind: np.ndarray
    line: np.ndarray

    def __len__(self) -> int:
        return len(self.position)

    def __repr__(self) -> str:
        return "\n".join(self._table().text()) if len(self) else "no significant turning points"

    def _repr_html_(self) -> str:
        title = f"{len(self):,} significant turning point{'s' * (len(self) != 1)}"
        return self._table().html(title) if len(self) else text("no significant turning points")

    def _table(self) -> Table:
        has_lines = self.line.shape[1] > 0

        def row(i: int) -> list[str]:
            place = self.position[i]  # of data frames it may be a time
            cells = [f"{place:.6g}" if isinstance(place, float) else str(place)]
            cells += [f"{self.error[i]:.2g}", f"{self.value[i]:.6g}", str(self.kind[i])]
            return [",".join(map(str, self.line[i].tolist()))] * has_lines + cells

        return Table(["line"] * has_lines + ["position", "error", "value", "kind"], row, len(self))


def turns(fits: tuple[Fit, ...], times: list[float], call: Call) -> SignificantPoints:
    """Return the turning points of lines, for bands of so many standard errors."""
    found = [_of_line(fit, many) for fit, many in zip(fits, times, strict=True)]
    line = np.repeat(np.arange(len(fits)), [len(one) for one in found])
    where = np.array(np.unravel_index(line, call.others)).T if call.others else np.empty((len(line), 0), np.int64)
    all_ = np.concatenate(found)
    origin = 0.0 if call.origin is None else float(call.origin)
    return SignificantPoints(
        all_[:, 0] + origin, all_[:, 1], all_[:, 2], np.where(all_[:, 3] > 0, "maximum", "minimum"), where
    )


def _of_line(fit: Fit, times: float) -> np.ndarray:
    """Return position, error, value and 1 or -1 for each."""
    grid = fit.grid
    count = grid.spans * LOOKS + 1
    places = grid.low + np.arange(count) / (LOOKS * grid.per_unit)
    slope, error = fit.values(places, count, 1), fit.errors(places, count, 1)
    sign = np.sign(slope) * (abs(slope) > times * error)
    sure = np.flatnonzero(sign)
    if not sure.size:
        return np.empty((0, 4))
    if grid.is_periodic:
        sure = np.append(sure, sure[0] + count - 1)
    changes = np.flatnonzero(np.diff(sign[sure % (count - 1)] if grid.is_periodic else sign[sure]))
    rows = []
    for k in changes:
        before = sign[sure[k] % (count - 1)] if grid.is_periodic else sign[sure[k]]
        rows.append((*_between(fit, sure[k], sure[k + 1], before), before))
    out = np.array(rows).reshape(-1, 4)
    if grid.is_periodic:
        span = grid.spans / grid.per_unit
        out[:, 0] = grid.low + np.mod(out[:, 0] - grid.low, span)
    return out[np.argsort(out[:, 0])]


def _between(fit: Fit, start: int, stop: int, before: float) -> tuple[float, float, float]:
    """Return the highest point, or lowest if the function falls before, of all that are between two places."""
    places = fit.grid.low + np.arange(start, stop + 1) / (LOOKS * fit.grid.per_unit)
    slope = fit.values(places, places.size, 1)
    at = np.flatnonzero((slope[:-1] * before > 0) & (slope[1:] * before <= 0))
    low, high = places[at], places[at + 1]
    for _ in range(HALVINGS):
        middle = np.append((low + high) / 2, 0.0)  # two at least: one alone would be a distance
        is_before = fit.values(middle, middle.size, 1)[:-1] * before > 0
        low, high = np.where(is_before, middle[:-1], low), np.where(is_before, high, middle[:-1])
    ends = np.append(high, 0.0)
    values = fit.values(ends, ends.size, 0)[:-1]
    best = int(np.argmax(values * before))
    bend, doubt = (float(f(ends, ends.size, n)[best]) for f, n in ((fit.values, 2), (fit.errors, 1)))
    return float(high[best]), doubt / abs(bend) if bend else np.inf, float(values[best])
