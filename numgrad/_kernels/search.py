"""The search for the step of a difference quotient: one task for each point and variable, many at a time.

A task's window is some steps, its levels, each twice the one before, where the function is sampled. The quotients at
these, extrapolated to zero by four sets of weights (of all levels, of all but the coarsest, but the coarsest two, but
the coarsest three), say how large the truncation error is; the sizes of the samples say how large that of rounding
is. The window then moves to finer or coarser steps, level by level, as long as their sum shrinks.

Functions are told the kind of quotient: whole numbers (the order of the derivative, levels, samples at each, and four
flags), numbers, and rows of weights; `numgrad.functions._quotients` makes it.

Tasks, and the states of the numbers that the function returns for them, lie in blocks of BLOCK, row by row: the
distance of two rows is a constant, which lets LLVM vectorise over the tasks of a block.
"""

from math import inf, nan
from typing import Any

import numpy as np

BLOCK = 128
# Rows of a block of tasks: two coordinates, how far a step of 1 moves each, the product of these, the finest and the
# coarsest step sampled, their limits, and how often the function was called.
FIRST, SECOND, UNIT, UNIT2, AREA, FINE, COARSE, FINEST, COARSEST, CALLS = range(10)
TASK = 10 * BLOCK
# Rows of a block of states: what is known of a number of a task, its best quotient so far, what its window says now.
CENTER, PROBE, MOVE, NOISE, LOST, WORSE = range(6)
VALUE, ERROR, SCATTER, STEP, CONVERGED = range(6, 11)
H, POWER, WHOLE, BUT_ONE, BUT_TWO, BUT_THREE, ROUNDING, RESIDUAL, CHANGED = range(11, 20)
STATE = 20 * BLOCK
# The rows of a block of windows are, `levels` times each, quotients, changes of the samples (of their even part for a
# central quotient of odd order, else the largest), and sizes of the samples.

# The rows of weights of a kind of quotient.
OFFSETS, OFFSETS2, PART, ALL_LEVELS, ALL_BUT_ONE, ALL_BUT_TWO, ALL_BUT_THREE, AMPLIFIED, EVEN = range(9)

# Rounding is accepted up to this many units of the last place of the derivative before coarser steps are tried.
ACCEPTED = 64.0
# Steps are this times a power of two: short enough for x + h to be exact, and no period is a multiple of them all.
ODD = 847_807 / 2**20
# A probe nearer to x than the finest step, by this, tells about how steep the function is there: a window may look
# smooth by chance, when its samples lie whole periods of an oscillation apart.
NEAR = 0.0193
# A quotient that changes by less than this fraction is taken to have left behind the steps that say nothing.
RESOLVED = 1e-2
# Columns that come nearer by less than the root of this are not taken to converge any more, but to scatter.
SCATTERED = 64.0
# A function with more noise than so many times its rounding is not said to have a derivative.
NOISY = 3000.0
# A function is sampled at no more levels beyond the first window than these, and no farther than this.
ROUNDS = 100
FARTHEST = 2.0**3
# Steps of fewer units of the last place of x than 2 to this would tell nothing of a kink.
NOTHING = 10
# Beside a divisor that may be zero.
TINY = 1e-300


def unit(exponent: Any) -> Any:
    """The exponent of the scale of a function near 2^exponent: like the root of |x| up to 4096, then like |x|."""
    grown = max(exponent, 0)
    return grown // 2 if grown <= 12 else grown - 6


