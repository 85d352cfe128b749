"""The smoothing of a line that its data ask for: restricted maximum likelihood over the smoothing and the knots."""

from functools import lru_cache, reduce
from math import ceil, exp, inf, isfinite, log, nan
from typing import Any, NamedTuple

import numpy as np

from numgrad.smoothing._basis import Basis, basis
from numgrad.smoothing._fitted import Fit, Kinks, Suspicion
from numgrad.smoothing._kinks import columns_at, kinked, scores, without
from numgrad.smoothing._moments import Grid, Line, evaluate, gather, moments_of_span
from numgrad.smoothing._pyramid import Pyramid
from numgrad.smoothing._search import by_spans, powers_of, refined
from numgrad.smoothing._system import Bordered, Level, Question, Solution, level, unwrapped

# Spans at most, at first and at all; by how many there are more if the first are not enough.
FIRST, MOST, MORE = 2**13, 2**16, 8
# How many distances of knots a smoothing reaches: where knots are chosen, two values for each number of them; and
# beyond that for the most and the fewest.
REACHES, FINE, COARSE = (2**0.5, 1.0), (0.7, 0.5, 0.35, 0.25, 0.18, 0.12), (4.0, 2.0)
# With more, by the length of the longest piece between kinks, there is nothing but a polynomial; and how many knots
# such a piece has at least.
STRAIGHT, LOOKS = 0.5, 8
# The smallest smoothing beside the weights of a span: with less, coefficients lose their digits.
LEAST = 1e-9
# By what part of it reaches differ that are tried, at first and at last; how far, if one is known roughly.
ROUGH, SHARP, NEAR = 0.2, 0.05, 0.4
# Into how many places the distance of two such is divided at last.
PARTS = 16
# With fewer spans there is nothing but a polynomial; with more distances of knots reached, nothing new.
FEWEST, AMPLE = 4, 2.0
# Where a search begins, if it is among those looked at.
USUAL = 4
# A fit that leaves a smaller part of the squares than this is done again for what it leaves.
LEFT, AGAIN = 1e-9, 4
# The part of the squares that the rounding of their sums is.
SUMS = 1e-13
# How far the likelihood is looked at to tell how well the logarithm of the smoothing is known; its standard deviation,
# if that told nothing.
STEP, UNKNOWN = 0.5, 3.0
# How exact degrees of freedom are at least.
CLOSE = 1e-3
# By how much a kink must make samples likelier, as minus twice the logarithm.
STRONG = 6.0
# Places in each span at which a fit is compared with polynomials.
MIDDLES = 4
EPS = float(np.finfo(np.float64).eps)


class LostError(ValueError):
    """There are no digits left."""

    def __init__(self) -> None:
        super().__init__(
            "`x` has gaps so long beside the distances of samples that a smooth function over all of it loses its "
            "digits; split the samples at the longest gap, or give a lower `order`"
        )


