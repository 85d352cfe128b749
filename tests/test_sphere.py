"""Fields on the sphere: harmonic functions, solid bodies, poles, ends, coordinates, MetPy, dask, xarray, errors."""

from functools import partial

import numpy as np
import pytest
from helpers import same_bits, tier

import numgrad as ng
from numgrad import sphere
from numgrad.sphere._grid import read_grid

pytestmark = pytest.mark.tier(0)

# Harmonic polynomials of degree l in x, y and z, with their gradients: on the unit sphere they are spherical harmonics,
# eigenfunctions of the laplacian by -l (l + 1). Those of degree 1 flow straight across the poles.
HARMONICS = [
    (1, lambda x, y, z: 0.8 * x - 0.5 * y + 0.4 * z, lambda x, y, z: (0.8 + 0 * x, -0.5 + 0 * x, 0.4 + 0 * x)),
    (2, lambda x, y, z: x * z, lambda x, y, z: (z, 0 * x, x)),
    (2, lambda x, y, z: x * y, lambda x, y, z: (y, x, 0 * x)),
    (3, lambda x, y, z: z * (x * x - y * y), lambda x, y, z: (2 * x * z, -2 * y * z, x * x - y * y)),
    (
        3,
        lambda x, y, z: y * (4 * z * z - x * x - y * y),
        lambda x, y, z: (-2 * x * y, 4 * z * z - x * x - 3 * y * y, 8 * y * z),
    ),
    (
        3,
        lambda x, y, z: 2 * z**3 - 3 * z * (x * x + y * y),
        lambda x, y, z: (-6 * x * z, -6 * y * z, 6 * z * z - 3 * (x * x + y * y)),
    ),
]


def harmonics(weights, latitude, longitude):
    """A sum of harmonic functions, its laplacian, and its gradient to the east and to the north, on the unit sphere."""
    p, t = np.radians(latitude)[:, None], np.radians(longitude)
    x, y, z = np.cos(p) * np.cos(t), np.cos(p) * np.sin(t), np.sin(p) + 0 * t
    f = sum(w * h(x, y, z) for w, (_, h, _) in zip(weights, HARMONICS, strict=True))
    laplacian = sum(-w * n * (n + 1) * h(x, y, z) for w, (n, h, _) in zip(weights, HARMONICS, strict=True))
    a, b, c = (sum(w * d(x, y, z)[i] for w, (_, _, d) in zip(weights, HARMONICS, strict=True)) for i in range(3))
    east = -np.sin(t) * a + np.cos(t) * b + 0 * z
    return f, laplacian, east, -np.sin(p) * (np.cos(t) * a + np.sin(t) * b) + np.cos(p) * c


def truth(latitude, longitude):
    """Samples of a function and of a flow with a potential and a stream function, and all their derivatives."""
    f, laplacian, east, north = harmonics((0.3, 0.5, -0.7, 1.1, 0.8, 0.6), latitude, longitude)
    _, vorticity, a, b = harmonics((1.0, -0.5, 0.4, 0.3, -0.8, 0.2), latitude, longitude)
    _, divergence, c, d = harmonics((-0.6, 0.8, 0.2, 0.7, 0.5, -0.3), latitude, longitude)
    u, v = c - b, d + a
    results = {"east": east, "north": north, "laplacian": laplacian, "vorticity": vorticity, "divergence": divergence}
    return (f, u, v), results | {"advection": -(u * east + v * north)}


def fields(samples, latitude, longitude, **options):
    f, u, v = samples
    options = {"radius": 1.0, **options}
    east, north = sphere.gradient(f, latitude, longitude, **options)
    return {
        "east": east,
        "north": north,
        "laplacian": sphere.laplacian(f, latitude, longitude, **options),
        "vorticity": sphere.vorticity(u, v, latitude, longitude, **options),
        "divergence": sphere.divergence(u, v, latitude, longitude, **options),
        "advection": sphere.advection(f, u, v, latitude, longitude, **options),
    }


def even(n):
    return np.linspace(-90, 90, n + 1), np.arange(2 * n) * 180 / n


def between(n):
    return (90 - 180 / n * (np.arange(n) + 0.5)), np.arange(2 * n) * 180 / n - 180


def gauss(n):
    return np.degrees(np.arcsin(np.polynomial.legendre.leggauss(n)[0])), np.arange(2 * n) * 180 / n


