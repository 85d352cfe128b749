"""What memory allows: bandwidth measured, bytes that each case must move, and the fraction of the bound reached."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numba
import numpy as np

import numgrad as ng
from benchmarks.cases import coordinates, regression, samples
from benchmarks.measure import side_by_side, table, unit
from numgrad._arrays.kernels import streamed
from numgrad._arrays.plan import compose as _recipe

SIZE = 10**8
CHUNK = np.uintp(128)


if _recipe.has_streaming_stores():
    from numgrad._compile.intrinsics import fence, put_line
else:
    put_line, fence = numba.njit(streamed.put_line), numba.njit(streamed.fence)


@numba.njit(nogil=True)
def read(f: Any, out: Any, buffer: Any) -> Any:
    bits, found = f.view(np.int64), np.int64(0)
    for k in range(np.uintp(f.size)):
        found ^= bits[k]
    buffer[0] = found


@numba.njit(nogil=True)
def write(f: Any, out: Any, buffer: Any) -> None:
    for k in range(np.uintp(0), np.uintp(out.size), np.uintp(8)):
        put_line(out, k, buffer, np.uintp(0))
    fence()


@numba.njit(nogil=True)
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


def into(*shape: int, dtype: Any = float, is_uneven: bool = False) -> tuple[Any, int, int]:
    """Return a call, and the bytes it must read and write."""
    f = samples(*shape, dtype=dtype)
    given = tuple(map(coordinates, shape)) if is_uneven else ()
    out = np.zeros((len(shape), *shape), dtype)
    reads = f.nbytes + sum(x.nbytes for x in given)
    return partial(ng.gradient, f, *given, out=out), reads, out.nbytes


def passes(size: int) -> tuple[Any, int, int]:
    """Return a call of 50 passes of a fused descent over about `size` numbers, and the bytes they read."""
    X, y = regression(size // 10, 10)
    return partial(ng.gradient_descent, X, y, n_iter=51, method="fused"), 50 * (X.nbytes + y.nbytes), 0


def report(size: int = SIZE, seconds: float = 2) -> list[str]:
    counts = sorted({1, ng.get_num_threads()})
    measured = {t: bandwidth(t, size, 2 * seconds) for t in counts}
    rows = [
        f"| {name} | " + " | ".join(f"{measured[t][name] / 1e9:.3g} GB/s" for t in counts) + " |"
        for name in measured[1]
    ]
    lines = table("| | " + " | ".join(f"{t} thread{'s' * (t > 1)}" for t in counts) + " |", rows)
    side = round((size / 2) ** (1 / 3) / 4) * 4
    square = round((size / 6) ** 0.5)
    cases = {
        f"{size:.0e} points".replace("e+0", "e"): lambda: into(size),
        f"{size // 10:.0e} points, coordinates".replace("e+0", "e"): lambda: into(size // 10, is_uneven=True),
        f"{side}^3, all axes": lambda: into(side, side, side),
        f"{square}^2 float32, both axes": lambda: into(square, square, dtype=np.float32),
    }
    best = measured[counts[-1]]
    cases[f'50 passes of a descent, {size // 100:.0e} x 10, method="fused"'.replace("e+0", "e")] = lambda: passes(
        size // 10
    )
    rows = []
    for name, make in cases.items():
        call, reads, writes = make()
        time = side_by_side({"it": call}, seconds)["it"]
        if not writes:  # without what comes before the passes
            time -= side_by_side({"it": partial(call, n_iter=1)}, seconds)["it"]
        # Reads and writes may overlap, but neither can be faster than alone, nor both than a copy.
        bound = max(reads / best["read"], writes / best["write"], (reads + writes) / best["copy"])
        moved = f"{reads / 1e6:.0f} + {writes / 1e6:.0f} MB"
        rows.append(f"| {name} | {moved} | {unit(bound)} | {unit(time)} | {bound / time:.0%} |")
    return [*lines, "", *table("| case, with `out=` | read + written | bound | numgrad | reached |", rows)]
