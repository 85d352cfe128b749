"""Turning points: closed forms to their order, plateaus, ends, periods, gaps, noise, and a naive search."""

import numpy as np
import pytest
from helpers import same_bits, tier, uneven
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

import numgrad as ng
from numgrad._arrays import turning_points as module


def kinds(points):
    return ["-+"[k == "maximum"] + str(i) for i, k in zip(points.index, points.kind, strict=True)]


@pytest.mark.parametrize("grid", ["even", "number", "uneven", "falling"])
def test_order_of_convergence(grid):
    """Positions to second order at least, values to third."""
    errors = []
    for n in (200, 400, 800):
        t = np.linspace(0.1, 9.9, n)
        t = t + 0.2 * np.sin(t) if grid == "uneven" else t[::-1].copy() if grid == "falling" else t
        f = np.exp(0.2 * t) * np.sin(t)
        got = ng.turning_points(f, t[1] - t[0] if grid == "number" else t)
        exact = np.arange(1, 4) * np.pi - np.arctan(5)
        exact = np.arctan2(-1, 0.2) + np.pi * np.arange(1, 4)
        if grid == "falling":
            exact = exact[::-1]
        assert list(got.kind) == ["maximum", "minimum", "maximum"]
        position = got.position + (t[0] if grid == "number" else 0)
        errors.append((abs(position - exact).max(), abs(got.value - np.exp(0.2 * exact) * np.sin(exact)).max()))
    a, _, c = np.array(errors)
    measured = np.log(a / c) / np.log(799 / 199)
    assert measured[0] > 1.8
    assert measured[1] > 2.8
    assert c[0] < 1e-4
    assert c[1] < 1e-6


def test_a_parabola_is_exact():
    for x in (np.arange(9.0), uneven(9), uneven(9)[::-1].copy()):
        center = x.mean() + 0.013
        got = ng.turning_points(3 - 2 * (x - center) ** 2, x)
        assert len(got) == 1
        assert abs(got.position[0] - center) < 1e-12 * abs(x).max()
        assert abs(got.value[0] - 3) < 1e-12 * abs(x).max() ** 2
        assert got.kind[0] == "maximum"
        y = 3 - 2 * (x - center) ** 2
        assert np.allclose(got.gradient, np.gradient(y, x)[got.index], rtol=1e-9)


def test_plateaus():
    got = ng.turning_points([1, 2, 3, 3, 2, 1, 1, 1, 4])
    assert kinds(got) == ["+2", "-6"]
    assert got.first.tolist() == [2, 5]
    assert got.last.tolist() == [3, 7]
    assert got.position.tolist() == [2.5, 6]
    assert got.value.tolist() == [3, 1]
    assert len(ng.turning_points([1, 2, 3, 3, 2, 1, 1, 1, 4], plateaus=False)) == 0
    assert len(ng.turning_points([1, 2, 2, 3])) == 0  # a step
    assert len(ng.turning_points([2, 2, 2])) == 0
    assert len(ng.turning_points([2, 2, 2], ends=True)) == 0
    x = [0, 1, 2, 4, 7]
    assert ng.turning_points([1, 2, 3, 3, 0], x).position.tolist() == [3]


def test_ends():
    got = ng.turning_points([1, 2, 0, 5], ends=True)
    assert kinds(got) == ["-0", "+1", "-2", "+3"]
    assert got.position[[0, 3]].tolist() == [0, 3]
    assert got.value[[0, 3]].tolist() == [1, 5]
    assert np.allclose(got.gradient, np.gradient([1.0, 2, 0, 5], edge_order=2)[got.index])
    assert kinds(ng.turning_points([1, 1, 2], ends=True)) == ["-0", "+2"]
    assert ng.turning_points([1, 1, 2], ends=True).last.tolist() == [1, 2]
    assert kinds(ng.turning_points([1, 2], ends=True)) == ["-0", "+1"]
    assert ng.turning_points([1, 3], ends=True).gradient.tolist() == [2, 2]
    for y in ([], [1], np.empty((0, 3)), np.empty((3, 0))):
        assert len(ng.turning_points(y, ends=True)) == 0


def test_gaps_split():
    y = np.array([0, 2, 1, np.nan, 0, 3, 0, np.nan, np.nan, 5, np.nan, 1, 2])
    assert kinds(ng.turning_points(y)) == ["+1", "+5"]
    assert kinds(ng.turning_points(y, ends=True)) == ["-0", "+1", "-2", "-4", "+5", "-6", "-11", "+12"]
    assert np.isfinite(ng.turning_points(y, ends=True).gradient).all()
    assert len(ng.turning_points([np.nan] * 5, ends=True)) == 0


