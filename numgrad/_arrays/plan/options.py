"""The options of derivatives, read or refused: order, accuracy, boundary, coordinates, period; and samples."""

import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.kernels.coordinates import (
    EMPTY,
    ONE_SIDED,
    PERIODIC,
    first_turn,
)
from numgrad._arrays.plan.dtypes import FIELDS, REAL
from numgrad._arrays.plan.fornberg import EXACT
from numgrad._arrays.plan.spacing import are_integers, exact, not_real, relative
from numgrad._arrays.plan.types import Lines, Order, inner_of
from numgrad._checks import choice, integer, refuse_masked, refuse_units
from numgrad._compile.jit import draft
from numgrad._compile.tiers import call

BOUNDARIES = {"one-sided": ONE_SIDED, "periodic": PERIODIC, "nan": EMPTY}
# Kernels have room for the weights of so long a window, and for polynomials of this degree of some points at once.
MOST_WINDOW, MOST_DEGREE = 767, 15
# Bytes of the weights of all points of a line that may be kept, or this many times the samples, if those are more. Of
# some long lines there would be more than of their samples, and they are found for each line.
TABLE, TIMES = 1 << 26, 4
# Products of distances stay within the range of float64 while the exponents of all of them sum up to less.
EXPONENTS = 800


class StencilFormula(NamedTuple):
    """The derivative along an axis: `edges` is the accuracy of one-sided ends, `gaps` whether a NaN makes such ends.

    With a `window` it is that of the polynomial of a `degree` that fits so many points by least squares.
    """

    n: int
    accuracy: int
    boundary: str
    edges: int
    gaps: bool = False
    window: int = 0
    degree: int = 0

    @property
    def points(self) -> int:
        """How many points the formula inside takes on an uneven grid."""
        return self.window or self.n + self.accuracy

    @property
    def points_needed(self) -> int:
        """How many points an axis must have: a short one has nothing but one-sided ends."""
        if self.window or self.boundary == "one-sided":
            return self.interval_needed
        return self.most_points if self.gaps else self.n + self.accuracy - (self.n + 1) % 2

    @property
    def interval_needed(self) -> int:
        """How many points the formula at a one-sided end takes, and must lie between two gaps."""
        return self.window or self.n + self.edges

    @property
    def most_points(self) -> int:
        """How many points there are in the longest formula."""
        return max(self.points, self.interval_needed)

    @property
    def is_gradient(self) -> bool:
        """Whether `gradient` has kernels for this, whose bits are promised."""
        return self[:3] == (1, 2, "one-sided") and self.edges <= 2 and not self.gaps

    def __str__(self) -> str:
        in_force = f"accuracy={self.accuracy}"
        if self.window:
            in_force = f"window={self.window}, degree={self.degree}"
        elif self.boundary == "one-sided" and self.edges != self.accuracy:
            in_force = f"edge_accuracy={self.edges}"
        elif self.points_needed == self.interval_needed > self.n + self.accuracy:
            in_force = f"edge_accuracy={self.edges} and nan='one-sided'"
        return f"n={self.n} with {in_force} and boundary={self.boundary!r}"


class Coordinates(NamedTuple):
    """Points of an axis by their coordinates, float64 and compact: those of each line, or the same for all lines.

    `shortest` and `longest` are the distances of neighbours; `origin` is what was subtracted from integers beyond
    2**53, of each line with its own an entry. `cuts` are where lines of any lengths begin, and the last one ends, which
    lie one behind another.
    """

    x: np.ndarray
    are_own: bool
    inner: int
    shortest: float
    longest: float
    origin: Any = 0
    cuts: Any = None

    def span(self, size: int) -> float:
        """The longest distance between the ends of a line."""
        if not self.x.size:
            return 0.0
        if self.cuts is not None:
            return float(abs(self.x[self.cuts[1:] - 1] - self.x[self.cuts[:-1]]).max())
        lines = self.x.reshape(-1, size, self.inner)
        return float(abs(lines[:, -1] - lines[:, 0]).max())

    def of_each_line(self, shape: tuple[int, ...], order: Order, axis: int) -> "Coordinates":
        """Return these for each line, those that were the same for all."""
        x = np.broadcast_to(np.expand_dims(self.x, [a for a in range(len(shape)) if a != axis]), shape)
        flat = np.ascontiguousarray(x if order is None else x.transpose(order)).reshape(-1)
        return self._replace(x=flat, are_own=True, inner=inner_of(shape, order, axis))


