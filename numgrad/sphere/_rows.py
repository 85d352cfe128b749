"""What a result is made of in each row: weights of the rows beside it, and a factor of the derivative along it."""

from math import factorial
from typing import NamedTuple

import numpy as np

from numgrad._arrays.plan.coefficients import end_places, end_samples, reach_of
from numgrad._arrays.plan.fornberg import at_origin, fornberg
from numgrad._arrays.plan.options import StencilFormula
from numgrad.sphere._grid import Grid

# The mean radius (2 a + b) / 3 of the ellipsoid GRS80, in metres: H. Moritz, "Geodetic Reference System 1980", Journal
# of Geodesy 74 (2000), 128-133.
EARTH_RADIUS = 6371008.7714


class Operator(NamedTuple):
    """A sum of two derivatives of this order: `east` times that by longitude, and `north` times that by latitude.

    With D for the derivative by latitude, which is phi, and R for the radius, it is

        east (d/dlambda)^order / (R cos phi)^order + north (D^order - [turns] tan phi D^(order - 1)) / R^order,

    where `turns` says whether circles of latitude, or the directions of east and north, that change from place to
    place have a part in it. `sign` is that of what is derived, on the other side of a pole. `used` are the names of
    what is derived by longitude and by latitude, and of what these derivatives are multiplied by, if anything. There is
    one result for their sum, or one for each.
    """

    order: int
    east: float
    north: float
    turns: bool
    sign: int
    used: tuple[str, ...]
    results: int = 1


# J. R. Holton and G. J. Hakim, "An Introduction to Dynamic Meteorology", 5th ed., Academic Press 2013, sections 2.3 and
# 4.2; the metric terms are those of any book on vector analysis in spherical coordinates.
GRADIENT = Operator(1, 1.0, 1.0, False, 1, ("f", "f"), results=2)
ADVECTION = Operator(1, -1.0, -1.0, False, 1, ("f", "f", "u", "v"))
DIVERGENCE = Operator(1, 1.0, 1.0, True, -1, ("u", "v"))
VORTICITY = Operator(1, 1.0, -1.0, True, -1, ("v", "u"))
LAPLACIAN = Operator(2, 1.0, 1.0, True, 1, ("f", "f"))


class Rows(NamedTuple):
    """What each row of a grid needs, those from beyond the poles included.

    A column of `table` has the weights of the points from `low` rows before it on; `ends` are the weights and the rows
    of the first `low` and the last `high` rows. `factors` are those of the derivative by longitude. In the column of a
    pole, `bend` has the weights of the derivative by latitude that takes the place of the samples there. The grid
    begins at row `first` and has `size` rows. `latitude` is in radians, and goes on beyond the poles.
    """

    formula: StencilFormula
    latitude: np.ndarray
    table: np.ndarray
    low: int
    high: int
    ends: tuple[np.ndarray, np.ndarray]
    factors: np.ndarray
    bend: np.ndarray
    first: int
    size: int


def with_a_middle(formula: StencilFormula, is_even: bool, size: int) -> StencilFormula:
    """Return the formula for an odd number of points, so that both directions along an axis are alike.

    For the second derivative that is one point less than usual, which does on an even grid; or one more.
    """
    change = 0 if formula.points % 2 else -1 if is_even else int(size > formula.points)
    return formula._replace(accuracy=formula.accuracy + change)


def rows_of(grid: Grid, operator: Operator, formula: StencilFormula, radius: float) -> Rows:
    """Return what the rows of a grid need for an operator."""
    low, high = reach_of(formula, is_even=False)
    order, depth = operator.order, max(low, high)
    parts = [_beyond(grid, 0, depth)[::-1], grid.latitude, _beyond(grid, 1, depth)]
    y, first, size = np.concatenate(parts), parts[0].size, grid.latitude.size
    places, points = np.arange(y.size), np.arange(formula.points)
    ends, _ = end_places(formula, y.size, is_even=False)
    at_ends = end_samples(formula, ends, low, y.size)
    inside = (places - low).clip(0, y.size - formula.points)[:, None] + points
    pole = np.zeros(y.size)
    pole[[first, first + size - 1]] = grid.poles
    tan = np.where(pole, 0.0, np.tan(y))
    limit = (-pole) ** order / factorial(order)  # by l'Hôpital's rule, times the derivative by latitude
    factors = operator.east / radius**order * np.where(pole, limit, np.cos(y) ** -order)

    def weights(samples: np.ndarray, at: np.ndarray, n: int) -> np.ndarray:
        if grid.step is None:
            return np.array(fornberg(list((y[samples] - y[at, None]).T), n)).T
        # Exactly those of whole numbers: what is 0 is no weight.
        firsts, which = np.unique(samples[:, 0] - at, return_inverse=True)
        found = [at_origin(tuple(range(i, i + samples.shape[1])), n) for i in firsts.tolist()]
        return np.array(found)[which] / grid.step**n

    def north(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
        found = weights(samples, at, order)
        if operator.turns:
            found = found * (1 + abs(pole[at, None])) - tan[at, None] * weights(samples, at, order - 1)
        return operator.north / radius**order * found

    bend = weights(inside, places, order)
    weights_at_ends = north(at_ends, ends), at_ends
    return Rows(formula, y, north(inside, places).T, low, high, weights_at_ends, factors, bend.T, first, size)


def _beyond(grid: Grid, end: int, depth: int) -> np.ndarray:
    """Return the latitudes of rows on the other side of a pole, going on from 90 degrees, the nearest first.

    The row at the pole itself is none of them.
    """
    skip = abs(grid.poles[end])
    y = grid.latitude[:: -1 if end else 1][skip : skip + depth * abs(grid.across[end])]
    return grid.across[end] * np.pi - y
