"""Data frames and series: equal to numgrad on their arrays, each group to itself alone, with names and indexes."""

import pickle
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from helpers import tier

import numgrad as ng

pd, pl, pa = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
pytest.importorskip("narwhals")
import numgrad.pandas  # noqa: E402
import numgrad.polars  # noqa: E402
from numgrad.interop import dataframes  # noqa: E402
from numgrad.interop.dataframes import functions, groups  # noqa: E402

pytestmark = pytest.mark.tier(0)

T = np.array([0, 1, 3, 4, 6, 7, 10, 11, 12, 14, 15.0])
F = T**3 - T
HOLES = np.where(np.isin(np.arange(11), [4, 8]), np.nan, F)
OPTIONS = [
    {},
    {"n": 2},
    {"accuracy": 4, "edge_accuracy": 2},
    {"n": 3, "edge_accuracy": 1},
    {"boundary": "nan"},
    {"boundary": "periodic", "period": 40.0},
    {"nan": "propagate"},
    {"nan": "propagate", "edge_accuracy": 1},
    {"window": 5, "degree": 2},
    {"window": 3, "degree": 1, "n": 0, "boundary": "nan"},
]


def alone(f, x, nan="one-sided", **options):
    return ng.derivative(f, x, nan=nan, **options)


def values(result):
    """The numbers of a series, NaN where they are missing."""
    return np.asarray(result.to_numpy(zero_copy_only=False) if isinstance(result, pa.ChunkedArray) else result, float)


def table(library, **columns):
    if library == "arrow":
        return pa.table(columns)
    return (pd if library == "pandas" else pl).DataFrame(columns)


def column(frame, name):
    return values(frame.column(name) if isinstance(frame, pa.Table) else frame[name])


LIBRARIES = ["pandas", "polars", "arrow"]


# ------------------------------------------------------------------------------------------------------------- series


@pytest.mark.parametrize("options", OPTIONS[:6], ids=str)
def test_a_series_goes_by_its_index(options):
    series = pd.Series(HOLES, pd.Index(T, name="time"), name="height")
    series.attrs["unit"] = "m"
    for result in (ng.derivative(series, **options), series.numgrad.derivative(**options)):
        pd.testing.assert_series_equal(result, pd.Series(alone(HOLES, T, **options), series.index, name="height"))
        assert result.attrs == series.attrs
    falling = series[::-1]
    pd.testing.assert_series_equal(ng.derivative(falling, **options)[::-1], ng.derivative(series, **options), rtol=1e-9)


def test_what_has_no_index_goes_from_row_to_row():
    chunked = pl.concat([pl.Series("a", F[:4]), pl.Series("a", F[4:])], rechunk=False)
    for x in (None, 0.5, T, list(T), pl.Series(T), pd.Series(T), pd.Index(T)):
        expected = alone(F, 1.0 if x is None else x if isinstance(x, float) else T, n=2)
        for given in (chunked, pa.chunked_array([F[:4], F[4:]])):
            result = ng.derivative(given, x, n=2)
            assert type(result) is type(given)
            assert np.array_equal(values(result), expected)
        assert chunked.numgrad.derivative(x, n=2).name == "a"
    assert np.array_equal(ng.derivative(pd.Series(F)), alone(F, np.arange(11)))


@pytest.mark.parametrize(
    ("made", "dtype"),
    [
        (lambda: pd.Series([0, 1, 4, 9]), "float64"),
        (lambda: pd.Series([0, 1, 4, 9], dtype="f4"), "float32"),
        (lambda: pd.Series([0, 1, 4, 9], dtype="Int64"), "Float64"),
        (lambda: pd.Series([0, 1, 4, 9], dtype="Float32"), "Float32"),
        (lambda: pd.Series([0, 1, 4, 9], dtype="int8[pyarrow]"), "double[pyarrow]"),
        (lambda: pd.Series([0, 1, 4, 9], dtype="float[pyarrow]"), "float[pyarrow]"),
        (lambda: pl.Series([0, 1, 4, 9]), pl.Float64),
        (lambda: pl.Series([0, 1, 4, 9], dtype=pl.UInt8), pl.Float64),
        (lambda: pl.Series([0, 1, 4, 9], dtype=pl.Float32), pl.Float32),
        (lambda: pd.Series(np.arange(4) ** 2 * 1j), "complex128"),
    ],
)
def test_dtypes(made, dtype):
    result = ng.derivative(made())
    assert result.dtype == dtype
    assert np.array_equal(np.asarray(result), [0, 2, 4, 6] if dtype != "complex128" else [0, 2j, 4j, 6j])


