"""Rows of data, compressed to the R of a QR decomposition, which streams, merges and solves."""

from typing import Any, Literal, overload

import numpy as np

from numgrad._checks import flag, not_negative
from numgrad._compile.jit import specialise
from numgrad._system.memory import read_only
from numgrad._system.tables import figures
from numgrad._system.threads import get_num_threads, one_thread, share
from numgrad.regression import _check
from numgrad.regression._check import Data, Floats
from numgrad.regression._entries import Entries
from numgrad.regression._kernels.householder import compress, fold
from numgrad.regression._kernels.passes import FASTMATH, LINE, ROWS
from numgrad.regression._quadratic import Quadratic, Triangle, column_norms, reduce

# Elements of [1 | X | y] in a piece of work, and the memory for the R of the pieces that are done at a time.
PIECE = 2**20
MEMORY = 2**24
# Beyond so many columns LAPACK, which blocks columns as well, is faster than the kernel.
WIDE = 512
# Up to so many elements NumPy takes no longer than the kernel with what is around it, which need not be compiled then.
# Its bits are the same for any number of threads: OpenBLAS has one for so few. Beyond NARROW columns LAPACK is faster.
FEW, NARROW = 2**13, 12
# Rows whose mean says where to shift the origin to, about.
SAMPLE = 1024
# A column whose deviation is at most so many units of rounding of its size is constant.
ROUNDING = 2
# Columns of a smaller norm may have lost squares that underflowed.
SMALL = 1e-140


