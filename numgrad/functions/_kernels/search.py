"""The search for the step of a difference quotient: one task for each point and variable, many at a time.

A task's window is some steps, its levels, each a ratio times the one before, where the function is sampled. The
quotients at these, extrapolated to zero by four sets of weights (of all levels, of all but the coarsest, but the
coarsest two, but the coarsest three), say how large the truncation error is; the sizes of the samples say how large
that of rounding is. The window then moves to finer or coarser steps, level by level, as long as their sum shrinks.

One step more, the probe, is at no usual ratio to the levels. Its quotient must be what the levels foretell: a ripple,
or a pole near x, that the levels miss by chance, or are too coarse for, shows there. Such a window is not believed, and
the search goes on to finer steps until rounding would hide what it looks for.

`layout` says where the numbers of tasks, states and windows lie, and what a kind of quotient tells the functions, which
`numgrad.functions._quotients` makes; `tasks` begins, `windows` sums up, `judge` decides by `thresholds`.
"""

from numgrad._compile.language import Array, Flag, Index, Record, Scalar, Target, cold, early
from numgrad.functions._kernels import layout as at
from numgrad.functions._kernels import thresholds as limit
from numgrad.functions._kernels.judge import judge
from numgrad.functions._kernels.layout import BLOCK, STATE, TASK
from numgrad.functions._kernels.windows import condense, fill, reset, scale, weigh


