"""Descent that goes over the data in each iteration: hypothesis, loss, gradient and update in one pass."""

from functools import partial
from typing import Any

import numpy as np

from numgrad._compile.jit import Kernel, entry_point, specialise
from numgrad._system.memory import read_only
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
from numgrad.regression._kernels.passes import LINE, ROWS, Columns, Layout, columns, pack, packing, rows
from numgrad.regression._rows import FASTMATH, by_columns, tags
from numgrad.regression._sparse import Passes
from numgrad.regression._step_size import Inner

# Data up to this size are copied once, packed, if they are small or do not lie so that they can be read in place.
COPY_LIMIT = 56 * 2**20
# Rows of fewer features are not read there, if they can be copied.
LEAST = 8
# Rows of a block of columns that are read where they lie.
SEVERAL = 1024
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
        """Prepare the passes: over rows or columns where they lie, over blocks packed once, or packed in each pass."""
        data, dtype, unit = self._data, np.dtype(self._data.dtype), int(ROWS)
        (m, n), p, size = data.x.shape, data.y.shape[1], self._theta.shape[1]
        self._tags, self._block = tags(data), (size + p) * int(LINE)
        blocks = -(-m // unit)
        is_copied = blocks * self._block * dtype.itemsize <= COPY_LIMIT
        self._is_small = is_copied and self.work <= PARALLEL
        is_plain, is_long = self._coordinates.is_plain, n >= (LEAST if is_copied else 2)
        self._by_rows = is_plain and is_long and not self._is_small and data.x.flags.c_contiguous
        # The one kernel of small work has the dtype of the computation.
        is_readable = is_plain and not self._by_rows and (data.x.dtype == dtype or not self._is_small)
        features = _by_features(data.x) if is_readable else None
        self._columns: Columns | None = None  # as they lie, or packed once
        if features is not None:
            y, unit = read_only(np.ascontiguousarray(data.y.T, dtype).ravel()), SEVERAL
            shape = int(self._coordinates.intercept), features[1], m, 0, unit, unit
            self._columns = Columns(features[0], y, self._weight, *shape)
        elif is_copied and not self._by_rows:
            memory = np.empty(blocks * self._block, dtype)
            self._bound(pack)(*self._given, memory, 0, m)
            self._columns = self._packed(memory)
        if self._is_small:
            self._descent = self._kernel(descent, dtype.name)
        piece = min(max(m * size // 16, PIECE[0]), PIECE[1])
        rows_of_piece = max(1, piece // (size * unit)) * unit
        self._pieces = [(low, min(low + rows_of_piece, m)) for low in range(0, m, rows_of_piece)]
        self._sums = np.empty((len(self._pieces), self._theta.size + 1))

    @property
    def _weight(self) -> Floats:
        """The weights of the rows; none if all are 1."""
        weight = self._data.weight
        return read_only(np.empty(0) if weight.strides == (0,) else np.ascontiguousarray(weight))

    def _packed(self, blocks: Floats) -> Columns:
        """Return blocks, of which one feature may be the intercept's, as columns."""
        line, unit = int(LINE), int(ROWS)
        x, before = read_only(blocks), self._theta.shape[1] * line
        return Columns(x, x, read_only(np.empty(0)), 0, line, line, before, unit, self._block)

    @property
    def work(self) -> int:
        return len(self._data.x) * self._theta.size

    def run(self, end: int) -> None:
        state = self._velocity, self._before, self._pace, self.log
        if self._is_small:
            flat = Flat(self._theta.ravel(), self._gradient.ravel())
            room = (self._theta, self._gradient, flat, self._square)
            arguments = (self._columns, len(self._data.y), *room, *state, end)
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
        data, dtype = self._data, np.dtype(self._data.dtype)
        before: tuple[Any, ...]
        if self._by_rows:
            kernel, part = self._kernel(rows, dtype.name, *self._tags[:2]), np.empty(data.x.shape[1], dtype)
            before = data.x, data.y, self._weight, int(self._coordinates.intercept), part
        elif self._columns is not None:
            kernel = self._kernel(columns, dtype.name, self._columns.x.dtype.name)
            before = (self._columns,)
        else:
            kernel, block = self._bound(packing), np.empty(self._block, dtype)
            before = self._given, block, self._packed(block)
        for which, (low, high) in pieces:
            gradient, square = self._sums[which, :-1].reshape(self._gradient.shape), self._sums[which, -1:]
            arguments = *before, self._theta, gradient, square, low, high
            entry_point(kernel, *arguments)(*arguments)

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
        return Layout(*arrays, int(coordinates.intercept))


def _by_features(x: Any) -> tuple[Any, int] | None:
    """Return an array as a flat one, and from one feature to the next in it; None if their elements are no neighbours.

    They are in arrays in Fortran's order, and in slices of these.
    """
    (m, n), (step, line), item = x.shape, x.strides, x.itemsize
    if n == 1:
        line = m * item
    if (m > 1 and step != item) or line % item or line < m * item:
        return None
    size = line // item * (n - 1) + m
    return np.lib.stride_tricks.as_strided(x, (size,), (item,), writeable=False), line // item


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
