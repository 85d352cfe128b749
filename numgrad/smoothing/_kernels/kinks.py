"""Where a function would rather have a kink."""

import numpy as np

from numgrad._compile.language import Array, Index, Scalar, Target

REAL = np.float64


def scores(
    moments: Array, chebyshev: Array, penalty: Array, function: Array, spline: Array, upper: Array, change: Array,
    whole: Array, smoothing: Scalar, column: Target, found: Target, size: Index,
) -> None:  # fmt: skip
    """Write for each knot but the first how much the fit gains by a kink there, and what that is worth by chance.

    function[o] is the kinked function in the span o of those around a knot, by T_k(s); spline[o] what of its
    coefficients the penalty sees; whole: the coefficients in each span. found[k]: the product with what is left of the
    data, and with itself.
    """
    spans, count, around = found.shape[0], function.shape[1], function.shape[0]
    wide = 2 * count - 1
    for knot in range(1, spans):
        first = knot - around // 2
        low, high = max(first, 0), min(first + around, spans)
        gain, own = REAL(0), REAL(0)
        for i in range(low, size):
            column[i] = 0.0
        for span in range(low, high):
            o = span - first
            for i in range(count):
                total = REAL(0)
                for j in range(count):
                    total += (moments[span, i + j] + moments[span, abs(i - j)]) * function[o, j]
                column[size + i] = 0.5 * total
            for i in range(count):
                own += function[o, i] * column[size + i]
                gain += function[o, i] * moments[span, wide + i]
            for a in range(count):
                by_data, by_penalty = REAL(0), REAL(0)
                for i in range(count):
                    by_data += chebyshev[a, i] * column[size + i]
                    by_penalty += penalty[a, i] * spline[o, i]
                by_penalty *= smoothing
                own += by_penalty * spline[o, a]
                gain -= by_data * change[span + a] + by_penalty * whole[span, a]
                column[span + a] += by_data + by_penalty
        last, rest = high + count - 1, REAL(0)
        for i in range(low, size):
            value = column[i] / upper[i, 0]
            own -= value * value
            for k in range(1, min(count, size - i)):
                column[i + k] -= upper[i, k] * value
            rest = 0.9 * rest + value * value
            if i > last and rest < 1e-14 * own:
                break
        found[knot, 0], found[knot, 1] = gain, own
