"""Caches, processes, forks and threads."""

import os
import pickle
import shutil
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import COMPLEX, REALS, ROOT, assert_same, finish, start, uneven, values

import numgrad as ng

CALL = """
import sys
import numpy as np
import numgrad as ng
from helpers import assert_same, uneven, values
for dtype in sys.argv[1:]:
    f = values(dtype, (6, 7))
    assert_same(np.gradient(f, 0.3, uneven(7), edge_order=2), ng.gradient(f, 0.3, uneven(7), edge_order=2))
    assert_same(np.gradient(f), ng.gradient(f))
"""

# The same with kernels that take less time to compile.
EVEN_CALL = CALL.replace("0.3, uneven(7), ", "0.3, ")


def files(folder):
    return sorted(p.name for p in Path(folder).rglob("*.nb[ci]"))


def test_cache_is_used(tmp_path):
    finish(start("f8", cache=tmp_path, code=CALL))
    first = files(tmp_path)
    assert first
    hits = CALL + (
        "from numgrad._compile.jit import _compiled\n"
        "used = [k.stats for k in _compiled.values() if k.signatures]\n"
        "print(sum(sum(s.cache_hits.values()) for s in used), sum(sum(s.cache_misses.values()) for s in used))\n"
    )
    hit, missed = map(int, finish(start("f8", code=hits, cache=tmp_path)).split())
    assert missed == 0
    assert hit >= 3
    assert files(tmp_path) == first


def test_cache_can_be_turned_off(tmp_path):
    finish(start("f8", cache=tmp_path, NUMGRAD_CACHE="0", code=CALL))
    assert files(tmp_path) == []


def test_no_place_for_a_cache(tmp_path):
    """No location can be written, not even by root: each would lie below a file."""
    blocker = tmp_path / "file"
    blocker.touch()
    code = (
        "import numba.core.caching as c\n"
        "for locator in vars(c).values():\n"
        "    if isinstance(locator, type) and issubclass(locator, c._CacheLocator):\n"
        f"        locator.get_cache_path = lambda self: {str(blocker / 'below')!r}\n"
    )
    finish(start("f8", code=code + CALL, cache=blocker / "below"))


def as_directory(path):
    path.unlink()
    path.mkdir()


def of_another(path):
    (other,) = path.parent.glob(path.name.replace("scaled_", "scaled_other_"))
    path.write_bytes(other.read_bytes())


DAMAGES = {
    "nothing in it": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "in one bit": lambda path: path.write_bytes(b"\1" + path.read_bytes()[1:]),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 4),
    "longer": lambda path: path.write_bytes(path.read_bytes() * 2),
    "a pickle of other things": lambda path: path.write_bytes(pickle.dumps(("0.0", {})) * 2),
    "the file of another function": of_another,
    "a directory": as_directory,
}


def kept_product(name):
    """A kernel as a new process makes it."""
    from numgrad._arrays.kernels.quotient import scaled
    from numgrad._compile import jit

    return jit._bound(scaled, {}, f"{name}_", lambda function: jit._jit(function, frozenset()), {})


