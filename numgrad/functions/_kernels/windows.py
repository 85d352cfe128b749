"""The windows of a search: samples become quotients, and quotients the sums that `judge` reads."""

from math import inf, nan
from typing import Any

from numgrad._compile.language import Array, Index, Record, Scalar, Target
from numgrad.functions._kernels import layout as at
from numgrad.functions._kernels.layout import BLOCK


def power(base: Scalar, exponent: Index) -> Any:
    """Return base**exponent, whose last bits would not be the same in compiled code and in Python."""
    product = 1.0
    for _ in range(exponent):
        product *= base
    return product


def condense(
    values: Array,
    begin: Index,
    stride: Index,
    state: Array,
    window: Target,
    t: Index,
    row: Index,
    count: Index,
    kind: Record,
) -> None:
    """Put the samples of one step into this row of the windows of the tasks from t on, `count` of them.

    A window keeps the part of the samples that makes the quotient, their change from the center, and their size.
    """
    _, levels, samples, _, is_checked, _, _ = kind[0]
    center = at.CENTER * BLOCK + t
    rows = levels + 1
    part, change, size = row * BLOCK + t, (rows + row) * BLOCK + t, (2 * rows + row) * BLOCK + t
    for i in range(count):
        window[part + i] = kind[1][at.WEIGHT] * state[center + i]
        window[change + i] = -state[center + i] if is_checked else 0.0
        window[size + i] = 0.0
    for r in range(samples):
        weight, first = kind[2][at.PART][r], begin + r * stride
        for i in range(count):
            sample = values[first + i]
            window[part + i] += weight * sample
            window[size + i] = max(window[size + i], abs(sample))
            apart = max(window[change + i], abs(sample - state[center + i]))
            window[change + i] = window[change + i] + 0.5 * sample if is_checked else apart


def scale(task: Array, state: Target, count: Index, kind: Record) -> None:
    """Find the finest step of each window, and that to the power of the order."""
    width = kind[2][at.STEPS][kind[0][at.LEVELS] - 1]
    for t in range(count):
        fine, coarse = task[at.FINE * BLOCK + t], task[at.COARSE * BLOCK + t] / width
        state[at.H * BLOCK + t] = coarse if state[at.MOVE * BLOCK + t] > at.STAY else fine
        state[at.POWER * BLOCK + t] = task[at.AREA * BLOCK + t]
    for _ in range(kind[0][at.ORDER]):
        for t in range(count):
            state[at.POWER * BLOCK + t] *= state[at.H * BLOCK + t]


def reset(state: Target, count: Index) -> None:
    """Begin the windows of a block, as if they had just moved to finer steps."""
    for t in range(count):
        state[at.MOVE * BLOCK + t] = at.FINER
        state[at.WORSE * BLOCK + t] = state[at.CONVERGED * BLOCK + t] = state[at.SCATTER * BLOCK + t] = 0.0
        state[at.VALUE * BLOCK + t] = state[at.STEP * BLOCK + t] = nan
        state[at.NOISE * BLOCK + t] = state[at.LOST * BLOCK + t] = state[at.ERROR * BLOCK + t] = inf


def fill(values: Array, begin: Index, total: Index, state: Array, window: Target, count: Index, kind: Record) -> None:
    """Fill the windows of a block with the samples that `begin` asked for."""
    order, levels, samples, _, _, _, _ = kind[0]
    for j in range(levels + 1):
        condense(values, begin + j * samples * total, total, state, window, 0, j, count, kind)
        factor = kind[1][at.FACTORIAL] / power(kind[2][at.STEPS][j], order)
        for t in range(count):
            window[j * BLOCK + t] *= factor / state[at.POWER * BLOCK + t]


def weigh(state: Target, window: Array, count: Index, kind: Record) -> None:
    """Sum up the windows of a block, one level after the other: LLVM vectorises short loops over many tasks best."""
    _, levels, _, _, is_checked, _, _ = kind[0]
    weights = kind[2]
    for row in range(at.WHOLE, at.CHANGED + 1):
        for t in range(count):
            state[row * BLOCK + t] = 0.0
    for j in range(levels + 1):
        whole, but_one = weights[at.ALL_LEVELS][j], weights[at.ALL_BUT_ONE][j]
        but_two, but_three = weights[at.ALL_BUT_TWO][j], weights[at.ALL_BUT_THREE][j]
        amplified, probe = weights[at.AMPLIFIED][j], weights[at.PROBE][j]
        even = weights[at.EVEN][j] if is_checked else 0.0
        even_but_one = weights[at.EVEN_BUT_ONE][j] if is_checked else 0.0
        quotients, changes, sizes = j * BLOCK, (levels + 1 + j) * BLOCK, (2 * levels + 2 + j) * BLOCK
        for t in range(count):
            quotient, change = window[quotients + t], window[changes + t]
            state[at.WHOLE * BLOCK + t] += whole * quotient
            state[at.BUT_ONE * BLOCK + t] += but_one * quotient
            state[at.BUT_TWO * BLOCK + t] += but_two * quotient
            state[at.BUT_THREE * BLOCK + t] += but_three * quotient
            state[at.ROUNDING * BLOCK + t] += amplified * window[sizes + t]
            state[at.PROBED * BLOCK + t] += probe * quotient
            state[at.RESIDUAL * BLOCK + t] += even * change
            state[at.RESIDUAL_BUT_ONE * BLOCK + t] += even_but_one * change
            state[at.CHANGED * BLOCK + t] = max(state[at.CHANGED * BLOCK + t], abs(change))
