"""Judges the windows of the search: how far their quotients are off, which to keep, and where to go from there.

The functions above `judge` are its steps, for one task each: the compiler puts them into its loop, where LLVM
vectorises them over the tasks of a block. So none of them branches on what differs from task to task.
"""

from math import inf
from typing import NamedTuple

from numgrad._compile.language import Array, Flag, Index, Record, Scalar, Target, early
from numgrad.functions._kernels import layout as at
from numgrad.functions._kernels import thresholds as limit
from numgrad.functions._kernels.layout import BLOCK
from numgrad.functions._kernels.windows import power


class Sizes(NamedTuple):
    """How large samples are, and how much they differ."""

    fine: Scalar  # the largest sample at the finest level
    coarse: Scalar  # the largest sample at the coarsest level
    change: Scalar  # how far samples are from f(x), at most
    slope: Scalar  # how much they change within the finest step, for each unit of it
    reach: Scalar  # |x|, in the units of steps
    change_shown: Scalar  # a derivative that would change the samples so much
    size_shown: Scalar  # a derivative that would change them by all their size


class Columns(NamedTuple):
    """The quotient, and its errors by the columns of the extrapolation."""

    value: Scalar  # the quotient
    truncation: Scalar  # the error that its truncation leaves
    apart: Scalar  # how far fine and coarse levels are apart
    scatter: Scalar  # the error that noise leaves, which sizes do not show


class Loss(NamedTuple):
    """Errors by rounding."""

    floor: Scalar  # differences of samples up to this are no more than rounding
    noise: Scalar  # the error of the quotient if the function rounds its values
    argument: Scalar  # the error besides, if it rounds as a function of a rounded x does


class Probe(NamedTuple):
    """The change that the probe would make to the quotient, which the levels did not foretell."""

    change: Scalar  # zero if rounding may have made it
    scatter: Scalar
    is_odd: Flag  # the change is far beyond rounding


class Estimate(NamedTuple):
    """A quotient, its errors, and whether the window is to be believed."""

    value: Scalar
    error: Scalar
    scatter: Scalar
    truncation: Scalar
    off: Scalar  # the part of the error that shows in f(x), which is not the one that the even part foretells
    is_smooth: Flag  # the function looks smooth in this window
    is_foretold: Flag  # the levels foretell f(x) and the probe, too
    is_odd: Flag


class Verdict(NamedTuple):
    """The verdict on a quotient."""

    is_fine: Flag  # its error is some units of its last place
    is_rounded: Flag  # its error is that of rounding
    is_found: Flag  # it is a derivative


class Standing(NamedTuple):
    """How a window stands beside the best before it."""

    difference: Scalar
    is_better: Flag
    is_wrong: Flag  # it disagrees by more than both allow: the coarser one did not know its error
    is_confirmed: Flag  # it confirms what was found before
    is_lucky: Flag  # it does not: what was found before was luck


@early
def sizes_of(task: Array, state: Array, window: Array, span: Scalar, t: Index, kind: Record) -> Sizes:
    """Measure the samples of a window."""
    levels, factorial = kind[0][at.LEVELS], kind[1][at.FACTORIAL]
    coarsest, changes = (levels - 1) * BLOCK, (levels + 1) * BLOCK
    sizes, largest = 2 * (levels + 1) * BLOCK, (3 * levels + 1) * BLOCK
    power = state[at.POWER * BLOCK + t]
    reach = abs(task[at.FIRST * BLOCK + t] / task[at.UNIT * BLOCK + t])
    if kind[0][at.IS_MIXED]:
        reach = max(reach, abs(task[at.SECOND * BLOCK + t] / task[at.UNIT2 * BLOCK + t]))
    change, step = state[at.CHANGED * BLOCK + t], abs(window[changes + t])
    if kind[0][at.IS_CHECKED]:  # these are changes of the even part; the odd part is in the quotients
        change += abs(window[coarsest + t]) * power * (span / factorial)
        step = step + abs(window[t]) * power / factorial
    return Sizes(
        window[sizes + t],
        window[largest + t],
        change,
        step / state[at.H * BLOCK + t],
        reach,
        change * factorial / (power * span),
        window[largest + t] / (power * span),
    )


