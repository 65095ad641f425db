"""Watches a set of tasks to the end: from ids to a verdict. `watch` and `demo` share it."""

import contextlib
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flux_cli.api.connection import Connection
from flux_cli.commands.followers import Follower, PrintFollower, StreamFollower
from flux_cli.commands.look import no_answer_for
from flux_cli.engine.hooks import Hooks, hook_variable
from flux_cli.engine.until import Until
from flux_cli.engine.watch import Changed, Ending, Plan, Watch
from flux_cli.errors import ExitCode, FluxError
from flux_cli.output.formats import Format, Writer, make_writer
from flux_cli.output.machine import encode_record
from flux_cli.output.records import as_record
from flux_cli.runtime import Runtime
from flux_cli.tasks.ids import TaskIds
from flux_cli.tasks.state import State
from flux_cli.tasks.task import Task
from flux_cli.tasks.verdict import Tally


if TYPE_CHECKING:
    from flux_cli.commands.landing import Landing
    from flux_cli.commands.saving import SavingOptions


_MOST_FAILURES = 5  # of commands, named one by one


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a watch asks and what it shows; `resume` puts open ids into a command that goes on."""

    plan: Plan
    output: Format = Format.AUTO
    states: frozenset[State] | None = None
    keep_raw: bool = False
    batch_size: int = 50
    retries: int = 3
    command: str | None = None
    bell: bool = False
    saving: "SavingOptions | None" = None
    resume: Callable[[list[str]], str] | None = None


def follow(runtime: Runtime, ids: TaskIds, connection: Connection, wishes: Wishes) -> ExitCode:
    """Watch `ids` until what `wishes.plan` waits for has happened; return the verdict.

    Raises ServiceError when the service rejected the token or was gone for too
    long, KeyboardInterrupt likewise, each after writing what is known.
    """
    from flux_cli.api.traffic import Traffic
    from flux_cli.engine.batch import PageSize
    from flux_cli.engine.check import Check

    traffic = Traffic(
        concurrency=connection.concurrency,
        retries=wishes.retries,
        patience=wishes.plan.give_up_after or math.inf,  # 0: one look, made to its end
    )
    pages = PageSize(wishes.batch_size)
    with runtime.client(connection) as client:

        def look(open_ids: Iterator[str]) -> Check:
            return Check(
                open_ids,
                client.retrieve_batch,
                traffic=traffic,
                batch_size=wishes.batch_size,
                workers=min(connection.concurrency, -(-len(ids) // wishes.batch_size)),
                keep_raw=wishes.keep_raw,
                now=runtime.now,
                pages=pages,
                is_over=watch.is_over,
            )

        follower = _follower(runtime, ids, wishes)
        hooks = None
        if wishes.command is not None:
            hooks = Hooks(wishes.command, runtime.environment, say=follower.say)

        def tell(task: Task) -> None:
            follower.changed(task)
            if hooks is not None and not task.state.is_running:
                record = encode_record(as_record(task)).encode()
                hooks.start(task.id, record, _variables(task))

        with _landing(runtime, wishes, follower, tell) as landing:
            watch = Watch(
                ids,
                look,
                plan=wishes.plan,
                clock=runtime.clock,
                wait=landing.wait if landing is not None else runtime.sleep,
                uniform=random.uniform,
                pause_left=traffic.pause_left,
            )
            try:
                try:
                    _hear(watch, follower, landing.changed if landing is not None else tell)
                    if landing is not None:
                        landing.finish()
                    if hooks is not None:
                        hooks.finish()
                finally:
                    traffic.stop()
                    if landing is not None:
                        landing.interrupt(follower.changed)  # and run no commands for it
                    follower.end(watch)
            except KeyboardInterrupt:
                if landing is not None:
                    with contextlib.suppress(FluxError):  # the interrupt is the reason to end
                        landing.saving.finish(tells_rate=False)
                _tell_how_to_go_on(runtime, watch, wishes, "interrupted")
                raise
            return _conclude(runtime, ids, watch, wishes, hooks, landing)


@contextlib.contextmanager
def _landing(
    runtime: Runtime, wishes: Wishes, follower: Follower, tell: Callable[[Task], None]
) -> Iterator["Landing | None"]:
    """Give what saves outputs, where they are to be saved."""
    if wishes.saving is None:
        yield None
        return
    from flux_cli.commands.landing import Landing
    from flux_cli.commands.saving import open_saving
    from flux_cli.output.progress import LineProgress, Silence

    is_live = wishes.output in (Format.AUTO, Format.TABLE) and runtime.stdout.has_styles
    progress = Silence(follower.say) if is_live else LineProgress(runtime.stderr)
    with open_saving(runtime, wishes.saving, progress) as saving:
        yield Landing(saving, tell, workers=wishes.saving.workers, clock=runtime.clock)


def _follower(runtime: Runtime, ids: TaskIds, wishes: Wishes) -> Follower:
    def make() -> Writer:
        return make_writer(
            wishes.output,
            runtime.stdout,
            raw=wishes.keep_raw,
            now=runtime.now(),
            note=runtime.stderr.note,
            has_files=wishes.saving is not None,
        )

    if wishes.output in (Format.AUTO, Format.TABLE) and runtime.stdout.has_styles:
        from flux_cli.commands.live_follower import LiveFollower

        return LiveFollower(runtime, ids, wishes.states)
    is_table = wishes.output is Format.TABLE or runtime.stdout.is_terminal
    if wishes.output is Format.JSONL or (wishes.output is Format.AUTO and not is_table):
        return StreamFollower(runtime, ids, make(), wishes.states)
    return PrintFollower(runtime, ids, make, wishes.states, tells_progress=is_table)


def _hear(watch: Watch, follower: Follower, changed: Callable[[Task], None]) -> None:
    for event in watch.events():
        if isinstance(event, Changed):
            changed(event.task)
        else:
            follower.looked(event)


def _variables(task: Task) -> dict[str, str]:
    """Return what a hook finds in its environment."""
    paths = [output.file.path for output in task.outputs if output.file and output.file.path]
    values = {
        "ID": task.id,
        "STATE": task.state.value,
        "MODEL": task.model,
        "PROMPT": task.prompt,
        "URL": task.outputs[0].url if task.outputs else None,
        "URLS": "\n".join(output.url for output in task.outputs),
        "PATH": paths[0] if paths else None,
        "PATHS": "\n".join(paths),
        "ERROR_CODE": task.error.code if task.error else None,
        "ERROR_MESSAGE": task.error.message if task.error else None,
        "TRACE_ID": task.trace_id,
    }
    return {f"FLUX_TASK_{name}": hook_variable(value) for name, value in values.items()}


def _conclude(
    runtime: Runtime,
    ids: TaskIds,
    watch: Watch,
    wishes: Wishes,
    hooks: Hooks | None,
    landing: "Landing | None",
) -> ExitCode:
    """Say how it went, and return the verdict."""
    tally = Tally()
    tally.count(watch.state_of(task_id) for task_id in ids)
    runtime.stderr.note(tally.summary())
    also: list[ExitCode] = []
    if landing is not None:
        landing.saving.finish(tells_rate=False)
    if (landing is not None and landing.saving.has_failed) or _has_failed(runtime, hooks):
        also.append(ExitCode.OUTPUT)
    if wishes.bell and runtime.stdout.is_terminal:
        runtime.stdout.write(b"\a")
    if watch.ending is Ending.TIMED_OUT:
        also.append(ExitCode.TIMED_OUT)
        _tell_how_to_go_on(runtime, watch, wishes, "the timeout ran out")
    if watch.error is not None:
        _tell_how_to_go_on(runtime, watch, wishes, "gave up")
        raise watch.error
    if wishes.plan.until is Until.ANY and watch.ending is Ending.DONE:
        tally.by_state[State.PENDING] = tally.by_state[State.PROCESSING] = 0  # not waited for
    if watch.ending is not Ending.DONE and watch.trouble is None:
        tally.by_state[State.UNKNOWN] = 0  # there was no time to hear of them
    if unknown := tally.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), watch.last_trouble)
    return tally.verdict(*also)


def _has_failed(runtime: Runtime, hooks: Hooks | None) -> bool:
    """Tell whether a command failed, and say which."""
    failures = hooks.failures if hooks is not None else []
    for failure in failures[:_MOST_FAILURES]:
        runtime.stderr.line(f"flux: --exec: {failure}")
    if len(failures) > _MOST_FAILURES:
        runtime.stderr.line(f"flux: --exec: {len(failures):,} failures in all")
    return bool(failures)


def _tell_how_to_go_on(runtime: Runtime, watch: Watch, wishes: Wishes, why: str) -> None:
    open_ids = list(watch.open_ids())
    if not open_ids or wishes.resume is None:
        return
    if len(open_ids) == 1:
        they_go_on = "1 task is still open and goes on by itself"
    else:
        they_go_on = f"{len(open_ids):,} tasks are still open and go on by themselves"
    command = wishes.resume(open_ids)  # which may have to say where it has put them
    runtime.stderr.line(
        f"flux: {why}; {they_go_on}: nothing needs to be submitted again. Go on watching with:"
    )
    runtime.stderr.line(f"  {command}")
