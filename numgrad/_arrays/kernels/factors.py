"""Derivatives times a factor that changes along another axis, as the length of a degree does on a sphere."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.stencil import assign, constant_taps
from numgrad._compile.language import Array, Index, Record, Target
from numgrad._compile.stand_ins import TILE, workspace

REAL: Any = np.float64
OF_POINTS: Any = False  # whether each point has a factor, too
SIZE = np.uintp

inside: Any = constant_taps
put: Any = assign


def with_factors(
    f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, shift: Index, rows: Array, apart: Index,
    factors: Array, constants: Record,
) -> Any:  # fmt: skip
    """out[k] = rows[i] * inside, with i the place along another axis, whose neighbours are `apart`; times factors[k].

    What is inside comes about a little at a time, in the cache.
    """
    start, stop, shift, apart, size = SIZE(start), SIZE(stop), SIZE(shift), SIZE(apart), SIZE(rows.size)
    part, one, met = workspace(out), SIZE(1), False
    for tile in range(start, stop, TILE + TILE):
        end = min(stop, tile + TILE + TILE)
        met |= inside(f, part, n, inner, tile, end, tile, *constants)
        k = tile
        while k < end:
            i = k // apart % size
            if apart == one:
                last = min(end, k + size - i)
                for t in range(k, last):
                    value = REAL(rows[i + (t - k)]) * part[t - tile]
                    put(out, t - shift, value * factors[t] if OF_POINTS else value)
            else:
                last, w = min(end, (k // apart + one) * apart), REAL(rows[i])
                for t in range(k, last):
                    value = w * part[t - tile]
                    put(out, t - shift, value * factors[t] if OF_POINTS else value)
            k = last
    return met