class Key(NamedTuple):
    """Coordinates as a plan knows them: whether each line has its own, whether products of distances overflow.

    And whether lines may have any lengths: kernels get `Lines` then.
    """

    are_own: bool
    are_extreme: bool
    are_ragged: bool = False


class Wanted(NamedTuple):
    """The derivative along one axis, with all of it that a plan depends on; the spacing is a number or its `Key`."""

    axis: int
    spacing: float | Key
    formula: StencilFormula
    period: float
    squared: bool = False  # weights, as for a variance


def key_and_values(
    spacing: float | Coordinates, name: str, n: int, count: int, dtype: "np.dtype[Any]", squared: bool = False
) -> Any:
    """Return what a plan has to know of a spacing, and what its kernel gets; of `count` points for the derivative n."""
    power = n + n * squared
    low, high = (abs(spacing),) * 2 if isinstance(spacing, float) else (spacing.shortest, spacing.longest)
    least, most = exponents(dtype)
    if not (least < -power * math.log2(high) and -power * math.log2(low) < most):
        raise ValueError(
            f"`{name}` has distances of {low:g} to {high:g}; {'squared ' * squared}weights for n={n}, of the order of "
            f"their power {-power}, are beyond the range of {np.dtype(REAL[FIELDS[dtype]])}: choose another unit"
        )
    if isinstance(spacing, float):
        return spacing, spacing
    reach = max(abs(math.log2(low)), abs(math.log2(high * count)))
    is_extreme = reach * count > EXPONENTS
    if spacing.cuts is not None:
        return Key(True, is_extreme, True), Lines(spacing.x, spacing.cuts)
    return Key(spacing.are_own, is_extreme), spacing.x


@cache
def exponents(dtype: "np.dtype[Any]") -> tuple[float, float]:
    """The logarithms to base 2 of the smallest and the largest number that weights may be for samples of this dtype."""
    real = np.finfo(REAL[FIELDS[dtype]])
    return math.log2(real.smallest_normal), math.log2(real.max)


def read_formula(
    n: Any, accuracy: Any, boundary: Any, edge_accuracy: Any = None, gaps: bool = False, window: Any = None,
    degree: Any = None,
) -> StencilFormula:  # fmt: skip
    """Return the formula that the options ask for."""
    options = (n, accuracy, boundary, edge_accuracy, gaps)
    read, given = (_formula, options) if window is degree is None else (_fitting, (*options, window, degree))
    try:
        return read(*given)
    except TypeError:  # an option that is no key; or one that is refused, and is so again
        return read.__wrapped__(*given)


@lru_cache(256, typed=True)
def _formula(n: Any, accuracy: Any, boundary: Any, edge_accuracy: Any, gaps: bool) -> StencilFormula:
    n, accuracy = integer("n", n, 1), 2 if accuracy is None else integer("accuracy", accuracy, 1)
    if accuracy % 2:
        raise ValueError(f"`accuracy` is {accuracy}; give an even number")
    choice("boundary", boundary, BOUNDARIES)
    if edge_accuracy is not None and boundary != "one-sided" and not gaps:
        raise ValueError(f"`edge_accuracy` is {edge_accuracy}, boundary={boundary!r} has no edges; leave it away")
    edges = accuracy if edge_accuracy is None else integer("edge_accuracy", edge_accuracy, 1)
    if n + max(accuracy, edges) > EXACT:
        raise ValueError(f"n={n} with accuracy={max(accuracy, edges)} needs more than {EXACT} points; give less")
    return StencilFormula(n, accuracy, boundary, edges, gaps)


@lru_cache(256, typed=True)
def _fitting(
    n: Any, accuracy: Any, boundary: Any, edge_accuracy: Any, gaps: bool, window: Any, degree: Any
) -> StencilFormula:
    n, window, degree = read_window(n, window, degree)
    for name, given in (("accuracy", accuracy), ("edge_accuracy", edge_accuracy)):
        if given is not None:
            raise ValueError(f"`{name}` is {given}, but window={window} and degree={degree} decide it; leave it away")
    return StencilFormula(n, 0, choice("boundary", boundary, BOUNDARIES), 0, gaps, window, degree)


