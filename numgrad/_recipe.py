"""Kernels as compositions: the functions of `_kernels`, and the types and the division that are bound in them."""

import platform
from functools import cache
from operator import truediv
from typing import Any, NamedTuple

import numpy as np

from numgrad._jit import Kernel, intrinsics, is_compiling, specialise
from numgrad._kernels import strided as rows
from numgrad._kernels.edges import with_edges
from numgrad._kernels.nonuniform import nonuniform
from numgrad._kernels.quotient import scaled, smith
from numgrad._kernels.short import short
from numgrad._kernels.stencil import closed_ends, constant_taps, varying_taps
from numgrad._kernels.streamed import fence, put_line, streamed
from numgrad._kernels.uniform import uniform

# The type NumPy subtracts and stores in, for each dtype of f on the fast path.
FIELDS: dict[Any, Any] = {
    **{np.dtype(t): t for t in (np.float32, np.float64, np.complex64, np.complex128)},
    **{np.dtype(t): np.float64 for t in "bhilqBHILQ"},
}
REAL: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: np.float64,
    np.complex64: np.float32,
    np.complex128: np.float64,
}
DOUBLE: dict[Any, Any] = {
    np.float32: np.float64,
    np.float64: np.float64,
    np.complex64: np.complex128,
    np.complex128: np.complex128,
}
# What Numba's dispatcher recognises fastest.
ARGUMENT: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: float,
    np.complex64: np.complex64,
    np.complex128: complex,
}


class Recipe(NamedTuple):
    """Which kernel: its functions from the innermost on, and the types and the division bound in them."""

    functions: tuple[Kernel, ...]
    dtype: "np.dtype[Any]"
    work: Any
    real: Any
    divide: Any
    taps: int = 0  # of a stencil

    @property
    def name(self) -> str:
        words = {uniform: "uniform", nonuniform: "nonuniform", with_edges: "edges", short: "short lines"}
        words |= {constant_taps: "stencil", varying_taps: "stencil with coordinates"}
        return " + ".join(words[f] for f in self.functions)


def has_streaming_stores() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


@cache
def compiled(recipe: Recipe, streaming: bool) -> Kernel:
    """Return the kernel of a recipe, to be compiled when it is first called."""
    field = FIELDS[recipe.dtype]
    names = {
        "FIELD": field,
        "DIVISOR": recipe.work,
        "divide": recipe.divide,
        "quotient": scaled if recipe.divide is smith else recipe.divide,
        "UNIT": REAL[recipe.work](1),
        "HAS_WEIGHTS": recipe.functions != (uniform, short),
    }
    if recipe.taps:
        names |= {"TAPS": recipe.taps, "closed_ends": closed_ends}
    functions, stores = recipe.functions, ""
    if nonuniform in functions and is_compiling():
        names["workspace"] = intrinsics().workspace
    if streaming:
        functions = (*functions, streamed)
        names |= {"put_line": put_line, "fence": fence}
        if has_streaming_stores() and is_compiling():
            names |= {"put_line": intrinsics().put_line, "fence": intrinsics().fence}
            stores = "past_the_cache"
    tags = _tags(recipe)
    chain = "_".join([*(f.__name__ for f in functions), stores])
    for function in functions[:-1]:
        names["inside"] = specialise(function, chain, *tags, inline=True, **names)
    return specialise(functions[-1], chain, *tags, **names)


@cache
def compiled_strided(recipe: Recipe, x_dtype: "np.dtype[Any]", strides: tuple[int, int]) -> Kernel:
    """Return the kernel for arrays of any strides; `strides` are those of f and of out along the rows, 0 for any."""
    names = {
        "FIELD": FIELDS[recipe.dtype],
        "REAL": recipe.real,
        "divide": recipe.divide,
        "UNIT": REAL[recipe.work](1),
        "HAS_COORDINATES": recipe.functions[0] is nonuniform,
        "HAS_WEIGHTS": with_edges in recipe.functions,
        "STRIDE": np.uintp(strides[0] % 2**64),
        "OUT_STRIDE": np.uintp(strides[1] % 2**64),
    }
    kind = "_".join([f.__name__ for f in recipe.functions if f is not short])
    tags = kind, *_tags(recipe), x_dtype.name, *map(str, strides)
    for part in (rows.difference, rows.combination, rows.along):
        names[part.__name__] = specialise(part, *tags, inline=True, **names)
    return specialise(rows.strided, *tags, **names)


def _tags(recipe: Recipe) -> tuple[str, ...]:
    taps = (str(recipe.taps),) if recipe.taps else ()
    return recipe.dtype.name, recipe.work.__name__, recipe.real.__name__, recipe.divide.__name__, *taps


def division(field: Any) -> Any:
    return smith if issubclass(field, np.complexfloating) else truediv
