"""What kernels need of a spacing, beside the memory: divisors, weights, tables."""

import math
from operator import mul
from typing import Any

import numpy as np

from numgrad._arrays.kernels.coordinates import fill_rows, fill_table, window
from numgrad._arrays.kernels.edges import with_edges
from numgrad._arrays.kernels.quotient import smith
from numgrad._arrays.kernels.short import short
from numgrad._arrays.kernels.uniform import uniform
from numgrad._arrays.plan.compose import Recipe, weighing
from numgrad._arrays.plan.dtypes import ARGUMENT, REAL
from numgrad._arrays.plan.fornberg import at_origin, central
from numgrad._arrays.plan.options import BOUNDARIES, Formula
from numgrad._arrays.plan.spacing import ready
from numgrad._compile.jit import entry_point
from numgrad._system.threads import get_num_threads, share

# Elements of the table of `_kernels.short`: some whole blocks.
PERIOD = 256


@np.errstate(all="ignore")  # NumPy's warnings are of what it computes; the kernels have none
def of_number(recipe: Recipe, n: int, inner: int, h: Any) -> tuple[Any, ...]:
    """Constants for a spacing `h` of which 2 h and 1 / h are finite and not zero in the precision of the work."""
    argument, real = ARGUMENT[recipe.work], REAL[recipe.work]
    width, step = float(real(2.0 * h)), float(real(h))
    if recipe.divide is mul:
        width, step = 1 / width, 1 / step
    constants: tuple[Any, ...] = (argument(width), argument(step))
    ends = None
    if with_edges in recipe.functions:
        a, b, c = -1.5 / h, 2.0 / h, -0.5 / h
        ends = np.array((a, b, c, -c, -b, -a), real)
        constants = ends, constants
    if recipe.functions[-1] is short:
        divisors = np.full(n, width, real)
        divisors[[0, -1]] = step
        if recipe.divide is smith:
            divisors = 1 / divisors
        constants = _table(inner, divisors, None, ends), constants
    return constants


def of_coordinates(recipe: Recipe, inner: int, x: np.ndarray) -> tuple[Any, ...]:
    """Constants for coordinates that are ready for a kernel."""
    constants: tuple[Any, ...] = (x,)
    if len(recipe.functions) == 1:
        return constants
    ends = None
    if with_edges in recipe.functions:
        ends = _end_weights(x[:3], x[-3:])
        constants = (ends, constants)
    if recipe.functions[-1] is short:
        with np.errstate(all="ignore"):  # a step of zero is found by the kernel
            d = np.diff(x)
            p, q = d[:-1], d[1:]
            inside = np.array((-q / (p * (p + q)), (q - p) / (p * q), p / (q * (p + q))))
            # Of the precision of the quotient; weights are found in that of the coordinates.
            divisors = np.ones(x.size, REAL[recipe.work])
            divisors[[0, -1]] = d[[0, -1]]
            if recipe.divide is smith:
                divisors = 1 / divisors
        constants = _table(inner, divisors, inside, ends), constants
    return constants


def of_rows(recipe: Recipe, constants: tuple[Any, ...], x: np.ndarray) -> Any:
    """Weights at the ends and divisors for `_kernels.strided`; None if a step of coordinates at an end is zero."""
    ends = np.zeros(6, recipe.real)
    if recipe.functions[0] is uniform:
        for wrapper in recipe.functions[:0:-1]:
            first, constants = constants
            ends = first if wrapper is with_edges else ends
        width, step = constants
        return ends, (width, step, step)
    low, high = ready(x[:3]), ready(x[-3:])
    steps = low[1] - low[0], high[-1] - high[-2]
    if with_edges in recipe.functions:
        ends = _end_weights(low, high)
    argument = ARGUMENT[recipe.work]
    return (ends, (argument(1), *map(argument, steps))) if all(steps) else None


