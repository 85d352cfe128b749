"""``python -m numgrad``."""

import json
import re
import sys
import tomllib
import warnings

import numpy as np
import pytest
from helpers import ROOT, finish, start

import numgrad as ng
from numgrad import __main__ as command_line
from numgrad import _warm_up
from numgrad.__main__ import main


def told(capsys):
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_help_and_version(capsys):
    assert main([]) == 0
    out, _ = told(capsys)
    assert all(word in out for word in ("usage: python -m numgrad", "warm-up", "info"))
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert (end.value.code, told(capsys)[0]) == (0, f"numgrad {ng.__version__}\n")


def test_a_process_of_its_own(tmp_path):
    """Numba is not imported for `info`; what `warm-up` has compiled is there, and found by the next process."""
    code = """
import runpy, sys
try:
    sys.argv = ["numgrad", *sys.argv[1:]]
    runpy.run_module("numgrad", run_name="__main__")
except SystemExit as end:
    print(end.code, "numba" in sys.modules)
"""
    cache = tmp_path / "not[yet]there"
    *report, last = finish(start("info", "--json", code=code, cache=cache)).splitlines()
    (empty,) = json.loads("\n".join(report))["caches"]
    assert empty == {"path": str(cache), "is_writable": True, "kernels": 0, "megabytes": 0}
    assert last == "0 False"
    *_, done, last = finish(start("warm-up", "turning_points", code=code, cache=cache, NUMGRAD_TIER="")).splitlines()
    assert last == "0 True"
    kernels, megabytes = re.fullmatch(
        rf"1 groups of kernels in [\d.]+ s; (\d+) kernels, ([\d.]+) MB, in {re.escape(str(cache))}", done
    ).groups()
    assert int(kernels) >= 2
    files = [p for p in cache.rglob("*") if p.is_file()]
    assert sum(p.suffix == ".nbi" for p in files) == int(kernels)
    assert float(megabytes) == round(sum(p.stat().st_size for p in files) / 1e6, 1)
    code = (
        "import sys, numpy as np, numgrad as ng\n"
        "from numgrad._compile.jit import LOAD, draft\n"
        "from numgrad._arrays.kernels.turning import scan\n"
        "assert draft(scan, np.dtype('f8')).seconds == LOAD\n"
        "ng.warm_up('turning_points')\n"
        "from numgrad._compile.jit import _compiled\n"
        "print(sum(sum(k.stats.cache_misses.values()) for k in _compiled.values()))\n"
    )
    assert finish(start(code=code, cache=cache, NUMGRAD_TIER="")) == "0\n"


def test_warm_up(capsys):
    assert main(["warm-up", "step_size", "turning_points"]) == 0
    out, err = told(capsys)
    lines = [re.fullmatch(r"\[(\d)/2\] (.*): [\d.]+ s", line).groups() for line in err.splitlines()]
    assert lines == [
        ("1", "turning_points, numbers and coordinates, float64"),
        ("2", "step_size, rows, float64"),
    ]
    assert out.startswith("2 groups of kernels in ")


def test_a_bar(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    ng.warm_up("step_size", progress=True)
    bar = told(capsys)[1]
    assert "step_size, rows, float64: 100%" in bar
    assert "[1/1]" not in bar
    monkeypatch.setitem(sys.modules, "tqdm", None)
    ng.warm_up("step_size", progress=True)
    assert told(capsys)[1].startswith("[1/1] step_size, rows, float64: ")


def test_all_is_all(monkeypatch, capsys):
    groups = []
    monkeypatch.setattr(_warm_up, "run", lambda given, progress: groups.append([g.words for g in given]))
    assert [main(["warm-up", "--all"]), main(["warm-up", "--all", "--dtype", "float32"]), main(["warm-up"])] == [
        0,
        0,
        0,
    ]
    every, of_one, usual = map(set, groups)
    assert every > of_one
    assert every > usual
    assert {name.rpartition(", ")[2] for name in every} >= {t.name for t in map(np.dtype, "fdFDbhiqBHIQ")}
    assert all("float64" in name or name.startswith("functions.") for name in usual)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NUMGRAD_CACHE", "0", "NUMGRAD_CACHE is 0, by which no kernel is kept; unset it"),
        ("NUMBA_DISABLE_JIT", "1", "NUMBA_DISABLE_JIT is set, by which nothing is compiled; unset it"),
        (
            "NUMBA_CACHE_DIR",
            f"{__file__}/below",
            f"{__file__}/below cannot be written; set NUMBA_CACHE_DIR to a folder",
        ),
    ],
)
def test_where_nothing_can_be_kept(monkeypatch, capsys, variable, value, message):
    monkeypatch.setenv(variable, value)
    assert main(["warm-up", "gradient"]) == 1
    assert message in told(capsys)[1]


