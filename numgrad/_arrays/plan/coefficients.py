"""Coefficients: the divisors, weights and tables that a kernel gets for a spacing."""

import math
from operator import mul
from typing import Any, NamedTuple

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

_FLOAT64 = np.dtype(np.float64)
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
    try:
        if low.dtype == _FLOAT64:  # Python's numbers have the same bits, in a tenth of the time
            return _end_weights(low.tolist(), high.tolist())
    except ZeroDivisionError:
        pass
    with np.errstate(all="ignore"):
        return _end_weights(low, high)


def _end_weights(low: Any, high: Any) -> np.ndarray:
    a, b, c = one_sided(low[1] - low[0], low[2] - low[1])
    d, e, g = one_sided(high[-1] - high[-2], high[-2] - high[-3])
    return np.array((a, b, c, -g, -e, -d))


# Elements of the workspace of a kernel.
WORKSPACE = 3 * int(TILE)
# Longer windows have so many weights at the ends that a plan does not keep them: they are made in each call.
KEPT = 41
# So many grids of so few points have their weights kept.
SMALL, GRIDS = 64, 4
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


class Table(NamedTuple):
    """What the weights of all points of the same lines take that their coordinates have no part in."""

    kernel: Draft
    scale: float
    low: int  # how many neighbours below a point inside needs
    high: int
    ends: np.ndarray  # points whose weights are to be found
    firsts: np.ndarray  # their first samples
    samples: np.ndarray
    low_rows: int
    kept: dict[bytes, Made]  # what has been made of a few coordinates


def kept_table_of(case: Case) -> Table | None:
    """Return what a plan keeps of a table; None if it is too much."""
    return None if case.formula.window > KEPT else table_of(case)


def table_of(case: Case) -> Table:
    """Return what is known of a table before coordinates are."""
    formula = case.formula
    low, high = reach_of(formula, is_even=False)
    if formula.window:
        kernel = draft(fill_weights, TAPS=0, ORDER=formula.n, SCALED=False, **fitting(formula.window, formula.degree))
    else:
        kernel = weighing(fill_weights, low + high + 1, formula.n, case.key.are_extreme)
    places, low_rows = end_places(formula, case.n, is_even=False)
    samples = end_samples(formula, places, low_rows, case.n)
    ends = places if formula.boundary != "nan" else places[:0]
    scale = case.factor * math.factorial(formula.n)
    return Table(kernel, scale, low, high, ends, samples[:, 0].copy(), samples % case.n, low_rows, {})


def of_stencil(case: Case, inside: Made, x: np.ndarray) -> tuple[Any, ...]:
    """A table of the weights of all points of the same lines, those of one in a column, and the rows at the ends.

    Those of few points are kept for a while, as are the weights for a number: most calls are on the same grid.
    """
    known: Table = case.ready or table_of(case)
    if x.size > SMALL or case.ready is None:
        return _table(case, known, x)
    seen = x.tobytes()
    made = known.kept.get(seen)
    if made is None:
        if len(known.kept) == GRIDS:
            known.kept.clear()
        made = known.kept[seen] = _table(case, known, x)
    return made


def _table(case: Case, known: Table, x: np.ndarray) -> Made:
    rows, low = known.samples.shape, known.low
    table, found = np.zeros((low + known.high + 1, x.size)), np.empty(rows)
    if len(known.ends) < rows[0]:
        found.fill(np.nan)
    stop = max(low, x.size - known.high)
    if stop - low <= PARALLEL:
        _fill_table(case, known, x, table, found, low, stop)
    else:
        _fill_in_parts(case, known, x, table, found, low, stop)
    real = REAL[case.recipe.work]
    if case.squared or real is not np.float64:
        table, found = (_used(case, w).astype(real, copy=False) for w in (table, found))
    return table, low, (found, known.samples, known.low_rows)


def _fill_table(
    case: Case, known: Table, x: np.ndarray, table: np.ndarray, found: np.ndarray, start: int, stop: int
) -> None:
    kernel, scale, low, _, ends, firsts, samples, *_ = known
    if start != low:  # the first part does the ends, too
        ends = ends[:0]
    work = (stop - start) * len(table) ** 2 + len(ends) * samples.shape[1] ** 2
    call(kernel, work, x, table, low, start, stop, found, ends, firsts, case.period, scale)


def _fill_in_parts(case: Case, known: Table, x: Any, table: Any, found: Any, start: int, stop: int) -> None:
    def fill(parts: Any) -> None:
        for a, b in parts:
            _fill_table(case, known, x, table, found, a, b)

    share(fill, [(a, min(a + PARALLEL, stop)) for a in range(start, stop, PARALLEL)], get_num_threads())


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
