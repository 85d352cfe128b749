"""Derivatives of any order and accuracy: exact polynomials at every point, order of convergence, ends, errors."""

import re
from fractions import Fraction
from itertools import pairwise
from math import factorial

import findiff
import numpy as np
import pytest
from helpers import LAYOUTS, assert_same, same_bits, tier, uneven, values
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

import numgrad as ng
from numgrad._arrays import derivative
from numgrad._arrays.plan.compose import drafted

pytestmark = pytest.mark.tier(0)

GRIDS = {
    "even": lambda n: np.arange(n) * 0.25 - 1,
    "stretched": lambda n: np.sinh(np.linspace(-1, 1.5, n)),
    "alternating": lambda n: np.cumsum(np.where(np.arange(n) % 2, 0.1, 0.2)),
    "random": lambda n: np.cumsum(np.random.default_rng(n).random(n) * 0.3 + 0.1),
    "falling": lambda n: -np.cumsum(np.random.default_rng(n).random(n) * 0.3 + 0.1),
}


def test_no_spacing_is_one():
    f = values("f8", (12,))
    for given in f, list(f), values("f8", (12, 24))[:, ::2]:
        assert same_bits(ng.derivative(given, 1.0, n=2), ng.derivative(given, n=2))
        assert same_bits(ng.derivative(given, 1.0, n=2), ng.derivative(given, None, n=2))
    assert ng.explain(ng.derivative, f, None) == ng.explain(ng.derivative, f) == ng.explain(ng.derivative, f, 1.0)


def spread(x, n, count):
    """What rounding may do: the samples' rounding errors, divided by the shortest distance to the power n."""
    return 2.0**-52 * count**2 * factorial(n) / np.abs(np.diff(x)).min() ** n


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("accuracy", [2, 4, 8])
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
            if axis == 0:
                for narrow in (uneven(6, "f4"), np.float32(0.3), 3, [0, 1, 3, 4, 6, 9]):
                    expected = np.gradient(f, narrow, axis=axis, edge_order=edge_accuracy or 2)
                    assert_same(expected, ng.derivative(f, narrow, axis=axis, edge_accuracy=edge_accuracy))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2", "u8"])
@pytest.mark.parametrize("given", ["number", "coordinates"])
def test_dtypes_axes_layouts(dtype, given):
    """Every line alone gives what the array gives."""
    f = values(dtype, (8, 6, 7)) // 1000 if np.dtype(dtype).kind in "iu" else values(dtype, (8, 6, 7))
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
        own = np.broadcast_to(np.expand_dims(x, [a for a in range(len(shape)) if a != axis]), shape)
        again = np.moveaxis(ng.derivative(f, own, n=n, accuracy=4, axis=axis, boundary=boundary), axis, -1)
        assert np.allclose(again, got, rtol=1e-9, equal_nan=True)
        for g in (f, f[::-1] if axis == 0 and len(shape) == 1 else f):
            around = ng.derivative(g, own, n=n, accuracy=4, axis=axis, boundary="periodic", period=1000.0)
            assert np.isfinite(around).all()
        f = np.broadcast_to(np.expand_dims(line(np.arange(12.0)), [a for a in range(len(shape)) if a != axis]), shape)
        got = np.moveaxis(ng.derivative(f, n=n, accuracy=4, axis=axis, boundary=boundary), axis, -1)
        assert np.allclose(got[..., inside], line.deriv(n)(np.arange(12.0))[inside], rtol=1e-9)


@pytest.mark.tier(1)
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