class Trial(NamedTuple):
    """A fit with some smoothing."""

    level: Level
    smoothing: float
    solution: Solution


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
        shortest, self.longest = pyramid.pieces
        fewest = max(fewest, basis.degree + 1 if self.is_periodic else 1)
        if pyramid.behind:
            fewest = max(fewest, min(ceil(max(1 / shortest, LOOKS / self.longest)), pyramid.grid.spans))
        self.sizes = pyramid.sizes(fewest)
        self._levels: dict[int, Level] = {}
        self._terms: dict[int, np.ndarray] = {}
        self._pulls: dict[int, tuple[np.ndarray, float]] = {}
        self._pilots = {} if pilot is None else {self.sizes[0]: pilot}
        self.has_pilot = pilot is not None

    def level(self, spans: int) -> Level:
        if spans not in self._levels:
            rows = self.pyramid.own_rows(spans, self.basis)
            found = level(rows, self.basis, self.is_periodic)
            behind = self.pyramid.own_behind(spans, self.basis)
            found = kinked(found, rows, behind, self.basis) if behind else found
            penalty = found.penalty
            free = self.count - (len(found.right) - penalty.rank)
            known = nan if self.known is None else self.known
            self._terms[spans] = np.array([self.floor, free, known, penalty.rank, penalty.normal])
            if self.has_pilot:
                before = self.pilot(spans)
                self._pulls[spans] = penalty.times(before), penalty.form(before)
            self._levels[spans] = found
        return self._levels[spans]

    def pilot(self, spans: int) -> np.ndarray:
        """Return the coefficients of the pilot fit."""
        if spans not in self._pilots:
            self._pilots[spans] = refined(self.pilot(spans // 2), self.basis.degree, self.is_periodic)
        return self._pilots[spans]

    def trial(self, spans: int, smoothing: float) -> Trial:
        """Fit with a smoothing, in units of the knots."""
        with np.errstate(all="ignore"):
            return Trial(self.level(spans), smoothing, Solution(self._question(spans, [smoothing])))

    def values(self, spans: int, smoothings: list[float]) -> np.ndarray:
        """Return how likely the fits with smoothings are."""
        with np.errstate(all="ignore"):
            return self._question(spans, smoothings).values()

    def _question(self, spans: int, given: list[float]) -> Question:
        found, smoothings = self.level(spans), np.array(given)
        rights, squares = np.empty((len(given), len(found.right))), np.empty(len(given))
        rights[:], squares[:] = found.right, self.square
        if self.has_pilot:
            pull, rough = self._pulls[spans]
            rights -= smoothings[:, None] * pull
            squares += smoothings * rough
        return Question(found.data, found.penalty.matrix, smoothings, rights, squares, self._terms[spans])

    def legendre(self, trial: Trial) -> np.ndarray:
        """Return the coefficients of a fit by Legendre's polynomials, of mean square 1, those that have no penalty."""
        spans, own = trial.level.spans, self.basis
        c = trial.solution.coefficients[: spans if self.is_periodic else spans + own.degree]
        found: np.ndarray = unrolled(c, own, self.pyramid.grid) @ legendre(own, self.unpenalised, spans)
        return found

    def doubt_of_kinks(self, trial: Trial) -> float:
        """Return by how much minus twice the logarithm of the likelihood is too small for the kinks that it has.

        Each of their coefficients is normal with the variance that makes it likeliest, but for what is noise. A kink
        could have been at any knot, and must be strongly in evidence (R. E. Kass and A. E. Raftery, J. Am. Stat. Assoc.
        90, 1995).
        """
        if not self.pyramid.behind:
            return 0.0
        solution, spans = trial.solution, trial.level.spans
        variance = solution.square / max(self._terms[spans][1], 1.0) if self.known is None else self.known
        squares, chance = solution.coefficients[solution.size :] ** 2, np.diag(solution.rest) * variance
        kinks = len(self.pyramid.behind)
        with np.errstate(all="ignore"):
            found = np.log(np.maximum(squares, chance)) + np.minimum(squares / chance, 1.0)
        return float(found.sum()) + kinks * (2 * log(spans) + STRONG)

    @property
    def unpenalised(self) -> int:
        """How many polynomials have no penalty."""
        return 1 if self.is_periodic else self.basis.m

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

    def smoothing(self, spans: int, reach: float) -> float:
        """Return the smoothing that reaches so many distances of knots, or as many as there is use for."""
        reach = min(reach, STRAIGHT * self.problems[0].longest * spans)
        return float(self.mass / spans * max(reach ** (2 * self.basis.m), LEAST))

    def trials(self, spans: int, reach: float) -> list[Trial]:
        smoothing = self.smoothing(spans, reach)
        return [one.trial(spans, smoothing) for one in self.problems]

    def values(self, spans: int, smoothings: list[float]) -> list[float]:
        """Return the values of trials with smoothings, of all lines together."""
        found: list[float] = reduce(np.add, [one.values(spans, smoothings) for one in self.problems]).tolist()
        return found

    def best(self) -> list[Trial]:
        """Return the fits of the highest likelihood."""
        tried = []
        for spans in self.sizes:
            tried += self._tried(spans, (*(COARSE if spans == self.sizes[0] else ()), *REACHES))
        best = min(tried)
        if (most := best[1]) == self.sizes[-1]:
            best = min(best, *self._tried(most, FINE))
        return self.near(*best[1:])

    def _tried(self, spans: int, reaches: tuple[float, ...]) -> list[tuple[float, int, float]]:
        values = self.values(spans, [self.smoothing(spans, reach) for reach in reaches])
        return [(value, spans, reach) for value, reach in zip(values, reaches, strict=True)]

    def near(self, spans: int, reach: float, width: float = NEAR) -> list[Trial]:
        """Return the fits of the highest likelihood near a reach, of so many spans or more."""
        best = None
        while True:
            is_last = 2 * spans > self.sizes[-1] or reach > AMPLE
            if not is_last:
                spans, reach = 2 * spans, 2 * reach
            elif best is not None:
                return best
            found = self._refined(spans, reach, width, ROUGH)
            if best is not None and total(found) > total(best) - 0.1:
                return best
            best, reach, width = found, self.reach(spans, found[0].smoothing), NEAR

    def sharpened(self, found: list[Trial]) -> list[Trial]:
        """Return the fits at the very top of the likelihood near those that `near` has found."""
        spans = found[0].level.spans
        return self._refined(spans, self.reach(spans, found[0].smoothing), SHARP, SHARP)

    def uncertainty(self, found: list[Trial]) -> float:
        """Return the standard deviation of the logarithm of the smoothing: by how sharp the likelihood is there."""
        spans, step = found[0].level.spans, exp(STEP)
        sides = self.values(spans, [found[0].smoothing * factor for factor in (step, 1 / step)])
        bend = (sum(sides) - 2 * total(found)) / (2 * STEP**2)
        return float((max(bend, 0.0) + UNKNOWN**-2) ** -0.5) if isfinite(bend) else 0.0

    def _refined(self, spans: int, reach: float, width: float, step: float) -> list[Trial]:
        """Return the fits where a parabola through the best of some reaches and its neighbours is least."""
        sides = ceil(width / step)
        places = [log(reach) + step * k for k in range(-sides, sides + 1)]
        values = self.values(spans, [self.smoothing(spans, exp(place)) for place in places])
        return self.trials(spans, exp(least(places, values)))


def least(places: list[float], values: list[float]) -> float:
    """Return where a function is least, of which there are values at even places: the same place for all roundings."""
    at = values.index(min(values))
    if not 0 < at < len(places) - 1:
        return places[at]
    left, right = values[at - 1] - values[at], values[at + 1] - values[at]
    bend = left + right
    shift = (left - right) / (2 * bend) if isfinite(bend) and bend > 0 else 0.0
    return places[at] + round(shift * PARTS) / PARTS * (places[1] - places[0])


@lru_cache(64)
def legendre(own: Basis, m: int, spans: int) -> np.ndarray:
    """Return what makes the coefficients of the first m of Legendre's polynomials of those of a spline."""
    within = (np.arange(MIDDLES) + 0.5) / MIDDLES * 2 - 1
    places = (np.arange(spans)[:, None] * 2 + 1 + within) / spans - 1
    polynomials = np.polynomial.legendre.legvander(places, m - 1) * np.sqrt(2 * np.arange(m) + 1)
    shares = np.vander(within, own.degree + 1, increasing=True) @ own.powers.T
    out = np.zeros((spans + own.degree, m))
    for a in range(own.degree + 1):
        out[a : a + spans] += shares[:, a] @ polynomials
    return out / (MIDDLES * spans)


def total(trials: list[Trial]) -> float:
    return sum(one.solution.value for one in trials)


class Samples(NamedTuple):
    """A line with its grid, whether its places rise, the variance of a sample if known, and the floor of squares."""

    line: Line
    grid: Grid
    rises: bool
    known: float | None
    floor: float
    distinct: int

    def pyramid(self, top: Basis, kinks: tuple[float, ...] = ()) -> Pyramid:
        """Return the moments, read now."""
        found = Pyramid(gather(self.line, self.grid, top, self.rises), self.grid, top)
        for place in kinks:
            found.behind[place] = self.behind(place, top)
        return found

    def behind(self, place: float, top: Basis) -> np.ndarray:
        """Return the moments of the samples behind a place, in its span."""
        x, grid = self.line.x, self.grid
        if x.size == 1:
            x = x[0] * np.arange(self.line.y.size)
        span = int((place - grid.low) * grid.per_unit)
        end = grid.low + (span + 1) / grid.per_unit
        if self.rises:
            first, last = np.searchsorted(x, [place, end])
            which: Any = slice(max(first - 1, 0), last + 1)
        else:
            which = slice(None)
        which = np.arange(x.size)[which][x[which] >= place]
        which = which[((x[which] - grid.low) * grid.per_unit).astype(int) == span]
        weight = self.line.weight if self.line.weight.size == 1 else self.line.weight[which]
        part = self.line._replace(x=np.repeat(x[which], 1 + (which.size == 1)), y=self.line.y[which], weight=weight)
        return moments_of_span(part, grid, top, span)

    def at(self, spans: int) -> "Samples":
        return self._replace(grid=self.grid.at(spans))

    def left_by(self, c: np.ndarray, basis: Basis, spans: int) -> "Samples":
        """Return what a function leaves of the samples."""
        powers = powers_of(unrolled(c, basis, self.grid), basis, 0)
        values = evaluate(self.line.x, self.line.y.size, self.grid.at(spans), powers)
        rest = (self.line.y - self.grid.shift) * self.grid.factor - values
        line = Line(self.line.x, rest, self.line.weight)
        return self._replace(line=line, grid=self.grid._replace(shift=0.0, factor=1.0))


def fit(lines: list[Samples], orders: tuple[int, ...], most: int, kinks: tuple[float, ...] = ()) -> list[Fit]:
    """Return the fits of lines with one smoothing; with no more than `most` spans, if those of the grid are not enough.

    The derivatives may jump at the coordinates `kinks`.
    """
    while True:
        pyramids = [one.pyramid(basis(max(orders)), kinks) for one in lines]
        search, best = best_order(pyramids, lines, orders)
        spans = lines[0].grid.spans
        if not (best[0].level.spans == spans < most and search.reach(spans, best[0].smoothing) < AMPLE):
            break
        lines = [one.at(min(MORE * spans, most)) for one in lines]
    own, coefficients = search.basis, [one.solution.coefficients for one in best]
    for _ in range(0 if kinks else AGAIN):
        pairs = zip(lines, search.problems, best, strict=True)
        if not any(one.floor < problem.square * LEFT > trial.solution.square for one, problem, trial in pairs):
            break
        spans = best[0].level.spans
        rests = [one.left_by(c, own, spans) for one, c in zip(lines, coefficients, strict=True)]
        search = Search([
            Problem(rest.pyramid(own), own, rest.known, rest.floor, c, spans)
            for rest, c in zip(rests, coefficients, strict=True)
        ])  # fmt: skip
        best = search.sharpened(search.best())
        spans = best[0].level.spans
        coefficients = [
            one.pilot(spans) + trial.solution.coefficients for one, trial in zip(search.problems, best, strict=True)
        ]
    return finished(search, best, coefficients, [one.grid for one in lines])


def best_order(pyramids: list[Pyramid], lines: list[Samples], orders: tuple[int, ...]) -> tuple[Search, list[Trial]]:
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

    value, at = min((evidence(*pair), at) for at, pair in enumerate(found))
    if not isfinite(value):
        raise LostError
    chosen, rough = found[at]
    return chosen, chosen.sharpened(rough)


def evidence(search: Search, trials: list[Trial]) -> float:
    """Return minus twice the logarithm of the likelihood, comparable for all orders and numbers of kinks."""
    value = total(trials)
    if not isfinite(value):
        return inf
    for one, trial in zip(search.problems, trials, strict=True):
        squares = one.legendre(trial) ** 2
        value += one.unpenalised * log(one.doubt) + float(squares.sum()) / one.doubt + one.doubt_of_kinks(trial)
    return value


def finished(search: Search, best: list[Trial], coefficients: list[np.ndarray], grids: list[Grid]) -> list[Fit]:
    """Return fits with their errors."""
    uncertainty, value = search.uncertainty(best), evidence(search, best)
    parts = zip(search.problems, best, coefficients, grids, strict=True)
    return [_finished(*part, uncertainty, value) for part in parts]


def _finished(
    problem: Problem, best: Trial, coefficients: np.ndarray, grid: Grid, uncertainty: float, value: float
) -> Fit:  # fmt: skip
    """Return a fit with its errors: `uncertainty` is the standard deviation of the logarithm of its smoothing.

    They are those for the smoothing that was found, and what the fit would change if that were another one (R. E. Kass
    and D. Steffey, J. Am. Stat. Assoc. 84, 1989).
    """
    found, own = best.level, problem.basis
    inverse = best.solution.inverse()
    free = problem.count - (len(coefficients) - found.penalty.rank)
    variance = best.solution.square / free
    scale = problem.known or variance
    band = unwrapped(inverse, found.spans, own.degree) if problem.is_periodic else inverse.band
    noise = (variance / problem.known) ** 0.5 if problem.known else variance**0.5 / grid.factor
    kinks, size = None, len(coefficients)
    freedom = _trace(found.data, inverse)
    if not -CLOSE < freedom < problem.count + CLOSE:
        raise LostError
    behind, penalty = problem.pyramid.own_behind(found.spans, own), found.penalty
    pull = penalty.matrix.times(coefficients) if behind else penalty.times(coefficients)
    drift = best.solution.solve(pull * (-uncertainty * best.smoothing))
    if behind:
        size = inverse.size
        columns = columns_at(behind, own.m)
        kinks = Kinks(columns, coefficients[size:], drift[size:], inverse.cross * scale, inverse.corner * scale)
    kink, jump = _suspicions(problem, best, coefficients, problem.known or variance)
    return Fit(
        own, grid.at(found.spans), unrolled(coefficients[:size], own, grid), band * scale,
        unrolled(drift[:size], own, grid), noise, freedom,
        best.smoothing, problem.count, free, kink, jump, problem.pyramid.gap, value, kinks,
    )  # fmt: skip


def _suspicions(problem: Problem, best: Trial, whole: np.ndarray, variance: float) -> list[Suspicion]:
    """Return where the fit would gain most by a jump of the first derivative, and by one of the function."""
    found, own, grid = best.level, problem.basis, problem.pyramid.grid.at(best.level.spans)
    if problem.is_periodic:
        return [Suspicion(grid.low, 0.0)] * 2
    rows = problem.pyramid.own_rows(found.spans, own)
    change, n = best.solution.coefficients, found.data.size
    behind = problem.pyramid.own_behind(found.spans, own)
    whole = by_spans(whole[:n], own)
    if behind:
        rows, whole = without(rows, behind, own, change, whole)
    made = []
    for power in (1, 0):
        worth = abs(scores(found, rows, own, best.smoothing, best.solution.upper, change[:n], whole, power))
        at = int(np.argmax(worth))
        made.append(Suspicion(grid.low + at / grid.per_unit, float(worth[at]) / variance**0.5))
    return made


def _trace(a: Bordered, b: Bordered) -> float:
    """Return the trace of a product."""
    inside = a.band * b.band
    return float(2 * (inside.sum() + (a.cross * b.cross).sum()) - inside[:, 0].sum() + (a.corner * b.corner).sum())


def unrolled(c: np.ndarray, basis: Basis, grid: Grid) -> np.ndarray:
    """Return coefficients as if the function did not go round."""
    return np.concatenate([c, c[: basis.degree]]) if grid.is_periodic else c