def test_periodic():
    n = 50
    t = np.arange(n) * (2 * np.pi / n)
    for shift in (0.0, 0.5 * t[1], 1.3, 3.0):
        got = ng.turning_points(np.cos(t - shift), t[1], periodic=True)
        assert sorted(got.kind) == ["maximum", "minimum"]
        top = got.position[got.kind == "maximum"][0]
        assert abs((top - shift + np.pi) % (2 * np.pi) - np.pi) < 1e-3
        assert np.all(np.diff(got.index) > 0)
        uneven_t = t + 0.1 * np.sin(t)
        again = ng.turning_points(np.cos(uneven_t - shift), uneven_t, periodic=True, period=2 * np.pi)
        top = again.position[again.kind == "maximum"][0]
        assert abs((top - shift + np.pi) % (2 * np.pi) - np.pi) < 2e-3
        falling = ng.turning_points(np.cos(uneven_t - shift), -uneven_t, periodic=True, period=2 * np.pi)
        assert np.allclose(falling.position, -again.position)
    wrapped = ng.turning_points([3, 1, 2, 3, 3], periodic=True)
    assert kinds(wrapped) == ["-1", "+4"]
    assert (wrapped.first[1], wrapped.last[1]) == (3, 0)
    assert wrapped.position[1] == 4
    assert len(ng.turning_points([2, 2, 2], periodic=True)) == 0
    assert ng.turning_points([5, 5, 1, 0, 1, 5], periodic=True).index.tolist() == [0, 3]
    assert len(ng.turning_points(np.zeros(0), np.zeros(0), periodic=True, period=9.0)) == 0
    gap = ng.turning_points([3, 1, 2, np.nan, 2], periodic=True)  # 2 3 1 2
    assert kinds(gap) == ["+0", "-1"]


def test_min_change():
    rng = np.random.default_rng(3)
    t = np.linspace(0, 6 * np.pi, 2000)
    y = np.sin(t) + 0.02 * rng.standard_normal(t.size)
    assert len(ng.turning_points(y, t)) > 500
    got = ng.turning_points(y, t, min_change=0.5)
    assert list(got.kind) == ["maximum", "minimum"] * 3
    assert abs(got.position - (np.pi / 2 + np.pi * np.arange(6))).max() < 0.3
    assert kinds(ng.turning_points([0, 1, 0.5, 2, 0], min_change=1)) == ["+3"]
    assert kinds(ng.turning_points([0, 1, 0.5, 2, 0], min_change=0.5)) == ["+1", "-2", "+3"]
    assert len(ng.turning_points(y, t, min_change=10)) == 0
    assert kinds(ng.turning_points([0, 0.1, 0, 5, 4.9], min_change=1, ends=True)) == ["-0", "+3"]
    around = ng.turning_points(np.roll(y, 700), min_change=0.5, periodic=True)
    assert len(around) == 6


def naive(y, plateaus, ends):
    """Runs of equal values, each compared with its neighbours."""
    found, runs = [], []
    for i, v in enumerate(y):
        if runs and y[runs[-1][0]] == v and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    for r, (a, b) in enumerate(runs):
        if np.isnan(y[a]):
            continue
        sides = [runs[s][0] if 0 <= s < len(runs) and not np.isnan(y[runs[s][0]]) else None for s in (r - 1, r + 1)]
        signs = {np.sign(y[a] - y[s]) for s in sides if s is not None}
        if len(signs) == 1 and (plateaus or a == b) and (ends or None not in sides):
            found.append((a, b, "maximum" if signs == {1} else "minimum"))
    return found


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given_by(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]), max_size=30), st.booleans(), st.booleans(),
)  # fmt: skip
def test_naive_search(y, plateaus, ends):
    got = ng.turning_points(np.array(y), plateaus=plateaus, ends=ends)
    assert list(zip(got.first, got.last, got.kind, strict=True)) == naive(y, plateaus, ends)


def test_lines_as_python():
    """Each line alone gives what the array gives; on one and more threads; also the source of the kernels."""
    rng = np.random.default_rng(0)
    f = rng.integers(0, 5, (4, 30, 3)).astype(float)
    f[1, 4, 0] = np.nan
    f[2, :, 1] = 1
    f[3, 0, 2] = np.nan
    x = np.cumsum(rng.random(f.shape) + 0.1, axis=1)
    for options in ({}, {"periodic": True, "period": 100.0}, {"ends": True}, {"min_change": 2.0}):
        for given in (x, x[0, :, 0]):
            got = ng.turning_points(f, given, axis=1, **options)
            count = 0
            for a, b in np.ndindex(4, 3):
                line = ng.turning_points(f[a, :, b], given[a, :, b] if given.ndim == 3 else given, **options)
                mine = (got.line == [a, b]).all(axis=1)
                count += len(line)
                for name in ("index", "position", "value", "kind", "gradient", "first", "last"):
                    assert same_bits(getattr(got, name)[mine], getattr(line, name)), name
            assert count == len(got)
            assert got.line.shape == (len(got), 2)


