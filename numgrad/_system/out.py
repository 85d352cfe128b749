"""The `out=` argument: which arrays it names, and whether they can take the results."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from numgrad._system.memory import copy, share_file, shares_memory


def targets(out: Any, count: int, shape: tuple[int, ...], dtype: np.dtype[Any], kind: type) -> list[np.ndarray]:
    """Return the `count` arrays that `out` names, each able to hold a result of this shape, dtype and container."""
    arrays = _named(out, count, shape)
    if arrays is None:
        got = f"an array of shape {out.shape}" if isinstance(out, np.ndarray) else f"a {type(out).__name__}"
        raise ValueError(f"`out` is {got}; give a tuple of {count} arrays, or one of shape {(count, *shape)}")
    if len(arrays) != count:
        raise ValueError(f"`out` has {len(arrays)} arrays, one for each of {count} axes is needed")
    for array in arrays:
        check(array, shape, dtype, kind)
    check_apart(arrays)
    return arrays


def _named(out: Any, count: int, shape: tuple[int, ...]) -> list[Any] | None:
    """Return what `out` has for `count` results of this shape, as it is; None if that is no arrays for each."""
    if isinstance(out, (tuple, list)):
        return list(out)
    if isinstance(out, np.ndarray) and out.shape == (count, *shape):
        return [out[i, ...] for i in range(count)]
    return [out] if count == 1 else None


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


def plain_arrays(
    out: Any, count: int, dtype: "np.dtype[Any]", shape: tuple[int, ...], inputs: tuple[Any, ...]
) -> list[np.ndarray] | None:
    """Return the arrays that `out` names, if kernels may write to each as it is, and none shares memory; else None."""
    arrays = _named(out, count, shape)
    if arrays is None or len(arrays) != count:
        return None
    for i, array in enumerate(arrays):
        if not is_plain(array, dtype, shape, (*inputs, *arrays[:i])):
            return None
    return arrays


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
