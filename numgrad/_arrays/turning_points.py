"""Minima and maxima of samples, between the samples."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.containers import home_of, takes_containers
from numgrad._arrays.kernels.turning import scan, strict
from numgrad._arrays.plan.options import Coordinates, read_formula, read_period, read_samples, read_spacing
from numgrad._checks import flag, number
from numgrad._compile.jit import draft, entry_point
from numgrad._compile.tiers import COMPILED, Account, call, tier_of
from numgrad._system.tables import Table, text
from numgrad._system.threads import get_num_threads, share

# Samples that are worth another thread.
PARALLEL = 1 << 18
# Samples of a line that are done at once, so that where they turn is in the cache when that is looked at.
PIECE = 1 << 14
KINDS = np.array(["minimum", "maximum"])
# Seconds in which NumPy finds the turns of a sample, about.
BY_NUMPY = 4e-8


@dataclass(frozen=True, eq=False)
class TurningPoints:
    """Minima and maxima, sorted by line and index; prints as a table.

    Attributes
    ----------
    index : ndarray of int
        The sample along the axis; of a plateau the one in its middle, or before that.
    position : ndarray of float64
        Where the parabola through the sample and its neighbours turns; the middle of a plateau; an end itself. Times,
        where the coordinate of a DataArray or a series is.
    value : ndarray
        What the parabola has there, in the dtype of `y` (float64 for integers); the sample for plateaus and ends.
    is_maximum : ndarray of bool
        Whether it is a maximum, or else a minimum.
    kind : ndarray of str
        The same in words: "minimum" or "maximum".
    gradient : ndarray
        The derivative at the sample `index`, of second order in the distance of neighbours, as `gradient` has it.
    first, last : ndarray of int
        The samples that a plateau begins and ends with; both are `index` where there is none.
    line : ndarray of int, of shape (len(self), y.ndim - 1)
        The indices along the other axes.
    """

    index: np.ndarray
    position: np.ndarray
    value: np.ndarray
    is_maximum: np.ndarray
    gradient: np.ndarray
    first: np.ndarray
    last: np.ndarray
    line: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    @cached_property
    def kind(self) -> np.ndarray:
        return KINDS.take(self.is_maximum)

    def __repr__(self) -> str:
        return "\n".join(self._table().text()) if len(self) else "no turning points"

    def _repr_html_(self) -> str:
        title = f"{len(self):,} turning point{'s' * (len(self) != 1)}"
        return self._table().html(title) if len(self) else text("no turning points")

    def _table(self) -> Table:
        has_lines, has_plateaus = self.line.shape[1] > 0, bool((self.first != self.last).any())
        names = ["line"] * has_lines + ["index", "position", "value", "kind", "gradient"] + ["plateau"] * has_plateaus

        def row(i: int) -> list[str]:
            place, a, b = self.position[i], self.first[i], self.last[i]
            cells = [",".join(map(str, self.line[i].tolist()))] * has_lines
            cells += [str(self.index[i]), f"{place:.6g}" if isinstance(place, float) else str(place)]
            cells += [f"{self.value[i]:.6g}", str(self.kind[i]), f"{self.gradient[i]:.3g}"]
            return cells + [f"{a}..{b}" if a != b else ""] * has_plateaus

        return Table(names, row, len(self))


@takes_containers(home_of)
def turning_points(
    y: Any, x: Any = None, *, axis: int = -1, plateaus: bool = True, ends: bool = False, periodic: bool = False,
    period: float | None = None, min_change: float = 0.0,
) -> TurningPoints:  # fmt: skip
    """Return the minima and maxima of samples along an axis, located between the samples.

    Parameters
    ----------
    y : array_like
        Samples: float32, float64, or integers, which become float64. A NaN ends an interval, as does what
        is masked; the next one begins behind it.
    x : float or array_like of shape (y.shape[axis],) or y.shape, optional
        The distance of neighbours or the coordinates, as in `derivative`; the number of the sample by default, and for
        a DataArray its own coordinate, for a series of pandas its index.
    axis : int, default -1
        The axis to look along.
    plateaus : bool, default True
        Whether a turning point may have several samples of the same value.
    ends : bool, default False
        Whether the first and the last of an interval count, as minimum or maximum, though samples go no farther. With
        `min_change`, the lowest or highest of the first or last stretch in which samples change by less.
    periodic : bool, default False
        Whether the last sample is followed by the first.
    period : float, optional
        Needed for ``periodic=True`` with coordinates: the distance after which `y` repeats.
    min_change : float, default 0.0
        By how much samples must fall behind a maximum or rise behind a minimum, and before it, for it to count; what
        lies between is taken for noise. In units of `y`.

    Returns
    -------
    TurningPoints

    Raises
    ------
    TypeError
        If `y` or `x` has a dtype that is not taken.
    ValueError
        If coordinates repeat, turn back or do not fit, the period is missing or too short, or `min_change` is negative.
    numpy.exceptions.AxisError
        If there is no such axis.

    See Also
    --------
    derivative : whose changes of sign these are.

    Notes
    -----
    The parabola through (x[i-1], y[i-1]), (x[i], y[i]) and (x[i+1], y[i+1]) has the slope s at x[i] that `gradient`
    has, and half the second derivative a that `derivative` has; it turns at ``x[i] - s / (2 a)``, where it is
    ``y[i] - s**2 / (4 a)``. For a smooth function the error of the position is of order h**2, that of the value of
    order h**3 or better, by Taylor's theorem.

    Around the end of a period the position may lie beyond the samples.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> t = np.linspace(0, 10, 41)
    >>> ng.turning_points(np.sin(t), t)
    index  position      value     kind  gradient
        6   1.57055   0.999964  maximum      0.07
       19   4.71257  -0.999989  minimum    0.0372
       31   7.85381    0.99993  maximum     0.103
    """
    call = read_call(
        y, x, axis=axis, plateaus=plateaus, ends=ends, periodic=periodic, period=period, min_change=min_change
    )
    found = _strict(call)
    if found is None:
        records = _scan(call.lines, call.shape[call.axis], call.min_change, call.ends, call.plateaus, call.periodic)
        found = _refined(call, *records.T)
    line, index, first, last, is_maximum, position, value, slope = found
    others = [s for a, s in enumerate(call.shape) if a != call.axis]
    where = np.empty((len(index), len(others)), np.int64)
    if where.size:
        where.T[...] = np.unravel_index(line, others)
    position = _beside(call.origin, position, line)
    return TurningPoints(index, position, value, is_maximum, slope, first, last, where)


def _may_be_strict(call: "Arguments") -> bool:
    return call.shape[call.axis] > 2 and call.lines.size > 0 and not (call.ends or call.periodic or call.min_change)


@cache
def _account_of_strict(dtype: "np.dtype[Any]") -> Account:
    return Account((draft(strict, dtype),), BY_NUMPY)


def _strict(call: "Arguments") -> Any:
    """Return what is found in lines whose neighbours all differ; None if some do not, or ends or changes matter."""
    if not _may_be_strict(call):
        return None
    account = _account_of_strict(call.lines.dtype)
    return account.run(call.lines.size, partial(_strict_by_numpy, call), partial(_strict_by_kernel, call))


def _strict_by_kernel(call: "Arguments") -> Any:
    n, size, kernel = call.shape[call.axis], call.lines.size, draft(strict, call.lines.dtype)
    length = min(n, PIECE)
    pieces = -(-n // length)
    counts = np.empty(size // n * pieces, np.int64)
    if isinstance(call.spacing, float):
        spacing = np.empty(0), 0, call.spacing
    else:
        spacing = call.spacing.reshape(-1), call.spacing.ndim, 0.0

    def run(places: np.ndarray, fills: bool, *results: np.ndarray) -> None:
        def work(mine: Any) -> None:
            for a, b in mine:
                given = call.lines, n, length, a, b, places, fills, *results, *spacing
                entry_point(kernel.compiled, *given)(*given)

        share(work, _parts(counts.size, size), thread_count(size))

    kinds = np.int64, np.float64, call.lines.dtype, call.lines.dtype, np.bool_
    run(counts, False, *_room(0, kinds))
    if (counts < 0).any():
        return None
    places = np.concatenate([[0], np.cumsum(counts)])
    index, position, value, slope, rises = results = _room(int(places[-1]), kinds)
    run(places, True, *results)
    of_each = counts.reshape(-1, pieces).sum(axis=1)
    line = np.repeat(np.arange(len(of_each)), of_each) if len(of_each) > 1 else np.broadcast_to(0, index.shape)
    return line, index, index, index, rises, position, value, slope


def _room(count: int, kinds: tuple[Any, ...]) -> list[np.ndarray]:
    """Return arrays of so many elements of each kind, in one block of memory.

    Several blocks would be given back to the system together and be touched for the first time in each call (glibc
    keeps free memory up to twice the largest block that it has asked the system for).
    """
    cuts = np.cumsum([0, *[count * np.dtype(kind).itemsize for kind in kinds]]).tolist()
    memory = np.empty(cuts[-1], np.uint8)
    return [memory[a:b].view(kind) for a, b, kind in zip(cuts, cuts[1:], kinds, strict=False)]


def _strict_by_numpy(call: "Arguments") -> Any:
    """The same by NumPy."""
    y, n = call.lines, call.shape[call.axis]
    lines = y.reshape(-1, n)
    rises = lines[:, 1:] > lines[:, :-1]
    if not (rises | (lines[:, 1:] < lines[:, :-1])).all():
        return None
    turns = np.zeros(lines.shape, bool)
    np.not_equal(rises[:, 1:], rises[:, :-1], out=turns[:, 1:-1])
    place = np.flatnonzero(turns)
    line, index = np.divmod(place, n)
    at = _Around(lines, line, call.spacing, call.period, n)
    here, x = y[place].astype(np.float64), at.x(index)
    with np.errstate(all="ignore"):
        offset, change, slope = _turn(
            y[place - 1] - here, y[place + 1] - here, at.x(index - 1) - x, at.x(index + 1) - x
        )
        value, slope = _rounded(call, here + change, slope)
    return line, index, index, index, rises.reshape(-1)[place - line - 1], x + offset, value, slope


def _refined(call: "Arguments", line: np.ndarray, first: np.ndarray, last: np.ndarray, sign: np.ndarray) -> Any:
    """Return records sorted, with the places and values between samples."""
    lines, n = call.lines, call.shape[call.axis]
    extent = (last - first) % n if n else last
    index = (first + extent // 2) % n if n else first
    order = np.lexsort((index, line))
    line, first, last, sign, extent, index = (a[order] for a in (line, first, last, sign, extent, index))
    at = _Around(lines.reshape(-1, n) if n else lines.reshape(0, 0), line, call.spacing, call.period, n)
    position, value = at.x(first), at.y(first)
    is_flat = extent > 0
    position = np.where(is_flat, (position + at.x(first + extent)) / 2, position)
    offset, change, slope = _parabola(at, index, is_flat, call.periodic)
    return line, index, first, last, sign > 0, position + offset, *_rounded(call, value + change, slope)


@np.errstate(over="ignore")  # what is beyond the range of float32 becomes infinite
def _rounded(call: "Arguments", *results: np.ndarray) -> list[np.ndarray]:
    return [one.astype(call.lines.dtype, copy=False) for one in results]


def _beside(origin: Any, position: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Add what was subtracted from coordinates, without a rounding of its own before the last."""
    if not np.ndim(origin):
        return position
    whole = origin.reshape(-1)[line if origin.size > 1 else line * 0]
    rounded = whole.astype(np.float64)
    rest = [int(a) - int(b) for a, b in zip(whole, rounded, strict=True)]
    return rounded + (np.array(rest, np.float64) + position)  # type: ignore[no-any-return]


