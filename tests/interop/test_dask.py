"""Dask arrays: lazily, whatever the chunks, the bits of the array in memory."""

import subprocess
import sys
import time

import dask
import dask.array as da
import numpy as np
import pytest
from helpers import HANGS, same_bits, uneven, values

import numgrad as ng
from numgrad._system import threads
from numgrad.interop.dask import functions
from numgrad.interop.dask.coordinates import kept_uneven

pytestmark = pytest.mark.tier(0)

F = values("f8", (23, 17))


def never(*args, **kwargs):
    raise AssertionError("something was computed")


def check(function, f, *spacings, chunks, lazy=(), **keywords):
    """The same bits as in memory. `lazy`: which of the spacings are dask arrays."""
    given = [da.from_array(x, chunks=5) if i in lazy else x for i, x in enumerate(spacings)]
    with dask.config.set(scheduler=never):
        got = function(da.from_array(f, chunks=chunks), *given, **keywords)
    expected = function(f, *spacings, **keywords)
    assert isinstance(got, tuple) == isinstance(expected, tuple)
    pairs = zip(expected, got, strict=True) if isinstance(got, tuple) else [(expected, got)]
    for one, other in pairs:
        computed = other.compute(scheduler="synchronous")
        assert (computed.dtype, computed.shape) == (one.dtype, one.shape) == (other.dtype, other.shape)
        assert same_bits(np.ascontiguousarray(one), np.ascontiguousarray(computed))


CHUNKS = [(5, 6), (1, 2), ((1, 1, 21), (16, 1)), -1]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "i2", "f2"])
@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
def test_gradient(dtype, chunks):
    f = values(dtype, F.shape) if dtype != "f2" else F.astype("f2")
    for edge_order in (1, 2):
        check(ng.gradient, f, chunks=chunks, edge_order=edge_order)
        check(ng.gradient, f, 0.3, uneven(17), chunks=chunks, edge_order=edge_order)
        check(ng.gradient, f, uneven(23, "f4"), np.arange(17) * 2, chunks=chunks, edge_order=edge_order, lazy=(0, 1))
    check(ng.gradient, f, np.float32(0.3), chunks=chunks, axis=-1)


@pytest.mark.parametrize("spacing", [(), (uneven(23), 0.3)], ids=["even", "coordinates"])
def test_axes_asked_for_together(spacing, monkeypatch):
    """A chunk is read once for all of them, and nothing is computed that nobody asks for."""
    asked = []

    def gradient(*args, axis=None, out=None, **options):
        asked.append(axis)
        return np.gradient(*args, axis=axis, **options)

    f = da.from_array(F, chunks=(8, 6))
    expected = np.gradient(F, *spacing)
    g = ng.gradient(f, *spacing)
    for optimize in (True, False):
        assert all(map(same_bits, expected, dask.compute(*g, optimize_graph=optimize, scheduler="synchronous")))
    assert same_bits(expected[1], g[1].compute(scheduler="synchronous"))
    steepness = (g[0] ** 2 + g[1] ** 2)[:9, 3:]
    mixed = dask.compute(steepness, g[0], scheduler="synchronous")
    assert same_bits((expected[0] ** 2 + expected[1] ** 2)[:9, 3:], mixed[0])
    assert same_bits(expected[0], mixed[1])
    monkeypatch.setattr(functions._gradient, "gradient", gradient)
    for wanted, together, alone in ((g, 9, 0), (g[1:], 0, 9), ((g[0], g[1][:8, :6]), 1, 8)):
        asked.clear()
        dask.compute(*wanted, scheduler="synchronous")
        inside = [axis for axis in asked if isinstance(axis, tuple)]
        # Each chunk but the outer ones has strips over its ends, too.
        assert (len(inside), len(asked) - len(inside) >= alone) == (together, True), asked


def test_large_chunks():
    """Their results are put where large pages begin, in the dtype of the gradient; those of masked arrays are not."""
    integers, masked = values("i4", (1600, 700)), np.ma.masked_less(values("f8", (1600, 700)), 1.0)
    for f in (integers, masked):
        chunked = da.from_array(f, chunks=(800, 700), asarray=False)
        for theirs, ours in zip(np.gradient(f, 0.3), dask.compute(*ng.gradient(chunked, 0.3)), strict=True):
            assert type(ours) is type(theirs)
            assert np.ma.allequal(theirs, ours)
            assert np.array_equal(np.ma.getmask(theirs), np.ma.getmask(ours))
    chunked = da.from_array(integers, chunks=(800, 700))
    assert same_bits(ng.derivative(integers, n=2, axis=0), ng.derivative(chunked, n=2, axis=0).compute())