class CompressedRows:
    """Rows of a regression, read once and kept as a small triangular matrix.

    `update` takes rows by chunks, `merge` takes what was read elsewhere, `from_dask` takes collections of dask, so a
    file larger than memory, or many workers, need memory for one chunk only. All that is kept is the R of the QR
    decomposition of ``[1 | X | y]``, with which `gradient_descent` and `step_size` give what the rows themselves would
    give, to rounding.

    Attributes
    ----------
    R : ndarray of float64, shape (k, 1 + n + p)
        Upper triangular, for n features and p targets. None before the first `update`.
    n_rows : int
        Rows read.
    total_weight : float
        The sum of their weights.
    n_features, n_targets : int
        The columns of X and y; 0 before the first `update`.

    Notes
    -----
    Householder reflections zero the rows of a chunk below the R so far: a sequential TSQR [1]_, backward stable like
    the QR of all rows at once. Nothing is squared: with the matrix ``X.T @ X`` half of the digits would be lost. The
    result depends, in its last bits, on how the rows were cut into chunks, never on the number of threads.

    References
    ----------
    .. [1] J. Demmel, L. Grigori, M. Hoemmen, J. Langou, "Communication-optimal parallel and sequential QR and LU
       factorizations", SIAM J. Sci. Comput. 34, 2012. doi:10.1137/080731992

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> rows = ng.CompressedRows()
    >>> for start in (0, 50):
    ...     x = np.arange(start, start + 50.0).reshape(-1, 1)
    ...     _ = rows.update(x, 3 + 2 * x[:, 0])
    >>> rows
    CompressedRows: 100 rows of 1 feature and 1 target
    >>> rows.solve(fit_intercept=True).round(6)
    array([3., 2.])
    """

    def __init__(self) -> None:
        self._held: Triangle | None = None

    @property
    def R(self) -> Floats | None:  # noqa: N802  # the name of mathematics
        return None if self._held is None else _moved(self._held, np.zeros_like(self._held.origin)).R

    @property
    def n_rows(self) -> int:
        return 0 if self._held is None else self._held.n_rows

    @property
    def total_weight(self) -> float:
        return 0.0 if self._held is None else self._held.total

    @property
    def n_features(self) -> int:
        return 0 if self._held is None else self._held.n

    @property
    def n_targets(self) -> int:
        return 0 if self._held is None else self._held.p

    @property
    def is_flat(self) -> bool:
        """Whether y was given with one dimension."""
        return self._held is None or self._held.is_flat

    def _repr_html_(self) -> str:
        names = {"rows": self.n_rows, "features": self.n_features, "targets": self.n_targets}
        rows = [(name, f"{count:,}") for name, count in names.items()]
        return figures("CompressedRows", [*rows, ("total weight", f"{self.total_weight:.6g}")])

    def __repr__(self) -> str:
        def plural(count: int, word: str) -> str:
            return f"{count:,d} {word}{'s' * (count != 1)}"

        if self._held is None:
            return "CompressedRows: empty"
        columns = f"{plural(self.n_features, 'feature')} and {plural(self.n_targets, 'target')}"
        return f"CompressedRows: {plural(self.n_rows, 'row')} of {columns}"

    def update(self, X: Any, y: Any, sample_weight: Any = None) -> "CompressedRows":
        """Read more rows.

        Parameters
        ----------
        X : array_like or sparse, shape (m, n)
            With the same features in each call. Of a matrix of scipy.sparse blocks of rows are made dense, one at a
            time.
        y : array_like, shape (m,) or (m, p)
            With the same targets in each call.
        sample_weight : float or array_like, shape (m,), optional
            Weights of at least 0. A weight of k is as good as k equal rows.

        Returns
        -------
        CompressedRows
            Itself.

        Raises
        ------
        TypeError, ValueError
            For rows that `gradient_descent` would not take, and for other features or targets than before. Nothing is
            read then.
        """
        if y is None:
            raise ValueError("`y` is None; give one value for each row, or a column for each target")
        return self.read(_check.data(X, y, sample_weight, may_be_zero=True))

    @overload
    @classmethod
    def from_dask(
        cls, X: Any, y: Any, sample_weight: Any = None, *, compute: Literal[True] = True
    ) -> "CompressedRows": ...

    @overload
    @classmethod
    def from_dask(cls, X: Any, y: Any, sample_weight: Any = None, *, compute: bool) -> Any: ...

    @classmethod
    def from_dask(cls, X: Any, y: Any, sample_weight: Any = None, *, compute: bool = True) -> Any:
        """Read dask collections, each block of rows by a task of its own, and merge what they give.

        Parameters
        ----------
        X : dask array, shape (m, n), or dask dataframe
            Chunks across features are joined first, so that each block has whole rows.
        y : dask array, series or dataframe, shape (m,) or (m, p)
            With an `X` of known chunks it may be an array in memory, and need not have the chunks of `X`. Else there
            must be as many blocks or partitions as in `X`.
        sample_weight : dask array or series, shape (m,), optional
            Weights of at least 0, likewise.
        compute : bool, default True
            Whether to compute it now, by the scheduler or the client of dask that is active. False for a `Delayed` of
            the CompressedRows.

        Returns
        -------
        CompressedRows or Delayed
            The same, bit for bit, for any scheduler and any number of workers.

        Raises
        ------
        TypeError, ValueError
            For rows that `update` would not take, for an `X` that is not of dask, and for blocks that do not match.

        Notes
        -----
        No worker ever holds more rows than the blocks that it has at work: between tasks, CompressedRows travel, which
        are merged by a tree. Each task has one thread. Blocks without rows are skipped.

        Examples
        --------
        >>> import dask.array as da
        >>> import numgrad as ng
        >>> x = da.arange(100.0, chunks=30)
        >>> ng.CompressedRows.from_dask(x[:, None], 3 + 2 * x)
        CompressedRows: 100 rows of 1 feature and 1 target
        """
        rows = by_blocks(X, y, sample_weight)
        return rows.compute() if flag("compute", compute) else rows

    def read(self, data: Data) -> "CompressedRows":
        """Read arrays that have been looked at."""
        n, p = data.x.shape[1], data.y.shape[1]
        if self._held is not None:
            self._refuse_other("`X` has", n, p, data.names)
        if isinstance(data.x, Entries) and (why := data.x.refusal(self.n_rows)):
            raise ValueError(why)
        origin = middle(data) if self._held is None else self._held.origin
        R = triangle(data, origin) * np.sqrt(data.unit)
        if not np.isfinite(R).all():
            raise ValueError(
                "`X` or `y` has a column whose root of the sum of squares is beyond the range of numbers; scale it down"
            )
        kind = data.x.dtype
        rounding = ROUNDING * float(np.finfo(kind).eps) if kind.kind == "f" else 0.0
        total = data.total * data.unit
        return self._take(Triangle(R, origin, rounding, n, p, data.is_flat, data.names, len(data.x), total))

    def merge(self, other: "CompressedRows") -> "CompressedRows":
        """Take over all rows that another one has read; that one stays as it is.

        Parameters
        ----------
        other : CompressedRows
            With the same features and targets.

        Returns
        -------
        CompressedRows
            Itself.
        """
        if not isinstance(other, CompressedRows):
            raise TypeError(f"`other` is a {type(other).__name__}; give CompressedRows")
        found = other._held
        if found is None:
            return self
        if self._held is not None:
            self._refuse_other("`other` has", found.n, found.p, found.names)
            found = _moved(found, self._held.origin)
        return self._take(found)

    def _take(self, found: Triangle) -> "CompressedRows":
        """Take over rows; all or, if an error is raised, none."""
        total = self.total_weight + found.total
        if not total < np.inf:
            raise ValueError(f"`sample_weight` has the sum {total}; give smaller weights")
        held = self._held
        if held is None:
            self._held = found._replace(R=found.R.copy())
        else:
            self._held = held._replace(
                R=join(held.R, found.R),
                rounding=max(held.rounding, found.rounding),
                names=held.names or found.names,
                n_rows=held.n_rows + found.n_rows,
                total=total,
            )
        return self

    def solve(self, *, l2: float = 0.0, fit_intercept: bool = False) -> Floats:
        """Return the least-squares solution, of least norm if there are many.

        Parameters
        ----------
        l2 : float, default 0.0
            The penalty, as in `gradient_descent`.
        fit_intercept : bool, default False
            Whether the model has an intercept, which is the first element of the solution then.

        Returns
        -------
        ndarray of float64, shape (n,) or (n, p), n + 1 with an intercept
            By substitution in R: as accurate as Householder QR of all rows.
        """
        penalty, has_intercept = not_negative("l2", l2), flag("fit_intercept", fit_intercept)
        # A total of 1 makes the cost a sum, not a mean: nothing is rounded by a division.
        rows = self._weighty()
        theta = reduce(rows._replace(total=1.0), penalty * rows.total, has_intercept, False).solution
        return theta[0] if self.is_flat else theta.T.copy()

    def quadratic(self, l2: float, fit_intercept: bool, standardize: bool = False) -> Quadratic:
        """Return the cost as a quadratic function of theta."""
        return reduce(self._weighty(), l2, fit_intercept, standardize)

    def _weighty(self) -> Triangle:
        """Return the rows, of which there must be some with a weight."""
        if self._held is None:
            raise ValueError("CompressedRows: no rows yet; call `update` first")
        if not self._held.total:
            raise ValueError("CompressedRows: the weights of all rows are zero; call `update` with some that are not")
        return self._held

    def _refuse_other(self, what: str, n: int, p: int, names: tuple[str, ...] | None) -> None:
        if (n, p) != (self.n_features, self.n_targets):
            raise ValueError(
                f"{what} {n} features and {p} targets, and there were {self.n_features} and {self.n_targets} before; "
                f"give the same in each call"
            )
        before = self._held.names if self._held is not None else None
        if names and before and names != before:
            raise ValueError(f"{what} the features {names}, and there were {before} before; give the same order")


