"""This tree beside another commit, turn by turn: `python -m benchmarks.compare REV`; it fails if something is slower.

Each tree has a process that lives as long as the comparison, its own kernels, and its own cache of them. For each case
the two take turns, in an order drawn anew each time, so that a machine that slows down slows both, and a turn counts by
its fastest part, as other work can only add to the time. The verdict is of the ratios of the turns. Memory and code of
a process may lie well or badly, so what is not the same is measured again by fresh processes, and two of at most three
measurements decide.
"""

import argparse
import io
import json
import math
import os
import random
import re
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import timeit
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

from benchmarks.measure import ROOT, table, unit

WORK = "from benchmarks.compare import work; work()"
LEAST_ROUNDS = 8  # with fewer turns no interval holds the median with 99 %
BATCH, TURN = 1e-4, 0.02  # seconds that are timed at once, and in a turn
# Seconds of a call that has no use for threads. Both trees make it on the same processor, another one each turn: where
# one shares its core with other work, it was 1.5 times as slow, in all turns of the tree that happened to be there.
SHORT = 2e-4


class Verdict(NamedTuple):
    """How many times as fast the second is as the first: the median, an interval that holds it with 99 %, a word."""

    ratio: float
    low: float
    high: float
    word: str


class Failed(Exception):  # noqa: N818  # it is an answer
    """What a tree said of a case that it cannot do."""


