"""How many threads there are, and work shared among them.

The callers decide what is worth sharing; for arrays `run.flat.is_shared` does.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from threading import RLock, local
from typing import TYPE_CHECKING, Any, TypeVar

from numgrad._checks import integer
from numgrad._system.forks import hold_at_fork

if TYPE_CHECKING:  # 6 ms of the import of numgrad, for what small arrays never need
    from concurrent.futures import Future, ThreadPoolExecutor
    from pathlib import Path

Item = TypeVar("Item")

_chosen: int | None = None
_pool: "ThreadPoolExecutor | None" = None
_pool_size = 0
_lock = RLock()
_own = local()


def get_num_threads() -> int:
    """Return the number of threads that a large array is shared among.

    That is what `set_num_threads` was given last; else what the environment variable NUMGRAD_NUM_THREADS said when
    first needed; else the number of CPUs that this process may use, by its affinity and by the quota of its cgroup.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If NUMGRAD_NUM_THREADS is no whole number of at least 1.

    Examples
    --------
    >>> import numgrad as ng
    >>> ng.set_num_threads(2)
    >>> ng.get_num_threads()
    2
    >>> ng.set_num_threads(None)
    """
    global _chosen
    if getattr(_own, "is_one", False):
        return 1
    if _chosen is None:
        given = os.environ.get("NUMGRAD_NUM_THREADS", "")
        if given and not (given.isdecimal() and int(given) >= 1):
            raise ValueError(f"NUMGRAD_NUM_THREADS is {given!r}; set it to a whole number of at least 1, or unset it")
        _chosen = int(given) if given else usable_cpus()
    return _chosen


def set_num_threads(n: int | None) -> None:
    """Set the number of threads that a large array is shared among, for the whole process.

    The results are the same, bit for bit, for any number. Small arrays never leave the thread of the caller.

    Parameters
    ----------
    n : int or None
        At least 1. None: the default again, as `get_num_threads` describes it.

    Raises
    ------
    TypeError, ValueError
        If `n` is no integer of at least 1.

    Examples
    --------
    >>> import numgrad as ng
    >>> ng.set_num_threads(1)
    >>> ng.get_num_threads()
    1
    >>> ng.set_num_threads(None)
    """
    global _chosen
    _chosen = None if n is None else integer("n", n, 1, wanted="an integer of at least 1, or None for the default")


@contextmanager
def one_thread() -> Iterator[None]:
    """Let this thread work alone: it is one of many that another scheduler has."""
    before = getattr(_own, "is_one", False)
    _own.is_one = True
    try:
        yield
    finally:
        _own.is_one = before


@cache
def usable_cpus() -> int:
    """Return the number of CPUs that this process may use, by its affinity and by the quota of its cgroup."""
    from pathlib import Path

    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, _cgroup_quota(Path("/"))))


def _cgroup_quota(root: "Path") -> int:
    """CPUs by the quota of this process' control groups, of version 1 or 2, and of those above them."""
    quota = float(os.cpu_count() or 1)
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return int(quota)
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("" if not controllers else "cpu")
        # A container sees its own group as the root of the mount, under a path that may not exist there.
        group = mount / path.lstrip("/")
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):
                if controllers:
                    limit = (folder / "cpu.cfs_quota_us").read_text(), (folder / "cpu.cfs_period_us").read_text()
                else:
                    limit = tuple((folder / "cpu.max").read_text().split())  # type: ignore[assignment]
                if limit[0] != "max" and int(limit[0]) > 0:
                    quota = min(quota, int(limit[0]) / int(limit[1]))
            if folder == mount:
                break
    return max(1, round(quota))


def share(work: Callable[[Iterator[Item]], Any], items: Iterable[Item], threads: int) -> list[Any]:
    """Call ``work(items)`` in this thread and in up to ``threads - 1`` others, each item for one of them.

    Return what the calls returned. Where no other thread can be had, or none is free before the items are used up, this
    one does it all; so calls from many threads at once, from a thread of the pool, and while the interpreter shuts
    down, all come to an end. No thread is still at work when this returns or raises.
    """
    if threads == 1:
        return [work(iter(items))]
    queue = deque(items)

    def take() -> Iterator[Item]:
        with suppress(IndexError):
            while True:
                yield queue.popleft()

    helpers: list[Future[Any]] = []
    try:
        _start(lambda: work(take()), min(threads, len(queue)) - 1, helpers)
        results = [work(take())]
        results += [h.result() for h in helpers if not h.cancel()]
    except BaseException:  # a KeyboardInterrupt in most cases
        from concurrent.futures import wait

        queue.clear()
        _close()
        wait([h for h in helpers if not h.cancel()])
        raise
    return results


def _start(job: Callable[[], Any], count: int, helpers: "list[Future[Any]]") -> None:
    """Submit a job so many times, each of which is added to the helpers."""
    global _pool, _pool_size
    try:
        with _lock:
            from concurrent.futures import ThreadPoolExecutor

            if count > _pool_size:
                _close()
                _pool, _pool_size = ThreadPoolExecutor(count, thread_name_prefix="numgrad"), count
            pool = _pool
        # Not under the lock: submit takes another one, which a fork takes before this one, so both would wait for ever.
        for _ in range(count):
            assert pool is not None
            helpers.append(pool.submit(job))
    except RuntimeError:  # another thread has made a larger pool, the interpreter shuts down, there are no more threads
        pass


def _close() -> None:
    """Let the threads of the pool end when their work is done.

    The pool does not know a thread yet that had just been started when Ctrl-C came. The end of the interpreter, which
    wakes the threads that pools know, would wait for this one for ever.
    """
    pool = _pool
    _forget()
    if pool is not None:
        pool.shutdown(wait=False)


def _forget() -> None:
    """Have no pool; a forked child has none, for the threads have stayed in the parent."""
    global _pool, _pool_size
    _pool, _pool_size = None, 0


# Nobody forks while another thread imports or starts the pool: a child would wait for the locks of that for ever.
hold_at_fork(_lock)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