def test_many_chunks():
    """The graph of ten thousand chunks takes a third of a second."""
    began = time.process_time()
    ng.gradient(da.zeros((400, 400), chunks=4))
    assert time.process_time() - began < 5


def test_a_series_as_spacing():
    """It is computed, as np.gradient does it: dask knows not how long it is."""
    dataframe, pandas = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    x = pandas.Series(uneven(23))
    for one in (x, dataframe.from_pandas(x, npartitions=3)):
        for function in (ng.gradient, ng.derivative, ng.laplacian):
            got = function(da.from_array(F, chunks=5), one, axis=0)
            assert isinstance(got, da.Array)
            assert same_bits(got.compute(scheduler="synchronous"), function(F, x.to_numpy(), axis=0))
    with pytest.raises(ValueError, match="must match the length"):
        ng.gradient(da.from_array(F, chunks=5), dataframe.from_pandas(x[:9], npartitions=3), axis=0)


def test_explain():
    """Nothing is computed, and what is wrong is said."""
    f = da.from_array(F, chunks=5)
    with dask.config.set(scheduler=never):
        for call in ((f,), (f, 0.3), (ng.derivative, f), (ng.divergence, [f, f])):
            (row,) = ng.explain(*call)
            assert str(row).startswith("numgrad on each chunk, because it is a dask array; `explain` one of them")
        with pytest.raises(ValueError, match="accuracy"):
            ng.explain(ng.laplacian, f, accuracy=3)


@pytest.mark.parametrize("lazy", [(), (0,)])
def test_evenness_is_that_of_the_axis(lazy):
    """Each chunk has equal steps, or other than the rest; the axis decides."""
    x = np.r_[np.arange(12.0), np.arange(11.0) * 3 + 14]
    check(ng.gradient, F, x, chunks=(4, -1), axis=0, lazy=lazy)
    check(ng.gradient, F, x[::-1].copy(), chunks=(4, -1), axis=0, edge_order=2, lazy=lazy)
    check(ng.derivative, F, x, chunks=(4, -1), axis=0, lazy=lazy)
    for dtype in ("f2", np.longdouble):
        check(ng.gradient, F, x.astype(dtype) / 3, chunks=(4, -1), axis=0, lazy=lazy)
    assert np.diff(kept_uneven(np.arange(5.0), True, False)).tolist() == [2, 1, 1, 1]
    assert np.diff(kept_uneven(np.ones(5), False, True)).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(("n", "accuracy"), [(1, 2), (1, 4), (2, 2), (3, 4)])
@pytest.mark.parametrize("boundary", ["one-sided", "periodic", "nan"])
def test_derivative(n, accuracy, boundary):
    options = {"n": n, "accuracy": accuracy, "boundary": boundary}
    gaps = np.where(np.arange(F.size).reshape(F.shape) % 13 == 5, np.nan, F)
    for chunks in ((5, 6), (1, 2)):
        check(ng.derivative, F, 0.3, chunks=chunks, **options)
        if n > 1:
            check(ng.derivative, gaps, 0.3, chunks=chunks, nan="one-sided", **options)
        for x, lazy in ((uneven(17), ()), (uneven(17), (0,)), (uneven(17) + np.arange(23)[:, None], ())):
            period = {"period": np.ptp(x) + 1.0} if boundary == "periodic" else {}
            check(ng.derivative, F, x, chunks=chunks, lazy=lazy, **options, **period)
            if n == 2 and x.ndim == 1:
                check(ng.derivative, gaps, x, chunks=chunks, lazy=lazy, nan="one-sided", **options, **period)


def test_numbers_that_are_not_known_yet():
    h = da.from_array(np.array(0.3))
    for function, options in ((ng.gradient, {"axis": 1}), (ng.derivative, {"n": 2}), (ng.laplacian, {})):
        with dask.config.set(scheduler=never):
            got = function(da.from_array(F, chunks=5), h, **options)
        assert same_bits(function(F, 0.3, **options), got.compute())
    with pytest.raises(ValueError, match="`x` is 0"):
        ng.derivative(da.from_array(F, chunks=5), h * 0, n=2).compute()


def test_no_spacing_is_one():
    for given in (), (None,):
        check(ng.derivative, F, *given, chunks=4, n=2)