def test_missing_samples_are_gaps_and_stay_missing():
    rows = [0.0, 1, 4, None, 16, 25, 36, None, 64]
    expected = [0.0, 2, 4, None, 8, 10, 12, None, np.nan]  # a lone row has no derivative, but is not missing
    result = ng.derivative(pl.Series(rows))
    assert result.is_null().to_list() == [one is None for one in rows]
    assert np.array_equal(values(result), np.array(expected, float), equal_nan=True)
    assert ng.derivative(pa.chunked_array([rows])).null_count == 2
    for dtype in ("Float64", "Int64", "double[pyarrow]"):
        result = ng.derivative(pd.Series(rows, dtype=dtype))
        assert result.isna().tolist() == [False] * 3 + [True] + [False] * 3 + [True] * 2
        assert result.dropna().tolist() == [0, 2, 4, 8, 10, 12]
    spread = ng.derivative(pl.Series(rows), nan="propagate")
    assert np.array_equal(values(spread), ng.derivative(np.array(rows, float)), equal_nan=True)
    nan = ng.derivative(pl.Series([0.0, 1, 4, np.nan, 16, 25, 36]))
    assert nan.null_count() == 0
    assert nan.is_nan().sum() == 1


def test_gradient_keeps_the_contract_of_numpy():
    for series in (pd.Series(F, T), pl.Series(F), pd.Series(F, dtype="Float64"), pa.chunked_array([F])):
        result = ng.gradient(series)
        assert type(result) is np.ndarray
        assert np.array_equal(result, np.gradient(np.asarray(series)))
    for frame in (pd.DataFrame({"a": F, "b": T}), pl.DataFrame({"a": F, "b": T})):
        for got, expected in zip(ng.gradient(frame), np.gradient(frame.to_numpy()), strict=True):
            assert np.array_equal(got, expected)


def test_standard_errors():
    sigma = np.linspace(0.1, 0.5, 11)
    expected = ng.derivative(F, T, nan="one-sided", sigma=sigma)
    frame = pl.DataFrame({"time": T, "f": F, "error": sigma, "id": ["a"] * 11})
    for given in (sigma, "error", frame["error"]):
        for by in (None, "id"):
            found = frame.numgrad.derivative("f", x="time", sigma=given, by=by)
            for got, one in zip(found, expected, strict=True):
                assert got.name == "f"
                assert np.array_equal(got, one)
    assert isinstance(ng.derivative(pd.Series(F, T), sigma=0.1).error, pd.Series)


# ------------------------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("asked", [None, "s", "h", "W"])
def test_times_count_as_in_xarray(unit, asked):
    xr = pytest.importorskip("xarray")
    from numgrad.interop import xarray

    time = np.array("2024-03-30T22:00", f"datetime64[{unit}]") + (T * 3600).astype("m8[s]")
    expected = xarray.derivative(xr.DataArray(HOLES, {"t": time}), "t", datetime_unit=asked, nan="one-sided").values
    zone = "Europe/Berlin"  # where clocks change in the middle
    index = pd.DatetimeIndex(time)
    for given in (index, index.tz_localize("UTC").tz_convert(zone), index - index[0]):
        result = pd.Series(HOLES, given).numgrad.derivative(datetime_unit=asked)
        assert np.array_equal(result, expected, equal_nan=True)
        assert result.index.equals(given)
    if unit != "s":  # which polars has not
        frame = pl.DataFrame({"t": time, "f": HOLES})
        frame = frame.with_columns(zoned=pl.col("t").dt.replace_time_zone("UTC").dt.convert_time_zone(zone))
        frame = frame.with_columns(since=pl.col("t") - pl.col("t").first())
        for x in ("t", "zoned", "since"):
            result = frame.numgrad.derivative("f", x=x, datetime_unit=asked)
            assert np.array_equal(result, expected, equal_nan=True)
    stamps = pd.Series(HOLES, pd.Index(pd.array(index, dtype=f"timestamp[{unit}][pyarrow]")))
    assert np.array_equal(stamps.numgrad.derivative(datetime_unit=asked), expected, equal_nan=True)


