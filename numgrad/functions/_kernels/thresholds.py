"""The thresholds of the search for a step, each with its reason.

No theory gives these numbers. They hold together: of the functions in tests/functions errors cover, kinks and
noise are not taken for derivatives, and smooth functions converge in few samples. Run those tests after a change.
"""

# Steps.

# The first steps are this times a power of the ratio, and of two: short enough for x + h to be exact where the ratio is
# two, and no period is a multiple of them all.
ODD = 847_807 / 2**20
# A function is sampled no farther than this, on the scale of x, and at no more levels beyond the first window.
FARTHEST = 2.0**3
ROUNDS = 200
# The finest step has 2 to the power of this units of the last place of x: shorter ones tell no kink from rounding.
FINEST_UNITS = 10

# Truncation, by the columns of the extrapolation.

# The distance of fine and coarse levels shrinks from column to column by a factor. It may be so many times as large as
# the last factor foretells.
SHRINKING = 4.0
# Levels that are so many times farther apart than even that do not converge, but scatter.
SCATTERED = 4.0
# The scatter falls with the square of how much nearer the columns came. Columns that come nearer by less than the root
# of this are not taken to converge any more.
CONVERGING = 64.0
# Noise adds to the error this many times the distance that it was seen to keep fine and coarse levels apart.
DEVIATIONS = 3.0
# The error of the last column is its difference from the one before, times the ratio of this to the difference before
# that, times this. For even powers of steps that double a quarter would do; columns are not so regular.
NEXT = 16.0

# Rounding.

# Samples may differ by so many times their rounding before it is the function that differs.
DIFFERENT = 16.0
# Rounding is accepted up to so many units of the last place of the derivative before coarser steps are tried.
ACCEPTED = 64.0
# A function with more noise than so many times its rounding is not said to have a derivative.
NOISY = 3000.0

# Smoothness.

# The f(x) that the even part foretells may be off by this share of the distance of its last two columns: the last
# column is nearer by far.
CENTERED = 0.5
# The even part is smooth if it misses f(x) by less than this share of the largest change of the samples.
MISSED = 1e-3
# A window is smooth if its levels and the probe agree to this share of the derivative.
SMOOTH = 0.25
# The probe is at one place, so it may miss a ripple in part: the change that it makes counts so many times.
SEEN = 2.0
# A change by the probe that is so many times larger than rounding could make it is odd.
ODDITY = 4.0
# The probe may be off by so many times the truncation that the levels foretell.
FORETOLD = 4.0

# To have found a derivative, and to go on.

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
