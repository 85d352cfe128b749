"""Verdicts of the benchmarks, and that `python -m benchmarks.compare` leaves nothing behind. No time is judged."""

import os
import random
import signal
import subprocess
import sys

import pytest
from test_structure import ROOT

from benchmarks import history
from benchmarks.cases import Case
from benchmarks.compare import judge, settled

COMPARE = [sys.executable, "-m", "benchmarks.compare"]

needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there are no commits to compare with")


def turns(ratio, count=15, noise=0.1, seed=0):
    """Times of paired turns on a machine whose speed changes by a half; the noise of each is its own, and skew."""
    rng = random.Random(seed)
    before, after = [], []
    for _ in range(count):
        machine = rng.uniform(1, 1.5)
        before.append(machine * (1 + rng.expovariate(1) * noise))
        after.append(machine / ratio * (1 + rng.expovariate(1) * noise))
    return before, after


@pytest.mark.parametrize(("ratio", "word"), [(0.8, "slower"), (1.0, "same"), (1.02, "same"), (1.25, "faster")])
def test_verdicts(ratio, word):
    found = judge(*turns(ratio, noise=0.02), tolerance=0.05)
    assert found.word == word
    assert found.low < ratio < found.high
    assert found.low < found.ratio < found.high


def test_intervals_hold_what_they_say():
    """99 % or more, as the sign test gives; and what is noise alone is hardly ever called a difference."""
    found = [judge(*turns(0.9, seed=seed), tolerance=0) for seed in range(1000)]
    assert 980 <= sum(v.low <= 0.9 <= v.high for v in found) < 1000
    noise = [judge(*turns(1.0, seed=seed), tolerance=0) for seed in range(1000)]
    assert 0 < sum(v.word in ("faster", "slower") for v in noise) <= 20


def test_what_noise_hides_is_unclear():
    assert judge([1.0, 2.0] * 5, [1.4, 1.4] * 5, 0.05) == (pytest.approx(1 / 1.4 * 2**0.5), 1 / 1.4, 2 / 1.4, "same")
    assert judge([1.0, 2.0, 2.0] * 3, [1.4] * 9, 0.05).word == "unclear"
    with pytest.raises(ValueError, match="7 turns do not make a verdict; take at least 8"):
        judge([1.0] * 7, [2.0] * 7, 0.05)
    assert judge([1.0] * 8, [2.0] * 8, 0.05).word == "slower"


def test_two_of_three_decide():
    for words, word in {
        "same": "same",
        "slower": None,
        "slower slower": "slower",
        "slower same": None,
        "slower same slower": "slower",
        "faster same same": "same",
        "unclear": None,
        "unclear same": "same",
        "unclear slower": None,
        "unclear slower slower": "slower",
        "unclear slower same": "unclear",
        "faster slower same": "unclear",
    }.items():
        assert settled(words.split()) == word, words


@needs_git
def test_the_command(tmp_path):
    options = ["--only", "^n = 10, out=$", "--rounds", "8"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [*COMPARE, "HEAD", *options, "--tolerance", "1000"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "| n = 10, out= |" in done.stdout
    assert done.stdout.endswith("1 same of 1 cases\n")
    assert list(tmp_path.iterdir()) == []


@needs_git
def test_ctrl_c_leaves_nothing_behind(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [*COMPARE, "HEAD", "--only", "^n = 10$"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        while not list(tmp_path.iterdir()):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 128 + signal.SIGINT
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["no-such-commit"], "'no-such-commit' is no commit of", marks=needs_git),
        (["HEAD", "--only", "no such case"], "no case has 'no such case' in its name"),
        (["HEAD", "--only", "("], "is no regular expression"),
        (["HEAD", "--rounds", "7"], "--rounds=7 is too few for a verdict; take at least 8"),
    ],
)
def test_errors_are_clear(arguments, message, capsys):
    from benchmarks.compare import main

    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_history_has_a_release_once_and_says_what_is_worse(tmp_path):
    path = tmp_path / "history.csv"
    assert history.regressions(path) == []
    history.record("1.0", {"large": 0.8, "dropped": 0.5}, path)
    history.record("1.1", {"large": 0.5}, path)
    history.record("1.1", {"large": 0.71, "new": 0.1}, path)
    assert history.regressions(path) == ["- large reaches 71% of its bound; in 1.0 it was 80%."]
    assert history.regressions(path, tolerance=0.2) == []
    history.record("1.1", {"large": 0.81}, path)
    assert history.regressions(path) == []
    assert [(row["version"], row["case"], row["reached"]) for row in history.read(path)] == [
        ("1.0", "large", "0.800"),
        ("1.0", "dropped", "0.500"),
        ("1.1", "large", "0.810"),
    ]


@pytest.mark.parametrize(
    ("fresh", "warm", "target", "words"),
    [
        (40, 4, 30, ""),
        (20, 4, 30, "short"),
        (3, 0.9, None, "slower, warm heap"),
        (0.9, 0.9, 2, "short; slower, fresh heap; slower, warm heap"),
        (0.85, 0.82, 0.8, ""),
    ],
)
def test_losses_are_marked(fresh, warm, target, words):
    assert Case("name", tuple, target).losses(fresh, warm) == words
