"""Derivatives of functions by difference quotients: what is asked for, checked, and put into shape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numgrad.functions._quotients import central, mixed, mixed_one_sided, one_sided
from numgrad.functions._result import Derivative
from numgrad.functions._samples import Model, Tasks, caller_of
from numgrad.functions._search import Found, Search

MOST_ACCURATE = 20


def derivative(
    fun: Callable[..., Any],
    x: Any,
    *,
    n: int = 1,
    accuracy: int = 10,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
) -> Derivative:
    n = _integer("n", n, 1, 10)
    search, points = _prepare(fun, x, False, accuracy, step, bounds, vectorized, args)
    tasks = Tasks(np.arange(points.shape[1]), np.zeros(points.shape[1], np.int64))
    found = search.find(tasks, [central(n), one_sided(n, 1), one_sided(n, -1)])
    return _result(search, found, ())


def gradient(
    fun: Callable[..., Any],
    x: Any,
    *,
    accuracy: int = 10,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
) -> Derivative:
    return _jacobian(fun, x, accuracy, step, bounds, vectorized, args, is_scalar=True)


def jacobian(
    fun: Callable[..., Any],
    x: Any,
    *,
    accuracy: int = 10,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
) -> Derivative:
    return _jacobian(fun, x, accuracy, step, bounds, vectorized, args, is_scalar=False)


def hessian(
    fun: Callable[..., Any],
    x: Any,
    *,
    accuracy: int = 10,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
) -> Derivative:
    search, points = _prepare(fun, x, True, accuracy, step, bounds, vectorized, args)
    variables, count = points.shape
    diagonal = search.find(_tasks(np.arange(variables), None, count), [central(2), one_sided(2, 1), one_sided(2, -1)])
    i, j = np.triu_indices(variables, 1)
    found = Found.nothing(search.lanes, variables**2 * count)
    _place(found, diagonal, np.arange(variables) * (variables + 1), count)
    if i.size:
        sides = [mixed_one_sided(a, b) for a in (1, -1) for b in (1, -1)]
        mixed_partials = search.find(_tasks(i, j, count), [mixed(), *sides])
        _place(found, mixed_partials, i * variables + j, count)
        _place(found, mixed_partials._replace(calls=np.zeros_like(mixed_partials.calls)), j * variables + i, count)
    return _result(search, found, (variables, variables))


def _jacobian(
    fun: Any, x: Any, accuracy: Any, step: Any, bounds: Any, vectorized: Any, args: Any, *, is_scalar: bool
) -> Derivative:
    search, points = _prepare(fun, x, True, accuracy, step, bounds, vectorized, args)
    shape = search.caller.values.shape
    if is_scalar and shape:
        raise ValueError(f"`fun` returned an array of shape {shape}; `gradient` is for one number, use `jacobian`")
    tasks = _tasks(np.arange(points.shape[0]), None, points.shape[1])
    found = search.find(tasks, [central(1), one_sided(1, 1), one_sided(1, -1)])
    return _result(search, found, points.shape[:1])


def _tasks(first: np.ndarray, second: np.ndarray | None, points: int) -> Tasks:
    """For each variable, or pair of them, and each point, which runs fastest."""
    rest = None if second is None else np.repeat(second, points)
    return Tasks(np.tile(np.arange(points), first.size), np.repeat(first, points), rest)


def _place(found: Found, part: Found, rows: np.ndarray, points: int) -> None:
    """Put a part of a matrix where it belongs: its rows of tasks are these of all."""
    tasks = (rows[:, None] * points + np.arange(points)).reshape(-1)
    for whole, some in zip(found, part, strict=True):
        whole[..., tasks] = some


def _prepare(
    fun: Any, x: Any, is_vector: bool, accuracy: Any, step: Any, bounds: Any, vectorized: Any, args: Any
) -> tuple[Search, np.ndarray]:
    if not callable(fun):
        raise ValueError(f"`fun` is {fun!r}, which cannot be called; give a function")
    if not isinstance(args, tuple):
        raise ValueError(f"`args` is {args!r}; give a tuple, ({args!r},) for one argument")
    accuracy = _integer("accuracy", accuracy, 2, MOST_ACCURATE)
    if accuracy % 2:
        raise ValueError(f"`accuracy` is {accuracy}; central quotients have an even order of accuracy")
    points = np.asarray(x)
    if points.dtype.kind in "biu":
        points = points.astype(float)
    if points.dtype not in ("f4", "f8"):
        raise ValueError(f"`x` has dtype {points.dtype}; give real points, of float32 or float64")
    if is_vector and points.ndim == 0:
        raise ValueError("`x` is a number; give a vector of the variables of `fun`, or use `derivative`")
    shape = points.shape[1:] if is_vector else points.shape
    # A copy: kernels are compiled for arrays that can be written to.
    flat = np.array(points, order="C").reshape(points.shape[0] if is_vector else 1, -1)
    if flat.shape[0] == 0 or flat.shape[1] == 0:
        raise ValueError(
            f"`x` has shape {points.shape}; give at least one " + ("variable" if flat.shape[1] else "point")
        )
    if not np.isfinite(flat).all():
        raise ValueError(f"`x` is {_first(points, ~np.isfinite(points))}; give finite points")
    room = None if bounds is None else _room(flat, points, bounds)
    steps = None if step is None else _steps(flat, points, step)
    caller = caller_of(Model(fun, flat, is_vector, args, shape), bool(vectorized))
    is_bad = ~np.isfinite(caller.values.lanes).all(axis=0)
    if is_bad.any():
        point = int(np.argmax(is_bad))
        where = flat[:, point].tolist() if is_vector else flat[0, point]
        value = caller.values.lanes[:, point]
        raise ValueError(
            f"`fun` is {value.tolist() if value.size > 1 else value[0]} at `x` = {where}, a point itself; "
            "there is no derivative where there is no value"
        )
    return Search(caller, accuracy, steps, room), flat


def _integer(name: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"`{name}` is {value!r}; give an integer from {least} to {most}")
    value = value.__index__()
    if not least <= value <= most:
        raise ValueError(f"`{name}` is {value}; give an integer from {least} to {most}")
    return int(value)


def _first(array: np.ndarray, mask: np.ndarray) -> str:
    """The first of the chosen elements, and where it is."""
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return f"{array[index]}" + (f" at index {index if len(index) > 1 else index[0]}" if index else "")


def _spread(name: str, value: Any, points: np.ndarray) -> np.ndarray:
    """Broadcast to the shape of the points; a value for each variable fits any number of points."""
    given = np.asarray(value, float)
    if given.ndim == 1 and points.ndim > 1 and given.shape[0] == points.shape[0]:
        given = given.reshape(-1, *(1,) * (points.ndim - 1))
    try:
        return np.array(np.broadcast_to(given, points.shape))
    except ValueError:
        raise ValueError(f"`{name}` has shape {given.shape}, which does not fit `x` of shape {points.shape}") from None


def _room(flat: np.ndarray, points: np.ndarray, bounds: Any) -> np.ndarray:
    """How far it is from the points to the lower bounds, and to the upper ones."""
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise ValueError(f"`bounds` is {bounds!r}; give a pair, the lower and the upper bounds") from None
    low, high = _spread("bounds", low, points), _spread("bounds", high, points)
    if not (low <= high).all():
        raise ValueError(f"`bounds`: the lower bound {_first(low, ~(low <= high))} is not below the upper one")
    outside = (points < low) | (points > high)
    if outside.any():
        raise ValueError(f"`x` is {_first(points, outside)}, which is outside of `bounds`")
    return np.stack([points - low, high - points]).reshape(2, *flat.shape)


def _steps(flat: np.ndarray, points: np.ndarray, step: Any) -> np.ndarray:
    steps = _spread("step", step, points)
    if not ((steps > 0) & np.isfinite(steps)).all():
        raise ValueError(f"`step` is {_first(steps, ~((steps > 0) & np.isfinite(steps)))}; give positive numbers")
    lost = points + steps.astype(points.dtype) == points
    if lost.any():
        raise ValueError(f"`step` is {_first(steps, lost)}, which is nothing beside `x` = {_first(points, lost)}")
    return steps.reshape(flat.shape)


def _result(search: Search, found: Found, variables: tuple[int, ...]) -> Derivative:
    """Lanes to numbers, tasks to variables and points."""
    values, model = search.caller.values, search.caller.model
    shape = values.shape + variables + model.shape
    value, error, step, converged = found[:4]
    if values.dtype.kind == "c":
        half = value.shape[0] // 2
        value = value[:half] + 1j * value[half:]
        error = np.hypot(error[:half], error[half:])
        step = np.minimum(step[:half], step[half:])
        converged = converged[:half] & converged[half:]
    value = value.astype(np.result_type(values.dtype, model.points.dtype), copy=False)
    calls = found.calls.reshape(-1, model.points.shape[1]).sum(axis=0) + 1
    value, error, step = (a.reshape(shape)[()] for a in (value, error, step))
    n_eval = calls.reshape(model.shape)
    is_converged = converged.reshape(shape)
    return Derivative(
        value,
        error,
        step,
        n_eval=n_eval if n_eval.ndim else int(n_eval),
        converged=is_converged if is_converged.ndim else bool(is_converged),
    )
