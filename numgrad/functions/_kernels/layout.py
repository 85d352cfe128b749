"""The places of numbers in memory: rows of tasks, of states and of windows, and the facts of a kind of quotient.

Tasks, and the states of the numbers that the function returns for them, lie in blocks of BLOCK, row by row: the
distance of two rows is a constant, which lets LLVM vectorise over the tasks of a block.
"""

BLOCK = 32

# The rows of a block of tasks: two coordinates, how far a step of 1 moves each, the product of these two (or the first
# to the power of the order), the finest and the coarsest step sampled, their limits, and how often the function was
# called.
FIRST, SECOND, UNIT, UNIT2, AREA, FINE, COARSE, FINEST, COARSEST, CALLS = range(10)
TASK = 10 * BLOCK

# The rows of a block of states. First, facts of a number of a task: the function at x, where its window moves, the
# noise and the rounding of the last window, and the number of windows since the best.
CENTER, MOVE, NOISE, LOST, WORSE = range(5)
# Then its best quotient so far.
VALUE, ERROR, SCATTER, STEP, CONVERGED = range(5, 10)
# Then its window: the finest step, that to the power of the order, and the sums of `weigh`.
H, POWER, WHOLE, BUT_ONE, BUT_TWO, BUT_THREE, ROUNDING, PROBED, RESIDUAL, RESIDUAL_BUT_ONE, CHANGED = range(10, 21)
STATE = 21 * BLOCK

# MOVE: which steps a window goes on to.
FINER, STAY, COARSER = -1.0, 0.0, 1.0
# CONVERGED: a finer window that is the first to be believed waits for its own finer neighbour to confirm it.
UNKNOWN, BELIEVED, CONFIRMED = 0.0, 0.5, 1.0

# The rows of a block of windows are, once for each level and once for the probe, quotients, changes of the samples (of
# their even part for a central quotient of odd order, else the largest), and sizes of the samples.

# A kind of quotient has whole numbers: the order of the derivative, levels, samples at each level, and four flags.
ORDER, LEVELS, SAMPLES, IS_MIXED, IS_CHECKED, IS_FIXED, IS_LEADING = range(7)
# Numbers.
WEIGHT, FACTORIAL, AMPLIFICATION, GAIN, GAIN_BEFORE, GAIN_EARLIER, RATIO, START, SURPRISE = range(9)
# Rows of weights, and of steps in parts of the finest: those of the levels, then that of the probe.
OFFSETS, OFFSETS2, PART, ALL_LEVELS, ALL_BUT_ONE, ALL_BUT_TWO, ALL_BUT_THREE, AMPLIFIED, PROBE = range(9)
EVEN, EVEN_BUT_ONE, STEPS = range(9, 12)