@early
def columns_of(state: Array, t: Index, kind: Record) -> Columns:
    """Weigh the columns against each other.

    All levels give the quotient, whose error is far below its difference from the rest. How far fine and coarse levels
    are apart falls from column to column, until it is noise.
    """
    is_leading = kind[0][at.IS_LEADING]
    gain, gain_before, gain_earlier = kind[1][at.GAIN], kind[1][at.GAIN_BEFORE], kind[1][at.GAIN_EARLIER]
    whole, but_one = state[at.WHOLE * BLOCK + t], state[at.BUT_ONE * BLOCK + t]
    last, before = abs(whole - but_one), abs(but_one - state[at.BUT_TWO * BLOCK + t])
    earlier = abs(state[at.BUT_TWO * BLOCK + t] - state[at.BUT_THREE * BLOCK + t])
    apart = gain * last if is_leading else 0.0
    falling = apart / (gain_before * before + limit.TINY)
    shrinking = gain_before * before / (gain_earlier * earlier + limit.TINY)
    is_scattered = apart > limit.SCATTERED * (limit.SHRINKING * gain_before * before * shrinking)
    scatter = limit.DEVIATIONS * apart * (1.0 if is_scattered else min(1.0, limit.CONVERGING * falling * falling))
    # Of columns whose error is that of one power, each is nearer than the one before by four times as much as that one
    # was. Where two of them agree by chance, the one before them still says how near they can be.
    expected = max(last, min(before, before * before / (earlier + limit.TINY)))
    truncation = expected * min(1.0, limit.NEXT * expected / (before + limit.TINY)) if is_leading else last
    return Columns(whole if is_leading else but_one, truncation, apart, scatter)


@early
def loss_of(sizes: Record, state: Array, epsilon: Scalar, t: Index, kind: Record) -> Loss:
    """Find the errors by rounding, from the sizes of the samples."""
    power = state[at.POWER * BLOCK + t]
    return Loss(
        limit.DIFFERENT * epsilon * (sizes.fine + sizes.reach * sizes.slope),
        state[at.ROUNDING * BLOCK + t] * epsilon / power,
        sizes.slope * sizes.reach * kind[1][at.AMPLIFICATION] * epsilon / power,
    )


@early
def probe_of(loss: Record, state: Array, t: Index, kind: Record) -> Probe:
    """Ask the probe, and leave out of its answer what rounding explains."""
    change = abs(state[at.PROBED * BLOCK + t])
    likely = kind[1][at.SURPRISE] * (loss.noise + loss.argument)
    beyond = limit.SEEN * change if change > likely else 0.0
    return Probe(beyond, limit.SEEN * change, change > limit.ODDITY * likely)


@early
def estimate_of(
    sizes: Record, columns: Record, loss: Record, probe: Record, state: Array, t: Index, kind: Record
) -> Estimate:
    """Put together the errors, and ask whether the window foretells f(x), which is known, and the probe."""
    amplification, factorial = kind[1][at.AMPLIFICATION], kind[1][at.FACTORIAL]
    power, value = state[at.POWER * BLOCK + t], columns.value
    # The f(x) that the even part foretells must be as near to the known one as the columns of the even part are.
    residual = abs(state[at.RESIDUAL * BLOCK + t])
    allowed = limit.CENTERED * abs(state[at.RESIDUAL * BLOCK + t] - state[at.RESIDUAL_BUT_ONE * BLOCK + t])
    is_centered = residual <= allowed + loss.floor
    is_even_smooth = residual <= limit.MISSED * state[at.CHANGED * BLOCK + t] + loss.floor
    is_smooth = (kind[0][at.IS_FIXED] != 0) | is_even_smooth & (
        max(columns.apart, probe.change)
        <= limit.SMOOTH * (abs(value) + sizes.change_shown) + amplification * loss.floor / power
    )
    truncation = columns.truncation if is_smooth else columns.truncation + sizes.change * factorial / power
    is_probed = probe.change <= limit.FORETOLD * truncation + loss.noise + loss.argument
    truncation = max(truncation, probe.change)
    # A larger difference is noise that sizes do not show, or a pole near x.
    off = max(residual - allowed, 0.0) * amplification / power
    scatter = max(max(columns.scatter, probe.scatter), limit.DEVIATIONS * off)
    error = truncation + loss.noise + loss.argument + off
    is_foretold = is_smooth & is_centered & is_probed
    return Estimate(value, error, scatter, truncation, off, is_smooth, is_foretold, probe.is_odd)


