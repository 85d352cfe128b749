"""A field on the sphere, done: two sums of samples for each point, in one sweep; the rows at the poles once more."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.dtypes import FIELDS, REAL, division
from numgrad._arrays.plan.fornberg import central
from numgrad._arrays.plan.options import StencilFormula, key_and_values
from numgrad._arrays.plan.schemes import EVEN_STENCIL, POINT_FACTORS, ROW_FACTORS, STENCIL
from numgrad._arrays.plan.types import AxisPlan, Case, Order, Plan, Recipe, Request, inner_of, memory_order
from numgrad._arrays.run.arrange import compact, fill_by_stencils, flat_view
from numgrad.sphere._grid import Grid
from numgrad.sphere._rows import Operator, Rows


class Field(NamedTuple):
    """A call, read, or a part of it: rows from the `start`-th row of `rows` on.

    `sources` are what is derived by longitude and by latitude, of the dtype of the result; `factors` are what these
    derivatives are multiplied by, if anything.
    """

    operator: Operator
    grid: Grid
    rows: Rows
    by_longitude: StencilFormula
    axes: tuple[int, int]
    start: int
    sources: tuple[np.ndarray, ...]
    factors: tuple[np.ndarray, ...]

    @property
    def stop(self) -> int:
        size: int = self.sources[0].shape[self.axes[0]]
        return self.start + size

    def at(self, part: Any) -> tuple[Any, ...]:
        """Return the index of some rows."""
        return (*[slice(None)] * self.axes[0], part)


def fill(field: Field, results: list[np.ndarray], inputs: tuple[Any, ...] = ()) -> None:
    """Fill the results; `inputs` are what must not be overwritten."""
    if not field.sources[0].size:
        return
    rows = field.rows
    ends = field.start == rows.first, field.stop == rows.first + rows.size
    caps = [(end, _cap(field, end)) for end in (0, 1) if ends[end] and field.grid.across[end]]
    _sweep(field, results, inputs)
    for end, found in caps:
        part = field.at(slice(rows.low) if end == 0 else slice(-rows.high, None))
        for result, rows_found in zip(results, found, strict=True):
            result[part] = rows_found
    for end in (0, 1):
        if ends[end] and field.grid.poles[end] and not field.grid.across[end]:
            for result in results:  # there is no east, and nothing beyond to tell the limit by
                result[field.at(-end)] = np.nan


def _cap(field: Field, end: int) -> list[np.ndarray]:
    """Return the results in the rows whose formulas reach across a pole: there, half the longitudes away, are rows."""
    rows, size = field.rows, field.stop - field.start
    need, depth = rows.low + rows.high, max(rows.low, rows.high)
    start = 0 if end == 0 else rows.table.shape[1] - depth - need
    skip = abs(field.grid.poles[end])  # the row of the pole is its own other side
    near, away = (
        (slice(need), slice(skip, skip + depth))
        if end == 0
        else (slice(-need, None), slice(-depth - skip, size - skip))
    )

    def block(f: np.ndarray, sign: int) -> np.ndarray:
        beyond = np.roll(np.flip(f[field.at(away)], field.axes[0]), f.shape[field.axes[1]] // 2, field.axes[1])
        parts = [sign * beyond, f[field.at(near)]]
        return np.concatenate(parts if end == 0 else parts[::-1], field.axes[0])

    sources = [block(f, field.operator.sign) for f in field.sources]
    if skip:
        place = depth if end == 0 else need - 1
        weights = rows.bend[:, start + place].astype(REAL[sources[0].dtype.type])
        samples = [sources[0][field.at(place - rows.low + j)] for j in range(weights.size)]
        sources[0][field.at(place)] = sum(w * f for w, f in zip(weights, samples, strict=True) if w)
    factors = tuple([block(f, 1) for f in field.factors])
    part = field._replace(start=start, sources=(sources[0], sources[1]), factors=factors)
    results = [np.empty_like(sources[0]) for _ in range(field.operator.results)]
    _sweep(part, results, ())
    kept = field.at(slice(depth, depth + rows.low) if end == 0 else slice(rows.low, need))
    return [result[kept] for result in results]


def _sweep(field: Field, results: list[np.ndarray], inputs: tuple[Any, ...]) -> None:
    """Fill the results by formulas that stay within the rows there are; others are NaN, but at an end of the grid."""
    request, factors = request_of(field)
    fill_by_stencils(request, results, (*inputs, *factors) if inputs else ())


def request_of(field: Field) -> tuple[Request, tuple[Any, ...]]:
    """Return the sweep over a field, and the factors of points that it reads beside its sources."""
    f, other = field.sources
    order = None if f.flags.c_contiguous else memory_order(f)
    factors = tuple([flat_view(compact(g, order), order) for g in field.factors])
    spacing, formula = field.grid.longitude, field.by_longitude
    key, given = key_and_values(spacing, "longitude", formula.n, formula.most_points, f.dtype)
    is_even = isinstance(spacing, float)
    taps = len(central(formula.n, formula.accuracy)[0]) if is_even else formula.points, field.rows.table.shape[0]
    plan = plan_of(f.dtype, f.shape, order, field.axes, taps, is_even, bool(factors), field.operator.results)
    east, north = plan.axes
    period = 0.0 if is_even or not field.grid.closes else 2 * np.pi
    case = Case(east.recipe, east.n, east.inner, formula, period, 1.0, None if is_even else key)
    made = east.recipe.schemes[0].coefficients(case, (), given)
    rows = field.rows.factors[field.start : field.stop]
    of_points = factors or (np.empty(0, f.dtype),) * 2
    made = ROW_FACTORS.coefficients(case, made, (rows, north.inner, of_points[0]))
    below = _by_latitude(field, REAL[f.dtype.type])
    if factors:
        below = ROW_FACTORS.coefficients(case, below, (np.ones(north.n), north.inner, of_points[1]))
    return Request(plan, f, f, order, (made, below), (other,)), factors


def _by_latitude(field: Field, real: Any) -> tuple[Any, ...]:
    """Return the weights of rows, and those of the first and the last ones."""
    rows, start, stop = field.rows, field.start, field.stop
    places = np.r_[start : start + rows.low, stop - rows.high : stop]
    weights, samples = np.full(rows.ends[0].shape, np.nan), np.repeat(places[:, None], rows.ends[0].shape[1], 1)
    for part, is_end in (
        (slice(rows.low), start == rows.first == 0),
        (slice(rows.low, None), stop == rows.first + rows.size == rows.table.shape[1]),
    ):
        if is_end:
            weights[part], samples[part] = rows.ends[0][part], rows.ends[1][part]
    table = np.ascontiguousarray(rows.table[:, start:stop], real)
    return table, rows.low, (weights.astype(real), samples - start, rows.low)


@lru_cache(256)
def plan_of(
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, axes: tuple[int, int], taps: tuple[int, int],
    is_even: bool, has_factors: bool, results: int,
) -> Plan:  # fmt: skip
    """Return the plan of a sweep: the derivative by longitude, times what its rows have, and that by latitude."""
    field = FIELDS[dtype]

    def along(place: int, schemes: tuple[Any, ...], adds: bool, target: int) -> AxisPlan:
        axis = axes[1 - place]
        recipe = Recipe(schemes, dtype, field, REAL[field], division(field), taps[place], 0, adds)
        inner = inner_of(shape, order, axis)
        return AxisPlan(axis, place, shape[axis], inner, recipe, _as_given, place, target)

    around = (POINT_FACTORS,) if has_factors else ()
    east = along(0, (EVEN_STENCIL if is_even else STENCIL, *(around or (ROW_FACTORS,))), False, 0)
    return Plan(np.dtype(field), (east, along(1, (STENCIL, *around), results == 1, results - 1)))


def _as_given(constants: tuple[Any, ...]) -> tuple[Any, ...]:
    return constants
