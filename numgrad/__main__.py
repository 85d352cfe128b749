"""``python -m numgrad``: compile kernels before they are needed, and say what a bug report should."""

import argparse
import json
import os
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module, metadata
from time import perf_counter
from typing import Any

import numpy as np

from numgrad._compile.kept import Place, cpu, places
from numgrad._compile.tiers import wanted
from numgrad._system.threads import get_num_threads

# What numgrad works on, or with; by the names that they are installed by.
PACKAGES = (
    "numpy", "numba", "llvmlite", "icc_rt", "matplotlib", "scikit-learn", "tqdm", "sympy", "dask", "distributed",
    "xarray", "pandas", "scipy",
)  # fmt: skip
MEND = "set NUMBA_CACHE_DIR to a folder that can be, here and where numgrad runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    try:
        wanted()
        get_num_threads()
    except ValueError as error:  # of environment variables
        parser.error(str(error))
    return _info(given.json) if given.command == "info" else _warm_up(parser, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m numgrad", description="Commands beside the functions of numgrad.")
    parser.add_argument("--version", action="version", version=f"numgrad {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    warm_up = commands.add_parser(
        "warm-up",
        help="compile kernels into the cache, for containers and CI",
        description="Compile kernels into Numba's cache, so that no later process has to.",
    )
    warm_up.add_argument(
        "functions", nargs="*", metavar="FUNCTION", help="such as gradient or functions.derivative; by default all"
    )
    warm_up.add_argument(
        "--all", action="store_true", help="not only the usual kernels, and for all dtypes: takes many minutes"
    )
    warm_up.add_argument(
        "--dtype", action="append", help="of the samples; may be given several times; float64, or with --all each"
    )
    info = commands.add_parser(
        "info", help="print what a bug report needs", description="Print versions, caches, threads and the CPU."
    )
    info.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _warm_up(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    if reason := _why_nothing_is_kept():
        print(f"numgrad warm-up: {reason}", file=sys.stderr)
        return 1
    from numgrad._warm_up import groups_of, run  # imports all of numgrad

    dtypes = given.dtype or (None if given.all else ("float64",))
    try:
        groups = list(groups_of(given.functions, dtypes, "all" if given.all else "usual"))
    except ValueError as error:
        parser.error(str(error))
    began = perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run(groups, progress=True)
        except KeyboardInterrupt:
            print("numgrad warm-up: interrupted; what is compiled is kept", file=sys.stderr)
            return 130
    for message in (told := [str(one.message) for one in caught]):
        print(f"numgrad warm-up: {message}", file=sys.stderr)
    if any("cannot be written" in message for message in told):
        print(f"numgrad warm-up: not all is kept; make room, or {MEND}", file=sys.stderr)
        return 1
    place = next(place for place in places() if place.is_writable)
    print(f"{len(groups)} groups of kernels in {perf_counter() - began:.1f} s; {_words(place)}")
    return 0


def _why_nothing_is_kept() -> str:
    if os.environ.get("NUMGRAD_CACHE") == "0":
        return "NUMGRAD_CACHE is 0, by which no kernel is kept; unset it"
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return "NUMBA_DISABLE_JIT is set, by which nothing is compiled; unset it"
    found = places()
    if any(place.is_writable for place in found):
        return ""
    return f"{' and '.join(place.path for place in found)} cannot be written; {MEND}"


def _info(as_json: bool) -> int:
    found = _found()
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    caches = [_words(Place(**one)) for one in found["caches"]]
    lines = {
        "numgrad": f"{found['numgrad']}, {found['folder']}",
        "Python": f"{found['python']}, {found['platform']}",
        "packages": ", ".join(f"{name} {version}" for name, version in found["packages"].items()),
        **{f"cache {i}" if len(caches) > 1 else "cache": words for i, words in enumerate(caches, 1)},
        "threads": found["threads"],
        "CPU": f"{found['cpu']['name']}: {found['cpu']['features']}",
        "NumPy": ", ".join(f"{kind} {' '.join(names)}" for kind, names in found["numpy_simd"].items()),
        "variables": ", ".join(f"{name}={value}" for name, value in found["environment"].items()) or "none",
    }
    for name, words in lines.items():
        print(f"{name + ':':<10} {words}")
    return 0


def _found() -> dict[str, Any]:
    """Return what there is to know of numgrad here; Numba is not imported for it."""
    simd: Any = np.show_config(mode="dicts")
    return {
        "numgrad": _version(),
        "folder": os.path.dirname(os.path.abspath(__file__)),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "packages": dict(_installed()),
        "caches": [place._asdict() for place in places()],
        "threads": get_num_threads(),
        "cpu": cpu(),
        "numpy_simd": {kind: simd.get("SIMD Extensions", {}).get(kind, []) for kind in ("baseline", "found")},
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith(("NUMGRAD_", "NUMBA_"))},
    }


def _installed() -> Iterator[tuple[str, str]]:
    """Yield the versions of packages, without importing any."""
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _words(place: Place) -> str:
    how = "" if place.is_writable else ", which cannot be written"
    return f"{place.kernels} kernels, {place.megabytes:.1f} MB, in {place.path}{how}"


def _version() -> str:
    return str(import_module(__package__).__version__)


if __name__ == "__main__":
    sys.exit(main())
