"""A field as a sum of derivatives: read, planned, and run."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.known import Known, Limits, Several, Single, limits_of, may_be_kept, steps
from numgrad._arrays.plan.dispatch import axis_plan
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.options import (
    Coordinates,
    StencilFormula,
    Wanted,
    check_length,
    key_and_values,
    read_formula,
    read_period,
    read_samples,
    read_spacing,
)
from numgrad._arrays.plan.types import AxisPlan, Order, Plan, Request, Term, memory_order
from numgrad._arrays.run.arrange import fill_by_stencils
from numgrad._checks import refuse_units
from numgrad._system.memory import copy, may_share
from numgrad._system.out import check


class Result(NamedTuple):
    """The blocks of a result: those of `leading`, sums of `terms` of the components, and of `mixed` ones of these."""

    leading: tuple[int, ...]
    terms: Sequence[Term]
    mixed: Sequence[Term] = ()


class Sweep(NamedTuple):
    """Terms that are done together, with their `sources` and `targets`, by whose places in these the terms name them.

    Sources are the components and, behind them, the blocks of the result, which are the targets.
    """

    terms: tuple[Term, ...]
    sources: tuple[int, ...]
    targets: tuple[int, ...]


def sweep_of(terms: Sequence[Term], sources: Sequence[int]) -> Sweep:
    used = sorted({t.target for t in terms})
    numbered = [t._replace(target=used.index(t.target)) for t in terms]
    return Sweep(tuple(numbered), tuple(sources), tuple(used))


class Field(NamedTuple):
    """A call, read: components and their axes of space, what each axis has, the terms, and the shape of the result."""

    components: tuple[np.ndarray, ...]
    order: Order
    axes: tuple[int, ...]
    spacings: tuple[float | Coordinates, ...]
    formulas: tuple[StencilFormula, ...]
    periods: tuple[float, ...]
    terms: tuple[Term, ...]
    mixed: tuple[Term, ...]
    shape: tuple[int, ...]

    def with_own_coordinates(self, out: np.ndarray) -> "Field":
        """Copy coordinates that may share memory with `out`."""
        spacings = [
            s._replace(x=s.x.copy()) if isinstance(s, Coordinates) and may_share(s.x, out) else s for s in self.spacings
        ]
        return self._replace(spacings=tuple(spacings))

    @property
    def blocks(self) -> int:
        """How many blocks the result has."""
        return math.prod(self.shape[: len(self.shape) - self.components[0].ndim])

    @property
    def sweeps(self) -> list["Sweep"]:
        """The terms that are done together."""
        count, before = len(self.axes), len(self.components)
        found = [sweep_of(self.terms, range(before))]
        if self.mixed:
            found.append(sweep_of(self.mixed, range(before + count, before + count * count, count)))
        return found

    @property
    def copies(self) -> list[tuple[int, int]]:
        """Which blocks are like which others: from mixed derivatives the order of which is the other one."""
        count = len(self.axes)
        return [(t.target, t.target % count * count + t.target // count) for t in self.mixed]

    def request(self, sweep: Sweep, blocks: Sequence[np.ndarray] | None = None) -> Request:
        """Return what the kernels need; without `blocks`, of some that are like those of the result."""
        if blocks is None:
            blocks = [_blocks((), self.components[0], self.order, FIELDS[self.components[0].dtype])] * self.blocks
        sources = [(*self.components, *blocks)[i] for i in sweep.sources]
        f = sources[0]
        split = [
            key_and_values(spacing, name, formula.n, formula.most_points, f.dtype)
            for spacing, name, formula in zip(self.spacings, _names(len(self.axes)), self.formulas, strict=True)
        ]
        keys, given = zip(*split, strict=True)
        wanted = tuple(map(Wanted, self.axes, keys, self.formulas, self.periods))
        plan = plan_of(f.dtype, f.shape, self.order, wanted, sweep.terms)
        return Request(plan, f, f, self.order, given, tuple(sources[1:]))


def read_laplacian(f: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    f = read_samples(f, "f")
    axes = _axes(axis, f.ndim)
    terms = [Term(0, place, 2, 0) for place in range(len(axes))]
    return _read((f,), axes, spacing, Result((), terms), **options)


def read_divergence(v: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    components, axes = _vector(v, axis)
    if len(components) != len(axes):
        raise ValueError(f"`v` has {len(components)} components, a divergence along {len(axes)} axes needs as many")
    terms = [Term(i, i, 1, 0) for i in range(len(axes))]
    return _read(components, axes, spacing, Result((), terms), **options)


def read_curl(v: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    components, axes = _vector(v, axis)
    if len(axes) not in (2, 3):
        raise ValueError(f"`v` has {len(axes)} axes of space; a curl is of 2 or 3, `axis` names them")
    if len(components) != len(axes):
        raise ValueError(f"`v` has {len(components)} components, a curl along {len(axes)} axes needs as many")
    if len(axes) == 2:
        return _read(components, axes, spacing, Result((), [Term(1, 0, 1, 0), Term(0, 1, 1, 0, -1.0)]), **options)
    terms = []
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        terms += [Term(k, j, 1, i), Term(j, k, 1, i, -1.0)]
    return _read(components, axes, spacing, Result((3,), terms), **options)


def read_jacobian(v: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    components, axes = _vector(v, axis)
    count = len(axes)
    terms = [Term(i, j, 1, i * count + j) for i in range(len(components)) for j in range(count)]
    return _read(components, axes, spacing, Result((len(components), count), terms), **options)


def read_hessian(f: Any, *spacing: Any, axis: Any = None, **options: Any) -> Field:
    """Read the arguments of `hessian`: at [j, 0] are first derivatives along j, and from these come the mixed ones."""
    f = read_samples(f, "f")
    axes = _axes(axis, f.ndim)
    count = len(axes)
    terms = [Term(0, i, 2, i * count + i) for i in range(count)]
    terms += [Term(0, j, 1, j * count) for j in range(1, count)]
    mixed = [Term(j - 1, i, 1, i * count + j) for j in range(1, count) for i in range(j)]
    return _read((f,), axes, spacing, Result((count, count), terms, mixed), **options)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        axis = range(ndim)
    axes = np.lib.array_utils.normalize_axis_tuple(axis, ndim, "axis")
    if not axes:
        raise ValueError("`axis` is empty and `f` has no dimensions, or there are no axes; give at least one")
    return axes


def _vector(v: Any, axis: Any) -> tuple[tuple[np.ndarray, ...], tuple[int, ...]]:
    """Return the components and their axes of space; the given ones count that of the components, which is 0."""
    if not isinstance(v, (np.ndarray, list, tuple)):
        refuse_units(v, "v")
        v = list(v) if isinstance(v, Iterator) else np.asarray(v)
    if len(v) == 0 if isinstance(v, (list, tuple)) else v.ndim == 0 or len(v) == 0:
        raise ValueError("`v` has no components; give them along its first axis")
    components = tuple([read_samples(c, "v") for c in v])
    dtype = np.result_type(*components)
    shape = components[0].shape
    for i, c in enumerate(components):
        if c.shape != shape:
            raise ValueError(f"`v` has components of shapes {shape} and {c.shape}, the {i}-th; give the same for all")
    components = tuple([c.astype(dtype, copy=False) for c in components])
    if axis is None:
        return components, _axes(None, len(shape))
    axes = _axes(axis, len(shape) + 1)
    if 0 in axes:
        raise ValueError(f"`axis` is {axis}, but axis 0 of `v` holds the components; name axes after it")
    return components, tuple([a - 1 for a in axes])


def _read(
    components: tuple[np.ndarray, ...], axes: tuple[int, ...], spacing: tuple[Any, ...], result: Result, *,
    accuracy: Any = 2, boundary: Any = "one-sided", period: Any = None,
) -> Field:  # fmt: skip
    f, count = components[0], len(axes)
    order = None if f.flags.c_contiguous else memory_order(f)
    if len(spacing) not in (0, 1, count):
        raise ValueError(f"there are {len(spacing)} spacings for {count} axes; give one for each, one number, or none")
    if len(spacing) == 1 and count > 1 and np.ndim(spacing[0]):
        raise ValueError(f"coordinates are given for one of {count} axes; give a spacing for each")
    given = spacing_of_each(spacing, count)
    refuse_units(period, "period")
    boundaries, periods = _each(boundary, count, "boundary"), _each(period, count, "period")
    is_each = hasattr(period, "__len__") and not isinstance(period, str)
    formulas, spacings, lengths = [], [], []
    for place, a in enumerate(axes):
        formulas.append(read_formula(max(t.n for t in result.terms), accuracy, boundaries[place]))
        spacings.append(read_spacing(given[place], _names(count)[place], f.shape, a, order, lines=False))
        is_needed = boundaries[place] == "periodic" and isinstance(spacings[-1], Coordinates)
        own = periods[place] if is_needed or is_each else None
        check_length(formulas[-1], a, f.shape[a])
        lengths.append(read_period(own, spacings[-1], formulas[-1], f.shape[a]))
    if period is not None and not is_each and not any(lengths):
        raise ValueError(f"`period` is {period}; leave it away but for boundary='periodic' with coordinates")
    return Field(
        components, order, axes, tuple(spacings), tuple(formulas), tuple(lengths), tuple(result.terms),
        tuple(result.mixed), (*result.leading, *f.shape),
    )  # fmt: skip


def spacing_of_each(spacing: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """Return a spacing for each axis of none, of one for all, or of one for each."""
    return spacing * count if len(spacing) == 1 else spacing or (1.0,) * count


def _names(count: int) -> list[str]:
    """How messages call the spacings."""
    return [f"spacing {place}" for place in range(count)] if count > 1 else ["spacing"]


def _each(given: Any, count: int, name: str) -> list[Any]:
    """Return what is given for each axis: one for all, or a sequence."""
    if isinstance(given, str) or not hasattr(given, "__len__"):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"`{name}` has {len(given)} entries for {count} axes; give one for each, or one for all")
    return list(given)


@lru_cache(256)
def plan_of(
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, wanted: tuple[Wanted, ...], terms: tuple[Term, ...]
) -> Plan:
    plans: list[AxisPlan] = []
    for term in terms:
        adds = bool(plans) and plans[-1].target == term.target
        plans.append(axis_plan(dtype, shape, order, wanted[term.place], term, adds))
    return Plan(np.dtype(FIELDS[dtype]), tuple(plans))


def limits_in(field: Field, spacing: tuple[Any, ...]) -> tuple[Limits | None, ...] | None:
    """Return what the coordinates of other calls of the kind must be like; None if there is no saying."""
    f, limits = field.components[0], []
    for place, (a, read) in enumerate(zip(field.axes, field.spacings, strict=True)):
        found = None
        if isinstance(read, Coordinates):
            about = f.shape[a], field.formulas[place], f.dtype, field.periods[place]
            found = limits_of(spacing[place], read, *about)
            if found is None:
                return None
        limits.append(found)
    return tuple(limits)


def known_of(field: Field, given: Any, spacing: tuple[Any, ...]) -> Known | None:
    """Return what the next calls of the kind need not find out; None if there is too little, or kernels are missing."""
    f, count, found = field.components[0], len(field.components), []
    is_array = type(given) is np.ndarray
    if not may_be_kept(f.size) or not (is_array or [c.dtype for c in given] == [f.dtype] * count):
        return None
    limits = limits_in(field, spacing)
    if limits is None:
        return None
    for sweep in field.sweeps:
        plan = field.request(sweep).plan
        if not plan.calls:
            return None
        found += [s._replace(source=sweep.sources[s.source], target=sweep.targets[s.target]) for s in steps(plan)]
    if is_array and len(found) == 1:
        return Single(plan.dtype, field.shape, found[0], limits[found[0].place])
    return Several(plan.dtype, field.shape, tuple(found), limits, count, field.blocks, tuple(field.copies))


def compute(field: Field, out: Any) -> np.ndarray:
    f = field.components[0]
    leading = field.shape[: len(field.shape) - f.ndim]
    dtype = np.dtype(FIELDS[f.dtype])
    result, inputs = out, (*field.components, *[s.x for s in field.spacings if isinstance(s, Coordinates)])
    if out is None:
        result, inputs = _blocks(leading, f, field.order, dtype), ()
    else:
        check(out, field.shape, dtype, np.ndarray)
        if field.mixed:  # the second sweep reads coordinates that the first must not have written
            field = field.with_own_coordinates(out)
    blocks = [result[i] for i in np.ndindex(leading)]
    if not f.size:
        return result  # type: ignore[no-any-return]
    for sweep in field.sweeps:
        fill_by_stencils(field.request(sweep, blocks), [blocks[i] for i in sweep.targets], inputs)
        inputs = ()  # the next one reads copies
    for source, target in field.copies:
        copy(blocks[source], blocks[target])
    return result  # type: ignore[no-any-return]


def _blocks(leading: tuple[int, ...], f: np.ndarray, order: Order, dtype: Any) -> np.ndarray:
    """Return an array of arrays like f, each in f's memory order."""
    if order is None:
        return np.empty((*leading, *f.shape), dtype)
    made = np.empty((*leading, *[f.shape[a] for a in order]), dtype)
    return made.transpose(*range(len(leading)), *[len(leading) + int(a) for a in np.argsort(order)])
