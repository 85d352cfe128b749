"""Derivatives of any order and accuracy: exact polynomials at every point, order of convergence, ends, errors."""

from math import factorial

import numpy as np
import pytest
from helpers import LAYOUTS, assert_same, same_bits, uneven, values
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

import numgrad as ng

GRIDS = {
    "even": lambda n: np.arange(n) * 0.25 - 1,
    "stretched": lambda n: np.sinh(np.linspace(-1, 1.5, n)),
    "alternating": lambda n: np.cumsum(np.where(np.arange(n) % 2, 0.1, 0.2)),
    "random": lambda n: np.cumsum(np.random.default_rng(n).random(n) * 0.3 + 0.1),
    "falling": lambda n: -np.cumsum(np.random.default_rng(n).random(n) * 0.3 + 0.1),
}


def spread(x, n, count):
    """What rounding may do: the samples' rounding errors, divided by the shortest distance to the power n."""
    return 2.0**-52 * count**2 * factorial(n) / np.abs(np.diff(x)).min() ** n


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("accuracy", [2, 4, 6, 8])
@pytest.mark.parametrize("grid", GRIDS)
def test_exact_for_polynomials_at_every_point(grid, n, accuracy):
    for size in (n + accuracy, n + accuracy + 1, 2 * (n + accuracy) + 1, 40):
        x = GRIDS[grid](size)
        center, scale = x.mean(), np.ptp(x) / 2
        for degree in range(n + accuracy):
            p = np.polynomial.Polynomial([0] * degree + [1], domain=[center - scale, center + scale], window=[-1, 1])
            got = ng.derivative(p(x), x, n=n, accuracy=accuracy)
            assert abs(got - p.deriv(n)(x)).max() <= spread(x, n, n + accuracy) * 40, (size, degree)
            if grid == "even":
                even = ng.derivative(p(x), x[1] - x[0], n=n, accuracy=accuracy)
                assert abs(even - p.deriv(n)(x)).max() <= spread(x, n, n + accuracy) * 40, (size, degree)