def test_dates():
    frame = pl.DataFrame({"day": np.array(T, "datetime64[D]"), "f": T**2})
    assert frame["day"].dtype == pl.Date
    assert np.allclose(frame.numgrad.derivative("f", x="day"), 2 * T)
    assert np.allclose(frame.numgrad.derivative("f", x="day", datetime_unit="h"), T / 12)
    assert np.allclose(dataframes.derivative(frame.to_arrow(), "day", columns="f").to_numpy(), 2 * T)


# ------------------------------------------------------------------------------------------------------------- groups


def particles(seed=3):
    """Rows of groups of several lengths, none in order, with holes; times rise in each group."""
    rng = np.random.default_rng(seed)
    lengths = [1, 2, 3, 4, 4, 7, 9, 9, 9, 17, 30]
    owner = rng.permutation(np.repeat(np.arange(len(lengths)), lengths))
    time = np.empty(len(owner))
    for i, length in enumerate(lengths):
        time[owner == i] = np.cumsum(rng.random(length) + 0.1) + 1e3 * i
    f = np.sin(time)
    f[rng.random(len(f)) < 0.1] = np.nan
    return owner, time, f


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_each_group_is_what_it_is_alone(library, options):
    owner, time, f = particles()
    needed = options.get("window", options.get("n", 1) + options.get("edge_accuracy", options.get("accuracy", 2)))
    if options.get("boundary") in ("nan", "periodic"):
        needed = max(needed, 3)
    frame = table(library, id=owner, time=time, f=f, g=(1e3 * time).astype("f4"))
    for x in ("time", 0.1):
        if x == 0.1 and "period" in options:
            continue
        result = dataframes.derivative(frame, x, columns=["f", "g"], by="id", **options)
        for name in ("f", "g"):
            got, samples = column(result, name), np.asarray(frame[name])
            for i in range(11):
                mine = owner == i
                if mine.sum() < needed:
                    assert np.isnan(got[mine]).all()
                    continue
                lone = pd.Series(samples[mine], time[mine]).numgrad.derivative(None if x == "time" else x, **options)
                assert np.array_equal(got[mine], lone, equal_nan=True)
                if options.get("nan") != "propagate" or x == 0.1:
                    expected = alone(samples[mine], time[mine] if x == "time" else x, **options)
                    assert np.array_equal(lone, expected, equal_nan=True)


def test_coordinates_of_a_group_count_from_its_own_first():
    """So that its bits are those that it has alone; numbers of nanoseconds are beyond the digits of float64."""
    owner, time, f = particles()
    stamps = np.datetime64("2024-01-01", "ns") + (1e9 * time + 1e16 * owner).astype("m8[ns]")
    for x, unit in ((stamps, "s"), (stamps, "h"), (stamps.astype(np.int64), None), (-stamps.astype(np.int64), None)):
        frame = pd.DataFrame({"id": owner, "time": x, "f": f})
        result = frame.numgrad.derivative("f", by="id", x="time", datetime_unit=unit, n=2)
        for i in range(3, 11):
            mine = owner == i
            lone = pd.Series(f[mine], x[mine]).numgrad.derivative(datetime_unit=unit, n=2)
            assert np.array_equal(result[mine], lone, equal_nan=True)
            assert i < 7 or np.isfinite(lone).any()


