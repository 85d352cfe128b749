"""Arrays for the results, and flat memory for the kernels."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from numgrad._arrays.plan.spacing import is_ready
from numgrad._arrays.plan.types import Order, Request, is_compact
from numgrad._arrays.run.flat import account_of, fill, fill_plainly, is_streaming, steps_of
from numgrad._compile.tiers import Account
from numgrad._system.memory import new_arrays, shares_memory, store
from numgrad._system.out import targets

# Bytes, in all, up to which arrays that are not compact are copied: that takes less time than to find their rows.
COPIED = 1 << 19


def arrange(request: Request, out: Any) -> tuple[list[np.ndarray], tuple[Any, ...]]:
    """Return the arrays for the results, and what they must not share memory with, or NumPy would get other values."""
    plan = request.plan
    if out is None:
        nbytes = request.f.size * plan.dtype.itemsize
        return new_arrays(len(plan.axes), nbytes, partial(np.empty_like, request.like, plan.dtype)), ()
    results = targets(out, len(plan.axes), request.f.shape, plan.dtype, np.ndarray)
    return results, (request.f, *request.others, *request.spacings)


def is_flat(request: Request, results: list[np.ndarray], inputs: tuple[Any, ...]) -> bool:
    """Whether kernels run over flat memory: that of the arrays, or that of copies of small ones."""
    if _is_small(request, sum([r.nbytes for r in results])):
        return True
    return _is_read_flat(request) and all(_is_usable(r, request.order, inputs) for r in results)


def is_flat_by_default(request: Request, nbytes: int) -> bool:
    """The same before there are results, of so many bytes."""
    return _is_small(request, nbytes) or _is_read_flat(request)


def _is_small(request: Request, nbytes: int) -> bool:
    return bool(request.f.nbytes + nbytes <= COPIED)


def _is_read_flat(request: Request) -> bool:
    return is_compact(request.f, request.order) and all(is_ready(x) for x in request.spacings if type(x) is np.ndarray)


def fill_by_stencils(request: Request, results: list[np.ndarray], inputs: tuple[Any, ...]) -> None:
    """Fill the results by the kernels of stencils, compiled or plain."""
    fill_by = partial(fill_flat, request, results, inputs)
    if request.plan.calls:
        fill_by()
        return
    account, work = account_and_work(request, sum(r.nbytes for r in results))
    account.run(work, partial(fill_by, fill_plainly), fill_by)


def account_and_work(request: Request, nbytes: int) -> tuple[Account, int]:
    """Return the account that decides on the tier of a call with results of so many bytes, and how much work it is."""
    return account_of(request.plan, is_streaming(nbytes)), steps_of(request.plan, request.f.size)


def fill_flat(
    request: Request, results: list[np.ndarray], inputs: tuple[Any, ...], fill: Callable[..., bool] = fill
) -> bool:
    """Fill the results by kernels on flat memory; what is not, or would be overwritten, goes through a copy."""
    order = request.order
    sources = [compact(f, order) for f in (request.f, *request.others)]
    results = [np.asarray(r) for r in results]
    working = [r if _is_usable(r, order, inputs) else np.empty_like(sources[0], r.dtype) for r in results]
    flat = [flat_view(f, order) for f in sources], [flat_view(w, order) for w in working]
    done = fill(*flat, request.plan, request.spacings)
    return done and store(working, results)


def compact(f: np.ndarray, order: Order) -> np.ndarray:
    """The array, or a copy, so that its elements lie side by side in this order."""
    if is_compact(f, order):
        return f
    if order is None:
        return f.copy(order="C")
    return f.transpose(order).copy(order="C").transpose(np.argsort(order))


def _is_usable(result: np.ndarray, order: Order, inputs: tuple[Any, ...]) -> bool:
    """Whether a kernel of flat memory may write this result where it lies."""
    return is_compact(result, order) and not shares_memory(result, inputs)


def flat_view(array: np.ndarray, order: Order) -> np.ndarray:
    """The elements of a compact array in the order of memory, as a view."""
    if array.ndim == 1:
        return array
    return (array if order is None else array.transpose(order)).reshape(-1)
