"""Kinks, found: one after the other, where the fit would gain most."""

from itertools import pairwise
from math import inf

from numgrad.smoothing._basis import basis
from numgrad.smoothing._fit import Problem, Samples, fit
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._read import distinct_between
from numgrad.smoothing._search import minimum

# How many standard deviations of the noise a kink must be worth that is looked for; and how many there are at most.
WORTH, MOST = 4.0, 40
# How near to where it seems to be a kink is looked for, and how exactly it is placed, in distances of knots.
NEAR, EXACT = 2.0, 0.01
# How often all are placed again when all are known.
ROUNDS = 2


def kinks_of(samples: Samples, orders: tuple[int, ...], most: int) -> tuple[float, ...]:
    """Return where a line has kinks."""
    places: tuple[float, ...] = ()
    least = max(orders)
    best = fit([samples], orders, most)[0]
    while best.kink.score > WORTH and len(places) < MOST:
        place = _placed(samples, best, places, best.kink.place)
        ends = [-inf, *sorted((*places, place)), inf]
        if min(distinct_between(samples, *pair) for pair in pairwise(ends)) < least:
            break
        places = (*places, place)
        best = fit([samples], orders, most, places)[0]
    for _ in range(ROUNDS if places else 0):
        for place in places:
            others = tuple(other for other in places if other != place)
            places = (*others, _placed(samples, best, others, place))
        best = fit([samples], orders, most, places)[0]
    return tuple(sorted(places))


def _placed(samples: Samples, found: Fit, places: tuple[float, ...], near: float) -> float:
    """Return where a kink makes the samples likeliest, near a place."""
    grid, top = found.grid, basis(found.basis.m)
    samples = samples.at(grid.spans)
    pyramid = samples.pyramid(top, places)
    low, high = grid.low, grid.low + grid.spans / grid.per_unit
    reach = NEAR / grid.per_unit

    def value(place: float) -> float:
        pyramid.behind = {**others, place: samples.behind(place, top)}
        problem = Problem(pyramid, top, samples.known, samples.floor)
        return problem.trial(grid.spans, found.smoothing).solution.value

    others = pyramid.behind
    start, stop = max(near - reach, low), min(near + reach, high)
    return minimum(value, start, stop - 1e-9 * (stop - start), EXACT / grid.per_unit)
