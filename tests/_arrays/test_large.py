"""The paths of large arrays: threads, streaming stores, pieces, rows. Small arrays take them, thresholds lowered."""

import os
import platform
import subprocess
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import HANGS, LAYOUTS, assert_same, finish, same_bits, start, uneven, values
from hypothesis import HealthCheck, given, settings
from test_hypothesis import calls, outcome

import numgrad as ng
from numgrad._arrays.plan import compose, dispatch, types
from numgrad._arrays.plan import spacing as _spacing
from numgrad._arrays.run import arrange, flat
from numgrad._system import threads as _threads

MIB = 2**20


def variants(dtypes, shapes):
    for dtype in dtypes:
        for shape in shapes:
            f = values(dtype, shape)
            for spacing in ((), tuple(map(uneven, shape))):
                for edge_order in (1, 2):
                    if min(shape) > edge_order:
                        yield f, spacing, edge_order


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
def test_every_path_agrees(threads, streaming, lower):
    lower(32, threads, streaming)
    shapes = [(300,), (20, 17), (5, 6, 7), (90, 3), (3, 90), (25, 2, 3), (2, 200)]
    for f, spacing, edge_order in variants(["f4", "f8", "c16", "i4"], shapes):
        expected = np.gradient(f, *spacing, edge_order=edge_order)
        assert_same(expected, ng.gradient(f, *spacing, edge_order=edge_order))
        out = np.empty((f.ndim, *f.shape), np.gradient(f[:3].ravel()).dtype)
        ng.gradient(f, *spacing, edge_order=edge_order, out=out)
        assert all(map(same_bits, [expected] if f.ndim == 1 else expected, out))


@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, streaming, lower):
    lower(50, 2, streaming)
    for f, spacing, edge_order in variants(["f8"], [(200,), (20, 17), (5, 6, 7), (3, 4, 5, 4)]):
        g = LAYOUTS[layout](f)
        assert_same(np.gradient(g, *spacing, edge_order=edge_order), ng.gradient(g, *spacing, edge_order=edge_order))


def test_without_streaming_stores(lower):
    """As on a CPU that has none: the same kernels, by plain stores."""
    lower(40, 2, streaming=True, has_stores=False)
    for f, spacing, edge_order in variants(["f8", "c8"], [(300,), (20, 17), (5, 6, 7)]):
        assert_same(np.gradient(f, *spacing, edge_order=edge_order), ng.gradient(f, *spacing, edge_order=edge_order))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
def test_every_alignment(dtype, streaming, lower):
    """Results that begin 0 to 63 bytes after a line of the cache, and pieces that end anywhere in one."""
    lower(41, 3, streaming)
    f = values(dtype, (500,))
    expected = np.gradient(f)
    for offset in range(64):
        memory = np.full(f.nbytes + 192, 7, np.uint8)
        begin = -memory.ctypes.data % 64 + offset
        out = memory[begin : begin + f.nbytes].view(dtype)
        ng.gradient(f, out=out)
        assert same_bits(out, expected), offset
        assert (memory[:begin] == 7).all()
        assert (memory[begin + f.nbytes :] == 7).all()


@pytest.mark.parametrize("piece", [64, 100])
@pytest.mark.parametrize("threads", [1, 2])
def test_sizes_around_a_piece(piece, threads, lower):
    lower(piece, threads, streaming=True)
    buffer = flat.BUFFER // 8
    for size in {n + d for n in (piece, 2 * piece, piece * threads * flat.PARTS, buffer) for d in (-1, 0, 1)}:
        f = values("f8", (size,))
        assert_same(np.gradient(f), ng.gradient(f))
        g = values("f8", (3, size))
        assert_same(np.gradient(g), ng.gradient(g))


@pytest.mark.parametrize("many", [30, 99], ids=["shared", "alone"])
@pytest.mark.parametrize("make", [np.arange, lambda n: np.arange(n) * 0.5, lambda n: np.arange(2.0 * n)[::2]])
def test_one_step_that_differs(make, many, monkeypatch):
    """Wherever it is, all threads together find it."""
    monkeypatch.setattr(_spacing, "FEW", 7)
    monkeypatch.setattr(_spacing, "MANY", many)
    monkeypatch.setattr(_threads, "get_num_threads", lambda: 3)
    x = make(30)
    assert _spacing._even_step(x) == x[1] - x[0]
    for i in range(1, 30):
        moved = x.copy()
        moved[i:] += 1
        assert _spacing._even_step(moved) is None