@early
def verdict_of(estimate: Record, loss: Record, sizes: Record, epsilon: Scalar, is_strict: Flag) -> Verdict:
    """Say whether this is a derivative: known to a share of itself, or of the largest that such values could have."""
    value, truncation = estimate.value, estimate.truncation
    is_exact = (value == 0.0) & (truncation == 0.0)  # f is even around x, or constant
    is_precise = truncation + loss.noise <= limit.ACCEPTED * epsilon * abs(value)
    is_fine = estimate.is_foretold & (is_precise | is_exact)
    is_rounded = estimate.is_foretold & (truncation <= loss.noise + loss.argument)
    is_quiet = estimate.off <= limit.NOISY * (truncation + loss.noise + loss.argument)
    most = (
        limit.SURE * max(abs(value), sizes.change_shown)
        if is_strict
        else limit.KNOWN * max(abs(value), sizes.size_shown)
    )
    is_known = (estimate.error + estimate.scatter <= most) | is_exact
    return Verdict(is_fine, is_rounded, (is_rounded | is_fine) & is_quiet & is_known)


@early
def standing_of(estimate: Record, verdict: Record, is_finer: Flag, move: Scalar, state: Array, t: Index) -> Standing:
    """Compare a window with the best before it."""
    error, error_before, is_found = estimate.error, state[at.ERROR * BLOCK + t], verdict.is_found
    was_found = state[at.CONVERGED * BLOCK + t] > at.UNKNOWN
    difference = abs(estimate.value - state[at.VALUE * BLOCK + t])
    # A window that has not converged gives way to a finer one that has, but not to one far less certain.
    is_known = (difference <= error + error_before) & (error > limit.LESS_CERTAIN * error_before)
    is_better = is_finer & is_found & (not was_found) & (error < inf) & (not is_known)
    is_better = (is_better | ((error < error_before) & (is_found | (not was_found)))) & (move != at.STAY)
    is_wrong = is_finer & (not (is_better | was_found)) & (difference > error + error_before)
    agrees = difference <= error + error_before + max(estimate.scatter, state[at.SCATTER * BLOCK + t])
    is_confirmed = is_finer & was_found & agrees & (is_found | (not estimate.is_odd))
    is_lucky = is_finer & was_found & (not (is_better | is_confirmed))
    return Standing(difference, is_better, is_wrong, is_confirmed, is_lucky)


@early
def keep_best(estimate: Record, standing: Record, certainty: Scalar, task: Array, state: Target, t: Index) -> None:
    """Keep the quotient if it is better than the best before it; if not, note what it says about that one."""
    is_better, error = standing.is_better, estimate.error
    step = state[at.H * BLOCK + t] * task[at.UNIT * BLOCK + t]
    state[at.VALUE * BLOCK + t] = estimate.value if is_better else state[at.VALUE * BLOCK + t]
    state[at.SCATTER * BLOCK + t] = estimate.scatter if is_better else state[at.SCATTER * BLOCK + t]
    state[at.STEP * BLOCK + t] = step if is_better else state[at.STEP * BLOCK + t]
    converged = at.CONFIRMED if standing.is_confirmed else state[at.CONVERGED * BLOCK + t]
    converged = at.UNKNOWN if standing.is_lucky else converged
    state[at.CONVERGED * BLOCK + t] = certainty if is_better else converged
    apart = standing.difference + error
    known = apart if standing.is_wrong & (apart < inf) else state[at.ERROR * BLOCK + t]
    state[at.ERROR * BLOCK + t] = error if is_better else known
    state[at.WORSE * BLOCK + t] = 0.0 if is_better else state[at.WORSE * BLOCK + t] + 1.0


