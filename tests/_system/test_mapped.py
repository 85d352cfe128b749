"""Arrays in memory-mapped files: NumPy's results, bounded memory, and never a lost or a doubled byte."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from helpers import FAST, assert_same, same_bits, uneven, values

import numgrad as ng
from numgrad._system import memory

needs_madvise = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="pages are given back on Linux")


def on_file(path, array, mode="r+"):
    """The array in a file, mapped."""
    array.ravel(order="C").tofile(path)
    return np.memmap(path, array.dtype, mode, shape=array.shape)


@pytest.fixture
def held(monkeypatch):
    """Give back after each call of a kernel; return how often that happened."""
    times = []

    class Counted(memory.Pages):
        def touch(self, count):
            before = self._touched
            super().touch(count)
            times.append(before + count)

    monkeypatch.setattr(memory, "HELD", -(1 << 50))
    monkeypatch.setattr(memory, "EVERY", 1)
    monkeypatch.setattr(memory, "Pages", Counted)
    return times


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("dtype", FAST)
def test_same_as_numpy(tmp_path, dtype, mode, held):
    f = on_file(tmp_path / "f", values(dtype, (40, 30, 20)), mode)
    for args in (), (0.3,), (uneven(40), 2.0, uneven(20)):
        assert_same(np.gradient(f, *args, edge_order=2), ng.gradient(f, *args, edge_order=2))
    assert_same(np.gradient(f, axis=1), ng.gradient(f, axis=1))


@pytest.mark.parametrize("view", [lambda f: f.T, lambda f: f[::2, ::-1], lambda f: f[:, :, ::3], lambda f: f[3]])
def test_views_are_as_numpys(tmp_path, view, held):
    f = view(on_file(tmp_path / "f", values("f8", (60, 50, 40))))
    expected = np.gradient(f)
    assert_same(expected, ng.gradient(f))
    out = np.memmap(tmp_path / "out", "f8", "w+", shape=(f.ndim, *f.shape))
    assert ng.gradient(f, out=out) is out
    assert same_bits(np.fromfile(tmp_path / "out").reshape(out.shape), np.stack(expected))


def test_short_and_integer_layouts(tmp_path):
    f = on_file(tmp_path / "f", values("i4", (6, 1, 5)))
    for g in f.T, f.transpose(1, 0, 2), f:
        assert_same(np.gradient(g, axis=np.argmax(g.shape)), ng.gradient(g, axis=int(np.argmax(g.shape))))


def test_coordinates_in_a_file(tmp_path):
    x = on_file(tmp_path / "x", uneven(50))
    f = values("f8", (50,))
    assert_same(np.gradient(f, np.asarray(x)), ng.gradient(f, x))
    assert same_bits(ng.derivative(f, x, n=2), ng.derivative(f, np.asarray(x), n=2))


FUNCTIONS = {
    "derivative": (lambda f, out: ng.derivative(f, 0.1, n=2, accuracy=4, axis=0, out=out), ()),
    "one line": (lambda f, out: ng.derivative(f, 0.1, nan="one-sided", out=out), ()),
    "laplacian": (lambda f, out: ng.laplacian(f, 0.1, boundary="periodic", out=out), ()),
    "divergence": (lambda f, out: ng.divergence([f, -f, f], 0.1, out=out), ()),
    "curl": (lambda f, out: ng.curl([f, -f, f], 0.1, out=out), (3,)),
    "jacobian": (lambda f, out: ng.jacobian([f, -f], 0.1, out=out), (2, 3)),
    "hessian": (lambda f, out: ng.hessian(f, *map(uneven, f.shape), out=out), (3, 3)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fields(tmp_path, name, held):
    function, leading = FUNCTIONS[name]
    f = on_file(tmp_path / "f", values("f8", (70, 60, 50)))
    out = np.memmap(tmp_path / "out", "f8", "w+", shape=(*leading, *f.shape))
    assert function(f, out) is out
    assert held
    assert same_bits(np.fromfile(tmp_path / "out").reshape(out.shape), function(np.array(f), None))


@needs_madvise
@pytest.mark.parametrize("axis", [0, 1, None])
def test_pages_are_given_back(tmp_path, axis, monkeypatch):
    monkeypatch.setattr(memory, "HELD", 4 << 20)
    f = on_file(tmp_path / "f", values("f8", (1000, 8000)))
    out = np.memmap(tmp_path / "out", "f8", "w+", shape=(2 if axis is None else 1, *f.shape))
    before = memory._held()
    ng.gradient(f, axis=axis, out=out)
    assert memory._held() - before < 40 << 20 < f.nbytes


@needs_madvise
def test_memory_is_bounded(tmp_path):
    """The most that a process has held, as the system counts it: for each axis, and not in C order."""
    code = """
import numpy as np, numgrad as ng, sys
from numgrad._system import memory
def most():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) << 10
shape = 1536, 256, 256
f = np.memmap("f", "f8", "w+", shape=shape)
for i in range(len(f)):
    f[i] = i
