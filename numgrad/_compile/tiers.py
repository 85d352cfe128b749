"""When to compile: nobody waits for a compiler before it pays.

There are two tiers. In tier 0 NumPy or the kernels as plain Python functions do the work, in tier 1 the compiled
kernels, with the same bits. The rule is that of ski rental: work stays in tier 0 until the time spent there, plus what
this call is expected to take, reaches the price of tier 1; then tier 1 is bought. So nothing takes more than twice as
long as the better choice would have.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import get_ident, local
from time import perf_counter
from typing import Any, TypeVar

from numgrad._compile.jit import LOAD, Draft, entry_point

Result = TypeVar("Result")
Clock = Callable[[], float]

# Seconds for the import of Numba, with all that it needs for its first code; and for the loop of `slowness`, there.
IMPORT, LOOP = 0.45, 150e-6
# Seconds for a step of a kernel as a plain function, in which it reads a few numbers and writes one.
STEP = 1e-6
# Why a call is in tier 1.
COMPILED = "its kernels are compiled"

# Seconds spent in tier 0 by all kernels: what they save together is the import.
_total = 0.0
# The tier that a thread has been told to take. No context variable: on some Pythons a new thread, one of a pool that
# stays, inherits those.
_own = local()


def wanted() -> str:
    """Return the tier that this thread has been told to take or else the environment, "0" or "1"; empty if neither."""
    given = getattr(_own, "tier", "") or os.environ.get("NUMGRAD_TIER", "")
    if given not in ("", "0", "1"):
        raise ValueError(f"NUMGRAD_TIER is {given!r}; give 0 (nothing is compiled) or 1 (all is), or unset it")
    return given


@contextmanager
def compiling() -> Iterator[None]:
    """Let this thread take tier 1, whatever it costs."""
    before, _own.tier = getattr(_own, "tier", ""), "1"
    try:
        yield
    finally:
        _own.tier = before


class Account:
    """What has been spent in tier 0 for some kernels, which are bought together.

    `rate` is a guess at the seconds that a unit of work takes in tier 0, which the first calls correct.
    """

    def __init__(
        self, drafts: tuple[Draft, ...], rate: float = STEP, *, gain: float = 1.0, besides: float = 0.0
    ) -> None:
        """`gain` is the part of the time that tier 1 saves; `besides`, the seconds for what else it compiles."""
        self.drafts, self.rate, self.gain, self.besides = drafts, rate, gain, besides
        self.spent = 0.0
        self.is_bought = False
        self.buyer: tuple[int, int] | None = None  # the process and the thread that compile

    def choose(self, work: float) -> tuple[int, str]:
        """Return the tier of a call, by its work, and why."""
        if given := wanted():
            return int(given), f"NUMGRAD_TIER is {given}"
        if self.is_bought or (not self.besides and all(draft.is_ready for draft in self.drafts)):
            return 1, COMPILED
        expected = work * self.rate
        price = self.price(at_least=True)  # to find out whether the cache has a kernel takes longer than small work
        saved = self.gain * (self.spent + expected)
        if is_worth_it := saved >= price:
            price = self.price()
            is_worth_it = saved >= price
        if is_worth_it and self._is_being_bought() and expected < price:
            return 0, "another thread compiles"
        return int(is_worth_it), (
            f"{self.spent:.2g} s spent without compiled kernels, and {expected:.2g} s to come, are "
            f"{'not less' if is_worth_it else 'less'} than the {price:.2g} s that these cost"
        )

    def run(
        self,
        work: float,
        plain: Callable[[], Result],
        compiled: Callable[[], Result],
        clock: Clock = perf_counter,
        ahead: float = 0.0,
    ) -> Result:
        """Do a call in one tier or the other. The clock stands still for what takes as long in both.

        `ahead` is work that is sure to come after this call.
        """
        global _total
        if self.choose(work + ahead)[0]:
            self.buyer = _here()
            try:
                result = compiled()
            finally:
                self.buyer = None
            self.is_bought = True
            return result
        began = clock()
        try:
            return plain()
        finally:
            took = clock() - began
            if self.spent and work:  # the first call makes what the next ones have
                self.rate = took / work
            self.spent += took
            _total += took

    def _is_being_bought(self) -> bool:
        """Whether another thread compiles; of this process: a fork may have left it behind."""
        return self.buyer is not None and self.buyer[0] == os.getpid() and self.buyer != _here()

    @property
    def limit(self) -> float:
        """The seconds in tier 0 from which on tier 1 pays; 0 if that is not to be asked."""
        return 0.0 if self.is_bought or wanted() else self.price() / self.gain

    def price(self, *, at_least: bool = False) -> float:
        """Return the seconds that it takes to have the compiled kernels; `at_least` is what it takes to load them."""
        is_imported = "numba" in sys.modules
        others = max(0.0, _total - self.spent)
        shared = 0.0 if is_imported else max(0.0, IMPORT - others)
        missing = [LOAD if at_least else draft.seconds for draft in self.drafts if not draft.is_ready]
        return (shared + self.besides + sum(missing)) * (1.0 if at_least else slowness())


@cache
def slowness() -> float:
    """Return how many times as long as where the prices were measured this machine takes, about."""
    times = []
    for _ in range(9):
        began = perf_counter()
        for _ in range(10_000):
            pass
        times.append(perf_counter() - began)
    return sorted(times)[4] / LOOP


def _here() -> tuple[int, int]:
    return os.getpid(), get_ident()


@cache
def _account(draft: Draft) -> Account:
    return Account((draft,))


def tier_of(draft: Draft, work: float) -> tuple[int, str]:
    """Return the tier that `call` takes, and why."""
    return (1, COMPILED) if draft.entry is not None else _account(draft).choose(work)


def call(draft: Draft, work: float, *arguments: Any, twin: Callable[..., Any] | None = None) -> Any:
    """Call one kernel, whose `work` is so many steps; in tier 0 its `twin`, if there is one with the same results."""
    entry = draft.entry
    if entry is not None:
        return entry(*arguments)
    return _account(draft).run(
        work,
        lambda: (twin or draft.plain)(*arguments),
        lambda: entry_point(draft.compiled, *arguments)(*arguments),
    )