def want(scratch: Record, lanes: Index, total: Index, kind: Record) -> None:
    """Say where to sample for the windows that move, one level further.

    `asked` gets for each the index of its task, the step, and that of its probe; its last row, how many windows and
    samples these are.
    """
    levels, steps = kind[0][at.LEVELS], kind[2][at.STEPS]
    tasks, states, _, _, _, _, _, asked = scratch
    count = 0
    for t in range(total):
        task = tasks[t // BLOCK * TASK + t % BLOCK :]
        for move in (at.FINER, at.COARSER):
            is_finer = move < at.STAY
            h = task[at.FINE * BLOCK] / kind[1][at.RATIO] if is_finer else task[at.COARSE * BLOCK] * kind[1][at.RATIO]
            has_room = h >= task[at.FINEST * BLOCK] if is_finer else h <= task[at.COARSEST * BLOCK]
            is_wanted = False
            for lane in range(lanes):
                moves = (t // BLOCK * lanes + lane) * STATE + at.MOVE * BLOCK + t % BLOCK
                if states[moves] == move:
                    if has_room:
                        is_wanted = True
                    else:
                        states[moves] = at.STAY
            if is_wanted:
                task[(at.FINE if is_finer else at.COARSE) * BLOCK] = h
                fine = h if is_finer else h / steps[levels - 1]
                asked[0, count], asked[1, count], asked[2, count] = t, h, fine * steps[levels]
                count += 1
    place(scratch, count, kind)


@early
def place(scratch: Record, count: Index, kind: Record) -> None:
    """Say where to sample for the steps that are asked for, `count` of them: sample by sample, step by step."""
    samples, is_mixed, weights = kind[0][at.SAMPLES], kind[0][at.IS_MIXED], kind[2]
    tasks, _, _, nodes, nodes2, which, _, asked = scratch
    for k in range(count):
        t = int(asked[0, k])
        task = tasks[t // BLOCK * TASK + t % BLOCK :]
        for r in range(2 * samples):  # at the step, then at the probe
            h, node = asked[1 + r // samples, k], r * count + k
            nodes[node] = task[at.FIRST * BLOCK] + weights[at.OFFSETS][r % samples] * (h * task[at.UNIT * BLOCK])
            if is_mixed:
                step2 = h * task[at.UNIT2 * BLOCK]
                nodes2[node] = task[at.SECOND * BLOCK] + weights[at.OFFSETS2][r % samples] * step2
            if which.size:
                which[node] = t
    asked[3, 0], asked[3, 1] = count, 2 * samples * count


def advance(scratch: Record, epsilon: Scalar, lanes: Index, total: Index, rounds: Index, kind: Record) -> None:
    """Put the samples that were asked for into the windows, and judge these: in the first of the rounds, all of them.

    Where a window goes neither way it is judged in vain: that costs less than to pick the others.
    """
    tasks, states, windows, _, _, _, values, asked = scratch
    samples, rows, is_first = kind[0][at.SAMPLES], 3 * (kind[0][at.LEVELS] + 1) * BLOCK, rounds == 0
    count, stride = int(asked[3, 0]), int(asked[3, 1])
    k = 0
    while k < count:
        block = (k if is_first else int(asked[0, k])) // BLOCK
        task, tasks_here = tasks[block * TASK :][:TASK], min(total - block * BLOCK, BLOCK)
        end = k + tasks_here if is_first else k
        while end < count and not is_first and int(asked[0, end]) // BLOCK == block:
            t = int(asked[0, end]) % BLOCK
            task[at.CALLS * BLOCK + t] += 2.0 * samples
            end += 1
        for lane in range(lanes):
            number = block * lanes + lane
            state, window = states[number * STATE :][:STATE], windows[number * rows :][:rows]
            if is_first:
                reset(state, tasks_here)
            scale(task, state, tasks_here, kind)
            if is_first:
                fill(values, lane * stride + k, total, state, window, tasks_here, kind)
            else:
                for e in range(k, end):
                    t = int(asked[0, e]) % BLOCK
                    is_finer = asked[1, e] == task[at.FINE * BLOCK + t]
                    if state[at.MOVE * BLOCK + t] == (at.FINER if is_finer else at.COARSER):
                        shift(window, t, is_finer, kind)
                        take(values, lane * stride, asked, e, task, state, window, t, is_finer, kind)
            weigh(state, window, tasks_here, kind)
            judge(task, state, window, epsilon, tasks_here, is_first, kind)
        k = end
    want(scratch, lanes, total, kind)


@early
def shift(window: Target, t: Index, is_finer: Flag, kind: Record) -> None:
    """Move the levels of one window by one, to make room for a new one."""
    levels = kind[0][at.LEVELS]
    for row in range(0, 3 * (levels + 1), levels + 1):
        for j in range(levels - 1):
            # From the far end, for no entry must be lost.
            to, source = (levels - 1 - j, levels - 2 - j) if is_finer else (j, j + 1)
            window[(row + to) * BLOCK + t] = window[(row + source) * BLOCK + t]


@early
def take(
    values: Array,
    start: Index,
    asked: Array,
    e: Index,
    task: Array,
    state: Array,
    window: Target,
    t: Index,
    is_finer: Flag,
    kind: Record,
) -> None:
    """Put the samples of the e-th step that was asked for, and of its probe, into the window that it was asked for."""
    order, levels, samples, _, _, _, _ = kind[0]
    count = int(asked[3, 0])
    for part in range(2):  # the step, then the probe
        row = levels if part == 1 else 0 if is_finer else levels - 1
        condense(values, start + part * samples * count + e, count, state, window, t, row, 1, kind)
        power = task[at.AREA * BLOCK + t]
        for _ in range(order):
            power *= asked[1 + part, e]
        window[row * BLOCK + t] *= kind[1][at.FACTORIAL] / power


@cold
def finish(scratch: Record, results: Record, lanes: Index, start: Index, stop: Index, kind: Record) -> None:
    """Copy the best quotients into the results."""
    tasks, states, _, _, _, _, _, _ = scratch
    value, error, step, converged, calls = results
    for begin in range(start, stop, BLOCK):
        count = min(stop - begin, BLOCK)
        for lane in range(lanes):
            state = states[((begin - start) // BLOCK * lanes + lane) * STATE :][:STATE]
            for t in range(count):
                value[lane, begin + t] = state[at.VALUE * BLOCK + t]
                error[lane, begin + t] = state[at.ERROR * BLOCK + t] + state[at.SCATTER * BLOCK + t]
                step[lane, begin + t] = state[at.STEP * BLOCK + t]
                converged[lane, begin + t] = state[at.CONVERGED * BLOCK + t] > at.BELIEVED
        for t in range(count):
            calls[begin + t] = tasks[((begin - start) // BLOCK * TASK + at.CALLS * BLOCK) + t]


def call(function: Index, arguments: Record) -> None:
    """Call a function. In a compiled `run` an intrinsic takes this place, and the function is an address."""
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
    """Search for the tasks from start to stop. The last of the functions samples the function of the user."""
    begin, advance, finish, sample = functions
    _, _, _, nodes, nodes2, which, values, asked = scratch
    _, epsilon, lanes = numbers
    total = stop - start
    call(begin, (scratch, problem, numbers, start, stop, kind))
    rounds = 0
    while asked[3, 0] > 0.0 and rounds <= limit.ROUNDS:
        call(sample, (nodes, nodes2, which, values, int(asked[3, 1]), start, context, args))
        call(advance, (scratch, epsilon, lanes, total, rounds, kind))
        rounds += 1
    call(finish, (scratch, results, lanes, start, stop, kind))
