"""The tasks of a search: their facts, and the places of their first samples."""

from typing import Any

from numgrad._compile.language import Index, Record, cold
from numgrad._compile.stand_ins import bits_of
from numgrad.functions._kernels import layout as at
from numgrad.functions._kernels import thresholds as limit
from numgrad.functions._kernels.layout import BLOCK, STATE, TASK


def unit(exponent: Index) -> Any:
    """The exponent of the scale of a function near 2^exponent: like the root of |x| up to 4096, then like |x|."""
    grown = max(exponent, 0)
    return grown // 2 if grown <= 12 else grown - 6


def load(scratch: Record, problem: Record, numbers: Record, start: Index, stop: Index, kind: Record) -> None:
    """Copy the facts of the tasks from start to stop into the scratch memory, and choose their first steps.

    These are ODD times a power of the ratio, and of two; or those that are given.
    """
    order, levels, samples, is_mixed, _, _, _ = kind[0]
    coarse, width = kind[1][at.START], kind[2][at.STEPS][levels - 1]
    tasks, states, _, _, _, _, _, _ = scratch
    first, second, room, given, centers, point = problem
    digits, _, lanes = numbers
    for begin in range(start, stop, BLOCK):
        task = tasks[(begin - start) // BLOCK * TASK :][:TASK]
        bits = bits_of(task)
        count = min(stop - begin, BLOCK)
        for t in range(count):
            task[at.FIRST * BLOCK + t] = first[begin + t]
            task[at.SECOND * BLOCK + t] = second[begin + t] if is_mixed else 0.0
            task[at.FINE * BLOCK + t] = limit.ODD * coarse / width
        for t in range(count):
            exponent = (bits[at.FIRST * BLOCK + t] >> 52 & 0x7FF) - 1023
            size, size2 = unit(exponent), 0
            finest = exponent + limit.FINEST_UNITS - digits - size
            if is_mixed:
                exponent2 = (bits[at.SECOND * BLOCK + t] >> 52 & 0x7FF) - 1023
                size2 = unit(exponent2)
                finest = max(finest, exponent2 + limit.FINEST_UNITS - digits - size2)
            bits[at.UNIT * BLOCK + t] = size + 1023 << 52
            bits[at.UNIT2 * BLOCK + t] = size2 + 1023 << 52
            bits[at.FINEST * BLOCK + t] = max(finest, -1000) + 1023 << 52
        if given.size:
            for t in range(count):
                x, h = abs(task[at.FIRST * BLOCK + t]), given[begin + t]
                task[at.UNIT * BLOCK + t] = task[at.UNIT2 * BLOCK + t] = 1.0
                task[at.FINE * BLOCK + t] = x + h - x  # the step between numbers as large as x that h becomes
        for t in range(count):
            h, h2, power = task[at.UNIT * BLOCK + t], task[at.UNIT2 * BLOCK + t], 1.0
            for _ in range(order):
                power *= h
            task[at.AREA * BLOCK + t] = h * h2 if is_mixed else power
            task[at.COARSEST * BLOCK + t] = limit.FARTHEST
            task[at.COARSE * BLOCK + t] = task[at.FINE * BLOCK + t] * width
            task[at.CALLS * BLOCK + t] = (levels + 1.0) * samples
        if room.size and not given.size:
            for t in range(count):
                far = room[0, begin + t] / task[at.UNIT * BLOCK + t]
                if is_mixed:
                    far = min(far, room[1, begin + t] / task[at.UNIT2 * BLOCK + t])
                task[at.COARSEST * BLOCK + t] = min(far, limit.FARTHEST)
                while task[at.COARSE * BLOCK + t] > far:
                    task[at.COARSE * BLOCK + t] *= 0.5
                    task[at.FINE * BLOCK + t] *= 0.5
        for lane in range(lanes):
            center = ((begin - start) // BLOCK * lanes + lane) * STATE + at.CENTER * BLOCK
            for t in range(count):
                states[center + t] = centers[lane, point[begin + t]]


@cold
def begin(scratch: Record, problem: Record, numbers: Record, start: Index, stop: Index, kind: Record) -> None:
    """Say where to sample for the first windows: level by level, sample by sample, task by task."""
    _, levels, samples, is_mixed, _, _, _ = kind[0]
    weights = kind[2]
    load(scratch, problem, numbers, start, stop, kind)
    tasks, _, _, nodes, nodes2, which, _, asked = scratch
    total = stop - start
    asked[3, 0], asked[3, 1] = total, (levels + 1) * samples * total
    for first in range(0, total, BLOCK):
        task = tasks[first // BLOCK * TASK :][:TASK]
        count = min(total - first, BLOCK)
        for j in range(levels + 1):
            step = weights[at.STEPS][j]
            for r in range(samples):
                place = (j * samples + r) * total + first
                node, node2, index = nodes[place:][:count], nodes2[place:][:count], which[place:][:count]
                offset, offset2 = weights[at.OFFSETS][r] * step, weights[at.OFFSETS2][r] * step
                for t in range(count):
                    h = task[at.FINE * BLOCK + t] * task[at.UNIT * BLOCK + t]
                    node[t] = task[at.FIRST * BLOCK + t] + offset * h
                if is_mixed:
                    for t in range(count):
                        h = task[at.FINE * BLOCK + t] * task[at.UNIT2 * BLOCK + t]
                        node2[t] = task[at.SECOND * BLOCK + t] + offset2 * h
                if which.size:
                    for t in range(count):
                        index[t] = first + t