def test_velocities_are_those_of_parabolas():
    owner, time, _ = particles()
    frame = pd.DataFrame({"id": owner, "time": time, "x": owner * (time - 1e3 * owner) ** 2})
    velocity = frame.numgrad.derivative("x", by="id", x="time")
    is_long = frame.groupby("id")["id"].transform("size") >= 3
    assert np.allclose(velocity[is_long], (2 * owner * (time - 1e3 * owner))[is_long])
    assert velocity[~is_long].isna().all()


def test_groups_go_into_the_kernels_together(monkeypatch):
    calls = []
    made = functions._made
    monkeypatch.setattr(functions, "_made", lambda *given: calls.append(1) or made(*given))
    frame = pd.DataFrame({"id": np.sqrt(np.arange(3000) % 600).astype(int), "time": np.arange(3000.0)})
    frame["f"] = frame["time"] ** 2
    result = frame.numgrad.derivative("f", by="id", x="time")
    assert len(calls) == 1
    assert np.allclose(result, 2 * frame["time"])


def test_groups_that_are_periodic():
    angle = np.arange(8) * np.pi / 4
    frame = pd.DataFrame({"id": np.repeat([1, 2], 8), "angle": np.tile(angle, 2), "f": np.tile(np.sin(angle), 2)})
    options = {"boundary": "periodic", "accuracy": 6}
    for x, period in ((np.pi / 4, None), ("angle", 2 * np.pi)):
        result = frame.numgrad.derivative("f", by="id", x=x, period=period, **options)
        assert np.allclose(result, np.cos(frame["angle"]), atol=3e-3)
    with pytest.raises(ValueError, match=r"`period` is 3.0, the coordinates span 5\.49"):
        frame.numgrad.derivative("f", by="id", x="angle", period=3.0, **options)


def test_several_keys_and_missing_ones():
    a = ["p", "p", "q", None, "q", "p", "q", "p", None, "q"]
    b = [1.0, 1, 2, 1, 2, 1, 2, np.nan, np.nan, 2]
    f = [0, 1, 0, 7, 3, 4, 12, 5, 6, 27]
    expected = np.array([0, 2, 0, np.nan, 6, 4, 12, np.nan, np.nan, 18])
    for library in LIBRARIES:
        frame = table(library, a=a, b=b, f=f)
        result = dataframes.derivative(frame, 1.0, by=["a", "b"], columns="f")
        assert np.array_equal(values(result), expected, equal_nan=True), library
    frame = table("pandas", a=pd.Categorical(a, categories=["z", "q", "p"]), b=b, f=f)
    assert np.array_equal(frame.numgrad.derivative("f", by=["a", "b"], x=1.0), expected, equal_nan=True)
    assert frame[:0].numgrad.derivative("f", by="a", x=1.0).empty
    assert frame[3:4].numgrad.derivative("f", by="a", x=1.0).isna().all()


def test_levels_of_the_index():
    owner, time, f = particles()
    frame = pd.DataFrame({"id": owner, "time": time, "f": f})
    expected = frame.numgrad.derivative("f", by="id", x="time")
    leveled = frame.set_index(["id", "time"])
    result = leveled.numgrad.derivative(by="id", x="time")
    assert result.index.equals(leveled.index)
    assert np.array_equal(result["f"], expected, equal_nan=True)
    assert np.array_equal(leveled["f"].numgrad.derivative("time", by="id"), expected, equal_nan=True)
    by_index = frame.set_index("time").numgrad.derivative("f", by="id")  # the index is the coordinate
    assert np.array_equal(by_index, expected, equal_nan=True)


