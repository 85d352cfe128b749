"""Batch gradient descent on the squared loss of a linear model."""

from typing import Any

import numpy as np

REAL: Any = np.float64
SIZE = np.uintp


def descent(
    x: Any, y: Any, theta: Any, rate: Any, cost: Any, position: Any, sums: Any, loss: Any, gradient: Any, budget: Any
) -> None:
    """Iterate h = theta x, l = h - y, g = x l / m, theta -= rate g for about `budget` more rows.

    A row of `x` holds a feature. `cost`, a ring, takes sum(l**2) / (2 m) of each iteration. All else is the state, so
    that a call may end anywhere: `position` is (iteration, row, iterations to do), `gradient` the sum so far, `sums`
    the squared loss so far and two costs, both to be passed to stop: twice the least yet, and a floor below which
    growth is rounding, at first relative to the first cost. `loss` sets the size of a block.
    """
    n, m = SIZE(x.shape[0]), SIZE(x.shape[1])
    t, row, last, done, end = SIZE(position[0]), SIZE(position[1]), SIZE(position[2]), SIZE(0), SIZE(budget)
    zero, one, rows = SIZE(0), SIZE(1), np.float64(m)
    while done < end and t < last:
        count = min(SIZE(loss.size), m - row)
        w = REAL(theta[zero])
        for i in range(count):
            loss[i] = x[zero, row + i] * w - y[row + i]
        for j in range(one, n):
            w = REAL(theta[j])
            for i in range(count):
                loss[i] += x[j, row + i] * w
        square = REAL(0)
        for i in range(count):
            square += loss[i] * loss[i]
        sums[0] += square
        for j in range(n):
            slope = REAL(0)
            for i in range(count):
                slope += x[j, row + i] * loss[i]
            gradient[j] += slope
        row += count
        done += count
        if row == m:
            now = sums[0] / (2 * rows)
            cost[t % SIZE(cost.size)] = now
            for j in range(n):
                theta[j] -= rate * (gradient[j] / rows)
                gradient[j] = 0
            sums[0] = 0
            row = zero
            t += one
            if 2 * now < sums[1]:
                sums[1] = 2 * now
                if t == one:
                    sums[2] *= now
            elif not now <= max(sums[1], sums[2]):
                break
    position[0], position[1] = t, row
