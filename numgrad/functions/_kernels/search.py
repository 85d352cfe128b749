"""The search for the step of a difference quotient: one task for each point and variable, many at a time.

A task's window is some steps, its levels, each a ratio times the one before, where the function is sampled. The
quotients at these, extrapolated to zero by four sets of weights (of all levels, of all but the coarsest, but the
coarsest two, but the coarsest three), say how large the truncation error is; the sizes of the samples say how large
that of rounding is. The window then moves to finer or coarser steps, level by level, as long as their sum shrinks.

One step more, the probe, is at no usual ratio to the levels. Its quotient must be what the levels foretell: a ripple,
or a pole near x, that the levels miss by chance, or are too coarse for, shows there. Such a window is not believed, and
the search goes on to finer steps until rounding would hide what it looks for.

Functions are told the kind of quotient: whole numbers (the order of the derivative, levels, samples at each, and four
flags), numbers, and rows of weights; `numgrad.functions._quotients` makes it.

Tasks, and the states of the numbers that the function returns for them, lie in blocks of BLOCK, row by row: the
distance of two rows is a constant, which lets LLVM vectorise over the tasks of a block.
"""

from math import inf, nan
from typing import Any

import numpy as np

from numgrad._compile.language import Array, Flag, Index, Record, Scalar, Target

BLOCK = 32
# Rows of a block of tasks: two coordinates, how far a step of 1 moves each, the product of these, the finest and the
# coarsest step sampled, their limits, and how often the function was called.
FIRST, SECOND, UNIT, UNIT2, AREA, FINE, COARSE, FINEST, COARSEST, CALLS = range(10)
TASK = 10 * BLOCK
# Rows of a block of states: what is known of a number of a task, its best quotient so far, what its window says now.
CENTER, MOVE, NOISE, LOST, WORSE = range(5)
VALUE, ERROR, SCATTER, STEP, CONVERGED = range(5, 10)
H, POWER, WHOLE, BUT_ONE, BUT_TWO, BUT_THREE, ROUNDING, PROBED, RESIDUAL, RESIDUAL_BUT_ONE, CHANGED = range(10, 21)
STATE = 21 * BLOCK
# The rows of a block of windows are, once for each level and once for the probe, quotients, changes of the samples (of
# their even part for a central quotient of odd order, else the largest), and sizes of the samples.

# The rows of weights of a kind of quotient.
OFFSETS, OFFSETS2, PART, ALL_LEVELS, ALL_BUT_ONE, ALL_BUT_TWO, ALL_BUT_THREE, AMPLIFIED, PROBE = range(9)
EVEN, EVEN_BUT_ONE, STEPS = range(9, 12)  # steps in parts of the finest: the levels, then the probe

# The numbers of a kind of quotient.
WEIGHT, FACTORIAL, AMPLIFICATION, GAIN, GAIN_BEFORE, GAIN_EARLIER, RATIO, START, SURPRISE = range(9)

# Rounding is accepted up to this many units of the last place of the derivative before coarser steps are tried.
ACCEPTED = 64.0
# The first steps are this times a power of the ratio, and of two: short enough for x + h to be exact where the ratio is
# two, and no period is a multiple of them all.
ODD = 847_807 / 2**20
# A quotient that changes by less than this fraction is taken to have left behind the steps that say nothing.
RESOLVED = 1e-2
# Columns that come nearer by less than the root of this are not taken to converge any more, but to scatter.
SCATTERED = 64.0
# A function with more noise than so many times its rounding is not said to have a derivative.
NOISY = 3000.0
# A function is sampled at no more levels beyond the first window than these, and no farther than this.
ROUNDS = 200
FARTHEST = 2.0**3
# Steps of fewer units of the last place of x than 2 to this would tell nothing of a kink.
NOTHING = 10
# What CONVERGED is of a finer window that its neighbour has not confirmed yet; 1 if it has.
BELIEVED = 0.5
# What is uncertain by more than the first share is not said to have converged; by the second, for low orders at finer
# steps than those of the first window.
KNOWN = 0.1
SURE = 1e-4
# Beside a divisor that may be zero.
TINY = 1e-300


