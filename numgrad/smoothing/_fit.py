"""The smoothing of a line that its data ask for: restricted maximum likelihood over the smoothing and the knots."""

from dataclasses import replace
from math import exp, log
from typing import NamedTuple

import numpy as np

from numgrad.smoothing._basis import Basis, basis
from numgrad.smoothing._moments import Grid, Line, Moments, evaluate, gather, halved, spread
from numgrad.smoothing._search import minimum, powers_of, refined
from numgrad.smoothing._system import Bordered, Level, Solution, level, unwrapped

# Spans at most, at first and at all; by how many there are more if the first are not enough.
FIRST, MOST, MORE = 2**13, 2**16, 8
# How many distances of knots a smoothing reaches: where knots are chosen, two values for each number of them; and
# beyond that for the most and the fewest.
REACHES, FINE, COARSE = (2**0.5, 1.0), (0.7, 0.5, 0.35, 0.25, 0.18, 0.12), (2.0,)
# The smallest smoothing beside the weights of a span: with less, coefficients lose their digits.
LEAST = 1e-9
# With fewer spans, and with more distances of knots reached, there is nothing but a polynomial, or nothing new.
FEWEST, AMPLE = 4, 2.0
# Where a search begins, if it is among those looked at.
USUAL = 4
# A fit that leaves a smaller part of the squares than this is done again for what it leaves.
LEFT, AGAIN = 1e-9, 4
# The part of the squares that the rounding of their sums is.
SUMS = 1e-13
EPS = float(np.finfo(np.float64).eps)


