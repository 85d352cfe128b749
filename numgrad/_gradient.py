"""np.gradient's contract: arrange the memory, run the plan, wrap the results; or hand the call to NumPy."""

from typing import Any

import numpy as np

from numgrad import _out
from numgrad._dispatch import AxisPlan, Order, is_compact, prepare
from numgrad._spacing import NotFast

# Bound now, so that np.gradient itself may be replaced by this module's.
_numpy_gradient = np.gradient
_empty = np.empty

# Elements of f swept for all axes before the next piece: f, and as much of each result, stay in a 2 MiB cache.
PIECE = 1 << 16


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """DOC"""
    chosen, array, source, order, spacings = prepare(f, varargs, axis, edge_order)
    if type(chosen) is NotFast:
        return _fall_back(f, varargs, axis, edge_order, out)
    dtype, axes, call = chosen
    if call is not None and out is None and array is source and order is None:
        # What follows, for one kernel: on a small array there is only overhead to save (n = 10: 2.5 to 1.5 us).
        kernel, arguments, from_x = call
        if from_x:
            arguments += spacings
        result = _empty(array.shape, dtype)
        if array.ndim == 1:
            met_zero = kernel(array, result, *arguments)
        else:
            met_zero = kernel(array.reshape(-1), result.reshape(-1), *arguments)
        return _fall_back(f, varargs, axis, edge_order, out) if met_zero else result
    if out is None:
        results = working = [np.empty_like(array, dtype) for _ in axes]
    else:
        results = _out.targets(out, len(axes), array.shape, dtype, np.ndarray)
        inputs = [source, *[s for s in spacings if type(s) is np.ndarray]]
        working = [r if _is_direct(r, order, inputs) else np.empty_like(array, dtype) for r in results]
    if not _run(_flat(source, order), [_flat(w, order) for w in working], axes, spacings):
        return _fall_back(f, varargs, axis, edge_order, out)
    if out is None:
        return results[0] if len(axes) == 1 else tuple(results)
    for result, computed in zip(results, working, strict=True):
        if result is not computed:
            result[...] = computed
    return out


def _flat(array: np.ndarray, order: Order) -> np.ndarray:
    """The elements of a compact array in the order of memory, as a view."""
    return array if array.ndim == 1 else array.transpose(order or range(array.ndim)).reshape(-1)


def _is_direct(result: np.ndarray, order: Order, inputs: list[np.ndarray]) -> bool:
    """Whether a kernel may write into `result` while it reads the inputs."""
    return is_compact(result, order) and not any(np.may_share_memory(result, i) for i in inputs)


def _run(f: np.ndarray, results: list[np.ndarray], axes: tuple[AxisPlan, ...], spacings: tuple[Any, ...]) -> bool:
    """Fill the results. False: a step of zero was met, and NumPy must warn of it."""
    size = f.size
    calls = []
    for i, (_, n, inner, passes) in enumerate(axes):
        for kernel, constants, _, _ in passes:
            if type(constants) is not tuple:
                constants = constants(spacings[i])
            calls.append((kernel, results[i], n, inner, constants))
    piece = PIECE if len(calls) > 1 else size
    for start in range(0, size, piece):
        stop = min(start + piece, size)
        for kernel, out, n, inner, constants in calls:
            if kernel(f, out, n, inner, start, stop, *constants):
                return False
    return True


def _fall_back(f: Any, varargs: tuple[Any, ...], axis: Any, edge_order: Any, out: Any) -> Any:
    results = _numpy_gradient(f, *varargs, axis=axis, edge_order=edge_order)
    return results if out is None else _out.store(results, out)
