"""Descents on a sparse X beside the plain loop of SciPy's products, and beside what a read of the entries takes."""

import tracemalloc
from typing import Any

import numpy as np
from scipy import sparse

import numgrad as ng
from benchmarks import roofline
from benchmarks.descent_report import RATE, descent
from benchmarks.measure import printed, side_by_side, table, unit

# Rows, features and entries a row.
SHAPES = [(10**4, 1000, 10), (10**5, 10**4, 10), (10**6, 10**4, 3), (10**6, 10**4, 10), (10**5, 10**4, 100)]
SHAPES += [(10**6, 10**6, 10)]


def problem(m: int, n: int, k: int) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(0)
    columns = rng.integers(0, n, (m, k), dtype=np.int32)
    starts = np.arange(0, m * k + 1, k, dtype=np.int32)
    X = sparse.csr_array((rng.standard_normal(m * k), columns.ravel(), starts), shape=(m, n))
    X.sum_duplicates()
    return X, X @ rng.standard_normal(n) + rng.standard_normal(m)


def loop(X: Any, y: np.ndarray, n_iter: int) -> tuple[np.ndarray, list[float]]:
    theta, costs, transposed, m = np.zeros(X.shape[1]), [], X.T, len(y)
    for _ in range(n_iter):
        loss = X @ theta - y
        costs.append(float(loss @ loss) / (2 * m))
        theta -= RATE * (transposed @ loss / m)
    return theta, costs


def row(shape: tuple[int, int, int], bandwidth: float, seconds: float) -> str:
    X, y = problem(*shape)
    more = max(40, min(1000, 2 * 10**7 // X.nnz))  # beside which the start is small
    assert np.allclose(descent(X, y, "fused", 10).theta, loop(X, y, 10)[0], rtol=1e-9)
    times = side_by_side(
        {
            "SciPy": lambda: loop(X, y, more),
            "start": lambda: descent(X, y, "fused", 1),
            "all": lambda: descent(X, y, "fused", 1 + more),
            "start of one": lambda: descent(X, y, "fused", 1, 1),
            "one": lambda: descent(X, y, "fused", 1 + more, 1),
        },
        seconds,
    )
    theirs, ours, one = (
        max(t, 1e-9) / more
        for t in (times["SciPy"], times["all"] - times["start"], times["one"] - times["start of one"])
    )
    tracemalloc.start()
    try:
        descent(X, y, "fused", 2, fit_intercept=True, standardize=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    held = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    m, n, k = shape
    return (
        f"| {m:,d} x {n:,d}, {k} a row | {unit(theirs)} | {unit(one)} | {unit(ours)} | {theirs / ours:.3g} | "
        f"{unit(held / bandwidth)} | {unit(times['start'])} | {held / 1e6:.3g} MB | {peak / 1e6:.3g} MB | "
        f"{8 * m * n / 1e6:,.0f} MB |"
    )


def report(shapes: list[tuple[int, int, int]] = SHAPES, seconds: float = 4.0, size: int = 10**8) -> list[str]:
    bandwidth = roofline.bandwidth(ng.get_num_threads(), size, min(seconds, 2.0))["read"]
    rows = printed(row(shape, bandwidth, seconds) for shape in shapes)
    header = (
        "| an iteration on | SciPy's loop | numgrad, one thread | all threads | ratio | read of X | start | X | "
        "besides, standardised | dense |"
    )
    return table(header, rows)