@pytest.mark.parametrize("masked", [5, 6, 11])
def test_masks_reach_over_chunks(masked):
    f = np.ma.masked_array(np.arange(12.0) ** 2, mask=np.arange(12) == masked)
    got, expected = ng.gradient(da.from_array(f, chunks=6)).compute(), ng.gradient(f)
    assert np.array_equal(np.ma.getmaskarray(got), np.ma.getmaskarray(expected))
    assert np.ma.allequal(got, expected)


@pytest.mark.parametrize("lazy", [(), (0,)])
def test_weights_are_found_as_for_the_whole_axis(lazy):
    """Steps over many decades have weights of other roundings, even where those of a chunk are alike."""
    x = np.r_[uneven(100), 1e4 + 1e12 * uneven(100)]
    check(ng.derivative, values("f8", (200,)), x, chunks=100, accuracy=20, lazy=lazy)


def test_lazy_coordinates_are_refused_as_others():
    f, x = da.from_array(np.arange(12.0), chunks=6), np.r_[np.arange(9.0), 9, 8, 7]
    for options in ({}, {"n": 2}):
        with pytest.raises(ValueError, match=r"`x` goes from 9.0 to 8.0"):
            ng.derivative(f, da.from_array(x, chunks=6), **options).compute()


def test_bool():
    f, x = np.arange(12) % 5 > 2, np.arange(12.0) ** 2
    check(ng.gradient, f, x, chunks=4, edge_order=2)
    check(ng.gradient, f, x, chunks=4, edge_order=2, lazy=(0,))


def test_ends_of_lower_accuracy():
    for edge_accuracy in (1, 2, 6):
        check(ng.derivative, F, 0.5, chunks=4, axis=0, accuracy=4, edge_accuracy=edge_accuracy)


@pytest.mark.parametrize("function", [ng.laplacian, ng.hessian, ng.divergence, ng.curl, ng.jacobian])
@pytest.mark.parametrize("boundary", ["one-sided", "periodic", "nan", ("periodic", "one-sided")])
def test_fields(function, boundary):
    is_vector = function not in (ng.laplacian, ng.hessian)
    f = np.stack([F, F**2]) if is_vector else F
    chunks = (1, 5, 6) if is_vector else (5, 6)
    check(function, f, 0.3, chunks=chunks, boundary=boundary, accuracy=4)
    period = {"period": 200.0} if "periodic" in boundary else {}
    check(function, f, uneven(23), uneven(17), chunks=chunks, boundary=boundary, lazy=(1,), **period)


@pytest.mark.parametrize("period", [np.float32(200), (200.0, None)], ids=["NumPy's", "of each"])
def test_periods_with_lazy_coordinates(period):
    check(ng.laplacian, F, uneven(23), 0.5, chunks=(5, 6), boundary=("periodic", "one-sided"), lazy=(0,), period=period)


def test_fields_of_three_axes_and_of_some():
    v = values("f4", (3, 9, 8, 7))
    check(ng.curl, v, 1.0, 2.0, uneven(7), chunks=(3, 4, 4, 4))
    check(ng.laplacian, v, 0.5, chunks=(1, 4, 4, 4), axis=(3, 1))
    components = [da.from_array(c, chunks=4) for c in v]
    assert same_bits(ng.divergence(v), ng.divergence(components).compute())


def refused(error, message, function, *args, **options):
    with dask.config.set(scheduler=never), pytest.raises(error, match=message):
        function(*args, **options)


