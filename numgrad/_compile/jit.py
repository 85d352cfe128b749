"""Everything numgrad decides about Numba: flags, specialisation, cache."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property, lru_cache
from threading import RLock
from types import FunctionType
from typing import Any

from numgrad._compile import stand_ins
from numgrad._compile.kept import folders
from numgrad._compile.language import Target
from numgrad._compile.plain import Bound
from numgrad._system.forks import hold_at_fork
from numgrad._system.interrupts import put_off, uninterrupted

Kernel = Callable[..., Any]

# Seconds, about: to load a kernel; and to compile one, of which the latter is for each of Python's instructions.
LOAD, COMPILE, INSTRUCTION = 0.03, 0.15, 0.45e-3

# Python's functions of which there is an intrinsic.
BUILTINS = frozenset({"min", "max"})

_lock = RLock()
_compiled: dict["Draft", Kernel] = {}
_entry_points: dict[Kernel, Kernel] = {}


class Draft(Bound):
    """A kernel for one signature, which is compiled when that is asked for."""

    def __init__(
        self, function: Kernel, kinds: tuple[Any, ...], names: dict[str, Any], fastmath: frozenset[str], inline: bool
    ) -> None:
        super().__init__(function, names)
        self.kinds, self.fastmath, self.inline = kinds, fastmath, inline

    @cached_property
    def name(self) -> str:
        """The name in Numba's cache: it ends with a digest of all that the code depends on."""
        own = (self.function, *self.kinds, *self.names.items(), *sorted(self.fastmath), self.inline)
        return f"{self.function.__qualname__}_{digest(*map(_said, own))}"

    @property
    def compiled(self) -> Kernel:
        """The kernel, jitted, with stand-ins replaced by intrinsics. Nothing is compiled before the first call."""

        def jit(function: FunctionType) -> Kernel:
            return _jit(function, self.fastmath, self.inline or function.__code__ is not self.function.__code__)

        with _lock:  # also of the digest, which imports
            if self not in _compiled:
                _compiled[self] = _bound(self.function, self.names, self.name.rpartition("_")[2], jit, {})
            return _compiled[self]

    @property
    def entry(self) -> Kernel | None:
        """The entry point if there has been one."""
        return _entry_points.get(_compiled.get(self))  # type: ignore[arg-type]

    @property
    def is_ready(self) -> bool:
        """Whether the kernel has been compiled or loaded."""
        return bool(getattr(_compiled.get(self), "overloads", ()))

    @cached_property
    def seconds(self) -> float:
        """What it takes to load the compiled kernel or, if no cache has it, to compile it; a rough guess."""
        return LOAD if self._is_kept() else COMPILE + INSTRUCTION * self.instructions

    def _is_kept(self) -> bool:
        """Whether a cache of Numba's has the compiled kernel. Does not import Numba, whose names of files it knows."""
        from glob import escape, glob

        source = self.function.__code__.co_filename
        return any(glob(os.path.join(escape(folder), f"*.{self.name}-*.nbi")) for folder in folders(source))


@lru_cache(maxsize=None, typed=True)  # 1, 1.0 and True are different names
def draft(
    kernel: Kernel, *kinds: Any, fastmath: frozenset[str] = frozenset(), inline: bool = False, **names: Any
) -> Draft:
    """Return the draft of `kernel` for one signature, with the global `names` of its file bound anew.

    A kernel that another kernel calls is `inline`: a real call hands over an array as seven arguments.

    `kinds` are what else the types of its arguments depend on, such as dtypes: all calls with the same kinds and names
    must have one signature. Each gets a function, and so a cache entry, of its own, whose name is a digest of them:
    when cold processes compile different signatures of one function at once, Numba can leave an index that no later
    process can load.
    """
    return Draft(kernel, kinds, names, fastmath, inline)


def specialise(kernel: Kernel, *kinds: Any, **options: Any) -> Kernel:
    """Return a kernel jitted, as its `draft` says."""
    return draft(kernel, *kinds, **options).compiled


def fresh(kernel: Kernel, *, allocates: bool = False, kept_as: tuple[str, str] | None = None, **names: Any) -> Kernel:
    """Return `kernel` jitted for this process alone, with the global `names` of its file bound anew.

    For what is not in a file of numgrad's: code made of a formula, kernels that call a function of the user's, which
    may allocate. The caller keeps it. The functions that it calls are jitted along, as by `specialise`. It is kept on
    disk if it is `kept_as` something: a name, and a stamp that says all that it is made of.
    """

    def jit(function: FunctionType) -> Kernel:
        is_part = function.__code__ is not kernel.__code__
        return _jit(function, frozenset(), is_part, is_kept=False, allocates=allocates)

    with _lock:
        name, stamp = kept_as or (_digest(), None)
        made = _bound(kernel, names, name, jit, {})
        return made if stamp is None else keep(made, stamp)


