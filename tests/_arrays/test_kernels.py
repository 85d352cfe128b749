"""The kernels themselves, as Python and compiled: any range of the result, the assembly, the specialisations."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from operator import truediv

import numpy as np
import pytest
from helpers import ROOT, assert_same, same_bits, uneven, values

import numgrad as ng
from numgrad._arrays.kernels.edges import with_edges
from numgrad._arrays.kernels.nonuniform import is_evenly_spaced, nonuniform
from numgrad._arrays.kernels.quotient import scaled, smith
from numgrad._arrays.kernels.streamed import copied
from numgrad._arrays.kernels.uniform import uniform
from numgrad._arrays.plan import compose, dispatch, schemes
from numgrad._arrays.plan.dispatch import plan_for
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.spacing import number_key
from numgrad._arrays.plan.types import AxisPlan, Case, Plan, Recipe
from numgrad._arrays.run import arrange, flat, strided
from numgrad._compile import jit
from numgrad.regression import _fused, _rows

STORES = [False, True]
VIEWS = [
    (4, 20, 1),
    (1, 9, 1),
    (3, 4, 1),
    (2, 5, 3),
    (4, 2, 2),
    (5, 3, 1),
    (1, 3, 7),
    (1400, 3, 1),
    (40, 300, 5),
    (700, 3, 16),
]


@pytest.fixture
def compiled_here(monkeypatch):
    """Kernels compiled in this process: assembly is not kept in the cache."""
    numba = pytest.importorskip("numba")
    if numba.config.DISABLE_JIT:
        pytest.skip("nothing is compiled")
    monkeypatch.setenv("NUMGRAD_CACHE", "0")
    monkeypatch.setattr(jit, "_compiled", {})
    caches = jit.draft, plan_for, compose.drafted, compose.drafted_strided
    for cache in caches:
        cache.cache_clear()
    yield numba
    for cache in caches:
        cache.cache_clear()


def plan(dtype, view, *spacing, edge_order=1):
    """The plan of the middle axis of an array of this view."""
    _, n, inner = view
    keys = [(np.dtype("f8"), None, n) if isinstance(s, np.ndarray) else number_key(float, s) for s in spacing]
    (axis,) = plan_for(np.dtype(dtype), view, None, 1, edge_order, *keys).axes
    assert (axis.n, axis.inner) == (n, inner)
    return axis


@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", ["unit", "number", "coordinates"])
def test_any_range(view, edge_order, spacing):
    """Each kernel fills out[start:stop], and nothing else, with what it would put there in one go."""
    _, n, inner = view
    if n <= edge_order:
        pytest.skip("too short")
    f = values("f8", view)
    given = {"unit": (1.0,), "number": (0.3,), "coordinates": (uneven(n),)}[spacing]
    expected = np.gradient(f, *given, axis=1, edge_order=edge_order).ravel()
    size = f.size
    kernels = [
        flat.bind(plan("f8", view, *given, edge_order=edge_order), f.ravel(), expected, given, s) for s in STORES
    ]
    rng = np.random.default_rng(0)
    cuts = [(i, j) for i in range(size) for j in range(i, size + 1)] if size < 50 else rng.integers(0, size, (40, 2))
    for start, stop in cuts:
        if start > stop:
            start, stop = stop, start
        for streaming, step in zip(STORES, kernels, strict=True):
            kernel, n, inner, constants = step.kernel, step.n, step.inner, step.constants
            out = np.full(size, 77.0)
            seventh = flat._buffer(out.dtype) if streaming else 0
            kernel(f.ravel(), out, n, inner, int(start), int(stop), seventh, *constants)
            assert same_bits(out[start:stop], expected[start:stop]), (start, stop, streaming)
            assert (out[:start] == 77).all()
            assert (out[stop:] == 77).all()


def test_kernels_as_python():
    """The same source without Numba, as under NUMBA_DISABLE_JIT=1."""
    for view in [(1, 5, 1), (3, 5, 1), (2, 5, 2), (2, 17, 2)]:
        f, x = values("f8", view), uneven(view[1])
        arguments = (view[1], view[2], 0, f.size, 0)
        out = np.empty(f.size)
        assert not uniform(f.ravel(), out, *arguments, 0.6, 0.3)
        assert same_bits(out, np.gradient(f, 0.3, axis=1).ravel())
        assert not nonuniform(f.ravel(), out, *arguments, x)
        assert same_bits(out, np.gradient(f, x, axis=1).ravel())
        assert not with_edges(f.ravel(), out, *arguments, np.array([-1.5, 2, -0.5, 0.5, -2, 1.5]), (2.0, 1.0))
        assert same_bits(out, np.gradient(f, axis=1, edge_order=2).ravel())
        assert not copied(f.ravel(), out[2:], 5, view[2], 2, f.size, 2, 0)
        assert same_bits(out[2:], f.ravel()[2:])
    assert is_evenly_spaced(np.arange(600.0))
    assert not is_evenly_spaced(x)
    assert not is_evenly_spaced(np.append(np.arange(600.0), 7))
    assert smith(3 + 1j, np.complex128(10)) == complex(0.30000000000000004, 0.1)
    assert scaled(3 + 1j, np.float64(1) / 10) == complex(0.30000000000000004, 0.1)


def test_short_lines_as_python(monkeypatch):
    monkeypatch.setattr(dispatch, "MANY", 1)
    monkeypatch.setattr(dispatch, "MANY_WITH_COORDINATES", 1)
    plan_for.cache_clear()
    for dtype, shape in (("f8", (90, 4)), ("f8", (5, 3, 3)), ("c16", (6, 5))):
        f = values(dtype, shape)
        for given in ((0.3,), tuple(map(uneven, shape))):
            for edge_order in (1, 2):
                assert_same(
                    np.gradient(f, *given, edge_order=edge_order), ng.gradient(f, *given, edge_order=edge_order)
                )
    # A block or some: the ends of f are rows of their own. A step of zero is met wherever it is.
    for outer in (1, 2, 3):
        for n, inner in ((2, 1), (3, 1), (4, 2), (5, 1)):
            f = values("f8", (outer, n, inner))
            repeated = [np.where(np.arange(n) == i, uneven(n)[i - 1], uneven(n)) for i in range(1, n)]
            for x in (0.3, uneven(n), *repeated):
                for edge_order in (1, 2)[: n - 1]:
                    with np.errstate(all="ignore"):
                        expected = np.gradient(f, x, axis=1, edge_order=edge_order)
                        assert_same(expected, ng.gradient(f, x, axis=1, edge_order=edge_order))
                    if np.ndim(x) and (np.diff(x) == 0).any():
                        with pytest.warns(RuntimeWarning):
                            ng.gradient(f, x, axis=1, edge_order=edge_order)
    plan_for.cache_clear()


STRIDED = {
    "1-D": values("f8", (19,))[::2],
    "backwards": values("f8", (5, 7))[::-1, ::-1],
    "rows of rows": values("f8", (4, 6, 8))[:, ::2, 1:-1],
    "turned": values("f8", (4, 5, 6))[1:].transpose(2, 0, 1),
    "few rows": values("f8", (60, 6))[:, ::2],
}


@pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")  # negative strides, as Python
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", ["number", "coordinates"])
@pytest.mark.parametrize("case", STRIDED)
def test_strided_as_python(case, spacing, edge_order, monkeypatch):
    monkeypatch.setattr(arrange, "COPIED", 0)
    monkeypatch.setattr(strided, "PIECE", 50)
    f = STRIDED[case]
    given = (0.3,) if spacing == "number" else tuple(map(uneven, f.shape))
    assert_same(np.gradient(f, *given, edge_order=edge_order), ng.gradient(f, *given, edge_order=edge_order))
    if spacing == "coordinates":
        given[0][1] = given[0][0]
        with np.errstate(all="ignore"):
            assert_same(np.gradient(f, *given, edge_order=edge_order), ng.gradient(f, *given, edge_order=edge_order))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i1", "i4", "u8"])
@pytest.mark.parametrize("spacing", ["unit", "number", "coordinates"])
def test_assembly(dtype, spacing, compiled_here):
    """The interior loops are packed, and load what is contiguous as such."""
    if np.dtype(dtype).kind == "c" and compiled_here.version_info[:2] < (0, 62):
        pytest.skip("LLVM before 20 leaves loops over complex numbers scalar")
    given = {"unit": (1.0,), "number": (0.3,), "coordinates": (uneven(9),)}[spacing]
    f = values(dtype, (9,))
    axis = plan(dtype, (1, 9, 1), *given)
    out = np.empty(9, axis.recipe.work if axis.recipe.work is np.complex64 else FIELDS[f.dtype])
    assembly = {}
    for streaming in STORES[: 1 + (dtype in ("f8", "c8"))]:  # two stand for all: each compiles for seconds
        flat.bind(axis, f, out, given, streaming)
        (assembly[streaming],) = compose.compiled(axis.recipe, streaming).inspect_asm().values()
    if True in assembly:
        assert bool(re.search(r"\sv?movnt\w+\s", assembly[True])) == compose.has_streaming_stores()
        # Streaming stores wait for locked instructions: no counts of references may be left.
        assert not re.search(r"^\s+lock\b", assembly[True].partition("cpython")[0], re.MULTILINE)
    assembly = assembly[False]
    instructions = set(re.findall(r"^\s+([a-z]\w+)", assembly, re.MULTILINE))
    # A double is worth a quadword, so that a copy of a complex number counts as no arithmetic.
    arithmetic = {"unit": "mul", "number": "div", "coordinates": "div"}[spacing]
    if np.dtype(dtype).kind == "c":
        arithmetic = "mul"
    packed = {i for i in instructions if re.fullmatch(rf"v?f?{arithmetic}(pd|ps)?", i) and i.endswith(("pd", "ps"))}
    neon = re.search(rf"f{arithmetic}\s+v\d+\.\d[ds]", assembly)
    assert packed or neon, sorted(instructions)
    if spacing == "coordinates" and packed:  # three quotients a point in the loop that matters, all of them packed
        assert len(re.findall(r"\sv?divp[sd]\s", assembly)) >= 3
    assert not {i for i in instructions if "gather" in i}
    assert not {i for i in instructions if "fmadd" in i or i == "fmla"}, "np.gradient rounds twice"


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_assembly_of_regression(dtype, compiled_here, monkeypatch):
    """Loops over rows or features are packed, without gathers; no references are counted."""
    X, y = values(dtype, (1000, 12)), values(dtype, (1000,))
    for limit, x in ((2**30, X), (0, X), (0, np.asfortranarray(X)), (0, np.repeat(X, 2, axis=0)[::2])):
        monkeypatch.setattr(_fused, "COPY_LIMIT", limit)
        ng.gradient_descent(x, y, n_iter=2, method="fused")
    monkeypatch.setattr(_rows, "FEW", 0)  # for `fold` on its own
    ng.CompressedRows().update(X, y)
    names = {"packing", "rows", "columns", "compress", "fold"}
    called = {d.names.get("go", d.function).__name__: k for d, k in jit._compiled.items() if k.signatures}
    kernels = {name: kernel for name, kernel in called.items() if name in names}
    assert set(kernels) == names
    for name, kernel in kernels.items():
        (assembly,) = kernel.inspect_asm().values()
        packed = re.findall(r"\sv?f?n?m?(?:add|sub|mul)\w*p[sd]\s|\sfml[as]\s+v", assembly)
        assert len(packed) >= 8, name
        assert "gather" not in assembly, name
        # But for what threads share.
        assert not re.search(r"^\s+lock\b(?!\s+cmpxchg)", assembly.partition("cpython")[0], re.MULTILINE), name


def test_one_signature_for_each_specialisation(compiled_here):
    for dtype in ("f4", "f8", "i4"):
        for shape in ((7,), (5, 6), (3, 4, 5)):
            for f in (values(dtype, shape), np.asfortranarray(values(dtype, shape)), values(dtype, shape)[::-1]):
                for spacing in ((), (2,), (0.5,), (0.1,), (3,)):
                    ng.gradient(f, *spacing)
                    ng.gradient(f, *spacing, edge_order=2)
                for a in range(f.ndim):
                    ng.gradient(f, uneven(f.shape[a]), axis=a, edge_order=2)
    f = values("f8", (3, 9, 1)).ravel()
    for streaming in STORES:  # inside a kernel that writes past the cache, indices have other types
        flat.bind(plan("f8", (3, 9, 1), 0.3), f, np.empty_like(f), (0.3,), streaming)
    counts: dict = {}
    for draft, dispatcher in jit._compiled.items():
        assert len(dispatcher.signatures) <= 1, draft.name
        key = draft.function, draft.kinds[2:]
        counts[key] = counts.get(key, 0) + 1
    # Of each composition, for each dtype of f: the dtypes of the division, times quotient or product.
    assert max(counts.values()) <= 6, counts


def test_the_kernel_that_the_guide_adds(monkeypatch, tmp_path):
    """CONTRIBUTING says that a kernel takes a file and a row; here are its file and its row."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 20
    file, row = code.split("# numgrad/_arrays/plan/schemes.py\n")
    (tmp_path / "forward.py").write_text(file)
    spec = spec_from_file_location("forward", tmp_path / "forward.py")
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "forward", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(schemes, "INSIDE", dict(schemes.INSIDE))
    exec(row, vars(schemes) | {"forward": module.forward, "INSIDE": schemes.INSIDE})
    f = values("f8", (3, 7, 5))
    recipe = Recipe(schemes.schemes("forward", "number"), f.dtype, np.float64, np.float64, truediv)
    axis = AxisPlan(1, 0, 7, 5, recipe, schemes.maker(Case(recipe, 7, 5))(0.5))
    out = np.empty(f.shape)
    assert flat.fill([f.ravel()], [out.reshape(-1)], Plan(f.dtype, (axis,)), ())
    assert np.array_equal(out[:, :-1], np.diff(f, axis=1) / 0.5)
    assert np.isnan(out[:, -1]).all()
    assert recipe.words == "forward"
