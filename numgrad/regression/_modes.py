"""Descent in the eigenbasis of the Hessian: a QR decomposition of the data, then O(n) an iteration."""

from typing import Any

import numpy as np

from numgrad._jit import specialise
from numgrad._kernels.descent import BACKTRACKING, BARZILAI_BORWEIN, tally
from numgrad._kernels.modes import REPLAYED, modes
from numgrad.regression._check import Floats
from numgrad.regression._engine import Engine, Record, Rule
from numgrad.regression._quadratic import Quadratic


class Modes(Engine):
    """The iteration in coordinates c of the right singular vectors, theta = V c + what they do not span."""

    def __init__(self, quadratic: Quadratic, start: Floats, rule: Rule, record: Record, rates: Floats | None = None):
        super().__init__(rule, record, start.size)
        count = len(quadratic.eigenvalues)  # what the cost does not depend on stays
        u, s, vt = quadratic.svd
        u, s, self._vt = u[:, :count], s[:count], vt[:count]
        c = start @ self._vt.T
        self._rest = start - c @ self._vt
        self._shape = c.shape
        self._s = np.tile(s, len(start))
        self._c = c.ravel()
        self._rho = (c * s - quadratic.b.T @ u).ravel()
        self._velocity = np.zeros(c.size)
        self._best = self._c.copy() if rule.keeps_best else np.empty(0)
        self._floor = quadratic.least_cost
        self._rule = np.array([REPLAYED if rates is not None else rule.kind])
        self._rates = np.empty(0) if rates is None else rates
        self._numbers = np.array([*rule.numbers, self._floor, 0.0])
        self._path = record.path(c.size)
        # Contracting alone keeps rho - s (s rho) one rounding; to reassociate would make it rho (1 - s s).
        tags = ("float64",)
        self._kernel = specialise(modes, *tags, fastmath=frozenset({"contract"}), tally=tally)

    def run(self, end: int) -> None:
        self._kernel(
            self._s,
            self._c,
            self._rho,
            self._velocity,
            self._best,
            self._rule,
            self._numbers,
            self._rates,
            self.record.at,
            self.record.costs,
            self._path,
            self.position,
            self.marks,
            end,
        )

    @property
    def work(self) -> int:
        return 4 * self._s.size

    def settle(self) -> float:
        return float(self._rho @ self._rho) / 2

    def theta(self) -> Floats:
        return self._leave(self._c)

    def best(self) -> Floats:
        return self._leave(self._best)

    def path(self) -> Floats:
        return self._leave(self._path[: self.position[1]])

    @property
    def rate(self) -> float:
        return float(self._numbers[0])

    def _leave(self, c: Floats) -> Floats:
        return np.asarray(c.reshape(*c.shape[:-1], *self._shape) @ self._vt + self._rest)


def replayed(quadratic: Quadratic, start: Floats, rule: Rule, at: Any, rates: Floats, done: int) -> Floats:
    """Return the excess cost of a run at the iterations `at`, of which `done` were done."""
    record = Record(at, False)
    is_adaptive = rule.kind in (BARZILAI_BORWEIN, BACKTRACKING)
    engine = Modes(quadratic, start, rule.unwatched(), record, rates[:done] if is_adaptive else None)
    engine.run(done)
    excess: Floats = record.costs[1]
    return excess
