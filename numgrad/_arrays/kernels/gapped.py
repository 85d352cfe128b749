"""NaNs as gaps: what lies between them is an interval with ends of its own."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.coordinates import EMPTY, ONE_SIDED, PERIODIC, one_point, window
from numgrad._arrays.kernels.stencil import constant_taps
from numgrad._compile.language import Array, Flag, Index, Record, Target

FIELD: Any = np.float64
REAL: Any = np.float64
SIZE = np.uintp

inside: Any = constant_taps

# Elements that are looked at together: where no NaN is near, there is nothing to do.
GLANCE = 64


def is_near_nan(f: Array, start: Index, stop: Index, inner: Index, cap: Index) -> bool:
    """Whether there is a NaN up to `cap` neighbours away from f[start:stop]."""
    found = False
    for o in range(-cap, cap + 1):
        for k in range(SIZE(max(0, start + o * inner)), SIZE(max(0, min(f.size, stop + o * inner)))):
            found |= f[k] != f[k]
    return found


def run_length(f: Array, k: Index, i: Index, n: Index, inner: Index, step: Index, cap: Index, wraps: Flag) -> Any:
    """Return how many neighbours of f[k] in a direction are no NaN, up to `cap`, to the end of the line or around."""
    length = 0
    while length < cap:
        p = i + step * (length + 1)
        if wraps:
            p %= n
        if p < 0 or p >= n or f[k + (p - i) * inner] != f[k + (p - i) * inner]:
            break
        length += 1
    return length


def gapped(
    f: Array,
    out: Target,
    n: Index,
    inner: Index,
    start: Index,
    stop: Index,
    shift: Index,
    x: Array,
    numbers: Record,
    constants: Record,
) -> Any:
    """As `inside`, but where a NaN is within the reach of the formula, the points up to it stand for those beyond.

    `numbers` are: reach of the formula to either side, how many points one at an end takes, how many an interval needs,
    what the ends of the axis do, the period, the factor of weights, and whether x has the shape of f.
    """
    met = inside(f, out, n, inner, start, stop, shift, *constants)
    low, high, edge, needed, kind, period, factor, is_own = numbers
    n, inner, start, stop, shift = np.int64(n), np.int64(inner), np.int64(start), np.int64(stop), np.int64(shift)
    cap = max(max(low, high), max(edge, needed))
    for glance in range(start, stop, GLANCE):
        end = min(stop, glance + GLANCE)
        # Around the end of a period lie other elements than in memory.
        first, last = (glance // inner) % n, ((end - 1) // inner) % n
        is_one_line = glance // (n * inner) == (end - 1) // (n * inner)
        is_around = kind == PERIODIC and not (is_one_line and cap <= first and last < n - cap)
        if not (is_around or is_near_nan(f, glance, end, inner, cap)):
            continue
        for k in range(glance, end):
            i = (k // inner) % n
            before = run_length(f, k, i, n, inner, -1, cap, kind == PERIODIC)
            after = run_length(f, k, i, n, inner, 1, cap, kind == PERIODIC)
            length = before + after + 1
            if before >= low and after >= high and length >= needed and f[k] == f[k]:
                continue
            is_low = before < min(low, (length + 1) // 2)
            is_end = before == i if is_low else after == n - 1 - i and i >= min(low, (n + 1) // 2)
            if is_end and kind == ONE_SIDED and length >= needed and f[k] == f[k]:
                continue  # the end of the axis is the end of this interval: `inside` has rounded the same weights
            value = FIELD(f[k]) * REAL(np.nan)
            if f[k] == f[k] and length >= needed and not (kind == EMPTY and (i < low or i >= n - high)):
                begin = window(i, before, after, is_low, edge)
                at, hop = (k, inner) if is_own else (i, np.int64(1))
                value = one_point(f, k, i, n, inner, x, at, hop, begin, edge, period, factor)
            out[k - shift] = value
    return met
