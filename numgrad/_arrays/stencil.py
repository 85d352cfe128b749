"""Finite-difference stencils as data: where to sample, by what to multiply, what comes out and how accurately."""

from dataclasses import dataclass
from fractions import Fraction
from math import factorial, isfinite
from typing import Any

import numpy as np

from numgrad._arrays.plan.fornberg import EXACT, fornberg, fractions, nonzero, symmetric
from numgrad._arrays.plan.gram import at_point
from numgrad._arrays.plan.options import read_window
from numgrad._arrays.plan.spacing import EXACT_INTEGERS, are_integers, exact, not_real
from numgrad._checks import integer, refuse_masked, refuse_units
from numgrad._system.tables import ROWS, Table, code, text, together


def weights(points: Any, x0: Any, n: int) -> np.ndarray:
    """Return the weights of a finite-difference formula: ``sum(w * f(points))`` approximates the n-th derivative at x0.

    The formula is exact for polynomials of degree below the number of points.

    Parameters
    ----------
    points : array_like of shape (..., m)
        Where `f` is sampled: m different numbers in any order, for each of any number of formulas. Integers of any size
        keep their digits, nanoseconds since 1970 among them.
    x0 : float or array_like of shape (...)
        Where the derivative is wanted. It need not be one of the points.
    n : int
        Order of the derivative, from 0 (interpolation) to m - 1.

    Returns
    -------
    ndarray of float64, of shape (..., m)
        The weights, in units of ``points ** -n``. Of one formula with up to 64 points, rounded once; of many formulas,
        by Fornberg's recursion in floating point, points taken from the nearest to the farthest.

    Raises
    ------
    TypeError
        If `n` is no integer, or `points` or `x0` are no real numbers; or quantities, whose unit would be lost.
    ValueError
        If `n` is negative, the points are too few, repeat or are not finite.

    See Also
    --------
    Stencil : weights with what is known about them.

    Notes
    -----
    The recursion adds one point after the other, and keeps the weights of all derivatives up to the n-th [1]_. It
    solves no linear system; that of the moments loses all digits at about 16 points.

    References
    ----------
    .. [1] B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", Mathematics of
       Computation 51 (1988), 699-706.

    Examples
    --------
    >>> import numgrad as ng
    >>> ng.weights([-1, 0, 1], 0, 2)
    array([ 1., -2.,  1.])
    >>> ng.weights([[0, 1, 3], [1, 3, 4]], [0, 3], 1)
    array([[-1.33333333,  1.5       , -0.16666667],
           [-0.16666667, -0.5       ,  0.66666667]])
    """
    x, at = _real(points, "points"), _real(x0, "x0")
    n = integer("n", n, 0)
    if x.ndim == 0 or x.shape[-1] <= n:
        count = x.shape[-1] if x.ndim else "no"
        raise ValueError(f"`points` has {count} points along its last axis, n={n} needs at least {n + 1}")
    if x.ndim == 1 and at.ndim == 0 and x.size <= EXACT:
        return np.array([float(w) for w in fornberg(fractions(x, at.item()), n)])
    try:
        shape = np.broadcast_shapes(x.shape[:-1], at.shape)
    except ValueError:
        raise ValueError(
            f"`x0` has shape {at.shape}, `points` {x.shape}; give one x0 for each line of points"
        ) from None
    offsets = np.broadcast_to(_distances(x, np.broadcast_to(at, shape)[..., None]), (*shape, x.shape[-1]))
    if (np.diff(np.sort(x, axis=-1), axis=-1) == 0).any():
        raise ValueError("`points` repeat; a formula needs different ones")
    # From the nearest point to the farthest, or rounding errors grow.
    order = np.argsort(np.abs(offsets), axis=-1, kind="stable")
    found = fornberg(list(np.moveaxis(np.take_along_axis(offsets, order, -1), -1, 0)), n)
    result = np.empty(offsets.shape)
    np.put_along_axis(result, order, np.stack(found, axis=-1), -1)
    return result


