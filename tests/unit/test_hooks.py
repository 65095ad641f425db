"""A command of the user's runs for each task: what it is told, what it says, how it ends."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.hooks import Hooks
from flux_cli.models.task import Task
from tests.support.patience import until
from tests.support.tasks import succeeded


pytestmark = pytest.mark.skipif(os.name != "posix", reason="the commands are a shell's")


def describe(task: Task) -> tuple[bytes, Mapping[str, str]]:
    return f"{task.id} {task.prompt}\n".encode(), {"TASK": task.id}


class Running:
    """Hooks whose commands run in `folder`, and what was said."""

    def __init__(self, command: str, folder: Path) -> None:
        self.loop = EventLoop()
        self.said: list[str] = []
        environment = {"PATH": os.environ["PATH"], "FOLDER": str(folder)}
        self.hooks = Hooks(
            command, describe, loop=self.loop, environment=environment, say=self.said.append
        )

    def run(self, *ids: str) -> None:
        for task_id in ids:
            self.hooks.start(succeeded(task_id, prompt="$(touch $FOLDER/harm)"))
        self.loop.run_while(lambda: not self.hooks.is_idle)


def test_a_record_comes_on_stdin_and_in_variables_and_never_as_code(tmp_path: Path) -> None:
    running = Running('read -r line; echo "$TASK: $line"', tmp_path)
    running.run("a")
    assert running.said == ["a: a $(touch $FOLDER/harm)"]
    assert running.hooks.failures == []
    assert list(tmp_path.iterdir()) == []


def test_it_runs_once_for_each_task(tmp_path: Path) -> None:
    ids = [f"id-{n}" for n in range(12)]
    running = Running('echo x >> "$FOLDER/$TASK"', tmp_path)
    running.run(*ids)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(ids, "x\n")


def test_what_goes_wrong_is_told_by_task(tmp_path: Path) -> None:
    running = Running("case $TASK in killed) kill -9 $$;; bad) exit 3;; esac", tmp_path)
    running.run("ok", "bad", "killed")
    assert sorted(running.hooks.failures) == [
        "bad: the command exited with 3",
        "killed: the command was ended by signal 9",
    ]


def test_a_command_that_reads_nothing_and_says_much_is_no_problem(tmp_path: Path) -> None:
    count = "i=0; while [ $i -lt 5000 ]; do echo line-$i; i=$((i+1)); done"
    running = Running(f"exec <&-; {count}", tmp_path)
    running.run("a")
    assert running.hooks.failures == []
    assert running.said[:2] == ["line-0", "line-1"]
    assert sum(len(line) + 1 for line in running.said) <= 16_384 + 1


def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    running = Running("sleep 600 & echo $! > $FOLDER/pid; echo done", tmp_path)
    running.run("a")
    assert running.said == ["done"]
    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_stopping_ends_what_runs_and_runs_no_more(tmp_path: Path) -> None:
    running = Running('echo > "$FOLDER/$TASK"; exec sleep 600', tmp_path)
    for n in range(10):
        running.hooks.start(succeeded(f"{n}"))
    until(lambda: len(list(tmp_path.iterdir())) == 4)  # at a time
    assert not running.hooks.is_idle
    running.hooks.stop()
    running.hooks.stop()
    running.loop.run_while(lambda: not running.hooks.is_idle)
    assert running.hooks.unfinished == 10
    assert running.hooks.failures == []
    assert len(list(tmp_path.iterdir())) == 4


def test_a_command_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    running = Running("trap '' TERM; echo > $FOLDER/ready; sleep 600; sleep 600", tmp_path)
    running.hooks.start(succeeded("a"))
    until((tmp_path / "ready").exists)
    running.hooks.stop()
    running.loop.run_while(lambda: not running.hooks.is_idle)
