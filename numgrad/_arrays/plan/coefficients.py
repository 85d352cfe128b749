"""Coefficients: the divisors, weights and tables that a kernel gets for a spacing."""

import math
from operator import mul
from typing import Any

import numpy as np

from numgrad._arrays.kernels.coordinates import fill_weights, window
from numgrad._arrays.kernels.edges import one_sided
from numgrad._arrays.kernels.nonuniform import three_points
from numgrad._arrays.kernels.quotient import smith
from numgrad._arrays.kernels.smoothing import weigh_fitted
from numgrad._arrays.plan.dtypes import ARGUMENT, REAL
from numgrad._arrays.plan.fornberg import at_origin, central, symmetric
from numgrad._arrays.plan.gram import of_window
from numgrad._arrays.plan.options import BOUNDARIES, StencilFormula
from numgrad._arrays.plan.types import Case, Lines, Made, Recipe
from numgrad._compile.jit import Draft, Kernel, draft
from numgrad._compile.stand_ins import ROOM, TILE
from numgrad._compile.tiers import call
from numgrad._system.threads import get_num_threads, share

# Elements of the table of `kernels.short`: some whole blocks.
PERIOD = 256


def of_number(case: Case, inside: Made, h: Any) -> tuple[Any, ...]:
    """The divisors 2 h and h, or their reciprocals; all are finite and not zero in the precision of the work."""
    return tuple(map(ARGUMENT[case.recipe.work], _divisors(case.recipe, h)))


def of_coordinates(case: Case, inside: Made, x: np.ndarray) -> tuple[Any, ...]:
    """Coordinates that are ready for a kernel."""
    return (x,)


def of_edges(case: Case, inside: Made, spacing: Any) -> tuple[Any, ...]:
    """Weights of the three points at either end, for derivatives of second order there."""
    if type(spacing) is np.ndarray:
        return end_weights(spacing[:3], spacing[-3:]), inside
    with np.errstate(all="ignore"):  # NumPy's warnings are of what it computes; the kernels have none
        a, b, c = -1.5 / spacing, 2.0 / spacing, -0.5 / spacing
        return np.array((a, b, c, -c, -b, -a), REAL[case.recipe.work]), inside


