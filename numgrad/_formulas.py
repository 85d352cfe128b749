"""Which formula each point of an axis gets: from order, accuracy, boundary and spacing to the plan of a kernel."""

import math
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from numgrad import _threads
from numgrad._containers import refuse_units
from numgrad._dispatch import AxisPlan, Order, inner_of
from numgrad._jit import entry_point, specialise
from numgrad._kernels.coordinates import EMPTY, ONE_SIDED, PERIODIC, fill_rows, fill_table, first_turn, own_taps, window
from numgrad._kernels.gapped import gapped
from numgrad._kernels.stencil import constant_taps, varying_taps
from numgrad._recipe import FIELDS, REAL, Recipe, division, weighing
from numgrad._spacing import are_integers, exact, not_real, relative
from numgrad._stencil import EXACT, Stencil, weights, whole

BOUNDARIES = {"one-sided": ONE_SIDED, "periodic": PERIODIC, "nan": EMPTY}
# Points whose weights are found in one thread.
PARALLEL = 1 << 15
# Products of distances stay within the range of float64 while the exponents of all of them sum up to less.
EXPONENTS = 800


class Formula(NamedTuple):
    """What is wanted of one axis; `edges` is the accuracy of one-sided ends, `gaps` whether a NaN makes such ends."""

    n: int
    accuracy: int
    boundary: str
    edges: int
    gaps: bool = False

    @property
    def points_needed(self) -> int:
        """How many points an axis must have: a short one has nothing but one-sided ends."""
        if self.boundary == "one-sided":
            return self.interval_needed
        return self.most_points if self.gaps else self.n + self.accuracy - (self.n + 1) % 2

    @property
    def interval_needed(self) -> int:
        """How many points must lie between two gaps."""
        return self.n + self.edges

    @property
    def most_points(self) -> int:
        """How many points there are in the longest formula."""
        return self.n + max(self.accuracy, self.edges)

    @property
    def is_gradient(self) -> bool:
        """Whether `gradient` has kernels for this, whose bits are promised."""
        return self[:3] == (1, 2, "one-sided") and self.edges <= 2 and not self.gaps

    def __str__(self) -> str:
        in_force = f"accuracy={self.accuracy}"
        if self.boundary == "one-sided" and self.edges != self.accuracy:
            in_force = f"edge_accuracy={self.edges}"
        elif self.points_needed == self.interval_needed > self.n + self.accuracy:
            in_force = f"edge_accuracy={self.edges} and nan='one-sided'"
        return f"n={self.n} with {in_force} and boundary={self.boundary!r}"


class Coordinates(NamedTuple):
    """Points of an axis by their coordinates, float64 and compact: those of each line, or the same for all lines.

    `shortest` and `longest` are the distances of neighbours; `origin` is what was subtracted from integers beyond
    2**53, of each line with its own an entry.
    """

    x: np.ndarray
    are_own: bool
    inner: int
    shortest: float
    longest: float
    origin: Any = 0

    def span(self, size: int) -> float:
        """The longest distance between the ends of a line."""
        if not self.x.size:
            return 0.0
        lines = self.x.reshape(-1, size, self.inner)
        return float(abs(lines[:, -1] - lines[:, 0]).max())


class Key(NamedTuple):
    """What a plan has to know of coordinates: whether each line has its own, whether products of distances overflow."""

    are_own: bool
    are_extreme: bool


def key_and_values(spacing: float | Coordinates, name: str, n: int, count: int, dtype: "np.dtype[Any]") -> Any:
    """Return what a plan has to know of a spacing, and what its kernel gets; of `count` points for the derivative n."""
    low, high = (abs(spacing),) * 2 if isinstance(spacing, float) else (spacing.shortest, spacing.longest)
    least, most = exponents(dtype)
    if not (least < -n * math.log2(high) and -n * math.log2(low) < most):
        raise ValueError(
            f"`{name}` has distances of {low:g} to {high:g}; weights for n={n}, of the order of their power {-n}, are "
            f"beyond the range of {np.dtype(REAL[FIELDS[dtype]])}: choose another unit"
        )
    if isinstance(spacing, float):
        return spacing, spacing
    reach = max(abs(math.log2(low)), abs(math.log2(high * count)))
    return Key(spacing.are_own, reach * count > EXPONENTS), spacing.x


@cache
def exponents(dtype: "np.dtype[Any]") -> tuple[float, float]:
    """The logarithms to base 2 of the smallest and the largest number that weights may be for samples of this dtype."""
    real = np.finfo(REAL[FIELDS[dtype]])
    return math.log2(real.smallest_normal), math.log2(real.max)


