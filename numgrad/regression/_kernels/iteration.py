"""Gradient descent in the eigenbasis of the Hessian, where each coordinate goes its own way."""

from typing import Any

import numpy as np

from numgrad.regression._kernels.passes import SIZE, columns

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


LARGEST = float(np.finfo(np.float64).max)


# The line search stops doubling there: where gradients are too small to be squared, nothing else would stop it.
MOST = 2.0**100


# What ends a run before its last iteration; position[2] has it.
GOES_ON, CONVERGED, GROWN, SETTLED = 0, 1, 2, 3


# How the rate is found.
FIXED, BARZILAI_BORWEIN, BACKTRACKING = 0, 1, 2


def tally(
    now: Any, excess: Any, slope: Any, state: Any, best: Any, at: Any, costs: Any, path: Any, position: Any, marks: Any
) -> None:
    """Record the cost of an iteration, and say in position[2] if it is to be the last one.

    `excess` is that above the least cost, if known, else the cost. `position` is (iteration, records, end). `marks`
    are: 0 the least cost yet, 1 a floor below which growth is rounding, relative to the first cost until that is known,
    2 the least relative norm of the gradient, 3 to what, squared, 4 the latest cost, 5 the least excess cost, by
    which the best state is chosen.
    """
    t, record = SIZE(position[0]), SIZE(position[1])
    if t == SIZE(0):
        if now > 0:
            marks[1] = min(marks[1] * now, LARGEST)
        marks[3] = max(marks[3], slope)
    if record < SIZE(at.size):  # what is not to be kept is overwritten by the next one; the last one stays
        costs[0, record] = now
        costs[1, record] = excess
        if path.size:
            for j in range(SIZE(state.size)):
                path[record, j] = state[j]
        if SIZE(at[record]) == t:
            position[1] += 1
    position[0] += 1
    marks[4] = now
    if excess < marks[5]:
        marks[5] = excess
        for j in range(SIZE(best.size)):
            best[j] = state[j]
    if now < marks[0]:
        marks[0] = now
    elif not now <= max(2 * marks[0], marks[1]):
        position[2] = GROWN
    if position[2] == GOES_ON and slope <= marks[2] * marks[2] * marks[3] and marks[2] > 0 and slope < LARGEST:
        position[2] = CONVERGED


def advance(
    theta: Any,
    gradient: Any,
    square: Any,
    velocity: Any,
    other: Any,
    best: Any,
    rule: Any,
    numbers: Any,
    rates: Any,
    at: Any,
    costs: Any,
    path: Any,
    position: Any,
    marks: Any,
) -> None:
    """Update theta with the sums of a pass, which are set to zero again: v = m v + g, theta -= rate (a g + b v).

    `numbers` are: 0 rate, 1 momentum m, 2 a, 3 b, 4 sum of the weights, 5 penalty, 6 a rate that is small enough,
    7 the square of the gradient before, which is `other`, 8 the last cost. `rule` has how the rate is found, the length
    of a row of theta, whether it begins with an intercept, and whether this is the end, where theta stays. `rates` has
    room for the rate of each iteration, or none.
    """
    size, row, first = SIZE(theta.size), SIZE(rule[1]), SIZE(rule[2])
    penalty, part = numbers[5], 1 / numbers[4]
    slope, along, weight = 0.0, 0.0, 0.0
    for start in range(SIZE(0), size, row):
        for j in range(start, start + row):
            g = gradient[j] * part
            if j >= start + first:
                g += penalty * theta[j]
                weight += theta[j] * theta[j]
            gradient[j] = g
            slope += g * g
            along += g * other[j]
    is_first = position[0] == 0
    if slope == 0:  # zero, or too small to be squared
        for j in range(size):
            if gradient[j] != 0:
                slope = np.nan
    numbers[8] = (square[0] * part + penalty * weight) / 2
    square[0] = 0
    # For a quadratic cost, Armijo's condition with the constant 1/2 says that the least cost along the line is not yet
    # passed: the gradients at both ends do not oppose each other. Else half the way back.
    if rule[0] == BACKTRACKING and not is_first and along < 0 and numbers[0] > numbers[6]:
        numbers[0] /= 2
        if rates.size:
            rates[SIZE(position[0] - 1)] = numbers[0]
        for j in range(size):
            theta[j] += numbers[0] * other[j]
            gradient[j] = 0
        return
    if rule[3]:
        position[2] = SETTLED
        return
    tally(numbers[8], numbers[8], slope, theta, best, at, costs, path, position, marks)
    if rule[0] == BARZILAI_BORWEIN and not is_first and numbers[7] - along > 0:
        numbers[0] *= numbers[7] / (numbers[7] - along)
    elif rule[0] == BACKTRACKING and not is_first and slope > 0 and numbers[0] < MOST * numbers[6]:
        numbers[0] *= 2
    if rates.size:
        rates[SIZE(position[0] - 1)] = numbers[0]
    numbers[7] = slope
    for j in range(size):
        g = gradient[j]
        velocity[j] = numbers[1] * velocity[j] + g
        theta[j] -= numbers[0] * (numbers[2] * g + numbers[3] * velocity[j])
        other[j] = g
        gradient[j] = 0


def descent(
    blocks: Any,
    count: Any,
    theta: Any,
    gradient: Any,
    loss: Any,
    square: Any,
    velocity: Any,
    other: Any,
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
    """Iterate over packed blocks until the iteration `end`, or until one is the last."""
    flat, sums = theta.reshape(theta.size), gradient.reshape(gradient.size)
    while position[0] < end and position[2] == GOES_ON:
        columns(blocks, count, theta, loss, gradient, square)
        advance(flat, sums, square, velocity, other, best, rule, numbers, rates, at, costs, path, position, marks)