def test_what_cannot_be_written_after_all(monkeypatch, capsys):
    def no_room(groups, progress):
        warnings.warn("numgrad's cache: x.nbi cannot be written (no room)", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr(_warm_up, "run", no_room)
    assert main(["warm-up"]) == 1
    out, err = told(capsys)
    assert (out, "x.nbi cannot be written (no room)" in err, "set NUMBA_CACHE_DIR" in err) == ("", True, True)

    def interrupted(groups, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(_warm_up, "run", interrupted)
    assert main(["warm-up"]) == 130
    assert "interrupted" in told(capsys)[1]


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["warm-up", "nonsense"], {}, "`functions` is 'nonsense'; give one of 'gradient'"),
        (["warm-up", "--dtype", "float16"], {}, "`dtypes` has 'float16'; give some of float32"),
        (["info"], {"NUMGRAD_TIER": "2"}, "NUMGRAD_TIER is '2'; give 0"),
        (["warm-up"], {"NUMGRAD_TIER": "2"}, "NUMGRAD_TIER is '2'; give 0"),
        (["nonsense"], {}, "invalid choice: 'nonsense'"),
    ],
)
def test_faults_of_the_caller(monkeypatch, capsys, arguments, variables, message):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in told(capsys)[1]


def test_info(monkeypatch, capsys):
    monkeypatch.setenv("NUMBA_OPT", "3")
    assert main(["info", "--json"]) == 0
    found = json.loads(told(capsys)[0])
    assert found["numgrad"] == ng.__version__
    assert found["folder"] == str(ROOT / "numgrad")
    assert found["python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert found["packages"]["numpy"] == np.__version__
    assert {"numba", "llvmlite"} <= found["packages"].keys()
    assert found["threads"] == ng.get_num_threads()
    assert {"NUMBA_OPT": "3", "NUMGRAD_TIER": "1"}.items() <= found["environment"].items()
    assert found["numpy_simd"]["baseline"]
    assert main(["info"]) == 0
    lines = told(capsys)[0].splitlines()
    heads = ["numgrad", "Python", "packages", "cache", "threads", "CPU", "NumPy", "variables"]
    assert [line.partition(":")[0] for line in lines] == heads
    for name, version in found["packages"].items():
        assert f"{name} {version}" in lines[2]
    assert "NUMBA_OPT=3" in lines[-1]


def test_the_cpu_is_the_one_that_numba_compiles_for(monkeypatch):
    import numba
    from numba.core.codegen import JITCPUCodegen

    codegen = numba.core.registry.cpu_target.target_context.codegen()
    assert isinstance(codegen, JITCPUCodegen)
    _, name, features = codegen.magic_tuple()
    found = command_line.cpu()
    assert found["name"] == name
    on = {one[1:] for one in features.split(",") if one.startswith("+")}
    assert on == set(found["features"].split())
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "+sse2")
    assert command_line.cpu() == {"name": "generic", "features": "+sse2"}


def test_caches_are_where_numba_has_them(monkeypatch, tmp_path):
    """Those of NUMBA_CACHE_DIR, beside the file, and of the user."""
    from numba.core import caching, config

    from numgrad._arrays.kernels import uniform
    from numgrad._compile.kept import folders, places

    def of(kind):
        return caching.__dict__.get(kind, caching.__dict__.get(f"_{kind}"))(uniform.uniform, uniform.__file__)

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    assert folders(uniform.__file__) == [of("UserProvidedCacheLocator").get_cache_path()]
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    expected = [of(kind).get_cache_path() for kind in ("InTreeCacheLocator", "UserWideCacheLocator")]
    assert folders(uniform.__file__) == expected
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert folders(uniform.__file__)[1] == of("UserWideCacheLocator").get_cache_path()
        assert [place.path for place in places()] == [str(ROOT / "numgrad"), str(tmp_path / "numba")]


def test_packages_are_those_of_the_extras():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    of_users = {
        re.match(r"[\w-]+", r).group()
        for e in ("plot", "sklearn", "progress", "symbolic", "dask", "xarray")
        for r in extras[e]
    }
    assert of_users <= set(command_line.PACKAGES)
