"""Loops that call a derived function: at many points, for all variables."""

from typing import Any

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Record, Target

# Bound for the function that is called, like what is called below.
FLOAT: Any = np.float64
SHAPE: Any = ()
# How many variables a call takes derivatives with respect to, and what a derivative is times its coefficient.
WIDTH: Any = 1
FACTOR: Any = 1.0
NOTHING = np.nan

fun: Any = abs
seed: Any = abs
unit: Any = abs
row_unit: Any = abs
empty: Any = np.empty
value: Any = abs
partial: Any = abs
second: Any = abs
place: Any = abs


def keep_number(y: Any, is_here: Flag, p: Index, first: Index, count: Index, out: Target) -> None:
    """Keep the derivatives of a number. There is none where there is no value, nor where no point `is_here`."""
    v = value(y)
    for j in range(count):
        out[p, 0, first + j] = partial(y, j) * FACTOR if is_here and v - v == 0 else NOTHING


def keep_array(y: Any, is_here: Flag, p: Index, first: Index, count: Index, out: Target) -> None:
    """Keep those of an array."""
    if y.shape != SHAPE:
        raise ValueError("`fun` returned arrays of different shapes; it must return one shape for all points")
    for k, number in enumerate(y.flat):
        v = value(number)
        for j in range(count):
            out[p, k, first + j] = partial(number, j) * FACTOR if is_here and v - v == 0 else NOTHING


keep: Any = keep_number


def of_numbers(points: Array, out: Target, start: Index, stop: Index, args: Record) -> None:
    """Derive a function of a number at some points."""
    for p in range(np.uintp(start), np.uintp(stop)):  # a place that may be negative costs three times the time
        x = points[p, 0]
        keep(fun(seed(FLOAT(x)), *args), x - x == 0, p, 0, 1, out)


def is_finite(points: Array, p: Index) -> bool:
    """Whether all coordinates of a point are numbers."""
    total = 0.0
    for i in range(points.shape[1]):
        total += points[p, i] - points[p, i]
    return total == 0


def forward(points: Array, out: Target, start: Index, stop: Index, args: Record) -> None:
    """Derive a function of a vector at some points, with respect to some variables at a time."""
    n = points.shape[1]
    for p in range(start, stop):
        is_here = is_finite(points, p)
        for first in range(0, n, WIDTH):
            x = empty(n)
            for i in range(n):
                x[i] = unit(FLOAT(points[p, i]), i - first)
            keep(fun(x, *args), is_here, p, first, min(WIDTH, n - first), out)


def keep_row_of_number(y: Any, is_here: Flag, p: Index, row: Index, first: Index, count: Index, out: Target) -> None:
    """Keep part of a row of the second derivatives of a number."""
    v = value(y)
    for j in range(count):
        d = second(y, j) if is_here and v - v == 0 else NOTHING
        out[p, 0, row, first + j] = out[p, 0, first + j, row] = d


def keep_row_of_array(y: Any, is_here: Flag, p: Index, row: Index, first: Index, count: Index, out: Target) -> None:
    """Keep those of an array."""
    if y.shape != SHAPE:
        raise ValueError("`fun` returned arrays of different shapes; it must return one shape for all points")
    for k, number in enumerate(y.flat):
        v = value(number)
        for j in range(count):
            d = second(number, j) if is_here and v - v == 0 else NOTHING
            out[p, k, row, first + j] = out[p, k, first + j, row] = d


keep_row: Any = keep_row_of_number


def twice_forward(points: Array, out: Target, start: Index, stop: Index, args: Record) -> None:
    """Derive a function of a vector twice: the lower triangle, row by row, some variables at a time; and the upper."""
    n = points.shape[1]
    for p in range(start, stop):
        is_here = is_finite(points, p)
        for row in range(n):
            for first in range(0, row + 1, WIDTH):
                x = empty(n)
                for i in range(n):
                    x[i] = row_unit(FLOAT(points[p, i]), i - first, i == row)
                keep_row(fun(x, *args), is_here, p, row, first, min(WIDTH, row + 1 - first), out)


def sweep(top: Index, n: Index, words: Array, weights: Array, places: Array, ends: Array, adjoints: Target) -> None:
    """adjoints[i] = the derivative of what has its place at the top of the tape, with respect to the i-th variable.

    From the last record to the first, each hands on what it has come to, times its weights.
    """
    size, one = np.uintp(words[4]), np.uintp(1)
    base, end = np.uintp(n) + one, np.uintp(words[3])
    for i in range(base + size):
        adjoints[i] = 0.0
    adjoints[np.uintp(top)] = 1.0
    for k in range(size):
        record = size - one - k
        begin = np.uintp(ends[record - one]) if record > np.uintp(0) else np.uintp(0)
        adjoint = adjoints[base + record]
        if adjoint != 0.0:
            for j in range(begin, end):
                adjoints[np.uintp(places[j])] += weights[j] * adjoint
        end = begin


def keep_adjoints(v: Any, is_here: Flag, p: Index, n: Index, adjoints: Array, out: Target) -> None:
    """Keep the derivatives of a number of this value that a sweep has found."""
    for i in range(n):
        out[p, 0, i] = adjoints[i + 1] if is_here and v - v == 0 else NOTHING


def reverse(
    points: Array, out: Target, start: Index, stop: Index, words: Target, weights: Target,
    places: Target, ends: Target, adjoints: Target, args: Record,
) -> Any:  # fmt: skip
    """Derive a function of a vector, whose value is a number, at some points. Return how many points were done.

    Where the tape has no room, `words` say how much there should have been.
    """
    n = points.shape[1]
    words[0], words[1], words[2] = weights.ctypes.data, places.ctypes.data, ends.ctypes.data
    words[5], words[6], words[7] = weights.size, ends.size, n + 1
    x = empty(n)
    for p in range(start, stop):
        words[3] = words[4] = 0
        for i in range(n):
            x[i] = unit(FLOAT(points[p, i]), i + 1, words.ctypes.data)
        y = fun(x, *args)
        if words[3] > words[5] or words[4] > words[6]:
            return p
        sweep(place(y), n, words, weights, places, ends, adjoints)
        keep_adjoints(value(y), is_finite(points, p), p, n, adjoints, out)
    return stop
