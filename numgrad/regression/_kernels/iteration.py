"""Iterations of gradient descent: over packed data, and in the eigenbasis of the Hessian."""

from typing import Any, NamedTuple

import numpy as np

from numgrad._compile.language import Array, Index, Record, Scalar, Target, early, light
from numgrad._compile.stand_ins import now, rest, swap
from numgrad.regression._kernels.passes import SIZE, columns

go = columns  # or another pass over some rows

LARGEST = float(np.finfo(np.float64).max)
# The line search stops doubling there: where gradients are too small to be squared, nothing else would stop it.
MOST = 2.0**100

# How the rate is found: given, by Barzilai and Borwein, by a line search, or as in an earlier run.
FIXED, BARZILAI_BORWEIN, BACKTRACKING, REPLAYED = range(4)
# Whether a run goes on, or what has ended it before its last iteration.
GOES_ON, CONVERGED, GROWN, SETTLED = range(4)

# The places of `Log.position`.
ITERATION, RECORDS, END = range(3)
# The places of `Log.marks`. Growth below the floor is rounding; it is relative to the first cost until that is known.
# A gradient ends the run whose square is at most the square of TOLERANCE times STEEPEST.
LEAST_COST, FLOOR, TOLERANCE, STEEPEST, LATEST_COST, LEAST_EXCESS = range(6)
# The places of `Pace.shape`: how the rate is found; the length of a row of theta; whether a row begins with an
# intercept; whether this is the end, where theta stays.
KIND, ROW, FIRST, IS_LAST = range(4)
# The places of `Pace.numbers` in v = MOMENTUM v + g, theta -= RATE (A g + B v). SAFE is a rate that is small enough.
RATE, MOMENTUM, A, B, SAFE = range(5)
# More of them over data: the sum of the weights, the penalty, the square of the gradient before, the last cost.
WEIGHT, PENALTY, SLOPE, COST = range(5, 9)
# More of them in the eigenbasis: the least possible cost, and the next rate of Barzilai and Borwein.
OFFSET, NEXT = range(5, 7)
# The places of `turn`, by which threads share passes, on lines of the cache of their own: passes that have been opened,
# none any more if that is negative; pieces of all passes that have been taken, and that are done.
OPENED, TAKEN, DONE, TURNS = 0, 16, 32, 48


class Pace(NamedTuple):
    """The lengths of the steps. `rates` has one for each iteration, where they vary and are asked for; else none."""

    shape: Target
    numbers: Target
    rates: Target


class Flat(NamedTuple):
    """Theta, the sums of pieces, and room for the gradient, with one dimension."""

    theta: Target
    sums: Target
    gradient: Target


class Log(NamedTuple):
    """The record of a run: costs, excess costs and path of theta at the iterations `at`; the best theta."""

    at: Array
    costs: Target
    path: Target
    best: Target
    position: Target
    marks: Target


@light
def modes(s: Array, c: Target, rho: Target, velocity: Target, pace: Pace, log: Log, end: Index) -> None:
    """Iterate g = s rho, v = m v + g, c -= rate (a g + b v), rho -= rate s (a g + b v) until the iteration `end`.

    The coordinate c has the eigenvalue s**2, and rho = s (c - c*). Both are kept: rho, that it may shrink without
    rounding errors from c; c, as c* + rho / s would lose what is slow.
    """
    kind, numbers, position = pace.shape[KIND], pace.numbers, log.position
    offset, momentum, a, b, rate = numbers[OFFSET], numbers[MOMENTUM], numbers[A], numbers[B], numbers[RATE]
    t, size = position[ITERATION], SIZE(len(s))
    while t < end and position[END] == GOES_ON:
        square, slope, bend = 0.0, 0.0, 0.0
        for j in range(size):
            r = rho[j]
            g = s[j] * r
            h = s[j] * g
            square += r * r
            slope += g * g
            bend += h * h
        if slope == 0:  # zero, or too small to be squared
            for j in range(size):
                if s[j] * rho[j] != 0:
                    slope = np.nan
        excess = square / 2
        tally(offset + excess, excess, slope, c, log)
        if kind != FIXED:
            if kind == BARZILAI_BORWEIN:
                if t > 0 and numbers[NEXT] > 0:
                    rate = numbers[NEXT]
                numbers[NEXT] = 0.0
                if bend > 0:
                    numbers[NEXT] = slope / bend
            elif kind == BACKTRACKING:
                if t > 0 and slope > 0 and rate < MOST * numbers[SAFE]:
                    rate *= 2
                while rate * bend > slope:
                    rate /= 2
            else:
                rate = pace.rates[SIZE(t)]
            numbers[RATE] = rate
        for j in range(size):
            g = s[j] * rho[j]
            v = momentum * velocity[j] + g
            u = rate * (a * g + b * v)
            velocity[j] = v
            c[j] -= u
            rho[j] -= s[j] * u
        t += 1


