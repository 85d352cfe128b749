"""What memory allows: bandwidth measured, the bound of what must be moved, and how much of it a descent reaches."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numba
import numpy as np

import numgrad as ng
from benchmarks.cases import regression
from benchmarks.measure import side_by_side, table, unit
from numgrad._arrays.kernels import streamed
from numgrad._arrays.plan import compose as _recipe

SIZE = 10**8
CHUNK = np.uintp(128)


if _recipe.has_streaming_stores():
    from numgrad._compile.intrinsics import fence, put_line
else:
    put_line, fence = numba.njit(streamed.put_line), numba.njit(streamed.fence)


@numba.njit(nogil=True, cache=True)
def read(f: Any, out: Any, buffer: Any) -> Any:
    bits, found = f.view(np.int64), np.int64(0)
    for k in range(np.uintp(f.size)):
        found ^= bits[k]
    buffer[0] = found


@numba.njit(nogil=True, cache=True)
def write(f: Any, out: Any, buffer: Any) -> None:
    for k in range(np.uintp(0), np.uintp(out.size), np.uintp(8)):
        put_line(out, k, buffer, np.uintp(0))
    fence()


@numba.njit(nogil=True, cache=True)
def copy(f: Any, out: Any, buffer: Any) -> None:
    for k in range(np.uintp(0), np.uintp(out.size), CHUNK):
        for j in range(CHUNK):
            buffer[j] = f[k + j]
        for j in range(np.uintp(0), CHUNK, np.uintp(8)):
            put_line(out, k + j, buffer, j)
    fence()


def _aligned(size: int) -> np.ndarray:
    # Written with what is not zero: pages that were never written are all one page, in the cache.
    memory = np.arange(1.0, size + 9)
    skip = -memory.ctypes.data % 64 // 8
    return memory[skip : skip + size]


def bandwidth(threads: int, size: int = SIZE, seconds: float = 4) -> dict[str, float]:
    """Return bytes a second of a read, a write and a copy past the cache, and of np.copyto, on so many threads."""
    part = size // threads // 1024 * 1024
    f, out = _aligned(part * threads), _aligned(part * threads)
    buffers = [_aligned(1024) for _ in range(threads)]
    cuts = [slice(i * part, (i + 1) * part) for i in range(threads)]
    with ThreadPoolExecutor(threads) as pool:

        def on_all(kernel: Any) -> None:
            list(pool.map(lambda i: kernel(f[cuts[i]], out[cuts[i]], buffers[i]), range(threads)))

        kernels = {"read": read, "write": write, "copy": copy, "np.copyto": lambda f, out, _: np.copyto(out, f)}
        times = side_by_side({name: partial(on_all, kernel) for name, kernel in kernels.items()}, seconds)
    moved = {"read": f.nbytes, "write": f.nbytes, "copy": 2 * f.nbytes, "np.copyto": 2 * f.nbytes}
    return {name: moved[name] / times[name] for name in times}


def rates(size: int = 2 * 10**7, seconds: float = 0.3) -> dict[int, dict[str, float]]:
    """Return the bandwidths by the number of threads, one and all: quickly, to be had beside a case."""
    return {threads: bandwidth(threads, size, seconds) for threads in sorted({1, ng.get_num_threads()})}


def bound(moves: tuple[float, float], rates: dict[str, float]) -> float:
    """Return the least seconds for so many MB read and written.

    Reads and writes may overlap, but neither can be faster than alone, nor both than a copy.
    """
    reads, writes = moves[0] * 1e6, moves[1] * 1e6
    return max(reads / rates["read"], writes / rates["write"], (reads + writes) / rates["copy"])


def passes(size: int, seconds: float) -> tuple[float, float]:
    """Return the seconds of 50 passes of a fused descent over about `size` numbers, and the MB they read."""
    X, y = regression(size // 10, 10)
    call = partial(ng.gradient_descent, X, y, n_iter=51, method="fused")
    times = side_by_side({"all": call, "before": partial(call, n_iter=1)}, seconds)
    return times["all"] - times["before"], 50 * (X.nbytes + y.nbytes) / 1e6


def report(size: int = SIZE, seconds: float = 2) -> list[str]:
    measured = rates(size, 2 * seconds)
    rows = [
        f"| {name} | " + " | ".join(f"{found[name] / 1e9:.3g} GB/s" for found in measured.values()) + " |"
        for name in measured[1]
    ]
    lines = table("| | " + " | ".join(f"{t} thread{'s' * (t > 1)}" for t in measured) + " |", rows)
    time, moved = passes(size // 10, seconds)
    least = bound((moved, 0), measured[max(measured)])
    name = f'50 passes of a descent, {size // 100:.0e} x 10, method="fused"'.replace("e+0", "e")
    row = f"| {name} | {moved:.0f} MB | {unit(least)} | {unit(time)} | {least / time:.0%} |"
    return [*lines, "", *table("| the passes alone | read | bound | numgrad | reached |", [row])]
