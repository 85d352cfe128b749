"""Descents of many shapes beside the plain loop of NumPy, and the passes alone beside what memory allows."""

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import numgrad as ng
from benchmarks import roofline
from benchmarks.measure import printed, table, unit

# Rows and features; in each of them both orders of float64, and one more kind, in turns.
SHAPES = [(100, 1), (100, 10), (100, 300), (1000, 30), (10**4, 1), (10**4, 10), (10**4, 64), (10**4, 300)]
SHAPES += [(2 * 10**5, 3), (2 * 10**5, 10), (2 * 10**5, 100), (10**6, 1), (10**6, 10)]
TURNS = [("C", "f4", 1), ("F", "f4", 4), ("C", "f8", 4), ("F", "f4", 1), ("C", "f4", 4), ("F", "f8", 4)]
RATE = 0.1
# How many times as long as the better engine "auto" may take.
SLOWER = 1.2
# Seconds before each call, in which threads of OpenBLAS go to sleep: after a product they wait busily for 27 ms, on a
# processor that what comes next would have. This thread stays awake: after a sleep Linux in a virtual machine takes 5
# to 10 ms to put a second thread on the second processor.
IDLE = 0.04


class Kind(NamedTuple):
    """A case of the table."""

    rows: int
    features: int
    order: str
    dtype: str
    targets: int

    @property
    def n_iter(self) -> int:
        """As many as descents take, 100 to 10,000: more of them where one is short."""
        return max(100, min(10_000, 4 * 10**8 // (self.rows * self.features * self.targets)))

    def __str__(self) -> str:
        targets = "" if self.targets == 1 else f", {self.targets} targets"
        return f"{self.rows:,d} x {self.features}, {self.order}, {np.dtype(self.dtype).name}{targets}"


def kinds() -> Iterator[Kind]:
    for i, shape in enumerate(SHAPES):
        yield Kind(*shape, "C", "f8", 1)
        yield Kind(*shape, "F", "f8", 1)
        yield Kind(*shape, *TURNS[i % len(TURNS)])
    yield Kind(10**5, 300, "F", "f4", 1)


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


def descent(X: Any, y: np.ndarray, method: str, n_iter: int, threads: int | None = None, **options: Any) -> ng.Descent:
    call = partial(ng.gradient_descent, X, y, learning_rate=RATE, n_iter=n_iter, method=method, **options)
    if threads is None:
        return call()
    before = ng.get_num_threads()
    ng.set_num_threads(threads)
    try:
        return call()
    finally:
        ng.set_num_threads(before)


def in_turns(calls: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Return the least time of each call, in three turns at least: the largest take a second each."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = perf_counter() + seconds
    while perf_counter() < end or len(times["start"]) < 3:
        for name, call in calls.items():
            start = perf_counter()
            while perf_counter() < start + IDLE:
                pass
            start = perf_counter()
            call()
            times[name].append(perf_counter() - start)
    return {name: min(found) for name, found in times.items()}


def row(kind: Kind, rates: dict[int, dict[str, float]], seconds: float) -> str:
    X, y = data(kind)
    more = kind.n_iter
    ours = partial(descent, X, y)
    tolerance = 1e-9 if kind.dtype == "f8" else 1e-3
    plain = loop(X, y, 10)[0]
    for method in ("fused", "modes"):
        assert np.allclose(ours(method, 10).theta, plain, rtol=tolerance, atol=tolerance), (kind, method)
    calls: dict[str, Callable[[], Any]] = {"NumPy": lambda: loop(X, y, more)}
    calls |= {method: partial(ours, method, more) for method in ("fused", "modes", "auto")}
    calls |= {"start": partial(ours, "fused", 1), "start of one": partial(ours, "fused", 1, 1)}
    times = in_turns(calls | {"one": partial(ours, "fused", more, 1)}, seconds)
    # Twice the same code, what "auto" takes and the engine that it takes.
    times["auto"] = min(times["auto"], times[ours("auto", more).method])
    theirs, taken = times["NumPy"], min(times["fused"], times["modes"]) / times["auto"]
    # What is lost in noise is left out.
    passes = [(times[a] - times[b]) / (more - 1) for a, b in (("one", "start of one"), ("fused", "start"))]
    shares = [
        f"{(X.nbytes + y.nbytes) / each / rate['read']:.0%}" if each * (more - 1) > times["start"] / 4 else ""
        for each, rate in zip((passes[0], passes[-1]), (rates[min(rates)], rates[max(rates)]), strict=True)
    ]
    ratios = [theirs / times[name] for name in ("fused", "modes", "auto")] + [theirs / more / passes[-1]]
    is_slow = ratios[0] < 1 or ratios[2] < 1 or taken < 1 / SLOWER
    cells = [str(kind), str(more), unit(theirs / more), unit(max(passes[-1], 0.0)), unit(times["start"])]
    cells += [f"{ratio:.3g}" for ratio in ratios] + [f"{taken:.2f}", *shares, "slower" if is_slow else ""]
    return "| " + " | ".join(cells) + " |"


def report(chosen: list[Kind] | None = None, seconds: float = 1.0, size: int = 2 * 10**7) -> list[str]:
    rates = roofline.rates(size, min(seconds, 0.5))
    rows = printed(row(kind, rates, seconds) for kind in chosen or kinds())
    header = (
        "| | iterations | NumPy's loop, one | a pass | start, fused | ratio: fused | modes | auto | passes alone | "
        "auto to the better | of the read bandwidth, one thread | all threads | |"
    )
    return table(header, rows)
