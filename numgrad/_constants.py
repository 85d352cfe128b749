"""What kernels need of a spacing, beside the memory: divisors, weights, tables."""

from operator import mul
from typing import Any

import numpy as np

from numgrad._kernels.edges import with_edges
from numgrad._kernels.quotient import smith
from numgrad._kernels.short import short
from numgrad._kernels.uniform import uniform
from numgrad._recipe import ARGUMENT, REAL, Recipe
from numgrad._spacing import ready

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
