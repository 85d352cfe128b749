"""Everything numgrad decides about Numba: flags, specialisation, cache."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from threading import RLock
from types import FunctionType
from typing import Any

from numgrad._system.forks import hold_at_fork

Kernel = Callable[..., Any]

_lock = RLock()
_specialised: dict[tuple[object, ...], Kernel] = {}
_entry_points: dict[Kernel, Kernel] = {}
# Arguments of an array kernel that it writes to: `out`, and the buffer of a streamed one.
_WRITTEN = (1, 6)
# Parts that become a part of their caller before LLVM sees either. LLVM unrolls a loop over a run-time number of points
# before it inlines, and the constant that the caller has for this number comes too late: a tenth of the speed.
EARLY = ("weight", "center_weight", "product")


def specialise(
    kernel: Kernel, *tags: str, fastmath: frozenset[str] = frozenset(), inline: bool = False, **names: Any
) -> Kernel:
    """Return `kernel` jitted for one signature, with the global `names` of its file bound anew.

    Each combination of `tags` must see one signature only. It gets a function, and so a cache entry, of its own: when
    cold processes compile different signatures of one function at once, Numba can leave an index that no later process
    can load. Nothing is compiled before the first call. Plain functions among `names` are jitted along, and may call
    those before them. What is to be called by another kernel is `inline`: a real call hands over an array as seven
    arguments.
    """
    key = (kernel, *tags)
    with _lock:
        if key not in _specialised:
            owner = kernel.__name__, *tags
            bound = _with_parts_jitted(names, owner, lambda part, name: _jit(part, fastmath, True, name in EARLY))
            _specialised[key] = _jit(_clone(kernel, *tags, **bound), fastmath, inline)
        return _specialised[key]


def fresh(kernel: Kernel, *, allocates: bool = False, **names: Any) -> Kernel:
    """Return `kernel` jitted for this process alone, with the global `names` of its file bound anew.

    For what is not in a file of numgrad's: code made of a formula, kernels that call a function of the user's, which
    may allocate. The caller keeps it. Plain functions among `names` are jitted along.
    """

    def jit(function: FunctionType, name: str = "") -> Kernel:
        return _jit(function, frozenset(), False, is_kept=False, allocates=allocates)

    with _lock:
        return jit(_clone(kernel, **_with_parts_jitted(names, (), jit)))


def _with_parts_jitted(
    names: dict[str, Any], owner: tuple[str, ...], jit: Callable[[FunctionType, str], Kernel]
) -> dict[str, Any]:
    """`names` with the plain functions among them jitted, each bound to those before it."""
    bound = dict(names)
    for name, value in names.items():
        # Under NUMBA_DISABLE_JIT a specialisation is a function, too; its name has grown.
        if isinstance(value, FunctionType) and value.__qualname__ == value.__name__:
            bound[name] = jit(_clone(value, *owner, **bound), name)
    return bound


def address(kernel: Kernel, *arguments: Any) -> int:
    """Where the code of a jitted function for such arguments is, for `call`; compiled or loaded first."""
    # Not under the lock: whoever compiles a call of np.gradient has Numba's own, which this takes, and asks for it.
    signature = tuple(map(type_of, arguments))
    kernel.compile(signature)  # type: ignore[attr-defined]
    (found,) = (o for s, o in kernel.overloads.items() if s == signature)  # type: ignore[attr-defined]
    return int(found.library.get_pointer_to_function(found.fndesc.llvm_func_name))


def type_of(value: Any) -> Any:
    """What Numba takes a value for."""
    return _jit_library().typeof(value)


def dtype_returned(function: Any, *arguments: Any) -> str | None:
    """What a jitted function that has been called so returns, or holds in the array it returns.

    Python objects do not tell float32 from float64. None if it took the arguments for other types.
    """
    overload = function.overloads.get(tuple(map(type_of, arguments)))
    if overload is None:
        return None
    kind = getattr(overload.signature.return_type, "dtype", overload.signature.return_type)
    return str(kind) if str(kind) in ("float32", "float64", "complex64", "complex128") else None


def is_jitted(function: object) -> bool:
    """Whether `function` is one that Numba has jitted. Does not import Numba: where nobody has, nothing is jitted."""
    dispatcher = sys.modules.get("numba.core.dispatcher")
    return dispatcher is not None and isinstance(function, dispatcher.Dispatcher)


def entry_point(kernel: Kernel, *arguments: Any) -> Kernel:
    """Return what `kernel`, a specialisation, runs for these arguments, compiled or loaded.

    Numba's dispatcher asks each argument of each call for its type, 0.2 us in all; but a specialisation has one
    signature. The arrays in later calls must be as contiguous as these, and need not be writeable unless written to.
    """
    entry = _entry_points.get(kernel)
    if entry is None:
        if isinstance(kernel, FunctionType):  # NUMBA_DISABLE_JIT
            return kernel
        signature = tuple(_type(a, is_written=i in _WRITTEN) for i, a in enumerate(arguments))
        entry = _entry_points[kernel] = kernel.compile(signature)  # type: ignore[attr-defined]
    return entry


def known_entry_point(kernel: Kernel) -> Kernel | None:
    """Return the entry point of a kernel if there has been one."""
    return _entry_points.get(kernel)


def keep(kernel: Kernel) -> Kernel:
    """Keep what Numba compiles of a function that it has jitted, if there is a place for it."""
    if os.environ.get("NUMGRAD_CACHE", "1") != "0" and is_jitted(kernel):
        from numgrad._compile.cache import Cache

        # No place can be written (librosa#1156): compile in every process instead.
        with suppress(RuntimeError):
            kernel._cache = Cache(kernel.py_func)  # type: ignore[attr-defined]
    return kernel


def _type(argument: Any, is_written: bool = False) -> Any:
    numba = _jit_library()
    if isinstance(argument, tuple):
        return numba.types.BaseTuple.from_types([_type(a) for a in argument])
    kind = numba.typeof(argument)
    return kind if is_written or not isinstance(kind, numba.types.Array) else kind.copy(readonly=True)


def is_compiling() -> bool:
    """False under NUMBA_DISABLE_JIT, where kernels run as Python and cannot call what compiled code alone has."""
    return not _jit_library().config.DISABLE_JIT


def intrinsics() -> Any:
    with _lock:
        from numgrad._compile import intrinsics as found
    return found


def _jit_library() -> Any:
    """Numba, imported. A fork waits until no other thread imports or compiles, whose locks no child could release."""
    with _lock:  # also of the import: a child forked meanwhile would wait for its lock
        import numba
        import numpy.ma  # noqa: F401  # which Numba would import at the first array, without the lock
        from numba.core.compiler_lock import global_compiler_lock
        from numba.core.registry import cpu_target

        # The first jitted function makes this, under Numba's lock. A fork takes that one before `_lock`, and so does
        # who compiles a call of np.gradient; so nobody who has `_lock` may still need it.
        _ = cpu_target.target_context
        hold_at_fork(global_compiler_lock)
        return numba


hold_at_fork(_lock)


def _clone(function: Any, *tags: str, **names: Any) -> FunctionType:
    clone = FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
    clone.__qualname__ = "_".join([function.__qualname__, *tags, _digest()])
    clone.__module__ = function.__module__
    return clone


def _jit(
    function: FunctionType,
    fastmath: frozenset[str],
    inline: bool,
    early: bool = False,
    is_kept: bool = True,
    allocates: bool = False,
) -> Kernel:
    numba = _jit_library()
    # NumPy's error model: the default one tests every divisor for zero, which keeps divisions from vectorising.
    # nogil: kernels touch no Python object, so other threads may run.
    options: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": set(fastmath),
        "forceinline": inline,
        "no_cfunc_wrapper": True,
        # Kernels allocate nothing. Counts of references would cost 40 cycles for each array that a part is called with,
        # inlined or not, and locked instructions wait for streaming stores.
        "_nrt": allocates,
    }
    if early:
        options["inline"] = "always"
    kernel: Kernel = numba.njit(**options)(function)
    return keep(kernel) if is_kept else kernel


def digest(*texts: str) -> str:
    """A hash of these, and of all that decides on the code of kernels."""
    from hashlib import sha256

    return sha256("".join((_digest(), *texts)).encode()).hexdigest()[:16]


@cache
def _digest() -> str:
    """A hash of all that decides on the code of a kernel. Numba's cache looks at the kernel's own file only."""
    import hashlib  # these two cost more than the rest of the import of numgrad; Numba needs them anyway
    from pathlib import Path

    here = Path(__file__).parent
    sources = [s for s in sorted(here.parent.rglob("*.py")) if s.parent == here or s.parent.name.endswith("kernels")]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]
