"""Minima and maxima along lines: where samples stop to rise and begin to fall, or the other way round."""

from typing import Any

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Scalar, Target
from numgrad._compile.stand_ins import TILE, workspace

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
    y: Array, n: Index, length: Index, start: Index, stop: Index, counts: Target, fills: Flag, index: Target,
    position: Target, value: Target, slope: Target, rises: Target, x: Array, kind: Index, h: Scalar,
) -> None:  # fmt: skip
    """Count the turns in lines of y whose neighbours all differ, -1 where some do not; and with `fills` place them.

    Lines are cut into pieces of `length` samples. counts[piece] is how many turns there are; when filling, where to
    write them, up to counts[piece + 1]. x is coordinates: of each line, if `kind` is 2; of all, if it is 1; or else
    neighbours are h apart. Parabolas are those of `turning_points`, operation by operation.
    """
    n, length, one = SIZE(n), SIZE(length), SIZE(1)
    pieces = (n + length - one) // length
    for piece in range(SIZE(start), SIZE(stop)):
        base, low = piece // pieces * n, piece % pieces * length
        begin, end = base + max(low, one), base + min(low + length, n)
        inner_end = min(end, base + n - one)
        if not fills:
            count, same = SIZE(0), SIZE(0)
            for k in range(begin, inner_end):
                count += SIZE((y[k] > y[k - one]) != (y[k + one] > y[k]))
            for k in range(begin, end):
                same += SIZE(not (y[k] > y[k - one] or y[k] < y[k - one]))
            counts[piece] = -1 if same else count
            continue
        first = at = SIZE(counts[piece])
        last = SIZE(counts[piece + one])
        for k in range(begin, inner_end):
            if at == last:
                break
            index[at] = k - base  # whether it is one or not: what a branch would do is guessed wrong half of the time
            at += SIZE((y[k] > y[k - one]) != (y[k + one] > y[k]))
        locate(y, base, first, last, index, position, value, slope, rises, x, kind, base if kind == 2 else SIZE(0), h)


def locate(
    y: Array, base: Index, first: Index, last: Index, index: Target, position: Target, value: Target, slope: Target,
    rises: Target, x: Array, kind: Index, own: Index, h: Scalar,
) -> None:  # fmt: skip
    """Place the turns of `strict` from the first-th on, of a line that begins at y[base], its coordinates at x[own].

    A tile of them is put into workspaces, which LLVM knows to lie apart: so it packs the five divisions.
    """
    here, near, far, p, q, place = workspace(x), workspace(x), workspace(x), workspace(x), workspace(x), workspace(x)
    one = SIZE(1)
    for tile in range(first, last, TILE):
        size = min(TILE, last - tile)
        for t in range(size):
            i = SIZE(index[tile + t])
            here[t], place[t] = np.float64(y[base + i]), np.float64(i) * h
            p[t], q[t] = (np.float64(i) - 1) * h, (np.float64(i) + 1) * h
            if kind:
                place[t], p[t], q[t] = x[own + i], x[own + i - one], x[own + i + one]
            near[t], far[t] = np.float64(y[base + i - one]), np.float64(y[base + i + one])
        for t in range(size):
            behind, ahead = p[t] - place[t], q[t] - place[t]
            change = near[t] - here[t]
            d = change / behind
            curvature = ((far[t] - here[t]) / ahead - d) / (ahead - behind)
            s = d - curvature * behind
            offset, rise = -s / (2 * curvature), -(s * s) / (4 * curvature)
            turns = abs(offset) < np.inf and abs(rise) < np.inf
            place[t] += offset if turns else 0.0
            here[t] += rise if turns else 0.0
            near[t], far[t] = change, s
        for t in range(size):
            position[tile + t], rises[tile + t] = place[t], near[t] < 0
        for t in range(size):
            value[tile + t], slope[tile + t] = here[t], far[t]