def test_short_groups():
    frame = pl.DataFrame({"id": ["a"] * 3 + ["b"] * 2, "f": [0.0, 1, 4, 5, 6]})
    assert frame.numgrad.derivative("f", by="id").to_list()[:3] == [0, 2, 4]
    assert frame.numgrad.derivative("f", by="id")[3:].is_nan().all()
    assert frame.numgrad.derivative("f", by="id", edge_accuracy=1).to_list() == [1, 2, 3, 1, 1]
    assert frame.numgrad.derivative("f", by="id", edge_accuracy=1, short="raise").to_list() == [1, 2, 3, 1, 1]
    with pytest.raises(ValueError, match=r"the group {'id': 'b'} is of length 2, the derivative needs at least 3 rows"):
        frame.numgrad.derivative("f", by="id", short="raise")
    with pytest.raises(ValueError, match="`short` is 'drop'; give one of 'nan', 'raise'"):
        frame.numgrad.derivative("f", by="id", short="drop")
    with pytest.raises(ValueError, match="leave it away, there are no groups without `by`"):
        frame.numgrad.derivative("f", short="raise")


# ------------------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_are_differentiated_column_by_column(library):
    frame = table(library, time=T, f=HOLES, g=T**2)
    result = ng.derivative(frame, "time", n=2)
    assert type(result) is type(frame)
    assert list(result.column_names if library == "arrow" else result.columns) == ["f", "g"]
    assert np.array_equal(column(result, "f"), alone(HOLES, T, n=2), equal_nan=True)
    assert np.array_equal(column(result, "g"), alone(T**2, T, n=2))
    if library != "arrow":
        assert list(frame.numgrad.derivative(["g"], x="time").columns) == ["g"]
        assert frame.numgrad.derivative("g", x="time").name == "g"
        assert np.allclose(frame.numgrad.derivative("time", x="time"), 1, rtol=1e-15)


def test_names_need_be_no_strings():
    frame = pd.DataFrame({0: T**2, ("a", 1): T**3, None: 1.0}, pd.Index(T))
    frame.columns.name = "what"
    assert frame.numgrad.derivative().shape == (11, 3)
    result = frame.numgrad.derivative([("a", 1), 0])
    assert list(result.columns) == [("a", 1), 0]
    assert result.columns.name == "what"
    assert np.array_equal(result[0], alone(T**2, T))
    assert frame.numgrad.derivative(("a", 1)).name == ("a", 1)
    levels = pd.DataFrame({("a", "x"): T, ("a", "y"): T**2}, pd.Index(T))
    assert isinstance(levels.numgrad.derivative().columns, pd.MultiIndex)
    assert levels.numgrad.derivative(columns=[]).shape == (11, 0)


# ---------------------------------------------------------------------------------------- turning points, smoothing


def test_turning_points():
    series = pd.Series((T - 5) ** 2, T)
    assert np.allclose(ng.turning_points(series).position, [5])
    time = pd.to_datetime(T, unit="D")
    found = pd.Series((T - 5.5) ** 2, time).numgrad.turning_points(datetime_unit="h")
    assert found.position.astype("M8[h]") == [np.datetime64("1970-01-06T12")]
    frame = pl.DataFrame({"t": T, "low": (T - 5) ** 2, "high": -((T - 10.5) ** 2), "no": T})
    found = frame.numgrad.turning_points(x="t")
    assert np.allclose(found.position, [5, 10.5])
    assert found.line.tolist() == [[0], [1]]
    assert frame.numgrad.turning_points("high", x="t").kind.tolist() == ["maximum"]
    assert frame.numgrad.turning_points("high", x="t").line.shape == (1, 0)
    assert frame.numgrad.turning_points(["high"], x="t").line.tolist() == [[0]]


