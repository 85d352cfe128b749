"""Numba's cache, of which no file that has come to harm stops a call.

Each file ends with a hash of its name and of what is before it. Unpickling passes over that, so that these are files
like any other of Numba's; but what has been cut off, overwritten or put in the place of another is never unpickled.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

HASH = 16  # bytes

# Functions whose files the user has been told of.
_told: set[str] = set()


class Damaged(Exception):  # noqa: N818  # nobody sees it
    """A file of the cache that cannot be used: its path, and why."""


class Files(IndexDataCacheFile):
    """The index of a function, and the data of its specialisations, checked before they are unpickled."""

    def save(self, key: Any, data: Any) -> None:
        try:
            super().save(key, data)
        except Damaged:
            self.flush()
            super().save(key, data)

    def _load_index(self) -> Any:
        _check(self._index_path)
        return super()._load_index()

    def _load_data(self, name: str) -> Any:
        _check(self._data_path(name))
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[BytesIO]:
        with super()._open_for_write(filepath) as file:
            content = BytesIO()
            yield content
            file.write(content.getvalue() + _hash(filepath, content.getvalue()))


class Cache(FunctionCache):
    """The cache of a function. Code that cannot be loaded is compiled; code that cannot be saved stays in memory.

    What has been saved under another `stamp` is replaced: by default that is the time and the size of the source.
    """

    def __init__(self, function: Any, stamp: str | None = None) -> None:
        super().__init__(function)
        impl = self._impl
        self._cache_file = Files(self._cache_path, impl.filename_base, stamp or impl.locator.get_source_stamp())

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Damaged as damage:
            file, why = damage.args
        except Exception as error:  # of unpickling or linking, which may raise any
            file, why = f"what belongs to {self._cache_file._index_path}", repr(error)
        self._tell(f"{file} cannot be used ({why}); the kernel is compiled anew")
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if data.library.has_dynamic_globals:
            return  # addresses of this process; Numba would warn of it
        try:
            super().save_overload(sig, data)
        except (OSError, Damaged) as error:
            index = self._cache_file._index_path
            self._tell(f"{index} cannot be written ({error!r}); the kernel is compiled in each process")

    def _tell(self, what: str) -> None:
        index = self._cache_file._index_path
        if index not in _told:
            _told.add(index)
            warnings.warn(f"numgrad's cache: {what}", RuntimeWarning, stacklevel=2)


def _hash(path: str, content: bytes) -> bytes:
    return blake2b(os.path.basename(path).encode() + b"\0" + content, digest_size=HASH).digest()


def _check(path: str) -> None:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError) or (os.name == "nt" and isinstance(error, PermissionError)):
            return  # not kept yet, or being replaced: Numba will find the same, and knows what to do
        raise Damaged(path, error.strerror) from error
    if data[-HASH:] != _hash(path, data[:-HASH]):
        raise Damaged(path, f"its {len(data)} bytes are not those that were written")
