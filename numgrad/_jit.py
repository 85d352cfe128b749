"""Everything numgrad decides about Numba: flags, specialisation, cache."""

import os
from collections.abc import Callable
from functools import cache
from threading import Lock
from types import FunctionType
from typing import Any

Kernel = Callable[..., Any]

_lock = Lock()
_specialised: dict[tuple[object, ...], Kernel] = {}


def specialise(kernel: Kernel, *tags: str, fastmath: frozenset[str] = frozenset(), **names: Any) -> Kernel:
    """Return `kernel` jitted for one signature, with the global `names` of its file bound anew.

    Each combination of `tags` must see one signature only. It gets a function, and so a cache entry, of its own: when
    cold processes compile different signatures of one function at once, Numba can leave an index that no later process
    can load. Nothing is compiled before the first call. A plain function among `names` is jitted along.
    """
    key = (kernel, *tags)
    with _lock:
        if key not in _specialised:
            bound = {
                k: _jit(_clone(v, *tags, **names), fastmath) if isinstance(v, FunctionType) else v
                for k, v in names.items()
            }
            _specialised[key] = _jit(_clone(kernel, *tags, **bound), fastmath)
        return _specialised[key]


def _clone(function: Any, *tags: str, **names: Any) -> FunctionType:
    clone = FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
    clone.__qualname__ = "_".join([function.__qualname__, *tags, _digest()])
    clone.__module__ = function.__module__
    return clone


def _jit(function: FunctionType, fastmath: frozenset[str]) -> Kernel:
    import numba

    # NumPy's error model: the default one tests every divisor for zero, which keeps divisions from vectorising.
    # nogil: kernels touch no Python object, so other threads may run.
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": set(fastmath)}
    if os.environ.get("NUMGRAD_CACHE", "1") != "0":
        try:
            return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:  # no place that can be written (librosa#1156): compile in every process instead
            pass
    return numba.njit(**options)(function)  # type: ignore[no-any-return]


@cache
def _digest() -> str:
    """A hash of all that decides on the code of a kernel. Numba's cache looks at the kernel's own file only."""
    import hashlib  # these two cost more than the rest of the import of numgrad; Numba needs them anyway
    from pathlib import Path

    sources = [Path(__file__), *sorted(Path(__file__).with_name("_kernels").glob("*.py"))]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]