def test_smooth():
    t = np.linspace(0, 10, 60)
    y = np.sin(t) + 0.02 * np.random.default_rng(0).standard_normal(60)
    y[7] = np.nan
    plain = ng.smooth(y, t)
    found = pd.Series(y, pd.Index(t, name="t"), name="y").numgrad.smooth()
    for got, expected in [
        (found.value, plain.value), (found.residuals, plain.residuals), (found.derivative(), plain.derivative()),
        (found.derivative(2), plain.derivative(2)), (found.error(1), plain.error(1)),
        *zip(found.band(), plain.band(), strict=True),
    ]:  # fmt: skip
        pd.testing.assert_series_equal(got, pd.Series(expected, pd.Index(t, name="t"), name="y"))
    assert np.array_equal(found([1.0, 2.0], n=1), plain([1.0, 2.0], n=1))
    assert np.array_equal(found.turning_points().position, plain.turning_points().position)
    assert isinstance(found, ng.Smooth)
    assert found.noise == plain.noise
    assert pickle.loads(pickle.dumps(found)).derivative().equals(found.derivative())

    frame = pl.DataFrame({"t": t, "y": y, "z": np.cos(t)})
    both = frame.numgrad.smooth(x="t")
    assert both.derivative().columns == ["y", "z"]
    assert np.array_equal(both.derivative()["y"], plain.derivative())
    assert both.residuals["y"].is_nan().sum() == 1
    assert np.array_equal(both.line("y").derivative(), plain.derivative())
    assert both.line(0).value.name == "y"
    one = frame.numgrad.smooth("y", x="t")
    assert one.derivative().equals(both.derivative()["y"])
    assert one.turning_points().line.shape[1] == 0

    start = pd.Timestamp("2024-01-01", tz="Asia/Tokyo")
    timed = pd.Series(y, start + pd.to_timedelta(t, unit="D")).numgrad.smooth(datetime_unit="D")
    assert np.allclose(timed.derivative(), plain.derivative(), atol=1e-6)
    assert np.allclose(timed(timed.value.index[3:5], n=1), plain(t[3:5], n=1), atol=1e-6)
    assert np.allclose(timed(np.datetime64("2024-01-02T15", "h")), plain(2.0), atol=1e-6)  # UTC
    assert timed(start + pd.Timedelta(2, "D")) == timed(np.datetime64("2024-01-02T15", "h"))
    where = timed.turning_points()
    assert where.position.dtype.kind == "M"
    assert "2024-01-02" in repr(where)


# ------------------------------------------------------------------------------------------------------------- errors


def dated(*days):
    return pd.Series(np.arange(float(len(days))), pd.to_datetime(days))


