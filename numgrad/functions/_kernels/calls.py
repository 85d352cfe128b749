"""Calls of a compiled function, for `search`: points in, real numbers out, row by row for each number of a result."""

from typing import Any

import numpy as np

from numgrad.functions._kernels.search import BLOCK, call, run

# Bound for the function, like `keep` and `value_at`: the dtype of points, the shape of what it returns.
FLOAT = np.float64
SHAPE = ()


def fun(x: Any) -> Any:
    return x


def keep_real(values: Any, count: Any, i: Any, y: Any) -> None:
    values[i] = y


def keep_complex(values: Any, count: Any, i: Any, y: Any) -> None:
    values[i] = y.real
    values[count + i] = y.imag


def keep_array(values: Any, count: Any, i: Any, y: Any) -> None:
    if y.shape != SHAPE:
        raise ValueError("`fun` returned arrays of different shapes; it must return one shape for all points")
    for k, number in enumerate(y.flat):
        values[k * count + i] = number


def keep_complex_array(values: Any, count: Any, i: Any, y: Any) -> None:
    if y.shape != SHAPE:
        raise ValueError("`fun` returned arrays of different shapes; it must return one shape for all points")
    for k, number in enumerate(y.flat):
        values[k * count + i] = number.real
        values[(y.size + k) * count + i] = number.imag


keep = keep_real


def address_of(args: Any) -> Any:
    return args


def value_at(address: Any) -> Any:
    """The further arguments of the function, of which there are none unless this is bound to something else."""
    return ()


def each_scalar(
    nodes: Any, nodes2: Any, which: Any, values: Any, count: Any, start: Any, context: Any, args: Any
) -> None:
    """The function of a scalar, at the nodes."""
    for i in range(count):
        keep(values, count, i, fun(FLOAT(nodes[i]), *args))


def each_vector(
    nodes: Any, nodes2: Any, which: Any, values: Any, count: Any, start: Any, context: Any, args: Any
) -> None:
    """The function of a vector, where one variable of a point, or two, are at the nodes."""
    points, point, first, second = context
    x = np.empty(points.shape[1], FLOAT)
    is_mixed = second.size > 0
    for i in range(count):
        task = which[i] + start
        whole = points[point[task]]
        for k in range(x.size):
            x[k] = whole[k]
        if is_mixed:
            x[second[task]] = nodes2[i]
        x[first[task]] = nodes[i]
        keep(values, count, i, fun(x, *args))


each = each_scalar


def sample(
    nodes: Any, nodes2: Any, which: Any, values: Any, count: Any, start: Any, context: Any, address: Any
) -> None:
    """What `run` samples by."""
    each(nodes, nodes2, which, values, count, start, context, value_at(address))


def search(
    functions: Any,
    scratch: Any,
    problem: Any,
    results: Any,
    numbers: Any,
    kind: Any,
    context: Any,
    address: Any,
    start: Any,
    stop: Any,
) -> None:
    """Search for the tasks from start to stop, block by block."""
    for begin in range(start, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        run(functions, scratch, problem, results, numbers, kind, context, address, begin, end)


def centers(sample: Any, nodes: Any, which: Any, lanes: Any, context: Any, address: Any) -> None:
    """The function at all points, whose first variables are the nodes."""
    call(sample, (nodes, nodes, which, lanes, nodes.size, 0, context, address))


def hold(function: Any, before: Any, args: Any, after: Any) -> None:
    """Call one of these with the address of further arguments, which lie on the stack meanwhile."""
    call(function, (*before, address_of(args), *after))
