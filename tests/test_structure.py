"""Promises about the package as a whole: imports, public names, documentation."""

import ast
import doctest
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import numgrad

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "numgrad"
README = (ROOT / "README.md").read_text()

# A module may import from those in a lower layer. What is not named here belongs to the layer of its folder.
LAYERS = {
    "numgrad": 10,
    "numgrad._explain": 9.5,
    "numgrad._derivative": 9,
    "numgrad._fields": 9,
    "numgrad._turning_points": 9,
    "numgrad._formulas": 6,
    "numgrad._gradient": 8,
    "numgrad._strided": 7,
    "numgrad._sweep": 6,
    "numgrad._stencil": 3.6,
    "numgrad._forks": 0,
    "numgrad._mapped": 0,
    "numgrad._dispatch": 5,
    "numgrad._constants": 4,
    "numgrad._recipe": 3,
    "numgrad.functions": 5,
    "numgrad.functions._derivatives": 4.9,
    "numgrad.functions._search": 4.8,
    "numgrad.functions._samples": 4.7,
    "numgrad.functions._quotients": 4.6,
    "numgrad.functions._result": 4,
    "numgrad.symbolic": 5,
    "numgrad.symbolic._kernel": 4.9,
    "numgrad.symbolic._parse": 4.9,
    "numgrad.symbolic._partials": 4.9,
    "numgrad.symbolic._emit": 4.8,
    "numgrad.symbolic._special": 4.75,
    "numgrad.symbolic._lower": 4.8,
    "numgrad.symbolic._library": 4.7,
    "numgrad.symbolic._work": 4.7,
    "numgrad.symbolic._tree": 4.72,
    "numgrad.sklearn": 11,
    "numgrad.plotting": 11,
    "numgrad.regression": 5,
    "numgrad.regression._descent": 4.9,
    "numgrad.regression._result": 4.8,
    "numgrad.regression._modes": 4.7,
    "numgrad.regression._fused": 4.7,
    "numgrad.regression._engine": 4.6,
    "numgrad.regression._step_size": 4.6,
    "numgrad.regression._rows": 4.5,
    "numgrad.regression._quadratic": 4.4,
    "numgrad.regression._check": 4,
    "numgrad._spacing": 3.5,
    "numgrad._original": 0,
    "numgrad._out": 3,
    "numgrad._containers": 3,
    "numgrad.interop": 12,
    "numgrad.interop.dask": 12.4,
    "numgrad.interop.xarray": 12.5,
    "numgrad.interop.numba_overload": 12.1,
    "numgrad.interop.numba_gradient": 12,
    "numgrad.interop.numba_derivative": 12.05,
    "numgrad.interop.numba_source": 11.9,
    "numgrad._threads": 3,
    "numgrad._jit": 2,
    "numgrad._intrinsics": 1.5,
    "numgrad._cache": 1.5,
    "numgrad._kernels": 1,
    "numgrad._kernels.coordinates": 0.5,
    "numgrad._kernels.samples": 0.5,
    "numgrad._kernels.search": 0,
    "numgrad._kernels.modes": 0.5,
    "numgrad._kernels.householder": 0.5,
    "numgrad._kernels.descent": 0,
    "numgrad._kernels.stencil": 0.5,
    "numgrad._kernels.nonuniform": 0,
    "numgrad._kernels.uniform": 0,
}


def layer(module):
    while module not in LAYERS:
        module = module.rpartition(".")[0]
    return LAYERS[module]


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize(("path", "module"), list(modules()), ids=lambda v: v if isinstance(v, str) else "")
def test_imports_point_down(path, module):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert node.level == 0
        for name in names:
            if name.startswith("numgrad"):
                assert layer(name) < layer(module), f"{module} imports {name}"
            own = "numgrad._jit", "numgrad._cache", "numgrad._intrinsics", "numgrad.symbolic._lower"
            knows_numba = module in own or module.startswith("numgrad.interop.numba")
            assert not name.startswith(("numba", "llvmlite")) or knows_numba


def test_import_is_light():
    """`import numgrad` compiles nothing and imports neither Numba nor an optional package."""
    code = "import sys, numgrad; numgrad.gradient; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {re.match(r"[\w-]+", r).group().replace("-", "_") for group in extras.values() for r in group}
    heavy = {"numba", "llvmlite", *optional, "scipy", "sklearn"} - {"numgrad"}
    assert heavy > {"matplotlib", "pandas", "hypothesis"}
    assert not heavy & set(loaded)


def test_public_names():
    assert sorted(numgrad.__all__) == numgrad.__all__
    assert set(numgrad.__all__) <= set(dir(numgrad))
    assert {"functions", "plotting", "sklearn", "symbolic"} <= set(dir(numgrad))
    assert numgrad.functions.__name__ == "numgrad.functions"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        numgrad.nonsense


PUBLIC = [
    *((numgrad, name) for name in numgrad.__all__),
    *((numgrad.functions, name) for name in numgrad.functions.__all__),
    *((numgrad.symbolic, name) for name in numgrad.symbolic.__all__),
]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_public_names_are_documented(module, name):
    thing = getattr(module, name)
    doc = inspect.getdoc(thing)
    sections = (
        ["Attributes"]
        if inspect.isclass(thing)
        else ["Parameters", "Examples"] + ["Returns"] * (name != "set_num_threads")
    )
    if name in ("explain", "get_num_threads"):
        sections.remove("Parameters")  # those of gradient, or none
    for section in sections:
        assert re.search(rf"^{section}\n-+$", doc, re.MULTILINE), section
    if "Parameters" in sections:
        documented = re.findall(r"^(\*?\w+) : ", doc, re.MULTILINE)
        for parameter in inspect.signature(thing).parameters.values():
            assert ("*" if parameter.kind is parameter.VAR_POSITIONAL else "") + parameter.name in documented
    assert name in README


def test_readme_python_blocks_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    text = "\n".join(blocks)
    test = doctest.DocTestParser().get_doctest(text, {}, "README", "README.md", 0)
    assert len(test.examples) >= 5
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test)
    assert runner.failures == 0


def test_readme_commands_name_what_is_here():
    """`.ci/run` runs the commands themselves; here, that they point at files and extras that exist."""
    commands = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert len(commands) >= 2
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for command in commands[:2]:
        assert "python3 -m venv" in command
        (group,) = re.findall(r"\.\[(\w+)\]", command)
        assert group in extras
        for script in re.findall(r"\S+\.py", command):
            assert (ROOT / script).exists()
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_version_is_in_the_changelog():
    assert f"## {numgrad.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_typed():
    assert (PACKAGE / "py.typed").exists()
