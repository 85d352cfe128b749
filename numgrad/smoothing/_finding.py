"""Kinks, found: one after the other, where the fit would gain most; and left out again, where they gain nothing."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from math import inf

from numgrad.smoothing._basis import basis
from numgrad.smoothing._fit import LostError, Problem, Samples, fit
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._read import distinct_between
from numgrad.smoothing._search import minimum

# How many standard deviations of the noise a kink must be worth that is looked for; how many there are at most; and
# after how many that made nothing likelier the search ends: a fit without kinks bends so much that one alone may not.
WORTH, MOST, PATIENCE = 2.5, 40, 6
# How near to where it seems to be a kink is looked for, and how exactly it is placed, in distances of knots.
NEAR, EXACT = 2.0, 0.01
# How often all are placed again when all are known.
ROUNDS = 2


Places = tuple[float, ...]


def kinks_of(samples: Samples, orders: tuple[int, ...], most: int) -> Places:
    """Return where a line has kinks."""
    found: dict[Places, Fit | None] = {}

    def tried(places: Places) -> float:
        if places not in found:
            ends = (-inf, *places, inf)
            fewest = min(distinct_between(samples, *pair) for pair in pairwise(ends))
            found[places] = None
            if fewest >= max(orders):
                with suppress(LostError):
                    found[places] = fit([samples], orders, most, places)[0]
        one = found[places]
        return inf if one is None else one.evidence

    def placed(others: Places, by: Fit, near: float) -> Places:
        return tuple(sorted((*others, _placed(samples, by, others, near))))

    best: Places = ()
    places, missed = best, int(tried(best) == inf)
    while (one := found[places]) and one.kink.score > WORTH and len(places) < MOST and missed < PATIENCE:
        places, missed = placed(places, one, one.kink.place), missed + 1
        if tried(places) < tried(best):
            best, missed = places, 0
    for _ in range(ROUNDS):
        best = _without_idle(best, tried)
        for place in best:
            if one := found[best]:
                best = min(best, placed(without(best, place), one, place), key=tried)
    return _without_idle(best, tried)


def without(places: Places, place: float) -> Places:
    return tuple(other for other in places if other != place)


def _without_idle(places: Places, tried: Callable[[Places], float]) -> Places:
    """Return the kinks without those that make the samples no likelier."""
    while places:
        fewer = min((without(places, place) for place in places), key=tried)
        if tried(fewer) > tried(places):
            break
        places = fewer
    return places


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
