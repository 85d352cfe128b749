"""The rules of what makes arrays: they make those of numbers that carry derivatives."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit, types
from numba.np.numpy_support import from_dtype

from numgrad.functions._exact.elements import element, elementwise_loop, empty_of, is_array, loop
from numgrad.functions._exact.numbers import Number, scalar_of
from numgrad.functions._exact.operations import FAMILIES, MAKERS, METHODS, Rule, final

# Bound anew in each loop.
empty: Any = np.empty


# What makes arrays


def base_of_dtype(dtype: Any) -> Any:
    """Return the type of the values of an array of this dtype; None if they are no floats."""
    if dtype is None or isinstance(dtype, (types.NoneType, types.Omitted)):
        return types.float64
    if isinstance(dtype, types.Function) and dtype.typing_key is float:
        return types.float64
    if isinstance(dtype, types.StringLiteral):
        return base_of_values(from_dtype(np.dtype(dtype.literal_value)))
    return base_of_values(getattr(dtype, "dtype", None))


def base_of_values(kind: Any) -> Any:
    """Return the type of the values of numbers; None if they are no floats."""
    kind = types.unliteral(kind) if kind is not None else None
    if isinstance(kind, Number):
        return scalar_of(kind)
    return kind if isinstance(kind, (types.Float, types.Complex)) else None


fill: Any = 0.0


def unfilled(shape: Any, dtype: Any = None) -> Any:
    return empty(shape)


def filled(shape: Any, dtype: Any = None) -> Any:
    out = empty(shape)
    out[...] = fill
    return out


def unfilled_like(a: Any, dtype: Any = None) -> Any:
    return empty(a.shape)


def filled_like(a: Any, dtype: Any = None) -> Any:
    out = empty(a.shape)
    out[...] = fill
    return out


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    out = empty(shape)
    out[...] = fill_value
    return out


def full_like(a: Any, fill_value: Any, dtype: Any = None) -> Any:
    out = empty(a.shape)
    out[...] = fill_value
    return out


def _maker(function: Callable[..., Any], **names: Any) -> Rule:
    """Return the rule of what makes an array of a shape."""

    def found(number: Any, shape: Any, dtype: Any = None) -> Any:
        base = base_of_dtype(dtype)
        return None if base is None else loop(function, number, empty=empty_of(number.with_scalar(base)), **names)

    return found


def _maker_like(function: Callable[..., Any], **names: Any) -> Rule:
    """Return the rule of what makes an array like another one."""

    def found(number: Any, a: Any, *more: Any, dtype: Any = None) -> Any:
        base = base_of_values(element(a)) if dtype is None else base_of_dtype(dtype)
        return None if base is None else loop(function, number, empty=empty_of(number.with_scalar(base)), **names)

    return found


def _full(number: Any, shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    base = base_of_values(fill_value) if dtype is None else base_of_dtype(dtype)
    return None if base is None else loop(full, number, empty=empty_of(number.with_scalar(base)))


def same(x: Any) -> Any:
    return x


def _copy(number: Any, a: Any) -> Any:
    base = base_of_values(element(a)) if is_array(a) else None
    return None if base is None else _copied(number, a, base)


def _copied(number: Any, a: Any, base: Any) -> Any:
    made = empty_of(number.with_scalar(base))
    return loop(elementwise_loop((a.ndim,), False), number, operation=final(njit(same)), empty=made)


copied: Any = np.copy


def as_type(a: Any, dtype: Any) -> Any:
    return copied(a)


def _as_type(number: Any, a: Any, dtype: Any) -> Any:
    base = base_of_dtype(dtype) if is_array(a) else None
    return None if base is None else loop(as_type, number, copied=_copied(number, a, base))


def of_sequence(sequence: Any, dtype: Any = None) -> Any:
    out = empty(len(sequence))
    for i in range(len(sequence)):
        out[i] = sequence[i]
    return out


def of_rows(sequence: Any, dtype: Any = None) -> Any:
    out = empty((len(sequence), len(sequence[0])))
    for i in range(len(sequence)):
        for j in range(len(sequence[0])):
            out[i, j] = sequence[i][j]
    return out


def _array(number: Any, sequence: Any, dtype: Any = None) -> Any:
    if is_array(sequence):
        return MAKERS[np.copy](number, sequence)
    inner, depth = sequence, 0
    while isinstance(inner, (types.List, types.ListType, types.UniTuple)):
        inner, depth = inner.dtype, depth + 1
    base = base_of_values(inner) if dtype is None else base_of_dtype(dtype)
    if base is None or depth not in (1, 2):
        return None
    return loop(of_sequence if depth == 1 else of_rows, number, empty=empty_of(number.with_scalar(base)))


def _table(rows: int, columns: int, body: str) -> Any:
    places = [(i, j) for i in range(rows) for j in range(columns)]
    parameters = ", ".join(f"a{i}_{j}" for i, j in places)
    names: dict[str, Any] = {"np": np}
    exec(f"def table({parameters}):\n    {body.format(rows=rows, columns=columns)}", names)
    return names["table"]


def table_of(rows: int, columns: int) -> Any:
    """Return the function that makes an array of its arguments, row by row."""
    items = ", ".join("[" + ", ".join(f"a{i}_{j}" for j in range(columns)) + "]" for i in range(rows))
    return njit(_table(rows, columns, f"return np.array([{items}])"))


@cache
def table_rule(rows: int, columns: int) -> Rule:
    """Return the rule of that function."""
    fill = "; ".join(f"out[{i}, {j}] = a{i}_{j}" for i in range(rows) for j in range(columns))
    made = _table(rows, columns, f"out = empty(({rows}, {columns})); {fill}; return out")

    def found(number: Any, *kinds: Any) -> Any:
        bases = [base_of_values(kind) for kind in kinds]
        if not any(bases):
            return None
        wide = any(isinstance(base, types.Complex) for base in bases)
        base = types.complex128 if wide else types.float64
        return loop(made, number, empty=empty_of(number.with_scalar(base)))

    found.is_maker = True  # type: ignore[attr-defined]
    return found


MAKERS[np.empty], MAKERS[np.empty_like] = _maker(unfilled), _maker_like(unfilled_like)
MAKERS[np.zeros], MAKERS[np.zeros_like] = _maker(filled), _maker_like(filled_like)
MAKERS[np.ones], MAKERS[np.ones_like] = _maker(filled, fill=1.0), _maker_like(filled_like, fill=1.0)
MAKERS[np.full], MAKERS[np.full_like] = _full, _maker_like(full_like)
MAKERS[np.copy] = METHODS["copy"] = MAKERS["method", "copy"] = _copy
MAKERS[np.array] = _array
METHODS["astype"] = _as_type


FAMILIES["table"] = lambda rows, columns: (table_of(rows, columns), table_rule(rows, columns))