def thresholds():
    """Shapes one element below, at and above each real threshold."""
    sizes = [arrange.COPIED // 16, types.PIECE, flat.PARALLEL, flat.cache_size() // 16]
    for size in sizes:
        yield from ((size + d,) for d in (-1, 0, 1))
        yield from (((size + d) // 2, 2) for d in (-2, 0, 2))
    for many in (dispatch.MANY, dispatch.MANY_WITH_COORDINATES):
        yield from ((many // 4 + d, 4) for d in (-1, 0, 1))
    yield from ((3000, dispatch.SHORT + d) for d in (-1, 0, 1))


@pytest.mark.parametrize("shape", list(thresholds()), ids=str)
def test_sizes_around_every_threshold(shape):
    f = values("f8", shape)
    for g in (f, f[::-1], np.asfortranarray(f)):
        assert_same(np.gradient(g), ng.gradient(g))
    if len(shape) == 2:
        x = uneven(shape[1])
        assert_same(np.gradient(f, x, axis=1), ng.gradient(f, x, axis=1))


def test_hypothesis_on_large_paths(lower):
    ran = []

    @settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(calls(dtypes=["f8", "c8"], weak=True))
    def check(call):
        f = call[0]
        streaming, threads = bool(f.size % 2), 1 + len(ran) % 3
        lower(8 + len(ran) % 20, threads, streaming)
        expected, got = outcome(np.gradient, call), outcome(ng.gradient, call)
        ran.append(call)
        if isinstance(expected, tuple) and expected and isinstance(expected[0], type):
            assert got == expected
            return
        assert_same(expected, got)

    check()
    assert len(ran) >= 150


def test_ten_thousand_calls_from_sixteen_threads(lower):
    lower(64, 3, streaming=True)
    f = values("f8", (30, 31))
    expected = np.gradient(f)
    barrier = threading.Barrier(16)

    def work(_):
        barrier.wait()
        return all(same_bits(a, b) for _ in range(625) for a, b in zip(expected, ng.gradient(f), strict=True))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", ["1-D", "3-D", "coordinates", "integers", "Fortran", "every other", "turned"])
def test_no_temporaries(case, threads):
    """Peak memory over a call: the results and 1 MiB; with `out=`, 1 MiB."""
    f = values("f8", (1000, 2000))
    given = ()
    if case == "1-D":
        f = f.ravel()
    elif case == "3-D":
        f = f.reshape(100, 100, 200)
    elif case == "integers":
        f = f.astype(np.int32)
    elif case == "Fortran":
        f = np.asfortranarray(f)
    elif case == "every other":
        f = values("f8", (1000, 4000))[:, ::2]
    elif case == "turned":
        f = f.reshape(100, 100, 200).transpose(1, 2, 0)[::-1]
    if case == "coordinates":
        given = tuple(map(uneven, f.shape))
    ng.set_num_threads(threads)
    out = np.empty((f.ndim, *f.shape))
    ng.gradient(f, *given)
    ng.gradient(f, *given, out=out)
    for target in (None, out):
        tracemalloc.start()
        result = ng.gradient(f, *given, out=target)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        allowed = MIB + (0 if target is not None else out.nbytes)
        assert peak <= allowed, (peak - allowed) / MIB
        assert peak >= allowed - MIB, "the results were not traced"
        del result
    ng.set_num_threads(None)


FAULTS = """
import resource
import numpy as np
import numgrad as ng
f = np.ones((512, 512))
ng.gradient(f), ng.gradient(f)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    ng.gradient(f)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heap of glibc")
def test_fresh_results_keep_their_pages():
    """Two results of 2 MiB are 1024 pages, which the heap gave back after each call."""
    assert int(finish(start(code=FAULTS))) < 1024


QUIET = """
import threading
import numpy as np
import numgrad as ng
ng.set_num_threads(4)
f = np.arange(500_000.0)
ng.gradient(f)
assert threading.active_count() == 1, threading.enumerate()
f = np.arange(3_000_000.0)
expected = np.gradient(f)
assert np.array_equal(expected, ng.gradient(f))
assert 1 < threading.active_count() <= 4, threading.enumerate()
assert all(t.name.startswith("numgrad") for t in threading.enumerate()[1:])
"""


def test_no_thread_before_a_large_call():
    finish(start(code=QUIET))


def test_at_the_exit_of_the_interpreter():
    """No pool takes work any more; the caller does it alone. Threads of the pool do not keep the process."""
    late = "import atexit\n" + QUIET + "atexit.register(lambda: print(np.array_equal(expected, ng.gradient(f))))"
    assert finish(start(code=late)).strip() == "True"
    # Numba imports SciPy where there is one, which SciPy 1.18 refuses at exit.
    earlier = "import atexit, sys, numpy as np, numgrad as ng\nsys.modules['scipy'] = None\nf = np.arange(3e6)\n"
    earlier += "atexit.register(lambda: print(np.array_equal(np.gradient(f), ng.gradient(f))))"
    assert finish(start(code=earlier, NUMGRAD_NUM_THREADS="3")).strip() == "True"


FORK = """
import os, threading, warnings
import numpy as np
import numgrad as ng
warnings.simplefilter("ignore", DeprecationWarning)
f = np.arange(3e6) ** 2
expected = np.gradient(f)
g = np.arange(3e6).reshape(3, -1)
stop = False
def work():
    while not stop:
        assert np.array_equal(ng.gradient(f), expected)
workers = [threading.Thread(target=work) for _ in range(3)]
for w in workers:
    w.start()
for i in range(10):
    child = os.fork()
    if child == 0:
        ok = np.array_equal(ng.gradient(f), expected)
        ok = ok and all(map(np.array_equal, np.gradient(g), ng.gradient(g)))  # first here: compiled or loaded
        if os.fork() == 0:
            os._exit(0 if np.array_equal(ng.gradient(f), expected) else 1)
        ok = ok and os.waitstatus_to_exitcode(os.wait()[1]) == 0
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop = True
for w in workers:
    w.join()
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_in_the_middle_of_a_call():
    assert finish(start(code=FORK, NUMGRAD_NUM_THREADS="3")).strip() == "done"


SPECIALISE_WHILE_COMPILING = """
from threading import Thread
from numgrad._compile import jit
from numgrad._arrays.kernels.uniform import uniform
jit.is_compiling()
from numba.core.compiler_lock import global_compiler_lock
with global_compiler_lock:
    other = Thread(target=jit.specialise, args=(uniform, "float64"), daemon=True)
    other.start()
    other.join(600)
    print("waits" if other.is_alive() else "done", flush=True)
"""


def test_no_kernel_waits_for_the_compiler_of_others():
    """Who holds Numba's lock, as a fork does, may ask for numgrad's: so none who has that may wait for Numba's."""
    assert finish(start(code=SPECIALISE_WHILE_COMPILING)).strip() == "done"


FORK_WHILE_SHARING = """
import os, threading, warnings
from numgrad._system import threads as _threads
warnings.simplefilter("ignore", DeprecationWarning)
def work():
    while True:
        _threads.share(lambda items: [None for _ in items], range(4), 3)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
for i in range(300):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
print("done", flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_work_is_handed_out():
    assert finish(start(code=FORK_WHILE_SHARING)).strip() == "done"


MULTIPROCESSING = """
import multiprocessing, sys
import numpy as np
import numgrad as ng
def work(i):
    f = np.arange(2_000_000.0) ** 2 + i
    return bool(np.array_equal(np.gradient(f), ng.gradient(f)))
if __name__ == "__main__":
    assert work(0)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(all(pool.map(work, range(6))))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method, tmp_path):
    import multiprocessing

    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    (tmp_path / "script.py").write_text(MULTIPROCESSING)
    environment = {**os.environ, "NUMGRAD_NUM_THREADS": "2"}
    command = [sys.executable, str(tmp_path / "script.py"), method]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=HANGS)
    assert done.stdout.strip() == "True", done.stderr


def test_an_error_in_one_thread_leaves_none_at_work():
    active, has_begun = threading.Semaphore(0), threading.Event()
    at_work = []

    def work(items):
        for item in items:
            at_work.append(item)
            if threading.current_thread() is threading.main_thread():
                has_begun.set()
                active.acquire()  # until another thread is at work, too
                at_work.remove(item)
                raise KeyboardInterrupt
            has_begun.wait()  # the others must not use up all items before
            active.release()
            at_work.remove(item)

    with pytest.raises(KeyboardInterrupt):
        _threads.share(work, range(1000), 3)
    assert at_work == []


def test_share_covers_everything_once():
    for threads in (1, 2, 5):
        done = _threads.share(list, range(1000), threads)
        assert len(done) <= threads
        assert sorted(i for part in done for i in part) == list(range(1000))


def test_number_of_threads(monkeypatch):
    default = ng.get_num_threads()
    assert 1 <= default <= os.cpu_count()
    ng.set_num_threads(np.int64(5))
    assert ng.get_num_threads() == 5
    ng.set_num_threads(None)
    assert ng.get_num_threads() == default
    for bad, kind in ((0, ValueError), (-3, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)):
        with pytest.raises(kind, match=f"`n` is {bad!r}"):
            ng.set_num_threads(bad)
    assert ng.get_num_threads() == default


def test_the_number_may_change_between_calls(monkeypatch):
    """Also for an array that one thread has done in one piece before."""
    asked, share = [], flat.share
    monkeypatch.setattr(
        flat, "share", lambda work, items, threads: asked.append(threads) or share(work, items, threads)
    )
    f = values("f8", (1_100_000,))
    for threads in (1, 3, 2):
        ng.set_num_threads(threads)
        assert_same(np.gradient(f), ng.gradient(f))
    ng.set_num_threads(None)
    assert asked == [1, 3, 2]


def test_the_environment_sets_the_number(monkeypatch):
    for text, expected in (("3", 3), ("", None)):
        monkeypatch.setenv("NUMGRAD_NUM_THREADS", text)
        ng.set_num_threads(None)
        assert ng.get_num_threads() == (expected or _threads.usable_cpus())
    for bad in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("NUMGRAD_NUM_THREADS", bad)
        ng.set_num_threads(None)
        with pytest.raises(ValueError, match=f"NUMGRAD_NUM_THREADS is '{bad}'"):
            ng.get_num_threads()
    monkeypatch.delenv("NUMGRAD_NUM_THREADS")
    ng.set_num_threads(None)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
def test_affinity_limits_the_number():
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\nimport numgrad as ng\n"
    assert finish(start(code=code + "print(ng.get_num_threads())")).strip() == "1"


QUOTAS = {
    "version 2": ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n"}, 2),
    "none": ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, None),
    "of a parent": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/cpu.max": "100000 100000\n",
            "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        },
        1,
    ),
    "in a container": ({"proc/self/cgroup": "0::/elsewhere\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
    "version 1": (
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/x\n2:memory:/x\n",
            "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "100000\n",
            "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
        },
        1,
    ),
    "version 1, none": (
        {
            "proc/self/cgroup": "3:cpu:/x\n",
            "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
    "no such files": ({}, None),
}


@pytest.mark.parametrize("name", QUOTAS)
def test_the_quota_of_a_control_group(name, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    files, expected = QUOTAS[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert _threads._cgroup_quota(tmp_path) == (expected or 8)


def test_explain_names_threads_and_stores(monkeypatch):
    monkeypatch.setattr(flat, "cache_size", lambda: 10 * MIB)
    ng.set_num_threads(3)
    (small,) = ng.explain(np.zeros(1000))
    (large,) = ng.explain(np.zeros(2 * MIB))
    (other,) = ng.explain(np.zeros(4 * MIB)[::2])
    ng.set_num_threads(None)
    assert (small.threads, small.stores) == (1, "plain")
    stores = "streaming" if compose.has_streaming_stores() else "plain"
    assert (large.threads, large.stores) == (3, stores)
    assert str(large).endswith(f"3 threads, {stores} stores")
    assert (other.kernel, other.threads, other.stores) == ("uniform by rows", 3, "plain")


def test_explain_looks_at_out():
    f = np.zeros((300, 300))
    assert {axis.kernel for axis in ng.explain(f)} == {"uniform"}
    turned = tuple(np.empty_like(f, order="F") for _ in f.shape)
    assert {axis.kernel for axis in ng.explain(f, out=turned)} == {"uniform by rows"}
    with pytest.raises(ValueError, match="`out` has 1 arrays"):
        ng.explain(f, out=(f,))
