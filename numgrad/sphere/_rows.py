"""What a result is made of in each row: weights of the rows beside it, and a factor of the derivative along it."""

from math import factorial
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.coefficients import end_places, end_samples, reach_of
from numgrad._arrays.plan.fornberg import at_origin, fornberg
from numgrad._arrays.plan.options import StencilFormula, read_formula
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
    begins at row `first` and has `size` rows.
    """

    table: np.ndarray
    low: int
    high: int
    ends: tuple[np.ndarray, np.ndarray]
    factors: np.ndarray
    bend: np.ndarray
    first: int
    size: int


def formula_by_latitude(grid: Grid, order: int, accuracy: Any) -> StencilFormula:
    """Return what the derivative by latitude takes; in the middle of an even grid a point less does for the second."""
    formula = read_formula(order, accuracy, "one-sided")
    saved = order == 2 and grid.step is not None and _is_even_across(grid)
    return formula._replace(accuracy=formula.accuracy - saved)


def rows_of(grid: Grid, operator: Operator, formula: StencilFormula, radius: float) -> Rows:
    """Return what the rows of a grid need for an operator."""
    low, high = reach_of(formula, is_even=False)
    x, first = _with_rows_across(grid, max(low, high))
    order, size = operator.order, x.size
    is_even = grid.step is not None and _is_even_across(grid)
    unit = grid.step if is_even else 1.0
    places = np.arange(size)
    ends, _ = end_places(formula, size, is_even=False)
    inside = (places - low).clip(0, size - formula.points)[:, None] + np.arange(formula.points)
    at_ends = end_samples(formula, ends, low, size)
    pole = np.zeros(size, bool)
    pole[[first, first + grid.latitude.size - 1]] = np.array(grid.poles) != 0
    with np.errstate(all="ignore"):
        tan = np.where(pole, 0.0, np.tan(x))
        sign = np.where(pole, -np.sign(x), 0.0)
        factors = operator.east * np.where(pole, sign**order / factorial(order), np.cos(x) ** -order) / radius**order

    def north(samples: np.ndarray, at: np.ndarray) -> np.ndarray:
        given = places if is_even else x
        highest = _weights(given, samples, at, order, is_even) / unit**order
        if operator.turns:
            lower = _weights(given, samples, at, order - 1, is_even) / unit ** (order - 1)
            highest = highest * (1 + pole[at, None]) - tan[at, None] * lower
        return highest * (operator.north / radius**order)

    return Rows(
        np.ascontiguousarray(north(inside, places).T), low, high, (north(at_ends, ends), at_ends), factors,
        np.ascontiguousarray(_weights(places if is_even else x, inside, places, order, is_even).T) / unit**order,
        first, grid.latitude.size,
    )  # fmt: skip


def _with_rows_across(grid: Grid, depth: int) -> tuple[np.ndarray, int]:
    """Return latitudes that go on beyond the poles that have rows on the other side, and where those of the grid begin.

    A row at the pole itself has none on the other side.
    """
    y = grid.latitude
    before, after = (pole * np.pi - side for pole, side in zip(grid.across, _sides(y, grid, depth), strict=True))
    return np.concatenate([before[: depth * bool(grid.across[0])][::-1], y, after[: depth * bool(grid.across[1])]]), (
        before[: depth * bool(grid.across[0])].size
    )


def _sides(y: np.ndarray, grid: Grid, depth: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = bool(grid.poles[0]), bool(grid.poles[1])
    return y[low : low + depth], y[::-1][high : high + depth]


def _is_even_across(grid: Grid) -> bool:
    """Whether an even grid goes on evenly beyond the poles."""
    y, step = grid.latitude, abs(grid.step or 1.0)
    gaps = [
        (np.pi / 2 - abs(y[end])) * 2
        for end, is_pole, across in zip((0, -1), grid.poles, grid.across, strict=True)
        if across and not is_pole
    ]
    return all(abs(gap - step) < 1e-3 * step for gap in gaps)


def _weights(x: np.ndarray, samples: np.ndarray, at: np.ndarray, n: int, is_even: bool) -> np.ndarray:
    """Return what the samples of each row weigh in the n-th derivative at a point; those of even ones exactly."""
    if is_even:
        firsts, which = np.unique(samples[:, 0] - at, return_inverse=True)
        return np.array([at_origin(tuple(range(i, i + samples.shape[1])), n) for i in firsts.tolist()])[which]
    found = fornberg(list((x[samples] - x[at][:, None]).T), n)
    return np.array(found).T
