"""Samples of a line, read once: the moments that they have in the spans of even knots."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._compile.jit import draft
from numgrad._compile.tiers import call
from numgrad._system.threads import get_num_threads, share
from numgrad.smoothing._basis import Basis
from numgrad.smoothing._kernels import passes

# Samples in a piece of work at least, pieces at most, and elements of moments of all pieces together.
PIECE, PIECES, MOMENTS = 2**16, 16, 2**22


class Line(NamedTuple):
    """Samples along a line: places `x`, or the distance of even ones alone; `weight`, or that of all alone."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    @property
    def kinds(self) -> tuple[str, str, str]:
        """What kernels for them depend on."""
        return self.x.dtype.str, self.y.dtype.str, self.weight.dtype.str


@dataclass(frozen=True)
class Survey:
    """What samples are like: see `passes.survey`."""

    low: float
    high: float
    rises: bool
    is_finite: bool
    distinct: int
    count: int
    least: float
    most: float
    mean: float
    is_real: bool
    mass: float


class Grid(NamedTuple):
    """Even knots: where they begin, spans in a unit of x and at all, whether they go round, what y is counted from."""

    low: float
    per_unit: float
    spans: int
    is_periodic: bool = False
    shift: float = 0.0
    factor: float = 1.0

    @property
    def array(self) -> np.ndarray:
        period = self.spans if self.is_periodic else 0
        return np.array([self.low, self.per_unit, self.spans, period, self.shift, self.factor], np.float64)

    def at(self, spans: int) -> "Grid":
        """Return so many spans over the same range."""
        return self._replace(per_unit=self.per_unit * (spans / self.spans), spans=spans)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over samples: a row for each span (`passes.gather`), the sum of w y^2, the weight, the count."""

    rows: np.ndarray
    square: float
    mass: float
    count: int


def survey(line: Line) -> Survey:
    """Look at samples."""
    n = line.y.size
    found = np.zeros(12)
    call(draft(passes.survey, *line.kinds), 2 * n, line.x, line.y, line.weight, found, 0, n)
    low, high, rises, finite, steps, count, least, most, total, first, is_real, mass = found.tolist()
    mean = first + total / count if count else 0.0
    return Survey(
        low, high, rises > 0, finite > 0, int(steps) + (count > 0), int(count), least, most, mean, is_real > 0, mass,
    )  # fmt: skip


def gather(line: Line, grid: Grid, basis: Basis, rises: bool) -> Moments:
    """Return the moments of samples, whose places rise or not; the same bits for any number of threads."""
    columns = basis.width + basis.degree + 1
    pieces = list(_pieces(line.y.size, 1 if rises else grid.spans * columns))
    kernel, places = draft(passes.gather, *line.kinds), grid.array

    def read(piece: tuple[int, int]) -> tuple[int, np.ndarray, np.ndarray]:
        start, stop = piece
        first, last = (_span(line, grid, i) for i in (start, stop - 1)) if rises and len(pieces) > 1 else (0, -1)
        if last < first:  # they go round
            first, last = 0, grid.spans - 1
        rows, sums = np.zeros((last - first + 1, columns)), np.zeros(3)
        work = (stop - start) * basis.width
        call(kernel, work, line.x, line.y, line.weight, places, rows, sums, first, start, stop)
        return first, rows, sums

    def work(mine: Iterator[tuple[int, tuple[int, int]]]) -> list[Any]:
        return [(number, read(piece)) for number, piece in mine]

    parts = share(work, enumerate(pieces), get_num_threads() if len(pieces) > 1 else 1)
    found = sorted((part for some in parts for part in some), key=lambda part: part[0])
    total, sums = found[0][1][1:] if len(found) == 1 else (np.zeros((grid.spans, columns)), np.zeros(3))
    for _, (first, rows, own) in found if len(found) > 1 else ():
        total[first : first + len(rows)] += rows
        sums += own
    return Moments(total, float(sums[0]), float(sums[1]), int(sums[2]))


def moments_of_span(line: Line, grid: Grid, basis: Basis, span: int) -> np.ndarray:
    """Return the moments of samples that are all in one span."""
    rows, sums = np.zeros((1, basis.width + basis.degree + 1)), np.zeros(3)
    work = (line.y.size + 1) * basis.width
    call(
        draft(passes.gather, *line.kinds), work, line.x, line.y, line.weight, grid.array, rows, sums, span, 0,
        line.y.size,
    )  # fmt: skip
    found: np.ndarray = rows[0]
    return found


def evaluate(x: np.ndarray, size: int, grid: Grid, powers: np.ndarray) -> np.ndarray:
    """Return at the places x, `size` of them, a function by its powers of s in each span."""
    out, kernel, places = np.empty(size), draft(passes.evaluate, x.dtype.str), grid.array

    def work(mine: Iterator[tuple[int, int]]) -> None:
        for start, stop in mine:
            call(kernel, (stop - start) * powers.shape[1], x, places, powers, out, start, stop)

    pieces = list(_pieces(size))
    share(work, pieces, get_num_threads() if len(pieces) > 1 else 1)
    return out


def spread(x: np.ndarray, size: int, grid: Grid, powers: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Return at the places x the variance of a function, by the band of the covariances of its coefficients."""
    out, kernel, places = np.empty(size), draft(passes.spread, x.dtype.str), grid.array

    def work(mine: Iterator[tuple[int, int]]) -> None:
        room = np.empty(len(powers))
        for start, stop in mine:
            call(kernel, (stop - start) * powers.size * 2, x, places, powers, inverse, room, out, start, stop)

    pieces = list(_pieces(size))
    share(work, pieces, get_num_threads() if len(pieces) > 1 else 1)
    return out


def _pieces(size: int, elements: int = 1) -> Iterator[tuple[int, int]]:
    """Cut samples into pieces, each with so many elements of its own; how, depends on nothing else."""
    count = max(1, min(PIECES, MOMENTS // elements, size // PIECE))
    step = -(-size // count)
    return ((start, min(start + step, size)) for start in range(0, size, step))


def _span(line: Line, grid: Grid, i: int) -> int:
    """Return the span of a sample, as `passes.gather` finds it."""
    x = float(line.x[0]) * i if line.x.size == 1 else float(line.x[i])
    u = (x - grid.low) * grid.per_unit
    if grid.is_periodic:
        u -= np.floor(u / grid.spans) * grid.spans
    return min(max(int(u), 0), grid.spans - 1)


def halved(rows: np.ndarray, basis: Basis) -> np.ndarray:
    """Return the moments of half as many spans."""
    found: np.ndarray = rows.reshape(-1, 2 * rows.shape[1]) @ _halves(basis)
    return found


@lru_cache(16)
def _halves(basis: Basis) -> np.ndarray:
    """Return what makes the moments of a span of those of its halves, one behind the other."""
    wide, columns = basis.width, basis.width + basis.degree + 1
    out = np.zeros((2, columns, columns))
    out[:, :wide, :wide], out[:, wide:, wide:] = basis.halves, basis.halves[:, : columns - wide, : columns - wide]
    return out.reshape(2 * columns, columns)
