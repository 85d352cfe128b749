"""The thresholds of the search for a step, each with its reason.

No theory gives these numbers. They hold together: of the functions in tests/test_functions.py errors cover, kinks and
noise are not taken for derivatives, and smooth functions converge in few samples. Who changes one runs those tests.
"""

# Steps.

# The first steps are this times a power of the ratio, and of two: short enough for x + h to be exact where the ratio is
# two, and no period is a multiple of them all.
ODD = 847_807 / 2**20
# A function is sampled no farther than this, on the scale of x, and at no more levels beyond the first window.
FARTHEST = 2.0**3
ROUNDS = 200
# The finest step is 2 to this units of the last place of x: a kink looks like rounding in fewer.
FINEST_UNITS = 10

# Truncation, by the columns of the extrapolation.

# A column's error is of one power of the step, so each column is nearer to the next than the one before by a factor
# that shrinks by no more than this from column to column.
SHRINKING = 4.0
# Fine and coarse levels that are this many times as far apart as such columns would be do not converge, but scatter.
SCATTERED = 4.0
# The scatter falls with the square of how much nearer the columns came. Columns that come nearer by less than the root
# of this are not taken to converge any more.
CONVERGING = 64.0
# What is added to the error for scatter, in parts of what was seen to be apart: three deviations of noise.
DEVIATIONS = 3.0
# The last column's own difference, times this and its ratio to the one before, is the error of the next column.
NEXT = 16.0

# Rounding.

# Samples may differ by so many times their rounding before it is the function that differs.
DIFFERENT = 16.0
# Rounding is accepted up to so many units of the last place of the derivative before coarser steps are tried.
ACCEPTED = 64.0
# A function with more noise than so many times its rounding is not said to have a derivative.
NOISY = 3000.0

# Smoothness.

# The even part foretells f(x) up to this share of what its own columns differ by: the last column is nearer by far.
CENTERED = 0.5
# It is smooth if it misses f(x) by less than this share of the largest change of the samples.
MISSED = 1e-3
# A window is smooth if its levels and the probe agree to this share of the derivative.
SMOOTH = 0.25
# The probe is at one place, so it may miss a ripple in part: what it finds counts so many times.
SEEN = 2.0
# Beyond so many times what rounding may do, the probe has seen something odd.
ODDITY = 4.0
# The probe may be off by so many times the truncation that the levels foretell.
FORETOLD = 4.0

# What is found, and whether to go on.

# A quotient that is uncertain by more than the first share is not said to have converged; by more than the second, if
# it is of a low order and at finer steps than those of the first window, where noisy values are rounded alike and look
# smooth.
KNOWN = 0.1
SURE = 1e-4
# A finer window replaces one that it agrees with only if it is not less certain than that by more than this factor.
LESS_CERTAIN = 1e4
# A quotient that changes by less than this fraction has left behind the steps that say nothing.
RESOLVED = 1e-2
# After so many worse windows in turn finer steps are taken to be worse, too.
WORSENED = 2.0
# Rounding is the same in two windows if it grew, and shrank, by less than this factor.
SAME = 1.5

# Beside a divisor that may be zero.
TINY = 1e-300
