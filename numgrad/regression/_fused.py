"""Descent that goes over the data in each iteration: hypothesis, loss, gradient and update in one pass."""

from functools import partial
from typing import Any

import numpy as np

from numgrad._compile.jit import Kernel, entry_point, specialise
from numgrad._system.threads import get_num_threads, share
from numgrad.regression._check import Floats
from numgrad.regression._engine import Engine, Record, Rule
from numgrad.regression._entries import Entries
from numgrad.regression._kernels.iteration import (
    BACKTRACKING,
    COST,
    END,
    FIXED,
    GOES_ON,
    IS_LAST,
    RATE,
    STEEPEST,
    Flat,
    Pace,
    advance,
    descent,
)
from numgrad.regression._kernels.passes import LINE, ROWS, Layout, columns, pack, packing, rows
from numgrad.regression._rows import FASTMATH, by_columns, tags
from numgrad.regression._sparse import Passes
from numgrad.regression._step_size import Inner

# Data up to this size are copied once, packed.
COPY_LIMIT = 56 * 2**20
# From so many products an iteration on, passes are shared among threads.
PARALLEL = 2**20
# Elements of X in a piece of a pass: a sixteenth of all, within these bounds. The pieces, and so the sums, are the same
# for any number of threads.
PIECE = 2**16, 2**20


