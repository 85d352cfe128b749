"""How results are compared, and the arrays and spacings that tests and benchmarks share."""

import doctest
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
# Seconds after which a process hangs, however slow and busy the machine is.
HANGS = 3600
REALS = ["f4", "f8"]
COMPLEX = ["c8", "c16"]
INTEGERS = list("bhilqBHILQ")
FAST = REALS + COMPLEX + INTEGERS


def run_blocks(blocks: list[str], name: str) -> int:
    """Run blocks of code with prompts, one after the other; return how many examples they have, which all must hold."""
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(test)
    assert runner.failures == 0
    return len(test.examples)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal in every bit, sign of zero included; a NaN equals any NaN."""
    if a.dtype.kind not in "fc":
        return np.array_equal(a, b)
    parts = [(a.real, b.real), (a.imag, b.imag)] if a.dtype.kind == "c" else [(a, b)]
    for x, y in parts:
        nan = np.isnan(x)
        if not np.array_equal(nan, np.isnan(y)):
            return False
        if not np.array_equal(np.where(nan, 0, x), np.where(nan, 0, y)):
            return False
        if not np.array_equal(np.signbit(x)[~nan], np.signbit(y)[~nan]):
            return False
    return True


def assert_same(expected: Any, got: Any) -> None:
    """The same values, dtype, container, shape, memory layout and ownership."""
    assert type(expected) is type(got)
    if isinstance(expected, tuple):
        assert len(expected) == len(got)
        for a, b in zip(expected, got, strict=True):
            assert_same(a, b)
        return
    assert expected.dtype == got.dtype
    assert expected.shape == got.shape
    assert expected.strides == got.strides
    assert got.flags.owndata
    assert got.flags.writeable
    assert same_bits(expected, got), f"\n{expected!r}\n{got!r}"


def values(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random samples; integers over the whole range of the dtype."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    f = rng.standard_normal(shape) * 10
    return (f + 1j * rng.standard_normal(shape) if kind == "c" else f).astype(dtype)


def read_only(f: np.ndarray) -> np.ndarray:
    f.flags.writeable = False
    return f


def every_other(f: np.ndarray) -> np.ndarray:
    return np.repeat(f, 2, axis=-1)[..., ::2]


def unaligned(f: np.ndarray) -> np.ndarray:
    buffer = np.empty(f.nbytes + 1, np.uint8)
    g = np.frombuffer(buffer.data, dtype=f.dtype, count=f.size, offset=1).reshape(f.shape)
    g[...] = f
    return g


def broadcast(f: np.ndarray) -> np.ndarray:
    return np.broadcast_to(f[:1], f.shape)


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "middle axis last": lambda f: np.ascontiguousarray(f.swapaxes(0, f.ndim // 2)).swapaxes(0, f.ndim // 2),
    "sliced": every_other,
    "reversed": lambda f: f[::-1],
    "broadcast": broadcast,
    "read-only": lambda f: read_only(f.copy()),
    "read-only F": lambda f: read_only(np.asfortranarray(f)),
    "unaligned": unaligned,
}


def uneven(n: int, dtype: str = "f8") -> np.ndarray:
    x = np.cumsum(np.random.default_rng(n).random(n) * 9 + 1)
    return x.astype(dtype)


SCALARS: dict[str, Any] = {
    "float": 0.1,
    "int": 3,
    "power of two": 0.25,
    "negative": -0.7,
    "float64": np.float64(0.1),
    "float32": np.float32(0.1),
    "float16": np.float16(0.1),
    "0-d": np.array(0.3, "f4"),
    **{t: np.dtype(t).type(3) for t in INTEGERS},
    "large int": 2**62 + 1,
    "tiny": 1e-310,
    "huge": 1e300,
    "below float32": 1e-60,
    "above float32": 1e60,
    "nan": float("nan"),
    "inf": float("inf"),
}
COORDINATES: dict[str, Callable[[int], Any]] = {
    "uneven": uneven,
    "uneven float32": lambda n: uneven(n, "f4"),
    "list": lambda n: list(uneven(n)),
    "descending": lambda n: uneven(n)[::-1],
    "strided": lambda n: np.repeat(uneven(n), 2)[::2],
    "read-only": lambda n: read_only(uneven(n)),
    "integers": lambda n: np.cumsum(np.arange(n)) - 7,
    "unsigned": lambda n: np.arange(n, dtype="u1")[::-1] * 3,
    "even": lambda n: np.arange(n) * 0.5,
    "linspace": lambda n: np.linspace(0, 1, n),
    "with nan": lambda n: np.where(np.arange(n) == 1, np.nan, uneven(n)),
    "float16": lambda n: np.arange(n).astype("f2") ** 2,
    "longdouble": lambda n: uneven(n).astype(np.longdouble),
}


@contextmanager
def tier(number: int) -> Iterator[None]:
    """All calls take this tier; also small ones, whose plans do not choose again."""
    from numgrad._arrays import derivative, known, terms
    from numgrad._arrays.plan import dispatch

    def forget() -> None:
        for plan in (dispatch.plan_for, derivative.plan_of, known.slot, terms.plan_of):
            plan.cache_clear()

    before = os.environ.get("NUMGRAD_TIER", "")
    os.environ["NUMGRAD_TIER"] = str(number)
    forget()
    try:
        yield
    finally:
        os.environ["NUMGRAD_TIER"] = before
        forget()


def start(*arguments: str, code: str, cache: Any = None, **environment: str) -> subprocess.Popen:
    """Run code in a process of its own, with a cache of its own if one is given."""
    variables = {**os.environ, **environment}
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), variables["PYTHONPATH"]])
    if cache is not None:
        variables["NUMBA_CACHE_DIR"] = str(cache)
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> str:
    """Return what it has printed; it must have ended well."""
    output, errors = process.communicate(timeout=HANGS)
    assert process.returncode == 0, errors
    return output