@pytest.mark.parametrize("which", ["index", "data"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_replaced(monkeypatch, damage, which):
    """It costs a warning and a compilation; the next process knows nothing of it."""
    from numgrad._compile import cache as _cache

    monkeypatch.setattr(_cache, "_told", set())
    name = f"{which}_{sorted(DAMAGES).index(damage)}"  # other workers damage the others
    other, whole = kept_product(f"other_{name}"), kept_product(name)
    assert other(4.0, 0.5) == whole(4.0, 0.5) == 2
    index = Path(whole._cache._cache_file._index_path)
    path = {"index": index, "data": Path(f"{index.with_suffix('')}.1.nbc")}[which]
    DAMAGES[damage](path)
    kernel, again = kept_product(name), kept_product(name)
    with pytest.warns(RuntimeWarning) as seen:
        assert kernel(4.0, 0.5) == again(4.0, 0.5) == 2
    assert [str(path) in str(w.message) for w in seen] == [True]
    assert kernel.stats.cache_misses
    if damage == "a directory":
        assert again.stats.cache_misses  # it cannot be replaced, and is done without
        path.rmdir()
    else:
        assert again.stats.cache_hits


def test_a_file_that_is_missing_or_cannot_be_written(monkeypatch):
    from numgrad._compile import cache as _cache

    monkeypatch.setattr(_cache, "_told", set())
    whole = kept_product("missing")
    assert whole(4.0, 0.5) == 2
    index = Path(whole._cache._cache_file._index_path)
    for path in (Path(f"{index.with_suffix('')}.1.nbc"), index):  # as who clears the cache leaves it
        path.unlink()
        with warnings.catch_warnings(action="error"):
            assert kept_product("missing")(4.0, 0.5) == 2
        assert path.exists()

    def refused(*arguments):
        raise OSError("no room")

    monkeypatch.setattr(_cache.Files, "_save_data", refused)
    index.unlink()
    with pytest.warns(RuntimeWarning, match=r"scaled_missing.*nbi cannot be written .*no room") as seen:
        assert [kept_product("missing")(4.0, 0.5) for _ in range(2)] == [2, 2]
    assert len(seen) == 1


def test_what_cannot_be_linked(monkeypatch):
    """Files as they were written, of which Numba makes nothing."""
    from numgrad._compile import cache as _cache

    def refused(*arguments):
        raise AttributeError("no such thing")

    monkeypatch.setattr(_cache, "_told", set())
    assert kept_product("unlinked")(4.0, 0.5) == 2
    kernel = kept_product("unlinked")
    monkeypatch.setattr(kernel._cache._impl, "rebuild", refused)
    with pytest.warns(RuntimeWarning, match=r"scaled_unlinked.*no such thing"):
        assert kernel(4.0, 0.5) == 2
    assert kept_product("unlinked")(4.0, 0.5) == 2


def test_two_processes_find_every_file_damaged(tmp_path):
    """Also those of np.gradient inside @njit."""
    code = (
        "import warnings\nimport numba, numpy as np, numgrad as ng\n"
        "from numgrad.interop.numba import overload\noverload.init()\n"
        "with warnings.catch_warnings(record=True) as seen:\n    warnings.simplefilter('always')\n"
        "    results = ng.gradient(np.arange(9.0)), numba.njit(lambda f: np.gradient(f))(np.arange(9.0))\n"
        "assert np.array_equal(results, np.ones((2, 9)))\n"
        "for w in seen: print(w.message)\n"
    )
    assert finish(start(code=code, cache=tmp_path)) == ""
    for path in tmp_path.rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[: 99 if path.suffix == ".nbc" else -9])
    told = "".join(map(finish, [start(code=code, cache=tmp_path) for _ in range(2)]))  # one may be the faster one
    assert all("cannot be used" in line for line in told.splitlines())
    assert "uniform.uniform" in told
    assert "source.gradient" in told
    assert finish(start(code=code, cache=tmp_path)) == ""


def test_a_changed_kernel_is_compiled_anew(tmp_path):
    """Also one that is a part of a kernel in another file, whose change Numba's own stamp does not see."""
    shutil.copytree(ROOT / "numgrad", tmp_path / "numgrad", ignore=shutil.ignore_patterns("__pycache__"))
    kernels = tmp_path / "numgrad" / "_arrays" / "kernels"
    part, uniform = kernels / "part.py", kernels / "uniform.py"
    part.write_text("def slope(a, b, h):\n    return (b - a) / h\n")
    whole = "divide(FIELD(f[k + ahead]) - FIELD(f[k - behind]), d)"
    assert whole in uniform.read_text()
    text = uniform.read_text().replace(whole, "slope(FIELD(f[k - behind]), FIELD(f[k + ahead]), d)")
    imported = "import numpy as np\n\nfrom numgrad._arrays.kernels.part import slope\n"
    uniform.write_text(text.replace("import numpy as np\n", imported, 1))
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport numpy as np, numgrad\n"
    code += "assert numgrad.__file__.startswith(sys.path[0])\nprint(*numgrad.gradient(np.arange(8.0) ** 2, 0.3))"

    def computed():
        return np.array(finish(start(code=code, cache=tmp_path / "cache")).split(), float)

    wanted = np.gradient(np.arange(8.0) ** 2, 0.3)
    assert np.array_equal(computed(), wanted)
    part.write_text("def slope(a, b, h):\n    return (b - a) / h + 1.0\n")
    assert np.array_equal(computed(), wanted + 1.0)


def test_five_cold_processes_at_once(tmp_path):
    """Different dtypes, one cache: no failure then, none in a later process. Each has one that the next has, too."""
    dtypes = ["f4", "f8", "c16", "i4", "f4", "f8"]
    for process in [start(*dtypes[i : i + 2], cache=tmp_path, code=EVEN_CALL) for i in range(5)]:
        finish(process)
    finish(start(*dtypes[:4], cache=tmp_path, code=EVEN_CALL))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child():
    f = values("f8", (40, 50))
    expected = ng.gradient(f)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert_same(expected, ng.gradient(f))
            g = values("u2", (40, 50))  # compiled in the child
            assert_same(np.gradient(g, 0.7), ng.gradient(g, 0.7))
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_many_threads_at_once():
    """32 threads meet at a barrier, on kernels that are compiled and on kernels that are not."""
    barrier = threading.Barrier(32)
    dtypes = [*REALS, *COMPLEX, "i4", "u1", "i2"]
    x = uneven(300)

    def work(i):
        f = values(dtypes[i % len(dtypes)], (20, 300), seed=i)
        barrier.wait()
        for _ in range(5):
            got = ng.gradient(f, 0.9, x), ng.gradient(f[0]), ng.gradient(f, axis=0, edge_order=2)
        return f, got

    with ThreadPoolExecutor(32) as pool:
        for f, got in pool.map(work, range(32)):
            expected = np.gradient(f, 0.9, x), np.gradient(f[0]), np.gradient(f, axis=0, edge_order=2)
            assert_same(expected, got)


def test_kernels_release_the_gil():
    from numgrad._compile.jit import _compiled

    ng.gradient(np.arange(3.0))
    assert all(kernel.targetoptions["nogil"] for kernel in _compiled.values())


def test_without_the_compiler(tmp_path):
    """Every line of the kernels, under NUMBA_DISABLE_JIT=1 and coverage."""
    pytest.importorskip("coverage")
    variables = {**os.environ, "NUMBA_DISABLE_JIT": "1", "COVERAGE_FILE": str(tmp_path / "coverage")}
    run = [
        "run",
        "--include=numgrad/**/*kernels/*,numgrad/_compile/stand_ins.py",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    files = [
        str(next((ROOT / "tests").rglob(f"test_{name}.py")))
        for name in (
            "kernels", "descent", "rows", "derivative", "fields", "turning_points", "functions", "smoothing", "smooth",
            "sphere", "sparse",
        )
    ]  # fmt: skip
    of_noise = "dtypes_axes_layouts or gaps_are_ends or few_long_lines or likelihood or pieces or test_periodic"
    of_maps_and_tables = "directions or random_matrices or lines_of_any_lengths or by_kernel"
    some = f"any_range and not 1400 and not 300 and not 700 or {of_noise} or {of_maps_and_tables}"
    chosen = ["-k", f"python or classic or shapes or {some}"]
    for arguments in ([*run, *files, *chosen], ["report", "--fail-under=100", "-m"]):
        command = [sys.executable, "-m", "coverage", *arguments]
        done = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_ctrl_c_while_a_thread_starts():
    """The process ends, and until then works: the pool does not know such a thread, and nobody would wake it."""
    code = (
        "import threading\n"
        "from numgrad._system.threads import share\n"
        "begin = threading.Thread.start\n"
        "def interrupted(self):\n"
        "    begin(self)\n"
        "    raise KeyboardInterrupt\n"
        "threading.Thread.start = interrupted\n"
        "try:\n"
        "    share(list, range(4), 2)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
        "threading.Thread.start = begin\n"
        "print(sorted(i for part in share(list, range(4), 2) for i in part))\n"
    )
    assert finish(start(code=code)) == "interrupted\n[0, 1, 2, 3]\n"