def test_errors():
    """As in memory, and at once; of chunks by axis and chunk."""
    f, v = da.from_array(F, chunks=5), da.from_array(np.stack([F, F]), chunks=5)
    for function, args, options in (
        (ng.gradient, (1.0, 2.0, 3.0), {}),
        (ng.gradient, (uneven(5), 1.0), {}),
        (ng.gradient, (np.ones((2, 2)), 1.0), {}),
        (ng.gradient, (), {"axis": 2}),
        (ng.gradient, (), {"edge_order": 3}),
        (ng.derivative, (0.0,), {}),
        (ng.derivative, (uneven(5),), {}),
        (ng.derivative, (np.r_[0.0, uneven(16)[::-1]],), {}),
        (ng.derivative, (), {"n": 30}),
        (ng.derivative, (), {"boundary": "around"}),
        (ng.derivative, (), {"nan": "skip"}),
        (ng.derivative, (uneven(17),), {"boundary": "periodic"}),
        (ng.laplacian, (1.0, 2.0, 3.0), {}),
        (ng.laplacian, (), {"accuracy": 3}),
    ):
        with pytest.raises((TypeError, ValueError)) as expected:
            function(F, *args, **options)
        with dask.config.set(scheduler=never), pytest.raises(type(expected.value)) as got:
            function(f, *args, **options)
        assert str(got.value) == str(expected.value)
    refused(TypeError, "`out` is given", ng.gradient, f, out=F.copy())
    refused(TypeError, "`out` is given", ng.laplacian, f, out=F.copy())
    refused(TypeError, "dtype bool", ng.derivative, f > 0)
    refused(ValueError, "1 components", ng.curl, v[:1])
    refused(ValueError, "shapes", ng.divergence, [f, f[1:]])
    refused(ValueError, "Shape of array too small", ng.gradient, f[:1])
    unknown = f[f[:, 0] > 0]
    for function in (ng.gradient, ng.derivative, ng.laplacian):
        options = {"axis": 0}
        refused(ValueError, r"`[fv]` has chunks of unknown size along axis 0, chunk 0", function, unknown, **options)
        x = f[:, 0][f[:, 0] > 0]
        refused(
            ValueError,
            "(`x`|the coordinates of axis 0|spacing 0) has chunks of unknown size",
            function,
            f,
            x,
            **options,
        )
    with pytest.raises(ValueError, match="goes from"):
        ng.derivative(f, da.from_array(np.r_[0.0, uneven(16)[::-1]], chunks=5), n=2).compute()


def test_small_chunks_are_merged():
    f = da.from_array(F, chunks=1)
    assert ng.derivative(f, axis=0, n=2, accuracy=4).chunks[1] == f.chunks[1]
    assert min(ng.derivative(f, axis=0, n=2, accuracy=4).chunks[0]) >= 6
    assert ng.gradient(f, axis=1).chunks == (f.chunks[0], (3, 3, 3, 3, 5))
    assert ng.gradient(f, uneven(17), axis=1).chunks == (f.chunks[0], (4, 4, 4, 5))
    assert ng.gradient(da.from_array(F, chunks=7))[0].chunks == ((7, 7, 9), (7, 7, 3))


def test_one_thread_in_a_task():
    ng.set_num_threads(3)
    try:
        with threads.one_thread():
            assert ng.get_num_threads() == 1
            with threads.one_thread():
                pass
            assert ng.get_num_threads() == 1
        assert ng.get_num_threads() == 3
    finally:
        ng.set_num_threads(None)


CLUSTER = """
import os, sys, time
import dask.array as da, numpy as np, zarr
from distributed import Client, LocalCluster
import numgrad as ng

def main(folder):
    n, rows, limit = 208, 1 << 18, 410 << 20
    # What is not written is zero, and takes no room but in memory.
    source = zarr.create_array(folder + "/in", shape=(8 * n, rows), chunks=(8, rows), dtype="f8", fill_value=0)
    assert source.nbytes > 4 * 2 * limit
    for i in (0, 1, 18, n - 1):
        source[8 * i : 8 * i + 8] = np.sin(np.arange(8 * rows) * 1e-3).reshape(8, rows)
    free = {"dashboard_address": ":0"}  # another test may have the usual one
    with LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=limit, dashboard_address=None, scheduler_kwargs=free
    ) as cluster, Client(cluster) as client:
        f = da.from_zarr(source)
        result = ng.gradient(f, 2.0, axis=0)
        target = zarr.create_array(folder + "/out", shape=f.shape, chunks=source.chunks, dtype="f8")
        stored = client.compute(da.store(result, target, compute=False, lock=False))
        pids = client.run(os.getpid)
        while not any(client.has_what().values()):
            time.sleep(0.05)
        at_work = next(worker for worker, held in client.has_what().items() if held)
        os.kill(pids[at_work], 9)
        stored.result()
    for i in (0, 7, 8, 150, 8 * n - 1):
        low, high = max(0, i - 1), min(8 * n - 1, i + 1)
        assert np.array_equal(target[i], (source[high] - source[low]) / (2.0 * (high - low))), i
    print("done")

if __name__ == "__main__":
    main(sys.argv[1])
"""


def test_larger_than_memory_with_a_worker_killed(tmp_path):
    """From Zarr to Zarr, on workers that have a quarter of its memory, one of which dies."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=HANGS)
    assert done.stdout.strip().endswith("done"), done.stderr[-3000:]