def read_formula(n: Any, accuracy: Any, boundary: Any, edge_accuracy: Any = None, gaps: bool = False) -> Formula:
    n, accuracy = whole(n, "n", 1), whole(accuracy, "accuracy", 1)
    if accuracy % 2:
        raise ValueError(f"`accuracy` is {accuracy}, give an even number")
    if not isinstance(boundary, str) or boundary not in BOUNDARIES:
        raise ValueError(f"`boundary` is {boundary!r}, give one of {', '.join(map(repr, BOUNDARIES))}")
    if edge_accuracy is not None and boundary != "one-sided" and not gaps:
        raise ValueError(f"`edge_accuracy` is {edge_accuracy}, boundary={boundary!r} has no edges; leave it away")
    edges = accuracy if edge_accuracy is None else whole(edge_accuracy, "edge_accuracy", 1)
    if n + max(accuracy, edges) > EXACT:
        raise ValueError(f"n={n} with accuracy={max(accuracy, edges)} needs more than {EXACT} points; give less")
    return Formula(n, accuracy, boundary, edges, gaps)


def read_samples(given: Any, name: str, *, real: bool = False) -> np.ndarray:
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(f"`{name}` is a MaskedArray; give {name}.filled(numpy.nan), whose gaps stay gaps")
    refuse_units(given, name)
    array: np.ndarray = np.asarray(given)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in FIELDS or (real and array.dtype.kind == "c"):
        wanted = "float32, float64" + ", complex64, complex128" * (not real)
        raise TypeError(f"`{name}` has dtype {array.dtype}, give {wanted} or integers")
    return array


def read_spacing(
    given: Any, name: str, shape: tuple[int, ...], axis: int, order: Order, *, lines: bool
) -> float | Coordinates:
    """Return a distance or coordinates; with `lines` these may have the shape of the samples."""
    refuse_units(given, name)
    x = exact(given)
    if x.dtype.kind not in "iuf" and not (x.ndim and are_integers(x)):
        raise not_real(name, given, x)
    if x.ndim == 0:
        h = float(x)
        if not math.isfinite(h) or h == 0:
            raise ValueError(f"`{name}` is {h}, give a distance that is finite and not zero, or coordinates")
        return h
    size, are_own = shape[axis], x.shape == shape
    if not ((are_own and lines) or x.shape == (size,)):
        more = f", or an array of shape {shape} with those of each line" if lines and len(shape) > 1 else ""
        raise ValueError(
            f"`{name}` has shape {x.shape}, give a number or the coordinates of all {size} points of axis {axis}{more}"
        )
    turned = order if are_own else None
    try:
        values, origin = relative(x, axis if are_own else 0)
    except OverflowError:
        raise ValueError(f"`{name}` has integers too far apart for float64: choose another unit") from None
    if turned is not None:
        values, x = values.transpose(turned), x.transpose(turned)
    flat = np.ascontiguousarray(values).reshape(-1)
    inner = inner_of(shape, order, axis) if are_own else 1
    steps = np.ones(2)
    if flat.size and size > 1:
        kernel = specialise(first_turn, "float64")
        at = int(entry_point(kernel, flat, steps, size, inner)(flat, steps, size, inner))
        if at >= 0:
            places = np.array(np.unravel_index(at + inner, x.shape))[np.argsort(turned or range(x.ndim))]
            seen = flat if np.ndim(origin) == 0 else x.reshape(-1)
            raise ValueError(_why_not(seen[at], seen[at + inner], name, ", ".join(map(str, places))))
    shortest, longest = steps.tolist()
    return Coordinates(flat, are_own or flat.size == math.prod(shape), inner, shortest, longest, origin)


def _why_not(a: float, b: float, name: str, place: str) -> str:
    if not isinstance(a, int) and not (math.isfinite(a) and math.isfinite(b)):
        return f"`{name}` has coordinates that are not finite, at {place} or before"
    return (
        f"`{name}` goes from {a} to {b} at {place}; give coordinates that only rise or only fall, or split the samples "
        "there"
    )