@pytest.mark.parametrize(("n", "accuracy"), [(1, 2), (2, 4)])
@pytest.mark.parametrize("boundary", ["one-sided", "periodic", "nan"])
def test_coordinates_of_each_line(n, accuracy, boundary):
    """Every line as it is alone, whatever the axis, the layout, the threads and the way the coordinates go."""
    shape = (14, 5, 13)
    f = values("f8", shape)
    for axis in (0, 2):
        size = shape[axis]
        x = np.stack([uneven(size) * (1 + 0.1 * i) + 5 * i for i in range(f.size // size)])
        x[1::2] *= -1
        x = np.moveaxis(x.reshape([s for a, s in enumerate(shape) if a != axis] + [size]), -1, axis)
        period = 2000.0 if boundary == "periodic" else None
        options = {"n": n, "accuracy": accuracy, "boundary": boundary, "period": period}
        got = ng.derivative(f, x, axis=axis, **options)
        lines, points, results = (np.moveaxis(a, axis, -1) for a in (f, x, got))
        for i in np.ndindex(lines.shape[:-1]):
            alone = ng.derivative(lines[i].copy(), points[i].copy(), **options)
            if (n, accuracy, boundary) == (1, 2, "one-sided"):  # which is np.gradient's own rounding
                assert np.allclose(results[i], alone, rtol=1e-9)
            else:
                assert same_bits(results[i], alone)
        for layout in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1].copy()[::-1]):
            assert same_bits(ng.derivative(layout(f), layout(x), axis=axis, **options), got)
            assert same_bits(ng.derivative(f, layout(x), axis=axis, **options), got)


@pytest.mark.tier(1)
@pytest.mark.parametrize("threads", [1, 3])
def test_large_paths_of_each_line(threads, lower):
    f, x = values("f4", (30, 40)), np.cumsum(np.random.default_rng(0).random((30, 40)) + 0.1, axis=0)
    with tier(0):
        expected = ng.derivative(f, x, n=2, axis=0)
    lower(50, threads, True)
    assert same_bits(ng.derivative(f, x, n=2, axis=0), expected)
    assert expected.dtype == "f4"


def intervals(line):
    """Where the runs of what is no NaN begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[1], np.isnan(line), [1]])))
    return list(zip(edges[::2], edges[1::2], strict=True))


@pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")  # distances below zero, as Python
@pytest.mark.parametrize("given", ["number", "coordinates", "own"])
@pytest.mark.parametrize(("n", "accuracy", "edge_accuracy"), [(1, 2, None), (2, 2, None), (1, 4, 2), (2, 4, None)])
def test_gaps_as_python(given, n, accuracy, edge_accuracy):
    """Each interval between NaNs is what it is alone; one too short for that is NaN."""
    rng = np.random.default_rng(0)
    f = rng.standard_normal((3, 60))
    f[0, [0, 9, 30, 31, 35, 55]] = np.nan
    f[1, rng.random(60) < 0.1] = np.nan
    f[2, 20:] = np.nan
    x = np.cumsum(rng.random((3, 60)) + 0.2, axis=1)
    x = {"number": -0.5, "coordinates": x[0], "own": x}[given]
    options = {"n": n, "accuracy": accuracy, "edge_accuracy": edge_accuracy, "nan": "one-sided"}
    got = ng.derivative(f, x, **options)
    for i in range(3):
        wanted = np.full(60, np.nan)
        line_x = x if given == "number" else x[i] if given == "own" else x
        for a, b in intervals(f[i]):
            if b - a >= n + (edge_accuracy or accuracy):
                part = line_x if given == "number" else line_x[a:b].copy()
                wanted[a:b] = ng.derivative(f[i, a:b].copy(), part, **options)
        assert np.array_equal(np.isnan(got[i]), np.isnan(wanted))
        assert np.allclose(got[i], wanted, rtol=1e-9, atol=1e-9, equal_nan=True)
        alone = ng.derivative(f[i].copy(), line_x, **options)
        assert np.allclose(got[i], alone, rtol=1e-12, atol=1e-12, equal_nan=True)
    along = ng.derivative(np.ascontiguousarray(f.T), x if given == "number" else x.T.copy(), axis=0, **options)
    assert np.allclose(along.T, got, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")  # distances below zero, as Python
def test_other_paths_as_python():
    x = -np.cumsum(np.array([[1.0, 2, 1, 3, 2, 1, 1, 2, 1, 1], [2, 1, 1, 1, 3, 2, 1, 2, 1, 2]]), axis=1)
    assert np.allclose(ng.derivative(x**3, x, n=3), 6)
    around = ng.derivative(np.cos(x / 8 * np.pi), x, boundary="periodic", period=16)
    assert abs(around[0] + np.pi / 8 * np.sin(x[0] / 8 * np.pi)).max() < 0.1
    f = np.array([1.0, 2, np.nan, 4, 5, 6, 7, 8])
    got = ng.derivative(f, boundary="periodic", nan="one-sided")
    assert np.array_equal(got, [-3, 5, np.nan, 1, 1, 1, 1, -3], equal_nan=True)
    with pytest.raises(ValueError, match=r"goes from -7\.0 to -7\.0 at 1, 5"):
        ng.derivative(x, np.where(np.arange(20).reshape(2, 10) == 14, -7.0, x + 3))


def test_gaps_of_other_kinds():
    f = np.sin(np.arange(40.0) * 0.2)
    assert np.allclose(ng.derivative(f, nan="one-sided", n=2), ng.derivative(f, n=2))
    assert same_bits(ng.derivative(np.arange(9) ** 2, nan="one-sided"), ng.derivative(np.arange(9) ** 2))
    f[20] = np.nan
    g = f.astype("c8") * (1 + 1j)
    got = ng.derivative(g, nan="one-sided")
    assert got.dtype == "c8"
    assert np.allclose(got.imag, ng.derivative(f, nan="one-sided"), rtol=1e-5, atol=1e-6, equal_nan=True)
    # Around a period: the interval goes on at the other end.
    turned = np.roll(f, 25)
    for x, more in ((1.0, {}), (np.arange(40.0), {"period": 40.0})):
        around = ng.derivative(turned, x, accuracy=4, boundary="periodic", nan="one-sided", **more)
        assert np.isnan(around).sum() == 1
        circle = np.roll(f, -20)[1:]  # the interval, cut where the NaN is
        assert np.allclose(np.roll(around, -5)[1:], ng.derivative(circle, accuracy=4, nan="one-sided"), rtol=1e-9)
    empty = ng.derivative(f, accuracy=4, boundary="nan", nan="one-sided")
    full = ng.derivative(f, accuracy=4, nan="one-sided")
    assert np.isnan(empty[[0, 1, 20, 38, 39]]).all()
    assert same_bits(empty[2:38], full[2:38])


def test_gaps_change_nothing_far_away():
    """The ends of the axis are those of a line without gaps, to the bit, wherever there is a gap in memory."""
    f = values("f8", (3, 40))
    g = f.copy()
    g[1, 20] = np.nan
    for x in (0.3, uneven(40)):
        for options in ({"n": 2}, {"n": 2, "accuracy": 4}):
            expected, got = ng.derivative(f, x, **options), ng.derivative(g, x, nan="one-sided", **options)
            far = np.ones(40, bool)
            far[10:31] = False
            assert same_bits(expected[:, far], got[:, far])


def test_gaps_around_short_lines():
    """Pieces of memory that hold the ends of several lines."""
    for size in (8, 21, 40, 50, 63, 65):
        f = np.random.default_rng(size).random((9, size))
        f[[1, 4, 8], [0, size - 1, 3]] = np.nan
        for x, period in ((0.5, None), (uneven(size), 2000.0)):
            options = {"n": 2, "boundary": "periodic", "period": period, "nan": "one-sided"}
            got = ng.derivative(f, x, **options)
            assert np.array_equal(np.isnan(got), np.isnan(f))
            for line, result in zip(f, got, strict=True):
                assert np.allclose(result, ng.derivative(line.copy(), x, **options), rtol=1e-12, equal_nan=True)


def test_lines_of_different_scale_as_python():
    b = np.linspace(1, 2, 15)
    for x in (np.stack([b, b * 1e-45]), np.stack([b * 1e-45, b])):
        assert np.allclose(ng.derivative(x**2, x, accuracy=8), 2 * x, rtol=1e-6)
        assert np.allclose(ng.derivative(x[0] ** 2, x[0], accuracy=8), 2 * x[0], rtol=1e-6)
    x = np.logspace(-35, 0, 71)
    assert np.allclose(ng.derivative(x**2, x, n=2, accuracy=10)[20:-20], 2, rtol=1e-2)
    assert np.isfinite(ng.derivative(np.stack([x, x]), x, n=2, accuracy=10)).all()


def test_other_axes_of_length_one():
    x = uneven(6)
    for n in (1, 2):
        expected = ng.derivative(x**2, x, n=n)
        assert same_bits(ng.derivative(x[None] ** 2, x[None], n=n)[0], expected)
        assert same_bits(ng.derivative(x[:, None] ** 2, x[:, None], n=n, axis=0)[:, 0], expected)


def test_a_plan_keeps_nothing_of_the_size_of_the_array():
    f = np.random.default_rng(0).random(1000)
    ng.derivative(f, 0.1, n=2, nan="one-sided")
    call = derivative.read_call(f, 0.1, n=2, nan="one-sided")
    constants = call.request().plan.axes[0].constants
    assert callable(constants)


@pytest.mark.tier(1)
def test_gaps_on_large_paths(lower):
    f = values("f8", (40, 30))
    f[5, 3], f[20:22, 7], f[30] = np.nan, np.nan, np.nan
    cases = [(axis, x) for axis in (0, 1) for x in (0.3, uneven(f.shape[axis]))]
    with tier(0):
        expected = [ng.derivative(f, x, accuracy=4, axis=axis, nan="one-sided") for axis, x in cases]
    lower(64, 3, True)
    for (axis, x), wanted in zip(cases, expected, strict=True):
        assert same_bits(ng.derivative(f, x, accuracy=4, axis=axis, nan="one-sided"), wanted)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("accuracy", [2, 4, 6, 8])
@pytest.mark.parametrize("n", [1, 2])
def test_findiff_agrees(n, accuracy):
    """findiff has the same formulas inside and at the very ends; between, its stencils begin at the point."""
    f = values("f8", (25, 26))
    half = (n + 1) // 2 + accuracy // 2 - 1
    for axis in (0, 1):
        theirs = np.moveaxis(findiff.FinDiff(axis, 0.3, n, acc=accuracy)(f), axis, 0)
        ours = np.moveaxis(ng.derivative(f, 0.3, n=n, accuracy=accuracy, axis=axis), axis, 0)
        same = [0, *range(half, len(ours) - half), -1]
        assert np.allclose(ours[same], theirs[same], rtol=0, atol=1e-8 * abs(ours).max())
    x = uneven(25)
    theirs = findiff.FinDiff(0, x, 1, acc=accuracy)(f[:, 0].copy())
    ours = ng.derivative(f[:, 0].copy(), x, accuracy=accuracy)
    half = accuracy // 2
    assert np.allclose(ours[half:-half], theirs[half:-half], rtol=0, atol=1e-8 * abs(ours).max())


@pytest.mark.parametrize("unit", [1e-60, 1e-9, 1e40])
def test_units_as_python(unit):
    """Coordinates in any unit: products of many distances neither vanish nor overflow."""
    x = uneven(40)
    f = np.sin(x / 10)
    for options in ({"n": 2, "accuracy": 14}, {"n": 1, "accuracy": 4, "nan": "one-sided"}):
        expected = ng.derivative(f, x, **options) / unit ** options["n"]
        assert np.allclose(ng.derivative(f, x * unit, **options), expected, rtol=1e-3)
        g = np.array([f, f])
        assert np.allclose(ng.derivative(g, x * unit, **options)[0], expected, rtol=1e-3)


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
    "odd accuracy": (lambda f: ng.derivative(f, accuracy=3), ValueError, "`accuracy` is 3; give an even number"),
    "no accuracy": (
        lambda f: ng.derivative(f, accuracy=0), ValueError, "`accuracy` is 0; give an integer of at least 1"
    ),
    "n of 0": (lambda f: ng.derivative(f, n=0), ValueError, "`n` is 0; give an integer of at least 1"),
    "n of a float": (lambda f: ng.derivative(f, n=1.0), TypeError, "`n` is 1.0; give an integer"),
    "boundary": (lambda f: ng.derivative(f, boundary="wrap"), ValueError, "'wrap'; give one of 'one-sided'"),
    "edge accuracy": (lambda f: ng.derivative(f, edge_accuracy=0), ValueError, "`edge_accuracy` is 0"),
    "no edges": (lambda f: ng.derivative(f, edge_accuracy=2, boundary="nan"), ValueError, "has no edges"),
    "axis": (lambda f: ng.derivative(f, axis=1), np.exceptions.AxisError, "out of bounds"),
    "short": (lambda f: ng.derivative(f, n=4, accuracy=8), ValueError, "axis 0 has 9 points; n=4 .* at least 12"),
    "short period": (lambda f: ng.derivative(f, n=1, accuracy=10, boundary="periodic"), ValueError, "at least 11"),
    "zero": (lambda f: ng.derivative(f, 0), ValueError, "`x` is 0.0"),
    "infinite": (lambda f: ng.derivative(f, np.inf), ValueError, "`x` is inf"),
    "shape": (lambda f: ng.derivative(f, [1, 2]), ValueError, r"`x` has shape \(2,\); give a number or the coord"),
    "repeated": (lambda f: ng.derivative(f, [0, 1, 2, 2, 3, 4, 5, 6, 7]), ValueError, "goes from 2.0 to 2.0 at 3"),
    "turning": (lambda f: ng.derivative(f, [0, 1, 2, 1, 3, 4, 5, 6, 7]), ValueError, "goes from 2.0 to 1.0 at 3"),
    "nan": (lambda f: ng.derivative(f, [0, 1, np.nan, 3, 4, 5, 6, 7, 8]), ValueError, "not finite"),
    "complex x": (lambda f: ng.derivative(f, 1j), TypeError, "`x` has dtype complex128"),
    "no period": (lambda f: ng.derivative(f, np.arange(9), boundary="periodic"), ValueError, "`period` is missing"),
    "small period": (
        lambda f: ng.derivative(f, np.arange(9), boundary="periodic", period=8), ValueError, "`period` is 8, .* span 8"
    ),
    "useless period": (lambda f: ng.derivative(f, boundary="periodic", period=9), ValueError, "leave it away"),
    "too small a unit": (lambda f: ng.derivative(f, 1e-200, n=2), ValueError, "n=2, .* choose another unit"),
    "too large a unit": (lambda f: ng.derivative(f, 1e200, n=2), ValueError, "beyond the range of float64"),
    "float32": (lambda f: ng.derivative(f.astype("f4"), 1e-10, n=4), ValueError, "beyond the range of float32"),
    "float32 coordinates": (
        lambda f: ng.derivative(f.astype("f4"), f * 1e11, n=4), ValueError, "`x` has distances of 1e.11 to 1e.11"
    ),
    "array": (lambda f: ng.derivative(f, 1.0, n=np.array([2, 3])), TypeError, "`n` is array"),
    "bool n": (lambda f: ng.derivative(f, 1.0, n=True), TypeError, "`n` is True"),
    "list": (lambda f: ng.derivative(f, 1.0, boundary=["nan"]), TypeError, r"`boundary` is \['nan'\]; give one"),
    "text": (
        lambda f: ng.derivative(f, f, boundary="periodic", period="9"), TypeError, "`period` is '9'; give a number"
    ),
    "nothing": (
        lambda f: ng.derivative(f[:0], f[:0], boundary="periodic", period=9.0), ValueError, "axis 0 has 0 points"
    ),
    "F order": (
        lambda f: ng.derivative(
            np.zeros((2, 9), order="F"), np.asfortranarray([[*range(9)], [0, 1, 2, 3, 3, 4, 5, 6, 7]]), n=2
        ),
        ValueError, "at 1, 4",
    ),
    "nan option": (lambda f: ng.derivative(f, nan="omit"), ValueError, "`nan` is 'omit'; give one of 'propagate'"),
    "lines": (
        lambda f: ng.derivative(np.tile(f, (2, 1)), np.zeros((2, 8))), ValueError, r"or an array of shape \(2, 9\)"
    ),
    "turning line": (
        lambda f: ng.derivative(np.tile(f, (2, 1)), [[*range(9)], [0, 1, 2, 3, 3, 4, 5, 6, 7]]), ValueError,
        "goes from 3.0 to 3.0 at 1, 4",
    ),
    "too many": (lambda f: ng.derivative(f, n=10, accuracy=60), ValueError, "needs more than 64 points"),
    "bool": (lambda f: ng.derivative(f > 0), TypeError, "`f` has dtype bool"),
    "float16": (lambda f: ng.derivative(f.astype("f2")), TypeError, "`f` has dtype float16"),
    "masked": (lambda f: ng.derivative(f, np.ma.array(f, mask=f > 3)), TypeError, "`x` has masked elements"),
    "out": (lambda f: ng.derivative(f, n=2, out=np.empty(8)), ValueError, r"`out` has shape \(8,\)"),
    "dtype of out": (lambda f: ng.derivative(f, n=2, out=np.empty(9, "f4")), TypeError, "`out` has dtype float32"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call(np.arange(9.0))


@pytest.mark.parametrize("first", [1_700_000_000_000_000_000, -(2**63), 2**63 + 12345, 10**30, -(10**30)], ids=str)
def test_integers_beyond_floats_keep_their_digits(first):
    steps = np.array([0, 1, 3, 4, 7, 8]) * 300
    f, x = steps**2.0, [first + int(s) for s in steps]
    kinds = [list, lambda v: np.array(v, object)]
    if -(2**63) <= first < 2**64:
        kinds.append(lambda v: np.array(v, "i8" if first < 2**63 else "u8"))
    for kind in kinds:
        for turned in (1, -1):
            given, y = kind(x[::turned]), f[::turned]
            exact = (steps - (0 if turned == 1 else steps[-1])).astype(float)[::turned]
            for options in ({"n": 1}, {"n": 2}, {"accuracy": 4}, {"boundary": "periodic", "period": 5e3}):
                assert np.array_equal(ng.derivative(y, given, **options), ng.derivative(y, exact, **options))
            assert np.array_equal(ng.laplacian(y, given), ng.laplacian(y, exact))
            own = np.array([given, given])
            assert np.array_equal(ng.derivative([y, y], own, n=2)[1], ng.derivative(y, exact, n=2))
            found, expected = ng.turning_points(np.sin(y), given), ng.turning_points(np.sin(y), exact)
            places = [float(Fraction(int(given[0])) + Fraction(p)) for p in expected.position]
            assert found.position.tolist() == places


def test_times_are_refused_with_the_remedy():
    t = np.datetime64("2023-11-14", "ns") + np.array([0, 1, 3, 4]) * 300
    f = np.arange(4.0)
    for call in (
        lambda: ng.derivative(f, t),
        lambda: ng.derivative(f, t[1] - t[0]),
        lambda: ng.laplacian(f, t - t[0]),
        lambda: ng.turning_points(f, t),
        lambda: ng.weights(t, 0, 1),
        lambda: ng.weights([0, 1], t[0], 1),
    ):
        with pytest.raises(TypeError, match=r"has dtype .*64\[ns\], give real numbers; of times take seconds, "):
            call()


def test_coordinates_of_pandas():
    """Numbers are taken, whatever pandas calls them; all else is refused by the name that it has there."""
    pandas, f = pytest.importorskip("pandas"), np.arange(4.0) ** 2
    for x in (pandas.RangeIndex(4), pandas.array([0, 1, 2, 3]), pandas.arrays.SparseArray(np.arange(4))):
        assert ng.derivative(f, x, n=2).tolist() == [2, 2, 2, 2]
    for x in (
        pandas.period_range("2020-01", periods=4, freq="M"),
        pandas.interval_range(0, 4),
        pandas.Categorical(list("abcd")),
        pandas.date_range("2020", periods=4, tz="UTC"),
    ):
        for call in (lambda x: ng.derivative(f, x), lambda x: ng.weights(x, 0, 1)):
            with pytest.raises(TypeError, match=re.escape(f"has dtype {x.dtype}, give real numbers")):
                call(x)


def test_integers_whose_distance_leaves_their_dtype():
    got = ng.derivative([0.0, 1, 4], np.array([-(2**63), 0, 2**63 - 1]), n=2, edge_accuracy=1)
    assert got == pytest.approx([2.0**-125] * 3, rel=1e-15)
    with pytest.raises(ValueError, match="too far apart"):
        ng.derivative([0.0, 1, 4], [0, 1, 10**400])
    with pytest.raises(ValueError, match="goes from 9007199254740996 to 9007199254740994 at 2"):
        ng.derivative([0.0, 1, 2], [2**53 + 3, 2**53 + 4, 2**53 + 2])


def test_edge_accuracy_says_how_few_points_are_enough():
    assert ng.derivative([1.0, 2, 4], n=2, edge_accuracy=1).tolist() == [1, 1, 1]
    assert ng.derivative([0.0, 1], edge_accuracy=1).tolist() == [1, 1]
    x = np.array([0.0, 1, 3, 4.5, 5, 7, 7.5, 9])
    for n, accuracy, edge in ((2, 2, 1), (1, 6, 2), (3, 4, 1), (1, 2, 5)):
        for size in range(n + edge, n + accuracy):
            f = x[:size] ** (n + edge - 1)
            expected = [ng.weights(x[:size], at, n) @ f for at in x[:size]]
            options = {"n": n, "accuracy": accuracy, "edge_accuracy": edge}
            assert ng.derivative(f, x[:size], **options) == pytest.approx(expected)
            own = ng.derivative(np.array([f, 2 * f]), np.array([x[:size]] * 2), **options)
            assert own == pytest.approx(np.array([expected, 2 * np.array(expected)]))
            gaps = np.array([*f, np.nan, *f])
            places = np.array([*x[:size], 20, *(x[:size] + 30)])
            got = ng.derivative(gaps, places, nan="one-sided", **options)
            assert got[:size] == pytest.approx(expected)
            assert got[-size:] == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"edge_accuracy=1 and .* needs at least 3"):
        ng.derivative([1.0, 2], n=2, edge_accuracy=1)
    with pytest.raises(ValueError, match=r"accuracy=2 and .* needs at least 4; with edge_accuracy=1 these are enough"):
        ng.derivative([1.0, 2, 4], n=2)


def test_lines_of_any_lengths():
    """Of each the bits that it has alone, and any range of the result, whatever lines it cuts."""
    rng = np.random.default_rng(5)
    cuts = np.array([0, 5, 9, 16, 20, 33])
    f = np.where(rng.random(33) < 0.15, np.nan, rng.random(33))
    for x in (np.concatenate([uneven(b - a) for a, b in pairwise(cuts)]), 2**60 + np.arange(33) ** 2):
        for options in ({"accuracy": 2}, {"n": 2, "nan": "one-sided"}, {"window": 3, "degree": 1, "boundary": "nan"}):
            call = derivative.read_lines(f, x, cuts, **options)
            got = derivative.by_stencil(call)
            for a, b in pairwise(cuts):
                lone = derivative.read_call(f[a:b], x[a:b], **options)
                assert same_bits(got[a:b], derivative.by_stencil(lone))
            (axis,), (lines,) = call.request().plan.axes, call.request().spacings
            kernel, constants = drafted(axis.recipe, False).plain, axis.constants(lines)
            for start, stop in [(0, 33), (3, 4), (4, 21), (5, 9), (9, 33), (32, 33), (7, 7)]:
                out = np.full(33, 77.0)
                kernel(f, out, 33, 1, start, stop, 0, *constants)
                assert same_bits(out[start:stop], got[start:stop])
                assert (np.delete(out, slice(start, stop)) == 77).all()
                part = np.full(stop - start, 77.0)
                kernel(f, part, 33, 1, start, stop, start, *constants)
                assert same_bits(part, got[start:stop])