def is_dask(X: Any) -> bool:
    """Return whether this is an object of dask, which need not be imported to know it."""
    return type(X).__module__.partition(".")[0] in ("dask", "dask_expr")


def by_blocks(X: Any, y: Any, sample_weight: Any, is_with_y: bool = True) -> Any:
    """Return a Delayed of the CompressedRows of dask collections."""
    from numgrad.regression._dask_blocks import reduced  # dask is imported there

    return reduced(X, y, sample_weight, is_with_y, compress_block, merge_rows)


def compress_block(number: int, x: Any, y: Any, weight: Any) -> CompressedRows:
    """Read one block, in the thread of the task: the others are dask's to give."""
    rows = CompressedRows()
    count = x.shape[0]  # a sparse one has no length
    try:
        for name, values in (("y", y), ("sample_weight", weight)):
            if values is not None and np.ndim(values) and len(values) != count:
                raise ValueError(
                    f"`{name}` has {len(values)} values and `X` has {count} rows; give one value for each row"
                )
        with one_thread():
            return rows.read(_check.data(x, y, weight, may_be_zero=True)) if count else rows
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"block {number} along axis 0, whose rows count from 0: {error}") from error


def merge_rows(parts: list[CompressedRows], count: int = 0) -> CompressedRows:
    """Merge into fresh rows: a task must leave its inputs as they are. All of the `count` blocks may not be empty."""
    rows = CompressedRows()
    for part in parts:
        rows.merge(part)
    if count and not rows.n_rows:
        raise ValueError(f"`X` has no rows in any of its {count} blocks; give at least one row")
    return rows


