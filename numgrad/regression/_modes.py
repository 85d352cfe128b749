"""Descent in the eigenbasis of the Hessian: a QR decomposition of the data, then O(n) an iteration."""

from collections.abc import Callable
from time import thread_time
from typing import Any

import numpy as np

from numgrad._compile import tiers
from numgrad._compile.jit import draft, entry_point
from numgrad.regression._check import Floats
from numgrad.regression._engine import Engine, Record, Rule
from numgrad.regression._kernels.iteration import (
    BACKTRACKING,
    BARZILAI_BORWEIN,
    RATE,
    RECORDS,
    REPLAYED,
    STEEPEST,
    Pace,
    modes,
)
from numgrad.regression._quadratic import Quadratic, Scale, shifted

KERNEL = draft(modes, "float64")
# A plain iteration of n modes takes as long as n + BESIDES modes, of STEP seconds each; a plain call as long as CALL.
CALL, BESIDES, STEP = 20, 5, 0.5e-6
# Modes in a plain call, which callbacks wait for: 0.01 seconds.
AT_A_TIME = 2**14
_account = tiers.Account((KERNEL,), STEP)


class Modes(Engine):
    """The iteration in coordinates c of the right singular vectors, theta = V c + what they do not span.

    Without a penalty, the rest stays; with one, it shrinks as a whole, so that its share is one coordinate more. The
    scale is that of the descent; all arguments except the quadratic are divided by it already.
    """

    def __init__(
        self,
        quadratic: Quadratic,
        start: Floats,
        rule: Rule,
        record: Record,
        scale: Scale,
        n_iter: int,
        rates: Floats | None = None,
    ):
        u, s, self._vt = quadratic.svd
        s, b = shifted(s, -scale.x), shifted(quadratic.b, -scale.y)
        c = start @ self._vt.T
        rho = c * s - b.T @ u
        self._rest = start - c @ self._vt
        self._rest_shrinks = len(quadratic.eigenvalues()) > len(s)
        if self._rest_shrinks:
            s = np.append(s, np.sqrt(scale.curvature(quadratic.l2)))
            sizes = np.linalg.norm(self._rest, axis=1)
            self._rest /= np.where(sizes == 0, 1, sizes)[:, None]
            c = np.column_stack([c, sizes])
            rho = np.column_stack([rho, s[-1] * sizes])
        self._shape = c.shape
        self._s = np.tile(s, len(start))
        self._c, self._rho = c.ravel(), rho.ravel()
        self._velocity = np.zeros(c.size)
        super().__init__(c, rule, record)
        kind = np.array([rule.kind if rates is None else REPLAYED])
        numbers = np.array([*rule.numbers, quadratic.least_cost(scale), 0.0])
        self._pace = Pace(kind, numbers, np.empty(0) if rates is None else rates)
        if rule.tol and start.any():
            self.log.marks[STEEPEST] = ((s[: u.shape[1]] * (b.T @ u)) ** 2).sum()
        self._n_iter = 0 if rule.tol or rule.is_watched else n_iter  # that are sure to be done

    def run(self, end: int) -> None:
        state = self._s, self._c, self._rho, self._velocity, self._pace, self.log
        each = self._s.size + BESIDES
        stop = min(end, self.done + max(1, AT_A_TIME // each))
        _account.run(
            CALL + each * (stop - self.done),
            lambda: self._undone_if_interrupted(lambda: KERNEL.plain(*state, stop)),
            lambda: entry_point(KERNEL.compiled, *state, end)(*state, end),
            thread_time,  # what others do on this machine does not count
            each * max(0, self._n_iter - stop),
        )

    def _undone_if_interrupted(self, iterate: Callable[[], None]) -> None:
        """Iterate in Python, which Ctrl-C can stop between any two operations, and go back to the start then."""
        log, latest = self.log, slice(self.log.position[RECORDS], self.log.position[RECORDS] + 1)
        written = [self._c, self._rho, self._velocity, self._pace.numbers, log.best, log.position, log.marks]
        written += [log.costs[:, latest], log.path[latest]]
        before = [array.copy() for array in written]
        try:
            iterate()
        except BaseException:
            for array, old in zip(written, before, strict=True):
                array[...] = old
            raise

    @property
    def work(self) -> int:
        return 4 * max(1, self._s.size)

    def settle(self) -> float:
        return float(self._rho @ self._rho) / 2

    def theta(self) -> Floats:
        return self._leave(self._c)

    def best(self) -> Floats:
        return self._leave(self.log.best)

    def path(self) -> Floats:
        return self._leave(self.log.path[: len(self.kept)])

    def velocity(self) -> Floats:
        v = self._velocity.reshape(self._shape)
        found: Floats = v[:, : len(self._vt)] @ self._vt
        return found + self._rest * v[:, -1:] if self._rest_shrinks else found

    @property
    def rate(self) -> float:
        return float(self._pace.numbers[RATE])

    def _leave(self, c: Floats) -> Floats:
        c = c.reshape(*c.shape[:-1], *self._shape)
        theta: Floats = c[..., : len(self._vt)] @ self._vt
        return theta + (self._rest * c[..., -1:] if self._rest_shrinks else self._rest)


def replayed(
    quadratic: Quadratic, start: Floats, rule: Rule, at: Any, scale: Scale, rates: Floats, done: int
) -> Floats:
    """Return the excess cost of a run at the iterations `at`, of which `done` were done."""
    record = Record(at, False)
    is_adaptive = rule.kind in (BARZILAI_BORWEIN, BACKTRACKING)
    engine = Modes(quadratic, start, rule.unwatched(), record, scale, done, rates[:done] if is_adaptive else None)
    while engine.done < done and engine.goes_on:
        engine.run(done)
    excess: Floats = record.costs[1]
    excess[engine.log.position[RECORDS] :] = np.nan  # beyond the range of numbers
    return excess
