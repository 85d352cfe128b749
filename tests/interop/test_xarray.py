"""numgrad.interop.xarray: equal to xarray's differentiate, and elsewhere to numgrad on plain arrays."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from helpers import same_bits

import numgrad as ng

xr = pytest.importorskip("xarray")
import numgrad.interop.xarray  # noqa: E402

pytestmark = pytest.mark.tier(0)
is_old = xr.__version__ < "2025"  # knows nanoseconds only, and Zarr before 3

X = np.array([0.2, 0.35, 0.4, 0.6, 0.7, 0.75, 0.76, 0.8])
DAYS = np.array(
    ["2004-07-13", "2006-01-13", "2010-08-13", "2010-09-13", "2010-10-11", "2010-12-13", "2011-02-13", "2012-08-13"],
    dtype="datetime64[ns]" if is_old else "datetime64[s]",
)


def random(*shape, seed=42):
    return np.random.default_rng(seed).random(shape)


def array(x=X, name="f", **more):
    coords = {"x": x, "z": 3, "x2": ("x", X**2), "x2d": (("x", "y"), random(8, 6).cumsum(0)), **more}
    return xr.DataArray(random(8, 6), coords, ("x", "y"), name, attrs={"units": "K"})


def dataset(**more):
    f = array(**more)
    return xr.Dataset(
        {"f": f, "g": ("y", random(6), {"units": "m"}), "h": (("y", "x"), random(6, 8).astype("f4")), "s": 1.0},
        attrs={"title": "all"},
    )


def differentiate(f, *options, **more):
    """What xarray does, which drops attributes that numgrad keeps."""
    expected = f.differentiate(*options, **more)
    pairs = [(expected, f)] if isinstance(f, xr.DataArray) else [(expected[name], f[name]) for name in f.data_vars]
    for new, old in pairs:
        new.attrs = old.attrs
    return expected


def assert_equal(expected, got):
    """The same in all that an object of xarray has: names, attributes, coordinates, and bits."""
    assert type(expected) is type(got)
    xr.testing.assert_identical(expected, got)
    pairs = [(expected, got)]
    if isinstance(expected, xr.Dataset):
        assert list(expected.variables) == list(got.variables)
        pairs = [(expected[name], got[name]) for name in expected.data_vars]
    for a, b in pairs:
        assert (a.dims, a.dtype, a.encoding, list(a.coords)) == (b.dims, b.dtype, b.encoding, list(b.coords))
        assert list(a.indexes) == list(b.indexes)
        assert same_bits(a.values, b.values)


# What differentiate does


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("coord", ["x", "y", "x2"])
@pytest.mark.parametrize("make", [array, dataset])
def test_differentiate(make, coord, edge_order):
    f = make()
    expected = differentiate(f, coord, edge_order)
    assert_equal(expected, f.numgrad.differentiate(coord, edge_order))
    assert_equal(expected, f.numgrad.gradient(coord, edge_order=edge_order))


@pytest.mark.parametrize("dtype", ["f4", pytest.param("f8", marks=pytest.mark.tier(1)), "c8", "c16", "i4", "u1"])
@pytest.mark.parametrize("x", [X, -X, X[::-1], np.arange(8), np.arange(8) * 0.5, X.astype("f4"), None])
def test_dtypes_and_coordinates(dtype, x):
    f = xr.DataArray((random(8, 6) * 90).astype(dtype), {} if x is None else {"x": x}, ("x", "y"))
    for edge_order in 1, 2:
        for one in f, f.T:
            assert_equal(differentiate(one, "x", edge_order), one.numgrad.differentiate("x", edge_order))


@pytest.mark.parametrize("unit", [None, "D", "h", "s", "ns"])
def test_differentiate_datetime(unit):
    for f in array(DAYS), dataset(x=DAYS), array(DAYS)["x"], array(DAYS - DAYS[0]):
        assert_equal(differentiate(f, "x", datetime_unit=unit), f.numgrad.differentiate("x", datetime_unit=unit))


@pytest.mark.skipif(is_old, reason="there is one unit")
def test_datetimes_along_datetimes_of_another_unit():
    f = xr.DataArray(DAYS.astype("datetime64[ms]"), dims=["x"], coords={"x": DAYS})
    assert_equal(differentiate(f, "x"), f.numgrad.differentiate("x"))
    g = xr.DataArray(np.tile(DAYS, (3, 1)), {"x": X}, ("y", "x"))
    for got, dim in zip(g.numgrad.gradient(["x", "y"]), "xy", strict=True):
        assert_equal(differentiate(g, dim), got)


def test_hours_of_a_day():
    f = array(DAYS)
    per_day, per_hour = (f.numgrad.derivative("x", n=2, datetime_unit=unit) for unit in "Dh")
    np.testing.assert_allclose(per_day, per_hour * 24**2)


@pytest.mark.parametrize("unit", [None, "D", "h"])
def test_differentiate_cftime(unit):
    pytest.importorskip("cftime")
    time = xr.date_range("2000", periods=8, freq="2ME", use_cftime=True)
    f = xr.DataArray(random(8, 6), {"time": time, "z": 3}, ("time", "y"))
    for one in f, f["time"], f.to_dataset(name="f"):
        got = one.numgrad.differentiate("time", datetime_unit=unit)
        assert_equal(differentiate(one, "time", datetime_unit=unit), got)


def test_multiindex_and_encoding_are_as_after_differentiate():
    f = array().stack(p=("x", "y")).expand_dims(t=4).copy()
    f.encoding = {"dtype": "f4"}
    assert_equal(differentiate(f, "t"), f.numgrad.differentiate("t"))


def test_a_dataset_along_a_data_variable():
    ds = xr.Dataset({"t": ("x", X), "f": ("x", random(8))})
    assert_equal(differentiate(ds, "t"), ds.numgrad.differentiate("t"))


# Attributes

SCALAR = {
    "gradient": lambda f: f.numgrad.gradient("x"),
    "gradients": lambda f: f.numgrad.gradient(["x", "y"])[1],
    "differentiate": lambda f: f.numgrad.differentiate("x"),
    "derivative": lambda f: f.numgrad.derivative("x2d", dim="x"),
    "laplacian": lambda f: f.numgrad.laplacian(["x", "y"]),
    "hessian": lambda f: ng.hessian(f, "x", "y"),
}
VECTOR = {
    "divergence": lambda f: ng.divergence([f, 2 * f], "x", "y"),
    "curl": lambda f: ng.curl([f, f], "x", "y"),
    "curl of three": lambda f: ng.curl(f.expand_dims(k=3, z2=4), 1.0),
    "jacobian": lambda f: ng.jacobian(f.expand_dims(k=2), "x", "y"),
}


@pytest.fixture(params=["in memory", "lazy"])
def f(request):
    if request.param == "in memory":
        return array()
    pytest.importorskip("dask")
    return array().chunk()


@pytest.mark.parametrize("option", ["default", True, False])
@pytest.mark.parametrize("name", SCALAR)
def test_attributes_are_kept_unless_xarray_is_told_to_drop_them(name, option, f):
    ds = f.to_dataset().assign(s=((), 1.0, {"units": "m"})).assign_attrs(title="all")
    with xr.set_options(keep_attrs=option):
        one, whole = SCALAR[name](f), SCALAR[name](ds)
    kept = option is not False
    assert one.attrs == whole.f.attrs == ({"units": "K"} if kept else {})
    assert whole.attrs == ({"title": "all"} if kept else {})
    assert whole.s.attrs == {"units": "m"}
    one.attrs["new"] = whole.attrs["new"] = whole.f.attrs["new"] = 1
    assert f.attrs == ds.f.attrs == {"units": "K"}
    assert ds.attrs == {"title": "all"}


@pytest.mark.parametrize("option", ["default", True, False])
@pytest.mark.parametrize("name", VECTOR)
def test_fields_have_the_attributes_of_no_component(name, option, f):
    with xr.set_options(keep_attrs=option):
        assert VECTOR[name](f).attrs == {}
        got = f.to_dataset().numgrad.divergence(["f", "f"], ["x", "y"])
    assert got.attrs == {}
    assert f.attrs == {"units": "K"}


# What np.gradient does


def assert_as_numpy(*given, **options):
    """`numgrad.gradient` and np.gradient give the same, or raise the same."""
    try:
        expected = np.gradient(*given, **options)
    except Exception as error:  # whatever it is
        with pytest.raises(type(error)):
            ng.gradient(*given, **options)
        return None
    got = ng.gradient(*given, **options)
    assert type(got) is type(expected)
    pairs = zip(expected, got, strict=True) if isinstance(got, tuple) else [(expected, got)]
    for one, other in pairs:
        assert type(one) is type(other)
        assert (one.shape, one.dtype, one.strides) == (other.shape, other.dtype, other.strides)
        assert same_bits(one.view("i8"), other.view("i8")) if one.dtype.kind in "mM" else same_bits(one, other)
    return got


@pytest.mark.tier(1)
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i4", "f2", "M8[ns]"])
def test_gradient_is_numpys(dtype, lazy):
    f = array()
    f = f.copy(data=(f.values * 90).astype("i8").astype(dtype))
    if lazy:
        pytest.importorskip("dask")
        f = f.chunk({"x": 3})
    x, y = f["x"], xr.DataArray(random(6).cumsum().astype("f4"), dims="y")
    for edge_order in 1, 2:
        for one in f, f.T, f.variable, f[:, 0], [f, f], (f[:, 0], f[:, 1]), [f[0, 0], f[1, 0], f[2, 0]]:
            assert assert_as_numpy(one, edge_order=edge_order) is not None or edge_order == 2 or dtype == "M8[ns]"
            assert_as_numpy(one, 0.5, edge_order=edge_order)
        for spacing in (x, y), (x.variable, 2.0), (x.values, y), (x, list(y)), (2.0, [float(i) for i in y]), (x,):
            for one in f, f.values, f.variable, f.values.tolist():
                assert_as_numpy(one, *spacing, edge_order=edge_order)
        for axis in 0, -1, (1, 0), (), 2, "x", (0, 0):
            assert_as_numpy(f, axis=axis, edge_order=edge_order)
        for axis, spacing in (0, x), (1, y), (0, f["x2"]), (1, y[0]), (0, "x"), (1, f["x2d"]):
            for one in f, f.values:
                assert_as_numpy(one, spacing, axis=axis, edge_order=edge_order)


@pytest.mark.tier(1)
def test_gradient_of_what_has_coordinates():
    f = array(DAYS)
    assert assert_as_numpy(f) is not None
    assert assert_as_numpy(f["x"]) is not None
    assert_as_numpy(f, f["x"], axis=0)
    for refused in f.to_dataset(), xr.DataArray(1.0), f[0, 0], f[:1], f.to_dataset()["f"].astype(bool):
        assert_as_numpy(refused)
    ds = f.to_dataset()
    ds["d"] = (f.dims, ng.gradient(f)[0])
    assert same_bits(ds["d"].values, np.gradient(f.values)[0])
    out = np.empty((2, 8, 6))
    assert ng.gradient(f, out=out) is out
    assert same_bits(out, np.array(np.gradient(f.values)))


def test_what_is_lazy_is_computed_once():
    da = pytest.importorskip("dask.array")
    runs = []
    lazy = da.from_array(random(8)).map_blocks(lambda x: runs.append(1) or x, dtype=float, meta=np.empty(0))
    for f in xr.DataArray(lazy), xr.DataArray(lazy.astype("f2")):
        runs.clear()
        assert type(ng.gradient(f)) is np.ndarray
        assert len(runs) == 1


# Arrays of other libraries


@pytest.mark.parametrize("library", ["jax", "pint"])
def test_other_arrays_are_differentiated_as_by_xarray(library):
    module = pytest.importorskip(library)
    if library == "jax":
        wrap, plain = module.numpy.asarray, np.asarray
    else:
        wrap, plain = module.UnitRegistry().m.__rmul__, lambda q: q.magnitude
    values = random(8, 6).astype("f4")
    for x in X.astype("f4"), DAYS, None:
        f = xr.DataArray(wrap(values), {} if x is None else {"x": x}, ("x", "y"), "f", {"units": "K"})
        for got in (
            f.numgrad.differentiate("x"),
            f.to_dataset().numgrad.differentiate("x")["f"],
            f.numgrad.gradient()[0],
        ):
            assert type(got.data) is type(f.data)
            assert (got.name, got.dims, got.attrs) == ("f", f.dims, f.attrs)
            expected = f.copy(data=values).differentiate("x").values
            np.testing.assert_allclose(plain(got.data), expected, rtol=1e-5, atol=1e-5 * abs(expected).max())
            try:
                theirs = f.differentiate("x")
            except NotImplementedError:  # jax, in this xarray
                continue
            assert getattr(theirs.data, "units", None) == getattr(got.data, "units", None)
            assert same_bits(plain(theirs.data), plain(got.data))
    mixed = f.to_dataset().assign(g=("x", X))
    assert type(mixed.numgrad.differentiate("x")["g"].data) is np.ndarray


# Turning points


@pytest.mark.parametrize("kind", ["numbers", "falling", "datetimes", "timedeltas", "cftime", "seconds", "years"])
def test_turning_points_by_coordinate(kind):
    """A parabola has its turning point where it is; times are given as such."""
    if is_old and kind in ("seconds", "years"):
        pytest.skip("there is one unit")
    t = np.array([0, 1, 3, 4, 6, 9, 10.0])
    start, day = np.datetime64("2024-01-05", "ns"), np.timedelta64(86400 * 10**9, "ns")
    days = (t * 86400).astype("m8[s]")
    x = {
        "numbers": t,
        "falling": 10 - t,
        "datetimes": start + days,
        "timedeltas": 3 * day + days,
        "seconds": start.astype("M8[s]") + (t * 4).astype("m8[s]"),
        "years": np.datetime64("3024-01-05", "s") + days * 10**4,
    }
    where = 4.9
    expected = {
        "numbers": where,
        "falling": 10 - where,
        "datetimes": start + np.timedelta64(int(where * 86400 * 10**9), "ns"),
        "timedeltas": 3 * day + np.timedelta64(int(where * 86400 * 10**9), "ns"),
        "seconds": start + np.timedelta64(int(where * 4 * 10**9), "ns"),
        "years": np.datetime64("3024-01-05", "us") + np.timedelta64(int(where * 86400 * 10**10), "us"),
    }
    if kind == "cftime":
        pytest.importorskip("cftime")
        begin = xr.date_range("2000-01-01", periods=12, freq="D", use_cftime=True)
        x[kind] = begin[t.astype(int)]
        expected[kind] = begin[0] + np.timedelta64(int(where * 86400 * 10**6), "us").item()
    f = xr.DataArray((t - where) ** 2, {"t": x[kind]}, ("t",))
    pytest.importorskip("dask")
    given = [f, f.expand_dims(k=2).T, f.chunk({"t": 3})]
    for one in given:
        for got in (
            ng.turning_points(one, axis=0),
            ng.turning_points(one, "t"),
            ng.turning_points(one, one["t"], dim="t"),
            one.numgrad.turning_points("t"),
        ):
            assert set(got.index) == {3}
            assert set(got.kind) == {"minimum"}
            if kind in ("numbers", "falling"):
                np.testing.assert_allclose(got.position, expected[kind], rtol=1e-13)
                continue
            # To microseconds, which cftime counts in; subtracted exactly.
            off = [np.timedelta64(p - expected[kind]) for p in got.position]
            assert all(abs(one) < np.timedelta64(10, "us") for one in off)
            assert str(got.position[0]) in repr(got)
    if kind == "datetimes":
        slope = f.numgrad.turning_points("t", datetime_unit="D").gradient
        np.testing.assert_allclose(slope, 2 * (4 - where))


@pytest.mark.parametrize("lazy", [False, True], ids=["memory", "dask"])
@pytest.mark.parametrize("unit", [None, "ns", "us", "D"])
def test_times_of_lines_far_apart_keep_their_digits(lazy, unit):
    """Each line counts from its own first time, so that its nanoseconds are whole numbers."""
    steps = np.array([[0, 1, 3, 4, 7, 8], [8, 7, 4, 3, 1, 0]]) * 301
    t = np.array([["1970-01-02T00:00:00.000000001"], ["2023-11-14T00:00:00.000000001"]], "M8[ns]") + steps
    y = np.sin(steps / 500)
    f = xr.DataArray(y, {"t": (("line", "i"), t)}, ("line", "i"))
    if lazy:
        pytest.importorskip("dask")
        f = f.chunk({"line": 1})
    from_first = steps - steps[:, :1]
    exact = np.array([[int(s) / Fraction(np.timedelta64(1, unit or "ns") // np.timedelta64(1, "ns")) for s in row]
                      for row in from_first], float)  # fmt: skip
    for options in ({}, {"n": 2}):
        got = f.numgrad.derivative("t", dim="i", datetime_unit=unit, **options)
        assert same_bits(got.values, ng.derivative(y, exact, **options))
        got = f.T.numgrad.derivative("t", dim="i", datetime_unit=unit, **options)
        assert same_bits(got.values, ng.derivative(y.T, exact.T, axis=0, **options))
    expected = ng.turning_points(y, from_first)
    assert len(expected)
    for one in (f, f.T, f.expand_dims(k=1)):
        found = ng.turning_points(one, "t", dim="i", datetime_unit=unit)
        lines = found.line[:, -1]
        assert found.index.tolist() == expected.index.tolist()
        assert (found.position == t[lines, 0] + np.rint(expected.position).astype("m8[ns]")).all()


def test_turning_points_of_lines_with_coordinates_of_their_own():
    f = array()
    got = f.numgrad.turning_points("x2d", dim="x")
    assert len(got)
    for other in (
        ng.turning_points(f, "x2d", axis="x"),
        ng.turning_points(f, f["x2d"].T, axis=0),
        ng.turning_points(f.values, f["x2d"].values, axis=0),
        ng.turning_points(f.T, "x2d", axis="x"),
    ):
        for name in "index", "position", "value", "kind", "gradient", "line":
            assert getattr(other, name).tolist() == getattr(got, name).tolist()
    plain = ng.turning_points(f.values, X, axis=0, ends=True, plateaus=False)
    assert ng.turning_points(f, axis="x", ends=True, plateaus=False).position.tolist() == plain.position.tolist()
    # A dimension without a coordinate counts samples.
    assert ng.turning_points(f).position.tolist() == ng.turning_points(f.values).position.tolist()


# Names and axes


@pytest.mark.parametrize("make", [array, dataset])
def test_gradient_along_several(make):
    f = make()
    for names in ("y", "x"), f.sizes:
        got = f.numgrad.gradient(None if names is f.sizes else list(names))
        assert type(got) is tuple
        for one, coord in zip(got, names, strict=True):
            assert_equal(differentiate(f, coord), one)


def test_one_name_is_one_object_and_a_list_a_tuple():
    f = array()[:, 0]
    assert isinstance(f.numgrad.gradient("x"), xr.DataArray)
    assert len(f.numgrad.gradient(["x"])) == len(f.numgrad.gradient()) == 1


def test_coordinates_themselves_and_axes():
    f = array()
    assert_equal(differentiate(f, "x"), f.numgrad.gradient(f["x"]))
    assert_equal(ng.derivative(f, "x", n=2), ng.derivative(f, f["x"], n=2, axis="x"))


def test_numbers_and_arrays_as_for_arrays():
    f, plain = array(), array().values
    assert same_bits(ng.derivative(plain, 0.1), ng.derivative(f, 0.1).values)
    assert same_bits(ng.derivative(plain, X, axis=0, n=2), ng.derivative(f, X, axis=0, n=2).values)
    assert same_bits(ng.laplacian(plain, 0.1), ng.laplacian(f, 0.1).values)
    v = np.array([plain, 2 * plain])
    assert same_bits(ng.divergence(v, X, 0.3, axis=(1, 2)), ng.divergence([f, 2 * f], X, 0.3, axis=(1, 2)).values)


# Derivatives


def test_derivative_passes_its_options():
    f = array(np.arange(8) * 0.5)
    options = {"n": 2, "accuracy": 4, "boundary": "periodic", "period": 4.0}
    expected = ng.derivative(f.values, f["x"].values, axis=0, **options)
    got = f.numgrad.derivative("x", **options)
    assert_equal(xr.DataArray(expected, f.coords, f.dims, "f", f.attrs), got)
    assert_equal(got, ng.derivative(f, "x", **options))
    f[3, 2] = np.nan
    got = f.numgrad.derivative("x", edge_accuracy=1, nan="one-sided")
    plain = ng.derivative(f.values, f["x"].values, axis=0, edge_accuracy=1, nan="one-sided")
    assert same_bits(plain, got.values)


def test_derivative_goes_by_the_coordinate_of_its_dimension():
    f = array(y=random(6).cumsum())
    for got in ng.derivative(f, n=2), ng.derivative(f, None, n=2), ng.derivative(f, n=2, axis="y"):
        assert_equal(f.numgrad.derivative("y", n=2), got)
    assert_equal(f.numgrad.derivative("x"), ng.derivative(f, axis=0))
    assert_equal(array(DAYS).numgrad.derivative("x"), ng.derivative(array(DAYS), axis="x"))
    assert_equal(ng.derivative(array(), 1.0), ng.derivative(array()))  # "y" has no coordinate there
    ds = dataset()
    assert_equal(ds.numgrad.derivative("x"), ng.derivative(ds, axis="x"))
    pairs = xr.DataArray(random(3, 8), dims=[1, 0])  # names need not be strings
    assert same_bits(ng.derivative(pairs.values), ng.derivative(pairs).values)
    with pytest.raises(TypeError, match="`axis` is -1; a Dataset has no order of axes, name dimensions: 'x', 'y'"):
        ng.derivative(ds)


def test_derivative_of_a_dataset():
    ds = dataset()
    got = ds.numgrad.derivative("x", n=2)
    assert_equal(ds.f.numgrad.derivative("x", n=2), got.f)
    xr.testing.assert_identical(ds.drop_vars(["f", "h"]), got.drop_vars(["f", "h"]))
    assert same_bits(ng.derivative(ds.h.values, X, n=2), got.h.values)


def test_coordinates_of_two_dimensions():
    f = array()
    expected = [ng.derivative(f.values[:, j], f.x2d.values[:, j], n=2) for j in range(6)]
    got = f.numgrad.derivative("x2d", dim="x", n=2)
    assert_equal(xr.DataArray(np.stack(expected, 1), f.coords, f.dims, "f", f.attrs), got)
    assert_equal(got, ng.derivative(f, "x2d", axis="x", n=2))
    assert_equal(got, ng.derivative(f, "x2d", axis=0, n=2))


def test_coordinates_of_two_dimensions_for_three_in_another_order():
    f = array().expand_dims(t=3).transpose("y", "t", "x").copy() * xr.DataArray([1.0, 2.0, 3.0], dims="t")
    got = f.numgrad.derivative("x2d", dim="x", accuracy=4)
    for t in range(3):
        for y in range(6):
            expected = ng.derivative(f.values[y, t], f.x2d.transpose("x", "y").values[:, y], accuracy=4)
            np.testing.assert_allclose(got.values[y, t], expected, rtol=1e-12)


# Fields


def test_laplacian_and_hessian():
    f = array()
    y, x = np.arange(6.0), X
    expected = ng.laplacian(f.values, x, y)
    for got in f.numgrad.laplacian(["x", "y"]), f.numgrad.laplacian(), ng.laplacian(f, "x", "y"), ng.laplacian(f):
        assert_equal(xr.DataArray(expected, f.coords, f.dims, "f", f.attrs), got)
    assert same_bits(ng.laplacian(f.values, x, axis=0), f.numgrad.laplacian("x").values)
    assert same_bits(ng.laplacian(f.values, x, y, accuracy=4), ng.laplacian(f, "x", "y", accuracy=4).values)
    for got in f.numgrad.hessian(["y", "x"]), ng.hessian(f, "y", "x"):
        assert got.dims == ("derivative_1", "derivative_2", "x", "y")
        assert same_bits(ng.hessian(f.values, y, x, axis=(1, 0)), got.values)
        assert got.name == "f"
        mixed = got.sel(derivative_1="y", derivative_2="x", drop=True)
        assert_equal(mixed, got.sel(derivative_1="x", derivative_2="y", drop=True))


def test_fields_of_a_dataset():
    ds = dataset()[["f", "h", "s"]]
    got = ds.numgrad.laplacian(["x", "y"])
    assert_equal(ds.f.numgrad.laplacian(["x", "y"]), got.f)
    assert got.h.dims == ("y", "x")
    assert got.s == 1
    assert got.attrs == ds.attrs
    assert ds.numgrad.hessian(["x", "y"]).h.shape == (2, 2, 6, 8)
    with pytest.raises(ValueError, match=r"variable 'g' has dimensions 'y', but not 'x'; name"):
        dataset().numgrad.laplacian(["x", "y"])


def test_divergence_curl_and_jacobian_in_two_dimensions():
    u, v = array(name="u"), array(name="v") ** 2
    ds = xr.Dataset({"u": u, "v": v.transpose("y", "x")})
    plain, y = np.array([u.values, v.values]), np.arange(6.0)
    for name in "divergence", "curl":
        function = getattr(ng, name)
        expected = xr.DataArray(function(plain, X, y), u.coords, u.dims)
        assert_equal(expected, function([u, v.T], "x", "y"))
        assert_equal(expected, getattr(ds.numgrad, name)(["u", "v"], ["x", "y"]))
        assert_equal(expected, getattr(ds.numgrad, name)(["u", "v"]))
        assert_equal(expected, function(xr.concat([u, v], "k"), "x", "y"))
    got = ng.jacobian([u, v, u], "y")
    assert got.dims == ("component", "derivative", "x", "y")
    assert same_bits(ng.jacobian([u.values, v.values, u.values], y, axis=2), got.values)
    assert list(got["derivative"]) == ["y"]


def test_curl_in_three_dimensions():
    plain = random(3, 5, 4, 6)
    x = np.array([0, 1, 3, 4.0])
    ds = xr.Dataset({n: (("z", "x", "y"), c) for n, c in zip("uvw", plain, strict=True)}, {"x": x})
    got = ds.numgrad.curl(["u", "v", "w"], ["x", "y", "z"])
    assert same_bits(ng.curl(plain, x, 1.0, 1.0, axis=(2, 3, 1)), got.values)
    assert got.dims == ("component", "z", "x", "y")
    assert list(got["component"]) == ["x", "y", "z"]


# Lazy arrays


def grid():
    """Samples on a curved grid, in a Dataset: of time and of latitude and longitude, each of "y" and "x"."""
    y, x = np.mgrid[:9.0, :8.0]
    coords = {
        "time": DAYS[:7],
        "y": -(np.arange(9.0) ** 1.5),
        "lat": (("y", "x"), y + 0.1 * x * y),
        "lon": (("y", "x"), x**2 + 0.3 * y, {"units": "degrees_east"}),
        "level": ("time", X[:7]),
    }
    f, g = random(7, 9, 8), random(8, 7, 9, seed=1).astype("f4")
    return xr.Dataset({"f": (("time", "y", "x"), f, {"units": "K"}), "g": (("x", "time", "y"), g)}, coords)


def fields(v, *names):
    """All functions of a vector field, of two components along the last two names, and of three."""
    u, v, w = v, v.isel(x=slice(None, None, -1)), v + v.isel(time=slice(None, None, -1)).data
    v = v.assign_coords(lon=u.lon, lat=u.lat)
    two = [ng.divergence([u, v], *names[1:]), ng.curl([u, v], *names[1:], accuracy=4)]
    return [*two, ng.curl([u, v, w], *names), ng.jacobian([u, v, w], *names)]


FUNCTIONS = {
    "gradient": lambda ds: [
        *ds.numgrad.gradient(),
        *ds.g.numgrad.gradient(["level", "y"], edge_order=2),
        *ds.f.numgrad.gradient(),
    ],
    "differentiate": lambda ds: [ds.numgrad.differentiate("y", 2), ds.numgrad.differentiate("time", 1, "h")],
    "derivative": lambda ds: [
        ds.numgrad.derivative("time", n=2, accuracy=4, datetime_unit="D"),
        ds.numgrad.derivative("level", n=3),
        ds.numgrad.derivative("x", accuracy=4, boundary="periodic"),
        ds.numgrad.derivative("level", boundary="periodic", period=2.0),
        ng.derivative(ds.g, 0.5, n=2, axis="y", nan="one-sided"),
        ng.derivative(ds.g),
    ],
    "derivative of lines": lambda ds: [
        ds.numgrad.derivative("lat", dim="y", n=2, accuracy=4),
        ds.numgrad.derivative("lon", dim="x"),
        ng.derivative(ds.g, "lat", axis="y", edge_accuracy=1),
        ng.derivative(ds.g, ds.lon, axis=0, n=2, nan="one-sided"),
    ],
    "laplacian": lambda ds: [ds.numgrad.laplacian(["y", "x"], accuracy=4), ds.numgrad.laplacian("level")],
    "hessian": lambda ds: [ds.numgrad.hessian(["x", "y"]), ng.hessian(ds.f, "level", "y")],
    "fields": lambda ds: fields(ds.f, "level", "x", "y") + fields(ds.g, "time", "y", "x"),
    "fields of variables": lambda ds: [
        ds.assign(g=ds.g.astype("f8")).numgrad.divergence(["f", "g"], ["y", "x"]),
        ds.assign(g=ds.g.astype("f8")).numgrad.curl(["g", "f"], ["x", "y"]),
    ],
}


def never(*graph, **options):
    raise AssertionError("computed")


def check_lazy(name, ds):
    """What a function makes of this is lazy, and has the bits of what it makes of data in memory."""
    dask = pytest.importorskip("dask")
    with dask.config.set(scheduler=never):
        lazy = FUNCTIONS[name](ds)
    loaded = ds.compute(scheduler="synchronous")
    xr.testing.assert_equal(grid(), loaded)
    for expected, got in zip(FUNCTIONS[name](loaded), lazy, strict=True):
        made = got.data_vars.values() if isinstance(got, xr.Dataset) else [got]
        assert all(one.chunks for one in made)
        assert_equal(expected, got.compute(scheduler="synchronous"))


@pytest.mark.parametrize("chunks", [{"time": 3, "y": 4, "x": 3}, {"x": 2}, {}], ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_dask_stays_lazy(name, chunks):
    pytest.importorskip("dask")
    check_lazy(name, grid().chunk(chunks))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_zarr_stays_lazy(name, tmp_path):
    if pytest.importorskip("zarr").__version__ >= "3" and is_old:
        pytest.skip("this xarray cannot read what this Zarr writes")
    pytest.importorskip("dask")
    grid().chunk({"time": 4, "x": 5, "y": 9}).to_zarr(tmp_path / "all.zarr", consolidated=False)
    check_lazy(name, xr.open_zarr(tmp_path / "all.zarr", consolidated=False))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lazy_coordinates_of_data_in_memory(name):
    pytest.importorskip("dask")
    ds = grid()
    given = ds.assign_coords({one: ds[one].chunk(3) for one in ("lat", "lon", "level")})
    for expected, got in zip(FUNCTIONS[name](ds), FUNCTIONS[name](given), strict=True):
        assert_equal(expected, got.compute(scheduler="synchronous"))


@pytest.mark.parametrize("function", [ng.divergence, ng.curl, ng.jacobian])
def test_one_lazy_component_makes_a_field_lazy(function):
    dask = pytest.importorskip("dask")
    u, v = array(), array() ** 2
    for components in [u.chunk({"x": 3}), v], [u, v.chunk({"x": 3})]:
        with dask.config.set(scheduler=never):
            got = function(components, "x", "y")
        assert got.chunks
        assert_equal(function([u, v], "x", "y"), got.compute(scheduler="synchronous"))


def test_nothing_is_copied():
    f = array()
    assert np.shares_memory(f.numgrad.differentiate("x")["x2d"].values, f["x2d"].values)


# Errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f.numgrad.derivative("q"), ValueError, r"no 'q'; dimensions are 'x', 'y', coordinates 'x', 'z'"),
        (lambda f: f.numgrad.gradient(["x", "q"]), ValueError, "no 'q'; dimensions are"),
        (lambda f: ng.derivative(f, axis="q"), ValueError, "`axis` is 'q'; dimensions are 'x', 'y'"),
        (lambda f: f.numgrad.gradient("z"), ValueError, "'z' has dimensions none"),
        (lambda f: f.numgrad.differentiate("x2d"), ValueError, r"`dim` is missing: 'x2d' has dimensions 'x', 'y'"),
        (lambda f: f.numgrad.derivative("x2d", dim="q"), ValueError, "`dim` is 'q', but 'x2d' has dimensions"),
        (lambda f: f.numgrad.derivative("x", dim="y"), ValueError, "`dim` is 'y', but 'x' has dimensions 'x'"),
        (lambda f: ng.derivative(f, "x", axis=1), ValueError, "`dim` is 'y', but 'x' has"),
        (lambda f: f.numgrad.gradient(["x", "x2"]), ValueError, "'x', 'x2' are all along 'x'; give one"),
        (lambda f: f.numgrad.gradient([]), ValueError, "no dimensions to differentiate along"),
        (lambda f: ng.laplacian(f, "x", 1.0), ValueError, "some of `spacing` are names"),
        (lambda f: ng.laplacian(f, "x", axis=0), ValueError, "`axis` is 0; leave it away"),
        (lambda f: f.numgrad.derivative("text"), TypeError, "coordinate 'text' has dtype <U1; give one of numbers"),
        (lambda f: f.numgrad.derivative("t", datetime_unit="q"), TypeError, "`datetime_unit` is 'q'"),
        (lambda f: f.numgrad.derivative("t", datetime_unit="Y"), TypeError, "`datetime_unit` is 'Y'"),
        (lambda f: ng.laplacian(f.to_dataset(), axis=0), TypeError, "`axis` is 0; a Dataset has no order of axes"),
        (lambda f: ng.gradient(f, "x"), TypeError, r"a name, 'x', is given: .*write f.numgrad.gradient\('x'\)"),
        (lambda f: ng.gradient(f, axis="x"), TypeError, "a name, 'x', is given"),
        (lambda f: ng.gradient(f.to_dataset()), TypeError, r"`f` is a Dataset: .*gradient\(\['x', 'y'\]\)"),
        (lambda f: ng.turning_points(f.to_dataset()), TypeError, "`y` is a Dataset; give one of its variables: 'f'"),
        (lambda f: ng.turning_points(f.x2, "x2d", axis=0), ValueError, "there is no 'x2d'"),
        (lambda f: ng.turning_points(f, axis=0, dim="x"), TypeError, "`axis` is 0 and `dim` is 'x'"),
        (lambda f: ng.divergence(f.to_dataset(), "x"), TypeError, "`v` is a Dataset; give a list of its variables"),
        (lambda f: ng.divergence([f, f[0]], "x", "y"), ValueError, "`v` has components of dimensions 'x', 'y' and 'y'"),
        (lambda f: ng.divergence([f, 1.0], "x", "y"), TypeError, "`v` has a float, the 1-th component"),
        (lambda f: ng.divergence([f, f], axis=(0, 1)), ValueError, "axis 0 of `v` holds the components"),
        (lambda f: ng.divergence(f[:0], "y"), ValueError, "`v` has no components"),
        (lambda f: ng.divergence([f, f.assign_coords(x=-X)], "x", "y"), ValueError, "join='exact'|exact"),
        (lambda f: f.to_dataset().numgrad.curl(["f", "q"], ["x", "y"]), ValueError, "`variables` has 'q'; .* 'f'"),
        (lambda f: f.to_dataset().numgrad.derivative("q"), ValueError, "no 'q'; dimensions are 'x', 'y'"),
    ],
)
def test_errors(call, error, message):
    f = array(text=("x", list("abcdefgh")), t=("x", DAYS))
    with pytest.raises(error, match=message):
        call(f)


@pytest.mark.parametrize("spacing", [(1.0, 2.0, 3.0), (X, X, X), (X,)], ids=["numbers", "coordinates", "too few"])
@pytest.mark.parametrize("name", ["laplacian", "hessian", "divergence", "curl", "jacobian"])
def test_another_number_of_spacings_raises_what_it_does_for_arrays(name, spacing):
    function, f = getattr(ng, name), array()
    is_vector = name in ("divergence", "curl", "jacobian")
    pytest.importorskip("dask")
    for one in f, f.chunk():
        with pytest.raises(ValueError, match=f"{len(spacing)} spacings for 2 axes"):
            function([one, one] if is_vector else one, *spacing)
        with pytest.raises(ValueError, match="spacing"):
            function(np.array([f, f]) if is_vector else f.values, *spacing)


@pytest.mark.parametrize("name", ["derivative", "laplacian", "hessian", "divergence", "curl", "jacobian"])
def test_out_is_refused(name):
    f = array()
    with pytest.raises(TypeError, match="`out` is given; leave it away"):
        getattr(ng, name)([f, f] if name in ("divergence", "curl", "jacobian") else f, out=np.empty((8, 6)))


def test_options_that_are_none_are_refused():
    f, ds = array(), dataset()
    for refused in (
        lambda: ds.numgrad.derivative("x", out=np.empty(8)),
        lambda: f.numgrad.derivative("x", axis=0),
        lambda: f.numgrad.laplacian("x", out=f),
        lambda: f.numgrad.hessian("x", edge_order=2),
        lambda: ds.numgrad.curl(["f", "h"], ["x", "y"], n=2),
        lambda: ng.laplacian(f, "x", n=2),
    ):
        with pytest.raises(TypeError, match="is no option here; options are"):
            refused()
    with pytest.raises(TypeError, match="`axis` is 'y' and `dim` is 'x'"):
        numgrad.interop.xarray.derivative(f, axis="y", dim="x")


@pytest.mark.tier(1)
def test_coordinates_of_lines_do_not_grow_before_they_are_needed():
    da = pytest.importorskip("dask.array")
    y, x = np.mgrid[:40.0, :30.0]
    lazy = xr.DataArray(da.zeros((10**6, 40, 30), chunks=(200, 40, 30)), {"lat": (("y", "x"), y + x)}, ("t", "y", "x"))
    tracemalloc.start()
    got = lazy.numgrad.derivative("lat", dim="y", n=2)
    assert tracemalloc.get_traced_memory()[1] < 1 << 29 < lazy.nbytes
    tracemalloc.stop()
    assert got[5:7].values.tolist() == np.zeros((2, 40, 30)).tolist()
    with pytest.raises(ValueError, match="`lat` goes from"):
        lazy.assign_coords(lat=(("y", "x"), y % 7)).numgrad.derivative("lat", dim="y")


def test_a_variable_without_all_dimensions_of_a_coordinate():
    ds = array().to_dataset().assign(g=("x", X))
    with pytest.raises(ValueError, match=r"'x2d' has dimensions 'x', 'y', a variable 'x'; leave it out"):
        ds.numgrad.derivative("x2d", dim="x")


def test_smooth_goes_by_the_coordinate():
    t = np.array("2024-01-01", "datetime64[h]") + np.arange(120)
    rng = np.random.default_rng(0)
    y = xr.DataArray(np.sin(np.arange(120) / 10) + 0.05 * rng.standard_normal(120), {"time": t})
    found, plain = ng.smooth(y, datetime_unit="h"), ng.smooth(y.values, np.arange(120.0))
    np.testing.assert_allclose(found.derivative(), plain.derivative(), rtol=1e-9)
    np.testing.assert_allclose(ng.smooth(y, "time", datetime_unit="D").derivative(), 24 * plain.derivative(), rtol=1e-6)
    lines = xr.concat([y, 2 * y], "line")
    assert ng.smooth(lines, dim="time").noise.shape == (2,)
    with pytest.raises(TypeError, match="give one of its variables"):
        ng.smooth(y.to_dataset(name="y"))
