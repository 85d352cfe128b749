"""Which of the `schemes` compute a gradient: by dtype, shape and spacing; or numpy.gradient, with the reason."""

import operator
from functools import lru_cache, partial
from math import isfinite, prod
from operator import mul, truediv
from typing import Any

import numpy as np

from numgrad._arrays.plan.coefficients import KEPT
from numgrad._arrays.plan.compose import drafted
from numgrad._arrays.plan.dtypes import FIELDS, REAL, divides_twice, division, work_of_coordinates, work_of_number
from numgrad._arrays.plan.fornberg import central
from numgrad._arrays.plan.options import Wanted
from numgrad._arrays.plan.schemes import GAPS, OWN_STENCILS, OWN_WINDOWS, maker, schemes
from numgrad._arrays.plan.spacing import NotFast, number_key, read
from numgrad._arrays.plan.types import (
    PIECE,
    AxisPlan,
    Case,
    KernelCall,
    Order,
    Plan,
    Recipe,
    Request,
    Term,
    inner_of,
    memory_order,
)
from numgrad._compile.tiers import wanted

# The spacing where none is given. By its value, so that its constants are part of the plan.
_ONE = (float, 1.0, "exactly")


# Blocks of up to SHORT elements, if there are MANY in all, are done by a table of what differs in them; one of
# coordinates is made in each call. LLVM does not vectorise that loop for complex numbers, which pays only for the
# shortest lines.
SHORT, SHORT_COMPLEX = 48, 6
MANY, MANY_WITH_COORDINATES = 1 << 10, 1 << 15
# Elements of results up to which each axis is done by one call: reading f again takes less time than finding pieces.
AT_ONCE = 4 * PIECE


def prepare(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any) -> Request:
    """Read the arguments of a call. Nothing the size of f is copied, but for lists."""
    like = f
    if type(f) is not np.ndarray:
        if type(f) not in (list, tuple, np.memmap):
            return Request(NotFast(f"f is a {type(f).__name__}"), f, f, None, ())
        f = np.asarray(f)
        if type(like) is not np.memmap:
            like = f
    order = None if f.flags.c_contiguous else memory_order(f)
    spacings, keys = read(varargs)
    if not (axis is None or type(axis) is int) or type(edge_order) is not int:
        axis, edge_order = _as_integers(axis), _as_integers(edge_order)
    plan = plan_for(f.dtype, f.shape, order, axis, edge_order, *keys)
    if f.dtype.kind in "iu" and 1 in f.shape and type(plan) is Plan and not f.flags.c_contiguous:
        # NumPy makes the results of integers like their converted copy: strides along an axis of length 1 differ.
        like = np.empty_like(like)
    return Request(plan, like, f, order, spacings)


def _as_integers(given: Any) -> Any:
    """Return an integer or a tuple of integers as Python's, None as it is, anything else as a hashable refusal."""
    try:
        if type(given) in (tuple, list):
            return tuple([operator.index(i) for i in given])
        return None if given is None else operator.index(given)
    except TypeError:
        return NotFast(f"axis or edge_order is {given!r}, no integer")


@lru_cache(maxsize=1024)
def plan_for(
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, axis: Any, edge_order: Any, *keys: Any
) -> Plan | NotFast:
    """Return the plan for spacings with these keys (`spacing.read`), or why there is none."""
    for given in (axis, edge_order, *keys):
        if type(given) is NotFast:
            return given
    views = _views(shape, order, axis, edge_order)
    if type(views) is NotFast:
        return views
    if dtype not in FIELDS:
        return NotFast(f"f has dtype {dtype}")
    keys = keys or (_ONE,)
    is_for_all = len(keys) == 1 and isinstance(keys[0][0], type)
    if is_for_all:
        keys *= len(views)
    if len(keys) != len(views):
        return NotFast("the number of spacings is not the number of axes")
    plans, size = [], prod(shape)
    for place, ((a, n, inner), key) in enumerate(zip(views, keys, strict=True)):
        rung = _ladder(dtype, n, inner, size, key, edge_order)
        if type(rung) is NotFast:
            return rung
        done = AxisPlan(a, 0 if is_for_all else place, n, inner, *rung)
        plans.append(done._replace(target=place))
    plan = Plan(np.dtype(FIELDS[dtype]), tuple(plans))
    if is_done_at_once(size, len(plans)):
        plan.calls = known_calls(plan.axes, size)
    return plan


def is_done_at_once(size: int, count: int) -> bool:
    """Whether each of so many axes of f, of this size, is best done by one call."""
    return size * count < AT_ONCE


def known_calls(axes: tuple[AxisPlan, ...], size: int) -> tuple[KernelCall, ...]:
    """Return the calls that do all of a small array at once; none while a kernel has yet to be compiled."""
    calls: list[KernelCall] = []
    for axis in axes:
        entry = drafted(axis.recipe, False).entry
        if entry is None or wanted() == "0":
            return ()
        constants = axis.constants
        if type(constants) is tuple:
            calls.append((entry, (axis.n, axis.inner, 0, size, 0, *constants), None, 0))
        else:
            calls.append((entry, (axis.n, axis.inner, 0, size, 0), constants, axis.place))
    return tuple(calls)