class _Around:
    """Coordinates and samples of points of lines; beyond the ends of a period those of the next one."""

    def __init__(self, lines: np.ndarray, line: np.ndarray, spacing: Any, period: float, n: int) -> None:
        self.lines, self.line, self.spacing, self.period, self.n = lines, line, spacing, period, n

    def y(self, i: np.ndarray) -> np.ndarray:
        return self.lines[self.line, i % self.n].astype(np.float64) if self.n else i * 0.0

    def x(self, i: np.ndarray) -> np.ndarray:
        if isinstance(self.spacing, float):
            return i * self.spacing
        if not self.n:
            return i * 0.0
        x, place = self.spacing, i % self.n
        own = x.ndim == 2
        span, found = (x[self.line, -1] - x[self.line, 0], x[self.line, place]) if own else (x[-1] - x[0], x[place])
        turned: np.ndarray = found + np.copysign(self.period, span) * (i // self.n)
        return turned


def _parabola(at: _Around, i: np.ndarray, is_flat: np.ndarray, periodic: bool) -> Any:
    """Return where parabolas through points and their neighbours turn and what they are there, and the slopes.

    Of an end, the slope of the parabola through the nearest three points of the interval, or of the line through two.
    """

    def sample(j: np.ndarray) -> np.ndarray:
        return np.where(periodic | ((j >= 0) & (j < at.n)), at.y(j), np.nan)

    with np.errstate(all="ignore"):
        here, behind, ahead = at.y(i), sample(i - 1), sample(i + 1)
        is_inside = ~(np.isnan(behind) | np.isnan(ahead))
        # At an end, what lies to the other side: one and two samples away.
        step = np.where(np.isnan(behind), 1, -1)
        near, far = np.where(is_inside, behind, sample(i + step)), np.where(is_inside, ahead, sample(i + 2 * step))
        p = at.x(np.where(is_inside, i - 1, i + step)) - at.x(i)
        q = at.x(np.where(is_inside, i + 1, i + 2 * step)) - at.x(i)
        offset, change, inside = _turn(near - here, far - here, p, q)
        slope = np.where(np.isnan(far), (near - here) / p, inside)
        turns = is_inside & ~is_flat
    return np.where(turns, offset, 0.0), np.where(turns, change, 0.0), slope


def _turn(near: np.ndarray, far: np.ndarray, p: np.ndarray, q: np.ndarray) -> Any:
    """Return where parabolas through the origin, (p, near) and (q, far) turn, what they are there, and their slopes.

    Differences over p and q are those of the parabola at 0 plus its curvature times p and q.
    """
    d = near / p
    curvature = (far / q - d) / (q - p)
    slope = d - curvature * p
    offset, change = -slope / (2 * curvature), -(slope**2) / (4 * curvature)
    turns = np.isfinite(offset) & np.isfinite(change)
    if not turns.all():
        offset, change = np.where(turns, offset, 0.0), np.where(turns, change, 0.0)
    return offset, change, slope


class Arguments(NamedTuple):
    """The arguments of a call, read: y as flat lines, a number or coordinates of shape (n,) or (lines, n)."""

    lines: np.ndarray
    spacing: Any
    shape: tuple[int, ...]
    axis: int
    plateaus: bool
    ends: bool
    periodic: bool
    period: float
    min_change: float
    origin: Any = 0


class Options(NamedTuple):
    """The options of `turning_points`, as given."""

    axis: Any = -1
    plateaus: Any = True
    ends: Any = False
    periodic: Any = False
    period: Any = None
    min_change: Any = 0.0


def read_call(y: Any, x: Any = None, **options: Any) -> Arguments:
    """Read the arguments of `turning_points`."""
    given = Options(**options)
    y = read_samples(y, "y", real=True)
    axis = np.lib.array_utils.normalize_axis_index(given.axis, y.ndim)
    n = y.shape[axis]
    spacing: Any = read_spacing(1.0 if x is None else x, "x", y.shape, axis, None, lines=True)
    plateaus, ends, periodic = (flag(name, getattr(given, name)) for name in ("plateaus", "ends", "periodic"))
    formula = read_formula(1, 2, "periodic" if periodic else "one-sided")
    length = read_period(given.period, spacing, formula, n)
    least = number("min_change", given.min_change, "a number that is not negative", least=0.0)
    real = y.dtype if y.dtype.kind == "f" else np.dtype(np.float64)
    lines = np.ascontiguousarray(np.moveaxis(y, axis, -1), real).reshape(-1)
    origin: Any = 0
    if isinstance(spacing, Coordinates):
        x, origin = spacing.x, spacing.origin
        spacing = x if x.size == n else np.moveaxis(x.reshape(y.shape), axis, -1).reshape(-1, n)
    return Arguments(lines, spacing, y.shape, axis, plateaus, ends, periodic, length, least, origin)


def _scan(lines: np.ndarray, n: int, *options: Any) -> np.ndarray:
    """Return the records of `kernels.turning`."""
    parts = _parts(lines.size // n if n else 0, lines.size)
    counts = np.zeros(parts[-1][1] if parts else 0, np.int64)
    kernel = draft(scan, lines.dtype)

    def run(records: np.ndarray, places: np.ndarray, fills: bool) -> None:
        def work(mine: Any) -> None:
            for a, b in mine:
                call(kernel, (b - a) * n, lines, records, n, a, b, fills, places, *options)

        share(work, parts, thread_count(lines.size))

    run(np.empty((0, 4), np.int64), counts, False)
    records = np.empty((int(counts.sum()), 4), np.int64)
    run(records, np.cumsum(counts) - counts, True)
    return records


def _parts(count: int, size: int) -> list[tuple[int, int]]:
    """Return which of so many lines or pieces, of `size` samples in all, are done at once."""
    step = max(1, -(-count // (4 * thread_count(size))))
    return [(a, min(a + step, count)) for a in range(0, count, step)]


def tier(call: "Arguments") -> Callable[[], tuple[int, str]]:
    """Return what finds the tier in which the first of the lines of a call are done, and why."""
    lines, n = call.lines, call.shape[call.axis]
    if _may_be_strict(call):
        return partial(_tier_of_strict, lines.dtype, lines.size)
    parts = _parts(lines.size // n if n else 0, lines.size)
    return partial(tier_of, draft(scan, lines.dtype), n * max([b - a for a, b in parts], default=0))


def _tier_of_strict(dtype: "np.dtype[Any]", size: int) -> tuple[int, str]:
    return (1, COMPILED) if draft(strict, dtype).entry is not None else _account_of_strict(dtype).choose(size)


def thread_count(size: int) -> int:
    return get_num_threads() if size >= PARALLEL else 1