def load(scratch: Any, problem: Any, numbers: Any, start: Any, stop: Any, kind: Any) -> None:
    """Copy what is known of the tasks from start to stop into the scratch memory, and choose their first steps.

    These are powers of two times ODD, so that x + h and x - h are exact; or those that are given.
    """
    order, levels, samples, is_mixed, _, _, _ = kind[0]
    tasks, states, _, _, _, _, _, _ = scratch
    first, second, room, given, centers, point = problem
    digits, _, lanes = numbers
    for begin in range(start, stop, BLOCK):
        task = tasks[(begin - start) // BLOCK * TASK :][:TASK]
        bits = task.view(np.int64)
        count = min(stop - begin, BLOCK)
        for t in range(count):
            task[FIRST * BLOCK + t] = first[begin + t]
            task[SECOND * BLOCK + t] = second[begin + t] if is_mixed else 0.0
            task[FINE * BLOCK + t] = ODD * 0.5**levels
        for t in range(count):
            exponent = (bits[FIRST * BLOCK + t] >> 52 & 0x7FF) - 1023
            size, size2 = unit(exponent), 0
            finest = exponent + NOTHING - digits - size
            if is_mixed:
                exponent2 = (bits[SECOND * BLOCK + t] >> 52 & 0x7FF) - 1023
                size2 = unit(exponent2)
                finest = max(finest, exponent2 + NOTHING - digits - size2)
            bits[UNIT * BLOCK + t] = size + 1023 << 52
            bits[UNIT2 * BLOCK + t] = size2 + 1023 << 52
            bits[FINEST * BLOCK + t] = max(finest, -1000) + 1023 << 52
        if given.size:
            for t in range(count):
                x, h = abs(task[FIRST * BLOCK + t]), given[begin + t]
                task[UNIT * BLOCK + t] = task[UNIT2 * BLOCK + t] = 1.0
                task[FINE * BLOCK + t] = x + h - x  # what a step of h is in numbers as large as x
        for t in range(count):
            h, h2, power = task[UNIT * BLOCK + t], task[UNIT2 * BLOCK + t], 1.0
            for _ in range(order):
                power *= h
            task[AREA * BLOCK + t] = h * h2 if is_mixed else power
            task[COARSEST * BLOCK + t] = FARTHEST
            task[COARSE * BLOCK + t] = task[FINE * BLOCK + t] * 2.0 ** (levels - 1)
            task[CALLS * BLOCK + t] = levels * samples + 1.0
        if room.size and not given.size:
            for t in range(count):
                far = room[0, begin + t] / task[UNIT * BLOCK + t]
                if is_mixed:
                    far = min(far, room[1, begin + t] / task[UNIT2 * BLOCK + t])
                task[COARSEST * BLOCK + t] = min(far, FARTHEST)
                while task[COARSE * BLOCK + t] > far:
                    task[COARSE * BLOCK + t] *= 0.5
                    task[FINE * BLOCK + t] *= 0.5
        for lane in range(lanes):
            at = ((begin - start) // BLOCK * lanes + lane) * STATE + CENTER * BLOCK
            for t in range(count):
                states[at + t] = centers[lane, point[begin + t]]


def begin(scratch: Any, problem: Any, numbers: Any, start: Any, stop: Any, kind: Any) -> None:
    """Say where to sample for the first windows: level by level, sample by sample, task by task."""
    _, levels, samples, is_mixed, _, _, _ = kind[0]
    weights = kind[2]
    load(scratch, problem, numbers, start, stop, kind)
    tasks, _, _, nodes, nodes2, which, _, _ = scratch
    total = stop - start
    for first in range(0, total, BLOCK):
        task = tasks[first // BLOCK * TASK :][:TASK]
        count = min(total - first, BLOCK)
        for j in range(levels):
            for r in range(samples):
                at = (j * samples + r) * total + first
                node, node2, index = nodes[at:][:count], nodes2[at:][:count], which[at:][:count]
                scale, scale2 = weights[OFFSETS][r] * 2.0**j, weights[OFFSETS2][r] * 2.0**j
                for t in range(count):
                    node[t] = task[FIRST * BLOCK + t] + scale * (task[FINE * BLOCK + t] * task[UNIT * BLOCK + t])
                if is_mixed:
                    for t in range(count):
                        node2[t] = task[SECOND * BLOCK + t] + scale2 * (
                            task[FINE * BLOCK + t] * task[UNIT2 * BLOCK + t]
                        )
                if which.size:
                    for t in range(count):
                        index[t] = first + t
        at = levels * samples * total + first
        node, node2, index = nodes[at:][:count], nodes2[at:][:count], which[at:][:count]
        for t in range(count):
            h = task[FINE * BLOCK + t]
            node[t] = task[FIRST * BLOCK + t] + NEAR * weights[OFFSETS][0] * (h * task[UNIT * BLOCK + t])
        if is_mixed:
            for t in range(count):
                node2[t] = task[SECOND * BLOCK + t]
        if which.size:
            for t in range(count):
                index[t] = first + t


def condense(
    values: Any, at: Any, stride: Any, state: Any, window: Any, t: Any, row: Any, count: Any, kind: Any
) -> None:
    """Put the samples of one step into this row of the windows of the tasks from t on, `count` of them.

    That is the part that the quotient is made of, the change from the center, and the size.
    """
    _, levels, samples, _, is_checked, _, _ = kind[0]
    center = CENTER * BLOCK + t
    part, change, size = row * BLOCK + t, (levels + row) * BLOCK + t, (2 * levels + row) * BLOCK + t
    for i in range(count):
        window[part + i] = kind[1][0] * state[center + i]
        window[change + i] = -state[center + i] if is_checked else 0.0
        window[size + i] = 0.0
    for r in range(samples):
        weight, first = kind[2][PART][r], at + r * stride
        for i in range(count):
            sample = values[first + i]
            window[part + i] += weight * sample
            window[size + i] = max(window[size + i], abs(sample))
            apart = max(window[change + i], abs(sample - state[center + i]))
            window[change + i] = window[change + i] + 0.5 * sample if is_checked else apart


def scale(task: Any, state: Any, count: Any, kind: Any) -> None:
    """Find the finest step of each window, and that to the power of the order."""
    finest = 0.5 ** (kind[0][1] - 1)
    for t in range(count):
        fine, coarse = task[FINE * BLOCK + t], task[COARSE * BLOCK + t] * finest
        state[H * BLOCK + t] = coarse if state[MOVE * BLOCK + t] > 0.0 else fine
        state[POWER * BLOCK + t] = task[AREA * BLOCK + t]
    for _ in range(kind[0][0]):
        for t in range(count):
            state[POWER * BLOCK + t] *= state[H * BLOCK + t]


def open_windows(values: Any, at: Any, total: Any, task: Any, state: Any, window: Any, count: Any, kind: Any) -> None:
    """Fill the windows of a block with the samples that `begin` asked for, as if they had just moved to finer steps."""
    order, levels, samples, _, _, _, _ = kind[0]
    probe = at + levels * samples * total
    for t in range(count):
        state[PROBE * BLOCK + t] = values[probe + t] - state[CENTER * BLOCK + t]
        state[MOVE * BLOCK + t] = -1.0
        state[WORSE * BLOCK + t] = state[CONVERGED * BLOCK + t] = state[SCATTER * BLOCK + t] = 0.0
        state[VALUE * BLOCK + t] = state[STEP * BLOCK + t] = nan
        state[NOISE * BLOCK + t] = state[LOST * BLOCK + t] = state[ERROR * BLOCK + t] = inf
    scale(task, state, count, kind)
    for j in range(levels):
        condense(values, at + j * samples * total, total, state, window, 0, j, count, kind)
        factor = kind[1][1] * 0.5 ** (j * order)
        for t in range(count):
            window[j * BLOCK + t] *= factor / state[POWER * BLOCK + t]


def weigh(state: Any, window: Any, count: Any, kind: Any) -> None:
    """Sum up the windows of a block, one level after the other: LLVM vectorises short loops over many tasks best."""
    _, levels, _, _, is_checked, _, _ = kind[0]
    weights = kind[2]
    for row in range(WHOLE, CHANGED + 1):
        for t in range(count):
            state[row * BLOCK + t] = 0.0
    for j in range(levels):
        whole, but_one = weights[ALL_LEVELS][j], weights[ALL_BUT_ONE][j]
        but_two, but_three = weights[ALL_BUT_TWO][j], weights[ALL_BUT_THREE][j]
        amplified, even = weights[AMPLIFIED][j], weights[EVEN][j] if is_checked else 0.0
        at, changes, sizes = j * BLOCK, (levels + j) * BLOCK, (2 * levels + j) * BLOCK
        for t in range(count):
            quotient, change = window[at + t], window[changes + t]
            state[WHOLE * BLOCK + t] += whole * quotient
            state[BUT_ONE * BLOCK + t] += but_one * quotient
            state[BUT_TWO * BLOCK + t] += but_two * quotient
            state[BUT_THREE * BLOCK + t] += but_three * quotient
            state[ROUNDING * BLOCK + t] += amplified * window[sizes + t]
            state[RESIDUAL * BLOCK + t] += even * change
            state[CHANGED * BLOCK + t] = max(state[CHANGED * BLOCK + t], abs(change))


def judge(task: Any, state: Any, window: Any, epsilon: Any, count: Any, is_first: Any, kind: Any) -> None:
    """Keep of each window of a block what is better than before, and say whether it moves on.

    Rounding is that of the values of the function, and more if it rounds as a function of a rounded x does.
    """
    _, levels, _, is_mixed, is_checked, is_fixed, is_leading = kind[0]
    _, factorial, amplification, gain, gain_before, gain_earlier, span = kind[1]
    coarsest, changes = (levels - 1) * BLOCK, levels * BLOCK
    sizes, largest = 2 * levels * BLOCK, (3 * levels - 1) * BLOCK
    for t in range(count):
        h, power, move = state[H * BLOCK + t], state[POWER * BLOCK + t], state[MOVE * BLOCK + t]
        whole, but_one = state[WHOLE * BLOCK + t], state[BUT_ONE * BLOCK + t]
        last, before = abs(whole - but_one), abs(but_one - state[BUT_TWO * BLOCK + t])
        earlier = abs(state[BUT_TWO * BLOCK + t] - state[BUT_THREE * BLOCK + t])
        # The weights of all levels give the quotient, whose error is far below its difference from the rest. How far
        # fine and coarse levels are apart falls from column to column of the extrapolation, until it is noise.
        value = whole if is_leading else but_one
        apart = gain * last if is_leading else 0.0
        ratio = apart / (gain_before * before + TINY)
        apart_expected = 4.0 * gain_before * before * (gain_before * before / (gain_earlier * earlier + TINY))
        is_scattered = apart > 4.0 * apart_expected
        scatter = 3.0 * apart * (1.0 if is_scattered else min(1.0, SCATTERED * ratio * ratio))
        # Of columns whose error is that of one power, each is nearer than the one before by four times as much as that
        # one was. Where two of them agree by chance, the one before them still says how near they can be.
        expected = max(last, min(before, before * before / (earlier + TINY)))
        truncation = expected * min(1.0, 16.0 * expected / (before + TINY)) if is_leading else last

        change, fine = state[CHANGED * BLOCK + t], abs(window[changes + t])
        reach = abs(task[FIRST * BLOCK + t] / task[UNIT * BLOCK + t])
        if is_mixed:
            reach = max(reach, abs(task[SECOND * BLOCK + t] / task[UNIT2 * BLOCK + t]))
        slope = (fine + abs(window[t]) * power / factorial if is_checked else fine) / h
        floor = 16.0 * epsilon * (window[sizes + t] + reach * slope)
        # What the even part says of f(x), which is known, must be true to a thousandth of its changes.
        is_smooth = abs(state[RESIDUAL * BLOCK + t]) <= 1e-3 * change + floor
        if is_checked:
            change += abs(window[coarsest + t]) * power * (span / factorial)
            fine += abs(window[t]) * power / factorial
        coarse = change * factorial / (power * span)
        is_smooth = is_smooth & (abs(state[PROBE * BLOCK + t]) <= 3.0 * NEAR * fine + floor)
        is_smooth = (is_fixed != 0) | is_smooth & (
            apart <= 0.25 * (abs(value) + coarse) + amplification * floor / power
        )
        truncation = truncation if is_smooth else truncation + change * factorial / power
        noise = state[ROUNDING * BLOCK + t] * epsilon / power
        rounding = slope * reach * amplification * epsilon / power
        error = truncation + noise + rounding

        is_finer = move < 0.0
        is_fine = is_smooth & (truncation + noise <= ACCEPTED * epsilon * abs(value))
        is_fine = is_fine | ((value == 0.0) & (truncation == 0.0))  # f is even around x, or constant
        # What f(x) is off by, that the even part foretells, is noise that sizes do not show.
        off = abs(state[RESIDUAL * BLOCK + t]) * amplification / power
        scatter = max(scatter, 3.0 * off)
        is_rounded = is_smooth & (truncation <= noise + rounding)
        is_better = (move != 0.0) & (error < state[ERROR * BLOCK + t])
        # If samples at finer steps differ as much as at coarser ones, whatever these said was chance.
        is_chance = is_finer & (not is_better) & (not is_smooth) & (fine > 0.25 * change)
        state[VALUE * BLOCK + t] = value if is_better else state[VALUE * BLOCK + t]
        state[SCATTER * BLOCK + t] = scatter if is_better else state[SCATTER * BLOCK + t]
        state[STEP * BLOCK + t] = h * task[UNIT * BLOCK + t] if is_better else state[STEP * BLOCK + t]
        converged = 0.0 if is_chance else state[CONVERGED * BLOCK + t]
        is_found = (is_rounded | is_fine) & (off <= NOISY * (truncation + noise + rounding))
        state[CONVERGED * BLOCK + t] = (1.0 if is_found else 0.0) if is_better else converged
        known = max(state[ERROR * BLOCK + t], error) if is_chance & (error < inf) else state[ERROR * BLOCK + t]
        best = error if is_better else known
        state[ERROR * BLOCK + t] = best
        worse = 0.0 if is_better else state[WORSE * BLOCK + t] + (0.0 if is_chance else 1.0)
        state[WORSE * BLOCK + t] = worse

        is_settled = (worse >= 2.0) & (best <= RESOLVED * abs(state[VALUE * BLOCK + t]))
        is_settled = is_settled | (is_smooth & (truncation <= noise) & (noise >= state[NOISE * BLOCK + t]))
        # Rounding that finer steps do not change, as at a minimum of zero.
        lost, lost_before = noise + rounding, state[LOST * BLOCK + t]
        is_settled = is_settled | (is_rounded & (lost < 1.5 * lost_before) & (lost_before < 1.5 * lost))
        state[LOST * BLOCK + t] = lost
        is_past = worse > (1.0 if is_rounded else 0.0)
        state[NOISE * BLOCK + t] = noise
        after = 0.0 if is_fine | (is_settled if is_finer else is_past) else move
        # Where coarser samples are larger by more than their steps, rounding grows with the step.
        grows = window[largest + t] > span * window[sizes + t]
        start = 1.0 if is_rounded & (not grows) else -1.0
        start = 0.0 if (is_fixed != 0) | is_fine else start
        state[MOVE * BLOCK + t] = start if is_first else after


def want(scratch: Any, lanes: Any, total: Any, kind: Any) -> None:
    """Say where to sample for the windows that move, one level further.

    `asked` gets for each the index of its task, the step, and the place of its probe; its last row, how many
    windows and samples these are.
    """
    _, _, samples, is_mixed, _, _, _ = kind[0]
    weights = kind[2]
    tasks, states, _, nodes, nodes2, which, _, asked = scratch
    count, probes = 0, 0
    for t in range(total):
        task = tasks[t // BLOCK * TASK + t % BLOCK :]
        for move in (-1.0, 1.0):
            is_wanted = False
            h = task[FINE * BLOCK] * 0.5 if move < 0.0 else task[COARSE * BLOCK] * 2.0
            has_room = h >= task[FINEST * BLOCK] if move < 0.0 else h <= task[COARSEST * BLOCK]
            for lane in range(lanes):
                at = (t // BLOCK * lanes + lane) * STATE + MOVE * BLOCK + t % BLOCK
                if states[at] == move:
                    if has_room:
                        is_wanted = True
                    else:
                        states[at] = 0.0
            if is_wanted:
                task[(FINE if move < 0.0 else COARSE) * BLOCK] = h
                asked[0, count], asked[1, count], asked[2, count] = t, h, probes
                count += 1
                probes += move < 0.0
    for k in range(count):
        t, h = int(asked[0, k]), asked[1, k]
        task = tasks[t // BLOCK * TASK + t % BLOCK :]
        for r in range(samples):
            nodes[r * count + k] = task[FIRST * BLOCK] + weights[OFFSETS][r] * (h * task[UNIT * BLOCK])
            if is_mixed:
                nodes2[r * count + k] = task[SECOND * BLOCK] + weights[OFFSETS2][r] * (h * task[UNIT2 * BLOCK])
            if which.size:
                which[r * count + k] = t
        if h == task[FINE * BLOCK]:  # finer steps need a nearer probe
            at = samples * count + int(asked[2, k])
            nodes[at] = task[FIRST * BLOCK] + NEAR * weights[OFFSETS][0] * (h * task[UNIT * BLOCK])
            if is_mixed:
                nodes2[at] = task[SECOND * BLOCK]
            if which.size:
                which[at] = t
    asked[3, 0], asked[3, 1] = count, samples * count + probes


def first(scratch: Any, epsilon: Any, lanes: Any, total: Any, kind: Any) -> None:
    """Take the samples that `begin` asked for, and judge the first windows."""
    tasks, states, windows, _, _, _, values, _ = scratch
    rows, samples = 3 * kind[0][1] * BLOCK, kind[0][1] * kind[0][2] + 1
    for block in range(-(-total // BLOCK)):
        task, count = tasks[block * TASK :][:TASK], min(total - block * BLOCK, BLOCK)
        for lane in range(lanes):
            at = block * lanes + lane
            state, window = states[at * STATE :][:STATE], windows[at * rows :][:rows]
            open_windows(values, lane * samples * total + block * BLOCK, total, task, state, window, count, kind)
            weigh(state, window, count, kind)
            judge(task, state, window, epsilon, count, True, kind)
    want(scratch, lanes, total, kind)


def move_on(scratch: Any, epsilon: Any, lanes: Any, total: Any, kind: Any) -> None:
    """Put the samples that `want` asked for into the windows, and judge these again.

    Where a window goes neither way it is judged in vain: that costs less than to pick the others.
    """
    tasks, states, windows, _, _, _, values, asked = scratch
    order, levels, samples, _, _, _, _ = kind[0]
    factorial, rows = kind[1][1], 3 * levels * BLOCK
    count, stride = int(asked[3, 0]), int(asked[3, 1])
    k = 0
    while k < count:
        block = int(asked[0, k]) // BLOCK
        task = tasks[block * TASK :][:TASK]
        end = k
        while end < count and int(asked[0, end]) // BLOCK == block:
            t = int(asked[0, end]) % BLOCK
            task[CALLS * BLOCK + t] += samples + (1.0 if asked[1, end] == task[FINE * BLOCK + t] else 0.0)
            end += 1
        for lane in range(lanes):
            at = block * lanes + lane
            state, window = states[at * STATE :][:STATE], windows[at * rows :][:rows]
            for e in range(k, end):
                t, h = int(asked[0, e]) % BLOCK, asked[1, e]
                is_finer = h == task[FINE * BLOCK + t]
                if state[MOVE * BLOCK + t] != (-1.0 if is_finer else 1.0):
                    continue
                for row in range(0, 3 * levels, levels):
                    for j in range(levels - 1):
                        # By one level, from the far end, for no entry must be lost.
                        to, source = (levels - 1 - j, levels - 2 - j) if is_finer else (j, j + 1)
                        window[(row + to) * BLOCK + t] = window[(row + source) * BLOCK + t]
                new = 0 if is_finer else levels - 1
                condense(values, lane * stride + e, count, state, window, t, new, 1, kind)
                power = task[AREA * BLOCK + t]
                for _ in range(order):
                    power *= h
                window[new * BLOCK + t] *= factorial / power
                probe = lane * stride + samples * count + int(asked[2, e])
                state[PROBE * BLOCK + t] = values[probe] - state[CENTER * BLOCK + t] if is_finer else 0.0
            tasks_here = min(total - block * BLOCK, BLOCK)
            scale(task, state, tasks_here, kind)
            weigh(state, window, tasks_here, kind)
            judge(task, state, window, epsilon, tasks_here, False, kind)
        k = end
    want(scratch, lanes, total, kind)


def finish(scratch: Any, results: Any, lanes: Any, start: Any, stop: Any, kind: Any) -> None:
    """Copy what was found."""
    tasks, states, _, _, _, _, _, _ = scratch
    value, error, step, converged, calls = results
    for begin in range(start, stop, BLOCK):
        count = min(stop - begin, BLOCK)
        for lane in range(lanes):
            state = states[((begin - start) // BLOCK * lanes + lane) * STATE :][:STATE]
            for t in range(count):
                value[lane, begin + t] = state[VALUE * BLOCK + t]
                error[lane, begin + t] = state[ERROR * BLOCK + t] + state[SCATTER * BLOCK + t]
                step[lane, begin + t] = state[STEP * BLOCK + t]
                converged[lane, begin + t] = state[CONVERGED * BLOCK + t] > 0.0
        for t in range(count):
            calls[begin + t] = tasks[((begin - start) // BLOCK * TASK + CALLS * BLOCK) + t]


def call(function: Any, arguments: Any) -> None:
    """Call a function; for a compiled `run`, that at an address."""
    function(*arguments)


def run(
    functions: Any,
    scratch: Any,
    problem: Any,
    results: Any,
    numbers: Any,
    kind: Any,
    context: Any,
    args: Any,
    start: Any,
    stop: Any,
) -> None:
    """The whole search for the tasks from start to stop. The last of the functions samples that of the user."""
    begin, first, move_on, finish, sample = functions
    _, _, _, nodes, nodes2, which, values, asked = scratch
    _, epsilon, lanes = numbers
    total = stop - start
    call(begin, (scratch, problem, numbers, start, stop, kind))
    samples = (kind[0][1] * kind[0][2] + 1) * total
    call(sample, (nodes, nodes2, which, values, samples, start, context, args))
    call(first, (scratch, epsilon, lanes, total, kind))
    rounds = 0
    while asked[3, 0] > 0.0 and rounds < ROUNDS:
        call(sample, (nodes, nodes2, which, values, int(asked[3, 1]), start, context, args))
        call(move_on, (scratch, epsilon, lanes, total, kind))
        rounds += 1
    call(finish, (scratch, results, lanes, start, stop, kind))