def uneven(n):
    s, t = np.linspace(-1, 1, n + 1), np.arange(n) / n
    half = 180 * (t + 0.02 * np.sin(2 * np.pi * t))
    return 90 * (s + 0.1 * np.sin(np.pi * s)), np.append(half, half + 180)


def without_poles(n):
    return even(n)[0][1:-1], even(n)[1]


def odd(n):
    return between(n)[0], np.arange(2 * n + 1) * 360 / (2 * n + 1)


def odd_with_poles(n):
    return even(n)[0], odd(n)[1]


def region(n):
    return np.linspace(60, 20, n + 1), np.linspace(-30, 50, n + 1)


GRIDS = {g.__name__: g for g in (even, between, gauss, uneven, without_poles, odd, odd_with_poles, region)}
ACROSS = ("even", "between", "gauss", "uneven", "without_poles")


@pytest.mark.parametrize("accuracy", [2, 4])
@pytest.mark.parametrize("name", GRIDS)
def test_order_of_convergence(name, accuracy):
    """As promised away from the poles; next to them one less, and at them NaN or the limit."""
    errors = []
    for n in (16, 32):
        latitude, longitude = GRIDS[name](n)
        samples, exact = truth(latitude, longitude)
        got = fields(samples, latitude, longitude, accuracy=accuracy)
        missing = abs(latitude) == 90 if name == "odd_with_poles" else np.zeros(latitude.size, bool)
        assert all((np.isnan(got[k]) == missing[:, None]).all() for k in got)
        off = {k: abs(got[k] - exact[k])[~missing] for k in got}
        inner = abs(latitude[~missing]) < 46
        errors.append([[off[k][inner].max(), off[k].max()] for k in off])
    inside, everywhere = np.log2(np.array(errors[0]) / errors[1]).T
    assert (inside > accuracy - 0.35).all()
    assert (everywhere > accuracy - 1.1).all()
    if name in ACROSS:
        assert (everywhere[:2] > accuracy - 0.35).all()


@pytest.mark.parametrize("name", ["even", "between", "region"])
def test_a_solid_body_and_a_zonal_harmonic(name):
    """What the formulas give, to the last digits: sines and cosines are eigenfunctions of symmetric differences."""
    latitude, longitude = GRIDS[name](9)
    h, p = np.radians(abs(latitude[1] - latitude[0])), np.radians(latitude)[:, None] + 0 * longitude
    inside = slice(1, -1) if name == "region" else slice(None)
    at_pole = abs(latitude[:, None]) == 90
    u, omega, radius = 3.0 * np.cos(p), 3.0, 2.0
    options = {"latitude": latitude, "longitude": longitude, "radius": radius}
    expected = omega / radius * np.sin(p) * np.where(at_pole, 2 * np.sin(h) / h, 1 + np.sin(h) / h)
    got = sphere.vorticity(u, 0 * u, **options)
    assert np.allclose(got[inside], expected[inside], rtol=1e-13, atol=1e-13)
    assert abs(sphere.divergence(u, 0 * u, **options)).max() < (1e-14 if name == "region" else 1e-300)
    second = (2 * np.cos(h) - 2) / h**2
    expected = np.sin(p) / radius**2 * np.where(at_pole, 2 * second, second - np.sin(h) / h)
    got = sphere.laplacian(np.sin(p), **options)
    assert np.allclose(got[inside], expected[inside], rtol=1e-12, atol=1e-13)
    wave = np.exp(2j * np.radians(longitude)) + 0 * p  # to the east, and complex
    k = np.radians(abs(longitude[1] - longitude[0]))
    east = sphere.gradient(wave, **options).east
    expected = 1j * np.sin(2 * k) / k * wave / (radius * np.cos(p))
    rows = abs(latitude) < 89
    assert np.allclose(east[rows, 1:-1], expected[rows, 1:-1], rtol=1e-12, atol=1e-12)


def points(i, size, n, accuracy, is_even, wraps):
    """The points of a formula for the i-th of so many: an odd number around it, or at an end those nearest to it."""
    count = n + accuracy + (n == 2) * (-1 if is_even else int(size > n + accuracy))
    reach = count // 2
    if wraps or reach <= i < size - reach:
        return np.arange(i - reach, i + reach + 1 - (count % 2 == 0))
    count, middle = n + accuracy, (n + accuracy) // 2
    begin = i - min(i, middle) if i < reach else i + min(size - 1 - i, middle) + 1 - count
    return np.arange(begin, begin + count)


