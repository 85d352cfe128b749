"""What is timed: for each case the call with NumPy, the call with numgrad, and the ratio to reach."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import numpy as np

import numgrad as ng

Call = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], tuple[Call, Call]]
    at_least: float | None = None
    agree: Callable[[Any, Any], bool] = lambda a, b: all(map(np.array_equal, np.atleast_1d(a), np.atleast_1d(b)))

    @property
    def id(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in self.name)


def samples(*shape: int, dtype: Any = float) -> np.ndarray:
    return (np.random.default_rng(0).random(shape) * 1000).astype(dtype)


def coordinates(n: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(1).random(n) + 0.1)


def gradient(*shape: int, spacing: Any = (), dtype: Any = float, layout: Any = None, **options: Any) -> Any:
    def make() -> tuple[Call, Call]:
        f = samples(*shape, dtype=dtype)
        f = f if layout is None else layout(f)
        given = spacing() if callable(spacing) else spacing
        # partial: a lambda would add its own call, which at n = 10 is to be seen
        return partial(np.gradient, f, *given, **options), partial(ng.gradient, f, *given, **options)

    return make


def new_spacings(edge_order: int) -> Any:
    """No plan is found in the cache."""

    def make() -> tuple[Call, Call]:
        f, h = samples(10), [count(1), count(1)]
        return (
            lambda: np.gradient(f, next(h[0]) * 0.1, edge_order=edge_order),
            lambda: ng.gradient(f, next(h[1]) * 0.1, edge_order=edge_order),
        )

    return make


def along(n: int) -> Any:
    return gradient(n, spacing=lambda: (coordinates(n),))


def into(*shape: int) -> Any:
    """With `out=`; NumPy has none, and allocates."""

    def make() -> tuple[Call, Call]:
        f, out = samples(*shape), np.empty((len(shape), *shape))
        return lambda: np.gradient(f), lambda: ng.gradient(f, out=out)

    return make


def grown_heap(make: Any) -> Any:
    """After a large array was freed, glibc keeps freed memory, and np.gradient's temporaries cost no page faults."""

    def with_grown_heap() -> tuple[Call, Call]:
        for _ in range(3):
            np.ones(30 * 2**20 // 8)
        return make()  # type: ignore[no-any-return]

    return with_grown_heap


def plain_descent(X: Any, y: Any, theta: Any, rate: float, n_iter: int) -> tuple[Any, Any]:
    m, cost = len(y), np.empty(n_iter)
    for t in range(n_iter):
        hypothesis = np.dot(X, theta)
        loss = hypothesis - y
        cost[t] = np.sum(loss**2) / (2 * m)
        gradient = np.dot(X.T, loss) / m
        theta = theta - rate * gradient
    return theta, cost


def descent(m: int, n: int, n_iter: int, order: Any = "C") -> Any:
    def make() -> tuple[Call, Call]:
        rng = np.random.default_rng(0)
        X = np.asarray(rng.standard_normal((m, n)), order=order)
        return _descents(X, X.sum(axis=1) + rng.standard_normal(m), np.zeros(n), 0.1, n_iter)

    return make


def first_classic() -> tuple[Call, Call]:
    i = np.arange(100.0)
    X, y = np.column_stack([np.ones(100), i]), i + 25 + 10 * np.random.default_rng(8).random(100)
    return _descents(X, y, np.ones(2), 0.0005, 100_000)


def _descents(X: Any, y: Any, theta: Any, rate: float, n_iter: int) -> tuple[Call, Call]:
    def fused() -> tuple[Any, Any]:
        run = ng.gradient_descent(X, y, theta, learning_rate=rate, n_iter=n_iter)
        return run.theta, run.cost

    return lambda: plain_descent(X, y, theta, rate, n_iter), fused


def anything(a: Any, b: Any) -> bool:
    return bool(np.shape(a) == np.shape(b))


def close(a: Any, b: Any) -> bool:
    return np.allclose(a[0], b[0], rtol=1e-12, atol=0) and np.allclose(a[1], b[1], rtol=1e-10, atol=0)


CASES = [
    Case("n = 10", gradient(10), 4),
    Case("n = 1000", gradient(1000), 4),
    Case("n = 1e5", gradient(10**5), 25),
    Case("n = 1e6", gradient(10**6), 10),
    Case("n = 1000, coordinates", along(1000), 7),
    Case("n = 1e5, coordinates", along(10**5), 30),
    Case("n = 1e6, coordinates", along(10**6), 20),
    Case("256^3, all axes", gradient(256, 256, 256), 2.3),
    Case("256^3, all axes, out=", into(256, 256, 256), 4),
    Case("512 x 512 int32, both axes", gradient(512, 512, dtype=np.int32), 5),
    Case("descent, first classic", first_classic, 60, close),
    Case("n = 10, spacing 0.1", gradient(10, spacing=(0.1,))),
    Case("n = 10, a new spacing each time", new_spacings(1), None, anything),
    Case("n = 10, a new spacing each time, edge_order=2", new_spacings(2), None, anything),
    Case("n = 1e5, spacing 0.1", gradient(10**5, spacing=(0.1,))),
    Case("n = 1e5, grown heap", grown_heap(gradient(10**5))),
    Case("n = 1e5, coordinates, grown heap", grown_heap(along(10**5))),
    Case("n = 1e6, float32", gradient(10**6, dtype=np.float32)),
    Case("n = 1e6, complex128, spacing 0.1", gradient(10**6, dtype=complex, spacing=(0.1,))),
    Case("512 x 512, edge_order=2", gradient(512, 512, edge_order=2)),
    Case("512 x 512, Fortran order", gradient(512, 512, layout=np.asfortranarray)),
    Case("512 x 512, every other column", gradient(512, 1024, layout=lambda f: f[:, ::2])),
    Case("1e6 x 2, last axis", gradient(10**6, 2, axis=1)),
    Case("1e5 x 3, first axis, coordinates", gradient(10**5, 3, axis=0, spacing=lambda: (coordinates(10**5),))),
    Case("5 x 5 x 5, all axes", gradient(5, 5, 5)),
    Case("descent, 10,000 x 10, 100 iterations", descent(10_000, 10, 100), None, close),
    Case("descent, 10,000 x 64, 100 iterations", descent(10_000, 64, 100), None, close),
    Case("descent, 200,000 x 100, 10 iterations", descent(200_000, 100, 10), None, close),
    Case("descent, 200,000 x 100, Fortran order", descent(200_000, 100, 10, "F"), None, close),
]
