"""Derivatives of functions: the arguments, checked."""

from typing import Any, NamedTuple

import numpy as np

from numgrad._checks import choice, flag, integer, numbers, refuse_masked, refuse_units
from numgrad.functions._calls import Model, caller_of
from numgrad.functions._exactly import METHODS, Exactly
from numgrad.functions._result import Derivative
from numgrad.functions._search import Search

# The order of accuracy of quotients whose step is searched for, and the highest one.
ACCURATE, MOST_ACCURATE = 10, 20

# What functions take and return: a number; a vector; a vector, and return a number.
NUMBER, VECTOR, TO_NUMBER = "number", "vector", "vector to number"


class Options(NamedTuple):
    """The arguments that all these functions share."""

    accuracy: Any
    step: Any
    bounds: Any
    vectorized: Any
    args: Any
    method: Any


class Problem(NamedTuple):
    """A function, the points it is differentiated at, one column for each, and how."""

    model: Model
    order: int
    accuracy: int
    step: np.ndarray | None
    room: np.ndarray | None
    is_vectorized: bool
    method: str
    is_to_number: bool

    @property
    def exactly(self) -> Exactly:
        """How it is differentiated exactly, if it can be."""
        has_step = self.step is not None or self.accuracy != ACCURATE
        return Exactly(self.model, self.order, self.method, has_step, self.is_vectorized, self.refuse_arrays)

    def exact(self) -> Derivative | None:
        """Return the exact derivative; None if quotients have to do."""
        return self.exactly.derivative()

    def search(self) -> Search:
        """Return the search for quotients."""
        return Search(caller_of(self.model, self.is_vectorized), self.accuracy, self.step, self.room)

    def refuse_arrays(self, shape: tuple[int, ...]) -> None:
        """Refuse values of a shape where the function has to return a number."""
        if self.is_to_number and shape:
            raise ValueError(f"`fun` returned an array of shape {shape}; `gradient` is for one number, use `jacobian`")


def prepare(fun: Any, x: Any, options: Options, kind: str, order: Any) -> Problem:
    """Check the arguments, of a function of a kind."""
    order, is_vector = integer("n", order, 1, 10), kind != NUMBER
    if not callable(fun):
        raise TypeError(f"`fun` is {fun!r}, which cannot be called; give a function")
    if not isinstance(options.args, tuple):
        raise TypeError(f"`args` is {options.args!r}; give a tuple, ({options.args!r},) for one argument")
    accuracy = integer("accuracy", options.accuracy, 2, MOST_ACCURATE)
    if accuracy % 2:
        raise ValueError(f"`accuracy` is {accuracy}; central quotients have an even order of accuracy")
    points = _points(x, is_vector)
    shape = points.shape[1:] if is_vector else points.shape
    # A copy: kernels are compiled for arrays that can be written to; and the error of an exact derivative is computed
    # when it is asked for, which may be after the caller has written over x.
    flat = np.array(points, order="C").reshape(points.shape[0] if is_vector else 1, -1)
    room = None if options.bounds is None else _room(flat, points, options.bounds)
    steps = None if options.step is None else _steps(flat, points, options.step)
    is_vectorized, method = flag("vectorized", options.vectorized), choice("method", options.method, METHODS)
    model = Model(fun, flat, is_vector, options.args, shape)
    return Problem(model, order, accuracy, steps, room, is_vectorized, method, kind == TO_NUMBER)


def _points(x: Any, is_vector: bool) -> np.ndarray:
    refuse_units(x, "x")
    refuse_masked(x, "x")
    points = np.asarray(x)
    if points.dtype.kind in "biu":
        points = points.astype(float)
    if points.dtype not in ("f4", "f8"):
        raise TypeError(f"`x` has dtype {points.dtype}; give real points, of float32 or float64")
    if is_vector and points.ndim == 0:
        raise ValueError("`x` is a number; give a vector of the variables of `fun`, or use `derivative`")
    if points.size == 0:
        missing = "variable" if is_vector and points.shape[0] == 0 else "point"
        raise ValueError(f"`x` has shape {points.shape}; give at least one {missing}")
    return points


def _first(array: np.ndarray, mask: np.ndarray) -> str:
    """The first of the chosen elements, and where it is."""
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return f"{array[index]}" + (f" at index {index if len(index) > 1 else index[0]}" if index else "")


def _spread(name: str, value: Any, points: np.ndarray) -> np.ndarray:
    """Broadcast to the shape of the points; a value for each variable fits any number of points."""
    refuse_units(value, name)
    refuse_masked(value, name)
    given = numbers(name, value)
    if given.ndim == 1 and points.ndim > 1 and given.shape[0] == points.shape[0]:
        given = given.reshape(-1, *(1,) * (points.ndim - 1))
    try:
        return np.array(np.broadcast_to(given, points.shape))
    except ValueError:
        raise ValueError(f"`{name}` has shape {given.shape}, which does not fit `x` of shape {points.shape}") from None


def _room(flat: np.ndarray, points: np.ndarray, bounds: Any) -> np.ndarray:
    """Return the distances from the points to the lower bounds, and to the upper ones."""
    message = f"`bounds` is {bounds!r}; give a pair, the lower and the upper bounds"
    if not isinstance(bounds, (tuple, list)) and not (isinstance(bounds, np.ndarray) and bounds.ndim):
        raise TypeError(message)
    if len(bounds) != 2:
        raise ValueError(message)
    low, high = bounds
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
    lost = (points + steps.astype(points.dtype) == points) & np.isfinite(points)
    if lost.any():
        raise ValueError(f"`step` is {_first(steps, lost)}, which is nothing beside `x` = {_first(points, lost)}")
    return steps.reshape(flat.shape)