@early
def is_settled_by(estimate: Record, loss: Record, is_rounded: Flag, sizes: Record, state: Array, t: Index) -> Flag:
    """Whether finer steps would say nothing new."""
    lost, lost_before = loss.noise + loss.argument, state[at.LOST * BLOCK + t]
    best = state[at.ERROR * BLOCK + t]
    is_past = (state[at.WORSE * BLOCK + t] >= limit.WORSENED) & (
        best <= limit.RESOLVED * abs(state[at.VALUE * BLOCK + t])
    )
    is_noisy = estimate.is_smooth & (estimate.truncation <= loss.noise) & (loss.noise >= state[at.NOISE * BLOCK + t])
    # Finer steps do not change the rounding, as at a minimum of zero.
    is_same = is_rounded & (lost < limit.SAME * lost_before) & (lost_before < limit.SAME * lost)
    # A derivative that no window has found yet is looked for until rounding would hide what f changes by.
    is_over = (state[at.CONVERGED * BLOCK + t] > at.UNKNOWN) | (lost > best + limit.KNOWN * sizes.change_shown)
    return (is_past | is_noisy | is_same) & is_over


@early
def first_move(verdict: Record, sizes: Record, span: Scalar, state: Array, t: Index, kind: Record) -> Scalar:
    """Go to coarser steps where rounding is all that is wrong, and does not grow with the step; else to finer ones."""
    grows = sizes.coarse > span * sizes.fine
    move = at.COARSER if verdict.is_rounded & (not grows) else at.FINER
    is_bad = state[at.CENTER * BLOCK + t] - state[at.CENTER * BLOCK + t] != 0.0  # no number, no search
    return at.STAY if (kind[0][at.IS_FIXED] != 0) | verdict.is_fine | is_bad else move


@early
def next_move(verdict: Record, is_settled: Flag, move: Scalar, state: Array, t: Index) -> Scalar:
    """Go on in the same direction, until the best is fine or behind."""
    is_waiting = state[at.CONVERGED * BLOCK + t] == at.BELIEVED
    # Rounding varies by chance: one worse window is no reason to stop there.
    is_past = state[at.WORSE * BLOCK + t] > (1.0 if verdict.is_rounded else 0.0)
    ends_finer = (verdict.is_fine | is_settled) & (not is_waiting)
    ends_coarser = verdict.is_fine | is_past
    return at.STAY if (ends_finer if move < at.STAY else ends_coarser) else move


def judge(
    task: Array, state: Target, window: Array, epsilon: Scalar, count: Index, is_first: Flag, kind: Record
) -> None:
    """Keep the quotient of each window of a block if it is the best so far, and say whether the window moves on."""
    order, levels = kind[0][at.ORDER], kind[0][at.LEVELS]
    span = power(kind[2][at.STEPS][levels - 1], order)
    for t in range(count):
        move = state[at.MOVE * BLOCK + t]
        is_finer = move < at.STAY
        is_finer_than_first = is_finer & (not is_first)
        sizes = sizes_of(task, state, window, span, t, kind)
        columns = columns_of(state, t, kind)
        loss = loss_of(sizes, state, epsilon, t, kind)
        probe = probe_of(loss, state, t, kind)
        estimate = estimate_of(sizes, columns, loss, probe, state, t, kind)
        verdict = verdict_of(estimate, loss, sizes, epsilon, is_finer_than_first & (order <= 2))
        standing = standing_of(estimate, verdict, is_finer, move, state, t)
        # A finer window that is the first to be believed was perhaps lucky. Its finer neighbour says so.
        certainty = at.BELIEVED if is_finer_than_first & (not standing.is_confirmed) else at.CONFIRMED
        certainty = certainty if verdict.is_found else at.UNKNOWN
        keep_best(estimate, standing, certainty, task, state, t)
        is_settled = is_settled_by(estimate, loss, verdict.is_rounded, sizes, state, t)
        state[at.LOST * BLOCK + t] = loss.noise + loss.argument
        state[at.NOISE * BLOCK + t] = loss.noise
        after = next_move(verdict, is_settled, move, state, t)
        state[at.MOVE * BLOCK + t] = first_move(verdict, sizes, span, state, t, kind) if is_first else after
