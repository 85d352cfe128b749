"""numgrad against NumPy and its peers, side by side: `python -m pytest benchmarks`, or one case with `-k`."""

from functools import partial

import numpy as np
import pytest

from benchmarks import cases, peers
from benchmarks.cases import CASES, LARGE, grow_heap


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.id)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def calls(case, pytestconfig):
    cases.SHARE = 16 if pytestconfig.getoption("benchmark_disable") else 1
    return dict(zip(("reference", "numgrad"), case.make(), strict=True))


@pytest.fixture(scope="module")
def expected(calls):
    """What the reference gave, untimed, in the test before; empty if another process ran that, or if it is timed."""
    return []


@pytest.mark.parametrize("library", ["reference", "numgrad"])
@pytest.mark.parametrize("heap", ["fresh", "warm"])
def test_speed(benchmark, case, calls, expected, heap, library):
    benchmark.group = f"{case.name}, {heap} heap"
    call, is_timed = calls[library], benchmark.enabled
    if heap == "warm":
        if not is_timed:
            pytest.skip("nothing but times differs")
        grow_heap()
        benchmark(call)
        return
    result = call() if is_timed else benchmark(call)  # compiles; pytest-benchmark sets its rounds by its first call
    if library == "numgrad":  # not before the reference has been timed, which depends on the state of the heap
        assert case.agree(expected.pop() if expected else calls["reference"](), result)
        check_moves(case, call, result)
    elif not is_timed:
        expected.append(result)
    if is_timed:
        benchmark(call)
        if library == "numgrad" and case.moves:
            from benchmarks import roofline  # Numba, whose import is to be seen in np.gradient's time

            benchmark.extra_info["rates"] = roofline.rates()


def check_moves(case, call, result):
    """What the case says that it moves, where that can be read off the call; what moves so much must say it."""
    read = sum(a.nbytes for a in call.args if isinstance(a, np.ndarray)) if isinstance(call, partial) else 0
    if read:
        parts = result if isinstance(result, (tuple, list)) else [result]
        share = cases.SHARE if case.moves else 1
        moved = share * read, share * sum(np.asarray(part).nbytes for part in parts)
        assert bool(case.moves) == (sum(moved) >= LARGE), moved
        assert not case.moves or np.allclose(np.multiply(case.moves, 1e6), moved, rtol=0.02), moved


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).random(10**6)


@pytest.mark.parametrize("name", ["np.gradient", "numgrad", *peers.PEERS])
def test_peers(benchmark, samples, name):
    makers = {**peers.OURS, **peers.installed()}
    if name not in makers:
        pytest.skip(f"{name} is not installed")
    benchmark.group = "n = 1e6, peers"
    benchmark(makers[name](samples))


# The other parts of the report, each once, on little. Imported where they are run: np.gradient's time depends on what a
# process has done before.


def test_sizes_and_shapes(tmp_path):
    from benchmarks import sweep

    assert len(sweep.sizes_report(10**4, 0.01, tmp_path / "sizes.png")) == 2 + 7
    assert (tmp_path / "sizes.png").stat().st_size > 10_000
    assert "2 shapes" in sweep.shapes_report([(5,), (4, 4)], 0.01)[0]
    assert len(sweep.threads_report(10**5, 0.01)) == 2 + 4


def test_memory():
    from benchmarks import sweep

    assert len(sweep.memory_report(10**5)) == 2 + 5
    assert len(sweep.descent_memory_report(10**5)) == 2 + 4
    assert len(sweep.mapped_report(64)) == 2 + 3


def test_growth(tmp_path):
    from benchmarks import sweep

    assert len(sweep.growth_report(1000, 0.01, tmp_path / "growth.png")) == 2 + 3
    assert (tmp_path / "growth.png").stat().st_size > 10_000


def test_roofline():
    from benchmarks import roofline

    assert len(roofline.report(10**6, 0.01)) >= 2 + 4 + 1 + 2 + 1
    rates = roofline.rates(10**5, 0.01)
    assert set(rates) >= {1}
    assert all(roofline.bound((8, 8), found) > 0 for found in rates.values())


def test_functions_report():
    from benchmarks import functions_report

    assert len(functions_report.report(functions_report.TABLE[8:10])) == 2 + 2 + 2


def test_noisy_report(monkeypatch):
    from benchmarks import noisy_report

    monkeypatch.setattr(noisy_report, "WINDOWS", (31, 61))
    found = list(noisy_report.rows(noisy_report.SIGNALS[:1], repeats=1, peers=False))
    assert all(row.ours < min(2.5 * row.oracle, row.others["np.gradient"]) for row in found)
    assert len(noisy_report.report(noisy_report.SIGNALS[4:5], repeats=1, peers=False)) > 2 * 6


def test_arrays_report():
    from benchmarks import arrays_report

    assert len(arrays_report.short_lines([(1000, 3)], 0.01, 10**5)) == 2 + 3
    assert len(arrays_report.inside_njit([1000], 0.01)) == 2 + 1
    assert len(arrays_report.dask_arrays(10, 0.01, 3)) == 2 + 3 + 2


def test_groups_report():
    from benchmarks import groups_report

    assert len(groups_report.report(((1000, 100),), 0.01)) == 2 + 2


def test_exact_report():
    from benchmarks import exact_report

    cases = [case for case in exact_report.CASES if case.reference in ("scipy.differentiate", "f")][3:5]
    assert len(exact_report.report(cases, 0.01, 1)) == 2 + 2 + 2


def test_descent_report():
    from benchmarks import descent_report

    assert len(list(descent_report.kinds())) == 40
    kinds = [descent_report.Kind(300, 3, "C", "f4", 1), descent_report.Kind(100, 20, "F", "f8", 4)]
    assert len(descent_report.report(kinds, 0.01, 10**5)) == 2 + 2


def test_sparse_report():
    from benchmarks import sparse_report

    assert len(sparse_report.report([(1000, 100, 5), (50, 40, 10)], 0.01, 10**5)) == 2 + 2


def test_sphere_report():
    from benchmarks import sphere_report

    assert len(sphere_report.report((19, 36), 0.01)) == 2 + 5


def test_scripts():
    from benchmarks import scripts

    assert len(scripts.scripts_report(1, scripts.SCRIPTS[:1])) == 2 + 1
    assert len(scripts.compiled_report(1, {"turning_points": scripts.COMPILED["turning_points"]})) == 2 + 1
    assert len(scripts.loops_report(1, [(10, 100)])) == 2 + 1


def test_peers_report():
    assert len(peers.report([(1000,), (20, 30)], 0.01)) == 2 + 2
