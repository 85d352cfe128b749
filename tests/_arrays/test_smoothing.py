"""Polynomials that fit windows by least squares, and standard errors: exact weights, SciPy's filter, edges, gaps."""

from fractions import Fraction
from functools import cache
from math import factorial

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from helpers import LAYOUTS, same_bits, uneven, values
from numba import njit
from scipy.signal import savgol_filter

import numgrad as ng
import numgrad.interop.xarray  # for `.numgrad`
from numgrad._arrays import errors
from numgrad._system import memory

pytestmark = pytest.mark.tier(0)


def solved(matrix, right):
    """The solution of a system of linear equations, in fractions."""
    rows = [[*row, r] for row, r in zip(matrix, right, strict=True)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for i in range(len(rows)):
            if i != k:
                rows[i] = [v - rows[i][k] * w for v, w in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


@cache
def exact_weights(offsets, degree, n):
    """Least squares by the normal equations of powers, which lose nothing in fractions."""
    d = [Fraction(o) for o in offsets]
    moments = [sum(t**k for t in d) for k in range(2 * degree + 1)]
    unit = [Fraction(factorial(n) * (k == n)) for k in range(degree + 1)]
    c = solved([[moments[i + k] for k in range(degree + 1)] for i in range(degree + 1)], unit)
    return np.array([float(sum(ck * t**k for k, ck in enumerate(c))) for t in d])


def exact_matrix(x, window, degree, n):
    """Each row has the weights of the samples for one result, with the first or the last window at the ends."""
    found = np.zeros((x.size, x.size))
    for i in range(x.size):
        first = min(max(i - window // 2, 0), x.size - window)
        offsets = tuple(Fraction(float(v)) - Fraction(float(x[i])) for v in x[first : first + window])
        found[i, first : first + window] = exact_weights(offsets, degree, n)
    return found


def matrix(size, x, **options):
    """The same of `derivative`, whose result for a unit vector is a column."""
    return ng.derivative(np.eye(size), x, axis=0, **options)


FITS = [(3, 1, 1), (3, 2, 0), (5, 2, 1), (7, 3, 2), (7, 6, 3), (9, 0, 0), (11, 4, 1), (15, 5, 5)]


@pytest.mark.parametrize(("window", "degree", "n"), FITS)
def test_weights_are_those_of_least_squares(window, degree, n):
    for x in (np.arange(window), np.arange(19) * -0.25, uneven(window), 1.7e9 + uneven(19), -1e-9 * uneven(17)):
        expected = exact_matrix(x, window, degree, n)
        size = abs(expected).max(axis=1, keepdims=True)
        assert (abs(matrix(x.size, x, window=window, degree=degree, n=n) - expected) <= 4e-14 * size).all()
        steps = np.diff(x)
        if (steps == steps[0]).all():
            even = matrix(x.size, float(steps[0]), window=window, degree=degree, n=n)
            assert (abs(even - expected) <= 1e-15 * size).all()
            assert ((even == 0) == (expected == 0)).all()


def test_clustered_points():
    """Polynomials that rounding has left less than orthogonal are mended."""
    bursts = np.cumsum(np.where(np.arange(20) % 10 == 0, 1.0, 1e-3))
    for x, window, degree in ((bursts, 9, 4), (np.cumsum(np.random.default_rng(0).exponential(size=13)), 11, 8)):
        expected = exact_matrix(x, window, degree, 1)
        found = matrix(x.size, x, window=window, degree=degree)
        assert (abs(found - expected) <= 1e-12 * abs(expected).max(axis=1, keepdims=True)).all()


@pytest.mark.tier(1)
def test_long_windows_and_high_degrees_lose_no_digits():
    x = 1.7e9 + np.cumsum(np.random.default_rng(0).random(101).round(3) + 0.1)
    places = [0, 50, 97]
    expected = np.array([exact_weights(tuple(Fraction(v) - Fraction(x[i]) for v in x.tolist()), 6, 1) for i in places])
    found = matrix(101, x, window=101, degree=6)[places]
    assert (abs(found - expected) <= 1e-13 * abs(expected).max(axis=1, keepdims=True)).all()
    even = ng.Stencil.smoothing(1, 101, 6)
    middle = exact_weights(tuple(range(-50, 51)), 6, 1)
    assert np.array_equal(middle[middle != 0], even.weights)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, 5])
def test_that_of_scipy(degree):
    """SciPy solves by powers of the offsets: its weights lose digits that these have."""
    rng = np.random.default_rng(degree)
    for window in (3, 5, 7, 9, 21, 31, 51):
        for n in range(degree + 1) if degree < window else ():
            f = rng.standard_normal((2, max(window + 1, 12)))
            for axis, g in ((1, f), (0, f.T)):
                for mode, boundary in (("interp", "one-sided"), ("wrap", "periodic")):
                    expected = savgol_filter(g, window, degree, deriv=n, delta=0.3, axis=axis, mode=mode)
                    got = ng.derivative(g, 0.3, n=n, axis=axis, boundary=boundary, window=window, degree=degree)
                    lost = 1e-15 * (window / 2) ** degree
                    assert abs(got - expected).max() <= max(1e-13, lost) * abs(expected).max()


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2", "u1"])
def test_dtypes_axes_layouts(dtype):
    f = values(dtype, (6, 8, 7))
    wide = f.astype("c16" if f.dtype.kind == "c" else "f8")
    for axis, layout in enumerate(("C", "F", "sliced")):
        g, size = LAYOUTS[layout](f), f.shape[axis]
        for x in (
            0.7,
            uneven(size),
            np.broadcast_to(np.expand_dims(uneven(size), [a for a in range(3) if a != axis]), f.shape),
        ):
            got = ng.derivative(g, x, axis=axis, window=5, degree=2)
            weights = matrix(size, x if np.ndim(x) < 2 else uneven(size), window=5, degree=2)
            expected = np.moveaxis(np.moveaxis(wide, axis, -1) @ weights.T, -1, axis)
            assert got.dtype == ng.derivative(g, axis=axis).dtype
            assert got.flags.f_contiguous == (layout == "F")
            assert abs(got - expected).max() <= 8 * np.finfo(got.dtype).eps * abs(wide).max() * abs(weights).max() * 5


def test_polynomials_are_kept_at_every_point():
    for size in (9, 10, 30):
        for x in (np.arange(size) * 0.5, uneven(size) / 10):
            for degree in (2, 4):
                p = np.polynomial.Polynomial(np.arange(1.0, degree + 2), domain=[x[0], x[-1]])
                for n in range(degree + 1):
                    got = ng.derivative(p(x), x, n=n, window=9, degree=degree)
                    assert np.allclose(got, p.deriv(n)(x) if n else p(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("is_even", [True, False])
def test_gaps_are_ends(is_even):
    """Each interval is as it would be alone, if it has points enough for a window; on a period it goes on around."""
    size = 40
    x = 0.3 if is_even else uneven(size) / 5
    f = values("f8", (size,))
    f[[8, 9, 25, 29]] = np.nan
    options = {"window": 7, "degree": 3}
    got = ng.derivative(f, x, nan="one-sided", **options)
    for a, b in ((0, 8), (10, 25), (30, 40)):
        alone = ng.derivative(f[a:b], x if is_even else x[a:b], **options)
        assert np.allclose(got[a:b], alone, rtol=1e-12, atol=1e-12)
    assert np.isnan(got[[8, 9, *range(25, 30)]]).all()
    spread = ng.derivative(f, x, **options)
    reached = [np.isnan(f[max(0, min(i - 3, size - 7)) :][:7]).any() for i in range(size)]
    assert np.isnan(spread)[np.isnan(f)].sum() == 4 or is_even  # the weight on a point itself is zero, or nearly
    assert (np.isnan(spread) <= reached).all()
    around = ng.derivative(f, x, nan="one-sided", boundary="periodic", period=None if is_even else 100.0, **options)
    turned = np.roll(f, 15)
    y = x if is_even else np.concatenate([x[-15:] - 100.0, x[:-15]])
    again = ng.derivative(turned, y, nan="one-sided", boundary="periodic", period=None if is_even else 100.0, **options)
    assert np.allclose(np.roll(around, 15), again, rtol=1e-9, equal_nan=True)
    assert np.isfinite(around[[0, 1, -1]]).all()


def test_a_nan_stays_where_weights_are():
    f = np.arange(30.0)
    f[15] = np.nan
    weights = matrix(30, 1.0, n=2, window=7, degree=2)
    assert (weights == 0).any()  # at two places from the middle, too
    assert np.array_equal(np.isnan(ng.derivative(f, n=2, window=7, degree=2)), weights[:, 15] != 0)


def test_ends():
    f = values("f8", (20,))
    for x in (0.3, uneven(20)):
        inside = ng.derivative(f, x, window=9, degree=2)[4:-4]
        empty = ng.derivative(f, x, window=9, degree=2, boundary="nan")
        assert np.isnan(empty[[0, 3, -4, -1]]).all()
        assert same_bits(empty[4:-4], inside)
    around = ng.derivative(f, 0.3, window=9, degree=2, boundary="periodic")
    assert same_bits(np.roll(around, 7), ng.derivative(np.roll(f, 7), 0.3, window=9, degree=2, boundary="periodic"))
    full = np.arange(9.0) ** 2
    assert np.allclose(ng.derivative(full, window=9, degree=2), 2 * np.arange(9.0))


@pytest.mark.tier(1)
def test_large_paths_agree(lower):
    """In pieces, on threads, by tables and line by line: the same bits."""
    f, x = values("f8", (3, 300)), uneven(300)
    each = np.broadcast_to(x, f.shape)
    options = {"window": 21, "degree": 3}
    expected = [ng.derivative(f, given, **options) for given in (0.3, x)]
    assert same_bits(ng.derivative(f, each, **options), expected[1])
    for g, given, wanted in zip(f, (x, x, x), expected[1], strict=True):
        assert same_bits(ng.derivative(g, given, **options), wanted)
    lower(33, 3, True)
    for given, wanted in zip((0.3, x, each), (*expected, expected[1]), strict=True):
        assert same_bits(ng.derivative(f, given, **options), wanted)
        assert same_bits(ng.derivative(f.T, given if np.ndim(given) < 2 else given.T, axis=0, **options), wanted.T)


def test_few_long_lines_need_no_table(monkeypatch):
    from numgrad._arrays import derivative
    from numgrad._arrays.known import slot

    f, x = values("f8", (2, 30, 2)), uneven(30)
    expected = ng.derivative(f, x, axis=1, window=7, degree=2)
    assert "of each line" not in repr(ng.explain(ng.derivative, f, x, axis=1, window=7, degree=2))
    monkeypatch.setattr(derivative, "TABLE", 0)
    monkeypatch.setattr(derivative, "TIMES", 1)
    slot.cache_clear()  # the explanation of this kind of call
    for layout in (np.ascontiguousarray, np.asfortranarray):
        assert same_bits(ng.derivative(layout(f), x, axis=1, window=7, degree=2), expected)
        assert "of each line" in repr(ng.explain(ng.derivative, layout(f), x, axis=1, window=7, degree=2))
    with pytest.raises(ValueError, match="span"):
        ng.derivative(f, x, axis=1, window=7, degree=2, boundary="periodic", period=x[-1] - x[0])


BAD = {
    "`degree` is missing": {"window": 5},
    "`window` is missing": {"degree": 2},
    "`window` is 4; give an odd": {"window": 4, "degree": 2},
    "`window` is 1; give an integer from 3": {"window": 1, "degree": 0},
    "`window` is 769": {"window": 769, "degree": 2},
    "`degree` is 5; give an integer from n=1 to 4": {"window": 5, "degree": 5},
    "`degree` is 1; give an integer from n=2": {"window": 5, "degree": 1, "n": 2},
    "`degree` is 16": {"window": 31, "degree": 16},
    "`n` is 5; window=5": {"window": 5, "degree": 4, "n": 5},
    "`n` is -1": {"window": 5, "degree": 4, "n": -1},
    "axis 0 has 9 points; n=1 with window=11, degree=2 .* with window=9 these": {"window": 11, "degree": 2},
    "axis 0 has 9 points; .* needs at least 11$": {"window": 11, "degree": 10},
    "axis 0 has 9 points; .*'nan' needs at least 11": {"window": 11, "degree": 2, "boundary": "nan"},
    "axis 0 has 9 points; .*'periodic' needs at least 11": {"window": 11, "degree": 2, "boundary": "periodic"},
    "`accuracy` is 2, but window=5": {"window": 5, "degree": 2, "accuracy": 2},
    "`edge_accuracy` is 1, but window=5": {"window": 5, "degree": 2, "edge_accuracy": 1},
    "`boundary` is 'wrap'": {"window": 5, "degree": 2, "boundary": "wrap"},
    "`period` is 9": {"window": 5, "degree": 2, "period": 9.0},
    "choose another unit": {"x": 1e-200, "n": 2, "window": 5, "degree": 2},
    "squared weights": {"x": 1e-200, "sigma": 1.0},
    "`sigma` is -1.0;": {"sigma": -1},
    "`sigma` is nan;": {"sigma": np.nan},
    "`sigma` is inf at 8": {"sigma": [1.0] * 8 + [np.inf]},
    "`sigma` is nan at 0": {"sigma": [np.nan] + [1.0] * 8},
    r"`sigma` has shape \(0,\)": {"sigma": []},
    r"`sigma` has shape \(8,\), `f` \(9,\)": {"sigma": np.ones(8)},
    "`out` is a ndarray; with `sigma` give two": {"sigma": 1.0, "out": np.empty(9)},
}
WRONG_TYPE = {
    "`window` is 5.0": {"window": 5.0, "degree": 2},
    "`degree` is '2'": {"window": 5, "degree": "2"},
    "`window` is True": {"window": True, "degree": 2},
    r"`window` is \[5\]": {"window": [5], "degree": 2},
    "`sigma` has dtype complex128": {"sigma": 1j},
    "`sigma` has dtype <U1": {"sigma": "a"},
    "`sigma` is a MaskedArray": {"sigma": np.ma.array([1.0])},
    "dtype float32": {"sigma": 1.0, "out": (np.empty(9), np.empty(9, "f4"))},
}


@pytest.mark.parametrize("message", [*BAD, *WRONG_TYPE])
def test_errors(message):
    kind, options = (ValueError, BAD[message]) if message in BAD else (TypeError, WRONG_TYPE[message])
    with pytest.raises(kind, match=message):
        ng.derivative(np.arange(9.0), **options)
    if "out" not in options:
        with pytest.raises(kind, match=message):
            ng.explain(ng.derivative, np.arange(9.0), **options)


def test_stencils_of_windows():
    assert (
        repr(ng.Stencil.smoothing(0))
        == "f = (-3/35 f[-2] + 12/35 f[-1] + 17/35 f[0] + 12/35 f[1] - 3/35 f[2]) + O(h^4)"
    )
    assert repr(ng.Stencil.smoothing(1, 5, 2)) == "f' = (-1/5 f[-2] - 1/10 f[-1] + 1/10 f[1] + 1/5 f[2]) / h + O(h^2)"
    assert ng.Stencil.smoothing(2, 5, 4) == ng.Stencil.central(2, 4)
    assert ng.Stencil.smoothing(0, 3, 2).weights == (1.0,)
    for window in range(3, 14, 2):
        for degree in range(window):
            for n in range(degree + 1):
                made = ng.Stencil.smoothing(n, window, degree)  # which looks at its moments
                expected = exact_weights(tuple(range(-(window // 2), window // 2 + 1)), degree, n)
                assert np.array_equal(made.weights, expected[expected != 0])
                assert made.accuracy >= degree + 1 - n
    for wrong in ((1, 4, 2), (1, 5, 5), (3, 5, 2), (-1, 5, 2), (1, 769, 2)):
        with pytest.raises(ValueError, match="give"):
            ng.Stencil.smoothing(*wrong)


FORMULAS = [
    {}, {"edge_accuracy": 1}, {"n": 2, "accuracy": 4}, {"n": 3, "edge_accuracy": 1}, {"boundary": "periodic"},
    {"boundary": "nan", "n": 2}, {"window": 7, "degree": 3}, {"n": 0, "window": 5, "degree": 2},
    {"n": 2, "window": 9, "degree": 2, "boundary": "periodic"},
]  # fmt: skip


@pytest.mark.parametrize("options", FORMULAS, ids=str)
def test_errors_of_results_are_by_squared_weights(options):
    """Whatever the formula: its weights are what it makes of unit vectors, also between gaps."""
    size, rng = 24, np.random.default_rng(0)
    f, sigma = rng.standard_normal(size), rng.random(size)
    for x in (0.3, -0.3, uneven(size), -uneven(size), 1.7e9 + uneven(size).round()):
        o = options | (
            {"period": 1000.0} if "boundary" in options and np.ndim(x) and options["boundary"] != "nan" else {}
        )
        got = ng.derivative(f, x, sigma=sigma, **o)
        assert isinstance(got, ng.WithError)
        assert same_bits(got.value, ng.derivative(f, x, **o))
        expected = np.sqrt(matrix(size, x, **o) ** 2 @ sigma**2)
        assert np.allclose(got.error, expected, rtol=1e-13, equal_nan=True)
        for nan in ("one-sided", "propagate"):
            g = np.where(np.isin(np.arange(size), [5, 14]), np.nan, f)
            units = np.where(np.isnan(g)[:, None], np.nan, np.eye(size))
            expected = np.sqrt(
                (ng.derivative(units, x, axis=0, nan=nan, **o) ** 2)[:, ~np.isnan(g)] @ sigma[~np.isnan(g)] ** 2
            )
            got = ng.derivative(g, x, nan=nan, sigma=np.where(np.isnan(g), np.nan, sigma), **o)
            assert np.allclose(got.error, expected, rtol=1e-12, equal_nan=True)
            assert np.array_equal(np.isnan(got.error), np.isnan(got.value))


def test_errors_of_noise():
    """Monte Carlo: the deviations of results of noise are as large as they are said to be."""
    rng, x = np.random.default_rng(1), uneven(15)
    sigma = rng.random(15) + 0.1
    noise = rng.standard_normal((4000, 15)) * sigma
    for options in ({}, {"n": 2, "window": 7, "degree": 3}):
        got = ng.derivative(noise, x, sigma=sigma, **options)
        assert np.allclose(got.value.std(axis=0) / got.error[0], 1, atol=0.05)


def test_few_points_stand_for_a_long_line():
    """On an even grid, with one sigma: the errors are those of all points, each with its own."""
    f = values("f8", (3, 40, 2))
    for o in FORMULAS:
        for sigma in (0.3, np.full((3, 1, 1), 0.3)):
            got = ng.derivative(f, 0.7, axis=1, sigma=sigma, **o).error
            each = ng.derivative(f, 0.7, axis=1, sigma=np.full(f.shape, 0.3), **o).error
            assert same_bits(got, each)
            assert same_bits(ng.derivative(np.asfortranarray(f), 0.7, axis=1, sigma=sigma, **o).error, each)


def test_sigma_of_all_shapes_and_dtypes():
    f = values("f8", (4, 9, 5))
    for layout in (np.ascontiguousarray, np.asfortranarray):
        for axis in range(3):
            for shape in ((), (1,), (5,), (9, 1), (4, 1, 1), (4, 9, 5)):
                sigma = values("f8", shape) ** 2
                got = ng.derivative(layout(f), axis=axis, sigma=sigma).error
                full = np.moveaxis(np.broadcast_to(sigma, f.shape), axis, -1)
                weights = matrix(f.shape[axis], None)
                assert np.allclose(np.moveaxis(got, axis, -1), np.sqrt(full**2 @ (weights**2).T), rtol=1e-13)
                assert got.flags.writeable
    for dtype, error in (("f4", "f4"), ("c8", "f4"), ("c16", "f8"), ("i2", "f8")):
        got = ng.derivative(f.astype(dtype), sigma=2)
        assert got.error.dtype == error
        assert np.allclose(got.error, np.sqrt(2), atol=4)
        assert np.allclose(got.error[..., 1:-1], np.sqrt(2))
    for scale in (1e-300, 1e300):  # whose squares are out of range
        assert np.allclose(ng.derivative(f, sigma=scale).error / scale, ng.derivative(f, sigma=1).error)
    assert (ng.derivative(f, sigma=0).error == 0).all()
    assert ng.derivative(f[:0], sigma=1.0).error.shape == (0, 9, 5)


def test_errors_of_lines_that_differ():
    """By their gaps, or by their coordinates: one line does not stand for all."""
    f, x = values("f8", (3, 12)), np.stack([uneven(12), 2 * uneven(12), np.arange(12.0)])
    f[1, 4] = np.nan
    for given in (0.3, x, x[0], x[2], np.array([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12.0])):
        for options in ({"nan": "one-sided"}, {}, {"n": 2}, {"window": 5, "degree": 2, "nan": "one-sided"}):
            for turn in (lambda a: a, lambda a: da.from_array(a, chunks=(2, 5))):
                got = ng.derivative(turn(f), given, sigma=0.5, **options)
                for i in range(3):
                    alone = ng.derivative(f[i], given[i] if np.ndim(given) == 2 else given, sigma=0.5, **options)
                    assert np.allclose(np.asarray(got.error)[i], alone.error, rtol=1e-14, equal_nan=True)
                    assert np.array_equal(np.isnan(alone.error), np.isnan(alone.value))


def test_errors_go_to_out():
    f, h = values("f8", (5, 9)), 0.3
    expected = ng.derivative(f, h, n=2, sigma=f**2)
    out = np.empty_like(f), np.empty_like(f)
    got = ng.derivative(f, h, n=2, sigma=f**2, out=out)
    assert got.value is out[0]
    assert got.error is out[1]
    g, sigma = f.copy(), f**2
    got = ng.derivative(g, h, n=2, sigma=sigma, out=(g, sigma))  # over what is read
    for a, b in zip(got, expected, strict=True):
        assert same_bits(a, b)
    expected = ng.derivative(f, h, n=2, sigma=0.5)
    for g in (f.copy(), np.asfortranarray(f)):
        room = np.empty_like(g)
        for out in ((room, np.empty_like(g)), (room, g)):
            got = ng.derivative(g, h, n=2, sigma=0.5, out=out)
            assert got.error is out[1]
            for a, b in zip(got, expected, strict=True):
                assert same_bits(a, b)
    with pytest.raises(ValueError, match="share memory"):
        ng.derivative(f, sigma=1.0, out=(room, room))


def test_large_samples_are_done_in_parts(monkeypatch):
    """With the same bits, and NaN is found in any of them."""
    f, sigma = values("f8", (40, 3)), values("f8", (40, 3)) ** 2
    gap = f.copy()
    gap[37, 1] = np.nan
    cases = [(g.astype(d), s) for g in (f, gap) for d in ("f8", "f4", "c16") for s in (0.5, np.where(g == g, sigma, 1))]
    cases += [(f + 1j * gap, 0.5), (np.asfortranarray(gap), 0.5)]
    expected = [ng.derivative(g, 0.3, axis=0, sigma=s) for g, s in cases]
    assert sum(np.isnan(each.error).any() for each in expected) == 8
    for module in (errors, memory):
        monkeypatch.setattr(module, "EVERY", 20)
    monkeypatch.setattr(errors, "PIECE", 15)
    for (g, s), each in zip(cases, expected, strict=True):
        for a, b in zip(ng.derivative(g, 0.3, axis=0, sigma=s), each, strict=True):
            assert same_bits(a, b)


@pytest.mark.parametrize("options", [{}, {"n": 2, "accuracy": 4}, {"window": 7, "degree": 2}], ids=str)
def test_containers(options):
    f, x = values("f8", (60, 3)), uneven(60)
    sigma = np.linspace(1, 2, 60)[:, None]
    lazy = da.from_array(f, chunks=(13, 2))
    for o in (options, options | {"boundary": "nan"}, options | {"nan": "one-sided"}):
        for h in (0.3, x):
            expected = ng.derivative(f, h, axis=0, sigma=sigma, **o)
            for given in (sigma, da.from_array(sigma, chunks=9)):
                got = ng.derivative(lazy, h, axis=0, sigma=given, **o)
                assert same_bits(got.value.compute(), expected.value)
                assert same_bits(got.error.compute(), expected.error)
            assert same_bits(ng.derivative(lazy, h, axis=0, **o).compute(), expected.value)
    around = options | {"boundary": "periodic"}
    assert same_bits(ng.derivative(lazy, 0.3, axis=0, **around).compute(), ng.derivative(f, 0.3, axis=0, **around))
    expected = ng.derivative(f, x, axis=0, sigma=sigma, **options)
    labelled = xr.DataArray(f, {"t": x}, ("t", "k"), name="q", attrs={"units": "m"})
    for given in (sigma, xr.DataArray(sigma[:, 0], {"t": x}, ("t",))):
        for one in (labelled, labelled.chunk(t=20)):
            got = one.numgrad.derivative("t", sigma=given, **options)
            assert same_bits(got.value.values, expected.value)
            assert same_bits(got.error.values, expected.error)
            assert got.error.attrs == labelled.attrs
    both = xr.Dataset({"q": labelled, "p": 2 * labelled, "k": ("k", np.ones(3))})
    got = ng.derivative(both, "t", sigma=xr.DataArray(sigma[:, 0], {"t": x}, ("t",)), **options)
    assert same_bits(got.error.p.values, expected.error)
    with pytest.raises(ValueError, match="'t'"):
        labelled.numgrad.derivative("t", sigma=xr.DataArray(sigma[:, 0], {"t": x + 1}, ("t",)))
    for wrong, kind in (
        (-1.0, ValueError),
        (np.ones(7), ValueError),
        (1j, TypeError),
        (da.ones(7, chunks=3), ValueError),
    ):
        with pytest.raises(kind, match="`sigma`"):
            ng.derivative(lazy, axis=0, sigma=wrong)


@pytest.mark.parametrize("option", ["window=5, degree=2", "sigma=0.1"])
def test_not_inside_njit(option):
    call = {}
    exec(f"def call(f): return derivative(f, 1.0, {option})", {"derivative": ng.derivative}, call)
    with pytest.raises(Exception, match="inside @njit leave it away"):
        njit(call["call"])(np.arange(9.0))


def test_explained():
    f, x = np.zeros((3, 40)), uneven(40)
    rows = ng.explain(ng.derivative, f, x, window=7, degree=2, sigma=1.0)
    words = "smoothing stencil of 7 samples for n=1 with coordinates"
    assert [row.kernel for row in rows] == [words, f"{words}, for the error"]
    rows = ng.explain(ng.derivative, f, window=7, degree=2, nan="one-sided")
    assert rows[0].kernel == "smoothing stencil of 7 samples for n=1 + gaps"
    rows = ng.explain(ng.derivative, f[0], x, n=0, window=7, degree=2)
    assert rows[0].kernel == "smoothing stencil of 7 samples for n=0 with coordinates of each line"
    assert ng.explain(ng.derivative, f, sigma=1.0)[0].kernel == "uniform + edges"
