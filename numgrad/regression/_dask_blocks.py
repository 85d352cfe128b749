"""Regression on dask collections: each block of rows is compressed where it is, and only the triangles travel."""

from collections.abc import Callable
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask.base import is_dask_collection
from dask.delayed import Delayed, delayed

from numgrad.regression import _check

# Triangles that one task merges: many, so that the tree is low; not all, so that no worker holds the most of them.
FAN_IN = 8


class Blocks(NamedTuple):
    """A collection, cut along its rows."""

    given: Any
    number: int
    sizes: tuple[float, ...] | None  # rows of each block, nan where unknown; None for dataframes
    divisions: tuple[Any, ...] | None  # those of a dataframe, where known


def reduced(
    X: Any, y: Any, sample_weight: Any, is_with_y: bool, compress: Callable[..., Any], merge: Callable[..., Any]
) -> Delayed:
    """Return what `merge` makes of what `compress` makes of each block of rows; without targets if not `is_with_y`."""
    if is_with_y and y is None:
        raise ValueError("`y` is None; give one value for each row, or a column for each target")
    x = _features(X)
    for name, given in (("y", y), ("sample_weight", sample_weight)):
        _check.refuse_units(name, given)
    is_number = not is_dask_collection(sample_weight) and np.ndim(sample_weight) == 0
    others = [
        _like(x, name, given, dimensions) if given is not None else None
        for name, given, dimensions in (("y", y, (1, 2)), ("sample_weight", None if is_number else sample_weight, (1,)))
    ]
    # Optimised one by one, the collections would each compute the parts that they have in common.
    collections = [x.given, *(o.given for o in others if o is not None)]
    parts = iter([np.ravel(c.to_delayed(optimize_graph=False)).tolist() for c in collections])
    columns = [next(parts)] + [next(parts) if o is not None else [None] * x.number for o in others]
    if is_number:  # or None, as it is for each block
        columns[2] = [sample_weight] * x.number
    compress, merge = delayed(compress, pure=False), delayed(merge, pure=False)
    level = [compress(i, *block) for i, block in enumerate(zip(*columns, strict=True))]
    while len(level) > FAN_IN:
        level = [merge(level[low : low + FAN_IN]) for low in range(0, len(level), FAN_IN)]
    whole: Delayed = merge(level, x.number)
    return whole


def _features(X: Any) -> Blocks:
    kind = type(X).__name__
    if not (isinstance(X, da.Array) or _is_frame(X)):
        raise TypeError(
            f"`X` is a {kind}; give a dask array or a dask dataframe, and what is in memory to `CompressedRows.update`"
        )
    if X.ndim != 2:
        what = f"a dask {kind}" if _is_frame(X) else f"a dask array of shape {X.shape}"
        remedy = "X.to_frame()" if _is_frame(X) else "X.reshape(-1, 1)"
        raise ValueError(f"`X` is {what}; give (rows, features), for one feature {remedy}")
    x = _blocks("X", X)
    columns = len(X.columns) if _is_frame(X) else X.shape[1]
    if columns == 0 or (x.sizes is not None and sum(x.sizes) == 0):
        raise ValueError(f"`X` has shape {X.shape}, which is empty; give at least one row and one feature")
    return x


def _like(x: Blocks, name: str, given: Any, dimensions: tuple[int, ...]) -> Blocks:
    """Return the blocks of y or of the weights, cut as those of X are."""
    if not (isinstance(given, da.Array) or _is_frame(given)):
        array = np.asarray(given)
        if x.sizes is None or np.isnan(x.sizes).any():
            remedy = (
                "give a dask series with the partitions of X, like a column of the same dataframe"
                if x.sizes is None
                else "call X.compute_chunk_sizes() before"
            )
            raise ValueError(
                f"`{name}` is a {type(given).__name__}, and the rows in each block of `X` are not known; {remedy}"
            )
        given = array if array.ndim not in dimensions else da.from_array(array, chunks=-1)
    shape = given.shape if not _is_frame(given) else f"({type(given).__name__})"
    if given.ndim not in dimensions or (given.ndim == 2 and given.shape[1] == 0):
        columns = ", or a column for each target" if 2 in dimensions else ""
        raise ValueError(f"`{name}` has shape {shape}; give one value for each row{columns}")
    one = _blocks(name, given)
    if x.sizes is not None and one.sizes is not None:
        rows, length = sum(x.sizes), sum(one.sizes)
        if rows == rows and length == length:  # neither is nan
            if rows != length:
                raise ValueError(f"`{name}` has {length} values and `X` has {rows} rows; give one value for each row")
            return one if one.sizes == x.sizes else _blocks(name, one.given.rechunk({0: x.sizes}))
    if one.number != x.number:
        remedy = (
            f"{name}.repartition, so that they match"
            if x.sizes is None
            else f"compute_chunk_sizes() on those with unknown chunks, or rechunk {name}"
        )
        raise ValueError(
            f"`{name}` has {one.number} blocks along axis 0 and `X` has {x.number}, some of unknown size; call {remedy}"
        )
    for i, (a, b) in enumerate(zip(x.sizes or (), one.sizes or (), strict=False)):
        if a == a and b == b and a != b:
            raise ValueError(
                f"`{name}` has {b} values in block {i} along axis 0 and `X` has {a} rows there; call "
                f"compute_chunk_sizes() on those with unknown chunks, which are cut alike then"
            )
    if x.divisions and one.divisions and x.divisions != one.divisions:
        raise ValueError(
            f"`{name}` has the divisions {one.divisions} and `X` has {x.divisions}; "
            f"give {name}.repartition(divisions=X.divisions)"
        )
    return one


def _blocks(name: str, given: Any) -> Blocks:
    if _is_frame(given):
        return Blocks(given, given.npartitions, None, given.divisions if given.known_divisions else None)
    if given.ndim == 2 and given.numblocks[1] > 1:
        if np.isnan(given.shape[1]):
            raise ValueError(
                f"`{name}` has chunks of unknown size along axis 1: {given.chunks[1]}; "
                f"call {name}.compute_chunk_sizes() before"
            )
        given = given.rechunk({1: -1})
    return Blocks(given, given.numblocks[0], given.chunks[0], None)


def _is_frame(given: Any) -> bool:
    """Whether this is a dataframe or a series of dask, for which it needs no import of pandas."""
    return (
        is_dask_collection(given)
        and isinstance(getattr(given, "npartitions", None), int)
        and (not isinstance(given, da.Array))
    )
