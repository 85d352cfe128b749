"""The `out=` argument: which arrays it names, and whether they can take the results."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from numgrad._system.memory import copy, share_file, shares_memory


def targets(out: Any, count: int, shape: tuple[int, ...], dtype: np.dtype[Any], kind: type) -> list[np.ndarray]:
    """Return the `count` arrays that `out` names, each able to hold a result of this shape, dtype and container."""
    if isinstance(out, (tuple, list)):
        if len(out) != count:
            raise ValueError(f"`out` has {len(out)} arrays, one for each of {count} axes is needed")
        arrays = list(out)
    elif isinstance(out, np.ndarray) and out.shape == (count, *shape):
        arrays = [out[i, ...] for i in range(count)]
    elif count == 1:
        arrays = [out]
    else:
        got = f"an array of shape {out.shape}" if isinstance(out, np.ndarray) else f"a {type(out).__name__}"
        raise ValueError(f"`out` is {got}; give a tuple of {count} arrays, or one of shape {(count, *shape)}")
    for array in arrays:
        check(array, shape, dtype, kind)
    check_apart(arrays)
    return arrays


def check(array: Any, shape: tuple[int, ...], dtype: np.dtype[Any], kind: type) -> None:
    plain = (np.ndarray, np.memmap)
    fits = plain if kind in plain else (kind,)
    if type(array) not in fits:
        raise TypeError(f"`out` has a {type(array).__name__}, the result is a {kind.__name__}; give `out` that type")
    if array.shape != shape:
        raise ValueError(f"`out` has shape {array.shape}, the result has {shape}")
    if array.dtype != dtype:
        raise TypeError(f"`out` has dtype {array.dtype}, the result has {dtype}; allocate `out` with that dtype")
    if not array.flags.writeable:
        raise ValueError("`out` is read-only; give an array that can be written")


def is_plain(out: Any, dtype: "np.dtype[Any]", shape: tuple[int, ...], inputs: tuple[Any, ...]) -> bool:
    """Whether `out` is one array that a kernel may write to as it is."""
    return (
        type(out) is np.ndarray
        and out.shape == shape
        and out.dtype == dtype
        and out.flags.carray
        and not shares_memory(out, inputs)
    )


def check_apart(arrays: Sequence[np.ndarray]) -> None:
    for a, b in combinations(arrays, 2):
        if (np.may_share_memory(a, b) and np.shares_memory(a, b)) or share_file(a, b):
            raise ValueError("`out` has arrays that share memory; one result would overwrite another")


def store(results: Any, out: Any) -> Any:
    """Copy NumPy's results into `out` and return it."""
    arrays = list(results) if isinstance(results, (tuple, list)) else [results]
    for result in arrays:
        if not isinstance(result, np.ndarray):
            raise TypeError(f"`out` cannot take the result, a {type(result).__name__}; leave `out` away")
    first = arrays[0] if arrays else np.empty(0)
    for target, result in zip(targets(out, len(arrays), first.shape, first.dtype, type(first)), arrays, strict=True):
        copy(result, target)
    return out
