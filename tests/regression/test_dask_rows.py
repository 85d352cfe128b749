"""CompressedRows, gradient_descent and step_size of dask collections: as in memory, by blocks, on workers that die."""

import os
import signal
import threading
import time

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.callbacks import Callback

import numgrad as ng
from numgrad.regression import _dask_blocks as dask_rows
from numgrad.regression import _rows

M, N = 1000, 4
CUTS = (300, 1, 299, 400)


def table(p=None, m=M):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((m, N)) * [1, 10, 0.1, 3] + 1
    y = X @ rng.random((N, p) if p else N)
    return X, y + rng.standard_normal(y.shape), rng.random(m)


def same(one, other):
    assert (one.n_rows, one.n_features, one.n_targets, one.is_flat, one._held.names) == (
        other.n_rows,
        other.n_features,
        other.n_targets,
        other.is_flat,
        other._held.names,
    )
    assert np.isclose(one.total_weight, other.total_weight, rtol=1e-12)
    theta = other.solve(fit_intercept=True)
    assert np.allclose(one.solve(fit_intercept=True), theta, rtol=1e-12, atol=1e-13 * abs(theta).max())
    a, b = ng.step_size(one), ng.step_size(other)
    assert np.allclose([a.L, a.mu, *a.sizes], [b.L, b.mu, *b.sizes], rtol=1e-12)


def frames(p=None, npartitions=3):
    X, y, w = table(p)
    names = [f"y{j}" for j in range(p)] if p else ["y"]
    frame = pd.DataFrame(X, columns=list("abcd")).assign(w=w)
    frame[names] = y if p else y[:, None]
    return frame, dd.from_pandas(frame, npartitions=npartitions), names if p else "y"


@pytest.mark.parametrize("p", [None, 1, 3])
@pytest.mark.parametrize("has_weights", [False, True])
@pytest.mark.parametrize("columns", [N, 2])
def test_arrays(p, has_weights, columns):
    X, y, w = table(p)
    w = w if has_weights else None
    whole = ng.CompressedRows().update(X, y, w)
    x = da.from_array(X, chunks=(CUTS, columns))
    for cuts in (CUTS, 77):  # like those of X, and unlike
        other = da.from_array(y, chunks=(cuts, *[1][: y.ndim - 1]))
        same(ng.CompressedRows.from_dask(x, other, None if w is None else da.from_array(w, chunks=cuts)), whole)
    same(ng.CompressedRows.from_dask(x, y, w), whole)  # in memory


@pytest.mark.parametrize("p", [None, 2])
def test_dataframes_with_names(p):
    frame, lazy, y = frames(p)
    whole = ng.CompressedRows().update(frame[list("abcd")], frame[y], frame.w)
    rows = ng.CompressedRows.from_dask(lazy[list("abcd")], lazy[y], lazy.w)
    same(rows, whole)
    assert rows._held.names == tuple("abcd")
    # A series beside an array, and an array beside a dataframe: blocks of unknown sizes, as many.
    array = lazy[list("abcd")].to_dask_array()
    same(ng.CompressedRows.from_dask(array, lazy[y]), ng.CompressedRows().update(frame[list("abcd")].values, frame[y]))
    same(
        ng.CompressedRows.from_dask(lazy[list("abcd")], lazy[y].to_dask_array()),
        ng.CompressedRows().update(frame[list("abcd")], frame[y]),
    )


def test_unknown_chunks_and_empty_blocks():
    X, y, w = table()
    x, t, v = (da.from_array(a, chunks=(100, *a.shape[1:])) for a in (X, y, w))
    keep = t > np.median(y)
    keep_in_memory = keep.compute()
    expected = ng.CompressedRows().update(X[keep_in_memory], y[keep_in_memory], w[keep_in_memory])
    same(ng.CompressedRows.from_dask(x[keep], t[keep], v[keep]), expected)
    late = np.arange(M) >= 250  # two blocks without rows, of no known size
    lazy = da.from_array(late, chunks=100)
    same(ng.CompressedRows.from_dask(x[lazy], t[lazy]), ng.CompressedRows().update(X[late], y[late]))
    known = da.concatenate([x[:0], x, x[:0]])
    assert 0 in known.chunks[0] or known.numblocks == x.numblocks
    same(ng.CompressedRows.from_dask(known, t), ng.CompressedRows().update(X, y))
    frame, parts, _ = frames()
    some, few = (
        frame[frame.index > 500],
        parts.map_partitions(lambda part: part[part.index > 500]),
    )  # the first is empty
    assert not len(few.partitions[0])
    same(ng.CompressedRows.from_dask(few[["a", "b"]], few.y), ng.CompressedRows().update(some[["a", "b"]], some.y))


