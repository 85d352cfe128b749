"""Calls of a compiled function, for `search`: points in, real numbers out, row by row for each number of a result."""

from typing import Any

import numpy as np

from numgrad._compile.language import Array, Index, Record, Scalar, Target, cold
from numgrad.functions._kernels.layout import BLOCK
from numgrad.functions._kernels.search import call, run

# The dtype of points and the shape of values: bound for the function that is called, like `keep` and `value_at`.
FLOAT = np.float64
SHAPE = ()


def fun(x: Scalar) -> Any:
    """Stand in for the function of the user, which may take a vector, too."""
    return x


def keep_real(values: Target, count: Index, i: Index, y: Scalar) -> None:
    values[i] = y


def keep_complex(values: Target, count: Index, i: Index, y: Scalar) -> None:
    values[i] = y.real
    values[count + i] = y.imag


def keep_array(values: Target, count: Index, i: Index, y: Array) -> None:
    if y.shape != SHAPE:
        raise ValueError("`fun` returned arrays of different shapes; it must return one shape for all points")
    for k, number in enumerate(y.flat):
        values[k * count + i] = number


def keep_complex_array(values: Target, count: Index, i: Index, y: Array) -> None:
    if y.shape != SHAPE:
        raise ValueError("`fun` returned arrays of different shapes; it must return one shape for all points")
    for k, number in enumerate(y.flat):
        values[k * count + i] = number.real
        values[(y.size + k) * count + i] = number.imag


keep = keep_real


def address_of(args: Record) -> Any:
    return args


def value_at(address: Index) -> Any:
    """Return the further arguments of the function: none, unless this name is bound to something else."""
    return ()


def each_scalar(
    nodes: Array, nodes2: Array, which: Array, values: Target, count: Index, start: Index, context: Record, args: Record
) -> None:
    """Call a function of a scalar at the nodes."""
    for i in range(count):
        keep(values, count, i, fun(FLOAT(nodes[i]), *args))


def each_vector(
    nodes: Array, nodes2: Array, which: Array, values: Target, count: Index, start: Index, context: Record, args: Record
) -> None:
    """Call a function of a vector at points of which one variable, or two, are at the nodes."""
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
    nodes: Array,
    nodes2: Array,
    which: Array,
    values: Target,
    count: Index,
    start: Index,
    context: Record,
    address: Index,
) -> None:
    """Sample the function: the last of the functions that `run` gets."""
    each(nodes, nodes2, which, values, count, start, context, value_at(address))


@cold
def search(
    functions: Record,
    scratch: Record,
    problem: Record,
    results: Record,
    numbers: Record,
    kind: Record,
    context: Record,
    address: Index,
    start: Index,
    stop: Index,
) -> None:
    """Search for the tasks from start to stop, block by block."""
    for begin in range(start, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        run(functions, scratch, problem, results, numbers, kind, context, address, begin, end)


@cold
def centers(sample: Index, nodes: Array, which: Array, lanes: Target, context: Record, address: Index) -> None:
    """Call the function at all points, whose first variables are the nodes."""
    call(sample, (nodes, nodes, which, lanes, nodes.size, 0, context, address))


def hold(function: Index, before: Record, args: Record, after: Record) -> None:
    """Call `centers` or `search` with the address of further arguments, which lie on the stack meanwhile."""
    call(function, (*before, address_of(args), *after))
