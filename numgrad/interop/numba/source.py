"""The text of functions inside `@njit`, composed for arguments of given types and compiled as one function.

Each function that a compiled one calls costs Numba a compilation, however short, and LLVM optimises it once more in
every caller. So there is one for a call of np.gradient, which calls nothing but kernels.
"""

from textwrap import indent
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.np.numpy_support import as_dtype

from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._compile.intrinsics import flat, in_large_pages
from numgrad._compile.jit import digest


class Source:
    """Lines of a function, and the names in them; `name` is what messages call it.

    Text that belongs together has names of its own by a number, `tag`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        # A variable, for Numba would compile the kernels once more for a literal zero.
        self.lines = ["zero = np.int64(0)"]
        self.names: dict[str, Any] = {"np": np, "flat": flat, "in_large_pages": in_large_pages}
        self.names["AxisError"] = np.exceptions.AxisError

    def add(self, *lines: str, **names: Any) -> None:
        self.lines += lines
        self.names |= names

    def function(self, arguments: str, kinds: Any) -> Any:
        """Return the function, of which Numba may keep what it compiles for arguments of these types.

        It says that it is of this file, since Numba looks at the date of one. All that decides on the code is in its
        name; so are the types, of which an entry of the cache must see only some (see `_compile.jit.specialise`).
        """
        text = f"def {self.name}({arguments}):\n{block(*self.lines)}\n"
        bound = sorted((name, _what(value)) for name, value in self.names.items())
        names = self.names | {"__name__": __name__}
        exec(compile(text, __file__, "exec"), names)
        function = names[self.name]
        function.__qualname__ = f"{self.name}_{digest(text, repr(bound), repr(kinds))}"
        return function

    def error(self, what: str) -> TypingError:
        return TypingError(f"{self.name}: {what}")

    def refuse_out(self, out: Any) -> None:
        if not is_none(out):
            raise self.error("`out` is given, which is not to be had inside @njit; leave it away")

    def samples(self, f: Any) -> Any:
        """Make `f` a compact array, and return its type."""
        if is_sequence(f):
            array = types.Array(plain(plain(f).dtype), 1, "C")
        elif isinstance(f, types.Array):
            array = f.copy(layout="C", readonly=False) if f.layout == "A" and f.ndim else f
        else:
            raise self.error(f"`f` is {f}; give an array, or np.array(f)")
        dtype = dtype_of(array)
        if dtype not in FIELDS:
            raise self.error(
                f"`f` has dtype {array.dtype}; inside @njit it takes float32, float64, complex64, complex128 and "
                f"integers, as f.astype(np.float64) makes them"
            )
        if is_sequence(f):
            self.copy("samples", "f", f, dtype.type)
            self.add("f = samples")
        elif array is not f:
            self.add("samples = np.empty(f.shape, dtype)", "samples[:] = f", "f = samples", dtype=dtype.type)
        self.names["field"] = FIELDS[dtype]
        self.is_fortran = array.layout == "F" and array.ndim > 1
        return array

    def like(self, dtype: str = "field") -> str:
        """An empty array for a result: of f's layout, as NumPy's is."""
        shape, end = ("f.shape[::-1]", ".T") if self.is_fortran else ("f.shape", "")
        return f"in_large_pages(np.empty({shape}, {dtype})){end}"

    def coordinates(self, made: str, name: str, kind: Any, dtype: Any) -> None:
        """Make of an array, list or tuple of numbers what a kernel reads: a compact array of this dtype."""
        if isinstance(kind, types.Array) and kind.is_contig and dtype_of(kind) == dtype:
            self.add(f"{made} = flat({name}, True)")
            return
        self.copy(f"{made}_copy", name, kind, dtype)
        self.add(f"{made} = flat({made}_copy, True)")

    def copy(self, made: str, name: str, kind: Any, dtype: Any) -> None:
        """Make of something with a length an array of this dtype."""
        self.add(f"{made} = np.empty(len({name}), {made}_dtype)", **{f"{made}_dtype": dtype})
        if isinstance(kind, types.Tuple):  # of literals, which are of different types
            self.add(*(f"{made}[{i}] = {name}[{i}]" for i in range(len(kind))))
        else:
            self.add(f"for i in range(len({name})): {made}[i] = {name}[i]")

    def axis(self, tag: Any, given: str, kind: Any, ndim: int) -> None:
        """Make a{tag} the axis from 0 on, length{tag} its length, inner{tag} the distance of neighbours in memory."""
        a, length, inner, value = f"a{tag}", f"length{tag}", f"inner{tag}", known(kind)
        if value is not None and -ndim <= value < ndim:
            value %= ndim
            sizes = [f"f.shape[{i}]" for i in (range(value) if self.is_fortran else range(value + 1, ndim))]
            self.add(f"{a}, {length}, {inner} = {value}, f.shape[{value}], {' * '.join(['np.int64(1)', *sizes])}")
            return
        self.add(f"{a} = np.int64({given})", f"if {a} < {-ndim} or {a} >= {ndim}: raise AxisError({a}, {ndim})")
        self.add(f"if {a} < 0: {a} += {ndim}", f"{inner} = np.int64(1)")
        if ndim > 1:
            self.add(f"for i in range({ndim}):")
            self.add(f"    if i {'<' if self.is_fortran else '>'} {a}: {inner} *= f.shape[i]")
        self.add(f"{length} = {f'f.shape[{a if ndim > 1 else 0}]' if ndim else 'zero'}")


def _what(value: Any) -> str:
    """Return words that tell a value from others in any process: the name of a kernel says all that is bound in it."""
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    return repr(getattr(value, "__qualname__", value))


def block(*lines: str) -> str:
    return indent("\n".join(lines), "    ")


def is_none(kind: Any) -> bool:
    return kind is None or isinstance(kind, types.NoneType) or (isinstance(kind, types.Omitted) and kind.value is None)


def plain(kind: Any) -> Any:
    """Return the type without the value that a literal, or an argument left away, has in it."""
    if isinstance(kind, types.Omitted):
        kind = kind.value
    return types.intp if isinstance(kind, int) else types.float64 if isinstance(kind, float) else types.unliteral(kind)


def known(kind: Any) -> Any:
    """Return the value if it is constant in the source, so that less is compiled; None if only run time knows it."""
    if isinstance(kind, types.Omitted):
        kind = kind.value
    return getattr(kind, "literal_value", None) if isinstance(kind, types.Type) else kind


def is_sequence(kind: Any) -> bool:
    """Whether this is a list or tuple of numbers of one type."""
    kind = plain(kind)
    is_one = isinstance(kind, (types.List, types.ListType, types.UniTuple))
    return is_one and isinstance(plain(kind.dtype), types.Number)


def dtype_of(array: Any) -> Any:
    try:
        return as_dtype(array.dtype)
    except NotImplementedError:
        return None