FRAME = pd.DataFrame({"id": [1, 2, 1, 2, 1, 2], "t": [0, 0, 1, 2, 1, 1.0], "f": 1.0, "word": "a"}, list("uvwxyz"))
REFUSED = {
    "lazy": (lambda: ng.derivative(pl.LazyFrame({"a": F})), TypeError, "`f` is a LazyFrame.*call its collect"),
    "lazy smooth": (lambda: ng.smooth(pl.LazyFrame({"a": F})), TypeError, "`y` is a LazyFrame"),
    "lazy accessor": (lambda: pl.LazyFrame({"a": F}).numgrad, TypeError, "call its collect"),
    "integers of 128 bits": (lambda: ng.derivative(pl.Series([1, 2, 3], dtype=pl.Int128)), TypeError, "cast it to 64"),
    "ragged x": (lambda: ng.derivative(pl.Series(F), [[1, 2], [3]]), ValueError, "`x` is ragged"),
    "time of day": (
        lambda: ng.derivative(pl.Series(F), pl.Series([0] * 11).cast(pl.Time)),
        TypeError,
        "`x` has dtype Time; give a column",
    ),
    "decimal": (
        lambda: ng.derivative(pl.Series([Decimal("1.5")] * 4)),
        TypeError,
        "Decimal.*its digits.*cast it to that",
    ),
    "decimal object": (lambda: ng.derivative(pd.Series([Decimal(1)] * 4)), TypeError, "object of Decimals; cast it"),
    "decimal x": (
        lambda: ng.derivative(pl.Series(F[:3]), pl.Series([Decimal(i) for i in range(3)])),
        TypeError,
        "Decimal.*cast",
    ),
    "boolean": (
        lambda: ng.derivative(pd.Series([True, False, True])),
        TypeError,
        "the series has dtype bool; give numbers",
    ),
    "nullable boolean": (
        lambda: ng.derivative(pd.Series([True, None, True], dtype="boolean")),
        TypeError,
        "boolean; give",
    ),
    "dates": (lambda: ng.derivative(pd.Series(dated("2024", "2025").index)), TypeError, "datetime64.*seconds since"),
    "words": (
        lambda: FRAME.numgrad.derivative(["f", "word"], x=1.0),
        TypeError,
        "column 'word' has dtype (str|object); leave it",
    ),
    "categories": (
        lambda: ng.derivative(pd.Series(["a"], dtype="category")),
        TypeError,
        "dtype category; leave it out",
    ),
    "unknown": (
        lambda: FRAME.numgrad.derivative("g", x=1.0),
        ValueError,
        "`columns` is 'g'; there are columns 'id', 't'",
    ),
    "unknown x": (lambda: FRAME.numgrad.derivative("f", x="g"), ValueError, "`x` is 'g'; there are columns"),
    "unknown by": (lambda: FRAME.numgrad.derivative("f", by=["id", "g"], x="t"), ValueError, "`by` is 'g'; there are"),
    "by of a series": (
        lambda: dataframes.derivative(pd.Series(F), by="id"),
        ValueError,
        "`by` is 'id'; there are levels",
    ),
    "level as column": (
        lambda: FRAME.set_index("id").numgrad.derivative("id", x=1.0),
        ValueError,
        "`columns` is 'id'; there are columns 't', 'f', 'word'",
    ),
    "short group": (
        lambda: FRAME[:3].numgrad.derivative("f", by="id", x="t", short="raise"),
        ValueError,
        r"the group {'id': 2} is of length 1, the derivative needs at least 3 rows; leave away short='raise'",
    ),
    "twice": (lambda: FRAME.numgrad.derivative(["f", "f"], x=1.0), ValueError, "`columns` has 'f' twice"),
    "names twice": (
        lambda: ng.derivative(pd.DataFrame(np.eye(3), columns=list("aab"))),
        ValueError,
        "columns of one name",
    ),
    "words as index": (
        lambda: FRAME.numgrad.derivative("f"),
        TypeError,
        "the index has dtype (str|object); give a column of numbers",
    ),
    "levels": (
        lambda: FRAME.set_index(["id", "t"])[["f"]].numgrad.derivative(),
        TypeError,
        "the index has 2 levels; give one",
    ),
    "periods": (
        lambda: ng.derivative(pd.Series(F[:3], pd.period_range("2024", periods=3, freq="M"))),
        TypeError,
        "to_timestamp",
    ),
    "NaT": (
        lambda: ng.derivative(dated("2024-01-01", None, "2024-01-03")),
        ValueError,
        "index is missing at label NaT; drop",
    ),
    "null": (
        lambda: ng.derivative(pl.DataFrame({"t": [1, None, 2], "f": F[:3]}), "t"),
        ValueError,
        "'t' is missing at label 1;",
    ),
    "infinite": (lambda: ng.derivative(pd.Series(F[:3], [1, np.inf, 2])), ValueError, "not finite at label inf"),
    "repeated": (
        lambda: ng.derivative(dated("2024", "2024", "2025")),
        ValueError,
        r"repeats.*2024.*label 2024-01-01.*index.dupl",
    ),
    "unsorted": (
        lambda: ng.derivative(pd.Series(F[:5], [0, 3, 1, 2, -1])),
        ValueError,
        r"the index turns back: it has 1 after 3 at labels 1, -1; sort the rows first, sort_index\(\)",
    ),
    "repeated in a group": (
        lambda: FRAME.numgrad.derivative("f", by="id", x="t"),
        ValueError,
        r"column 't' repeats within a group of \['id'\]: it has 1.0 after 1.0 at label y; .*drop_duplicates",
    ),
    "unsorted in a group": (
        lambda: FRAME.replace({"t": {1.0: -1.0}}).iloc[[0, 1, 3, 5]].numgrad.derivative("f", by="id", x="t"),
        ValueError,
        r"turns back within a group of \['id'\]: it has -1.0 after 2.0 at label z; .*sort_values\(\['id', 't'\]\)",
    ),
    "unsorted polars": (
        lambda: pl.DataFrame({"t": [0, 2, 1], "f": F[:3]}).numgrad.derivative(x="t"),
        ValueError,
        r"sort\(\['t'\]\)",
    ),
    "unit": (
        lambda: ng.interop.dataframes.derivative(dated("2024", "2025"), datetime_unit="M"),
        TypeError,
        "`datetime_unit` is 'M'",
    ),
    "other index": (lambda: ng.derivative(pd.Series(F, T), pd.Series(T)), ValueError, "another index"),
    "other index of sigma": (
        lambda: ng.derivative(pd.Series(F, T), sigma=pd.Series(T)),
        ValueError,
        "`sigma` has another index",
    ),
    "length": (
        lambda: ng.derivative(pl.Series(F), T[:3]),
        ValueError,
        r"`x` has shape \(3,\); give a number, or one for each",
    ),
    "sigma": (lambda: ng.derivative(pl.Series(F), sigma=T[:3]), ValueError, r"`sigma` has shape \(3,\)"),
    "axis": (lambda: ng.derivative(pd.DataFrame({"a": F}), axis=1), ValueError, "`axis` is 1; leave it away"),
    "out": (lambda: ng.derivative(pd.Series(F), out=F.copy()), TypeError, "`out` is given"),
    "option": (lambda: pd.Series(F).numgrad.derivative(order=2), TypeError, "`order` is no option here"),
    "one row": (lambda: ng.derivative(pd.Series(F[:1])), ValueError, "has 1 points.*needs at least 3"),
    "empty": (lambda: ng.derivative(pl.Series([], dtype=pl.Float64)), ValueError, "has 0 points"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors(name):
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        call()


def test_narwhals_is_imported_when_data_frames_arrive():
    code = """
import sys, numpy, pandas, numgrad
series = pandas.Series([0, 1, 4.0])
assert numgrad.gradient(series).tolist() == [1, 2, 3]
assert numgrad.derivative(pandas.Index([0, 1, 4.0])).tolist() == [0, 2, 4]  # which is no series
assert "narwhals" not in sys.modules
sys.modules["narwhals"] = None
try:
    numgrad.derivative(series)
except ImportError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "data frames need narwhals: pip install 'numgrad[dataframes]'" in found


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, pa.table])
def test_whole_numbers_as_keys(table, number):
    """Those that lie close together are not looked up; groups are what they are by words, which are, and in order."""
    small = np.array([-128, 127, -1, 0] * 80, "i1")
    keys = [small, small[:300] % 3 + np.int64(2**62), np.uint64(2**64 - 200) + small.view("u1") % 200]
    keys.append(small * np.int64(10**15))  # far apart
    for key in (np.random.default_rng(0).permutation(k) for k in keys):
        with tier(number):
            codes = [
                groups.codes_of([functions.read(table({"k": k}), "f").column("k", "by")])
                for k in (key, key.astype(str))
            ]
            lengths = np.bincount(codes[1])
            assert len(np.unique(codes, axis=1).T) == len(lengths) == len(np.unique(key))
            found = groups.groups_of(functions.read(table({"k": key}), "f"), ["k"], 2, True)
        assert np.array_equal(np.diff(found.cuts), np.sort(lengths))
        for a, b in zip(found.cuts, found.cuts[1:], strict=False):
            assert np.array_equal(found.order[a:b], np.flatnonzero(key == key[found.order[a]]))


def test_rows_without_a_key_come_last():
    codes, places = np.array([1, -1, 0, 1, -1, 0]), np.array([0, 2, 4])
    for ordered in (groups._ordered, groups._ordered_by_kernel):
        assert ordered(codes, places).tolist() == [2, 5, 0, 3, 1, 4]