def unit(exponent: Index) -> Any:
    """The exponent of the scale of a function near 2^exponent: like the root of |x| up to 4096, then like |x|."""
    grown = max(exponent, 0)
    return grown // 2 if grown <= 12 else grown - 6


def load(scratch: Record, problem: Record, numbers: Record, start: Index, stop: Index, kind: Record) -> None:
    """Copy what is known of the tasks from start to stop into the scratch memory, and choose their first steps.

    These are ODD times a power of the ratio, and of two; or those that are given.
    """
    order, levels, samples, is_mixed, _, _, _ = kind[0]
    coarse, width = kind[1][START], kind[2][STEPS][levels - 1]
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
            task[FINE * BLOCK + t] = ODD * coarse / width
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
            task[COARSE * BLOCK + t] = task[FINE * BLOCK + t] * width
            task[CALLS * BLOCK + t] = (levels + 1.0) * samples
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


def begin(scratch: Record, problem: Record, numbers: Record, start: Index, stop: Index, kind: Record) -> None:
    """Say where to sample for the first windows: level by level, sample by sample, task by task."""
    _, levels, samples, is_mixed, _, _, _ = kind[0]
    weights = kind[2]
    load(scratch, problem, numbers, start, stop, kind)
    tasks, _, _, nodes, nodes2, which, _, _ = scratch
    total = stop - start
    for first in range(0, total, BLOCK):
        task = tasks[first // BLOCK * TASK :][:TASK]
        count = min(total - first, BLOCK)
        for j in range(levels + 1):
            step = weights[STEPS][j]
            for r in range(samples):
                at = (j * samples + r) * total + first
                node, node2, index = nodes[at:][:count], nodes2[at:][:count], which[at:][:count]
                scale, scale2 = weights[OFFSETS][r] * step, weights[OFFSETS2][r] * step
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


def condense(
    values: Array,
    at: Index,
    stride: Index,
    state: Target,
    window: Target,
    t: Index,
    row: Index,
    count: Index,
    kind: Record,
) -> None:
    """Put the samples of one step into this row of the windows of the tasks from t on, `count` of them.

    That is the part that the quotient is made of, the change from the center, and the size.
    """
    _, levels, samples, _, is_checked, _, _ = kind[0]
    center = CENTER * BLOCK + t
    rows = levels + 1
    part, change, size = row * BLOCK + t, (rows + row) * BLOCK + t, (2 * rows + row) * BLOCK + t
    for i in range(count):
        window[part + i] = kind[1][WEIGHT] * state[center + i]
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


def scale(task: Target, state: Target, count: Index, kind: Record) -> None:
    """Find the finest step of each window, and that to the power of the order."""
    width = kind[2][STEPS][kind[0][1] - 1]
    for t in range(count):
        fine, coarse = task[FINE * BLOCK + t], task[COARSE * BLOCK + t] / width
        state[H * BLOCK + t] = coarse if state[MOVE * BLOCK + t] > 0.0 else fine
        state[POWER * BLOCK + t] = task[AREA * BLOCK + t]
    for _ in range(kind[0][0]):
        for t in range(count):
            state[POWER * BLOCK + t] *= state[H * BLOCK + t]


def open_windows(
    values: Array, at: Index, total: Index, task: Target, state: Target, window: Target, count: Index, kind: Record
) -> None:
    """Fill the windows of a block with the samples that `begin` asked for, as if they had just moved to finer steps."""
    order, levels, samples, _, _, _, _ = kind[0]
    for t in range(count):
        state[MOVE * BLOCK + t] = -1.0
        state[WORSE * BLOCK + t] = state[CONVERGED * BLOCK + t] = state[SCATTER * BLOCK + t] = 0.0
        state[VALUE * BLOCK + t] = state[STEP * BLOCK + t] = nan
        state[NOISE * BLOCK + t] = state[LOST * BLOCK + t] = state[ERROR * BLOCK + t] = inf
    scale(task, state, count, kind)
    for j in range(levels + 1):
        condense(values, at + j * samples * total, total, state, window, 0, j, count, kind)
        factor = kind[1][FACTORIAL] / kind[2][STEPS][j] ** order
        for t in range(count):
            window[j * BLOCK + t] *= factor / state[POWER * BLOCK + t]


def weigh(state: Target, window: Target, count: Index, kind: Record) -> None:
    """Sum up the windows of a block, one level after the other: LLVM vectorises short loops over many tasks best."""
    _, levels, _, _, is_checked, _, _ = kind[0]
    weights = kind[2]
    for row in range(WHOLE, CHANGED + 1):
        for t in range(count):
            state[row * BLOCK + t] = 0.0
    for j in range(levels + 1):
        whole, but_one = weights[ALL_LEVELS][j], weights[ALL_BUT_ONE][j]
        but_two, but_three = weights[ALL_BUT_TWO][j], weights[ALL_BUT_THREE][j]
        amplified, probe = weights[AMPLIFIED][j], weights[PROBE][j]
        even = weights[EVEN][j] if is_checked else 0.0
        even_but_one = weights[EVEN_BUT_ONE][j] if is_checked else 0.0
        at, changes, sizes = j * BLOCK, (levels + 1 + j) * BLOCK, (2 * levels + 2 + j) * BLOCK
        for t in range(count):
            quotient, change = window[at + t], window[changes + t]
            state[WHOLE * BLOCK + t] += whole * quotient
            state[BUT_ONE * BLOCK + t] += but_one * quotient
            state[BUT_TWO * BLOCK + t] += but_two * quotient
            state[BUT_THREE * BLOCK + t] += but_three * quotient
            state[ROUNDING * BLOCK + t] += amplified * window[sizes + t]
            state[PROBED * BLOCK + t] += probe * quotient
            state[RESIDUAL * BLOCK + t] += even * change
            state[RESIDUAL_BUT_ONE * BLOCK + t] += even_but_one * change
            state[CHANGED * BLOCK + t] = max(state[CHANGED * BLOCK + t], abs(change))


def judge(
    task: Target, state: Target, window: Target, epsilon: Scalar, count: Index, is_first: Flag, kind: Record
) -> None:
    """Keep of each window of a block what is better than before, and say whether it moves on.

    Rounding is that of the values of the function, and more if it rounds as a function of a rounded x does.
    """
    order, levels, _, is_mixed, is_checked, is_fixed, is_leading = kind[0]
    _, factorial, amplification, gain, gain_before, gain_earlier, _, _, surprise = kind[1]
    span = kind[2][STEPS][levels - 1] ** order
    coarsest, changes = (levels - 1) * BLOCK, (levels + 1) * BLOCK
    sizes, largest = 2 * (levels + 1) * BLOCK, (3 * levels + 1) * BLOCK
    for t in range(count):
        h, power, move = state[H * BLOCK + t], state[POWER * BLOCK + t], state[MOVE * BLOCK + t]
        whole, but_one = state[WHOLE * BLOCK + t], state[BUT_ONE * BLOCK + t]
        last, before = abs(whole - but_one), abs(but_one - state[BUT_TWO * BLOCK + t])
        earlier = abs(state[BUT_TWO * BLOCK + t] - state[BUT_THREE * BLOCK + t])
        # The weights of all levels give the quotient, whose error is far below its difference from the rest. How far
        # fine and coarse levels are apart falls from column to column of the extrapolation, until it is noise.
        value = whole if is_leading else but_one
        apart = gain * last if is_leading else 0.0
        falling = apart / (gain_before * before + TINY)
        apart_expected = 4.0 * gain_before * before * (gain_before * before / (gain_earlier * earlier + TINY))
        is_scattered = apart > 4.0 * apart_expected
        scatter = 3.0 * apart * (1.0 if is_scattered else min(1.0, SCATTERED * falling * falling))
        # Of columns whose error is that of one power, each is nearer than the one before by four times as much as that
        # one was. Where two of them agree by chance, the one before them still says how near they can be.
        expected = max(last, min(before, before * before / (earlier + TINY)))
        truncation = expected * min(1.0, 16.0 * expected / (before + TINY)) if is_leading else last

        change, fine = state[CHANGED * BLOCK + t], abs(window[changes + t])
        size = window[largest + t]
        reach = abs(task[FIRST * BLOCK + t] / task[UNIT * BLOCK + t])
        if is_mixed:
            reach = max(reach, abs(task[SECOND * BLOCK + t] / task[UNIT2 * BLOCK + t]))
        slope = (fine + abs(window[t]) * power / factorial if is_checked else fine) / h
        floor = 16.0 * epsilon * (window[sizes + t] + reach * slope)
        # What the even part says of f(x), which is known, must be true to what its own columns differ by.
        residual = abs(state[RESIDUAL * BLOCK + t])
        columns = abs(state[RESIDUAL * BLOCK + t] - state[RESIDUAL_BUT_ONE * BLOCK + t])
        is_centered = residual <= 0.5 * columns + floor
        is_smooth = residual <= 1e-3 * change + floor
        if is_checked:
            change += abs(window[coarsest + t]) * power * (span / factorial)
            fine += abs(window[t]) * power / factorial
        coarse = change * factorial / (power * span)
        noise = state[ROUNDING * BLOCK + t] * epsilon / power
        rounding = slope * reach * amplification * epsilon / power
        # What the probe would change, beyond its own rounding, is what the levels do not know.
        probed = abs(state[PROBED * BLOCK + t])
        scatter = max(scatter, 2.0 * probed)
        likely = surprise * (noise + rounding)
        is_odd = probed > 4.0 * likely
        probed = 2.0 * probed if probed > likely else 0.0
        is_smooth = (is_fixed != 0) | is_smooth & (
            max(apart, probed) <= 0.25 * (abs(value) + coarse) + amplification * floor / power
        )
        truncation = truncation if is_smooth else truncation + change * factorial / power
        is_foretold = is_smooth & is_centered & (probed <= 4.0 * truncation + noise + rounding)
        truncation = max(truncation, probed)
        # What f(x) is off by, that the even part foretells, is noise that sizes do not show, or a pole near x.
        off = max(residual - 0.5 * columns, 0.0) * amplification / power
        scatter = max(scatter, 3.0 * off)
        error = truncation + noise + rounding + off

        is_finer = move < 0.0
        is_fine = is_foretold & (truncation + noise <= ACCEPTED * epsilon * abs(value))
        is_fine = is_fine | (is_foretold & (value == 0.0) & (truncation == 0.0))  # f is even around x, or constant
        is_rounded = is_foretold & (truncation <= noise + rounding)
        is_found = (is_rounded | is_fine) & (off <= NOISY * (truncation + noise + rounding))
        # A derivative is found where it is known to a tenth of itself, or of what values of this size could make of it.
        # At fine steps noisy values look smooth where they are rounded alike: more is asked there.
        is_strict = is_finer & (not is_first) & (order <= 2)
        most = SURE * max(abs(value), coarse) if is_strict else KNOWN * max(abs(value), size / (power * span))
        is_found = is_found & ((error + scatter <= most) | ((value == 0.0) & (truncation == 0.0)))
        was_found = state[CONVERGED * BLOCK + t] > 0.0
        difference = abs(value - state[VALUE * BLOCK + t])
        # A window that has not converged gives way to a finer one that has, but not to one far less certain.
        is_known = (difference <= error + state[ERROR * BLOCK + t]) & (error > 1e4 * state[ERROR * BLOCK + t])
        is_better = is_finer & is_found & (not was_found) & (error < inf) & (not is_known)
        is_better = is_better | ((error < state[ERROR * BLOCK + t]) & (is_found | (not was_found)))
        is_better = is_better & (move != 0.0)
        # Where a finer window disagrees by more than both of them allow, the coarser one did not know its error.
        is_wrong = is_finer & (not (is_better | was_found)) & (difference > error + state[ERROR * BLOCK + t])
        # A finer window that is the first to be believed was perhaps lucky. Its finer neighbour says so.
        agrees = difference <= error + state[ERROR * BLOCK + t] + max(scatter, state[SCATTER * BLOCK + t])
        is_confirmed = is_finer & was_found & agrees & (is_found | (not is_odd))
        is_lucky = is_finer & was_found & (not (is_better | is_confirmed))
        certainty = (1.0 if is_confirmed else BELIEVED) if is_finer & (not is_first) else 1.0
        certainty = certainty if is_found else 0.0
        state[VALUE * BLOCK + t] = value if is_better else state[VALUE * BLOCK + t]
        state[SCATTER * BLOCK + t] = scatter if is_better else state[SCATTER * BLOCK + t]
        state[STEP * BLOCK + t] = h * task[UNIT * BLOCK + t] if is_better else state[STEP * BLOCK + t]
        converged = 0.0 if is_lucky else 1.0 if is_confirmed else state[CONVERGED * BLOCK + t]
        state[CONVERGED * BLOCK + t] = certainty if is_better else converged
        known = difference + error if is_wrong & (difference + error < inf) else state[ERROR * BLOCK + t]
        best = error if is_better else known
        state[ERROR * BLOCK + t] = best
        worse = 0.0 if is_better else state[WORSE * BLOCK + t] + 1.0
        state[WORSE * BLOCK + t] = worse

        lost, lost_before = noise + rounding, state[LOST * BLOCK + t]
        is_settled = (worse >= 2.0) & (best <= RESOLVED * abs(state[VALUE * BLOCK + t]))
        is_settled = is_settled | (is_smooth & (truncation <= noise) & (noise >= state[NOISE * BLOCK + t]))
        # Rounding that finer steps do not change, as at a minimum of zero.
        is_settled = is_settled | (is_rounded & (lost < 1.5 * lost_before) & (lost_before < 1.5 * lost))
        # A derivative that no window has found yet is looked for until rounding would hide what f changes by.
        is_settled = is_settled & ((state[CONVERGED * BLOCK + t] > 0.0) | (lost > best + KNOWN * coarse))
        state[LOST * BLOCK + t] = lost
        is_past = worse > (1.0 if is_rounded else 0.0)
        state[NOISE * BLOCK + t] = noise
        is_waiting = state[CONVERGED * BLOCK + t] == BELIEVED
        after = 0.0 if ((is_fine | is_settled) & (not is_waiting) if is_finer else is_fine | is_past) else move
        # Where coarser samples are larger by more than their steps, rounding grows with the step.
        grows = size > span * window[sizes + t]
        start = 1.0 if is_rounded & (not grows) else -1.0
        is_bad = state[CENTER * BLOCK + t] - state[CENTER * BLOCK + t] != 0.0  # no number, no search
        start = 0.0 if (is_fixed != 0) | is_fine | is_bad else start
        state[MOVE * BLOCK + t] = start if is_first else after


def want(scratch: Record, lanes: Index, total: Index, kind: Record) -> None:
    """Say where to sample for the windows that move, one level further.

    `asked` gets for each the index of its task, the step, and that of its probe; its last row, how many windows and
    samples these are.
    """
    _, levels, samples, is_mixed, _, _, _ = kind[0]
    ratio, weights = kind[1][RATIO], kind[2]
    tasks, states, _, nodes, nodes2, which, _, asked = scratch
    count = 0
    for t in range(total):
        task = tasks[t // BLOCK * TASK + t % BLOCK :]
        for move in (-1.0, 1.0):
            is_wanted = False
            h = task[FINE * BLOCK] / ratio if move < 0.0 else task[COARSE * BLOCK] * ratio
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
                fine = h if move < 0.0 else h / weights[STEPS][levels - 1]
                asked[0, count], asked[1, count], asked[2, count] = t, h, fine * weights[STEPS][levels]
                count += 1
    for k in range(count):
        t = int(asked[0, k])
        task = tasks[t // BLOCK * TASK + t % BLOCK :]
        for r in range(2 * samples):  # at the step, then at the probe
            h, at = asked[1 + r // samples, k], r * count + k
            nodes[at] = task[FIRST * BLOCK] + weights[OFFSETS][r % samples] * (h * task[UNIT * BLOCK])
            if is_mixed:
                nodes2[at] = task[SECOND * BLOCK] + weights[OFFSETS2][r % samples] * (h * task[UNIT2 * BLOCK])
            if which.size:
                which[at] = t
    asked[3, 0], asked[3, 1] = count, 2 * samples * count


def first(scratch: Record, epsilon: Scalar, lanes: Index, total: Index, kind: Record) -> None:
    """Take the samples that `begin` asked for, and judge the first windows."""
    tasks, states, windows, _, _, _, values, _ = scratch
    rows, samples = 3 * (kind[0][1] + 1) * BLOCK, (kind[0][1] + 1) * kind[0][2]
    for block in range(-(-total // BLOCK)):
        task, count = tasks[block * TASK :][:TASK], min(total - block * BLOCK, BLOCK)
        for lane in range(lanes):
            at = block * lanes + lane
            state, window = states[at * STATE :][:STATE], windows[at * rows :][:rows]
            open_windows(values, lane * samples * total + block * BLOCK, total, task, state, window, count, kind)
            weigh(state, window, count, kind)
            judge(task, state, window, epsilon, count, True, kind)
    want(scratch, lanes, total, kind)


def move_on(scratch: Record, epsilon: Scalar, lanes: Index, total: Index, kind: Record) -> None:
    """Put the samples that `want` asked for into the windows, and judge these again.

    Where a window goes neither way it is judged in vain: that costs less than to pick the others.
    """
    tasks, states, windows, _, _, _, values, asked = scratch
    order, levels, samples, _, _, _, _ = kind[0]
    factorial, rows = kind[1][FACTORIAL], 3 * (levels + 1) * BLOCK
    count, stride = int(asked[3, 0]), int(asked[3, 1])
    k = 0
    while k < count:
        block = int(asked[0, k]) // BLOCK
        task = tasks[block * TASK :][:TASK]
        end = k
        while end < count and int(asked[0, end]) // BLOCK == block:
            t = int(asked[0, end]) % BLOCK
            task[CALLS * BLOCK + t] += 2.0 * samples
            end += 1
        for lane in range(lanes):
            at = block * lanes + lane
            state, window = states[at * STATE :][:STATE], windows[at * rows :][:rows]
            for e in range(k, end):
                t, h = int(asked[0, e]) % BLOCK, asked[1, e]
                is_finer = h == task[FINE * BLOCK + t]
                if state[MOVE * BLOCK + t] != (-1.0 if is_finer else 1.0):
                    continue
                for row in range(0, 3 * (levels + 1), levels + 1):
                    for j in range(levels - 1):
                        # By one level, from the far end, for no entry must be lost.
                        to, source = (levels - 1 - j, levels - 2 - j) if is_finer else (j, j + 1)
                        window[(row + to) * BLOCK + t] = window[(row + source) * BLOCK + t]
                new = 0 if is_finer else levels - 1
                for part in range(2):  # the step, then the probe
                    row = new if part == 0 else levels
                    condense(values, lane * stride + part * samples * count + e, count, state, window, t, row, 1, kind)
                    power = task[AREA * BLOCK + t]
                    for _ in range(order):
                        power *= asked[1 + part, e]
                    window[row * BLOCK + t] *= factorial / power
            tasks_here = min(total - block * BLOCK, BLOCK)
            scale(task, state, tasks_here, kind)
            weigh(state, window, tasks_here, kind)
            judge(task, state, window, epsilon, tasks_here, False, kind)
        k = end
    want(scratch, lanes, total, kind)


def finish(scratch: Record, results: Record, lanes: Index, start: Index, stop: Index, kind: Record) -> None:
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
                converged[lane, begin + t] = state[CONVERGED * BLOCK + t] > BELIEVED
        for t in range(count):
            calls[begin + t] = tasks[((begin - start) // BLOCK * TASK + CALLS * BLOCK) + t]


def call(function: Index, arguments: Record) -> None:
    """Call a function; for a compiled `run`, that at an address."""
    function(*arguments)


def run(
    functions: Record,
    scratch: Record,
    problem: Record,
    results: Record,
    numbers: Record,
    kind: Record,
    context: Record,
    args: Record,
    start: Index,
    stop: Index,
) -> None:
    """The whole search for the tasks from start to stop. The last of the functions samples that of the user."""
    begin, first, move_on, finish, sample = functions
    _, _, _, nodes, nodes2, which, values, asked = scratch
    _, epsilon, lanes = numbers
    total = stop - start
    call(begin, (scratch, problem, numbers, start, stop, kind))
    samples = (kind[0][1] + 1) * kind[0][2] * total
    call(sample, (nodes, nodes2, which, values, samples, start, context, args))
    call(first, (scratch, epsilon, lanes, total, kind))
    rounds = 0
    while asked[3, 0] > 0.0 and rounds < ROUNDS:
        call(sample, (nodes, nodes2, which, values, int(asked[3, 1]), start, context, args))
        call(move_on, (scratch, epsilon, lanes, total, kind))
        rounds += 1
    call(finish, (scratch, results, lanes, start, stop, kind))