@pytest.mark.parametrize("options", [{}, {"fit_intercept": True, "standardize": True, "l2": 0.1}])
@pytest.mark.parametrize("p", [None, 2])
def test_descent(options, p):
    X, y, w = table(p)
    x, t, v = (da.from_array(a, chunks=(130, *a.shape[1:])) for a in (X, y, w))
    one = ng.gradient_descent(x, t, sample_weight=v, n_iter=60, **options)
    other = ng.gradient_descent(X, y, sample_weight=w, n_iter=60, method="modes", **options)
    assert one.method == "modes"
    assert np.allclose(one.theta, other.theta, rtol=1e-12, atol=1e-13)
    assert np.allclose(one.cost, other.cost, rtol=1e-12)
    _frame, lazy, target = frames(p)
    run = ng.gradient_descent(lazy[list("abcd")], lazy[target], n_iter=5)
    assert run.names == tuple("abcd")


def test_one_weight_for_all_rows():
    """A number is that of each row, whether or not it is known how many there are."""
    X, y, _ = table()
    frame, lazy, target = frames()
    for x, t in ((da.from_array(X, chunks=(130, N)), da.from_array(y, chunks=130)), (lazy[list("abcd")], lazy[target])):
        for weight in (2.5, np.array(3)):
            expected = ng.CompressedRows().update(X if isinstance(x, da.Array) else frame[list("abcd")], y, weight)
            same(ng.CompressedRows.from_dask(x, t, weight), expected)
        one = ng.gradient_descent(x, t, sample_weight=2.5, n_iter=5, l2=0.1)
        assert np.allclose(one.theta, ng.gradient_descent(X, y, sample_weight=2.5, n_iter=5, l2=0.1).theta, rtol=1e-12)
        with pytest.raises(ValueError, match=r"`sample_weight` is -1.*give weights of at least 0"):
            ng.gradient_descent(x, t, sample_weight=-1)


def test_quantities_keep_their_unit_to_themselves():
    m = pytest.importorskip("astropy.units").m
    X, y, w = table()
    x, t = da.from_array(X, chunks=(130, N)), da.from_array(y, chunks=130)
    for given in ((x, y * m), (x, t, w * m), (x, t, 2 * m)):
        with pytest.raises(TypeError, match=r"is in units of 'm'.*unit of y over that of its column"):
            ng.CompressedRows.from_dask(*given)


def test_step_size():
    X, _, w = table()
    x, v = da.from_array(X, chunks=(130, 2)), da.from_array(w, chunks=200)
    one, other = ng.step_size(x, sample_weight=v, l2=0.1), ng.step_size(X, sample_weight=w, l2=0.1)
    assert np.allclose([one.L, one.mu, *one.sizes], [other.L, other.mu, *other.sizes], rtol=1e-12)
    frame, lazy, _ = frames()
    assert ng.step_size(lazy[list("abcd")]).dominant == ng.step_size(frame[list("abcd")]).dominant


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_bits_depend_on_the_chunks_alone(scheduler):
    X, y, _ = table()
    x, t = da.from_array(X, chunks=(50, N)), da.from_array(y, chunks=50)
    expected = ng.CompressedRows.from_dask(x, t).R
    with dask.config.set(scheduler=scheduler):
        assert (expected == ng.CompressedRows.from_dask(x, t).R).all()


def test_one_thread_for_each_block(monkeypatch):
    threads = []
    share = _rows.share
    monkeypatch.setattr(_rows, "FEW", 0)
    monkeypatch.setattr(_rows, "share", lambda work, items, n: threads.append(n) or share(work, items, n))
    before = ng.get_num_threads()
    X, y, _ = table()
    ng.CompressedRows.from_dask(da.from_array(X, chunks=(500, N)), y)
    assert threads == [1, 1]
    ng.CompressedRows().update(X, y)
    assert threads[2:] == [before] == [ng.get_num_threads()]


class Watch(Callback):
    """Keeps the result of each task, and what it was made of."""

    def __init__(self):
        super().__init__()
        self.results, self.calls = {}, []

    def _start(self, dsk):
        self.graph = dict(dsk)

    def _posttask(self, key, result, dsk, state, worker):
        self.results[key] = result


