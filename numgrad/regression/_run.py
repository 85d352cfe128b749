"""A descent under way."""

from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Any

import numpy as np

from numgrad.regression import _words
from numgrad.regression._check import Floats
from numgrad.regression._engine import Engine, Record
from numgrad.regression._fused import Fused, FusedEntries
from numgrad.regression._kernels.iteration import BARZILAI_BORWEIN
from numgrad.regression._modes import Modes
from numgrad.regression._plan import Plan
from numgrad.regression._quadratic import EPS, is_beyond
from numgrad.regression._result import Descent, End

# Seconds in a kernel between two looks at pending signals.
PATIENCE = 0.05
# Products in the first call of a kernel, whose speed is not known yet.
FIRST_BUDGET = 2**20
# Chances for a callback in a run, at least.
CHUNKS = 100


class Run:
    """An engine, driven to the end of a plan; `result` is what it has found so far."""

    def __init__(self, plan: Plan, record: Record) -> None:
        self.plan, self.record = plan, record
        self.engine: Engine
        problem = plan.problem
        if plan.method == "modes":
            self.engine = Modes(problem.compress(), plan.start, plan.rule, record, problem.scale, plan.n_iter)
        else:
            l2 = problem.scale.curvature(problem.model.l2)
            engine = Fused if problem.entries is None else FusedEntries
            self.engine = engine(problem.inner, plan.start, plan.rule, record, l2, plan.n_iter)

    def go(self, callback: Callable[[Descent], Any] | None, has_bar: bool) -> Descent:
        """Run to the end, and let go of the data if they are not needed any more."""
        bar = _progress_bar(self.plan.n_iter) if has_bar else None
        try:
            return self.result(*self._end(self._iterate(callback, bar)))
        except BaseException as error:  # a KeyboardInterrupt in most cases; or the callback's
            with suppress(AttributeError):
                error.descent = self.result(  # type: ignore[attr-defined]
                    End.INTERRUPTED, f"interrupted after {self.engine.done} of {self.plan.n_iter} iterations"
                )
            raise
        finally:
            self.plan.problem.finish()
            if bar is not None:
                bar.close()

    def _iterate(self, callback: Callable[[Descent], Any] | None, bar: Any) -> bool:
        """Run to the end; return whether the callback has stopped the run."""
        engine, total = self.engine, self.plan.n_iter
        step = 1 + FIRST_BUDGET // engine.work
        most = max(1, total // CHUNKS) if callback is not None or bar is not None else total
        while engine.done < total and engine.goes_on:
            before, start = engine.done, perf_counter()
            step = min(step, most)
            engine.run(min(total, before + step))
            done = engine.done
            step = max(1, min(2**40, int((done - before) * min(8.0, PATIENCE / (perf_counter() - start + 1e-9)))))
            if bar is not None:
                bar.update(done - before)
            if callback is not None and callback(self.result(End.RUNNING, f"running, {done} of {total} iterations")):
                return done < total and engine.goes_on
        return False

    def _end(self, is_stopped: bool) -> tuple[End, str, str]:
        """Return why the run has ended, also in words, and what is to be doubted of it."""
        engine, (problem, _, rule, _, total) = self.engine, self.plan
        if engine.is_diverged:
            return End.DIVERGED, _words.diagnosis(problem, rule, engine), ""
        if engine.is_converged:
            doubt = _words.doubt(problem, rule.tol)
            reason = f"the gradient is below tol={rule.tol:g} of what it was at the start" + (doubt and f". {doubt}")
            return End.CONVERGED, f"converged in iteration {engine.done}: {reason}", doubt
        if is_stopped:
            return End.STOPPED, f"stopped by the callback after {engine.done} of {total} iterations", ""
        return End.COMPLETED, f"completed {total} iterations", ""

    def result(self, end: End, reason: str, doubt: str = "") -> Descent:
        """Return what has been found so far."""
        engine, (problem, start, rule, method, _) = self.engine, self.plan
        is_end = end not in (End.RUNNING, End.INTERRUPTED)
        last, best, path = self._thetas(is_end)
        iterations, has_record = engine.kept, len(self.record.at) > 0
        costs = problem.scale.cost(self.record.costs[:, : len(iterations)])
        costs = costs if is_end and len(iterations) == len(self.record.at) else costs.copy()
        return Descent(
            theta=last,
            cost=costs[0] if has_record else None,
            iterations=iterations if has_record else None,
            n_iter=engine.done,
            end=end,
            stop_reason=reason,
            doubt=doubt,
            method=method,
            learning_rate=problem.scale.rate(engine.rate) if rule.given is None else rule.given,
            momentum=rule.momentum,
            theta_path=path,
            best_theta=best,
            names=problem.names,
            _problem=problem,
            _rule=rule,
            _start=start,
            _rates=engine.rates[: engine.done].copy(),
            _excess=costs[1] if has_record and method == "modes" else None,
        )

    def _thetas(self, is_end: bool) -> tuple[Floats, Floats, Floats | None]:
        """Return theta as it is, the best one, and the path, as the caller has features and targets."""
        engine, rule, dtype = self.engine, self.plan.rule, self.plan.problem.dtype
        is_last_best = not rule.keeps_best or not engine.done
        if is_end and not is_last_best and not engine.is_diverged:
            is_last_best = engine.settle() < engine.least_excess
        with np.errstate(over="ignore", invalid="ignore"):  # theta of a run that diverged
            last = engine.theta()
            best = last if is_last_best else engine.best()
            last = best if rule.kind == BARZILAI_BORWEIN else last
            outer, best_outer = (self.plan.problem.leave(t).astype(dtype, copy=False) for t in (last, best))
            return outer, best_outer, self.plan.problem.leave(engine.path()) if self.record.has_path else None

    def beyond_range(self, found: Descent) -> str:
        """Name the parts of the result that are 0 or infinity, or have fewer digits, for want of range."""
        engine, problem = self.engine, self.plan.problem
        is_ordinary = not any(problem.scale) and problem.dtype != np.float32 and not problem.model.standardize
        if engine.is_diverged or is_ordinary:
            return ""
        sizes, dtype = problem.coordinates.sizes, found.theta.dtype
        inner = sizes(engine.theta()).T.reshape(found.theta.shape)
        lost = ["theta"] * is_beyond(inner, found.theta, dtype, float(np.finfo(dtype).eps) * problem.unit)
        if found.theta_path is not None:
            inner = sizes(engine.path()).swapaxes(-1, -2).reshape(found.theta_path.shape)
            lost += ["theta_path"] * is_beyond(inner, found.theta_path, np.float64, EPS * problem.unit)
        if found.cost is not None:
            lost += ["cost"] * is_beyond(self.record.costs[0, : len(found.cost)], found.cost, np.float64, EPS**2)
        lost += ["learning_rate"] * is_beyond(engine.rate, problem.scale.rate(engine.rate), np.float64)
        return _words.beyond_range(lost, dtype)


def _progress_bar(total: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("`progress` is True, which needs tqdm: pip install 'numgrad[progress]'") from None
    return tqdm(total=total, desc="gradient_descent", unit="iteration")
