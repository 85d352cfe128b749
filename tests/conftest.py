"""Kernels are compiled into a cache of the run's own, which subprocesses share; or into NUMGRAD_TEST_CACHE.

`.ci/run` gives the latter, so that the benchmarks' kernels need not be compiled again.

Tests run in tier 1, with compiled kernels, but for those marked `tier(0)`, which run the same kernels as plain Python
and wait for no compiler: they compare small results with mathematics or another library, and ask for many kernels.
`tests/_compile/test_tiers.py` has a compiled pass over each of those. What compares `gradient` with np.gradient stays
in tier 1: in tier 0 both are one.
"""

import os
import re
import sys
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path

import pytest
from helpers import tier
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent

# No example is too slow on a slow machine.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


# More than the inner loop needs: files of processes, compilers and other libraries, and tests of many kernels.
SLOW_FILES = [
    "test_processes",
    "test_hypothesis",
    "test_large",
    "test_kernels",
    "test_numba",
    "test_numba_derivative",
    "test_examples",
    "test_dask",
    "test_dask_rows",
    "test_xarray",
    "test_dataframes",
    "test_sklearn",
    "test_mapped",
]
SLOW_TESTS = re.compile(
    "as_python|large_paths|polynomials|naive_oracle|order_of_convergence|the_table|layouts|test_dtypes|any_shape|memory|"
    "classic|short_lines|definitions|identities|that_of_scipy|periodic|different_scale|other_kinds|few_points|threads|"
    "ctrl_c|corners|mpmath|jitted_is_plain|let_go|readme_python"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in SLOW_FILES or SLOW_TESTS.search(item.name):
            item.add_marker(pytest.mark.slow)


def pytest_configure(config: pytest.Config) -> None:
    assert "numba" not in sys.modules, "Numba has read its environment already"
    config.addinivalue_line("markers", "tier(number): the tier of a test or a file, if not 1 (tests/conftest.py)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    mark = item.get_closest_marker("tier")
    with tier(*mark.args) if mark else nullcontext():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _fresh_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    if "numba" not in sys.modules:
        # Workers of pytest-xdist have folders beside each other, and share what they compile.
        folder = tmp_path_factory.getbasetemp()
        folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "numba"
        folder = Path(os.environ.get("NUMGRAD_TEST_CACHE", folder))
        folder.mkdir(exist_ok=True)
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    os.environ.setdefault("NUMGRAD_TIER", "1")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


@pytest.fixture
def lower(monkeypatch):
    """A function that lowers thresholds: pieces of so many elements, on so many threads."""
    import numgrad as ng
    from numgrad._arrays import derivative as _derivative
    from numgrad._arrays import known, terms
    from numgrad._arrays.plan import compose as _recipe
    from numgrad._arrays.plan import dispatch as _dispatch
    from numgrad._arrays.run import arrange
    from numgrad._arrays.run import flat as _sweep
    from numgrad._arrays.run import strided as _strided

    caches = (
        _dispatch.plan_for,
        _derivative.plan_of,
        known.slot,
        terms.plan_of,
        _recipe.drafted,
    )

    def apply(piece, threads, streaming=False, has_stores=None):
        for module in (_dispatch, _derivative, known, _sweep, _strided):
            monkeypatch.setattr(module, "PIECE", piece)
        monkeypatch.setattr(_dispatch, "AT_ONCE", 4 * piece)
        monkeypatch.setattr(_sweep, "PARALLEL", 0)
        monkeypatch.setattr(arrange, "COPIED", 0)
        monkeypatch.setattr(_sweep, "is_streaming", lambda nbytes: streaming)
        if has_stores is not None:
            monkeypatch.setattr(_recipe, "has_streaming_stores", lambda: has_stores)
        for cache in caches:
            cache.cache_clear()
        ng.set_num_threads(threads)

    yield apply
    ng.set_num_threads(None)
    for cache in caches:
        cache.cache_clear()