def _end_weights(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Weights of the three points at either end; those of the high end are the low end's, mirrored and negated."""
    with np.errstate(all="ignore"):
        a, b, c = _one_sided(low[1] - low[0], low[2] - low[1])
        d, e, g = _one_sided(high[-1] - high[-2], high[-2] - high[-3])
    return np.array((a, b, c, -g, -e, -d))


def _one_sided(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """Weights of f[0], f[1], f[2] for the derivative at x[0]; p and q are the first two steps."""
    return -(2.0 * p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))


def _table(inner: int, divisors: np.ndarray, inside: np.ndarray | None, ends: np.ndarray | None) -> np.ndarray:
    """Return the table of `_kernels.short`: of the weights inside and at the ends, those that are used."""
    n = divisors.size
    table = np.zeros((7, n), divisors.dtype)
    table[0, 0] = table[1, -1] = 1
    table[2] = divisors
    if inside is not None:
        table[3, 1:-1], table[4:, 1:-1] = 1, inside
    if ends is not None:
        table[3, [0, -1]], table[4:, [0, -1]] = 1, ends.reshape(2, 3).T
    return np.ascontiguousarray(np.tile(np.repeat(table, inner, axis=1), PERIOD // (n * inner)))


# Points whose weights are found in one thread.
PARALLEL = 1 << 15


def reach_of(formula: Formula, is_even: bool) -> tuple[int, int]:
    """How many neighbours to either side a point inside needs; an even grid has a symmetry that saves some."""
    if is_even:
        reach = (formula.n + 1) // 2 + formula.accuracy // 2 - 1
        return reach, reach
    count = formula.n + formula.accuracy
    return count // 2, count - 1 - count // 2


def _of_number(h: float, size: int, inner: int, formula: Formula, real: Any, factor: float) -> tuple[Any, ...]:
    power = float(h**formula.n)
    (offsets, weights), found, samples, low = unit_weights(formula, size)
    steps = tuple([np.int64(o) * inner for o in offsets])
    return (
        steps,
        tuple([real(factor * w / power) for w in weights]),
        _rows(factor * found / power, samples % size, low, real),
    )


def unit_weights(formula: Formula, size: int) -> tuple[Any, np.ndarray, np.ndarray, int]:
    """Return, for a distance of 1, the offsets and weights inside, and the weights at the ends with `end_samples`."""
    stencil = central(formula.n, formula.accuracy)
    places, low = end_places(formula, size, is_even=True)
    samples = end_samples(formula, places, low, size, stencil[0])
    found = np.full(samples.shape, np.nan)
    if formula.boundary != "nan":
        found = np.array([at_origin(tuple(row), formula.n) for row in (samples - places[:, None]).tolist()])
    return stencil, found, samples, low


def _of_table(
    formula: Formula, period: float, real: Any, factor: float, scaled: bool, x: np.ndarray
) -> tuple[Any, ...]:
    """Weights of all points of the same lines: of those inside a column of a table each."""
    low, high = reach_of(formula, is_even=False)
    count, size = low + high + 1, x.size
    table = np.zeros((count, size))
    kernel = weighing(fill_table, count, formula.n, scaled)
    scale = factor * math.factorial(formula.n)

    def fill(parts: Any) -> None:
        for a, b in parts:
            arguments = (x, table, low, a, b, scale)
            entry_point(kernel, *arguments)(*arguments)

    parts = [(a, min(a + PARALLEL, size - high)) for a in range(low, size - high, PARALLEL)]
    share(fill, parts, 1 if len(parts) < 2 else get_num_threads())
    places, low_rows = end_places(formula, size, is_even=False)
    samples = end_samples(formula, places, low_rows, size)
    found = np.full(samples.shape, np.nan)
    if formula.boundary != "nan":
        rows = x, found, places, samples[:, 0].copy(), period, scale
        kernel = weighing(fill_rows, 0, formula.n, scaled)
        entry_point(kernel, *rows)(*rows)
    return table.astype(real, copy=False), low, _rows(found, samples % size, low_rows, real)


def _of_lines(formula: Formula, period: float, factor: float, x: np.ndarray) -> tuple[Any, ...]:
    """What a kernel needs that finds the weights of each point itself."""
    low, _ = reach_of(formula, is_even=False)
    ends = BOUNDARIES[formula.boundary], formula.n + formula.edges, period
    return x, factor * math.factorial(formula.n), low, ends


def _with_gaps(constants: Any, spacing: Any, size: int, formula: Formula, period: float, given: Any) -> tuple[Any, ...]:
    """Return the constants of a kernel with `_kernels.gapped` around it; on even grids a point's number is its x."""
    is_even = isinstance(spacing, float)
    ends = *reach_of(formula, is_even), formula.n + formula.edges, formula.interval_needed, BOUNDARIES[formula.boundary]
    factor = float(math.factorial(formula.n))
    if is_even:
        return np.arange(float(size)), (*ends, float(size), factor / spacing**formula.n, False), constants
    return given, (*ends, period, factor, spacing.are_own), constants(given)


def end_places(formula: Formula, size: int, is_even: bool) -> tuple[np.ndarray, int]:
    """Return the points at the ends, and how many of them are at the low one."""
    low, high = reach_of(formula, is_even)
    low = min(low, (size + 1) // 2)
    return np.array([*range(low), *range(max(low, size - high), size)], np.int64), low


def end_samples(formula: Formula, places: np.ndarray, low: int, size: int, offsets: tuple[Any, ...] = ()) -> np.ndarray:
    """For each point at an end its samples; those around the end of a period are below 0 or from `size` on.

    An even grid goes on around by its `offsets`.
    """
    if formula.boundary == "periodic":
        taps = offsets or np.arange(formula.n + formula.accuracy) - reach_of(formula, is_even=False)[0]
        return places[:, None] + np.array(taps, np.int64)
    if formula.boundary == "nan":
        return places[:, None]
    count = formula.n + formula.edges
    firsts = [window(i, i, size - 1 - i, r < low, count) for r, i in enumerate(places.tolist())]
    return np.array(firsts, np.int64)[:, None] + np.arange(count)


def _rows(found: np.ndarray, samples: np.ndarray, low: int, real: Any) -> tuple[np.ndarray, np.ndarray, int]:
    return np.ascontiguousarray(found, real).reshape(samples.shape), samples, low