def read_window(n: Any, window: Any, degree: Any) -> tuple[int, int, int]:
    """Return the order of a derivative, the points of a window, and the degree of the polynomial that fits them."""
    if window is None or degree is None:
        name, other = ("window", "degree") if window is None else ("degree", "window")
        raise ValueError(f"`{name}` is missing; polynomials that fit a window need it beside `{other}`")
    n, window = integer("n", n, 0), integer("window", window, 3, MOST_WINDOW)
    if window % 2 == 0:
        raise ValueError(f"`window` is {window}; give an odd number of points, which has one in the middle")
    most = min(window - 1, MOST_DEGREE)
    if n > most:
        raise ValueError(f"`n` is {n}; window={window} has derivatives up to {most}")
    return n, window, integer("degree", degree, n, most, f"an integer from n={n} to {most}, for window={window}")


def read_samples(given: Any, name: str, *, real: bool = False) -> np.ndarray:
    refuse_masked(given, name, f"give {name}.filled(numpy.nan), whose gaps stay gaps")
    refuse_units(given, name)
    array: np.ndarray = np.asarray(given)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in FIELDS or (real and array.dtype.kind == "c"):
        wanted = "float32, float64" + ", complex64, complex128" * (not real)
        raise TypeError(f"`{name}` has dtype {array.dtype}; give {wanted} or integers")
    return array


def read_spacing(
    given: Any, name: str, shape: tuple[int, ...], axis: int, order: Order, *, lines: bool
) -> float | Coordinates:
    """Return a distance or coordinates; with `lines` these may have the shape of the samples."""
    refuse_units(given, name)
    refuse_masked(given, name, "leave out samples whose place is not known")
    x = exact(given)
    if x.dtype.kind not in "iuf" and not (x.ndim and are_integers(x)):
        raise not_real(name, given, x)
    if x.ndim == 0:
        h = float(x)
        if not math.isfinite(h) or h == 0:
            raise ValueError(f"`{name}` is {h}; give a distance that is finite and not zero, or coordinates")
        return h
    size, are_own = shape[axis], x.shape == shape
    if not ((are_own and lines) or x.shape == (size,)):
        more = f", or an array of shape {shape} with those of each line" if lines and len(shape) > 1 else ""
        raise ValueError(
            f"`{name}` has shape {x.shape}; give a number or the coordinates of all {size} points of axis {axis}{more}"
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
        at = int(call(draft(first_turn), flat.size, flat, steps, size, inner))
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


def read_period(period: Any, spacing: float | Coordinates, formula: StencilFormula, size: int) -> float:
    """Return the distance after which samples repeat; 0 where it is not needed."""
    if formula.boundary != "periodic" or isinstance(spacing, float):
        if period is not None:
            raise ValueError(f"`period` is {period}; leave it away but for boundary='periodic' with coordinates")
        return 0.0
    if period is None:
        raise ValueError("`period` is missing; with coordinates, boundary='periodic' needs the distance of repetition")
    refuse_units(period, "period")
    if not isinstance(period, (int, float, np.integer, np.floating)):
        raise TypeError(f"`period` is {period!r}; give a number")
    span = spacing.span(size)
    if not (math.isfinite(period) and period > span):
        raise ValueError(f"`period` is {period}, the coordinates span {span}; give a larger one")
    return float(period)


def check_length(formula: StencilFormula, axis: int, size: int, *, has_edges: bool = False) -> None:
    """Refuse an axis that is too short; `has_edges` says that the caller has an `edge_accuracy`."""
    if size < formula.points_needed:
        is_enough = formula.boundary == "one-sided" and formula.n < size
        remedy = f"; with edge_accuracy={size - formula.n} these are enough" if is_enough and has_edges else ""
        if formula.window:
            odd = size - (size + 1) % 2
            remedy = f"; with window={odd} these are enough" if odd > max(2, formula.degree) else ""
        raise ValueError(f"axis {axis} has {size} points; {formula} needs at least {formula.points_needed}{remedy}")
