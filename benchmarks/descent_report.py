"""Descents of many shapes beside the plain loop of NumPy, and the passes alone beside what memory allows."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import numgrad as ng
from benchmarks import roofline
from benchmarks.measure import side_by_side, table, unit

# Rows and features; in each of them both orders of float64, and one more kind, in turns.
SHAPES = [(100, 1), (100, 10), (100, 300), (1000, 30), (10**4, 1), (10**4, 10), (10**4, 64), (10**4, 300)]
SHAPES += [(2 * 10**5, 3), (2 * 10**5, 10), (2 * 10**5, 100), (10**6, 1), (10**6, 10)]
TURNS = [("C", "f4", 1), ("F", "f4", 4), ("C", "f8", 4), ("F", "f4", 1), ("C", "f4", 4), ("F", "f8", 4)]
RATE = 0.1


class Kind(NamedTuple):
    """A case of the table."""

    rows: int
    features: int
    order: str
    dtype: str
    targets: int

    @property
    def n_iter(self) -> int:
        """So many iterations that the start is small beside them, for wide data at least."""
        return max(20, min(1000, 4 * 10**7 // (self.rows * self.features * self.targets)))

    def __str__(self) -> str:
        targets = "" if self.targets == 1 else f", {self.targets} targets"
        return f"{self.rows:,d} x {self.features}, {self.order}, {np.dtype(self.dtype).name}{targets}"


def kinds() -> Iterator[Kind]:
    for i, shape in enumerate(SHAPES):
        yield Kind(*shape, "C", "f8", 1)
        yield Kind(*shape, "F", "f8", 1)
        yield Kind(*shape, *TURNS[i % len(TURNS)])
    yield Kind(10**6, 100, "F", "f4", 1)


def data(kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    m, n, order, dtype, p = kind
    X = np.asarray(rng.standard_normal((m, n), dtype), order=order)
    y = X @ rng.standard_normal((n, p), dtype) + rng.standard_normal((m, p), dtype)
    return X, y if p > 1 else y[:, 0]


def loop(X: np.ndarray, y: np.ndarray, n_iter: int) -> tuple[np.ndarray, list[float]]:
    """The plain loop of a user who knows NumPy: nothing is allocated in it."""
    m, transposed, rate = len(y), X.T, X.dtype.type(RATE / len(y))
    theta = np.zeros((X.shape[1], *y.shape[1:]), X.dtype)
    loss, gradient, costs = np.empty_like(y), np.empty_like(theta), []
    for _ in range(n_iter):
        np.matmul(X, theta, out=loss)
        np.subtract(loss, y, out=loss)
        costs.append(float(np.vdot(loss, loss)) / (2 * m))
        np.matmul(transposed, loss, out=gradient)
        np.multiply(gradient, rate, out=gradient)
        np.subtract(theta, gradient, out=theta)
    return theta, costs


def descent(X: np.ndarray, y: np.ndarray, method: str, n_iter: int, threads: int | None = None) -> ng.Descent:
    ng.set_num_threads(threads)
    try:
        return ng.gradient_descent(X, y, learning_rate=RATE, n_iter=n_iter, method=method)
    finally:
        ng.set_num_threads(None)


def row(kind: Kind, rates: dict[int, dict[str, float]], seconds: float) -> str:
    X, y = data(kind)
    more = kind.n_iter
    ours = partial(descent, X, y)
    tolerance = 1e-9 if kind.dtype == "f8" else 1e-3
    assert np.allclose(ours("fused", 10).theta, loop(X, y, 10)[0], rtol=tolerance, atol=tolerance)
    calls: dict[str, Any] = {
        "NumPy": lambda: loop(X, y, more),
        "fused": lambda: ours("fused", more),
        "modes": lambda: ours("modes", more),
        "auto": lambda: ours("auto", more),
        "start": lambda: ours("fused", 1),
        "one": lambda: ours("fused", more, 1),
    }
    times = side_by_side(calls, seconds)
    theirs = times["NumPy"]
    found = [unit(theirs / more), *(f"{theirs / times[name]:.3g}" for name in ("fused", "modes", "auto", "one"))]
    passes = {threads: (times[name] - times["start"]) / (more - 1) for threads, name in ((1, "one"), (None, "fused"))}
    found += [unit(passes[None])]
    for threads, rate in rates.items():
        each = max(passes[1 if threads == 1 else None], 1e-9)
        found.append(f"{(X.nbytes + y.nbytes) / each / rate['read']:.0%}")
    return f"| {kind} | {more} | " + " | ".join(found) + " |"


def report(chosen: list[Kind] | None = None, seconds: float = 2.0, size: int = 2 * 10**7) -> list[str]:
    rates = roofline.rates(size, min(seconds, 0.5))
    rows = []
    for kind in chosen or kinds():
        rows.append(row(kind, rates, seconds))
        print(rows[-1], flush=True)
    shares = " | ".join(f"read bandwidth of {'one thread' if t == 1 else f'{t} threads'}" for t in rates)
    header = "| | iterations | NumPy's loop, one | to fused | to modes | to auto | to fused, one thread | a pass | "
    return table(header + shares + " |", rows)