@np.errstate(all="ignore")
def of_short_lines(case: Case, inside: Made, spacing: Any) -> tuple[Any, ...]:
    """The table of `kernels.short`: for each element of some whole blocks the divisor, and weights where there are."""
    recipe = case.recipe
    table = np.zeros((8, case.n), REAL[recipe.work])  # of the precision of the quotient
    table[0, 0] = table[1, -1] = 1
    if type(spacing) is np.ndarray:
        d = np.diff(spacing)
        table[2, 1:-1], table[2, [0, -1]] = 1, d[[0, -1]]
        table[3, 1:-1], table[4:7, 1:-1] = 1, three_points(d[:-1], d[1:])  # in the precision of the coordinates
        table[7] = warns(spacing)
    else:
        width, step = _divisors(recipe, spacing)
        table[2, 1:-1], table[2, [0, -1]] = width, step
    if recipe.divide is smith:
        table[2] = 1 / table[2]
    if len(recipe.schemes) > 2:  # the ends have weights, too
        table[3, [0, -1]], table[4:7, [0, -1]] = 1, inside[0].reshape(2, 3).T
    whole = np.tile(np.repeat(table, case.inner, axis=1), PERIOD // (case.n * case.inner))
    return np.ascontiguousarray(whole), inside


def warns(x: np.ndarray) -> bool:
    """Whether NumPy divides by zero for these coordinates: two steps are none, or go there and back."""
    return bool((x[1:] == x[:-1]).any() or (np.diff(x)[1:] == -np.diff(x)[:-1]).any())


@np.errstate(all="ignore")
def _divisors(recipe: Recipe, h: Any) -> tuple[float, float]:
    """2 h and h, or their reciprocals, to be multiplied by."""
    real = REAL[recipe.work]
    width, step = float(real(2.0 * h)), float(real(h))
    return (1 / width, 1 / step) if recipe.divide is mul else (width, step)


def end_weights(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Weights of the three points at either end; those of the high end are the low end's, mirrored and negated."""
    with np.errstate(all="ignore"):
        a, b, c = one_sided(low[1] - low[0], low[2] - low[1])
        d, e, g = one_sided(high[-1] - high[-2], high[-2] - high[-3])
    return np.array((a, b, c, -g, -e, -d))


# Elements of the workspace of a kernel.
WORKSPACE = 3 * int(TILE)
# Points whose weights are found in one thread.
PARALLEL = 1 << 15


def reach_of(formula: StencilFormula, is_even: bool) -> tuple[int, int]:
    """How many neighbours to either side a point inside needs; an even grid has a symmetry that saves some."""
    if is_even and not formula.window:
        reach = symmetric(formula.n, formula.accuracy)[-1]
        return reach, reach
    return formula.points // 2, formula.points - 1 - formula.points // 2


def of_even_stencil(case: Case, inside: Made, h: float) -> tuple[Any, ...]:
    """Distances in memory and weights of the taps inside, and the rows of weights at the ends."""
    formula, real, size = case.formula, REAL[case.recipe.work], case.n
    power = float(h**formula.n)
    (offsets, weights), found, samples, low = unit_weights(formula, size)
    return (
        tuple([np.int64(o) * case.inner for o in offsets]),
        tuple([real(_used(case, case.factor * w / power)) for w in weights]),
        _rows(case, case.factor * found / power, samples % size, low),
    )


def of_even_window(case: Case, _: Made, h: float) -> tuple[Any, ...]:
    """Distances in memory and weights of the taps inside, and the rows of weights at the ends."""
    formula, size = case.formula, case.n
    half, power = formula.window // 2, float(h**formula.n)
    weights = of_window(formula.window, formula.degree, formula.n)
    places, low = end_places(formula, size, is_even=True)
    samples = end_samples(formula, places, low, size)
    found = np.full(samples.shape, np.nan)
    if formula.boundary == "one-sided":
        found = weights[places - samples[:, 0]]
    elif formula.boundary == "periodic":
        found = np.broadcast_to(weights[half], samples.shape)
    (taps,) = np.nonzero(weights[half])
    inside = _used(case, weights[half, taps] / power).astype(REAL[case.recipe.work])
    return (taps - half) * case.inner, inside, _rows(case, found / power, samples % size, low)


def unit_weights(formula: StencilFormula, size: int) -> tuple[Any, np.ndarray, np.ndarray, int]:
    """Return, for a distance of 1, the offsets and weights inside, and the weights at the ends with `end_samples`."""
    stencil = central(formula.n, formula.accuracy)
    places, low = end_places(formula, size, is_even=True)
    samples = end_samples(formula, places, low, size, stencil[0])
    found = np.full(samples.shape, np.nan)
    if formula.boundary != "nan":
        found = np.array([at_origin(tuple(row), formula.n) for row in (samples - places[:, None]).tolist()])
    return stencil, found, samples, low


def of_stencil(case: Case, inside: Made, x: np.ndarray) -> tuple[Any, ...]:
    """A table of the weights of all points of the same lines, those of one in a column, and the rows at the ends."""
    formula = case.formula
    low, high = reach_of(formula, is_even=False)
    count, size = low + high + 1, x.size
    table = np.zeros((count, size))
    if formula.window:
        kernel = draft(fill_weights, TAPS=0, ORDER=formula.n, SCALED=False, **fitting(formula.window, formula.degree))
    else:
        kernel = weighing(fill_weights, count, formula.n, case.key.are_extreme)
    scale = case.factor * math.factorial(formula.n)
    places, low_rows = end_places(formula, size, is_even=False)
    samples = end_samples(formula, places, low_rows, size)
    found = np.full(samples.shape, np.nan)
    firsts = samples[:, 0].copy()
    ends = places if formula.boundary != "nan" else places[:0]

    def fill(parts: Any) -> None:
        for a, b in parts:
            some = ends if a == low else ends[:0]
            work = (b - a) * count**2 + some.size * samples.shape[1] ** 2
            call(kernel, work, x, table, low, a, b, found, some, firsts, case.period, scale)

    parts = [(a, min(a + PARALLEL, size - high)) for a in range(low, size - high, PARALLEL)] or [(low, low)]
    share(fill, parts, 1 if len(parts) < 2 else get_num_threads())
    table = _used(case, table).astype(REAL[case.recipe.work], copy=False)
    return table, low, _rows(case, found, samples % size, low_rows)


def of_own_stencils(case: Case, inside: Made, x: np.ndarray) -> tuple[Any, ...]:
    """The coordinates, and how the ends are done: this kernel finds the weights of each point itself."""
    formula = case.formula
    low, _ = reach_of(formula, is_even=False)
    ends = BOUNDARIES[formula.boundary], formula.interval_needed, case.period
    return x, case.factor * math.factorial(formula.n), low, ends


def of_gaps(case: Case, inside: Made, spacing: Any) -> tuple[Any, ...]:
    """Coordinates and numbers to find weights beside gaps by; on even grids the number of a point is its coordinate."""
    formula, is_even = case.formula, isinstance(spacing, float)
    needed = formula.interval_needed
    ends = *reach_of(formula, is_even), needed, needed, BOUNDARIES[formula.boundary]
    factor = float(math.factorial(formula.n))
    if is_even:
        return np.arange(float(case.n)), (*ends, float(case.n), factor / spacing**formula.n, False), inside
    return spacing, (*ends, case.period, factor, case.key.are_own), inside


def of_lines(case: Case, inside: Made, lines: Lines) -> tuple[Any, ...]:
    """Coordinates of lines of any lengths, where these begin, and the rest of what the kernel of a line takes."""
    _, *rest = inside
    if isinstance(rest[-1][0], np.ndarray):  # of the kernel that `gapped` is around
        rest[-1] = rest[-1][1:]
    return *lines, tuple(rest)


def of_factors(case: Case, inside: Made, given: Any) -> tuple[Any, ...]:
    """Factors along another axis, how far apart its neighbours are in memory, and factors of all points, if any."""
    rows, apart, factors = given
    return np.ascontiguousarray(rows, REAL[case.recipe.work]), apart, factors, inside


def weighing(function: Kernel, taps: int, order: int, scaled: bool) -> Draft:
    """Return the draft of the kernel that fills a table of weights of points, or rows of those at the ends."""
    return draft(function, TAPS=taps, ORDER=order, SCALED=scaled)


def fitting(window: int, degree: int) -> dict[str, Any]:
    """Return what is bound in a kernel that finds weights of polynomials of this degree by least squares."""
    batch = next(b for b in (64, 32, 16, 8, 4, 2) if (3 * degree + 2) * b <= WORKSPACE and 3 * window * b <= ROOM)
    return {"weigh": weigh_fitted, "DEGREE": degree, "BATCH": np.uintp(batch)}


def end_places(formula: StencilFormula, size: int, is_even: bool) -> tuple[np.ndarray, int]:
    """Return the points at the ends, and how many of them are at the low one."""
    low, high = reach_of(formula, is_even)
    low = min(low, (size + 1) // 2)
    return np.array([*range(low), *range(max(low, size - high), size)], np.int64), low


def end_samples(
    formula: StencilFormula, places: np.ndarray, low: int, size: int, offsets: tuple[Any, ...] = ()
) -> np.ndarray:
    """For each point at an end its samples; those around the end of a period are below 0 or from `size` on.

    An even grid goes on around by its `offsets`.
    """
    if formula.boundary == "periodic":
        taps = offsets or np.arange(formula.points) - reach_of(formula, is_even=False)[0]
        return places[:, None] + np.array(taps, np.int64)
    if formula.boundary == "nan":
        return places[:, None]
    count = formula.interval_needed
    firsts = [window(i, i, size - 1 - i, r < low, count) for r, i in enumerate(places.tolist())]
    return np.array(firsts, np.int64)[:, None] + np.arange(count)


def _used(case: Case, weights: Any) -> Any:
    """Return what samples are multiplied by: their weights, or for a variance the squares."""
    return weights * weights if case.squared else weights


def _rows(case: Case, found: np.ndarray, samples: np.ndarray, low: int) -> tuple[np.ndarray, np.ndarray, int]:
    used = np.ascontiguousarray(_used(case, found), REAL[case.recipe.work])
    return used.reshape(samples.shape), samples, low
