"""The arguments of `smooth`, read or refused."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import frexp, inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.options import read_samples
from numgrad._arrays.plan.spacing import are_integers, distance, exact, not_real
from numgrad._checks import choice, flag, integer, number, numbers, refuse_masked, refuse_units
from numgrad.smoothing._fit import EPS, FEWEST, FIRST, MOST, Samples
from numgrad.smoothing._moments import Grid, Line, Survey, survey

# Orders that the samples choose among, and the highest that may be given.
ORDERS, HIGHEST = (3, 4, 5), 8
# The fewest spans of which the data choose one.
SHORT = 8
# Squares are as large at least, not to underflow.
LEAST = 1e-290
# Of so many samples that are not in order distinct places are counted.
MANY = 2**21


class Call(NamedTuple):
    """The arguments of a call, read: y as rows along the axis, places as `Line` has them, for each row or for all.

    `origin` is what was subtracted from the places, which are integers else.
    """

    rows: np.ndarray
    places: list[np.ndarray]
    origin: Any
    weight: list[np.ndarray]
    sigma: float | None
    shape: tuple[int, ...]
    axis: int
    period: float | None
    orders: tuple[int, ...]
    knots: int | None
    share: bool

    @property
    def others(self) -> tuple[int, ...]:
        """The lengths of the other axes."""
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.axis)

    def place(self, row: int) -> np.ndarray:
        return self.places[row if len(self.places) > 1 else 0]

    def line(self, row: int) -> Line:
        return Line(self.place(row), self.rows[row], self.weight[row if len(self.weight) > 1 else 0])


def read_call(
    y: Any, x: Any, *, axis: Any, sigma: Any, weights: Any, period: Any, order: Any, knots: Any, share: Any
) -> Call:
    """Read the arguments of `smooth`."""
    y = read_samples(y, "y", real=True)
    axis = np.lib.array_utils.normalize_axis_index(axis, y.ndim)
    size = y.shape[axis]
    kind = y.dtype if y.dtype.kind == "f" else np.dtype(np.float64)
    if not y.size:
        raise ValueError(f"`y` has shape {y.shape}; give samples")
    rows = np.ascontiguousarray(np.moveaxis(y, axis, -1), kind).reshape(-1, size)
    places, origin = _read_places(x, y.shape, axis)
    weight, known = read_weights(sigma, weights, y, axis)
    orders = ORDERS if order is None else (integer("order", order, 2, HIGHEST),)
    if knots is not None:
        knots = integer("knots", knots, 1, MOST)
    if period is not None:
        period = number("period", period, "a number above 0", above=0.0)
    return Call(
        rows, places, origin, weight, known, y.shape, axis, period, orders, knots, flag("share", share)
    )  # fmt: skip


def read_kinks(kinks: Any, call: Call) -> tuple[float, ...] | None:
    """Return where kinks may be; None if they are to be found."""
    if kinks is None:
        return ()
    if call.period is not None:
        raise ValueError("`kinks` and `period` are both given; leave one of them away")
    if isinstance(kinks, str):
        choice("kinks", kinks, ("auto",), "coordinates, or ")
        if call.share:
            raise ValueError("kinks='auto' looks at each line on its own; leave away share=True, or give coordinates")
        return None
    refuse_units(kinks, "kinks", "they are places, in the unit of x")
    refuse_masked(kinks, "kinks")
    given = np.asarray(kinks)
    if call.origin is not None:
        given = relative(given, call.origin)[0] if given.dtype.kind in "iuO" else given - float(call.origin)
    places = np.unique(numbers("kinks", given).reshape(-1))
    for row in range(len(call.rows)):
        x = call.place(row)
        ends = (0.0, float(x[0]) * (call.rows.shape[1] - 1)) if x.size == 1 else (float(x.min()), float(x.max()))
        if not ((places > min(ends)) & (places < max(ends))).all():
            raise ValueError(f"`kinks` is {kinks!r}; give coordinates between those of the first and the last sample")
    return tuple(places.tolist())


def _read_places(x: Any, shape: tuple[int, ...], axis: int) -> tuple[list[np.ndarray], Any]:
    given = 1.0 if x is None else x
    refuse_units(given, "x")
    refuse_masked(given, "x", "leave out samples whose place is not known")
    places = exact(given)
    if places.dtype.kind not in "iuf" and not (places.ndim and are_integers(places)):
        raise not_real("x", given, places)
    if places.ndim == 0:
        h = float(places)
        if not isfinite(h) or h == 0:
            raise ValueError(f"`x` is {h}; give a distance that is finite and not zero, or coordinates")
        return [np.array([h])], None
    if places.shape not in ((shape[axis],), shape):
        more = f", or an array of shape {shape} with those of each line" if len(shape) > 1 else ""
        raise ValueError(
            f"`x` has shape {places.shape}; give a number or the coordinates of all {shape[axis]} points of axis {axis}"
            f"{more}"
        )
    places, origin = relative(places)
    if places.ndim > 1:
        places = np.moveaxis(places, axis, -1)
    return [np.ascontiguousarray(row) for row in places.reshape(-1, shape[axis])], origin


def relative(places: np.ndarray, origin: Any = None) -> tuple[np.ndarray, Any]:
    """Return places as numbers for kernels; integers and long floats by their distance from one of them."""
    if places.dtype in (np.float32, np.float64):
        return places, None
    if places.dtype.kind == "f":
        return places.astype(np.float64), None
    first = places.min() if origin is None else origin
    if not isinstance(first, np.ndarray):
        first = np.asarray(first, places.dtype)
    return distance(places, first), first


def read_weights(sigma: Any, weights: Any, y: np.ndarray, axis: int) -> tuple[list[np.ndarray], float | None]:
    """Return the weights, of all or of each row, and the standard error of a sample of weight 1 if that is known."""
    if sigma is not None and weights is not None:
        raise ValueError("`sigma` and `weights` are both given; a weight is 1 / sigma**2, give one of them")
    name, given = ("weights", weights) if sigma is None else ("sigma", sigma)
    if given is None:
        return [np.ones(1)], None
    refuse_units(given, name)
    refuse_masked(given, name)
    found = np.asarray(given)
    if found.dtype.kind not in "iuf":
        raise TypeError(f"`{name}` has dtype {found.dtype}; give real numbers")
    found = found.astype(np.float64)
    if found.shape not in ((), (y.shape[axis],), y.shape):
        raise ValueError(f"`{name}` has shape {found.shape}; give a number, or one for each sample: {y.shape}")
    if found.shape == y.shape:
        found = np.moveaxis(found, axis, -1)
        is_missing = np.isnan(np.moveaxis(y, axis, -1))
    else:
        is_missing = np.zeros(found.shape, bool)
    is_wrong = ~(np.isfinite(found) & (found > 0 if sigma is not None else found >= 0)) & ~is_missing
    if is_wrong.any():
        what = "standard errors above 0" if sigma is not None else "weights of at least 0"
        raise ValueError(f"`{name}` has {found[is_wrong].flat[0]}; give finite {what}")
    found = np.where(is_missing, 1.0, found)
    known = None
    if sigma is not None:
        known = float(np.median(found))
        found = (known / found) ** 2
    elif not found.any():
        raise ValueError("`weights` are all zero; give some that are not")
    if not np.isfinite(found).all():
        raise ValueError(f"`{name}` has numbers too far apart; their squares are beyond the range of float64")
    return [np.ascontiguousarray(row) for row in found.reshape(-1, found.shape[-1] if found.ndim else 1)], known


def samples_of(call: Call) -> Iterator[list[Samples]]:
    """Return the lines that are smoothed together, with their grids."""
    lines = [call.line(row) for row in range(len(call.rows))]
    found = [_survey(line) for line in lines]
    for row, one in enumerate(found):
        _refuse(call, row, one)
    together = [list(range(len(lines)))] if call.share else [[row] for row in range(len(lines))]
    for rows in together:
        low, high = min(found[i].low for i in rows), max(found[i].high for i in rows)
        spans = spans_for(call, max(found[i].distinct for i in rows))
        yield [_samples(call, lines[i], found[i], low, high, spans) for i in rows]


def _survey(line: Line) -> Survey:
    found = survey(line)
    if found.rises or line.x.size == 1 or not found.is_finite:
        return found
    is_there = ~np.isnan(line.y[:MANY]) & (line.weight[: 1 if line.weight.size == 1 else MANY] > 0)
    return replace(found, distinct=np.unique(line.x[:MANY][is_there]).size)


def orders_for(call: Call, samples: list[Samples], kinks: tuple[float, ...] = ()) -> tuple[int, ...]:
    """Return the orders that so many distinct places allow, also in each piece between kinks."""
    fewest = min(one.distinct for one in samples)
    orders = tuple(m for m in call.orders if m < fewest)
    if not kinks:
        return orders
    ends = np.array([-inf, *kinks, inf])
    for one in samples:
        for low, high in pairwise(ends):
            count = distinct_between(one, low, high)
            least = min(orders)
            orders = tuple(m for m in orders if m <= count)
            if not orders:
                raise ValueError(
                    f"`kinks` leave samples at {count} distinct coordinates from {low:g} to {high:g}; order={least} "
                    f"needs at least {least} in each piece"
                )
    return orders


def distinct_between(samples: Samples, low: float, high: float) -> int:
    """Return how many distinct places are in a piece, but no more than are of interest."""
    x, y = samples.line.x, samples.line.y
    if x.size == 1:
        x = x[0] * np.arange(y.size)
    weight = samples.line.weight
    found = x[(x >= low) & (x < high) & ~np.isnan(y) & (weight > 0)]
    return np.unique(found[:MANY]).size


def spans_for(call: Call, distinct: int) -> int:
    return min(FIRST, most_spans(call, distinct))


def most_spans(call: Call, distinct: int) -> int:
    """Return the most spans, of which there are no more than about one for two places."""
    least = 2 * max(call.orders) if call.period is not None else FEWEST
    if call.knots is not None:
        return even_spans(call.knots, least)
    return min(MOST, max(SHORT if least == FEWEST else 2 * SHORT, 1 << (max(distinct, 1) // 2 - 1).bit_length()))


def even_spans(knots: int, least: int) -> int:
    """Return the most spans, up to so many, that can be halved until there are less than twice the least."""
    if knots < least:
        raise ValueError(f"`knots` is {knots}; give at least {least}")
    halvings = (knots // least).bit_length() - 1
    return knots >> halvings << halvings


def _refuse(call: Call, row: int, found: Survey) -> None:
    where = "" if len(call.rows) == 1 else f" in line {row}"
    if not found.is_finite:
        raise ValueError(f"`x` has coordinates that are not finite{where}")
    if not found.is_real:
        raise ValueError(f"`y` has infinite samples{where}; give finite ones, and NaN for what is missing")
    if not found.count:
        raise ValueError(f"`y` has no samples{where} that are not NaN and have a weight")
    least = min(call.orders) + 1
    if found.distinct < least:
        raise ValueError(
            f"`y` has samples at {found.distinct} distinct coordinates{where}; order={least - 1} needs at least {least}"
        )
    if call.period is not None and not call.period > found.high - found.low:
        raise ValueError(
            f"`period` is {call.period}, the coordinates span {found.high - found.low}{where}; give a larger one"
        )


def _samples(call: Call, line: Line, found: Survey, low: float, high: float, spans: int) -> Samples:
    span = call.period or high - low
    if not (isfinite(span) and 0 < spans / span < inf):
        raise ValueError(f"`x` spans {span}, which float64 cannot divide; choose another unit")
    extent = found.most - found.least
    factor = 2.0 ** -frexp(extent)[1] if 0 < extent < inf else 1.0
    grid = Grid(low, spans / span, spans, call.period is not None, found.mean, factor)
    largest = max(abs(found.least), abs(found.most))
    floor = max(found.mass * (largest * EPS * factor) ** 2, LEAST)
    known = None if call.sigma is None else max((call.sigma * factor) ** 2, LEAST)
    return Samples(line, grid, found.rises, known, floor, found.distinct)
