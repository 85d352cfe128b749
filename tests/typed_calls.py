"""Calls of a user: `mypy` and `pyright` know what comes back, and that mistakes are some.

Both run over this file in `.ci/run`, and find an ignored line that is right, too. Nothing here is called.
"""

from collections.abc import Sequence
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import numgrad as ng

Real = np.dtype[np.float64]
Array = np.ndarray
Pair = tuple[np.ndarray, np.ndarray]
Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
Either = np.ndarray | tuple[np.ndarray, ...]


def of_any_shape(
    f: NDArray[np.float64], numbers: list[float], x: Sequence[float], axis: tuple[int, ...], given: Any
) -> None:
    assert_type(ng.gradient(f), Either)
    assert_type(ng.gradient(f, 0.1, x), Either)
    assert_type(ng.gradient(f, axis=0), Array)
    assert_type(ng.gradient(f, x, axis=-1, edge_order=2), Array)
    assert_type(ng.gradient(f, axis=(1,)), Array)
    assert_type(ng.gradient(f, axis=(0, 1)), Pair)
    assert_type(ng.gradient(f, axis=(0, 1, 2)), Triple)
    assert_type(ng.gradient(f, axis=axis), Either)
    assert_type(ng.gradient(f, axis=[0, 1]), Either)
    assert_type(ng.gradient(numbers, x), Array)
    assert_type(ng.gradient([numbers, numbers]), Pair)
    assert_type(ng.gradient([numbers, numbers], axis=0), Array)
    assert_type(ng.gradient(f, out=f), NDArray[np.float64])
    assert_type(ng.gradient(f, out=(f, f)), tuple[NDArray[np.float64], NDArray[np.float64]])
    assert_type(ng.gradient(given), Any)


def of_known_shape(
    line: np.ndarray[tuple[int], Real],
    plane: np.ndarray[tuple[int, int], Real],
    space: np.ndarray[tuple[int, int, int], Real],
) -> None:
    assert_type(ng.gradient(line), Array)
    assert_type(ng.gradient(plane, 0.1), Pair)
    assert_type(ng.gradient(space), Triple)
    assert_type(ng.gradient(plane, axis=1), Array)
    down, across = ng.gradient(plane)
    assert_type(down, Array)
    assert_type(across, Array)


def derivatives(f: np.ndarray, sigma: np.ndarray) -> None:
    assert_type(ng.derivative(f, 0.1, n=2, accuracy=4, boundary="periodic"), Array)
    assert_type(ng.derivative([0.0, 1.0, 4.0], nan="one-sided"), Array)
    assert_type(ng.derivative(f, out=f), Array)
    assert_type(ng.derivative(f, sigma=0.1), ng.WithError)
    assert_type(ng.derivative(f, sigma=sigma, window=5, degree=2), ng.WithError)
    assert_type(ng.laplacian(f, 0.1, accuracy=4, boundary=["periodic", "nan"]), Array)
    assert_type(ng.divergence([f, f], 0.1, axis=(0, 1)), Array)
    assert_type(ng.curl((f, f)), Array)
    assert_type(ng.jacobian([f, f]), Array)
    assert_type(ng.hessian(f, out=f), Array)
    assert_type(ng.smooth(f).derivative(2), Array)
    assert_type(ng.turning_points(f, ends=True).position, Array)
    assert_type(ng.weights([0.0, 1.0, 2.0], 0.5, 1), Array)
    assert_type(ng.sphere.gradient(f, f, f).east, Any)
    assert_type(ng.sphere.laplacian(f, f, f, radius=1.0), Array)
    assert_type(ng.sphere.vorticity(f, f, f, f), Array)


class Chunked:
    """Stands for objects of dask and xarray, which have results of their own kind."""

    chunks = ((2, 1), (3,))

    def __array__(self) -> np.ndarray:
        return np.zeros(3)


def of_objects(lazy: Chunked) -> None:
    assert_type(ng.gradient(lazy, axis=0), Any)
    assert_type(ng.derivative(lazy, n=2), Chunked)
    assert_type(ng.derivative(lazy, sigma=lazy), ng.WithError)
    assert_type(ng.laplacian(lazy), Any)
    assert_type(ng.divergence([lazy, lazy]), Any)
    assert_type(ng.sphere.laplacian(lazy), Any)


def functions(f: np.ndarray, cost: Any) -> None:
    assert_type(ng.functions.derivative(np.sin, 0.5, n=2), ng.functions.Derivative)
    assert_type(ng.functions.gradient(cost, f, method="exact").converged, Any)
    assert_type(ng.functions.value_and_gradient(cost)(f)[1], Array)
    assert_type(ng.functions.hessian_of(cost)(f), Array)
    assert_type(ng.symbolic.compile("x^2 y", "x y").gradient(f, f), Array)


def regression(X: np.ndarray, y: np.ndarray) -> None:
    run = ng.gradient_descent(X, y, learning_rate="bb", momentum=None, record="log", on_divergence="raise")
    assert_type(run, ng.Descent)
    assert_type(ng.step_size(X).limit, float)
    assert_type(run.step_size.iterations(1e-6), float)
    assert_type(ng.CompressedRows().update(X, y), ng.CompressedRows)


def mistakes(f: NDArray[np.float64]) -> None:
    ng.gradeint(f)  # type: ignore[attr-defined]
    ng.gradient(f, edge_order="2")  # type: ignore[call-overload]
    ng.gradient(f, axis=1.5)  # type: ignore[call-overload]
    ng.gradient(f, edgeorder=2)  # type: ignore[call-overload]
    ng.gradient(f).shape  # type: ignore[union-attr]
    ng.derivative(f, n="2")  # type: ignore[call-overload]
    ng.derivative(f, boundary="cyclic")  # type: ignore[call-overload]
    ng.derivative(f, 0.1, 2)  # type: ignore[call-overload]
    ng.derivative(f, sigma=0.1).shape  # type: ignore[attr-defined]
    ng.laplacian(f, boundaries="nan")  # type: ignore[call-overload]
    ng.sphere.vorticity(f, f, f, f, radius="6371 km")  # type: ignore[call-overload]
    ng.functions.derivative(0.5, np.sin)  # type: ignore[arg-type]
    ng.gradient_descent(f, f, learning_rate="fast")  # type: ignore[arg-type]
    ng.gradient_descent(f, f, 0.1, 100)  # type: ignore[call-arg]
    ng.step_size(f).maximum  # type: ignore[attr-defined]
    ng.smooth(f, robust="yes")  # type: ignore[arg-type]