class Fused(Engine):
    """The iteration on the data themselves."""

    def __init__(self, inner: Inner, start: Floats, rule: Rule, record: Record, l2: float, n_iter: int):
        data, coordinates, first, _ = inner
        super().__init__(start, rule, record, float(np.finfo(data.dtype).eps))
        self._inner, self._data, self._coordinates, self._rule = inner, data, coordinates, rule
        self._theta = start.copy()
        size = start.shape[1]
        self._gradient, self._square = np.zeros(start.shape), np.zeros(1)
        self._velocity, self._before = np.zeros(start.size), np.zeros(start.size)
        self.rates = np.empty(0 if rule.kind == FIXED or not len(record.at) else n_iter)
        shape, numbers = np.array([rule.kind, size, first, 0]), np.array([*rule.numbers, data.total, l2, 0.0, 0.0])
        self._pace = Pace(shape, numbers, self.rates)
        dtype = np.dtype(data.dtype).name
        self._kernel = partial(specialise, fastmath=FASTMATH, REAL=data.dtype)
        self._advance = self._kernel(advance, dtype)
        self._is_small = False  # if it is, one kernel does all
        self._lay_out()
        if rule.tol and start.any():
            self._theta[...] = 0
            self._pass()
            self.log.marks[STEEPEST] = ((self._gradient / data.total) ** 2).sum()
            self._theta[...], self._gradient[...], self._square[0] = start, 0, 0

    def _lay_out(self) -> None:
        """Prepare the passes: over blocks, packed once; over blocks, packed in each pass; over rows where they lie."""
        data, coordinates, dtype = self._data, self._coordinates, np.dtype(self._data.dtype).name
        m, p = data.y.shape
        size = self._theta.shape[1]
        self._loss = np.empty(int(ROWS), data.dtype)
        self._lines = -(-size // 4) * 4
        self._block = (self._lines + p) * int(LINE)
        self._count = -(-m // int(ROWS))
        self._tags = tags(data)
        self._blocks: Floats | None = None
        self._in_place = coordinates.is_plain and data.x.flags.c_contiguous
        if self._count * self._block * self._loss.itemsize <= COPY_LIMIT:
            self._in_place = False
            self._blocks = np.empty(self._count * self._block, data.dtype)
            self._bound(pack)(*self._given, self._blocks, 0, m)
        self._is_small = self._blocks is not None and self.work <= PARALLEL
        if self._is_small:
            self._descent = self._kernel(descent, dtype)
        piece = min(max(m * size // 16, PIECE[0]), PIECE[1])
        rows_of_piece = max(1, piece // (size * int(ROWS))) * int(ROWS)
        self._pieces = [(low, min(low + rows_of_piece, m)) for low in range(0, m, rows_of_piece)]
        self._sums = np.empty((len(self._pieces), self._theta.size + 1))

    @property
    def work(self) -> int:
        return len(self._data.x) * self._theta.size

    def run(self, end: int) -> None:
        state = self._velocity, self._before, self._pace, self.log
        if self._is_small:
            flat = Flat(self._theta.ravel(), self._gradient.ravel())
            room = (self._theta, self._gradient, flat, self._loss, self._square)
            arguments = (self._blocks, self._count, *room, *state, end)
            entry_point(self._descent, *arguments)(*arguments)
            return
        while self.done < end and self.goes_on:
            self._pass()
            sums = self._theta.ravel(), self._gradient.ravel(), self._square
            entry_point(self._advance, *sums, *state)(*sums, *state)

    def settle(self) -> float:
        if not self.is_diverged and not self._is_settled:
            self._pace.shape[IS_LAST] = True
            position = self.log.position
            ended, position[END] = position[END], GOES_ON
            self.run(self.done + 1)
            position[END] = ended
        return float(self._pace.numbers[COST])

    @property
    def _is_settled(self) -> bool:
        return bool(self._pace.shape[IS_LAST])

    def theta(self) -> Floats:
        if self._rule.kind == BACKTRACKING and not self._is_settled:  # the last step is a trial, and may be too long
            return self._theta + self.rate * self._before.reshape(self._theta.shape)
        return self._theta.copy()

    def best(self) -> Floats:
        best: Floats = self.log.best.reshape(self._theta.shape)
        return best

    def path(self) -> Floats:
        path: Floats = self.log.path[: len(self.kept)].reshape(-1, *self._theta.shape)
        return path

    def velocity(self) -> Floats:
        return self._velocity.reshape(self._theta.shape).copy()

    @property
    def rate(self) -> float:
        return float(self._pace.numbers[RATE])

    def _pass(self) -> None:
        """Sum squares and gradients of all rows, piece by piece, in the order of the pieces."""
        self._sums[...] = 0
        share(self._go_over, list(enumerate(self._pieces)), get_num_threads())
        total = self._sums.sum(axis=0)
        self._gradient[...] = total[:-1].reshape(self._gradient.shape)
        self._square[0] = total[-1]

    def _go_over(self, pieces: Any) -> None:
        data, first = self._data, int(self._coordinates.intercept)
        n, dtype = data.x.shape[1], np.dtype(data.dtype)
        loss, part = np.empty(int(ROWS), dtype), np.empty(n, dtype)
        over_rows, over_blocks = self._kernel(rows, dtype.name, *self._tags), self._kernel(columns, dtype.name)
        over_packed = self._bound(packing)
        block = np.empty(0 if self._in_place or self._blocks is not None else self._block, dtype)
        for which, (low, high) in pieces:
            gradient = self._sums[which, :-1].reshape(self._gradient.shape)
            square = self._sums[which, -1:]
            if self._in_place:
                over_rows(data.x, data.y, data.weight, self._theta, first, part, gradient, square, low, high)
            elif self._blocks is not None:
                blocks, count = self._blocks[low // int(ROWS) * self._block :], -(-(high - low) // int(ROWS))
                over_blocks(blocks, count, self._theta, loss, gradient, square)
            else:
                over_packed(self._given, block, self._theta, loss, gradient, square, low, high)

    def _bound(self, kernel: Kernel) -> Kernel:
        """Return a kernel for the layout of these data."""
        dtype = np.dtype(self._data.dtype).name
        bound: Kernel = self._kernel(kernel, dtype, *self._tags, BY_COLUMNS=by_columns(self._data))
        return bound

    @property
    def _given(self) -> Layout:
        data, coordinates = self._data, self._coordinates
        shift = np.append(coordinates.shift, np.zeros(data.y.shape[1]))
        arrays = data.x, data.y, data.weight, shift, coordinates.factor
        return Layout(*arrays, int(coordinates.intercept), self._lines)


class FusedEntries(Fused):
    """The iteration on the entries of a sparse X."""

    def _lay_out(self) -> None:
        self._passes = Passes(self._inner, self._data.y)

    @property
    def work(self) -> int:
        x: Entries = self._data.x
        return (x.count + sum(x.shape)) * len(self._theta)

    def _pass(self) -> None:
        self._gradient[...], self._square[0] = self._passes.go(self._theta)
