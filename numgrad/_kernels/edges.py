"""Second-order one-sided differences, for both ends of an axis."""

from typing import Any

import numpy as np

FIELD: Any = np.float64
SIZE = np.uintp


def edges(f: Any, out: Any, n: Any, inner: Any, start: Any, stop: Any, w: Any) -> None:
    """out[0] = w[0,0] f[0] + w[0,1] f[1] + w[0,2] f[2], out[-1] = w[1,0] f[-3] + w[1,1] f[-2] + w[1,2] f[-1]."""
    n, inner, start, stop = SIZE(n), SIZE(inner), SIZE(start), SIZE(stop)
    block = n * inner
    for base in range(start - start % block, stop, block):
        for k in range(max(start, base), min(stop, base + inner)):
            out[k] = w[0, 0] * FIELD(f[k]) + w[0, 1] * FIELD(f[k + inner]) + w[0, 2] * FIELD(f[k + inner + inner])
        for k in range(max(start, base + block - inner), min(stop, base + block)):
            out[k] = w[1, 0] * FIELD(f[k - inner - inner]) + w[1, 1] * FIELD(f[k - inner]) + w[1, 2] * FIELD(f[k])
