"""Gradient descent in the eigenbasis of the Hessian, where each coordinate goes its own way."""

from typing import Any

import numpy as np

from numgrad._kernels.descent import BACKTRACKING, BARZILAI_BORWEIN, GOES_ON, MOST, SIZE, tally

# A rule for the rate beside those of `descent`: as in an earlier run.
REPLAYED = 3


def modes(
    s: Any,
    c: Any,
    rho: Any,
    velocity: Any,
    best: Any,
    rule: Any,
    numbers: Any,
    rates: Any,
    at: Any,
    costs: Any,
    path: Any,
    position: Any,
    marks: Any,
    end: Any,
) -> None:
    """Iterate g = s rho, v = m v + g, c -= rate (a g + b v), rho -= rate s (a g + b v) until the iteration `end`.

    The coordinate c has the eigenvalue s**2, and rho = s (c - c*). Both are kept: rho, that it may shrink without
    rounding errors from c; c, as c* + rho / s would lose what is slow. `numbers` are: 0 rate, 1 momentum m, 2 a, 3 b,
    4 the least cost, 5 the next rate of Barzilai and Borwein, 6 a rate that is small enough.
    """
    while position[0] < end and position[2] == GOES_ON:
        square, slope, bend = 0.0, 0.0, 0.0
        for j in range(SIZE(s.size)):
            r = rho[j]
            g = s[j] * r
            square += r * r
            slope += g * g
            bend += (s[j] * g) * (s[j] * g)
        if slope == 0:  # zero, or too small to be squared
            for j in range(SIZE(s.size)):
                if s[j] * rho[j] != 0:
                    slope = np.nan
        t = position[0]
        tally(numbers[4] + square / 2, square / 2, slope, c, best, at, costs, path, position, marks)
        if rule[0] == BARZILAI_BORWEIN:
            if t > 0 and numbers[5] > 0:
                numbers[0] = numbers[5]
            numbers[5] = 0.0
            if bend > 0:
                numbers[5] = slope / bend
        elif rule[0] == BACKTRACKING:
            if t > 0 and slope > 0 and numbers[0] < MOST * numbers[6]:
                numbers[0] *= 2
            while numbers[0] * bend > slope:
                numbers[0] /= 2
        elif rule[0] == REPLAYED:
            numbers[0] = rates[SIZE(t)]
        rate = numbers[0]
        for j in range(SIZE(s.size)):
            g = s[j] * rho[j]
            v = numbers[1] * velocity[j] + g
            u = rate * (numbers[2] * g + numbers[3] * v)
            velocity[j] = v
            c[j] -= u
            rho[j] -= s[j] * u
