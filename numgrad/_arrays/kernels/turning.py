"""Minima and maxima along lines: where samples stop to rise and begin to fall, or the other way round."""

from typing import Any

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Scalar, Target

SIZE = np.uintp


def begin_of_circle(y: Array, base: Index, n: Index) -> Any:
    """Return where to begin on a periodic line: at a NaN; or where its maximum begins; -1 if all values are the same.

    And whether it is at a NaN.
    """
    top = 0
    for i in range(n):
        if y[base + i] != y[base + i]:
            return i, True
        if y[base + i] > y[base + top]:
            top = i
    for back in range(1, n):
        if y[base + (top - back) % n] != y[base + top]:
            return (top - back + 1) % n, False
    return -1, False


def scan(
    y: Array, records: Target, n: Index, start: Index, stop: Index, fills: Flag, counts: Target, least: Scalar,
    ends: Flag, plateaus: Flag, periodic: Flag,
) -> None:  # fmt: skip
    """Count the turning points of each line of y, flat, n samples each; and with `fills`, write what they are.

    counts[line] is how many there are; when filling, where to write. A record is the line, the first and the last
    sample of the same value, and 1 for a maximum, -1 for a minimum.

    Samples rise until they fall by `least` below the highest since they began to rise: that was a maximum.
    """
    for line in range(start, stop):
        base, at = line * n, counts[line] if fills else 0
        begin, steps, direction, is_circle = 0, n + 1, 0, False
        if periodic:
            begin, is_gap = begin_of_circle(y, base, n)
            is_circle = not is_gap
            if begin < 0:
                steps = 0
        is_inside, high, low = False, y[base], y[base]
        high_first, high_last, low_first, low_last = 0, 0, 0, 0
        for step in range(steps):
            i = begin + step
            value = y[base + i % n]
            found = 0
            if (step == n and not is_circle) or value != value:
                if is_inside and ends:
                    found = direction
                is_inside, direction = False, 0
            elif not is_inside:
                is_inside, high, low = True, value, value
                high_first, high_last, low_first, low_last = i, i, i, i
                direction = 1 if is_circle else 0
            else:
                if value > high:
                    high, high_first, high_last = value, i, i
                elif value == high and high_last == i - 1:
                    high_last = i
                if value < low:
                    low, low_first, low_last = value, i, i
                elif value == low and low_last == i - 1:
                    low_last = i
                if direction >= 0 and value < high and high - value >= least:
                    found = 1 if direction > 0 or ends else 0
                    direction = -1
                    low, low_first, low_last = value, i, i
                elif direction <= 0 and value > low and value - low >= least:
                    found = -1 if direction < 0 or ends else 0
                    direction = 1
                    high, high_first, high_last = value, i, i
            first, last = (high_first, high_last) if found > 0 else (low_first, low_last)
            if found != 0 and (plateaus or first == last):
                if fills:
                    records[at, 0], records[at, 1], records[at, 2], records[at, 3] = line, first % n, last % n, found
                at += 1
        if not fills:
            counts[line] = at


def strict(
    y: Array, n: Index, start: Index, stop: Index, counts: Target, fills: Flag, index: Target, rises: Target,
    position: Target, value: Target, slope: Target, x: Array, kind: Index, h: Scalar,
) -> None:  # fmt: skip
    """Count the turns in each line of y whose neighbours all differ, -1 where some do not; and with `fills` place them.

    counts[line] is how many there are; when filling, where to write. x is coordinates: of each line, if `kind` is 2; of
    all, if it is 1; or else neighbours are h apart. Parabolas are those of `turning_points`, operation by operation.
    """
    for line in range(SIZE(start), SIZE(stop)):
        base, one, count, same = line * SIZE(n), SIZE(1), SIZE(0), SIZE(0)
        for k in range(base + one, base + SIZE(n) - one):
            count += SIZE((y[k] > y[k - one]) != (y[k + one] > y[k]))
        if not fills:
            for k in range(base + one, base + SIZE(n)):
                same += SIZE(not (y[k] > y[k - one] or y[k] < y[k - one]))
            counts[line] = -1 if same else count
            continue
        first = at = SIZE(counts[line])
        last = first + count
        for k in range(base + one, base + SIZE(n) - one):
            if at == last:
                break
            index[at] = k - base  # whether it is one or not: what a branch would do is guessed wrong half of the time
            at += SIZE((y[k] > y[k - one]) != (y[k + one] > y[k]))
        own = base if kind == 2 else SIZE(0)
        for m in range(first, last):
            i = SIZE(index[m])
            here, place = np.float64(y[base + i]), np.float64(i) * h
            p, q = (np.float64(i) - 1) * h - place, (np.float64(i) + 1) * h - place
            if kind:
                place = x[own + i]
                p, q = x[own + i - one] - place, x[own + i + one] - place
            near, far = np.float64(y[base + i - one]) - here, np.float64(y[base + i + one]) - here
            d = near / p
            curvature = (far / q - d) / (q - p)
            s = d - curvature * p
            offset, change = -s / (2 * curvature), -(s * s) / (4 * curvature)
            turns = abs(offset) < np.inf and abs(change) < np.inf
            position[m], value[m] = place + (offset if turns else 0.0), here + (change if turns else 0.0)
            slope[m], rises[m] = s, near < 0
