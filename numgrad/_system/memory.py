"""Arrays in memory-mapped files: their memory is given back on the way, and two mappings of a file are one array."""

import mmap
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np

from numgrad._system.threads import get_num_threads, share

# Bytes of mapped files that a sweep may hold in memory. To read again what was given back costs little: it is in the
# system's cache.
HELD = 256 << 20
# After so many elements a sweep looks how much it holds, and another thread may take the next ones.
EVERY = 1 << 20
# Bytes of the blocks that glibc takes from the heap or from the system, as it learns from those that were freed.
HEAP = 128 << 10, 32 << 20
# Bytes of a large page, where the system has them.
LARGE = 1 << 21
_COUNTS = "/proc/self/statm"


class Pages:
    """The pages of mapped files that a sweep has touched, given back to the system when they are many.

    Results that were written stay: the system has them, and writes them to the file. Only a private mapping, which
    never writes, would lose them, and is left alone.
    """

    def __init__(self, files: list[mmap.mmap]) -> None:
        self.files = files
        self.give_back()  # what an earlier sweep has left
        self._limit = _held() + HELD
        self._touched = 0

    def touch(self, count: int) -> None:
        """Say that so many elements more have been done."""
        self._touched += count
        if self._touched < EVERY:
            return
        self._touched = 0
        if _held() > self._limit:
            self.give_back()

    def give_back(self) -> None:
        for file in self.files:
            with suppress(OSError, ValueError):  # locked in memory, or closed
                file.madvise(mmap.MADV_DONTNEED)


def pages_of(given: Iterable[Any]) -> Pages | None:
    """Return the pages of those arrays that lie in shared mappings; None if they are few, or none can be given."""
    arrays = [a for a in given if isinstance(a, np.ndarray)]
    roots = [root for a in arrays if (root := _root(a)) is not None and root.mode != "c"]
    files = {id(root.base): root.base for root in roots}
    if sum(map(len, files.values())) <= HELD or not hasattr(mmap, "MADV_DONTNEED") or not os.path.exists(_COUNTS):
        return None
    return Pages(list(files.values()))


def may_share(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays may share memory, or bytes of a file."""
    return np.may_share_memory(a, b) or share_file(a, b)


def share_file(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays lie in two mappings of one file, and there in ranges that overlap."""
    if a.base is None or b.base is None:
        return False
    one, other = _root(a), _root(b)
    if one is None or other is None or one.base is other.base or one.mode == other.mode == "c":
        return False
    if _file_of(one) != _file_of(other):
        return False
    (low, high), (start, stop) = _bytes_in_file(a, one), _bytes_in_file(b, other)
    return low < stop and start < high


def copy(source: np.ndarray, target: np.ndarray) -> None:
    """Copy an array into another that lies apart: large ones in parts, shared by threads; mapped ones part by part."""
    pages = pages_of([source, target])
    if not source.ndim or (pages is None and source.size <= EVERY):
        target[...] = source
        return

    def work(parts: Iterator[slice]) -> None:
        for part in parts:
            target[part] = source[part]
            if pages is not None:
                pages.touch(source[part].size)

    share(work, parts_of(source.shape, EVERY), get_num_threads() if pages is None else 1)


def parts_of(shape: tuple[int, ...], size: int) -> list[slice]:
    """Return slices of the first dimension, of so many elements or of one row."""
    rows = max(1, size // max(1, prod(shape[1:])))
    return [slice(i, i + rows) for i in range(0, shape[0], rows)]


def _root(array: np.ndarray) -> Any:
    """Return the memmap that an array is a view of, or None."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    return base if isinstance(base, np.memmap) and isinstance(base.base, mmap.mmap) else None


def _file_of(root: Any) -> Any:
    """The device and the inode of a mapped file. Its name may be missing, one of several, or another file's by now."""
    address = root.__array_interface__["data"][0]
    try:
        with open("/proc/self/maps") as file:
            for line in file:
                span, _, _, *device_and_inode = line.split()[:5]
                low, high = (int(end, 16) for end in span.split("-"))
                if low <= address < high:
                    return device_and_inode
    except OSError:
        pass
    return root.filename  # elsewhere than on Linux


def _bytes_in_file(array: np.ndarray, root: Any) -> tuple[int, int]:
    low, high = np.lib.array_utils.byte_bounds(array)
    shift = root.offset - np.lib.array_utils.byte_bounds(root)[0]
    return low + shift, high + shift


def _held() -> int:
    """Bytes of files that this process has in memory."""
    with open(_COUNTS, "rb") as file:
        return int(file.read().split()[2]) * mmap.PAGESIZE


def new_arrays(count: int, nbytes: int, make: Callable[[], np.ndarray]) -> list[np.ndarray]:
    """Return so many new arrays, each of so many bytes, which will be freed together in most cases."""
    if count > 1:
        keep(count * nbytes)
    return [make() for _ in range(count)]


def keep(nbytes: int) -> None:
    """Let the heap keep so many bytes that are freed at about the same time.

    glibc gives back what is free at the end of the heap once that is twice the largest block that it ever got from the
    system; then all pages of the next call are faults, of some microseconds each. So a block as large as all, never
    touched, comes and goes before.
    """
    if HEAP[0] <= nbytes <= HEAP[1]:
        np.empty(nbytes, np.uint8)


def in_large_pages(shape: tuple[int, ...], dtype: "np.dtype[Any]") -> np.ndarray:
    """Return a new array of some megabytes that begins a large page, so that few small ones are faulted in.

    NumPy asks for large pages, but its memory begins anywhere: some 500 small ones are left at the two ends of each
    array, and take as long as 10 MB in large ones. It does not own its memory, which is no matter inside of dask.
    """
    nbytes = prod(shape) * dtype.itemsize
    memory = np.empty(nbytes + (LARGE if nbytes < 16 * LARGE else 2 * LARGE), np.uint8)  # a whole one at the end, too
    skip = -memory.ctypes.data % LARGE
    if skip > LARGE - mmap.PAGESIZE:  # it does begin a large page, behind what malloc needs
        skip = -memory.ctypes.data % 64
    return memory[skip : skip + nbytes].view(dtype).reshape(shape)


def shares_memory(result: np.ndarray, inputs: tuple[Any, ...]) -> bool:
    for given in inputs:  # a generator would take as long again
        if type(given) is np.ndarray and (np.may_share_memory(result, given) or share_file(result, given)):
            return True
    return False


def store(computed: list[np.ndarray], results: list[np.ndarray]) -> bool:
    """Copy each array that was computed in memory of its own into the result it stands for; always return True."""
    for c, r in zip(computed, results, strict=True):
        if c is not r:
            copy(c, r)
    return True


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written, so that one kernel serves writeable and read-only data."""
    view = array.view()
    view.flags.writeable = False
    return view