def judge(before: list[float], after: list[float], tolerance: float) -> Verdict:
    """Compare the times of paired turns.

    The interval is that of the sign test, by order statistics: it holds whatever the noise looks like, if turns are
    independent. Two trees differ if it leaves out 1, and its middle is off by more than the tolerance.
    """
    logs = sorted(math.log(b / a) for b, a in zip(before, after, strict=True))
    n = len(logs)
    cut = max(k for k in range(-1, n // 2) if 2 * sum(math.comb(n, j) for j in range(k + 1)) <= 0.01 * 2**n)
    if cut < 0:
        raise ValueError(f"{n} turns do not make a verdict; take at least {LEAST_ROUNDS}")
    low, middle, high = logs[cut], statistics.median(logs), logs[n - 1 - cut]
    if abs(middle) <= math.log1p(tolerance):
        word = "same"
    elif low <= 0 <= high:
        word = "unclear"
    else:
        word = "faster" if middle > 0 else "slower"
    return Verdict(math.exp(middle), math.exp(low), math.exp(high), word)


def settled(words: list[str]) -> str | None:
    """Return the verdict of some measurements in a row; None if another one is needed."""
    votes = [word for word in words if word != "unclear"]
    if votes == ["same"] or len(votes) > len(set(votes)):
        return votes[-1]
    return "unclear" if len(words) == 3 else None


@contextmanager
def on_processor(number: int | None) -> Iterator[None]:
    if number is None:
        yield
        return
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def work() -> None:
    """Answer requests, a line of JSON each, in a process whose numgrad is that of its working directory."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    import numgrad
    from benchmarks.cases import CASES

    getattr(numgrad, "get_num_threads", int)()  # counts processors once, while it has them all
    calls: dict[str, Any] = {}

    def make(name: str) -> float:
        calls.clear()
        call = calls[name] = next(case for case in CASES if case.name == name).make()[1]
        call()  # compiles
        return min(timeit.repeat(call, number=1, repeat=3))

    def time(name: str, number: int, repeats: int, processor: int | None) -> float:
        with on_processor(processor):
            return min(timeit.repeat(calls[name], number=number, repeat=repeats)) / number

    requests = {"where": lambda: numgrad.__file__, "make": make, "time": time}
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            answer = {"answer": requests[name](*arguments)}
        except Exception as error:  # whatever a commit that lacks something raises
            answer = {"failed": f"{type(error).__name__}: {error}".partition("\n")[0]}
        print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """The process of a tree. Ctrl-C does not reach it; it ends with the comparison."""

    def __init__(self, tree: Path) -> None:
        path = os.pathsep.join([str(tree), str(ROOT)])  # the cases of this tree, for both
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORK],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(tree / "cache")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.tree = tree

    def __enter__(self) -> "Worker":
        return self

    def check(self) -> None:
        try:
            found = Path(self.ask("where"))
        except Failed as fault:
            raise Failed(f"numgrad of {self.tree} cannot be imported: {fault}") from None
        assert found.is_relative_to(self.tree), f"{found} was imported instead of that in {self.tree}"

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, *request: Any) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # `receive` tells
            print(json.dumps(request), file=self.process.stdin, flush=True)

    def receive(self) -> Any:
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline() or '{"failed": "its process has ended"}')
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer["answer"]

    def ask(self, *request: Any) -> Any:
        self.send(*request)
        return self.receive()


def measure(workers: list[Worker], name: str, rounds: int) -> tuple[list[float], list[float]]:
    """Return the times of both trees, turn by turn."""
    for worker in workers:
        worker.send("make", name)  # both at once, as they may have to compile
    firsts, faults = [], []
    for worker, where in zip(workers, ("there", "here"), strict=True):
        try:
            firsts.append(worker.receive())
        except Failed as fault:
            faults.append(f"{where}: {fault}")
    if faults:
        raise Failed("; ".join(faults))
    number = max(1, int(BATCH / min(firsts)))
    repeats = max(1, int(TURN / (min(firsts) * number)))
    is_short = min(firsts) < SHORT and hasattr(os, "sched_getaffinity")
    processors = sorted(os.sched_getaffinity(0)) if is_short else [None]
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        processor = random.choice(processors)
        for k in random.sample((0, 1), 2):
            times[k].append(workers[k].ask("time", name, number, repeats, processor))
    return times


def files_of(revision: str) -> bytes:
    """Return the package as it was in a commit, as an archive."""
    verify = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"]
    found = subprocess.run(verify, cwd=ROOT, capture_output=True, text=True)
    if found.returncode:
        raise ValueError(f"{revision!r} is no commit of {ROOT}; `git log --oneline` names those that are there")
    files = subprocess.run(["git", "archive", found.stdout.strip(), "numgrad"], cwd=ROOT, capture_output=True)
    if files.returncode:
        raise ValueError(f"the commit {revision!r} has no folder `numgrad`; take a later one")
    return files.stdout


@contextmanager
def both_trees(files: bytes) -> Iterator[tuple[Path, Path]]:
    """Folders with these files, and with those of this tree: alike to the length of their names; gone afterwards."""
    folder = Path(tempfile.gettempdir()).resolve() / f"numgrad-compare-{secrets.token_hex(8)}"
    then, here = folder / "then", folder / "here"
    try:  # from here on, so that an interrupt finds no folder that nobody removes
        folder.mkdir(mode=0o700)
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            # Python 3.11 has the filter from 3.11.4 on.
            archive.extractall(then, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        shutil.copytree(ROOT / "numgrad", here / "numgrad", ignore=shutil.ignore_patterns("__pycache__"))
        yield then, here
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(files: bytes, names: list[str], rounds: int, tolerance: float) -> dict[str, str]:
    """Print the verdict of each case, and return the words of those that both trees have."""
    words: dict[str, list[str]] = {name: [] for name in names}
    print("\n".join(table("| case | there | here | ratio | with 99 % | |", [])), flush=True)
    with both_trees(files) as trees:
        while names:
            with ExitStack() as stack:
                workers = [stack.enter_context(Worker(tree)) for tree in trees]
                for worker in workers:
                    worker.check()
                for name in names:
                    try:
                        before, after = measure(workers, name, rounds)
                    except Failed as fault:
                        print(f"| {name} | | | | | not compared, {fault} |", flush=True)
                        words[name] = ["fails here" if str(fault).startswith("here") else "lacking"] * 2
                        continue
                    found = judge(before, after, tolerance)
                    words[name].append(found.word)
                    times = f"{unit(statistics.median(before))} | {unit(statistics.median(after))}"
                    interval = f"{found.low:.3g} to {found.high:.3g}"
                    shown = settled(words[name]) or f"{found.word}? again below"
                    print(f"| {name} | {times} | {found.ratio:.3g} | {interval} | {shown} |", flush=True)
            names = [name for name in names if settled(words[name]) is None]
    return {name: str(settled(found)) for name, found in words.items() if found[-1] != "lacking"}


def stop(number: int, _: Any) -> NoReturn:
    raise SystemExit(128 + number)  # and what is to be removed is removed


def main(arguments: list[str] | None = None) -> int:
    from benchmarks.cases import CASES

    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("revision", metavar="REV", help="a commit, branch or tag")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases in whose name this is found (a regex)")
    parser.add_argument("--rounds", type=int, default=15, help=f"turns of each case, at least {LEAST_ROUNDS}")
    parser.add_argument("--tolerance", type=float, default=0.05, help="what counts as the same speed")
    options = parser.parse_args(arguments)
    try:
        names = [case.name for case in CASES if re.search(options.only, case.name)]
    except re.error as error:
        parser.error(f"--only={options.only!r} is no regular expression: {error}")
    if not names:
        parser.error(f"no case has {options.only!r} in its name; benchmarks/cases.py has them all")
    if options.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds={options.rounds} is too few for a verdict; take at least {LEAST_ROUNDS}")
    if not options.tolerance >= 0:
        parser.error(f"--tolerance={options.tolerance} is negative; 0.05 is 5 %")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        words = compare(files_of(options.revision), names, options.rounds, options.tolerance)
    except (ValueError, Failed) as error:
        parser.error(str(error))
    counts = Counter(words.values())
    print("\n" + ", ".join(f"{n} {word}" for word, n in counts.most_common()) + f" of {len(names)} cases")
    return int(bool(counts["slower"] or counts["fails here"]))


if __name__ == "__main__":
    sys.exit(main())