def test_rows_never_gather():
    blocks = 70  # a tree of three levels
    seen = []
    lock = threading.Lock()

    def block(block_info=None):
        with lock:
            seen.append(block_info[None]["chunk-location"])
        return np.random.default_rng(seen[-1][0]).standard_normal((100, 3))

    x = da.map_blocks(block, chunks=((100,) * blocks, 3), dtype=float, meta=np.empty((0, 0)))
    rows = ng.CompressedRows.from_dask(x, x[:, 0] + 1, compute=False)
    assert not seen  # lazy
    with Watch() as watch:
        result = rows.compute()
    assert result.n_rows == 100 * blocks
    assert np.allclose(result.solve(fit_intercept=True), [1, 1, 0, 0], atol=1e-12)
    assert len(seen) == len(set(seen)) == blocks  # each is made once
    merges = [key for key in watch.results if str(key).startswith("merge_rows")]
    assert len(merges) == 9 + 2 + 1
    for key in merges:
        needed = watch.graph[key].dependencies
        assert 0 < len(needed) <= dask_rows.FAN_IN
        assert all(isinstance(watch.results[k], ng.CompressedRows) for k in needed)
    arrays = [v for v in watch.results.values() if isinstance(v, np.ndarray)]
    assert max(a.nbytes for a in arrays) == 100 * 3 * 8


def test_inputs_of_tasks_stay_as_they_are():
    parts = [ng.CompressedRows().update(*table()[:2]) for _ in range(3)]
    before = [p.R.copy() for p in parts]
    assert _rows.merge_rows(parts).n_rows == 3 * M
    for part, R in zip(parts, before, strict=True):
        assert part.n_rows == M
        assert (part.R == R).all()


X, Y, _ = table()
LAZY, TARGET = da.from_array(X, chunks=(300, N)), da.from_array(Y, chunks=300)
UNKNOWN = LAZY[TARGET > -1e9]
FRAME = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=3)


@pytest.mark.parametrize(
    ("X", "y", "weight", "error", "message"),
    [
        (X, Y, None, TypeError, "`X` is a ndarray; give a dask array or a dask dataframe"),
        (dask.delayed(X), Y, None, TypeError, "`X` is a Delayed.*; give a dask array"),
        (LAZY[:, 0], Y, None, ValueError, r"`X` is a dask array of shape \(1000,\); give \(rows, features\).*reshape"),
        (FRAME.a, FRAME.b, None, ValueError, r"`X` is a dask Series; give .*X.to_frame\(\)"),
        (LAZY[:0], TARGET[:0], None, ValueError, r"`X` has shape \(0, 4\), which is empty; give at least one row"),
        (LAZY[:, :0], TARGET, None, ValueError, r"`X` has shape \(1000, 0\), which is empty"),
        (FRAME[[]], FRAME.a, None, ValueError, "`X` has shape .* which is empty"),
        (LAZY, None, None, ValueError, "`y` is None; give one value"),
        (LAZY, TARGET[:999], None, ValueError, "`y` has 999 values and `X` has 1000 rows; give one value for each row"),
        (LAZY, Y[:999], None, ValueError, "`y` has 999 values and `X` has 1000 rows"),
        (LAZY, LAZY[:, :0], None, ValueError, r"`y` has shape \(1000, 0\); give one value for each row, or a column"),
        (LAZY, TARGET, LAZY, ValueError, r"`sample_weight` has shape \(1000, 4\); give one value for each row$"),
        (FRAME, FRAME.a, FRAME, ValueError, r"`sample_weight` has shape \(DataFrame\); give one value"),
        (UNKNOWN, Y, None, ValueError, r"`y` is a ndarray, and the rows .* not known; call X.compute_chunk_sizes\(\)"),
        (FRAME, Y, None, ValueError, "`y` is a ndarray, .* give a dask series with the partitions of X"),
        (UNKNOWN, TARGET.rechunk(100), None, ValueError, "`y` has 10 blocks along axis 0 and `X` has 4.*rechunk y"),
        (FRAME, FRAME.a.repartition(npartitions=2), None, ValueError, "`y` has 2 blocks .* `X` has 3.*y.repartition"),
        (
            FRAME,
            FRAME.a.repartition(divisions=[0, 10, 20, 999]),
            None,
            ValueError,
            r"`y` has the divisions .*; give y.repartition\(divisions=X.divisions\)",
        ),
        (LAZY.T[TARGET[:N] > -1e9].T, TARGET, None, None, ""),  # one chunk of features of unknown number is fine
        (
            LAZY.rechunk((300, 2)).T[da.ones(N, chunks=2) > 0].T,
            TARGET,
            None,
            ValueError,
            r"`X` has chunks of unknown size along axis 1: \(nan, nan\); call X.compute_chunk_sizes",
        ),
        (LAZY[TARGET > 1e9], TARGET, None, ValueError, "block . along axis 0.*`y` has .00 values and `X` has 0 rows"),
        (
            LAZY[TARGET > 1e9],
            TARGET[TARGET > 1e9],
            None,
            ValueError,
            "`X` has no rows in any of its 4 blocks; give at least one row",
        ),
        (
            da.where(da.arange(M, chunks=300)[:, None] == 605, np.nan, LAZY),
            TARGET,
            None,
            ValueError,
            r"block 2 along axis 0, whose rows count from 0: `X` has nan at \[5, 0\]; drop or fill",
        ),
        (LAZY, TARGET, -abs(TARGET), ValueError, "block . along axis 0.*`sample_weight` is -.*weights of at least 0"),
        (LAZY, TARGET, 0 * TARGET, None, ""),
    ],
)
def test_errors(X, y, weight, error, message):
    if error is None:
        ng.CompressedRows.from_dask(X, y, weight)
        return
    with pytest.raises(error, match=message):
        ng.CompressedRows.from_dask(X, y, weight)