def orders(n, accuracy, sizes, grid, **options):
    """The order of convergence measured at each end and inside."""
    errors = []
    for size in sizes:
        t = np.linspace(0, 1, size)
        x = t + 0.1 * np.sin(2 * np.pi * t) / (2 * np.pi) if grid == "smooth" else t
        given = x if grid == "smooth" else t[1]
        error = abs(ng.derivative(np.exp(2 * x), given, n=n, accuracy=accuracy, **options) - 2**n * np.exp(2 * x))
        errors.append((error[0], error[size // 3 : -size // 3].max(), error[-1]))
    a, b = np.array(errors)
    return np.log(a / b) / np.log((sizes[1] - 1) / (sizes[0] - 1))


# Numbers of points for each n and accuracy: enough for the order to be seen, not so many that rounding hides it.
SIZES = {
    (1, 2): (401, 801),
    (1, 4): (101, 201),
    (1, 6): (61, 91),
    (2, 2): (401, 801),
    (2, 4): (101, 201),
    (3, 2): (201, 401),
    (3, 4): (51, 101),
    (4, 2): (101, 201),
}


@pytest.mark.parametrize("grid", ["even", "smooth"])
@pytest.mark.parametrize(("n", "accuracy"), SIZES)
def test_order_of_convergence(grid, n, accuracy):
    sizes = SIZES[n, accuracy]
    low, inside, high = orders(n, accuracy, sizes, grid)
    assert abs(low - accuracy) < 0.2 + 0.1 * (n > 2)
    assert abs(high - accuracy) < 0.2 + 0.1 * (n > 2)
    # Where n is even, the points of an uneven grid lie to one side, and a smooth grid can only gain by that.
    assert inside > accuracy - 0.2


def test_edge_accuracy():
    for edge_accuracy in (1, 2, 3):
        low, inside, high = orders(1, 4, (101, 201), "even", edge_accuracy=edge_accuracy)
        assert abs(low - edge_accuracy) < 0.2
        assert abs(high - edge_accuracy) < 0.2
        assert abs(inside - 4) < 0.2


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("accuracy", [2, 4, 8])
def test_periodic(n, accuracy):
    """No ends: shifting the samples shifts the result, to the bit on even grids; and the order is kept."""
    errors = []
    for size in (32, 64):
        t = np.arange(size) * (2 * np.pi / size)
        f, exact = np.sin(t), [np.cos(t), -np.sin(t), -np.cos(t)][n - 1]
        got = ng.derivative(f, t[1], n=n, accuracy=accuracy, boundary="periodic")
        rolled = ng.derivative(np.roll(f, 5), t[1], n=n, accuracy=accuracy, boundary="periodic")
        assert np.allclose(np.roll(got, 5), rolled, rtol=0, atol=1e-12)
        errors.append(abs(got - exact).max())
        x = t + 0.3 * np.sin(t)
        for sign in (1, -1):
            uneven_got = ng.derivative(
                np.sin(x), sign * x, n=n, accuracy=accuracy, boundary="periodic", period=2 * np.pi
            )
            wanted = sign**n * np.array([np.cos(x), -np.sin(x), -np.cos(x)][n - 1])
            assert abs(uneven_got - wanted).max() < 40 * errors[-1] + 1e-9
    if errors[1] > 1e-10:
        assert abs(np.log2(errors[0] / errors[1]) - accuracy) < 0.2


def test_empty_ends():
    x = uneven(30)
    f = np.sin(x)
    for given in (0.1, x):
        for n, accuracy in ((1, 4), (2, 2), (2, 4), (3, 4)):
            full = ng.derivative(f, given, n=n, accuracy=accuracy)
            got = ng.derivative(f, given, n=n, accuracy=accuracy, boundary="nan")
            taps = (
                ng.Stencil.central(n, accuracy).offsets
                if given is not x
                else range(-((n + accuracy) // 2), (n + accuracy + 1) // 2)
            )
            inside = slice(-min(taps), 30 - max(taps))
            assert same_bits(got[inside], full[inside])
            assert np.isnan(got[: inside.start]).all()
            assert np.isnan(got[inside.stop :]).all()


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i4", "u1"])
@pytest.mark.parametrize("edge_accuracy", [1, 2, None])
def test_second_order_is_gradient(dtype, edge_accuracy):
    f = values(dtype, (6, 7))
    for axis in (0, 1, -2):
        for given in (0.3, -2.0, uneven(f.shape[axis])):
            expected = np.gradient(f, given, axis=axis, edge_order=edge_accuracy or 2)
            assert_same(expected, ng.derivative(f, given, axis=axis, edge_accuracy=edge_accuracy))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2", "u8"])
@pytest.mark.parametrize("given", ["number", "coordinates"])
def test_dtypes_axes_layouts(dtype, given):
    """Every line alone gives what the array gives."""
    f = values(dtype, (14, 12, 13)) // 1000 if np.dtype(dtype).kind in "iu" else values(dtype, (14, 12, 13))
    for axis in range(3):
        x = 0.7 if given == "number" else uneven(f.shape[axis])
        lines = np.moveaxis(f, axis, -1)
        expected = np.empty(lines.shape, np.result_type(f.dtype, "f4" if dtype in ("f4", "c8") else "f8"))
        for i in np.ndindex(lines.shape[:2]):
            expected[i] = ng.derivative(lines[i].copy(), x, n=2, accuracy=4)
        expected = np.moveaxis(expected, -1, axis)
        for layout in LAYOUTS:
            g = LAYOUTS[layout](f)
            got = ng.derivative(g, x, n=2, accuracy=4, axis=axis)
            assert got.dtype == expected.dtype
            assert got.shape == f.shape
            if layout == "broadcast":
                continue
            reordered = expected[::-1] if layout == "reversed" and axis != 0 else expected
            if layout == "reversed" and axis == 0:
                continue
            assert same_bits(got, np.ascontiguousarray(reordered)) or layout == "middle axis last"
            assert np.allclose(got, reordered, rtol=1e-4 if dtype in ("f4", "c8") else 1e-10)


@pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")  # distances below zero, as Python
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("boundary", ["one-sided", "nan"])
def test_stencils_as_python(n, boundary):
    """The source of the kernels, under NUMBA_DISABLE_JIT=1."""
    for shape, axis in (((12,), 0), ((3, 12), 1), ((12, 3), 0)):
        x = uneven(12)
        line = np.poly1d([1, -2, 3, 1, 5])
        f = np.broadcast_to(np.expand_dims(line(x), [a for a in range(len(shape)) if a != axis]), shape)
        got = np.moveaxis(ng.derivative(f, x, n=n, accuracy=4, axis=axis, boundary=boundary), axis, -1)
        inside = slice(3, -3) if boundary == "nan" else slice(None)
        assert np.allclose(got[..., inside], line.deriv(n)(x)[inside], rtol=1e-9)
        f = np.broadcast_to(np.expand_dims(line(np.arange(12.0)), [a for a in range(len(shape)) if a != axis]), shape)
        got = np.moveaxis(ng.derivative(f, n=n, accuracy=4, axis=axis, boundary=boundary), axis, -1)
        assert np.allclose(got[..., inside], line.deriv(n)(np.arange(12.0))[inside], rtol=1e-9)


@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
@pytest.mark.parametrize("threads", [1, 3])
def test_large_paths_agree(streaming, threads, lower):
    cases = [((500,), 0), ((30, 17), 0), ((17, 30), 1), ((6, 20, 5), 1)]
    made = [
        (values("f8", shape), x, {"n": 2, "accuracy": 4, "axis": axis, "boundary": boundary})
        for shape, axis in cases
        for x in (0.3, uneven(shape[axis]))
        for boundary in ("one-sided", "nan")
    ]
    expected = [ng.derivative(f, x, **options) for f, x, options in made]
    lower(33, threads, streaming)
    for (f, x, options), wanted in zip(made, expected, strict=True):
        assert_same(wanted, ng.derivative(f, x, **options))


EVEN = 1.0


@pytest.mark.parametrize("accuracy", [2, 4, 8])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_nan_stays_where_weights_are(n, accuracy):
    f = np.arange(40.0) ** 2
    for given in (EVEN, np.arange(40) + np.where(np.arange(40) == 0, -0.5, 0)):
        for at in (0, 3, 20, 39):
            g = f.copy()
            g[at] = np.nan
            got = np.isnan(ng.derivative(g, given, n=n, accuracy=accuracy))
            weight = np.zeros((40, 40))
            for j in range(40):
                unit = np.zeros(40)
                unit[j] = 1
                weight[:, j] = ng.derivative(unit, given, n=n, accuracy=accuracy)
            if (n, accuracy) == (1, 2) and given is not EVEN:
                assert np.array_equal(got, np.isnan(np.gradient(g, given, edge_order=2)))  # which adds 0 * NaN
            else:
                assert np.array_equal(got, weight[:, at] != 0)


def test_out():
    f = values("f8", (20, 30))
    expected = ng.derivative(f, n=2, axis=0)
    for out in (np.empty_like(f), np.empty_like(f, order="F"), np.empty((20, 60))[:, ::2]):
        assert ng.derivative(f, n=2, axis=0, out=out) is out
        assert same_bits(out, expected)
    assert ng.derivative(f, n=2, axis=0, out=f) is f
    assert same_bits(f, expected)


def test_lists_and_other_input(tmp_path):
    assert ng.derivative([0, 1, 4, 9, 16], n=2).tolist() == [2, 2, 2, 2, 2]
    assert ng.derivative([0, 1, 4, 9, 16], [0, 1, 2, 3, 4], n=2).tolist() == [2, 2, 2, 2, 2]
    assert ng.derivative(np.arange(5, dtype=">f8") ** 2, n=2).tolist() == [2, 2, 2, 2, 2]
    assert ng.derivative(np.arange(5) ** 2, -1, n=1, accuracy=4).tolist() == pytest.approx(
        [0, -2, -4, -6, -8], abs=1e-13
    )
    assert ng.derivative(np.zeros((0, 5)), n=2).shape == (0, 5)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given_by(
    st.integers(1, 4), st.sampled_from([2, 4, 6]), st.integers(0, 12),
    st.sampled_from(["one-sided", "nan", "periodic"]), st.booleans(), st.integers(0, 10**6), st.integers(1, 6),
)  # fmt: skip
def test_naive_oracle(n, accuracy, extra, boundary, is_even, seed, edge):
    """One point at a time, by `weights`."""
    size = n + max(accuracy, edge) + 1 + extra
    rng = np.random.default_rng(seed)
    f, x = rng.standard_normal(size), np.cumsum(rng.random(size) + 0.2)
    h = 0.5
    options = {"edge_accuracy": edge} if boundary == "one-sided" else {}
    if boundary == "periodic" and not is_even:
        options["period"] = x[-1] - x[0] + 0.7
    got = ng.derivative(f, h if is_even else x, n=n, accuracy=accuracy, boundary=boundary, **options)
    if n == 1 and accuracy == 2 and options.get("edge_accuracy") in (1, 2):
        return
    grid = np.arange(size) * h if is_even else x
    period = size * h if is_even else options.get("period")
    taps = range(-((n + accuracy) // 2), (n + accuracy + 1) // 2)
    if is_even:
        taps = [int(o) for o in ng.Stencil.central(n, accuracy).offsets]
    for i in range(size):
        places = np.array([i + t for t in taps])
        if places.min() < 0 or places.max() >= size:
            if boundary == "nan":
                assert np.isnan(got[i])
                continue
            if boundary == "one-sided":
                low = i < min(-min(taps), (size + 1) // 2)
                count = n + edge
                first = i - min(i, count // 2) if low else i + min(size - 1 - i, count // 2) + 1 - count
                places = first + np.arange(count)
        points = grid[places % size] + (period * (places // size) if period else 0)
        w = ng.weights(points, grid[i], n)
        terms = w * f[places % size]
        assert abs(got[i] - terms.sum()) <= 1e-11 * abs(terms).sum(), i


BAD = {
    "odd accuracy": (lambda f: ng.derivative(f, accuracy=3), ValueError, "`accuracy` is 3, give an even number"),
    "no accuracy": (lambda f: ng.derivative(f, accuracy=0), ValueError, "`accuracy` is 0, give at least 1"),
    "n of 0": (lambda f: ng.derivative(f, n=0), ValueError, "`n` is 0, give at least 1"),
    "n of a float": (lambda f: ng.derivative(f, n=1.0), TypeError, "`n` is 1.0, give an integer"),
    "boundary": (lambda f: ng.derivative(f, boundary="wrap"), ValueError, "'wrap', give one of 'one-sided'"),
    "edge accuracy": (lambda f: ng.derivative(f, edge_accuracy=0), ValueError, "`edge_accuracy` is 0"),
    "no edges": (lambda f: ng.derivative(f, edge_accuracy=2, boundary="nan"), ValueError, "has no edges"),
    "axis": (lambda f: ng.derivative(f, axis=1), np.exceptions.AxisError, "out of bounds"),
    "short": (lambda f: ng.derivative(f, n=4, accuracy=8), ValueError, "axis 0 has 9 points; n=4 .* at least 12"),
    "short period": (lambda f: ng.derivative(f, n=1, accuracy=10, boundary="periodic"), ValueError, "at least 11"),
    "zero": (lambda f: ng.derivative(f, 0), ValueError, "`x` is 0.0"),
    "infinite": (lambda f: ng.derivative(f, np.inf), ValueError, "`x` is inf"),
    "shape": (lambda f: ng.derivative(f, [1, 2]), ValueError, r"`x` has shape \(2,\), give a number or the coord"),
    "repeated": (lambda f: ng.derivative(f, [0, 1, 2, 2, 3, 4, 5, 6, 7]), ValueError, "goes from 2.0 to 2.0 at 3"),
    "turning": (lambda f: ng.derivative(f, [0, 1, 2, 1, 3, 4, 5, 6, 7]), ValueError, "goes from 2.0 to 1.0 at 3"),
    "nan": (lambda f: ng.derivative(f, [0, 1, np.nan, 3, 4, 5, 6, 7, 8]), ValueError, "not finite"),
    "complex x": (lambda f: ng.derivative(f, 1j), TypeError, "`x` has dtype complex128"),
    "no period": (lambda f: ng.derivative(f, np.arange(9), boundary="periodic"), ValueError, "`period` is missing"),
    "small period": (
        lambda f: ng.derivative(f, np.arange(9), boundary="periodic", period=8), ValueError, "`period` is 8, .* span 8"
    ),
    "useless period": (lambda f: ng.derivative(f, boundary="periodic", period=9), ValueError, "leave it away"),
    "bool": (lambda f: ng.derivative(f > 0), TypeError, "`f` has dtype bool"),
    "float16": (lambda f: ng.derivative(f.astype("f2")), TypeError, "`f` has dtype float16"),
    "masked": (lambda f: ng.derivative(np.ma.array(f)), TypeError, "MaskedArray; give f.filled"),
    "out": (lambda f: ng.derivative(f, n=2, out=np.empty(8)), ValueError, r"`out` has shape \(8,\)"),
    "dtype of out": (lambda f: ng.derivative(f, n=2, out=np.empty(9, "f4")), TypeError, "`out` has dtype float32"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call(np.arange(9.0))