f._mmap.madvise(4)
out = np.memmap("out", "f8", "w+", shape=shape)
ng.gradient(np.zeros((2, 200000)), axis=0, out=np.empty((2, 200000)))
before = most()
for given, result in (f, out), (f.T, out.T), (f[:, ::2], out[:, ::2]), (f[:, :, ::2], out[:, :, ::2]):
    for axis in range(3):
        ng.gradient(given, axis=axis, out=result)
print((most() - before) >> 20)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 500  # MiB, of 1536


def test_a_private_mapping_is_left_alone(tmp_path, held):
    f = on_file(tmp_path / "f", values("f8", (700, 400)))
    g = np.array(f)
    out = on_file(tmp_path / "out", -g, "c")
    ng.gradient(f, axis=0, out=out)
    assert same_bits(np.asarray(out), np.gradient(g, axis=0))
    assert held
    assert same_bits(np.fromfile(tmp_path / "out"), -g.ravel())
    copy = np.memmap(tmp_path / "f", "f8", "c", shape=f.shape)
    copy[:] = g**2
    assert same_bits(ng.gradient(copy, axis=1), np.gradient(g**2, axis=1))
    assert same_bits(np.asarray(copy), g**2)


@pytest.mark.parametrize("mode", ["r", "c"])
@pytest.mark.parametrize("name", ["same", "link", "other"])
def test_one_file_mapped_twice(tmp_path, name, mode):
    g = values("f8", (900, 1000))
    f = on_file(tmp_path / "same", g, mode)
    (tmp_path / "link").symlink_to(tmp_path / "same")
    out = np.memmap(tmp_path / name, "f8", "r+" if name != "other" else "w+", shape=f.shape)
    assert memory.may_share(f, out) == (name != "other")
    ng.gradient(f, axis=0, out=out)
    assert same_bits(np.asarray(out), np.gradient(g, axis=0))


def test_ranges_of_a_file(tmp_path):
    both = on_file(tmp_path / "f", values("f8", (2, 50, 40)))
    first, second = (np.memmap(tmp_path / "f", "f8", "r+", i * 16000, (50, 40)) for i in range(2))
    assert not memory.may_share(first, second)
    assert memory.may_share(both, second)
    assert memory.may_share(both[1], second)
    assert not memory.may_share(both[0], second)
    assert not memory.may_share(both[0], np.zeros(3))
    expected = np.gradient(np.array(first), axis=0)
    ng.gradient(first, axis=0, out=second)
    assert same_bits(np.asarray(both[1]), expected)
    with pytest.raises(ValueError, match="share memory"):
        ng.gradient(first, out=(both[1], second))


def test_files_without_names():
    with tempfile.TemporaryFile() as a, tempfile.TemporaryFile() as b:
        out = tuple(np.memmap(file, "f8", "w+", shape=(5, 6)) for file in (a, b))
        assert not memory.may_share(*out)
        f = values("f8", (5, 6))
        for one, other in zip(np.gradient(f), ng.gradient(f, out=out), strict=True):
            assert same_bits(one, np.asarray(other))
    with tempfile.TemporaryFile() as file:
        file.write(bytes(8000))
        file.flush()
        one, other = (np.memmap(file, "f8", "r+", shape=(1000,)) for _ in range(2))
        one[:] = uneven(1000)
        expected = np.gradient(np.array(one))
        ng.gradient(one, out=other)
        assert same_bits(np.asarray(other), expected)


def test_a_file_gone_since(tmp_path):
    f = on_file(tmp_path / "f", values("f8", (50,)))
    out = np.memmap(tmp_path / "out", "f8", "w+", shape=(50,))
    Path(tmp_path / "f").unlink()
    assert not memory.may_share(f, out)
    assert same_bits(ng.gradient(f, out=out), np.gradient(f))


@needs_madvise
def test_pages_of_coordinates_are_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "HELD", 4 << 20)
    x = on_file(tmp_path / "x", uneven(8 << 20))
    f, out = np.zeros(x.size), np.zeros(x.size)
    before = memory._held()
    ng.gradient(f, x, out=out)
    assert memory._held() - before < 40 << 20 < x.nbytes


def test_what_numpy_refuses(tmp_path):
    f = on_file(tmp_path / "f", values("f8", (5, 4)))
    for args, options in [((1, 2, 3), {}), ((), {"axis": 2}), ((uneven(3),), {"axis": 0})]:
        with pytest.raises(Exception) as expected:  # noqa: PT011
            np.gradient(f, *args, **options)
        with pytest.raises(type(expected.value)) as got:
            ng.gradient(f, *args, **options)
        assert str(got.value) == str(expected.value)


def test_where_large_pages_begin():
    for shape in ((800, 700), (3, 1 << 20), (1 << 21,), (2, 1, 1 << 22)):
        for dtype in map(np.dtype, ("f4", "f8", "c16")):
            made = memory.in_large_pages(shape, dtype)
            assert made.ctypes.data % memory.LARGE <= 64
            assert (made.shape, made.dtype) == (shape, dtype)
            assert made.flags.carray
            made[...] = 1
