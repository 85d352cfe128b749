"""Sparse X: the entries that are stored, row by row. SciPy, whose matrices they come in, is not imported."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numgrad._system.memory import read_only

# Elements of the R of a QR decomposition up to which there is one of a sparse X, by dense blocks of rows: 32 MiB.
LARGEST_R = 2**22


@dataclass(frozen=True, eq=False)
class Entries:
    """The stored entries of a matrix; in each row by ascending columns, none twice."""

    values: np.ndarray  # of float32 or float64
    columns: np.ndarray  # of int32 or int64
    starts: np.ndarray  # of int64: where in the entries each row begins; and the end of the last
    width: int

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.width

    @property
    def dtype(self) -> Any:
        return self.values.dtype

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.values, self.columns, self.starts

    @property
    def count(self) -> int:
        return len(self.values)

    def refusal(self, others: int = 0) -> str:
        """Say why these rows, with so many others, cannot be decomposed; nothing if they can."""
        k = min(len(self) + others, self.width)
        if k * self.width <= LARGEST_R:
            return ""
        return (
            f"`X` is sparse, and its QR decomposition, R of {k:,d} x {self.width:,d} elements, would be dense: "
            f"method='modes', learning_rate='optimal', momentum='nesterov', CompressedRows, step_size and what a "
            f"result says of them need it; give method='fused', and 'auto', 'bb', 'backtracking' or a number"
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, where: Any) -> np.ndarray:
        """Return some rows, or some columns of some rows, as an ordinary array of float64."""
        rows, columns = where if isinstance(where, tuple) else (where, slice(None))
        low, high, step = rows.indices(len(self))
        begins, ends = self.starts[low:high:step], self.starts[low + 1 : high + 1 : step]
        counts = ends - begins
        row = np.repeat(np.arange(len(counts)), counts)
        entry = np.arange(len(row)) + np.repeat(begins - np.cumsum(counts) + counts, counts)
        found = np.zeros((len(counts), self.width))
        found[row, self.columns[entry]] = self.values[entry]
        return found[:, columns]

    def place(self, entry: int) -> tuple[int, int]:
        """Return the row and the column of an entry."""
        return int(np.searchsorted(self.starts, entry, "right")) - 1, int(self.columns[entry])

    def cuts(self, size: int, low: int = 0, high: int | None = None) -> list[tuple[int, int]]:
        """Cut the rows from `low` to `high` into ranges of about so many entries and rows together."""
        high = len(self) if high is None else high
        before = self.starts[low : high + 1] + np.arange(high - low + 1)
        found, begin = [], 0
        while low + begin < high:
            end = max(begin + 1, int(np.searchsorted(before, before[begin] + size, "right")) - 1)
            found.append((low + begin, low + end))
            begin = end
        return found


def is_sparse(X: Any) -> bool:
    """Return whether this is a matrix or an array of scipy.sparse, of any format."""
    return hasattr(X, "tocsr") and any(base.__module__.startswith("scipy.sparse") for base in type(X).__mro__)


def read(X: Any) -> Entries:
    """Return the entries of a matrix of scipy.sparse: where they lie, if that is row by row and in order."""
    if X.ndim != 2:
        raise ValueError(f"`X` has shape {X.shape}; give (rows, features), for one feature X.reshape(-1, 1)")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"`X` has dtype {X.dtype}; give real numbers")
    if X.format in ("csr", "csc"):
        _refuse_broken(X)
    rows = X.tocsr()
    starts, columns, values = rows.indptr, rows.indices[: rows.indptr[-1]], rows.data[: rows.indptr[-1]]
    is_next = np.ones(max(0, len(columns) - 1), bool)  # whether neighbours are in one row
    inner = starts[(starts > 0) & (starts < len(columns))]
    is_next[inner - 1] = False
    if not (np.diff(columns)[is_next] > 0).all():
        rows = rows.copy() if rows is X else rows
        rows.has_canonical_format = False  # SciPy may believe otherwise, if indices were changed in place
        rows.sum_duplicates()  # which sorts them, too
        starts, columns, values = rows.indptr, rows.indices, rows.data
    kind = np.float32 if values.dtype.type is np.float32 else np.float64
    index = np.int32 if columns.dtype.type is np.int32 else np.int64
    values, columns, starts = (
        read_only(np.ascontiguousarray(array, dtype))
        for array, dtype in ((values, kind), (columns, index), (starts, np.int64))
    )
    return Entries(values, columns, starts, X.shape[1])


def _refuse_broken(X: Any) -> None:
    """Raise ValueError for arrays put together by hand that would be read beyond their ends."""
    lines, across = X.shape if X.format == "csr" else X.shape[::-1]
    starts, indices = X.indptr, X.indices
    if (
        len(starts) == lines + 1
        and starts[0] == 0
        and bool((np.diff(starts) >= 0).all())
        and starts[-1] <= min(len(indices), len(X.data))
    ):
        indices = indices[: starts[-1]]
        if not len(indices) or 0 <= int(indices.min()) <= int(indices.max()) < across:
            return
    raise ValueError(
        f"`X` is a {type(X).__name__} of shape {X.shape} whose indptr and indices do not fit; see X.check_format()"
    )