def _bound(
    function: Any, names: dict[str, Any], said: str, jit: Callable[[FunctionType], Kernel], parts: dict[Any, Kernel]
) -> Kernel:
    """Return a copy of a function, jitted, with `names` bound, and the plain functions that it calls jitted likewise.

    A stand-in of which there is an intrinsic becomes that, unless `names` has it. `parts` are those jitted so far: a
    kernel inside another one, which has the same names, shares them with it.
    """
    bound = dict(names)
    for name in function.__code__.co_names:
        if name in BUILTINS and name not in function.__globals__ and is_compiling():
            bound[name] = intrinsics().BUILTINS[name]
        part = names.get(name, function.__globals__.get(name))
        if isinstance(part, Draft):
            bound[name] = _bound(part.function, part.names, said, jit, parts)
            continue
        if not isinstance(part, FunctionType) or part.__name__ != part.__qualname__:
            continue  # a constant; a module; or a copy, which under NUMBA_DISABLE_JIT is a function, too
        intrinsic = None
        if name not in names and part.__module__ == stand_ins.__name__ and is_compiling():
            intrinsic = getattr(intrinsics(), name, None)
        if part not in parts:
            parts[part] = intrinsic or _bound(part, names, said, jit, parts)
        bound[name] = parts[part]
    clone = FunctionType(function.__code__, {**function.__globals__, **bound}, function.__name__)
    clone.__qualname__ = f"{function.__qualname__}_{said}"
    clone.__module__ = function.__module__
    clone.__annotations__ = function.__annotations__
    clone.is_early = getattr(function, "is_early", False)  # type: ignore[attr-defined]
    clone.is_cold = getattr(function, "is_cold", False)  # type: ignore[attr-defined]
    return jit(clone)


def _said(value: Any) -> str:
    """A value that a name is bound to, in words that are the same in each process."""
    if isinstance(value, tuple):
        return f"({','.join(map(_said, value))})"
    if isinstance(value, Draft):
        return f"{value.function.__module__}.{value.name}"
    name = getattr(value, "__qualname__", None)
    return f"{type(value).__name__}:{value!r}" if name is None else f"{value.__module__}.{name}"


def address(kernel: Kernel, *arguments: Any) -> int:
    """Return the address of the code of a jitted function for such arguments, for `call`; compile or load it first."""
    # Not under the lock: whoever compiles a call of np.gradient has Numba's own, which this takes, and asks for it.
    signature = tuple(map(type_of, arguments))
    kernel.compile(signature)  # type: ignore[attr-defined]
    (found,) = (o for s, o in kernel.overloads.items() if s == signature)  # type: ignore[attr-defined]
    return int(found.library.get_pointer_to_function(found.fndesc.llvm_func_name))


def type_of(value: Any) -> Any:
    """Return the type that Numba gives a value."""
    return _jit_library().typeof(value)


def dtype_returned(function: Any, *arguments: Any) -> str | None:
    """Return the dtype of the number, or the array, that a jitted function has returned for such arguments.

    Python objects do not tell float32 from float64. None if it took the arguments for other types.
    """
    overloads = function.overloads
    if len(overloads) == 1:  # types take more time to find than most functions take
        (overload,) = overloads.values()
    else:
        overload = overloads.get(tuple(map(type_of, arguments)))
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
    signature. The arrays in later calls must be as contiguous as these; those that the kernel's own annotations do not
    call a Target need not be writeable.
    """
    entry = _entry_points.get(kernel)
    if entry is None:
        if isinstance(kernel, FunctionType):  # NUMBA_DISABLE_JIT
            return kernel
        kinds = kernel.py_func.__annotations__.values()  # type: ignore[attr-defined]
        signature = tuple(_type(a, kind is Target) for a, kind in zip(arguments, kinds, strict=False))
        entry = _entry_points[kernel] = kernel.compile(signature)  # type: ignore[attr-defined]
    return entry


def keep(kernel: Kernel, stamp: str | None = None) -> Kernel:
    """Keep what Numba compiles of a function that it has jitted, if there is a place for it; see `Cache`."""
    if os.environ.get("NUMGRAD_CACHE", "1") != "0" and is_jitted(kernel):
        from numgrad._compile.cache import Cache

        # No place can be written (librosa#1156): compile in every process instead.
        with suppress(RuntimeError):
            kernel._cache = Cache(kernel.py_func, stamp)  # type: ignore[attr-defined]
    return kernel


def _type(argument: Any, is_written: bool = False) -> Any:
    numba = _jit_library()
    if type(argument) is tuple:  # the arrays of a named one may be written
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


@cache
def _jit_library() -> Any:
    """Numba, imported. A fork waits until no other thread imports or compiles, whose locks no child could release."""
    with put_off(), _lock:  # also of the import: a child forked meanwhile would wait for its lock
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


def _jit(
    function: FunctionType,
    fastmath: frozenset[str],
    inline: bool = False,
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
        "no_cpython_wrapper": inline,  # nobody calls it from Python
        # Kernels allocate nothing. Counts of references would cost 40 cycles for each array that a part is called with,
        # inlined or not, and locked instructions wait for streaming stores.
        "_nrt": allocates,
    }
    if function.is_early:  # type: ignore[attr-defined]
        options["inline"] = "always"
    from numgrad._compile import pipeline

    is_cold = function.is_cold  # type: ignore[attr-defined]
    options["pipeline_class"] = pipeline.Part if inline else pipeline.Cold if is_cold else pipeline.Whole
    kernel: Kernel = numba.njit(**options)(function)
    if is_jitted(kernel):
        kernel.compile = uninterrupted(kernel.compile)  # type: ignore[attr-defined]
        if inline:
            kernel.get_call_template = _without_literals(kernel.get_call_template)  # type: ignore[attr-defined]
    return keep(kernel) if is_kept and not inline else kernel


def _without_literals(get: Kernel) -> Kernel:
    """Let a part be compiled once for all integers: LLVM sees those that are constant where it puts the part."""
    from numba import types

    return lambda kinds, names: get(tuple(map(types.unliteral, kinds)), names)


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
