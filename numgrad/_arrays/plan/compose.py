"""Kernels of recipes: the functions of their schemes, one around the other, with types and the division bound."""

import platform
from functools import cache
from operator import truediv
from typing import Any

import numpy as np

from numgrad._arrays.kernels.quotient import scaled, smith
from numgrad._arrays.kernels.ragged import with_coordinates, with_coordinates_and_gaps
from numgrad._arrays.kernels.stencil import add, assign
from numgrad._arrays.kernels.streamed import streamed
from numgrad._arrays.kernels.strided import strided
from numgrad._arrays.plan.coefficients import fitting
from numgrad._arrays.plan.dtypes import FIELDS, REAL
from numgrad._arrays.plan.schemes import (
    COPY,
    EDGES,
    GAPS,
    NONUNIFORM,
    POINT_FACTORS,
    RAGGED,
    ROW_FACTORS,
    SHORT_LINES,
    UNIFORM,
    WINDOWS,
)
from numgrad._arrays.plan.types import Recipe
from numgrad._compile.jit import Draft, Kernel, draft
from numgrad._compile.stand_ins import fence, put_line


def has_streaming_stores() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")


def compiled(recipe: Recipe, streaming: bool) -> Kernel:
    """Return the kernel of a recipe, to be compiled when it is first called."""
    return drafted(recipe, streaming).compiled


@cache
def drafted(recipe: Recipe, streaming: bool) -> Draft:
    """Return the draft of the kernel of a recipe."""
    names = {
        "FIELD": FIELDS[recipe.dtype],
        "DIVISOR": recipe.work,
        "divide": recipe.divide,
        "quotient": scaled if recipe.divide is smith else recipe.divide,
        "UNIT": REAL[recipe.work](1),
        "HAS_WEIGHTS": recipe.schemes != (UNIFORM, SHORT_LINES),
    }
    if recipe.taps:
        taps = 0 if recipe.schemes[0] in WINDOWS else recipe.taps  # one kernel for windows of any length
        names |= {"TAPS": taps, "ORDER": recipe.order, "REAL": recipe.real, "SCALED": recipe.scaled}
        names["store"] = add if recipe.adds else assign
        if recipe.schemes[-1] in (ROW_FACTORS, POINT_FACTORS):  # which adds what the kernel inside assigns
            names |= {"put": names["store"], "store": assign, "OF_POINTS": recipe.schemes[-1] is POINT_FACTORS}
        names["ONCE_OR_TWICE"] = names["store"] is assign
        names["SQUARED"] = recipe.squared
    if recipe.degree is not None:
        names |= fitting(recipe.taps, recipe.degree)
    if RAGGED in recipe.schemes:
        names["arguments"] = with_coordinates_and_gaps if GAPS in recipe.schemes else with_coordinates
    functions = [scheme.function for scheme in recipe.schemes]
    if streaming:
        functions.append(streamed)
        if not has_streaming_stores():
            names |= {"put_line": put_line, "fence": fence}
    # A kernel inside another one gets other types from each: unsigned indices, and a buffer as the target.
    kinds = recipe.dtype, recipe.real, tuple(functions)
    for function in functions[:-1]:
        names["inside"] = draft(function, *kinds, inline=True, **names)
    return draft(functions[-1], *kinds, **names)


@cache
def drafted_strided(recipe: Recipe, x_dtype: "np.dtype[Any]", strides: tuple[int, int]) -> Draft:
    """Return the draft for arrays of any strides; `strides` are those of f and of out along the rows, 0 for any."""
    names = {
        "FIELD": FIELDS[recipe.dtype],
        "REAL": recipe.real,
        "divide": recipe.divide,
        "UNIT": REAL[recipe.work](1),
        "HAS_COORDINATES": recipe.schemes[0] is NONUNIFORM,
        "HAS_WEIGHTS": EDGES in recipe.schemes,
        "STRIDE": np.uintp(strides[0] % 2**64),
        "OUT_STRIDE": np.uintp(strides[1] % 2**64),
    }
    return draft(strided, recipe.dtype, recipe.work, x_dtype, **names)


def past_the_cache(dtype: "np.dtype[Any]") -> Recipe:
    """Return the recipe that copies results of this dtype, to be compiled as a streaming kernel."""
    kind = dtype.type
    return Recipe((COPY,), dtype, kind, REAL[kind], truediv)