@lru_cache(maxsize=1024)
def _views(shape: tuple[int, ...], order: Order, axis: Any, edge_order: Any) -> Any:
    """Return (axis, n, inner) for each axis wanted, or NotFast."""
    if edge_order not in (1, 2):
        return NotFast("edge_order is neither 1 nor 2")
    ndim = len(shape)
    wanted: Any = range(ndim) if axis is None else (axis,) if type(axis) is int else axis
    axes = [a % ndim for a in wanted if -ndim <= a < ndim]
    if not wanted or 0 in shape:
        return NotFast("there is nothing to compute")
    if len(set(axes)) != len(wanted):
        return NotFast("an axis is out of bounds or repeated")
    if min(shape[a] for a in axes) <= edge_order:
        return NotFast("an axis is too short")
    return [(a, shape[a], inner_of(shape, order, a)) for a in axes]


def _ladder(dtype: "np.dtype[Any]", n: int, inner: int, size: int, key: Any, edge_order: int) -> Any:
    """Return the recipe and the constants of one axis, or NotFast."""
    kind, given, *length = key
    is_number = isinstance(kind, type)
    if not is_number and length != [n]:
        return NotFast("coordinates do not have the length of the axis")
    has_coordinates = not is_number and given is None
    field = FIELDS[dtype]
    short_block = SHORT_COMPLEX if issubclass(field, np.complexfloating) else SHORT
    is_short = n * inner <= short_block and size >= (MANY_WITH_COORDINATES if has_coordinates else MANY)
    chosen = schemes(
        "gradient", "coordinates" if has_coordinates else "number", edge_order=edge_order, is_short=is_short
    )
    if has_coordinates:
        recipe = Recipe(chosen, dtype, work_of_coordinates(field, kind), kind.type, division(field))
        return recipe, maker(Case(recipe, n, inner))
    kind = kind if is_number else kind.type
    if divides_twice(field, kind):
        return NotFast("complex64 over a small integer is divided in two precisions")
    work = work_of_number(field, kind)
    is_power = given if given is True or given is False else number_key(kind, given)[1] is True
    # The reciprocal of a power of two is exact, so the product is the quotient, and it costs a quarter.
    divide = mul if is_power and division(field) is truediv else division(field)
    recipe = Recipe(chosen, dtype, work, REAL[work], divide)
    made = maker(Case(recipe, n, inner))
    if given is is_power:
        return recipe, lru_cache(8)(made)
    with np.errstate(all="ignore"):  # what overflows goes to NumPy, which has the warning
        try:
            steps = [float(REAL[work](h)) for h in (2.0 * given, given)]
        except OverflowError:  # for NumPy to raise, which may find something else first
            return NotFast("a spacing is an integer beyond the range of floats")
        if not all(map(isfinite, steps)) or not all(steps):
            return NotFast(f"a spacing is {given}")
        return recipe, made(given)


def axis_plan(
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, wanted: Wanted, term: Term | None = None,
    adds: bool = False,
) -> AxisPlan:  # fmt: skip
    """Return how a term is done, which `adds` to what is there; by default the derivative of one array.

    Coordinates, of which `wanted` has the key, are looked at when the plan is run.
    """
    axis, spacing, formula, period, squared = wanted
    term = term or Term(0, 0, formula.n, 0)
    formula = formula._replace(n=term.n)
    field = FIELDS[dtype]
    key = None if isinstance(spacing, float) else spacing
    how = "number" if key is None else "coordinates of each line" if key.are_own else "coordinates"
    has_gaps = formula.gaps and dtype.kind in "fc"  # integers have no NaN
    are_ragged = key is not None and key.are_ragged
    chosen = schemes("window" if formula.window else "stencil", how, gaps=has_gaps, are_ragged=are_ragged)
    is_central = key is None and not formula.window
    taps = len(central(formula.n, formula.accuracy)[0]) if is_central else formula.points
    # A kernel that finds weights itself has to know their order, and the unit of distances.
    finds_weights = bool({OWN_STENCILS, OWN_WINDOWS, GAPS}.intersection(chosen))
    is_scaled = finds_weights and key is not None and key.are_extreme and not formula.window
    degree = formula.degree if formula.window and finds_weights else None
    recipe = Recipe(
        chosen, dtype, field, REAL[field], division(field), taps, formula.n * finds_weights, adds, is_scaled, degree,
        squared and finds_weights,
    )  # fmt: skip
    case = Case(recipe, shape[axis], inner_of(shape, order, axis), formula, period, term.factor, key, squared)
    if key is not None or formula.window > KEPT:
        constants = maker(case)
    elif GAPS in chosen:  # which has a number for each point: made in each call
        constants = partial(GAPS.coefficients, case, chosen[0].coefficients(case, (), spacing))
    else:
        constants = maker(case)(spacing)
    return AxisPlan(axis, term.place, case.n, case.inner, recipe, constants, term.source, term.target)