def test_threads(monkeypatch):
    from numgrad._arrays import turning_points

    f = np.random.default_rng(0).integers(0, 5, (50, 40)).astype("f4")
    expected = ng.turning_points(f)
    monkeypatch.setattr(turning_points, "PARALLEL", 0)
    ng.set_num_threads(3)
    try:
        got = ng.turning_points(f)
    finally:
        ng.set_num_threads(None)
    for name in ("index", "position", "value", "gradient", "line"):
        assert same_bits(getattr(got, name), getattr(expected, name))
    assert got.value.dtype == "f4"
    assert got.position.dtype == "f8"


def test_the_table():
    assert repr(ng.turning_points([1, 2, 1])) == (
        "index  position  value     kind  gradient\n    1         1      2  maximum         0"
    )
    assert repr(ng.turning_points([1, 1, 1])) == "no turning points"
    assert "2..3" in repr(ng.turning_points([1, 2, 3, 3, 2]))
    long = repr(ng.turning_points(np.arange(100) % 2)).splitlines()
    assert len(long) == 22
    assert long[11] == "... 78 more"
    assert "0,1" in repr(ng.turning_points([[[1, 1, 1], [1, 2, 1]]]))
    with pytest.raises(AttributeError):
        ng.turning_points([1, 2, 1]).index = 3


BAD = {
    "complex": (
        lambda: ng.turning_points([1j, 2, 3]),
        TypeError,
        "`y` has dtype complex128; give float32, float64 or int",
    ),
    "bool": (lambda: ng.turning_points([True, False]), TypeError, "`y` has dtype bool"),
    "negative": (lambda: ng.turning_points([1, 2, 3], min_change=-1), ValueError, "`min_change` is -1"),
    "nan": (lambda: ng.turning_points([1, 2, 3], min_change=np.nan), ValueError, "`min_change` is nan"),
    "shape": (lambda: ng.turning_points([1, 2, 3], [1, 2]), ValueError, r"`x` has shape \(2,\)"),
    "repeated": (lambda: ng.turning_points([1, 2, 3], [1, 1, 2]), ValueError, "`x` goes from 1.0 to 1.0 at 1"),
    "no period": (lambda: ng.turning_points([1, 2, 3], [1, 2, 3], periodic=True), ValueError, "`period` is missing"),
    "period": (lambda: ng.turning_points([1, 2, 3], period=3.0), ValueError, "`period` is 3.0; leave it away"),
    "axis": (lambda: ng.turning_points([1, 2, 3], axis=1), np.exceptions.AxisError, "out of bounds"),
}


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize(
    ("number", "piece"), [(0, None), (1, module.PIECE), (1, 8)], ids=["by_numpy", "by_kernel", "in_pieces"]
)
def test_lines_whose_neighbours_differ_as_others(number, piece, monkeypatch):
    """These have a way of their own, of which neighbours that are the same, and NaN, are no part."""
    monkeypatch.setattr(module, "PIECE", piece)
    rng = np.random.default_rng(7)
    y = rng.standard_normal((4, 41))
    x = np.cumsum(rng.random((4, 41)) + 0.1, axis=1)
    ways = [(y, 1.0), (y.astype("f4"), -0.3), (y, x[0]), (y, -x), (y * 1e300, x), (y.astype("f4") * 1e38, 0.1)]
    ways += [(np.cumsum(y, axis=1), x), (y[:, :3], 0.5), (y[0], x[0]), (np.argsort(y), 1.0), (y[:, :2], 1.0)]
    ways.append((rng.standard_normal(2000), np.cumsum(rng.random(2000) + 0.1)))  # more turns than are placed at once
    for name, of_two in (("same", (3, 3)), ("nan", (3, 9))):
        other = y.copy()
        other[2, 5] = other[of_two] if name == "same" else np.nan
        ways.append((other, x))
    with tier(number), np.errstate(all="ignore"):  # as Python kernels warn
        found = [ng.turning_points(*given) for given in ways]
        assert sum(map(len, found)) > 2200
        monkeypatch.setattr(module, "_strict", lambda call: None)
        for got, given in zip(found, ways, strict=True):
            expected = ng.turning_points(*given)
            for part in ("index", "position", "value", "gradient", "first", "last", "line", "is_maximum", "kind"):
                a, b = getattr(expected, part), getattr(got, part)
                assert a.dtype == b.dtype
                assert same_bits(a, b) if a.dtype.kind == "f" else np.array_equal(a, b), part
