"""Passes over samples: what they are like, their moments in spans of even knots, splines at their places.

A coordinate array of one element is the distance of even samples, whose places are multiples of it from 0; a weight
array of one element is the weight of all. Samples that are NaN are missing.
"""

import numpy as np

from numgrad._compile.language import Array, Index, Target

REAL = np.float64


def survey(x: Array, y: Array, weight: Array, found: Target, start: Index, stop: Index) -> None:
    """Write the range of the places, whether they rise, and count, range, weight and mean of the samples.

    found: lowest and highest place, 1 if places never fall, those of missing samples neither, 1 if all are finite, how
    often neighbours differ; count, lowest and highest sample, sum of their distances from the first, that first one; 1
    if all are finite; the sum of the weights.
    """
    is_even, is_alike = x.shape[0] == 1, weight.shape[0] == 1
    low, high, rises, finite, steps, before = REAL(np.inf), REAL(-np.inf), 1.0, 1.0, 0, REAL(0)
    ahead = REAL(-np.inf)
    count, least, most, total, first, is_real = 0, REAL(np.inf), REAL(-np.inf), REAL(0), REAL(0), 1.0
    mass = REAL(0)
    for i in range(start, stop):
        value = REAL(y[i])
        w = REAL(weight[0] if is_alike else weight[i])
        place = x[0] * i if is_even else REAL(x[i])
        if not abs(place) < np.inf:
            finite = 0.0
        if place < ahead:
            rises = 0.0
        ahead = place
        if value != value or w == 0.0:
            continue
        if not abs(value) < np.inf:
            is_real = 0.0
        if count == 0:
            first = value
        elif place != before:
            steps += 1
        before = place
        if place < low:
            low = place
        if place > high:
            high = place
        if value < least:
            least = value
        if value > most:
            most = value
        count += 1
        total += value - first
        mass += w
    found[0], found[1], found[2], found[3], found[4] = low, high, rises, finite, steps
    found[5], found[6], found[7], found[8], found[9] = count, least, most, total, first
    found[10], found[11] = is_real, mass


def gather(
    x: Array, y: Array, weight: Array, grid: Array, moments: Target, sums: Target, first: Index, start: Index,
    stop: Index,
) -> None:  # fmt: skip
    """Add the moments of samples to those of the spans, whose first row is that of the span `first`.

    A row has the sums of w T_k(s), k = 0, ..., 2 d, and behind them those of w y T_k(s), k = 0, ..., d. `grid` is where
    the spans begin, how many there are in a unit, how many at all; the period or 0; what is subtracted from samples,
    and the factor of the rest. sums: of w y^2, of w, the count.
    """
    width = moments.shape[1]
    wide = (2 * width - 1) // 3
    low, per_unit, spans, period, shift, factor = grid[0], grid[1], int(grid[2]), grid[3], grid[4], grid[5]
    is_even, is_alike = x.shape[0] == 1, weight.shape[0] == 1
    square, mass, count = REAL(0), REAL(0), 0
    for i in range(start, stop):
        value = (REAL(y[i]) - shift) * factor
        w = REAL(weight[0] if is_alike else weight[i])
        if value != value or w == 0.0:
            continue
        u = ((x[0] * i if is_even else REAL(x[i])) - low) * per_unit
        if period > 0.0:
            u -= np.floor(u / period) * period
        span = min(max(int(u), 0), spans - 1)
        s = 2.0 * (u - span) - 1.0
        row = span - first
        before, here, wy = REAL(1), s, w * value
        moments[row, 0] += w
        moments[row, 1] += w * s
        moments[row, wide] += wy
        moments[row, wide + 1] += wy * s
        for k in range(2, width - wide):
            after = 2.0 * s * here - before
            moments[row, k] += w * after
            moments[row, wide + k] += wy * after
            before, here = here, after
        for k in range(width - wide, wide):
            after = 2.0 * s * here - before
            moments[row, k] += w * after
            before, here = here, after
        square += wy * value
        mass += w
        count += 1
    sums[0] += square
    sums[1] += mass
    sums[2] += count


def evaluate(x: Array, grid: Array, powers: Array, out: Target, start: Index, stop: Index) -> None:
    """Write at the places x a function that is a polynomial in each span: a row of `powers` of s."""
    low, per_unit, spans, period = grid[0], grid[1], int(grid[2]), grid[3]
    is_even, top = x.shape[0] == 1, powers.shape[1] - 1
    for i in range(start, stop):
        u = ((x[0] * i if is_even else REAL(x[i])) - low) * per_unit
        if u != u:
            out[i] = u
            continue
        if period > 0.0:
            u -= np.floor(u / period) * period
        span = int(min(max(u, 0.0), spans - 1.0))
        s = 2.0 * (u - span) - 1.0
        value = powers[span, top]
        for k in range(top - 1, -1, -1):
            value = value * s + powers[span, k]
        out[i] = value


def spread(
    x: Array, grid: Array, powers: Array, inverse: Array, room: Target, out: Target, start: Index, stop: Index
) -> None:
    """Write b' V b at the places x: b the functions of a span, by `powers` of s, V the band of a symmetric matrix.

    inverse[i, k] is V[i, i + k].
    """
    low, per_unit, spans, period = grid[0], grid[1], int(grid[2]), grid[3]
    is_even, count, top = x.shape[0] == 1, powers.shape[0], powers.shape[1] - 1
    for i in range(start, stop):
        u = ((x[0] * i if is_even else REAL(x[i])) - low) * per_unit
        if u != u:
            out[i] = u
            continue
        if period > 0.0:
            u -= np.floor(u / period) * period
        span = int(min(max(u, 0.0), spans - 1.0))
        s = 2.0 * (u - span) - 1.0
        for a in range(count):
            value = powers[a, top]
            for k in range(top - 1, -1, -1):
                value = value * s + powers[a, k]
            room[a] = value
        total = REAL(0)
        for a in range(count):
            part = inverse[span + a, 0] * room[a] * 0.5
            for b in range(1, count - a):
                part += inverse[span + a, b] * room[a + b]
            total += 2.0 * part * room[a]
        out[i] = total