def by_hand(name, samples, latitude, longitude, accuracy):
    """The field on the unit sphere point by point: the rows beyond the poles, too, each with its own weights."""
    n, is_vector, half = 2 if name == "laplacian" else 1, name in ("divergence", "vorticity"), longitude.size // 2
    f, u, v = samples
    east, north = {"divergence": (u, v), "vorticity": (v, u)}.get(name, (f, f))
    steps = np.append(abs(np.diff(longitude)), 360 - abs(longitude[-1] - longitude[0]))
    closes = steps[-1] <= steps[:-1].max() * 1.001
    faces = closes and longitude.size % 2 == 0 and np.allclose(abs(longitude[half:] - longitude[:half]), 180)
    rows, limits, is_even = [(y, i, False) for i, y in enumerate(latitude)], {}, np.ptp(np.diff(latitude)) < 1e-9
    for end, inside in ((0, 1), (-1, -2)):
        pole, width = np.sign(latitude[end] - latitude[inside]), abs(latitude[end] - latitude[inside])
        gap, is_at_pole = 180 - 2 * pole * latitude[end], abs(latitude[end]) == 90
        if is_at_pole:
            limits[end % latitude.size] = faces
        if faces and gap < 2.5 * width:
            is_even &= is_at_pole or abs(gap - width) < 1e-9
            beyond = [(180 * pole - y, i, True) for y, i, other in rows if not other][:: 1 if end == 0 else -1]
            beyond = beyond[int(is_at_pole) :]
            rows = beyond[::-1] + rows if end == 0 else rows + beyond
    y = np.radians([row[0] for row in rows])

    def by_latitude(g, r, order):
        at = points(r, y.size, n, accuracy, is_even, wraps=False)
        turned = [np.roll(g[i], half) * (-1 if is_vector else 1) if other else g[i] for _, i, other in rows]
        return sum(w * turned[k] for w, k in zip(weights(y[at], y[r], order), at, strict=True))

    def by_longitude(line):
        x, size, found = np.radians(longitude), longitude.size, np.empty(longitude.size)
        turn, are_even = 2 * np.pi * np.sign(x[1] - x[0]), np.ptp(steps if closes else steps[:-1]) < 1e-9
        for j in range(size):
            at = points(j, size, n, accuracy, are_even, closes)
            found[j] = weights(x[at % size] + turn * (at // size), x[j], n) @ line[at % size]
        return found

    result = np.full((2, *f.shape), np.nan)
    for r, (_, i, other) in enumerate(rows):
        if other or not limits.get(i, True):
            continue
        result[1, i] = by_latitude(north, r, n)
        if i in limits:
            inner = by_longitude(by_latitude(east, r, n))
            result[0, i] = inner / 2 if n == 2 else -np.sign(y[r]) * inner
            result[1, i] *= 2 if is_vector or n == 2 else 1
        else:
            result[0, i] = by_longitude(east[i]) / np.cos(y[r]) ** n
            if is_vector or n == 2:
                result[1, i] -= np.tan(y[r]) * by_latitude(north, r, n - 1)
    if name == "gradient":
        return result
    if name == "advection":
        return -u * result[0] - v * result[1]
    return result[0] - result[1] if name == "vorticity" else result[0] + result[1]


def weights(x, at, n):
    return np.array(ng.weights(list(x), at, n)) if n else (x == at).astype(float)


NAMES = ("gradient", "divergence", "vorticity", "laplacian", "advection")


@pytest.mark.parametrize("seed", range(20))
def test_by_hand(seed):
    """Samples without any order, on grids of all kinds; two thousand more were tried."""
    rng = np.random.default_rng(seed)
    name, accuracy = NAMES[seed % 5], int(rng.choice([2, 4]))
    least = accuracy + (2 if name == "laplacian" else 1)
    rows, columns = least + rng.integers(0, 6), least + rng.integers(0, 8)
    gaps = np.sort(rng.choice(np.arange(1, 36), columns // 2, replace=False)) * 5.0
    latitude = [
        np.linspace(-90, 90, rows),
        (np.arange(rows) + 0.5) * 180 / rows - 90,
        gauss(rows)[0],
        np.linspace(-90, 90, rows + 2)[1:-1],
        np.append(np.sort(rng.uniform(-60, 60, rows - 1)), 90),
    ][rng.integers(5)]
    longitude = [
        np.arange(columns) * 360 / columns - 50,
        np.arange(columns + columns % 2) * 360 / (columns + columns % 2),
        np.linspace(0, 200, columns),
        np.concatenate([[0.0], gaps, [180.0], gaps + 180]),
    ][rng.integers(4)]
    latitude, longitude = latitude[:: rng.choice([1, -1])], longitude[:: rng.choice([1, -1])]
    samples = rng.standard_normal((3, latitude.size, longitude.size))
    expected = by_hand(name, samples, latitude, longitude, accuracy)
    given = {"gradient": samples[:1], "laplacian": samples[:1], "advection": samples}.get(name, samples[1:])
    got = np.array(getattr(sphere, name)(*given, latitude, longitude, radius=1.0, accuracy=accuracy))
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    scale = abs(expected).max(axis=-1, keepdims=True)
    assert (abs(got - expected) <= 1e-9 * scale)[~np.isnan(expected)].all()


def test_the_earth_by_default():
    latitude, longitude = even(6)
    (f, u, v), _ = truth(latitude, longitude)
    for function, given, power in ((sphere.laplacian, (f,), 2), (sphere.vorticity, (u, v), 1)):
        got = function(*given, latitude, longitude)
        assert np.allclose(got * 6371008.7714**power, function(*given, latitude, longitude, radius=1.0), rtol=1e-13)


@pytest.mark.parametrize("name", ["even", "uneven", "region"])
def test_directions_layouts_and_axes(name):
    """The same numbers whichever way rows, columns and axes go, and wherever a circle is cut."""
    latitude, longitude = GRIDS[name](8)
    samples = truth(latitude, longitude)[0]
    expected = fields(samples, latitude, longitude)
    grid = np.meshgrid(latitude, longitude, indexing="ij")

    def check(how, back, latitude, longitude, tolerance=0.0, **options):
        got = fields([how(f) for f in samples], latitude, longitude, **options)
        for key, found in got.items():
            assert np.allclose(back(found), expected[key], rtol=0, atol=tolerance * abs(expected[key]).max()), key

    check(lambda f: f[::-1], lambda f: f[::-1], latitude[::-1], longitude, 1e-13)
    check(lambda f: f[:, ::-1], lambda f: f[:, ::-1], latitude, longitude[::-1], 1e-13)
    check(lambda f: np.asfortranarray(f), lambda f: f, latitude, longitude)
    check(lambda f: np.repeat(f, 2, axis=1)[:, ::2], lambda f: f, *grid)
    check(lambda f: f.T, lambda f: f.T, latitude, longitude, axis=(1, 0))
    check(lambda f: f.T.copy(), lambda f: f.T, *[x.T for x in grid], axis=(-1, -2))
    check(lambda f: np.stack([f, -f])[:, :, None], lambda f: f[0, :, 0], latitude, longitude, axis=(1, 3))
    check(lambda f: np.stack([f.T, -f.T], 1), lambda f: f[:, 0].T, latitude, longitude, axis=(2, 0))
    check(lambda f: [list(row) for row in f], lambda f: f, list(latitude), list(longitude))
    check(lambda f: f, lambda f: f, latitude, longitude % 360, 1e-12)
    if name != "region":
        turned = (np.roll(longitude, 5) + 180) % 360 - 180
        check(lambda f: np.roll(f, 5, 1), lambda f: np.roll(f, -5, 1), latitude, turned, 1e-12)


def test_coordinates_in_single_precision_are_as_even_as_they_were():
    latitude, longitude = np.arange(50) * 3.6 - 88.2, np.arange(100) * 3.6 + 0.1
    samples = truth(latitude, longitude)[0]
    expected = fields(samples, latitude, longitude)
    for kind in (np.float32, lambda x: x.astype(np.float32).astype(np.float64)):
        got = fields(samples, kind(latitude), kind(longitude))
        assert all(np.allclose(got[k], expected[k], rtol=0, atol=1e-5 * abs(expected[k]).max()) for k in got)
        grid = read_grid(kind(latitude), kind(longitude), (50, 100), (0, 1))
        assert grid.longitude == np.radians(3.6)
        assert abs(grid.step - np.radians(3.6)) < 1e-8
        moved = kind(longitude) + 1e-3 * (np.arange(100) == 7)
        assert not isinstance(read_grid(latitude, moved, (50, 100), (0, 1)).longitude, float)
    whole = (np.arange(-90, 91, 10, dtype=np.int8), np.arange(0, 360, 10, dtype=np.uint16))
    samples = truth(*[x.astype(float) for x in whole])[0]
    expected = fields(samples, *[x.astype(float) for x in whole])
    assert all(same_bits(got, expected[k]) for k, got in fields(samples, *whole).items())
    for off in (-1e-11, 1e-11):  # a pole is where it was meant to be
        latitude, longitude = even(8)[0] * (1 + off), even(8)[1]
        f = np.sin(np.radians(even(8)[0]))[:, None] + 0 * longitude
        expected = sphere.laplacian(f, *even(8))
        assert np.allclose(sphere.laplacian(f, latitude, longitude), expected, rtol=1e-9, atol=1e-22)


def test_dtypes():
    latitude, longitude = between(8)
    samples = truth(latitude, longitude)[0]
    expected = fields(samples, latitude, longitude)
    for key, got in fields([f.astype("f4") for f in samples], latitude, longitude).items():
        assert got.dtype == np.float32
        assert np.allclose(got, expected[key], rtol=0, atol=3e-6 * abs(expected[key]).max())
    whole = (samples[0] * 100).astype("i2")
    assert same_bits(sphere.laplacian(whole, latitude, longitude), sphere.laplacian(whole * 1.0, latitude, longitude))
    u, v = whole, samples[2].astype("f4")  # of which NumPy makes float32
    assert same_bits(
        sphere.vorticity(u, v, latitude, longitude), sphere.vorticity(u.astype("f4"), v, latitude, longitude)
    )


@pytest.mark.parametrize("name", ["even", "between"])
def test_nan_reaches_what_has_a_weight_on_it(name):
    """Over the pole, too, where the meridian goes on as the one half a turn away."""
    latitude, longitude = GRIDS[name](8)
    for i, j in ((0, 3), (1, 3), (5, 15)):
        (f, u, v), _ = truth(latitude, longitude)
        f[i, j] = np.nan
        east, north = sphere.gradient(f, latitude, longitude)
        assert np.isnan(east[i, [(j - 1) % 16, (j + 1) % 16]]).all() or abs(latitude[i]) == 90
        across = (j + 8) % 16
        reached = {(i - 1, j), (i + 1, j)} - {(-1, j)}
        if i == 0 and name == "between":
            reached |= {(0, across)}
        if i == 1 and name == "even":
            reached |= {(0, across)}
        assert {tuple(map(int, k)) for k in np.argwhere(np.isnan(north))} == reached
        u[i, j] = np.nan
        assert np.isnan(sphere.vorticity(u, v, latitude, longitude)[i, j]) or abs(latitude[i]) == 90


def test_out():
    latitude, longitude = even(6)
    samples, _ = truth(latitude, longitude)
    expected = fields(samples, latitude, longitude)
    calls = (("laplacian", (0,)), ("divergence", (1, 2)), ("vorticity", (1, 2)), ("advection", (0, 1, 2)))
    for name, used in calls:
        for place in (*used, None):
            given = [f.copy() for f in samples]
            out = np.empty(given[0].shape[::-1]).T if place is None else given[place]
            call = partial(getattr(sphere, name), *[given[i] for i in used], latitude, longitude, radius=1.0)
            assert call(out=out) is out
            assert same_bits(out, expected[name])
    f = samples[0].copy()
    found = sphere.gradient(f, latitude, longitude, radius=1.0, out=(np.empty_like(f), f))
    assert found.north is f
    assert same_bits(found.east, expected["east"])
    assert same_bits(found.north, expected["north"])


@pytest.mark.tier(1)
@pytest.mark.parametrize("streaming", [False, True])
def test_threads_and_tiers(lower, streaming):
    latitude, longitude = between(8)
    f, u, v = (np.stack([f, 2 * f]).astype("f4") for f in truth(latitude, longitude)[0])
    calls = [
        partial(sphere.vorticity, u, v, latitude, longitude),
        partial(sphere.advection, f, u, v, latitude, longitude),
        partial(sphere.vorticity, u.T.copy(), v.T.copy(), latitude, longitude, axis=(1, 0)),
    ]
    with tier(0):
        expected = [call() for call in calls]
    lower(64, 3, streaming)
    assert all(same_bits(call(), wanted) for call, wanted in zip(calls, expected, strict=True))


def test_metpy():
    """Gradients; and what has a metric term, but for the error of MetPy's, which is a difference of the scale."""
    calc = pytest.importorskip("metpy.calc")
    import pyproj
    from metpy.units import units

    latitude, longitude = np.linspace(-60, 70, 53), np.arange(0, 360, 2.5)
    (f, u, v), exact = truth(latitude, longitude)
    radius = 6371008.7714
    where = {
        "latitude": latitude * units.degrees_north,
        "longitude": longitude * units.degrees_east,
        "crs": pyproj.CRS(f"+proj=latlong +R={radius}"),
    }
    got = fields((f, u, v), latitude, longitude, radius=radius)
    wind = u * units("m/s"), v * units("m/s")
    east, north = calc.geospatial_gradient(f * units.K, **where)
    theirs = {
        "east": east,
        "north": north,
        "advection": calc.advection(f * units.K, *wind, **where),
        "vorticity": calc.vorticity(*wind, **where),
        "divergence": calc.divergence(*wind, **where),
    }
    phi, inside = np.radians(latitude), (slice(1, -1), slice(1, -1))
    metric = (np.cos(phi) * np.gradient(1 / np.cos(phi), phi, edge_order=2) - np.tan(phi))[:, None] / radius
    differences = {"vorticity": u * metric, "divergence": -v * metric}
    for key, quantity in theirs.items():
        ours, given = got[key][inside], quantity.magnitude[inside]
        expected = given - differences.get(key, 0 * f)[inside]
        assert np.allclose(ours, expected, rtol=0, atol=1e-9 * abs(ours).max())
        assert abs(ours - exact[key][inside] / radius).max() <= 1.001 * abs(given - exact[key][inside] / radius).max()


@pytest.mark.parametrize("name", ["even", "gauss", "odd_with_poles", "region"])
def test_dask(name):
    da = pytest.importorskip("dask.array")
    latitude, longitude = GRIDS[name](8)
    samples = [np.stack([f, 2 * f]) for f in truth(latitude, longitude)[0]]
    expected = fields(samples, latitude, longitude)
    rows, columns = samples[0].shape[1:]
    for chunks in ((1, 3, 5), (2, (1, rows - 1), columns)):
        lazy = fields([da.from_array(f, chunks) for f in samples], latitude, longitude)
        for key, found in lazy.items():
            assert isinstance(found, da.Array)
            assert same_bits(found.compute(scheduler="sync"), expected[key])
    one = sphere.vorticity(samples[1], da.from_array(samples[2], chunks), latitude, longitude, radius=1.0)
    assert same_bits(one.compute(scheduler="sync"), expected["vorticity"])
    with pytest.raises(ValueError, match="latitude"):
        sphere.laplacian(da.from_array(samples[0]), 2 * latitude, longitude)
    with pytest.raises(TypeError, match="`out` is given"):
        sphere.laplacian(da.from_array(samples[0]), latitude, longitude, out=samples[0])


def dataset(names=("lat", "lon"), attributes=({}, {})):
    xr = pytest.importorskip("xarray")
    pytest.importorskip("numgrad.interop.xarray")
    latitude, longitude = between(6)
    f, u, v = truth(latitude, longitude)[0]
    north, east = names
    coords = {north: (north, latitude, attributes[0]), east: (east, longitude, attributes[1]), "height": 2.0}
    wind = {"units": "m s-1", "standard_name": "eastward_wind"}
    variables = {
        "f": ((north, east), f, {"units": "K", "standard_name": "air_temperature", "source": "here"}),
        "u": ((north, east), u, wind),
        "v": ((east, north), v.T, wind),
        "other": ("time", [1.0, 2.0]),
    }
    return xr.Dataset(variables, coords, {"title": "all"})


def test_xarray():
    ds = dataset()
    expected = fields([ds[k].transpose("lat", "lon").values for k in "fuv"], ds.lat.values, ds.lon.values)
    for lazy in (ds, ds.chunk({"lat": 3})):
        on = partial(getattr, lazy.numgrad.sphere)
        got = {
            "laplacian": on("laplacian")("f", radius=1.0),
            "vorticity": on("vorticity")("u", "v", radius=1.0),
            "divergence": on("divergence")("u", "v", radius=1.0),
            "advection": on("advection")("f", "u", "v", radius=1.0),
        }
        got["east"], got["north"] = lazy.f.numgrad.sphere.gradient(radius=1.0)
        assert all((one.chunks is not None) == (lazy is not ds) for one in got.values())
        assert all(same_bits(one.values, expected[k]) for k, one in got.items())
        assert {k: one.attrs["units"] for k, one in got.items()} == {
            "laplacian": "K m-2", "vorticity": "s-1", "divergence": "s-1", "advection": "K s-1", "east": "K m-1",
            "north": "K m-1",
        }  # fmt: skip
        for key in ("laplacian", "advection", "east"):
            assert got[key].name == "f"
            assert got[key].attrs.keys() == {"units", "source"}
        assert got["vorticity"].name is None
        assert got["vorticity"].attrs.keys() == {"units"}
        assert all(set(one.coords) == {"lat", "lon", "height"} for one in got.values())
    whole = ds.drop_vars(["v"]).numgrad.sphere.laplacian(radius=1.0)
    assert whole.f.identical(got["laplacian"].compute())
    assert whole.other.identical(ds.other)
    assert whole.attrs == ds.attrs
    by_function = sphere.vorticity(ds.u, ds.v, radius=1.0)
    assert by_function.identical(got["vorticity"].compute())
    moved = sphere.laplacian(ds.f.T, "lat", ds.lon, radius=1.0)
    assert moved.dims == ("lon", "lat")
    assert moved.T.identical(got["laplacian"].compute())
    east, north = ds[["f"]].numgrad.sphere.gradient(radius=1.0)
    assert same_bits(east.f.values, expected["east"])
    assert same_bits(north.f.values, expected["north"])
    assert ds.f.numgrad.sphere.advection(ds.u, ds.v, radius=1.0).identical(got["advection"].compute())
    assert ds.f.attrs["units"] == "K"


def test_xarray_finds_coordinates():
    expected = dataset().f.numgrad.sphere.laplacian().values
    for names, attributes in (
        (("Latitude", "LON"), ({}, {})),
        (("y", "x"), ({"units": "degrees_north"}, {"units": "degree_E"})),
        (("y", "x"), ({"standard_name": "latitude"}, {"standard_name": "longitude"})),
        (("lon", "lat"), ({"units": "degrees_north"}, {"units": "degrees_east"})),
    ):
        assert same_bits(dataset(names, attributes).f.numgrad.sphere.laplacian().values, expected)
    plain = dataset(("y", "x")).f
    assert same_bits(plain.numgrad.sphere.laplacian(latitude="y", longitude="x").values, expected)
    north, east = (x.transpose("x", "y") for x in (plain.y + 0 * plain.x, plain.x + 0 * plain.y))
    each = plain.assign_coords(lat=north, lon=east)
    assert same_bits(each.numgrad.sphere.laplacian().values, expected)
    assert same_bits(sphere.laplacian(plain.T, plain.y, plain.x).T.values, expected)
    for given, message in (
        (plain, "`latitude` is missing among the coordinates 'y', 'x'"),
        (each.assign_coords(lat=north + 0.1 * east), "curvilinear"),
        (each.assign_coords(lats=north), "'lat', 'lats' all are that"),
        (dataset(attributes=({"units": "radians"}, {})).f, "whose units are 'radians'"),
        (plain.assign_coords(lat=("x", plain.x.values / 2), lon=plain.x), "both along 'x'"),
    ):
        with pytest.raises(ValueError, match=message):
            given.numgrad.sphere.laplacian()
    with pytest.raises(ValueError, match="`v` is 'w'; give a DataArray, or of a Dataset the name of a variable: 'f'"):
        dataset().numgrad.sphere.vorticity("u", "w")
    with pytest.raises(TypeError, match="leave it away"):
        sphere.laplacian(plain, "y", "x", axis=(0, 1))
    with pytest.raises(TypeError, match="`v` is a ndarray"):
        sphere.vorticity(plain, plain.values, "y", "x")


def test_units_of_results():
    pytest.importorskip("xarray")
    from numgrad.interop.xarray.sphere import per_metre

    for given, power, expected in (
        (["m s-1"], 1, "s-1"),
        (["m/s"], 1, "s-1"),
        (["m s**-1"], 1, "s-1"),
        (["m.s^-1"], 1, "s-1"),
        (["m2 s-1"], 2, "s-1"),
        (["1"], 1, "m-1"),
        (["m"], 1, "1"),
        (["K", "m s-1"], 1, "K s-1"),
        (["kg kg-1"], 1, "m-1"),
        (["degrees C (approx)"], 1, "(degrees C (approx)) m-1"),
        (["W/m**2"], 1, "W m-3"),
        (["10 m"], 1, "(10 m) m-1"),
    ):
        assert per_metre(given, power) == expected


LATITUDE, LONGITUDE = between(6)
ZEROS = np.zeros((6, 12))
REFUSED = [
    ({"latitude": None}, TypeError, "`latitude` is missing; give the degrees of all 6 points of axis 0"),
    ({"longitude": None}, TypeError, "`longitude` is missing"),
    ({"latitude": LATITUDE * 1.3}, ValueError, "`latitude` has 97.5; give degrees from -90 to 90"),
    ({"latitude": LONGITUDE}, ValueError, r"`latitude` has shape \(12,\)"),
    ({"latitude": 30.0}, ValueError, r"`latitude` has shape \(\)"),
    ({"latitude": np.where(LATITUDE > 0, LATITUDE, np.nan)}, ValueError, "not finite"),
    ({"latitude": LATITUDE[[0, 2, 1, 3, 4, 5]]}, ValueError, "only rise or only fall"),
    ({"longitude": np.linspace(0, 360, 12)}, ValueError, "from 0 to 360, which are one meridian; leave away"),
    ({"longitude": np.linspace(0, 400, 12)}, ValueError, "from 0 to 400, more than a turn"),
    ({"longitude": LATITUDE[:, None] + LONGITUDE}, ValueError, "`longitude` differs across axis 1.*curvilinear"),
    ({"latitude": LATITUDE[:, None] + LONGITUDE}, ValueError, "`latitude` differs across axis 0"),
    ({"longitude": LONGITUDE.astype(str)}, TypeError, "`longitude` has dtype"),
    ({"radius": 0}, ValueError, "`radius` is 0; give a positive number of metres"),
    ({"radius": "6371 km"}, TypeError, "`radius`"),
    ({"accuracy": 3}, ValueError, "even"),
    ({"accuracy": 6}, ValueError, "axis 0 has 6 points"),
    ({"axis": 0}, ValueError, "give two"),
    ({"axis": (0, 0)}, ValueError, "repeated"),
    ({"out": ZEROS[1:]}, ValueError, "`out` has shape"),
    ({"out": ZEROS.astype("f4")}, TypeError, "`out` has dtype"),
    ({"f": np.ma.array(ZEROS, mask=ZEROS == 0)}, TypeError, r"`f` has masked elements; give f.filled\(numpy.nan\)"),
    ({"f": ZEROS > 0}, TypeError, "`f` has dtype bool"),
    ({"f": ZEROS[:2], "latitude": LATITUDE[:2]}, ValueError, "axis 0 has 2 points"),
]


@pytest.mark.parametrize(("change", "kind", "message"), REFUSED)
def test_errors(change, kind, message):
    given = {"f": ZEROS, "latitude": LATITUDE, "longitude": LONGITUDE, **change}
    with pytest.raises(kind, match=message):
        sphere.laplacian(**given)


class Quantity:
    """As those of astropy are: with a unit, converting itself to others."""

    unit = "K"

    def to(self, unit):
        raise NotImplementedError


def test_quantities_are_refused():
    with pytest.raises(TypeError, match=r"`f` is in units of 'K'.*over metres, of a laplacian over square metres"):
        sphere.laplacian(Quantity(), LATITUDE, LONGITUDE)
    with pytest.raises(TypeError, match="`latitude` is in units of 'K', a Quantity; give numbers, degrees"):
        sphere.laplacian(ZEROS, Quantity(), LONGITUDE)


def test_errors_of_components():
    with pytest.raises(ValueError, match=r"`u` has shape \(6, 12\) and `v` \(5, 12\)"):
        sphere.vorticity(ZEROS, ZEROS[1:], LATITUDE, LONGITUDE)
    with pytest.raises(ValueError, match="share memory"):
        sphere.gradient(ZEROS, LATITUDE, LONGITUDE, out=(ZEROS, ZEROS))
    assert sphere.laplacian(np.zeros((0, 6, 12)), LATITUDE, LONGITUDE).shape == (0, 6, 12)
    assert ng.sphere is sphere