def _moved(rows: Triangle, origin: Floats) -> Triangle:
    """Return the same rows, shifted to another origin."""
    R = rows.R.copy()
    R[0, 1:] += R[0, 0] * (rows.origin - origin)
    return rows._replace(R=R, origin=origin)


def middle(data: Data) -> Floats:
    """Return for each column of [X | y] an entry near its mean, by which it is shifted before it is squared.

    So the digits of a small spread on a large offset are not lost, and what is constant is zero. An entry, since
    differences of neighbours in value are not rounded; of some rows, as any is good enough.
    """
    some = slice(None, None, max(1, len(data.x) // SAMPLE))
    weight = data.weight[some]
    if not weight.any():
        return np.zeros(data.x.shape[1] + data.y.shape[1])
    sample = np.column_stack([data.x[some], data.y[some]]).astype(np.float64, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = abs(sample - weight / weight.sum() @ sample)
    return np.asarray(sample[distance.argmin(axis=0), np.arange(sample.shape[1])])


def triangle(data: Data, origin: Floats) -> Floats:
    """Return the R of [1 | X - origin | y - origin], times the roots of the weights."""
    m, n, p = len(data.x), data.x.shape[1], data.y.shape[1]
    size = 1 + n + p
    if isinstance(data.x, Entries):
        return _of_entries(data, origin)
    if size > WIDE or m < size:
        return _by_lapack(data, origin)
    R = _of_few(data, origin) if (m + size) * size <= FEW else _of_many(data, origin)
    norms = column_norms(R) if np.isfinite(R).all() else np.zeros(size)
    doubtful = ~(norms > SMALL)[1:]
    constant = (data.x[:, doubtful[:n]] == origin[:n][doubtful[:n]]).all() and (
        data.y[:, doubtful[n:]] == origin[n:][doubtful[n:]]
    ).all()
    return R if constant else _by_lapack(data, origin)


def _of_entries(data: Data, origin: Floats) -> Floats:
    """Return the R of a sparse X, of which some rows at a time are made dense."""
    size = len(origin) + 1
    rows = max(4 * PIECE // size, size)
    R: Floats | None = None
    for low in range(0, len(data.x), rows):
        x, y, weight = (part[low : low + rows] for part in (data.x, data.y, data.weight))
        found = triangle(data._replace(x=read_only(x), y=y, weight=weight), origin)
        R = found if R is None else join(R, found)
    assert R is not None
    return R


def _of_few(data: Data, origin: Floats) -> Floats:
    """Return the R by modified Gram-Schmidt: that of Householder's reflections of the rows with zeros above them.

    The zeros keep rows of very different sizes apart, whose order LAPACK alone would depend on: Å. Björck and C. Paige,
    "Loss and recapture of orthogonality in the modified Gram-Schmidt algorithm", SIAM J. Matrix Anal. Appl. 13, 1992.
    """
    rows = weighted(data, origin, 0, len(data.x))
    size = rows.shape[1]
    R = np.zeros((size, size))
    if size > NARROW:
        return np.asarray(np.linalg.qr(np.vstack([R, rows]), mode="r"))
    columns = np.ascontiguousarray(rows.T)
    with np.errstate(all="ignore"):  # what has no square is left to LAPACK
        for k in range(size):
            one, others = columns[k], columns[k + 1 :]
            R[k, k] = norm = np.sqrt(one @ one)
            if norm:
                one /= norm
                R[k, k + 1 :] = shares = others @ one
                others -= shares[:, None] * one
    return R


def _of_many(data: Data, origin: Floats) -> Floats:
    """Return the R by the kernel, piece by piece."""
    m, n = data.x.shape
    size = len(origin) + 1
    rows = max(PIECE // size, 16 * size)
    pieces = [(low, min(low + rows, m)) for low in range(0, m, rows)]
    kernel = specialise(compress, *tags(data), fastmath=FASTMATH, REAL=np.float64, BY_COLUMNS=by_columns(data))
    factor = np.ones(n)
    R: Floats = np.zeros((size, size))
    at_a_time = max(1, min(32, MEMORY // (8 * size * size)))

    def work(mine: Any) -> None:
        block = np.empty(size * int(LINE))
        for which, (low, high) in mine:
            kernel(data.x, data.y, data.weight, origin, factor, found[which], block, low, high)

    for group in range(0, len(pieces), at_a_time):
        some = pieces[group : group + at_a_time]
        found = np.zeros((len(some), size, size))
        share(work, list(enumerate(some)), get_num_threads())
        for part in found:
            R = join(R, part)
    return R


def join(a: Floats, b: Floats) -> Floats:
    """Return the R of [a; b]."""
    size = a.shape[1]
    norms = abs(np.vstack([a, b])).max(axis=0, initial=0)
    is_far = ((norms > 1 / SMALL) | (norms < SMALL) & (norms > 0)).any()
    if 2 * size * size <= FEW or size > WIDE or is_far or not len(a) == len(b) == size:
        return np.asarray(np.linalg.qr(np.vstack([a, b]), mode="r"))
    kernel = specialise(fold, "float64", fastmath=FASTMATH)
    result = a.copy()
    for low in range(0, size, int(ROWS)):
        block = np.zeros((size, int(LINE)))
        rows = b[low : low + int(ROWS)]
        block[:, : len(rows)] = rows.T
        kernel(result, block.ravel())
    return result


def _by_lapack(data: Data, origin: Floats) -> Floats:
    """Return the R of data that are wide, or near the ends of the range of numbers, where LAPACK scales."""
    m, size = len(data.x), 1 + data.x.shape[1] + data.y.shape[1]
    rows = max(PIECE // size, size)
    R = np.empty((0, size))
    for low in range(0, m, rows):
        R = np.asarray(np.linalg.qr(np.vstack([R, weighted(data, origin, low, low + rows)]), mode="r"))
    return R


def weighted(data: Data, origin: Floats, low: int, high: int) -> Floats:
    """Return the rows of [1 | X - origin | y - origin], times the roots of their weights."""
    x, y, root = data.x[low:high], data.y[low:high], np.sqrt(data.weight[low:high])
    with np.errstate(over="ignore", invalid="ignore"):  # an R that is not finite is refused
        return np.column_stack([np.ones(len(x)), np.column_stack([x, y]) - origin]) * root[:, None]


def tags(data: Data) -> tuple[str, ...]:
    """Return the dtypes and layouts of `data`, on which the signature of a kernel depends, and BY_COLUMNS in words."""
    kinds = tuple(f"{a.dtype.name}{layout(a)}" for a in (data.x, data.y, data.weight))
    return *kinds, "columns" if by_columns(data) else "rows"


def by_columns(data: Data) -> bool:
    return bool(abs(data.x.strides[0]) < abs(data.x.strides[1]))


def layout(array: np.ndarray) -> str:
    """Return how Numba types a read-only array: C, F or any."""
    return "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else "A"