def read_period(period: Any, spacing: float | Coordinates, formula: Formula, size: int) -> float:
    """Return the distance after which samples repeat; 0 where it is not needed."""
    if formula.boundary != "periodic" or isinstance(spacing, float):
        if period is not None:
            raise ValueError(f"`period` is {period}; leave it away but for boundary='periodic' with coordinates")
        return 0.0
    if period is None:
        raise ValueError("`period` is missing; with coordinates, boundary='periodic' needs the distance of repetition")
    if not isinstance(period, (int, float, np.integer, np.floating)):
        raise TypeError(f"`period` is {period!r}, give a number")
    span = spacing.span(size)
    if not (math.isfinite(period) and period > span):
        raise ValueError(f"`period` is {period}, the coordinates span {span}; give a larger one")
    return float(period)


def check_length(formula: Formula, axis: int, size: int, *, has_edges: bool = False) -> None:
    """Refuse an axis that is too short; `has_edges` says that the caller has an `edge_accuracy`."""
    if size < formula.points_needed:
        is_enough = formula.boundary == "one-sided" and formula.n < size
        remedy = f"; with edge_accuracy={size - formula.n} these are enough" if is_enough and has_edges else ""
        raise ValueError(f"axis {axis} has {size} points; {formula} needs at least {formula.points_needed}{remedy}")


def axis_plan(
    dtype: "np.dtype[Any]", shape: tuple[int, ...], order: Order, axis: int, spacing: Any, place: int, formula: Formula,
    period: float, *, source: int = 0, target: int = 0, adds: bool = False, factor: float = 1.0,
) -> AxisPlan:  # fmt: skip
    """Return how an axis is done: `factor` times a derivative.

    `spacing` is a number or the `Key` of coordinates; these, the `place`-th of the spacings, are looked at when the
    plan is run.
    """
    field = FIELDS[dtype]
    size, inner = shape[axis], inner_of(shape, order, axis)
    taps, is_even = formula.n + formula.accuracy, isinstance(spacing, float)
    function: Any
    constants: Any
    if is_even:
        stencil = _central(formula.n, formula.accuracy)
        function, taps = constant_taps, len(stencil.offsets)
        constants = _of_number(spacing, size, inner, formula, REAL[field], factor)
    elif spacing.are_own:
        function, constants = own_taps, partial(_of_lines, formula, period, factor)
    else:
        function = varying_taps
        constants = partial(_of_table, formula, period, REAL[field], factor, spacing.are_extreme)
    functions: tuple[Any, ...] = (function,)
    if formula.gaps and dtype.kind in "fc":  # integers have no NaN
        functions = (function, gapped)
        constants = partial(_with_gaps, constants, spacing, size, formula, period)
    finds_weights = function is own_taps or gapped in functions
    recipe = Recipe(
        functions, dtype, field, REAL[field], division(field), taps, formula.n * finds_weights, adds,
        finds_weights and not is_even and spacing.are_extreme,
    )  # fmt: skip
    return AxisPlan(axis, place, size, inner, recipe, constants, source, target)


@lru_cache(256)
def _central(n: int, accuracy: int) -> Stencil:
    return Stencil.central(n, accuracy)


@lru_cache(1024)
def _exact(offsets: tuple[int, ...], n: int) -> np.ndarray:
    return weights(offsets, 0, n)


def reach_of(formula: Formula, is_even: bool) -> tuple[int, int]:
    """How many neighbours to either side a point inside needs; an even grid has a symmetry that saves some."""
    if is_even:
        reach = (formula.n + 1) // 2 + formula.accuracy // 2 - 1
        return reach, reach
    count = formula.n + formula.accuracy
    return count // 2, count - 1 - count // 2


def _of_number(h: float, size: int, inner: int, formula: Formula, real: Any, factor: float) -> tuple[Any, ...]:
    power = float(h**formula.n)
    stencil, found, samples, low = unit_weights(formula, size)
    steps = tuple([np.int64(o) * inner for o in stencil.offsets])
    return (
        steps,
        tuple([real(factor * w / power) for w in stencil.weights]),
        _rows(factor * found / power, samples % size, low, real),
    )


def unit_weights(formula: Formula, size: int) -> tuple[Stencil, np.ndarray, np.ndarray, int]:
    """Return, for a distance of 1, the stencil inside, and the weights at the ends with `end_samples`."""
    stencil = _central(formula.n, formula.accuracy)
    places, low = end_places(formula, size, is_even=True)
    samples = end_samples(formula, places, low, size, stencil.offsets)
    found = np.full(samples.shape, np.nan)
    if formula.boundary != "nan":
        found = np.array([_exact(tuple(row), formula.n) for row in (samples - places[:, None]).tolist()])
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
    _threads.share(fill, parts, 1 if len(parts) < 2 else _threads.get_num_threads())
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
