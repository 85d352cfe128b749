"""Promises about the package as a whole: imports, public names, documentation."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from helpers import run_blocks

import numgrad

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "numgrad"
README = (ROOT / "README.md").read_text()

# From the roof to the ground. A module imports from its own folder and from those below it, never from one above.
FLOORS = [
    "numgrad",
    "numgrad.plotting",
    "numgrad.sklearn",
    "numgrad.pandas",
    "numgrad.polars",
    "numgrad.xarray",
    "numgrad.interop.dataframes",
    "numgrad.interop.xarray",
    "numgrad.interop.dask",
    "numgrad.interop",
    "numgrad.interop.numba",
    "numgrad.regression",
    "numgrad.regression._kernels",
    "numgrad.smoothing",
    "numgrad.smoothing._kernels",
    "numgrad.symbolic",
    "numgrad.functions",
    "numgrad.functions._exact",
    "numgrad.functions._kernels",
    "numgrad.sphere",
    "numgrad._arrays",
    "numgrad._arrays.run",
    "numgrad._arrays.plan",
    "numgrad._arrays.kernels",
    "numgrad._compile",
    "numgrad._system",
    "numgrad._checks",
]
KNOW_NUMBA = (
    "numgrad._compile",
    "numgrad.interop.numba",
    "numgrad.symbolic._lower",
    "numgrad.functions._exact",
)


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def floor(module):
    """The number of the folder that a module is in, or is."""
    folder = module if module in FLOORS else module.rpartition(".")[0]
    assert folder in FLOORS, f"{module} is in a folder that FLOORS does not name"
    return FLOORS.index(folder)


def imports(path):
    """The modules that a file names: in statements, and in strings such as those that `import_module` gets."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module
        elif isinstance(node, ast.Constant) and re.fullmatch(r"numgrad\.[\w.]*", str(node.value)):
            yield node.value.rstrip(".")


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    for name in imports(MODULES[module]):
        if name.partition(".")[0] == "numgrad" and name != module:
            assert floor(name) >= floor(module), f"{module} imports {name}"
            assert name != "numgrad", f"{module} imports the roof"
        if name.startswith(("numba", "llvmlite")):
            assert module.startswith(KNOW_NUMBA)


def test_no_imports_go_round_in_a_circle():
    below = {module: set(imports(path)) & MODULES.keys() - {module} for module, path in MODULES.items()}
    while free := [module for module, names in below.items() if not names & below.keys()]:
        for module in free:
            del below[module]
    assert not below


def test_what_prints_itself_has_a_table_for_notebooks():
    for module, path in MODULES.items():
        for code in re.split(r"^class ", path.read_text(), flags=re.MULTILINE)[1:]:
            has_own = re.search("def _repr_(html|latex)_", code)
            assert "def __repr__" not in code or has_own, f"{code.partition(':')[0]} in {module}"


def test_files_are_short():
    assert {m: n for m, path in MODULES.items() if (n := path.read_text().count("\n")) > 500} == {}
    assert len({module.split(".")[1] for module in MODULES if "." in module}) <= 17


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
    assert {"functions", "pandas", "plotting", "polars", "sklearn", "sphere", "symbolic", "xarray"} <= set(dir(numgrad))
    assert numgrad.functions.__name__ == "numgrad.functions"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        numgrad.nonsense


PUBLIC = [
    *((numgrad, name) for name in numgrad.__all__),
    *((numgrad.functions, name) for name in numgrad.functions.__all__),
    *((numgrad.sphere, name) for name in numgrad.sphere.__all__),
    *((numgrad.symbolic, name) for name in numgrad.symbolic.__all__),
]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_public_names_are_documented(module, name):
    thing = getattr(module, name)
    doc = inspect.getdoc(thing)
    sections = (
        ["Attributes"]
        if inspect.isclass(thing)
        else ["Parameters", "Examples"] + ["Returns"] * (name not in ("set_num_threads", "warm_up", "rule"))
    )
    if name in ("explain", "get_num_threads"):
        sections.remove("Parameters")  # those of gradient, or none
    for section in sections:
        assert re.search(rf"^{section}\n-+$", doc, re.MULTILINE), section
    if "Parameters" in sections:
        documented = re.findall(r"^(\*?\w+) : ", doc, re.MULTILINE)
        for parameter in inspect.signature(thing).parameters.values():
            assert ("*" if parameter.kind is parameter.VAR_POSITIONAL else "") + parameter.name in documented


def test_readme_python_blocks_run(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    assert run_blocks(blocks, "README.md") >= 5


def test_the_readme_is_a_screen_or_three():
    assert README.count("\n") <= 150


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


def test_the_version_is_in_the_changelog_and_the_citation():
    assert f"## {numgrad.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"\nversion: {numgrad.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_typed():
    assert (PACKAGE / "py.typed").exists()
