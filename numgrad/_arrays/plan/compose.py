"""Kernels as compositions: the functions of `_kernels`, and the types and the division that are bound in them."""

import platform
from functools import cache
from operator import truediv
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.kernels import strided as rows
from numgrad._arrays.kernels.coordinates import (
    center_weight,
    fill_rows,
    fill_table,
    one_point,
    own_taps,
    product,
    weigh,
    weigh_one,
    weight,
    window,
    wrap,
)
from numgrad._arrays.kernels.edges import with_edges
from numgrad._arrays.kernels.gapped import gapped, is_near_nan, run_length
from numgrad._arrays.kernels.nonuniform import nonuniform
from numgrad._arrays.kernels.quotient import scaled, smith
from numgrad._arrays.kernels.short import short
from numgrad._arrays.kernels.stencil import add, assign, closed_ends, column, constant_taps, varying_taps
from numgrad._arrays.kernels.streamed import copied, streamed
from numgrad._arrays.kernels.uniform import uniform
from numgrad._arrays.plan.dtypes import FIELDS, REAL
from numgrad._compile.jit import Kernel, intrinsics, is_compiling, specialise
from numgrad._compile.stand_ins import fence, put_line, workspace

# What the functions of a kernel call, each after what it calls itself.
PARTS: dict[Kernel, tuple[Kernel, ...]] = {
    nonuniform: (workspace,),
    constant_taps: (closed_ends,),
    varying_taps: (closed_ends, column),
    fill_table: (workspace, product, weight, center_weight, weigh),
    fill_rows: (workspace, product, weight, center_weight, wrap, weigh_one),
    own_taps: (workspace, product, weight, center_weight, weigh, wrap, weigh_one, one_point, window),
    gapped: (workspace, product, weight, center_weight, wrap, weigh_one, one_point, window, is_near_nan, run_length),
}


class Recipe(NamedTuple):
    """Which kernel: its functions from the innermost on, and the types and the division bound in them."""

    functions: tuple[Kernel, ...]
    dtype: "np.dtype[Any]"
    work: Any
    real: Any
    divide: Any
    # Of a stencil: how many samples it takes, of what order the derivative is, whether it is added to what is there.
    taps: int = 0
    order: int = 0
    adds: bool = False
    scaled: bool = False  # distances, in units of the width of the stencil

    @property
    def name(self) -> str:
        words = {uniform: "uniform", nonuniform: "nonuniform", with_edges: "edges", short: "short lines"}
        words |= {constant_taps: "stencil", varying_taps: "stencil with coordinates"}
        words |= {own_taps: "stencil with coordinates of each line", gapped: "gaps"}
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
        names |= {"TAPS": recipe.taps, "ORDER": recipe.order, "REAL": recipe.real, "SCALED": recipe.scaled}
        names["store"] = add if recipe.adds else assign
    for function in recipe.functions:
        names |= _parts(function)
    functions, stores = recipe.functions, ""
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


@cache
def weighing(function: Kernel, taps: int, order: int, scaled: bool) -> Kernel:
    """Return the kernel that fills a table of weights of points, or rows of those at the ends."""
    tags = str(taps), str(order), "scaled" * scaled
    return specialise(function, *tags, TAPS=taps, ORDER=order, SCALED=scaled, **_parts(function))


def _parts(function: Kernel) -> dict[str, Any]:
    """What a function calls, by name; compiled code has its workspace on the stack."""
    parts: dict[str, Any] = {part.__name__: part for part in PARTS.get(function, ())}
    if "workspace" in parts and is_compiling():
        parts["workspace"] = intrinsics().workspace
    return parts


def past_the_cache(dtype: "np.dtype[Any]") -> Recipe:
    """Return the recipe that copies results of this dtype, to be compiled as a streaming kernel."""
    kind = dtype.type
    return Recipe((copied,), dtype, kind, REAL[kind], truediv)


def _tags(recipe: Recipe) -> tuple[str, ...]:
    taps = (str(recipe.taps), str(recipe.order), "add" * recipe.adds, "scaled" * recipe.scaled) if recipe.taps else ()
    return recipe.dtype.name, recipe.work.__name__, recipe.real.__name__, recipe.divide.__name__, *taps
