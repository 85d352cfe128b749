"""Where Numba keeps compiled kernels, and which of numgrad's are there; without an import of Numba."""

import os
import sys
from typing import Any, NamedTuple


def folders(source: str) -> list[str]:
    """Return the folders in which Numba may keep what it compiles of a file; it takes the first that it can write to.

    NUMBA_CACHE_DIR, if it is set, is taken for the only one.
    """
    from hashlib import sha1

    folder = os.path.dirname(os.path.abspath(source))
    name = f"{os.path.basename(folder)}_{sha1(folder.encode()).hexdigest()}"
    own = os.environ.get("NUMBA_CACHE_DIR")
    if own:
        return [os.path.join(own, name)]
    return [os.path.join(folder, "__pycache__"), os.path.join(_of_the_user(), name)]


def _of_the_user() -> str:
    """Return the folder that Numba has for all that a user compiles."""
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA", os.path.expanduser("~")), "numba", "Cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/numba")
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "numba")


class Place(NamedTuple):
    """A folder for kernels: its path, whether it can be written, how many kernels it has, and their size."""

    path: str
    is_writable: bool
    kernels: int
    megabytes: float


def places() -> list[Place]:
    """Return the places for the kernels of this numgrad, in the order in which Numba tries them."""
    from glob import escape, glob

    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parts = [package, *(os.path.join(above, one) for above, below, _ in os.walk(package) for one in below)]
    parts = [part for part in parts if os.path.basename(part) != "__pycache__"]
    of_each = zip(*(folders(os.path.join(part, "__init__.py")) for part in parts), strict=True)
    found = []
    for own in of_each:
        path = package if os.path.basename(own[0]) == "__pycache__" else os.path.dirname(own[0])
        kernels = [file for folder in own for file in glob(os.path.join(escape(folder), "*.nb[ci]"))]
        size = sum(map(_size, kernels)) / 1e6
        found.append(Place(path, _is_writable(path), sum(file.endswith(".nbi") for file in kernels), size))
    return found


def _size(file: str) -> int:
    try:
        return os.path.getsize(file)
    except OSError:  # another process has replaced it
        return 0


def _is_writable(path: str) -> bool:
    """Whether a folder can be written, or made."""
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def cpu() -> dict[str, Any]:
    """Return the name of the CPU and its features, as Numba compiles for them, and keeps kernels by."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return {
        "name": os.environ.get("NUMBA_CPU_NAME") or binding.get_host_cpu_name(),
        "features": os.environ.get("NUMBA_CPU_FEATURES") or " ".join(sorted(k for k, on in features.items() if on)),
    }