def test_errors_of_the_functions():
    with pytest.raises(ValueError, match=r"`method` is .fused., and dask would .* give"):
        ng.gradient_descent(LAZY, TARGET, method="fused")
    with pytest.raises(ValueError, match="`y` is missing"):
        ng.gradient_descent(LAZY)
    with pytest.raises(ValueError, match="weights of all rows are zero"):
        ng.step_size(LAZY, sample_weight=0 * TARGET)
    with pytest.raises(TypeError, match="`compute` is 1; give True or False"):
        ng.CompressedRows.from_dask(LAZY, TARGET, compute=1)


def test_blocks_of_other_sizes_than_said():
    partly = da.concatenate([LAZY[:300], LAZY[300:][TARGET[300:] > -1e9]])
    with pytest.raises(ValueError, match=r"`y` has 250 values in block 0 along axis 0 and `X` has 300 rows there"):
        ng.CompressedRows.from_dask(partly, TARGET.rechunk((250,) * 4))


@pytest.mark.filterwarnings("default:Port .* is already in use:UserWarning")
def test_a_worker_dies(tmp_path):
    from distributed import Client, LocalCluster

    blocks, rows = 24, 500
    folder, death = tmp_path / "made", tmp_path / "death"
    folder.mkdir()

    def block(block_info=None):  # local, so that it travels by value
        (i, _) = block_info[None]["chunk-location"]
        while len(os.listdir(folder)) >= blocks // 2 and not death.exists():
            time.sleep(0.01)
        with open(f"{folder}/{os.getpid()}-{i}-{time.time_ns()}", "w"):
            return np.random.default_rng(i).standard_normal((rows, N))

    x = da.map_blocks(block, chunks=((rows,) * blocks, N), dtype=float, meta=np.empty((0, 0)))
    y = x @ np.arange(1.0, N + 1) + 7
    dead, has_ended = [], threading.Event()

    def kill(pids):
        while not has_ended.wait(0.01):
            # In the middle: this worker has made some of the blocks, and has triangles that are lost with it.
            for pid in pids:
                if len(list(folder.glob(f"{pid}-*"))) >= 4:
                    dead.append(pid)
                    os.kill(pid, signal.SIGKILL)
                    death.touch()
                    return

    free = {"dashboard_address": ":0"}  # another test may have the usual one
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, scheduler_kwargs=free) as cluster,
        Client(cluster) as client,
    ):
        pids = list(client.run(os.getpid).values())
        assert os.getpid() not in pids
        killer = threading.Thread(target=kill, args=(pids,))
        killer.start()
        try:
            found = ng.CompressedRows.from_dask(x, y)
        finally:
            has_ended.set()
            killer.join()
        assert dead
        made = list(folder.iterdir())
        assert len({p.name.split("-")[0] for p in made}) >= 2
        assert len({p.name.split("-")[1] for p in made}) == blocks
        assert len(made) > blocks  # what the dead one had is made again
        assert dead[0] not in client.run(os.getpid).values()
    X = np.vstack([np.random.default_rng(i).standard_normal((rows, N)) for i in range(blocks)])
    same(found, ng.CompressedRows().update(X, X @ np.arange(1.0, N + 1) + 7))
    assert found.n_rows == rows * blocks
