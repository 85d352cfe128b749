"""Second-order one-sided differences, for both ends of an axis."""

from typing import Any

import numpy as np

from numgrad._arrays.kernels.uniform import uniform
from numgrad._compile.language import Array, Index, Record, Scalar, Target

FIELD: Any = np.float64
SIZE = np.uintp

inside: Any = uniform  # or `nonuniform`


def one_sided(p: Scalar, q: Scalar) -> Any:
    """Return what f[0], f[1] and f[2] weigh in the derivative at x[0], by the first two steps."""
    return -(p + p + q) / (p * (p + q)), (p + q) / (p * q), -p / (q * (p + q))


def with_edges(
    f: Array, out: Target, n: Index, inner: Index, start: Index, stop: Index, shift: Index, w: Array, constants: Record
) -> Any:
    """As `inside`, but out[0] = w[0] f[0] + w[1] f[1] + w[2] f[2], out[-1] = w[3] f[-3] + w[4] f[-2] + w[5] f[-1]."""
    met = inside(f, out, n, inner, start, stop, shift, *constants)
    n, inner, start, stop, shift = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop), SIZE(shift)
    block = n * inner
    for base in range(start - start % block, stop, block):
        for k in range(max(start, base), min(stop, base + inner)):
            out[k - shift] = w[0] * FIELD(f[k]) + w[1] * FIELD(f[k + inner]) + w[2] * FIELD(f[k + inner + inner])
        for k in range(max(start, base + block - inner), min(stop, base + block)):
            out[k - shift] = w[3] * FIELD(f[k - inner - inner]) + w[4] * FIELD(f[k - inner]) + w[5] * FIELD(f[k])
    return met