@early
@light
def tally(now: Scalar, excess: Scalar, slope: Scalar, theta: Array, log: Log) -> None:
    """Record the cost of an iteration, and say in `log.position` if it is to be the last one.

    `excess` is the cost above the least one, by which the best theta is chosen; the cost itself where that is unknown.
    """
    at, costs, path, best, position, marks = log
    t, record = SIZE(position[ITERATION]), SIZE(position[RECORDS])
    if t == SIZE(0):
        if now > 0:
            floor = marks[FLOOR] * now
            marks[FLOOR] = floor if floor < LARGEST else LARGEST  # `min` takes longer to compile
        if slope > marks[STEEPEST]:
            marks[STEEPEST] = slope
    if record < SIZE(len(at)):  # an iteration that is not in `at` is overwritten by the next one; the last one stays
        costs[0, record] = now
        costs[1, record] = excess
        if SIZE(len(path)):
            for j in range(SIZE(len(theta))):
                path[record, j] = theta[j]
        if SIZE(at[record]) == t:
            position[RECORDS] += 1
    position[ITERATION] += 1
    marks[LATEST_COST] = now
    if excess < marks[LEAST_EXCESS]:
        marks[LEAST_EXCESS] = excess
        for j in range(SIZE(len(best))):
            best[j] = theta[j]
    least, tolerance = marks[LEAST_COST], marks[TOLERANCE]
    if now < least:
        marks[LEAST_COST] = now
    elif not (now <= 2 * least or now <= marks[FLOOR]):
        position[END] = GROWN
    if not tolerance > 0 or position[END] != GOES_ON:
        return
    if slope <= tolerance * tolerance * marks[STEEPEST] and slope < LARGEST:
        position[END] = CONVERGED