class Pyramid:
    """The moments of samples in spans of all sizes, which all orders up to that of `basis` share."""

    def __init__(self, moments: Moments, grid: Grid, top: Basis) -> None:
        self.moments, self.grid, self.top = moments, grid, top
        self._rows = {grid.spans: moments.rows}

    def rows(self, spans: int) -> np.ndarray:
        if spans not in self._rows:
            self._rows[spans] = halved(self.rows(2 * spans), self.top)
        return self._rows[spans]

    def own_rows(self, spans: int, basis: Basis) -> np.ndarray:
        """Return the moments that an order needs."""
        rows = self.rows(spans)
        if basis is self.top:
            return rows
        wide = self.top.width
        return np.hstack([rows[:, : basis.width], rows[:, wide : wide + basis.degree + 1]])

    def sizes(self, least: int) -> list[int]:
        """Return the numbers of spans, from the fewest, of at least so many, to the most."""
        found = [self.grid.spans]
        while found[-1] % 2 == 0 and found[-1] // 2 >= least:
            found.append(found[-1] // 2)
        return found[::-1]


class Trial(NamedTuple):
    """A fit with some smoothing: penalised sum of squares, minus twice the logarithm of the likelihood."""

    level: Level
    smoothing: float
    solution: Solution
    square: float
    value: float


class Problem:
    """What is left of samples by a pilot fit, for an order; `known` is the variance of a sample of weight 1, if known.

    `floor` is the sum of squares that the rounding of the samples leaves.
    """

    def __init__(
        self, pyramid: Pyramid, basis: Basis, known: float | None, floor: float, pilot: np.ndarray | None = None,
        fewest: int = FEWEST,
    ) -> None:  # fmt: skip
        self.pyramid, self.basis, self.known = pyramid, basis, known
        self.floor = max(floor, SUMS * pyramid.moments.square)
        self.square, self.mass, self.count = pyramid.moments.square, pyramid.moments.mass, pyramid.moments.count
        self.is_periodic = pyramid.grid.is_periodic
        self.sizes = pyramid.sizes(max(fewest, basis.degree + 1 if self.is_periodic else 1))
        self._levels: dict[int, Level] = {}
        self._pilots = {} if pilot is None else {fewest: pilot}
        self.has_pilot = pilot is not None

    def level(self, spans: int) -> Level:
        if spans not in self._levels:
            self._levels[spans] = level(self.pyramid.own_rows(spans, self.basis), self.basis, self.is_periodic)
        return self._levels[spans]

    def pilot(self, spans: int) -> np.ndarray:
        """Return the coefficients of the pilot fit."""
        if spans not in self._pilots:
            self._pilots[spans] = refined(self.pilot(spans // 2), self.basis.degree, self.is_periodic)
        return self._pilots[spans]

    def trial(self, spans: int, smoothing: float) -> Trial:
        """Fit with a smoothing, in units of the knots."""
        found = self.level(spans)
        right, penalty = found.right, found.penalty
        if self.has_pilot:
            before = self.pilot(spans)
            right = right - smoothing * penalty.times(before)
        solution = Solution(found.data, penalty.matrix, smoothing, right)
        change = solution.coefficients
        rough = penalty.form(change + before) if self.has_pilot else penalty.matrix.form(change)
        loss = self.square - 2 * float(found.right @ change) + found.data.form(change)
        square = max(loss + smoothing * rough, self.floor)
        free = self.count - (len(change) - penalty.rank)
        variance = square / free if self.known is None else self.known
        value = square / variance + free * log(variance)
        value += solution.log_determinant - penalty.rank * log(smoothing) - penalty.normal
        return Trial(found, smoothing, solution, square, value)

    @property
    def doubt(self) -> float:
        """How widely values may differ before there are data."""
        return max(self.square, self.floor) / self.mass


class Search:
    """The search for the smoothing of one line, or for one of several."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems, self.basis, self.sizes = problems, problems[0].basis, problems[0].sizes
        self.mass = sum(one.mass for one in problems) / len(problems)

    def reach(self, spans: int, smoothing: float) -> float:
        """Return how many distances of knots a smoothing reaches."""
        return float((smoothing / (self.mass / spans)) ** (0.5 / self.basis.m))

    def trials(self, spans: int, reach: float) -> list[Trial]:
        smoothing = float(self.mass / spans * max(reach ** (2 * self.basis.m), LEAST))
        return [one.trial(spans, smoothing) for one in self.problems]

    def value(self, spans: int, reach: float) -> float:
        return total(self.trials(spans, reach))

    def best(self) -> list[Trial]:
        """Return the fits of the highest likelihood."""
        tried = []
        for spans in self.sizes:
            reaches = (*(COARSE if spans == self.sizes[0] else ()), *REACHES)
            tried += [(self.value(spans, reach), spans, reach) for reach in reaches]
        best = min(tried)
        if (most := best[1]) == self.sizes[-1]:
            best = min(best, *((self.value(most, reach), most, reach) for reach in FINE))
        return self.near(*best[1:])

    def near(self, spans: int, reach: float, width: float = 0.4) -> list[Trial]:
        """Return the fits of the highest likelihood near a reach, of so many spans or more."""
        best = None
        while True:
            is_last = 2 * spans > self.sizes[-1] or reach > AMPLE
            if not is_last:
                spans, reach = 2 * spans, 2 * reach
            found = self._refined(spans, reach, width)
            if best is not None and total(found) > total(best) - 0.1:
                return best
            best, reach = found, self.reach(spans, found[0].smoothing)
            if is_last:
                return best

    def _refined(self, spans: int, reach: float, width: float) -> list[Trial]:
        """Return the best fits near a reach, to two percent of it."""
        tried: dict[float, list[Trial]] = {}

        def value(place: float) -> float:
            tried[place] = self.trials(spans, exp(place))
            return total(tried[place])

        return tried[minimum(value, log(reach) - width, log(reach) + width, 0.02)]


def total(trials: list[Trial]) -> float:
    return sum(one.value for one in trials)


class Fit(NamedTuple):
    """The spline that was found, in the units of y less the shift of the grid.

    Coefficients and their covariances do not go round, also where the function does.
    """

    basis: Basis
    grid: Grid
    coefficients: np.ndarray
    covariance: np.ndarray
    noise: float
    freedom: float
    smoothing: float
    count: int
    free: int

    def powers(self, n: int) -> np.ndarray:
        """Return for each span the powers of s of the n-th derivative."""
        return powers_of(self.coefficients, self.basis, n) * self.grid.per_unit**n

    def values(self, x: np.ndarray, size: int, n: int) -> np.ndarray:
        """Return the n-th derivative at places."""
        found = evaluate(x, size, self.grid, self.powers(n))
        return found if n else found + self.grid.shift

    def errors(self, x: np.ndarray, size: int, n: int) -> np.ndarray:
        """Return the standard errors of the n-th derivative at places."""
        powers = self.basis.derivative(n) * self.grid.per_unit**n
        return np.sqrt(np.maximum(spread(x, size, self.grid, powers, self.covariance), 0.0))


class Samples(NamedTuple):
    """A line with its grid, whether its places rise, the variance of a sample if known, and the floor of squares."""

    line: Line
    grid: Grid
    rises: bool
    known: float | None
    floor: float
    distinct: int

    def pyramid(self, top: Basis) -> Pyramid:
        return Pyramid(gather(self.line, self.grid, top, self.rises), self.grid, top)

    def at(self, spans: int) -> "Samples":
        return self._replace(grid=self.grid.at(spans))

    def left_by(self, c: np.ndarray, basis: Basis, spans: int) -> "Samples":
        """Return what a function leaves of the samples."""
        powers = powers_of(unrolled(c, basis, self.grid), basis, 0)
        values = evaluate(self.line.x, self.line.y.size, self.grid.at(spans), powers)
        rest = (self.line.y - self.grid.shift) * self.grid.factor - values
        line = Line(self.line.x, rest, self.line.weight)
        return self._replace(line=line, grid=replace(self.grid, shift=0.0, factor=1.0))


def fit(lines: list[Samples], orders: tuple[int, ...], most: int) -> list[Fit]:
    """Return the fits of lines with one smoothing; with no more than `most` spans, if those of the grid are not enough.
    """
    while True:
        search, best = _best_order([one.pyramid(basis(max(orders))) for one in lines], lines, orders)
        spans = lines[0].grid.spans
        if not (best[0].level.spans == spans < most and search.reach(spans, best[0].smoothing) < AMPLE):
            break
        lines = [one.at(min(MORE * spans, most)) for one in lines]
    own, coefficients = search.basis, [one.solution.coefficients for one in best]
    for _ in range(AGAIN):
        pairs = list(zip(search.problems, best, strict=True))
        if not any(one.floor < problem.square * LEFT > trial.square for one, (problem, trial) in zip(lines, pairs)):
            break
        spans = best[0].level.spans
        rests = [one.left_by(c, own, spans) for one, c in zip(lines, coefficients, strict=True)]
        search = Search([
            Problem(rest.pyramid(own), own, rest.known, rest.floor, c, spans)
            for rest, c in zip(rests, coefficients, strict=True)
        ])  # fmt: skip
        best = search.best()
        spans = best[0].level.spans
        coefficients = [
            one.pilot(spans) + trial.solution.coefficients for one, trial in zip(search.problems, best, strict=True)
        ]
    return [
        _finished(*parts, one.grid) for *parts, one in zip(search.problems, best, coefficients, lines, strict=True)
    ]


def _best_order(pyramids: list[Pyramid], lines: list[Samples], orders: tuple[int, ...]) -> tuple[Search, list[Trial]]:
    """Return the fits of the order that is most likely.

    The coefficients of Legendre's polynomials, which the penalty leaves free, are compared as normal with the variance
    of the samples.
    """

    def search(m: int) -> Search:
        return Search([
            Problem(pyramid, basis(m), one.known, one.floor) for pyramid, one in zip(pyramids, lines, strict=True)
        ])  # fmt: skip

    first = search(USUAL if USUAL in orders else orders[0])
    found = [(first, first.best())]
    spans = found[0][1][0].level.spans
    reach = first.reach(spans, found[0][1][0].smoothing)
    for m in orders:
        if m != first.basis.m:
            other = search(m)
            at = spans if spans in other.sizes else other.sizes[0]
            found.append((other, other.near(at, reach * at / spans, 0.7)))

    def evidence(pair: tuple[Search, list[Trial]]) -> float:
        return total(pair[1]) + pair[0].basis.m * sum(log(one.doubt) for one in pair[0].problems)

    return min(found, key=evidence)


def _finished(problem: Problem, best: Trial, coefficients: np.ndarray, grid: Grid) -> Fit:
    found, own = best.level, problem.basis
    inverse = best.solution.inverse()
    free = problem.count - (len(coefficients) - found.penalty.rank)
    variance = best.square / free
    scale = problem.known or variance
    band = unwrapped(inverse, found.spans, own.degree) if problem.is_periodic else inverse.band
    noise = (variance / problem.known) ** 0.5 if problem.known else variance**0.5 / grid.factor
    return Fit(
        own, grid.at(found.spans), unrolled(coefficients, own, grid) / grid.factor, band * (scale / grid.factor**2),
        noise, _trace(found.data, inverse), best.smoothing, problem.count, free,
    )  # fmt: skip


def _trace(a: Bordered, b: Bordered) -> float:
    """Return the trace of a product."""
    inside = a.band * b.band
    return float(2 * (inside.sum() + (a.cross * b.cross).sum()) - inside[:, 0].sum() + (a.corner * b.corner).sum())


def unrolled(c: np.ndarray, basis: Basis, grid: Grid) -> np.ndarray:
    """Return coefficients as if the function did not go round."""
    return np.concatenate([c, c[: basis.degree]]) if grid.is_periodic else c
