"""The same gradient by other libraries, where installed: each on its natural input, until the result is there."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

import numgrad as ng
from benchmarks.cases import samples
from benchmarks.measure import side_by_side, table, unit

Call = Callable[[], Any]


def findiff(f: np.ndarray) -> Call:
    from findiff import Gradient

    gradient = Gradient(h=[1.0] * f.ndim, acc=2)
    return lambda: list(gradient(f))


def torch(f: np.ndarray) -> Call:
    from torch import from_numpy, gradient

    return partial(gradient, from_numpy(f))


def jax(f: np.ndarray) -> Call:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gradient, x = jax.jit(jnp.gradient), jnp.asarray(f)
    return lambda: jax.block_until_ready(gradient(x))


def dask(f: np.ndarray) -> Call:
    import dask.array as da

    x = da.from_array(f, chunks=(-(-len(f) // 4), *f.shape[1:]))  # "auto" leaves one row over, which dask refuses
    axes = tuple(range(f.ndim))

    def gradient() -> Any:
        results = da.gradient(x, axis=axes)
        return da.compute(*results) if isinstance(results, list) else results.compute()

    return gradient


PEERS = {
    "findiff": ("findiff", findiff),
    "torch.gradient": ("torch", torch),
    "jax.jit(jnp.gradient)": ("jax", jax),
    "dask.array.gradient": ("dask", dask),
}


OURS: dict[str, Callable[[np.ndarray], Call]] = {
    "numgrad": lambda f: partial(ng.gradient, f),
    "np.gradient": lambda f: partial(np.gradient, f),
}


def installed() -> dict[str, Callable[[np.ndarray], Call]]:
    return {name: make for name, (package, make) in PEERS.items() if find_spec(package)}


def _parts(results: Any) -> Any:
    return results if isinstance(results, (tuple, list)) else [results]


def report(shapes: Any = ((1000,), (10**6,), (10**7,), (256, 256, 256)), seconds: float = 2) -> list[str]:
    makers, rows = {**OURS, **installed()}, []
    for shape in shapes:
        f = samples(*shape)
        calls = {name: make(f) for name, make in makers.items()}
        inside = (slice(1, -1),) * f.ndim  # findiff's ends are of second order
        expected = [g[inside] for g in _parts(np.gradient(f))]
        for name, call in calls.items():
            for a, b in zip(expected, _parts(call()), strict=True):
                assert np.allclose(a, np.asarray(b)[inside]), f"{name} computes something else"
        times = side_by_side(calls, seconds)
        rows.append(f"| {' x '.join(map(str, shape))} | " + " | ".join(unit(t) for t in times.values()) + " |")
        print(rows[-1], flush=True)
    return table("| shape | " + " | ".join(makers) + " |", rows)