def advance(
    theta: Target, gradient: Target, square: Scalar, velocity: Target, before: Target, pace: Pace, log: Log
) -> None:
    """Update theta with the sums of a pass: v = m v + g, theta -= rate (a g + b v).

    `before` is the gradient of the iteration before.
    """
    shape, numbers, rates, position = pace.shape, pace.numbers, pace.rates, log.position
    size, row, first = SIZE(theta.size), SIZE(shape[ROW]), SIZE(shape[FIRST])
    penalty, part = numbers[PENALTY], 1 / numbers[WEIGHT]
    slope, along, weight = 0.0, 0.0, 0.0
    for start in range(SIZE(0), size, row):
        for j in range(start, start + row):
            g = gradient[j] * part
            if j >= start + first:
                g += penalty * theta[j]
                weight += theta[j] * theta[j]
            gradient[j] = g
            slope += g * g
            along += g * before[j]
    is_first = position[ITERATION] == 0
    if slope == 0:  # zero, or too small to be squared
        for j in range(size):
            if gradient[j] != 0:
                slope = np.nan
    numbers[COST] = (square * part + penalty * weight) / 2
    # For a quadratic cost, Armijo's condition with the constant 1/2 says that the least cost along the line is not yet
    # passed: the gradients at both ends do not oppose each other. Else half the way back.
    if shape[KIND] == BACKTRACKING and not is_first and along < 0 and numbers[RATE] > numbers[SAFE]:
        numbers[RATE] /= 2
        if rates.size:
            rates[SIZE(position[ITERATION] - 1)] = numbers[RATE]
        for j in range(size):
            theta[j] += numbers[RATE] * before[j]
        return
    if shape[IS_LAST]:
        position[END] = SETTLED
        return
    tally(numbers[COST], numbers[COST], slope, theta, log)
    if shape[KIND] == BARZILAI_BORWEIN and not is_first and numbers[SLOPE] - along > 0:
        numbers[RATE] *= numbers[SLOPE] / (numbers[SLOPE] - along)
    elif shape[KIND] == BACKTRACKING and not is_first and slope > 0 and numbers[RATE] < MOST * numbers[SAFE]:
        numbers[RATE] *= 2
    if rates.size:
        rates[SIZE(position[ITERATION] - 1)] = numbers[RATE]
    numbers[SLOPE] = slope
    for j in range(size):
        g = gradient[j]
        velocity[j] = numbers[MOMENTUM] * velocity[j] + g
        theta[j] -= numbers[RATE] * (numbers[A] * g + numbers[B] * velocity[j])
        before[j] = g


def descent(
    data: Record,
    part: Target,
    cuts: Array,
    sums: Target,
    squares: Target,
    theta: Target,
    flat: Flat,
    velocity: Target,
    before: Target,
    pace: Pace,
    log: Log,
    turn: Target,
    end: Index,
) -> None:
    """Iterate until the iteration `end`, or until one is the last, together with all who call this with this `turn`.

    Rows are cut into pieces, each of which has a place in `sums` and `squares`, and in each pass whoever is free takes
    the next one. Who has done the last one adds them up in their order, and opens the next pass.
    """
    pieces, which, goes_on, size = SIZE(len(cuts) - 1), SIZE(0), True, SIZE(flat.theta.size)
    while goes_on:
        if pieces > SIZE(1):
            which = taken(turn, pieces)
            if which == pieces:
                return
        gradient = sums[which]
        for k in range(SIZE(theta.shape[0])):
            for j in range(SIZE(theta.shape[1])):
                gradient[k, j] = 0
        squares[which] = go(data, part, theta, gradient, cuts[which], cuts[which + SIZE(1)])
        if pieces == SIZE(1) or is_last(turn, pieces):
            square = squares[SIZE(0)]
            for j in range(size):
                flat.gradient[j] = flat.sums[j]
            for other in range(SIZE(1), pieces):
                square += squares[other]
                for j in range(size):
                    flat.gradient[j] += flat.sums[other * size + j]
            advance(flat.theta, flat.gradient, square, velocity, before, pace, log)
            goes_on = log.position[ITERATION] < end and log.position[END] == GOES_ON
            if pieces > SIZE(1):
                opened = now(turn, OPENED)
                swap(turn, OPENED, opened, opened + 1 if goes_on else -1)


def taken(turn: Target, pieces: Index) -> Any:
    """Return which piece of the pass is to be done next; `pieces` if there will be none any more.

    Nobody waits who has taken one, so nobody waits for those who come late, or never.
    """
    turns = 0
    while True:
        opened = now(turn, OPENED)
        if opened < 0:
            return pieces
        ticket = now(turn, TAKEN)
        left = opened * np.int64(pieces) - ticket
        if left <= 0:
            rest(turns)
            turns += 1
        elif swap(turn, TAKEN, ticket, ticket + 1):
            return pieces - SIZE(left)


def is_last(turn: Target, pieces: Index) -> Any:
    """Say that a piece is done, and whether all of the pass are."""
    while True:
        done = now(turn, DONE)
        if swap(turn, DONE, done, done + 1):
            return SIZE(done + 1) % pieces == SIZE(0)
