"""Runs a command of the user's for each task that ends, a few at a time."""

import contextlib
import os
import select
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.process_tree import descendants
from flux_cli.engine.task_store import TaskBacklog
from flux_cli.engine.thread_pool import ThreadPool
from flux_cli.models.task import Task


_AT_ONCE = 4
_MOST_OUTPUT = 16_384  # bytes of a command's output that are shown
_TICK = 0.05  # seconds between two looks whether a command has ended
_CHUNK = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes at once when it takes any
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_PATIENCE = 0.1  # seconds between asking a command to end and ending it


class Hooks:
    """Runs `command` in the user's shell, with a record on its stdin and in variables.

    Nothing of a record is ever put into the command line itself. What the
    command prints is handed to `say`, line by line, when it has ended. What it
    leaves in the background is its own, and is not waited for.
    """

    def __init__(
        self,
        command: str,
        describe: Callable[[Task], tuple[bytes, Mapping[str, str]]],
        *,
        loop: EventLoop,
        environment: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        """`describe` returns what the command finds on stdin and in its environment."""
        self._command = command
        self._describe = describe
        self._loop = loop
        self._environment = environment
        self._say = say
        self._pool = ThreadPool(loop, workers=_AT_ONCE)
        self._backlog = TaskBacklog()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()  # between starting a command and ending them all
        self._is_stopped = False
        self.failures: list[str] = []  # one line each
        self.unfinished = 0  # commands that were ended, or never run

    @property
    def is_idle(self) -> bool:
        """Whether the command has run for every task."""
        return not (self._pool.busy or self._backlog)

    def start(self, task: Task) -> None:
        """Run the command for `task` as soon as there is room."""
        self._backlog.append(task)
        self._next()

    def stop(self) -> None:
        """End what is running, and run no more. Doing it twice does no harm."""
        if self._is_stopped:
            return
        with self._lock:
            self._is_stopped = True
        self.unfinished = self._pool.busy + len(self._backlog)
        self._backlog.close()
        started = self._end(signal.SIGTERM)
        end = time.monotonic() + _PATIENCE
        self._loop.run_while(lambda: bool(self._pool.busy) and time.monotonic() < end)
        self._end(_KILL, started)

    def kill(self) -> None:
        """End what is running at once."""
        self._end(_KILL)

    def _end(self, number: int, also: Sequence[int] = ()) -> list[int]:
        """Send a signal to the commands and to all that they have started; return those.

        `also` are processes that were found before, and may have lost their parents since.
        """
        running = tuple(self._running)
        if sys.platform == "win32":
            for process in running:
                process.terminate()
            return []
        found = [pid for process in running for pid in descendants(process.pid)]
        for process in running:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, number)
        for pid in {*found, *also}:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        return found

    def _next(self) -> None:
        while self._backlog and self._pool.has_room:
            task = self._backlog.popleft()
            record, variables = self._describe(task)
            ended: list[tuple[str, bytes]] = []
            self._pool.submit(
                lambda record=record, variables=variables, ended=ended: ended.append(  # type: ignore[misc]
                    self._run(record, variables)
                ),
                partial(self._finish, task.id, ended),
            )

    def _finish(self, name: str, ended: list[tuple[str, bytes]]) -> None:
        for problem, output in ended:
            for line in output.decode("utf-8", "replace").splitlines():
                self._say(line)
            if problem and not self._is_stopped:
                self.failures.append(f"{name}: {problem}")
        if not self._is_stopped:
            self._next()

    def _run(self, record: bytes, variables: Mapping[str, str]) -> tuple[str, bytes]:
        """Return what went wrong, if anything did, and the beginning of what was printed."""
        try:
            with self._lock:
                if self._is_stopped:
                    return "", b""
                process = subprocess.Popen(  # noqa: S602 - the command is the user's own
                    self._command,
                    shell=True,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env={**self._environment, **variables},
                    start_new_session=True,  # a group to be ended, and no terminal to ask on
                )
                self._running.add(process)
        except (OSError, ValueError) as error:
            return f"the command could not be started: {error}", b""
        try:
            output = _exchange(process, record)
        finally:
            self._running.discard(process)
        code = process.returncode
        if code < 0:
            return f"the command was ended by signal {-code}", output
        return f"the command exited with {code}" if code else "", output


def _exchange(process: "subprocess.Popen[bytes]", record: bytes) -> bytes:
    """Feed `record` to a command until it ends; return the beginning of what it printed."""
    if sys.platform == "win32":
        return process.communicate(record)[0][:_MOST_OUTPUT]
    output = bytearray()
    with _closing(process), selectors.DefaultSelector() as selector:
        if process.stdin is None or process.stdout is None:
            raise ValueError("a command is started with pipes")
        selector.register(process.stdin, selectors.EVENT_WRITE)
        selector.register(process.stdout, selectors.EVENT_READ)
        view = memoryview(record)
        while selector.get_map():
            has_ended = process.poll() is not None
            ready = selector.select(0 if has_ended else _TICK)
            for key, events in ready:
                if events & selectors.EVENT_WRITE:
                    try:
                        view = view[os.write(key.fd, view[:_CHUNK]) :]
                    except BrokenPipeError:
                        view = view[:0]
                    if not view:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                elif data := os.read(key.fd, 1 << 16):
                    output += data[: _MOST_OUTPUT - len(output)]
                else:
                    selector.unregister(process.stdout)
            if has_ended and not ready:  # what still holds the pipes is in the background
                break
        process.wait()
    return bytes(output)


@contextlib.contextmanager
def _closing(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
