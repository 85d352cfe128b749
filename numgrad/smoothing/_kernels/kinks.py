"""Where a function would rather have a kink."""

import numpy as np

from numgrad._compile.language import Array, Index, Target

REAL = np.float64


def scores(
    gains: Array, owns: Array, by_data: Array, by_penalty: Array, upper: Array, column: Target, found: Target,
    size: Index,
) -> None:  # fmt: skip
    """Write for each knot but the first how much the fit gains by a kink there, and what that is worth by chance.

    A knot has a kinked function in the spans around, of which span is the o-th. gains[span, o] and owns[span, o] are
    its products with what is left of the data, and with itself; by_data[span, o, a] and by_penalty[o, a] those with the
    basis function a of the span. found[k] has both products, less what the splines make good.
    """
    spans, around, count = by_data.shape
    for knot in range(1, spans):
        first = knot - around // 2
        low, high = max(first, 0), min(first + around, spans)
        gain, own, rest = REAL(0), REAL(0), REAL(0)
        for i in range(low, size):
            column[i] = 0.0
        for span in range(low, high):
            o = span - first
            gain += gains[span, o]
            own += owns[span, o]
            for a in range(count):
                column[span + a] += by_data[span, o, a] + by_penalty[o, a]
        last = high + count - 1
        for i in range(low, size):
            value = column[i] * upper[i, 0]
            own -= value * value
            for k in range(1, min(count, size - i)):
                column[i + k] -= upper[i, k] * value
            rest = 0.9 * rest + value * value
            if i > last and rest < 1e-14 * own:
                break
        found[knot, 0], found[knot, 1] = gain, own