def _real(given: Any, name: str) -> np.ndarray:
    """Return an array of float64, or of integers as they are."""
    refuse_units(given, name)
    refuse_masked(given, name)
    array = exact(given)
    if array.dtype.kind in "iu" or are_integers(array):
        return array
    if array.dtype.kind != "f":
        raise not_real(name, given, array)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"`{name}` has values that are not finite")
    return array


def _distances(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return x - at in float64, rounded once where integers are beyond it."""
    if any(a.dtype.kind != "f" and ((a > EXACT_INTEGERS) | (a < -EXACT_INTEGERS)).any() for a in (x, at)):
        difference = np.frompyfunc(lambda p, a: float(Fraction(p) - Fraction(a)), 2, 1)
        return np.asarray(difference(x.astype(object), at.astype(object))).astype(np.float64)
    return x.astype(np.float64) - at.astype(np.float64)


@dataclass(frozen=True, repr=False)
class Stencil:
    """A finite-difference formula for samples at distance h: ``sum(weights[j] * f(x + offsets[j] * h)) / h**n``.

    Make one with `central`, `forward`, `backward`, `from_offsets` or `smoothing`. Weights that are exactly zero are
    left out, so that a NaN or infinity in a sample with no weight cannot reach the result.

    Parameters
    ----------
    offsets : tuple of float
        Where f is sampled, in units of h, ascending.
    weights : tuple of float
        A number for each offset.
    n : int
        Order of the derivative that comes out.
    accuracy : int
        The error is of order ``h**accuracy``.

    Attributes
    ----------
    offsets, weights, n, accuracy
        As given.

    Raises
    ------
    ValueError
        If offsets and weights are not what `n` and `accuracy` promise: with M[k] the sum of ``w * o**k / k!``, M[n] is
        1 and all other M[k] below ``n + accuracy`` are 0, by Taylor's theorem.

    See Also
    --------
    weights : for any points, many formulas at once.

    Examples
    --------
    >>> import numgrad as ng
    >>> ng.Stencil.central(2, accuracy=4)
    f'' = (-1/12 f[-2] + 4/3 f[-1] - 5/2 f[0] + 4/3 f[1] - 1/12 f[2]) / h^2 + O(h^4)
    >>> ng.Stencil.from_offsets([0, 1, 3], 1)
    f' = (-4/3 f[0] + 3/2 f[1] - 1/6 f[3]) / h + O(h^2)
    >>> ng.Stencil.forward(1, accuracy=1).weights
    (-1.0, 1.0)
    >>> ng.Stencil.smoothing(1, window=5, degree=2)
    f' = (-1/5 f[-2] - 1/10 f[-1] + 1/10 f[1] + 1/5 f[2]) / h + O(h^2)
    """

    offsets: tuple[float, ...]
    weights: tuple[float, ...]
    n: int
    accuracy: int

    def __post_init__(self) -> None:
        if len(self.offsets) != len(self.weights):
            raise ValueError(
                f"`offsets` has {len(self.offsets)} numbers and `weights` {len(self.weights)}; give as many"
            )
        if not all(map(isfinite, (*self.offsets, *self.weights))):
            raise ValueError("`offsets` and `weights` must be finite")
        if list(self.offsets) != sorted(set(self.offsets)):
            raise ValueError(f"`offsets` is {self.offsets}; give them ascending and different")
        integer("n", self.n, 0)
        integer("accuracy", self.accuracy, 1)
        for k in range(self.n + self.accuracy):
            terms = [w * float(o) ** k / factorial(k) for w, o in zip(self.weights, self.offsets, strict=True)]
            wanted, size = float(k == self.n), sum(map(abs, terms))
            # Weights are rounded once, powers and sums a little; a wrong formula misses by far more.
            if abs(sum(terms) - wanted) > 1e-13 * max(size, wanted):
                raise ValueError(
                    f"a stencil of n={self.n} and accuracy={self.accuracy} has moment {k} equal to {wanted:g}, "
                    f"this one has {sum(terms):g}; `Stencil.from_offsets` finds weights"
                )

    @classmethod
    def central(cls, n: int = 1, accuracy: int = 2) -> "Stencil":
        """Return the stencil of least width, symmetric about the point; `accuracy` is even."""
        n, accuracy = integer("n", n, 1), integer("accuracy", accuracy, 1)
        if accuracy % 2:
            raise ValueError(f"`accuracy` is {accuracy}; symmetric stencils have an even one; give {accuracy + 1}")
        return cls.from_offsets(symmetric(n, accuracy), n)

    @classmethod
    def forward(cls, n: int = 1, accuracy: int = 2) -> "Stencil":
        """Return the stencil on the point and those after it."""
        n, accuracy = integer("n", n, 1), integer("accuracy", accuracy, 1)
        return cls.from_offsets(range(n + accuracy), n)

    @classmethod
    def backward(cls, n: int = 1, accuracy: int = 2) -> "Stencil":
        """Return the stencil on the point and those before it."""
        n, accuracy = integer("n", n, 1), integer("accuracy", accuracy, 1)
        return cls.from_offsets(range(1 - n - accuracy, 1), n)

    @classmethod
    def from_offsets(cls, offsets: Any, n: int = 1) -> "Stencil":
        """Return the most accurate stencil on these offsets, which may be any real numbers, up to 64 of them."""
        given, n = np.sort(_real(list(offsets), "offsets").astype(np.float64)), integer("n", n, 1)
        if given.ndim != 1 or not n < given.size <= EXACT:
            raise ValueError(f"`offsets` has shape {given.shape}; n={n} needs {n + 1} to {EXACT} numbers")
        found = nonzero(fractions(given, 0.0), n)
        # As many points as conditions; symmetry may satisfy more.
        k = given.size
        while sum(w * o**k for o, w in found.items()) == 0:
            k += 1
        numbers = tuple(int(o) if o.denominator == 1 else float(o) for o in found)
        return cls(numbers, tuple(map(float, found.values())), n, k - n)

    @classmethod
    def smoothing(cls, n: int = 1, window: int = 5, degree: int = 2) -> "Stencil":
        """Return the stencil of Savitzky and Golay: the derivative in the middle of a polynomial that fits a window.

        The polynomial of a `degree` from n to ``window - 1``, up to 15, fits the samples of a `window`, an odd number
        of points from 3 to 767, by least squares. With n=0 it is the smoothed sample itself.
        """
        n, window, degree = read_window(n, window, degree)
        numbers, divisor = at_point(window, degree, n, 0)
        found = {o: Fraction(w, divisor) for o, w in enumerate(numbers, -(window // 2)) if w}
        # A polynomial of the degree is kept as it is; symmetry may keep one more.
        k = degree + 1
        while k <= window and sum(w * o**k for o, w in found.items()) == 0:
            k += 1
        return cls(tuple(found), tuple(map(float, found.values())), n, k - n)

    def _repr_html_(self) -> str:
        def row(i: int) -> list[str]:
            return [f"{self.offsets[i]:g}", "-" * (self.weights[i] < 0) + _size(self.weights[i])]

        shown = Table(["offset", "weight"], row, len(self.offsets)).html("Stencil")
        said = f"derivative {self.n}, of order {self.accuracy}, on {len(self.offsets)} samples"
        return together(shown, code([repr(self)]) if len(self.offsets) <= ROWS else text(said))

    def __repr__(self) -> str:
        names = {0: "f", 1: "f'", 2: "f''", 3: "f'''"}
        text = ""
        for offset, weight in zip(self.offsets, self.weights, strict=True):
            text += (" - " if weight < 0 else " + ") + f"{_size(weight)} f[{offset:g}]"
        text = text.removeprefix(" + ").replace(" - ", "-", 1) if text.startswith(" - ") else text.removeprefix(" + ")
        power = {0: "", 1: " / h"}.get(self.n, f" / h^{self.n}")
        order = "h" if self.accuracy == 1 else f"h^{self.accuracy}"
        return f"{names.get(self.n, f'f^({self.n})')} = ({text}){power} + O({order})"


def _size(weight: float) -> str:
    """Return a weight without its sign, as a fraction if it is one."""
    close = Fraction(weight).limit_denominator(10**6)
    return str(abs(close)) if float(close) == weight else f"{abs(weight):.6g}"
