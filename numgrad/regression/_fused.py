"""Descent that goes over the data in each iteration: hypothesis, loss, gradient and update in one pass."""

from collections.abc import Iterator
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
    OPENED,
    RATE,
    STEEPEST,
    TURNS,
    Flat,
    Pace,
    advance,
    descent,
)
from numgrad.regression._kernels.passes import (
    FASTMATH,
    LINE,
    ROWS,
    Columns,
    Layout,
    Packing,
    Rows,
    columns,
    pack,
    packing,
    rows,
)
from numgrad.regression._rows import by_columns, tags
from numgrad.regression._sparse import Passes
from numgrad.regression._step_size import Inner

# Data up to this size are copied once, packed, if they are small or do not lie so that they can be read in place.
COPY_LIMIT = 56 * 2**20
# Rows of fewer features are not read there, if they can be copied.
LEAST = 8
# Rows of a block of columns that are read where they lie.
SEVERAL = 1024
# Up to so many products an iteration data are copied wherever that leads to the faster kernel.
SMALL = 2**20
# From so many products an iteration on, and EIGHT times as many in a call, threads share the pieces of passes.
PARALLEL, EIGHT = 2**17, 8
# Elements of X in a piece of a pass: of so many pieces, within these bounds. The pieces, and so the sums, are the same
# for any number of threads.
PIECES, PIECE = 64, (2**15, 2**20)


class Fused(Engine):
    """The iteration on the data themselves."""

    def __init__(self, inner: Inner, start: Floats, rule: Rule, record: Record, l2: float, n_iter: int):
        data, coordinates, first, _ = inner
        super().__init__(start, rule, record, float(np.finfo(data.dtype).eps))
        self._inner, self._data, self._coordinates, self._rule = inner, data, coordinates, rule
        self._theta = start.copy()
        self._velocity, self._before = np.zeros(start.size), np.zeros(start.size)
        self.rates = np.empty(0 if rule.kind == FIXED or not len(record.at) else n_iter)
        shape = np.array([rule.kind, start.shape[1], first, 0])
        numbers = np.array([*rule.numbers, data.total, l2, 0.0, 0.0])
        self._pace = Pace(shape, numbers, self.rates)
        self._gradient = np.empty(start.size)
        self._kernel = partial(specialise, fastmath=FASTMATH, REAL=data.dtype)
        self._lay_out()
        if rule.tol and start.any():
            self._theta[...] = 0
            self._evaluate()
            self.log.marks[STEEPEST] = (self._gradient**2).sum()
            self._theta[...], shape[IS_LAST] = start, False

    def _lay_out(self) -> None:
        """Prepare the passes: over rows or columns where they lie, over blocks packed once, or packed in each pass."""
        data, dtype, unit = self._data, np.dtype(self._data.dtype), int(ROWS)
        (m, n), p, size = data.x.shape, data.y.shape[1], self._theta.shape[1]
        self._tags, self._block = tags(data), (size + p) * int(LINE)
        blocks = -(-m // unit)
        is_copied = blocks * self._block * dtype.itemsize <= COPY_LIMIT
        is_small = is_copied and self.work <= SMALL
        is_plain, is_long = self._coordinates.is_plain, n >= (LEAST if is_copied else 2)
        self._by_rows = is_plain and is_long and not is_small and data.x.flags.c_contiguous
        is_readable = is_plain and not self._by_rows and (data.x.dtype == dtype or not is_small)
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
        piece = min(max(m * size // PIECES, PIECE[0]), PIECE[1])
        rows_of_piece = max(1, piece // (size * unit)) * unit
        self._cuts = read_only(np.append(np.arange(0, m, rows_of_piece), m))
        self._sums, self._squares = np.empty((len(self._cuts) - 1, *self._theta.shape)), np.empty(len(self._cuts) - 1)

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
        turn = np.zeros(TURNS, np.int64)
        turn[OPENED] = 1
        is_shared = self.work >= PARALLEL and self.work * (end - self.done) >= EIGHT * PARALLEL
        threads = min(get_num_threads() if is_shared else 1, len(self._squares))
        share(partial(self._iterate, turn, end), range(threads), threads)

    def _iterate(self, turn: np.ndarray, end: int, members: Iterator[int]) -> None:
        """Take part in the iterations, as one of the threads that share them."""
        kernel, data, part = self._ready()
        flat = Flat(self._theta.ravel(), self._sums.ravel(), self._gradient)
        sums = data, part, self._cuts, self._sums, self._squares, self._theta, flat
        arguments = *sums, self._velocity, self._before, self._pace, self.log, turn, end
        for _ in members:
            entry_point(kernel, *arguments)(*arguments)

    def settle(self) -> float:
        if not self.is_diverged and not self._is_settled:
            self._evaluate()
        return float(self._pace.numbers[COST])

    def _evaluate(self) -> None:
        """Find the cost and the gradient of theta, which stays."""
        self._pace.shape[IS_LAST] = True
        position = self.log.position
        ended, position[END] = position[END], GOES_ON
        self.run(self.done + 1)
        position[END] = ended

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

    def _ready(self) -> tuple[Kernel, Any, Floats]:
        """Return the kernel, the data as it takes them, and room for one thread."""
        data, dtype = self._data, np.dtype(self._data.dtype)
        kernel = partial(self._kernel, descent, dtype.name)
        if self._by_rows:
            rows_of_data = Rows(data.x, data.y, self._weight, int(self._coordinates.intercept))
            return kernel(*self._tags[:2], go=rows), rows_of_data, np.empty(data.x.shape[1], dtype)
        if self._columns is not None:
            return kernel(self._columns.x.dtype.name, go=columns), self._columns, np.empty(0, dtype)
        block = np.empty(self._block, dtype)
        packed = Packing(self._given, self._packed(block))
        return kernel(*self._tags, go=packing, BY_COLUMNS=by_columns(data)), packed, block

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
        self._advance = self._kernel(advance)

    @property
    def work(self) -> int:
        x: Entries = self._data.x
        return (x.count + sum(x.shape)) * len(self._theta)

    def run(self, end: int) -> None:
        while self.done < end and self.goes_on:
            gradient, square = self._passes.go(self._theta)
            self._gradient[...] = gradient.ravel()
            arguments = self._theta.ravel(), self._gradient, square, self._velocity, self._before, self._pace, self.log
            entry_point(self._advance, *arguments)(*arguments)
