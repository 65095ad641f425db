"""Times whole processes, in turn, as the operating system accounts for them."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """What is timed: with its environment, and a file for its stdin."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdin: Path | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds on the clock, seconds of processor, bytes at the peak."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The runs of one command."""

    samples: Sequence[Sample]

    def median(self, what: Callable[[Sample], float]) -> float:
        return statistics.median(map(what, self.samples))

    @property
    def wall(self) -> float:
        return self.median(lambda sample: sample.wall)

    @property
    def cpu(self) -> float:
        return self.median(lambda sample: sample.cpu)

    @property
    def peak(self) -> float:
        return self.median(lambda sample: sample.peak)


def run_once(command: Command) -> Sample:
    """Run a command to its end. Raises RuntimeError when it fails."""
    with open(command.stdin or os.devnull, "rb") as stdin:  # noqa: PTH123 - may be the null device
        started = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            env=command.environment,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        errors = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command.arguments)[:200]}: {errors.decode()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def in_turn(commands: Sequence[Command], *, runs: int, warm_up: int = 1) -> list[Figure]:
    """Run the commands A B C A B C ..., each so often, after a warm-up that does not count."""
    samples: list[list[Sample]] = [[] for _ in commands]
    for number in range(warm_up + runs):
        for index, command in enumerate(commands):
            sample = run_once(command)
            if number >= warm_up:
                samples[index].append(sample)
    return [Figure(kept) for kept in samples]


def ratio(a: Figure, b: Figure, what: Callable[[Sample], float]) -> float:
    """Return the median of the ratios A/B, pair by pair."""
    pairs = zip(a.samples, b.samples, strict=True)
    return statistics.median(what(x) / what(y) for x, y in pairs)


def difference(a: Figure, b: Figure, what: Callable[[Sample], float]) -> float:
    """Return the median of the differences A-B, pair by pair."""
    pairs = zip(a.samples, b.samples, strict=True)
    return statistics.median(what(x) - what(y) for x, y in pairs)
